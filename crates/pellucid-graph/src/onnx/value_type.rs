//! `TypeProto` → `Type` and back.

use super::proto::{
    Dimension, DimensionValue, TensorShapeProto, TensorType, TypeProto, TypeValue, ValueInfoProto,
};
use super::tensor::type_name;
use crate::build::{element_of_code, onnx_code};
use crate::error::Error;
use crate::tensor::ElementType;
use crate::types::{Dim, Type};

/// What a file states of a wire. A wire without a type, or of a type that is no tensor, is unknown.
pub(super) fn stated(info: &ValueInfoProto) -> Type {
    match info.r#type.as_ref().and_then(|ty| ty.value.as_ref()) {
        Some(TypeValue::Tensor(tensor)) => Type {
            element: element_of_code(tensor.elem_type().into()).unwrap_or(ElementType::Unknown),
            shape: tensor.shape.as_ref().map(|shape| shape.dim.iter().map(dim).collect()),
        },
        _ => Type::unknown(),
    }
}

/// What a file states of an input, which must be a tensor of a supported element type.
///
/// # Errors
/// [`Error::Unsupported`] naming the input and its type.
pub(super) fn input_type(info: &ValueInfoProto) -> Result<Type, Error> {
    let refuse = |what: String| Error::Unsupported {
        reason: format!("input `{}` is {what}; only tensors can be explained", info.name()),
    };
    let kind = match info.r#type.as_ref().and_then(|ty| ty.value.as_ref()) {
        Some(TypeValue::Tensor(tensor)) => {
            let code = tensor.elem_type();
            return match element_of_code(code.into()) {
                Some(_) => Ok(stated(info)),
                None => Err(refuse(format!("of element type {}", type_name(code)))),
            };
        }
        None => return Ok(Type::unknown()),
        Some(TypeValue::Sequence(_)) => "a sequence",
        Some(TypeValue::Map(_)) => "a map",
        Some(TypeValue::Optional(_)) => "optional",
        Some(TypeValue::SparseTensor(_)) => "a sparse tensor",
        Some(TypeValue::Opaque(_)) => "opaque",
    };
    Err(refuse(kind.to_owned()))
}

fn dim(dimension: &Dimension) -> Dim {
    match &dimension.value {
        Some(DimensionValue::Value(n)) => usize::try_from(*n).map_or(Dim::Unknown, Dim::Known),
        Some(DimensionValue::Param(name)) => named_dim(name),
        None => Dim::Unknown,
    }
}

/// `N`, `4*N` and `N*4`; any other expression is a name of its own, equal to itself only.
fn named_dim(text: &str) -> Dim {
    let text = text.trim();
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let product = text.split_once('*').map(|(a, b)| (a.trim(), b.trim()));
    match product {
        Some((a, b)) if is_name(a) && is_name(b) => match (a.parse::<usize>(), b.parse::<usize>()) {
            (Ok(times), Err(_)) if times > 0 => Dim::symbol(b).times(&Dim::Known(times)),
            (Err(_), Ok(times)) if times > 0 => Dim::symbol(a).times(&Dim::Known(times)),
            _ => Dim::symbol(text),
        },
        _ if matches!(text, "" | "?") => Dim::Unknown,
        _ => text.parse().map_or_else(|_| Dim::symbol(text), Dim::Known),
    }
}

/// A wire with its type, as inputs, outputs and `value_info` hold it.
pub(super) fn value_info(name: &str, ty: &Type) -> ValueInfoProto {
    let shape =
        ty.shape.as_ref().map(|shape| TensorShapeProto { dim: shape.iter().map(dimension).collect() });
    let elem_type = Some(onnx_code(ty.element) as i32);
    let tensor = TensorType { elem_type, shape };
    let ty = TypeProto { value: Some(TypeValue::Tensor(tensor)), denotation: None };
    ValueInfoProto { name: Some(name.to_owned()), r#type: Some(ty), ..ValueInfoProto::default() }
}

fn dimension(dim: &Dim) -> Dimension {
    let value = match dim {
        Dim::Known(n) => Some(DimensionValue::Value(*n as i64)),
        Dim::Symbol { .. } => Some(DimensionValue::Param(dim.to_string())),
        Dim::Unknown => None,
    };
    Dimension { value, denotation: None }
}
