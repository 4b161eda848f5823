//! The graph in words that rten reads: what it would misread or refuse though it can compute it.

use pellucid_graph::{
    Attribute, Error, Graph, Node, Wire,
    passes::{Rebuild, rebuild},
};

/// The same graph with the defaults of convolutions and pools written out, Softplus in a form that does not overflow,
/// and no Dropout.
pub(super) fn prepared(graph: &Graph) -> Result<Graph, Error> {
    rebuild(graph, |new, node| {
        Ok(match node.op.as_str() {
            _ if !node.domain.is_empty() => None,
            "Conv" | "ConvTranspose" => {
                spell_out(new, node, spatial_axes(new, node, 1), &["strides", "dilations"])
            }
            "AveragePool" | "MaxPool" => spell_out(new, node, spatial_axes(new, node, 0), &["strides"]),
            "Softplus" => softplus(new, node),
            "Dropout" => dropout(new, node),
            _ => None,
        })
    })
}

fn spatial_axes(graph: &Graph, node: &Node, input: usize) -> Option<usize> {
    graph.rank(node.inputs.get(input).copied().flatten()?)?.checked_sub(2)
}

/// rten takes the number of spatial axes from `kernel_shape`, and knows no default strides of pools.
fn spell_out(new: &mut Rebuild, node: &Node, n_axes: Option<usize>, ones: &[&str]) -> Option<Vec<Wire>> {
    let n_axes = n_axes?;
    let mut spelled = node.clone();
    for name in ones {
        spelled.attributes.entry((*name).to_owned()).or_insert(Attribute::Ints(vec![1; n_axes]));
    }
    if !spelled.attributes.contains_key("kernel_shape") {
        let weights = new.type_of(node.inputs.get(1).copied().flatten()?).known_shape()?;
        let kernel = weights.iter().skip(2).map(|&n| n as i64).collect();
        spelled.attributes.insert("kernel_shape".to_owned(), Attribute::Ints(kernel));
    }
    let names = vec![Some(""); spelled.outputs.len().max(1)];
    spelled.outputs.clear();
    let outputs = new.add_node(spelled, &names);
    Some(outputs.into_iter().flatten().collect())
}

/// `ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|)`; rten's own is infinite from x = 89 on.
fn softplus(new: &mut Rebuild, node: &Node) -> Option<Vec<Wire>> {
    let x = node.inputs.first().copied().flatten()?;
    let size = new.abs(x);
    let negative = new.neg(size);
    let tail = new.exp(negative);
    let tail = new.add_scalar(tail, 1.0);
    let tail = new.log(tail);
    let ramp = new.relu(x);
    Some(vec![new.add(ramp, tail)])
}

/// Outside of training its input; rten has the op only with its random numbers.
fn dropout(new: &mut Rebuild, node: &Node) -> Option<Vec<Wire>> {
    let training = node.inputs.get(2).copied().flatten();
    let off = training.is_none_or(|wire| new.constant(wire).is_some_and(|mode| mode.to_f64s() == [0.0]));
    let mask_unused = node.outputs.iter().skip(1).all(Option::is_none);
    node.inputs.first().copied().flatten().filter(|_| off && mask_unused).map(|x| vec![x])
}
