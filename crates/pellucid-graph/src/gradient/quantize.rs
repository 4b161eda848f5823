//! Quantization, straight through: rounding counts as no change, as PyTorch's fake quantization has it. The signal at
//! an integer wire is that of the number it stands for.

use super::{PlainRule, only};
use crate::backward::{Signals, Step};
use crate::graph::Wire;
use crate::ops::{integer_range, resolve_axis};

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "QuantizeLinear" => quantize,
        "DequantizeLinear" => |s| {
            let dy = s.gradient()?;
            let scale = beside(s, 1)?;
            only(s.mul(dy, scale))
        },
        _ => return None,
    })
}

/// `dy / scale` where `round(x / scale) + zero point` lies within the integers' range, 0 elsewhere.
fn quantize(s: &mut Step<'_>) -> Signals {
    let (dy, x, y) = (s.gradient()?, s.input(0)?, s.output(0)?);
    let (low, high) = integer_range(s.element(y))?;
    let scale = beside(s, 1)?;
    let quotient = s.div(x, scale);
    let mut rounded = s.node("Round", &[quotient], &[]);
    if s.optional_input(2).is_some() {
        let zero = beside(s, 2)?;
        let zero = s.cast_like(zero, x);
        rounded = s.add(rounded, zero);
    }
    let (above, below) = (s.greater_scalar(rounded, low - 0.5), s.less_scalar(rounded, high + 0.5));
    let inside = s.and(above, below);
    let dx = s.div(dy, scale);
    only(s.keep_where(inside, dx))
}

/// Scales or zero points as they stand beside the elements: one for each index of an axis gets axes of length 1.
fn beside(s: &mut Step<'_>, i: usize) -> Result<Wire, String> {
    let parameter = s.input(i)?;
    match s.known_rank(parameter)? {
        0 => Ok(parameter),
        1 => {
            let rank = s.known_rank(s.input(0)?)?;
            let one_for_all = s.shape(parameter).is_some_and(|shape| shape[0].is(1));
            let axis = if one_for_all { 0 } else { resolve_axis(s.at().int("axis").unwrap_or(1), rank)? };
            let mut shape = vec![1; rank];
            if rank > 0 {
                shape[axis] = -1;
            }
            Ok(s.reshape(parameter, &shape))
        }
        _ => Err("blocks of scales are not supported".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Error;
    use crate::evaluate::evaluate;
    use crate::gradient::gradient;
    use crate::tensor::{ElementType, Tensor};
    use crate::text;
    use crate::types::Type;

    #[track_caller]
    fn check(between: &str, expected: [f64; 6]) {
        // Quantized to -128..127 in steps of a half and of a quarter: from -64 and -32 to 63.5 and 31.75.
        let mut graph = text::parse(&format!(
            "g (float[2,3] x) => (float[2,3] y) <float[2] scale = {{0.5, 0.25}}, int8[2] zero = {{0, 0}}>
             {{ q = QuantizeLinear<axis = 0>(x, scale, zero) {between} d = DequantizeLinear<axis = 0>(p, scale, zero) y = Mul(d, d) }}"
        ))
        .unwrap();
        let (x, y) = (graph.inputs()[0], graph.outputs()[0]);
        let seed = graph.add_constant("seed", Tensor::f32(&[2, 3], vec![1.0; 6]));
        let wires = gradient(&mut graph, y, seed, &[x]).unwrap();
        graph.set_outputs(&wires);
        let x = Tensor::f64(&[2, 3], vec![1.1, -63.9, 70.0, 1.1, -31.9, -40.0]);
        assert_eq!(evaluate(&graph, &[x]).unwrap()[0].to_f64s(), expected);
    }

    #[test]
    fn rounding_counts_as_no_change_and_what_is_cut_off_gets_nothing() {
        check("p = Identity(q)", [2.0, -128.0, 0.0, 2.0, -64.0, 0.0]);
        check(
            "t = Transpose<perm = [1, 0]>(q) p = Transpose<perm = [1, 0]>(t)",
            [2.0, -128.0, 0.0, 2.0, -64.0, 0.0],
        );
    }

    #[test]
    fn an_op_on_integers_without_a_rule_stops_the_walk_by_name() {
        let mut graph = text::parse(
            "g (float[2,2] x) => (float[2,2] y) <float scale = {0.5}, uint8 zero = {0}, uint8[2,2] w = {1, 2, 3, 4}>
             { q = QuantizeLinear(x, scale, zero) m = MatMulInteger(q, w) y = Cast<to = 1>(m) }",
        )
        .unwrap();
        let (x, y) = (graph.inputs()[0], graph.outputs()[0]);
        // What a file states of an op that the crate does not know.
        let product = graph.wire("m").unwrap();
        graph.refine_type(product, &Type::fixed(ElementType::I32, &[2, 2]));
        let seed = graph.add_constant("seed", Tensor::f32(&[2, 2], vec![1.0; 4]));
        let error = gradient(&mut graph, y, seed, &[x]).unwrap_err();
        assert!(matches!(&error, Error::NoRule { op, .. } if op == "MatMulInteger"), "{error}");
    }
}
