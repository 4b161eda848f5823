//! Writes out what convolutions and pools leave to defaults, and automatic padding as numbers.
//!
//! Runtimes differ here: rten knows no defaults for strides and takes SAME_LOWER as SAME_UPPER, ONNX Runtime refuses
//! automatic padding beside dilations, or pads too little.

use crate::error::Error;
use crate::graph::{Graph, Node};
use crate::ops::convolution::{kernel_of_weights, transposed_axes};
use crate::ops::pooling::kernel_of_pool;
use crate::ops::window::{Slide, slides};
use crate::passes::rebuild::Rebuild;
use crate::types::Dim;

/// Gives every Conv, ConvTranspose and pool its kernel, strides and padding as numbers. Automatic padding stays where
/// it depends on a length that is not known.
///
/// # Errors
/// A node whose attributes do not fit its input.
pub fn spell_out_windows(graph: &Graph) -> Result<Graph, Error> {
    let mut new = Rebuild::of(graph);
    new.copy_inputs_and_constants(graph);
    for node in graph.nodes() {
        let spelled = spelled_out(graph, node).map_err(|reason| node.fault(reason))?;
        new.copy_node(graph, spelled.as_ref().unwrap_or(node));
    }
    new.finish(graph)
}

fn spelled_out(graph: &Graph, node: &Node) -> Result<Option<Node>, String> {
    if !node.domain.is_empty() {
        return Ok(None);
    }
    let shape = |i: usize| node.inputs.get(i).copied().flatten().and_then(|wire| graph.shape(wire));
    match (node.op.as_str(), shape(0)) {
        ("Conv", Some(x)) => {
            let Some(kernel) = shape(1).and_then(|w| kernel_of_weights(node, w)) else { return Ok(None) };
            sliding(node, &kernel, &x[2..])
        }
        ("ConvTranspose", Some(x)) => transposed(node, x, shape(1)),
        ("MaxPool" | "AveragePool" | "LpPool", Some(x)) => {
            let kernel = kernel_of_pool(node, x.len())?;
            let without_ceil = pool_without_ceil(node, &kernel, &x[2..])?;
            Ok(without_ceil.or(sliding(node, &kernel, &x[2..])?))
        }
        _ => Ok(None),
    }
}

fn sliding(node: &Node, kernel: &[usize], lengths: &[Dim]) -> Result<Option<Node>, String> {
    let slides = slides(node, kernel)?;
    let pads = slides.iter().zip(lengths).map(|(slide, length)| slide.padding_along(length));
    Ok(pads.collect::<Option<Vec<_>>>().map(|pads| with_window(node, &slides, &pads)))
}

/// The same pool without `ceil_mode`, which runtimes and their shape inference count differently where a window would
/// start in the padding. An average that counts its padding would not stay the same.
fn pool_without_ceil(node: &Node, kernel: &[usize], lengths: &[Dim]) -> Result<Option<Node>, String> {
    let set = |name: &str| node.int(name).unwrap_or(0) != 0;
    if !set("ceil_mode") || set("count_include_pad") {
        return Ok(None);
    }
    let slides = slides(node, kernel)?;
    let pads = slides.iter().zip(lengths).map(|(slide, length)| slide.padding_without_ceil(length));
    let pads: Option<Vec<_>> = pads.collect::<Result<Vec<_>, _>>()?.into_iter().collect();
    Ok(pads.map(|pads| {
        let mut spelled = with_window(node, &slides, &pads);
        spelled.attributes.remove("ceil_mode");
        spelled
    }))
}

fn transposed(node: &Node, x: &[Dim], w: Option<&[Dim]>) -> Result<Option<Node>, String> {
    let lengths: Option<Vec<usize>> = x[2..].iter().map(Dim::known).collect();
    let (Some(kernel), Some(lengths)) = (w.and_then(|w| kernel_of_weights(node, w)), lengths) else {
        return Ok(None);
    };
    let axes = transposed_axes(node, &lengths, &kernel)?;
    let pads: Vec<(usize, usize)> = axes.iter().map(|axis| (axis.begin, axis.end)).collect();
    let mut spelled = with_window(node, &slides(node, &kernel)?, &pads);
    let extra: Vec<i64> = axes.iter().map(|axis| axis.unread() as i64).collect();
    spelled.attributes.remove("output_shape");
    spelled.attributes.insert("output_padding".to_owned(), extra.into());
    Ok(Some(spelled))
}

fn with_window(node: &Node, slides: &[Slide], pads: &[(usize, usize)]) -> Node {
    let mut spelled = node.clone();
    let mut write = |name: &str, list: Vec<usize>| {
        let list: Vec<i64> = list.into_iter().map(|n| n as i64).collect();
        spelled.attributes.insert(name.to_owned(), list.into());
    };
    write("kernel_shape", slides.iter().map(|slide| slide.kernel).collect());
    write("strides", slides.iter().map(|slide| slide.stride).collect());
    write("pads", pads.iter().map(|(begin, _)| *begin).chain(pads.iter().map(|(_, end)| *end)).collect());
    write("dilations", slides.iter().map(|slide| slide.dilation).collect());
    // AveragePool has had this attribute since opset 19 only.
    if slides.iter().all(|slide| slide.dilation == 1) {
        spelled.attributes.remove("dilations");
    }
    spelled.attributes.remove("auto_pad");
    spelled
}

#[cfg(test)]
mod tests {
    use super::spell_out_windows;
    use crate::cases::op_cases;
    use crate::evaluate::evaluate;
    use crate::text::{parse, print};

    fn check(before: &str, after: &str) {
        let spelled = spell_out_windows(&parse(before).expect("a graph")).expect("a rewrite");
        assert_eq!(print(&spelled), print(&parse(after).expect("a graph")));
    }

    #[test]
    fn automatic_padding_becomes_numbers() {
        check(
            "g (float[N,1,5,6] x) => (float[N,1,3,3] y) { y = MaxPool<auto_pad = \"SAME_LOWER\", kernel_shape = [2, 3], strides = [2, 2]>(x) }",
            "g (float[N,1,5,6] x) => (float[N,1,3,3] y) { y = MaxPool<kernel_shape = [2, 3], pads = [1, 1, 0, 0], strides = [2, 2]>(x) }",
        );
    }

    #[test]
    fn defaults_are_written_out() {
        check(
            "g (float[N,1,5] x, float[1,1,2] w) => (float[N,1,4] y) { y = Conv(x, w) }",
            "g (float[N,1,5] x, float[1,1,2] w) => (float[N,1,4] y) { y = Conv<kernel_shape = [2], pads = [0, 0], strides = [1]>(x, w) }",
        );
    }

    #[test]
    fn an_output_shape_becomes_padding() {
        check(
            "g (float[1,1,3] x, float[1,1,3] w) => (float[1,1,6] y) { y = ConvTranspose<output_shape = [6], strides = [2]>(x, w) }",
            "g (float[1,1,3] x, float[1,1,3] w) => (float[1,1,6] y) { y = ConvTranspose<kernel_shape = [3], output_padding = [0], pads = [1, 0], strides = [2]>(x, w) }",
        );
    }

    #[test]
    fn windows_beyond_the_end_become_padding() {
        check(
            "g (float[1,1,6] x) => (float[1,1,3] y) { y = MaxPool<ceil_mode = 1, kernel_shape = [3], strides = [2]>(x) }",
            "g (float[1,1,6] x) => (float[1,1,3] y) { y = MaxPool<kernel_shape = [3], pads = [0, 1], strides = [2]>(x) }",
        );
    }

    #[test]
    fn padding_stays_automatic_where_a_length_is_unknown() {
        let text = "g (float[1,1,L] x) => (float[1,1,?] y) { y = MaxPool<auto_pad = \"SAME_UPPER\", kernel_shape = [2]>(x) }";
        check(text, text);
    }

    #[test]
    fn nothing_changes_what_is_computed() {
        for case in
            op_cases().into_iter().filter(|case| case.name.contains("Conv") || case.name.contains("Pool"))
        {
            let graph = case.parse();
            let spelled = spell_out_windows(&graph).expect("a rewrite");
            let inputs = case.inputs(&graph, 5);
            assert_eq!(evaluate(&spelled, &inputs), evaluate(&graph, &inputs), "case {}", case.name);
        }
    }
}
