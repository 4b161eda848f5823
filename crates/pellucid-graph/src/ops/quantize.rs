//! Numbers as small integers and back: `round(x / scale) + zero point` within the integers' range, and its inverse.

use super::{Call, Op, Site, resolve_axis};
use crate::build::element_of_code;
use crate::tensor::{ElementType, Tensor};
use crate::types::Type;

pub(super) const OPS: &[Op] = &[
    Op { name: "QuantizeLinear", infer: infer_quantize, evaluate: evaluate_quantize },
    Op { name: "DequantizeLinear", infer: infer_dequantize, evaluate: evaluate_dequantize },
];

/// The smallest and the largest integer of a type.
///
/// # Errors
/// A type that nothing is quantized to.
pub(crate) fn integer_range(element: ElementType) -> Result<(f64, f64), String> {
    Ok(match element {
        ElementType::I8 => (f64::from(i8::MIN), f64::from(i8::MAX)),
        ElementType::U8 => (0.0, f64::from(u8::MAX)),
        ElementType::I16 => (f64::from(i16::MIN), f64::from(i16::MAX)),
        ElementType::U16 => (0.0, f64::from(u16::MAX)),
        other => return Err(format!("quantization to {other:?} is not supported")),
    })
}

fn stated(site: &Site<'_>) -> Result<Option<ElementType>, String> {
    match site.node.int("output_dtype").filter(|code| *code != 0) {
        None => Ok(None),
        Some(code) => {
            element_of_code(code).map(Some).ok_or_else(|| format!("element type {code} is not supported"))
        }
    }
}

/// The type of the zero point; without one what is stated, or else unsigned bytes.
fn infer_quantize(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let element = match site.wire(2) {
        Some(_) => site.element(2)?,
        None => stated(site)?.unwrap_or(ElementType::U8),
    };
    Ok(vec![Type { element, shape: site.ty(0)?.shape.clone() }])
}

fn infer_dequantize(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let element = stated(site)?.map_or_else(|| site.element(1), Ok)?;
    Ok(vec![Type { element, shape: site.ty(0)?.shape.clone() }])
}

/// For each element of input 0 the place of its scale: one for all, or one for each index of an axis.
fn scale_places(call: &Call<'_>) -> Result<Vec<usize>, String> {
    let (shape, n_scales) = (call.shape(0)?, call.tensor(1)?.len());
    let n: usize = shape.iter().product();
    if n_scales == 1 {
        return Ok(vec![0; n]);
    }
    if call.node.int("block_size").unwrap_or(0) != 0 {
        return Err("blocks of scales are not supported".to_owned());
    }
    let axis = resolve_axis(call.node.int("axis").unwrap_or(1), shape.len())?;
    if shape[axis] != n_scales {
        return Err(format!("{n_scales} scales for an axis of length {}", shape[axis]));
    }
    let behind: usize = shape[axis + 1..].iter().product();
    Ok((0..n).map(|i| i / behind % n_scales).collect())
}

fn zero_points(call: &Call<'_>) -> Result<Vec<f64>, String> {
    let n_scales = call.tensor(1)?.len();
    let zeros = call.optional(2).map_or_else(|| vec![0.0; n_scales], Tensor::to_f64s);
    match zeros.len() == n_scales {
        true => Ok(zeros),
        false => Err(format!("{} zero points for {n_scales} scales", zeros.len())),
    }
}

fn evaluate_quantize(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (low, high) = integer_range(call.output)?;
    let (x, scales, zeros) = (call.floats(0)?, call.floats(1)?, zero_points(call)?);
    let quantized =
        |(x, k): (&f64, usize)| ((x / scales[k]).round_ties_even() + zeros[k]).clamp(low, high) as i64;
    Ok(vec![Tensor::i64(call.shape(0)?, x.iter().zip(scale_places(call)?).map(quantized).collect())])
}

fn evaluate_dequantize(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (x, scales, zeros) = (call.ints(0)?, call.floats(1)?, zero_points(call)?);
    let value = |(x, k): (&i64, usize)| (*x as f64 - zeros[k]) * scales[k];
    Ok(vec![Tensor::f64(call.shape(0)?, x.iter().zip(scale_places(call)?).map(value).collect())])
}
