//! Short names for the nodes that rules and rewrites emit. All ops are those of the canonical opset (18).

use crate::graph::{Attribute, Graph, Wire};
use crate::tensor::{ElementType, Tensor};
use crate::types::Dim;

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident => $op:literal),* $(,)?) => {
        $($(#[$doc])* pub fn $name(&mut self, x: Wire) -> Wire { self.node($op, &[x], &[]) })*
    };
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident => $op:literal),* $(,)?) => {
        $($(#[$doc])* pub fn $name(&mut self, a: Wire, b: Wire) -> Wire { self.node($op, &[a, b], &[]) })*
    };
}

impl Graph {
    unary! {
        /// `-x`
        neg => "Neg",
        /// `1/x`
        reciprocal => "Reciprocal",
        /// `|x|`
        abs => "Abs",
        /// -1, 0 or 1
        sign => "Sign",
        /// `√x`
        sqrt => "Sqrt",
        /// `eˣ`
        exp => "Exp",
        /// natural logarithm
        log => "Log",
        /// hyperbolic tangent
        tanh => "Tanh",
        /// `1 / (1 + e⁻ˣ)`
        sigmoid => "Sigmoid",
        /// error function
        erf => "Erf",
        /// `max(x, 0)`
        relu => "Relu",
        /// logical not
        not => "Not",
        /// lengths of all axes
        shape_of => "Shape",
    }

    binary! {
        /// `a + b`
        add => "Add",
        /// `a − b`
        sub => "Sub",
        /// `a · b`, element by element
        mul => "Mul",
        /// `a / b`
        div => "Div",
        /// `aᵇ`
        pow => "Pow",
        /// matrix product of the last two axes
        matmul => "MatMul",
        /// `a = b`
        equal => "Equal",
        /// `a > b`
        greater => "Greater",
        /// `a < b`
        less => "Less",
        /// logical and
        and => "And",
        /// logical or
        or => "Or",
    }

    /// A constant vector of integers.
    pub fn ints(&mut self, elements: &[i64]) -> Wire {
        self.add_constant("ints", Tensor::ints(elements))
    }

    /// One number of the same element type as `like`.
    pub fn scalar(&mut self, value: f64, like: Wire) -> Wire {
        let element = match self.element(like) {
            ElementType::Unknown | ElementType::String | ElementType::Bool => ElementType::F32,
            element => element,
        };
        self.add_constant("scalar", Tensor::scalar(element, value))
    }

    /// `x` plus a number.
    pub fn add_scalar(&mut self, x: Wire, value: f64) -> Wire {
        let value = self.scalar(value, x);
        self.add(x, value)
    }

    /// `x` times a number.
    pub fn mul_scalar(&mut self, x: Wire, value: f64) -> Wire {
        let value = self.scalar(value, x);
        self.mul(x, value)
    }

    /// `x > value`
    pub fn greater_scalar(&mut self, x: Wire, value: f64) -> Wire {
        let value = self.scalar(value, x);
        self.greater(x, value)
    }

    /// `x < value`
    pub fn less_scalar(&mut self, x: Wire, value: f64) -> Wire {
        let value = self.scalar(value, x);
        self.less(x, value)
    }

    /// `a` where `condition` holds, else `b`.
    pub fn select(&mut self, condition: Wire, a: Wire, b: Wire) -> Wire {
        self.node("Where", &[condition, a, b], &[])
    }

    /// `x` where `condition` holds, else 0.
    pub fn keep_where(&mut self, condition: Wire, x: Wire) -> Wire {
        let zero = self.scalar(0.0, x);
        self.select(condition, x, zero)
    }

    /// `x` in the element type of `like`.
    pub fn cast_like(&mut self, x: Wire, like: Wire) -> Wire {
        let element = self.element(like);
        self.cast(x, element)
    }

    /// `x` in another element type; `x` itself where it has it already.
    pub fn cast(&mut self, x: Wire, element: ElementType) -> Wire {
        if self.element(x) == element {
            return x;
        }
        self.node("Cast", &[x], &[("to", Attribute::Int(onnx_code(element)))])
    }

    /// Sum over `axes`; no axes, no change.
    pub fn reduce_sum(&mut self, x: Wire, axes: &[i64], keep_axes: bool) -> Wire {
        self.reduce("ReduceSum", x, axes, keep_axes)
    }

    /// Mean over `axes`; no axes, no change.
    pub fn reduce_mean(&mut self, x: Wire, axes: &[i64], keep_axes: bool) -> Wire {
        self.reduce("ReduceMean", x, axes, keep_axes)
    }

    /// A reduction op over `axes`; no axes, no change.
    pub fn reduce(&mut self, op: &str, x: Wire, axes: &[i64], keep_axes: bool) -> Wire {
        if axes.is_empty() {
            return x;
        }
        let axes = self.ints(axes);
        self.node(op, &[x, axes], &[("keepdims", Attribute::Int(keep_axes.into()))])
    }

    /// `x` with its axes in another order.
    pub fn transpose(&mut self, x: Wire, order: &[i64]) -> Wire {
        self.node("Transpose", &[x], &[("perm", order.into())])
    }

    /// `x` under a constant shape (-1: the rest, 0: as in `x`).
    pub fn reshape(&mut self, x: Wire, shape: &[i64]) -> Wire {
        let shape = self.ints(shape);
        self.node("Reshape", &[x, shape], &[])
    }

    /// `x` under the shape of `like`. A constant shape where at most one length is symbolic, else taken at run time.
    pub fn reshape_like(&mut self, x: Wire, like: Wire) -> Wire {
        match self.shape(like).and_then(constant_shape) {
            Some(shape) => self.reshape(x, &shape),
            None => {
                let shape = self.shape_of(like);
                self.node("Reshape", &[x, shape], &[])
            }
        }
    }

    /// `x` repeated to the shape of `like`.
    pub fn expand_like(&mut self, x: Wire, like: Wire) -> Wire {
        if self.shape(x).is_some() && self.shape(x) == self.shape(like) {
            return x;
        }
        let known = self.type_of(like).known_shape();
        let shape = match known {
            Some(shape) => self.ints(&shape.iter().map(|&n| n as i64).collect::<Vec<_>>()),
            None => self.shape_of(like),
        };
        self.node("Expand", &[x, shape], &[])
    }

    /// `x` with new axes of length 1.
    pub fn unsqueeze(&mut self, x: Wire, axes: &[i64]) -> Wire {
        let axes = self.ints(axes);
        self.node("Unsqueeze", &[x, axes], &[])
    }

    /// `x` without these axes of length 1.
    pub fn squeeze(&mut self, x: Wire, axes: &[i64]) -> Wire {
        let axes = self.ints(axes);
        self.node("Squeeze", &[x, axes], &[])
    }

    /// The tensors one behind the other along `axis`.
    pub fn concat(&mut self, parts: &[Wire], axis: i64) -> Wire {
        self.node("Concat", parts, &[("axis", axis.into())])
    }

    /// The elements `start..end` along `axis`.
    pub fn slice(&mut self, x: Wire, axis: i64, start: i64, end: i64) -> Wire {
        let (start, end, axis) = (self.ints(&[start]), self.ints(&[end]), self.ints(&[axis]));
        self.node("Slice", &[x, start, end, axis], &[])
    }

    /// Zeros of the shape and type of `x`.
    pub fn zeros_like(&mut self, x: Wire) -> Wire {
        let zero = self.scalar(0.0, x);
        self.expand_like(zero, x)
    }
}

/// A shape operand for `Reshape`: at most one length may be other than a number, and is written as -1.
pub(crate) fn constant_shape(shape: &[Dim]) -> Option<Vec<i64>> {
    let unknown = shape.iter().filter(|dim| dim.known().is_none()).count();
    // Beside a length of 0, -1 is ambiguous.
    let ambiguous = unknown == 1 && shape.iter().any(|dim| dim.is(0));
    let number = |dim: &Dim| dim.known().map_or(-1, |n| n as i64);
    (unknown <= 1 && !ambiguous).then(|| shape.iter().map(number).collect())
}

/// ONNX's number for an element type (`TensorProto.DataType`).
pub(crate) fn onnx_code(element: ElementType) -> i64 {
    match element {
        ElementType::Unknown => 0,
        ElementType::F32 => 1,
        ElementType::U8 => 2,
        ElementType::I8 => 3,
        ElementType::U16 => 4,
        ElementType::I16 => 5,
        ElementType::I32 => 6,
        ElementType::I64 => 7,
        ElementType::String => 8,
        ElementType::Bool => 9,
        ElementType::F16 => 10,
        ElementType::F64 => 11,
        ElementType::U32 => 12,
        ElementType::U64 => 13,
        ElementType::BF16 => 16,
    }
}

/// The element type of ONNX's number, `None` for those that are not supported.
pub(crate) fn element_of_code(code: i64) -> Option<ElementType> {
    use ElementType::*;
    [F32, U8, I8, U16, I16, I32, I64, String, Bool, F16, F64, U32, U64, BF16]
        .into_iter()
        .find(|&element| onnx_code(element) == code)
}
