//! The graph in words that rten reads: what it would misread or refuse though it can compute it.

use pellucid_graph::passes::{Rebuild, rebuild};
use pellucid_graph::{Attribute, ElementType, Error, Graph, Node, Wire};

/// The same graph with the defaults of convolutions and pools written out, Softplus in a form that does not overflow, no
/// Dropout, RMS normalization written out, and casts of the types that rten mixes up.
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
            "Cast" => cast_to_booleans(new, node),
            "CastLike" => cast_like(new, node),
            "Pow" => pow(new, node),
            "RMSNormalization" => rms_norm(new, node),
            _ => None,
        })
    })
}

fn spatial_axes(graph: &Graph, node: &Node, i: usize) -> Option<usize> {
    graph.rank(input(node, i)?)?.checked_sub(2)
}

/// rten takes the number of spatial axes from `kernel_shape`, and knows no default strides of pools.
fn spell_out(new: &mut Rebuild, node: &Node, n_axes: Option<usize>, ones: &[&str]) -> Option<Vec<Wire>> {
    let n_axes = n_axes?;
    let mut spelled = node.clone();
    for name in ones {
        spelled.attributes.entry((*name).to_owned()).or_insert(Attribute::Ints(vec![1; n_axes]));
    }
    if !spelled.attributes.contains_key("kernel_shape") {
        let weights = new.type_of(input(node, 1)?).known_shape()?;
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
    let x = input(node, 0)?;
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
    let training = input(node, 2);
    let off = training.is_none_or(|wire| new.constant(wire).is_some_and(|mode| mode.to_f64s() == [0.0]));
    let mask_unused = node.outputs.iter().skip(1).all(Option::is_none);
    input(node, 0).filter(|_| off && mask_unused).map(|x| vec![x])
}

/// `x ≠ 0`; rten keeps the number as it is, its fraction cut off.
fn cast_to_booleans(new: &mut Rebuild, node: &Node) -> Option<Vec<Wire>> {
    const BOOL: i64 = 9;
    let x = input(node, 0).filter(|_| node.int("to") == Some(BOOL))?;
    let is_number = new.element(x).is_float() || new.element(x).is_integer();
    is_number.then(|| {
        let zero = new.scalar(0.0, x);
        let is_zero = new.equal(x, zero);
        vec![new.not(is_zero)]
    })
}

/// A cast, whose type is known before the run.
fn cast_like(new: &mut Rebuild, node: &Node) -> Option<Vec<Wire>> {
    let (x, like) = (input(node, 0)?, input(node, 1)?);
    let known = new.element(like) != ElementType::Unknown;
    known.then(|| vec![new.cast_like(x, like)])
}

/// `γ x / √(mean(x²) + ε)`; rten does not know the op.
fn rms_norm(new: &mut Rebuild, node: &Node) -> Option<Vec<Wire>> {
    let (x, scale) = (input(node, 0)?, input(node, 1)?);
    let rank = new.rank(x)? as i64;
    let axis = node.int("axis").unwrap_or(-1);
    let first = if axis < 0 { axis + rank } else { axis };
    let axes: Vec<i64> = (first..rank).collect();
    let square = new.mul(x, x);
    let mean = new.reduce_mean(square, &axes, true);
    let shifted = new.add_scalar(mean, node.float("epsilon").unwrap_or(f64::from(1e-5f32)));
    let root = new.sqrt(shifted);
    let normalized = new.div(x, root);
    Some(vec![new.mul(normalized, scale)])
}

/// rten has no power of a float to an integer.
fn pow(new: &mut Rebuild, node: &Node) -> Option<Vec<Wire>> {
    let (base, exponent) = (input(node, 0)?, input(node, 1)?);
    let mixed = new.element(base).is_float() && new.element(exponent).is_integer();
    mixed.then(|| {
        let exponent = new.cast_like(exponent, base);
        vec![new.pow(base, exponent)]
    })
}

fn input(node: &Node, i: usize) -> Option<Wire> {
    node.inputs.get(i).copied().flatten()
}
