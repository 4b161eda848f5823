//! Pools: one number for each window, channel by channel.

use super::window::{Places, slides, tap_pairs};
use super::{Call, Op, Site};
use crate::graph::Node;
use crate::tensor::{ElementType, Tensor};
use crate::types::{Dim, Type};

pub(super) const OPS: &[Op] = &[
    Op { name: "MaxPool", infer: infer_max, evaluate: evaluate_max },
    Op { name: "AveragePool", infer, evaluate: evaluate_average },
    Op { name: "LpPool", infer, evaluate: evaluate_lp },
    Op { name: "GlobalMaxPool", infer: infer_global, evaluate: |c| global(c, maximum) },
    Op { name: "GlobalAveragePool", infer: infer_global, evaluate: |c| global(c, mean) },
    Op { name: "GlobalLpPool", infer: infer_global, evaluate: evaluate_global_lp },
];

/// The kernel of a pool over an input of `rank` axes.
pub(crate) fn kernel_of_pool(node: &Node, rank: usize) -> Result<Vec<usize>, String> {
    if rank < 3 {
        return Err(format!("expected batch, channels and spatial axes, got {rank} axes"));
    }
    if node.ints("kernel_shape").is_none() {
        return Err("attribute kernel_shape is missing".to_owned());
    }
    super::window::per_axis(node, "kernel_shape", rank - 2, 0)
}

/// The windows of a pool over an input of `shape`, axis by axis; batch and channels are not looked at.
pub(crate) fn pool_places(node: &Node, shape: &[usize]) -> Result<Vec<Places>, String> {
    let slides = slides(node, &kernel_of_pool(node, shape.len())?)?;
    slides.iter().zip(&shape[2..]).map(|(slide, &length)| slide.along(length)).collect()
}

/// The exponent of an LpPool or GlobalLpPool.
pub(crate) fn exponent(node: &Node) -> Result<i32, String> {
    let p = node.int("p").unwrap_or(2);
    i32::try_from(p).ok().filter(|&p| p > 0).ok_or_else(|| format!("p {p} must be at least 1"))
}

fn infer(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let Some(x) = site.shape(0)? else { return site.like_first(None) };
    let slides = slides(site.node, &kernel_of_pool(site.node, x.len())?)?;
    let counts = slides.iter().zip(&x[2..]).map(|(slide, length)| slide.count_dim(length));
    let counts: Vec<Dim> = counts.collect::<Result<_, _>>()?;
    site.like_first(Some(x[..2].iter().cloned().chain(counts).collect()))
}

fn infer_max(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let mut types = infer(site)?;
    types.push(Type { element: ElementType::I64, shape: types[0].shape.clone() });
    Ok(types)
}

fn infer_global(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let Some(x) = site.shape(0)? else { return site.like_first(None) };
    if x.len() < 3 {
        return Err(format!("expected batch, channels and spatial axes, got {} axes", x.len()));
    }
    let ones = vec![Dim::Known(1); x.len() - 2];
    site.like_first(Some(x[..2].iter().cloned().chain(ones).collect()))
}

/// What all pools with windows read: the input plane by plane, and which of its positions each window covers.
struct Pool<'a> {
    planes: std::slice::ChunksExact<'a, f64>,
    axes: Vec<Places>,
    taps: Vec<Vec<(usize, usize)>>,
    shape: Vec<usize>,
    n_places: usize,
}

impl<'a> Pool<'a> {
    fn new(call: &Call<'a>) -> Result<Self, String> {
        let (x, own) = (call.floats(0)?, call.shape(0)?);
        let axes = pool_places(call.node, own)?;
        let counts: Vec<usize> = axes.iter().map(|axis| axis.count).collect();
        let shape: Vec<usize> = own[..2].iter().chain(&counts).copied().collect();
        Ok(Self {
            planes: x.chunks_exact(own[2..].iter().product::<usize>().max(1)),
            taps: tap_pairs(&axes),
            axes,
            shape,
            n_places: counts.iter().product(),
        })
    }

    /// `Σ f(x)` over each window.
    fn sums(self, f: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut sums = Vec::with_capacity(self.shape.iter().product());
        for plane in self.planes {
            let start = sums.len();
            sums.resize(start + self.n_places, 0.0);
            for &(place, position) in self.taps.iter().flatten() {
                sums[start + place] += f(plane[position]);
            }
        }
        sums
    }
}

/// The maximum and where it lies in the whole input; of equal elements the first in row-major order.
fn evaluate_max(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    if call.node.int("storage_order").unwrap_or(0) != 0 {
        return Err("storage_order 1 (column-major indices) is not supported".to_owned());
    }
    let pool = Pool::new(call)?;
    let (mut values, mut indices) = (Vec::new(), Vec::new());
    for (plane_index, plane) in pool.planes.enumerate() {
        let mut first: Vec<Option<usize>> = vec![None; pool.n_places];
        for &(place, position) in pool.taps.iter().flatten() {
            if first[place].is_none_or(|best| plane[position] > plane[best]) {
                first[place] = Some(position);
            }
        }
        for best in first {
            let best = best.ok_or("a window lies in the padding alone")?;
            values.push(plane[best]);
            indices.push((plane_index * plane.len() + best) as i64);
        }
    }
    Ok(vec![Tensor::f64(&pool.shape, values), Tensor::i64(&pool.shape, indices)])
}

fn evaluate_average(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let pool = Pool::new(call)?;
    let counts = window_sizes(&pool.axes, call.node.int("count_include_pad").unwrap_or(0) != 0);
    let shape = pool.shape.clone();
    let sums = pool.sums(|x| x).into_iter().zip(counts.iter().cycle());
    Ok(vec![Tensor::f64(&shape, sums.map(|(sum, count)| sum / count).collect())])
}

/// What each window's sum is divided by.
pub(crate) fn window_sizes(axes: &[Places], padded: bool) -> Vec<f64> {
    axes.iter().fold(vec![1.0], |sizes, axis| {
        let along = axis.tap_counts(padded);
        sizes.iter().flat_map(|size| along.iter().map(move |&n| size * n as f64)).collect()
    })
}

fn evaluate_lp(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (pool, p) = (Pool::new(call)?, exponent(call.node)?);
    let shape = pool.shape.clone();
    let sums = pool.sums(|x| x.abs().powi(p));
    Ok(vec![Tensor::f64(&shape, sums.into_iter().map(|sum| sum.powf(1.0 / f64::from(p))).collect())])
}

fn evaluate_global_lp(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let p = exponent(call.node)?;
    global(call, |plane| plane.iter().map(|x| x.abs().powi(p)).sum::<f64>().powf(1.0 / f64::from(p)))
}

/// One number for each plane.
fn global(call: &Call<'_>, f: impl Fn(&[f64]) -> f64) -> Result<Vec<Tensor>, String> {
    let (x, own) = (call.floats(0)?, call.shape(0)?);
    if own.len() < 3 || own[2..].contains(&0) {
        return Err(format!("expected batch, channels and spatial axes with elements, got shape {own:?}"));
    }
    let shape: Vec<usize> = own[..2].iter().copied().chain(own[2..].iter().map(|_| 1)).collect();
    Ok(vec![Tensor::f64(&shape, x.chunks_exact(own[2..].iter().product()).map(f).collect())])
}

fn maximum(plane: &[f64]) -> f64 {
    plane.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn mean(plane: &[f64]) -> f64 {
    plane.iter().sum::<f64>() / plane.len() as f64
}
