//! A dense array with its element type: constants of a graph, inputs and outputs of a run.

use std::sync::OnceLock;

use half::{bf16, f16};

/// The type of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ElementType {
    F16,
    BF16,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
    String,
    /// Not inferred: made by an op this crate does not know.
    Unknown,
}

impl ElementType {
    /// Whether elements are floating-point numbers, so that a gradient can pass.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::BF16 | Self::F32 | Self::F64)
    }

    /// Whether elements are integers, signed or not.
    pub fn is_integer(self) -> bool {
        use ElementType::*;
        matches!(self, I8 | I16 | I32 | I64 | U8 | U16 | U32 | U64)
    }
}

/// The elements of a [`Tensor`], in row-major order.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Data {
    F16(Vec<f16>),
    BF16(Vec<bf16>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    Bool(Vec<bool>),
    String(Vec<String>),
}

/// Applies one expression to the vector inside a [`Data`], whatever its type.
macro_rules! with_data {
    ($data:expr, $v:ident => $body:expr) => {
        match $data {
            Data::F16($v) => $body,
            Data::BF16($v) => $body,
            Data::F32($v) => $body,
            Data::F64($v) => $body,
            Data::I8($v) => $body,
            Data::I16($v) => $body,
            Data::I32($v) => $body,
            Data::I64($v) => $body,
            Data::U8($v) => $body,
            Data::U16($v) => $body,
            Data::U32($v) => $body,
            Data::U64($v) => $body,
            Data::Bool($v) => $body,
            Data::String($v) => $body,
        }
    };
}

/// A dense array in row-major order. `shape` and the number of elements always agree.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Data,
    digest: Digest,
}

/// A digest of the elements, kept once it was asked for: weights are shared by all rewrites of a model.
#[derive(Clone, Debug, Default)]
struct Digest(OnceLock<[u8; 32]>);

impl PartialEq for Digest {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Tensor {
    /// A tensor of `shape`, or `None` where the number of elements differs from the shape's.
    pub fn try_new(shape: Vec<usize>, data: Data) -> Option<Self> {
        let expected = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
        (with_data!(&data, v => v.len()) == expected).then_some(Self {
            shape,
            data,
            digest: Digest::default(),
        })
    }

    fn new(shape: Vec<usize>, data: Data) -> Self {
        let described = format!("{shape:?}");
        Self::try_new(shape, data).unwrap_or_else(|| panic!("element count does not fit shape {described}"))
    }

    /// A float32 tensor. Panics where the number of elements differs from the shape's.
    pub fn f32(shape: &[usize], elements: Vec<f32>) -> Self {
        Self::new(shape.to_vec(), Data::F32(elements))
    }

    /// A float64 tensor. Panics where the number of elements differs from the shape's.
    pub fn f64(shape: &[usize], elements: Vec<f64>) -> Self {
        Self::new(shape.to_vec(), Data::F64(elements))
    }

    /// An int64 tensor. Panics where the number of elements differs from the shape's.
    pub fn i64(shape: &[usize], elements: Vec<i64>) -> Self {
        Self::new(shape.to_vec(), Data::I64(elements))
    }

    /// A boolean tensor. Panics where the number of elements differs from the shape's.
    pub fn bool(shape: &[usize], elements: Vec<bool>) -> Self {
        Self::new(shape.to_vec(), Data::Bool(elements))
    }

    /// A vector of int64, `[n]`: what axes, pads and shapes are given as.
    pub fn ints(elements: &[i64]) -> Self {
        Self::i64(&[elements.len()], elements.to_vec())
    }

    /// One number without axes, of a float or integer type. Panics for strings.
    pub fn scalar(element: ElementType, value: f64) -> Self {
        Self::f64(&[], vec![value]).cast(element)
    }

    /// The digest of the elements: `compute` at the first call, remembered at later ones.
    pub(crate) fn digest(&self, compute: impl FnOnce() -> [u8; 32]) -> &[u8; 32] {
        self.digest.0.get_or_init(compute)
    }

    /// Length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in row-major order.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        with_data!(&self.data, v => v.len())
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that the elements take.
    pub fn n_bytes(&self) -> usize {
        with_data!(&self.data, v => std::mem::size_of_val(v.as_slice()))
    }

    /// The type of the elements.
    pub fn element(&self) -> ElementType {
        match &self.data {
            Data::F16(_) => ElementType::F16,
            Data::BF16(_) => ElementType::BF16,
            Data::F32(_) => ElementType::F32,
            Data::F64(_) => ElementType::F64,
            Data::I8(_) => ElementType::I8,
            Data::I16(_) => ElementType::I16,
            Data::I32(_) => ElementType::I32,
            Data::I64(_) => ElementType::I64,
            Data::U8(_) => ElementType::U8,
            Data::U16(_) => ElementType::U16,
            Data::U32(_) => ElementType::U32,
            Data::U64(_) => ElementType::U64,
            Data::Bool(_) => ElementType::Bool,
            Data::String(_) => ElementType::String,
        }
    }

    /// All elements as `f64` (true as 1). Panics for strings; integers past 2⁵³ lose digits.
    pub fn to_f64s(&self) -> Vec<f64> {
        match &self.data {
            Data::F16(v) => v.iter().map(|x| x.to_f64()).collect(),
            Data::BF16(v) => v.iter().map(|x| x.to_f64()).collect(),
            Data::F32(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Data::F64(v) => v.clone(),
            Data::I8(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Data::I16(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Data::I32(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Data::I64(v) => v.iter().map(|&x| x as f64).collect(),
            Data::U8(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Data::U16(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Data::U32(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Data::U64(v) => v.iter().map(|&x| x as f64).collect(),
            Data::Bool(v) => v.iter().map(|&x| f64::from(u8::from(x))).collect(),
            Data::String(_) => panic!("strings are not numbers"),
        }
    }

    /// All elements as `f32`, rounded. Panics for strings.
    pub fn to_f32s(&self) -> Vec<f32> {
        match &self.data {
            Data::F32(v) => v.clone(),
            _ => self.to_f64s().into_iter().map(|x| x as f32).collect(),
        }
    }

    /// All elements as `i64`, fractions cut off. Panics for strings.
    pub fn to_i64s(&self) -> Vec<i64> {
        match &self.data {
            Data::I64(v) => v.clone(),
            Data::U64(v) => v.iter().map(|&x| x as i64).collect(),
            _ => self.to_f64s().into_iter().map(|x| x as i64).collect(),
        }
    }

    /// The same numbers in another type, with Rust's `as` conversions (integers saturate from floats).
    /// Panics where strings are involved.
    pub fn cast(&self, element: ElementType) -> Self {
        if element == self.element() {
            return self.clone();
        }
        let floats = || self.to_f64s().into_iter();
        let ints = || self.to_i64s().into_iter();
        let data = match element {
            ElementType::F16 => Data::F16(floats().map(f16::from_f64).collect()),
            ElementType::BF16 => Data::BF16(floats().map(bf16::from_f64).collect()),
            ElementType::F32 => Data::F32(self.to_f32s()),
            ElementType::F64 => Data::F64(self.to_f64s()),
            ElementType::I8 => Data::I8(ints().map(|x| x as i8).collect()),
            ElementType::I16 => Data::I16(ints().map(|x| x as i16).collect()),
            ElementType::I32 => Data::I32(ints().map(|x| x as i32).collect()),
            ElementType::I64 => Data::I64(self.to_i64s()),
            ElementType::U8 => Data::U8(ints().map(|x| x as u8).collect()),
            ElementType::U16 => Data::U16(ints().map(|x| x as u16).collect()),
            ElementType::U32 => Data::U32(ints().map(|x| x as u32).collect()),
            ElementType::U64 => Data::U64(ints().map(|x| x as u64).collect()),
            ElementType::Bool => Data::Bool(floats().map(|x| x != 0.0).collect()),
            ElementType::String | ElementType::Unknown => panic!("no conversion to {element:?}"),
        };
        Self { shape: self.shape.clone(), data, digest: Digest::default() }
    }

    /// The same elements under another shape. Panics where the number of elements differs.
    pub fn reshaped(self, shape: &[usize]) -> Self {
        Self::new(shape.to_vec(), self.data)
    }
}
