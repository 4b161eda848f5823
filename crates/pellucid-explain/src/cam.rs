#![doc = include_str!("cam.md")]

mod eigen;
mod layer;
mod parts;
mod trials;
mod uncovered;

pub use layer::{candidate_layers, find_layer};

use ndarray::{Array2, ArrayD, ArrayView2, Axis, IxDyn};
use pellucid_core::{Attribution, Model, Target, Work};
use pellucid_graph::{Attribute, Dim, ElementType, Graph, Tensor, Wire, gradient};

use crate::error::Error;
use crate::gradients::run_targets;
use crate::network::Network;

/// Guards the denominators of Grad-CAM++ where all gradients are 0 (as pytorch-grad-cam).
const GRAD_CAM_PP_EPSILON: f64 = 1e-6;

/// Guards the denominators of XGrad-CAM where a channel is silent (as pytorch-grad-cam).
const XGRAD_CAM_EPSILON: f64 = 1e-7;

/// How activations and their gradients become a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// `relu(Σ_c mean(g_c) a_c)` (Selvaraju et al. 2017).
    #[default]
    GradCam,
    /// `relu(Σ_c w_c a_c)`, `w_c = Σ relu(g) g² / (2 g² + g³ Σ a)` (Chattopadhay et al. 2018).
    GradCamPlusPlus,
    /// `relu(Σ_c relu(g_c) a_c)` (Jiang et al. 2021).
    LayerCam,
    /// `relu(Σ_c g_c a_c)` (Draelos and Carin 2020).
    HiResCam,
    /// `relu(Σ_c w_c a_c)`, `w_c = Σ g_c a_c / Σ a_c` (Fu et al. 2020).
    XGradCam,
    /// `relu(Σ_c w_c a_c)`, `w_c` what the output falls by without the channel (Desai and Ramaswamy 2020).
    AblationCam,
    /// `relu(Σ_c w_c a_c)`, `w_c` what the output rises by from a black image where the channel uncovers the input (Wang
    /// et al. 2020).
    ScoreCam,
    /// The first principal component of the activations, whatever the target (Muhammad and Yeasin 2020).
    EigenCam,
}

impl Variant {
    /// All variants with their method names.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("grad_cam", Self::GradCam),
        ("grad_cam_pp", Self::GradCamPlusPlus),
        ("layer_cam", Self::LayerCam),
        ("hires_cam", Self::HiResCam),
        ("xgrad_cam", Self::XGradCam),
        ("ablation_cam", Self::AblationCam),
        ("score_cam", Self::ScoreCam),
        ("eigen_cam", Self::EigenCam),
    ];

    /// Whether the map is made from one gradient, and so is part of one graph.
    pub fn is_one_graph(self) -> bool {
        !matches!(self, Self::AblationCam | Self::ScoreCam | Self::EigenCam)
    }
}

/// Settings of [`cam`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Which map.
    pub variant: Variant,
    /// Whether what speaks against the target is cut off, as in the papers; otherwise values are signed.
    pub relu: bool,
    /// The wire whose activations are weighted, `[N, channels, spatial…]`, by name; found automatically otherwise.
    pub layer: Option<String>,
    /// The axis of the input row that holds channels: 0 for NCHW, the last for NHWC.
    pub channel_axis: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { variant: Variant::default(), relu: true, layer: None, channel_axis: 0 }
    }
}

/// A class activation map for each row of `rows` `[rows, channels, height, width]`: values `[rows, K, height, width]`, not
/// negative unless `relu` is off, in output units; the map before it was enlarged (bilinearly, pixel centers aligned) in
/// `raw_map`.
///
/// # Errors
/// A layer that is not there or has no spatial axes, rows that do not fit, a target that is not there, an op between
/// layer and output without a gradient rule, a canceled work.
pub fn cam(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    let layer = layer::chosen(network.graph(), options.layer.as_deref())?;
    let map_shape = spatial_shape(network.graph(), layer)?;
    let image_shape = image_shape(network.input_shape(), options.channel_axis, map_shape.len())?;
    let made = match options.variant.is_one_graph() {
        true => by_gradient(network, rows, target, layer, &map_shape, options, work)?,
        false => {
            let image = trials::Image { shape: &image_shape, channel_axis: options.channel_axis };
            trials::maps(network, rows, target, layer, options, image, work)?
        }
    };
    let mut attribution = Attribution::new(enlarged(&made.raw, &image_shape), made.outputs);
    attribution.raw_map = Some(made.raw);
    attribution.evaluations.fill(made.evaluations);
    attribution.warnings = made.warnings;
    Ok(attribution)
}

/// Maps and what goes with them.
struct Made {
    /// `[rows, K, spatial…]`.
    raw: ArrayD<f64>,
    /// The explained outputs, `[rows, K]`.
    outputs: ArrayD<f64>,
    evaluations: usize,
    warnings: Vec<String>,
}

fn by_gradient(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    layer: Wire,
    map_shape: &[usize],
    options: &Options,
    work: &Work,
) -> Result<Made, Error> {
    let sign = if options.relu { "relu" } else { "signed" };
    let key = format!("{:?} at {}, {sign}", options.variant, network.graph().name_of(layer));
    let results = run_targets(network, rows, target, work, &key, |graph, seeds| {
        seeds.iter().map(|seed| map_wire(graph, layer, *seed, options)).collect()
    })?;
    let mut shape = vec![rows.len_of(Axis(0)), target.n_targets()];
    shape.extend(map_shape);
    let [raw] = results.per_target(&shape)?;
    Ok(Made { raw, outputs: results.outputs, evaluations: 1, warnings: Vec::new() })
}

/// Emits the map `[N, spatial…]` for one target, of a variant that is one graph.
///
/// # Errors
/// Another variant; an op between layer and output without a gradient rule.
pub(crate) fn map_wire(graph: &mut Graph, layer: Wire, seed: Wire, options: &Options) -> Result<Wire, Error> {
    let output = graph.outputs()[0];
    let g = gradient(graph, output, seed, &[layer])?[0];
    let spatial: Vec<i64> = (2..graph.rank(layer).unwrap_or(4) as i64).collect();
    let weighted = match options.variant {
        Variant::GradCam => {
            let weights = graph.reduce_mean(g, &spatial, true);
            graph.mul(weights, layer)
        }
        Variant::GradCamPlusPlus => {
            let weights = grad_cam_pp_weights(graph, layer, g, &spatial);
            graph.mul(weights, layer)
        }
        Variant::LayerCam => {
            let positive = graph.relu(g);
            graph.mul(positive, layer)
        }
        Variant::HiResCam => graph.mul(g, layer),
        Variant::XGradCam => {
            let weights = xgrad_cam_weights(graph, layer, g, &spatial);
            graph.mul(weights, layer)
        }
        Variant::AblationCam | Variant::ScoreCam | Variant::EigenCam => {
            return Err(Error::option("variant", "takes many runs of the model and is no single graph"));
        }
    };
    let map = graph.reduce_sum(weighted, &[1], false);
    let map = if options.relu { graph.relu(map) } else { map };
    graph.check_fault()?;
    Ok(map)
}

/// `Σ relu(g) α`, `α = g² / (2 g² + g³ Σ a + ε)`, 0 where g is 0.
fn grad_cam_pp_weights(graph: &mut Graph, activations: Wire, g: Wire, spatial: &[i64]) -> Wire {
    let squares = graph.mul(g, g);
    let cubes = graph.mul(squares, g);
    let sums = graph.reduce_sum(activations, spatial, true);
    let curvature = graph.mul(sums, cubes);
    let twice = graph.mul_scalar(squares, 2.0);
    let denominator = graph.add(twice, curvature);
    let denominator = graph.add_scalar(denominator, GRAD_CAM_PP_EPSILON);
    let alpha = graph.div(squares, denominator);
    let positive = graph.relu(g);
    let terms = graph.mul(positive, alpha);
    graph.reduce_sum(terms, spatial, true)
}

/// `Σ g a / (Σ a + ε)`
fn xgrad_cam_weights(graph: &mut Graph, activations: Wire, g: Wire, spatial: &[i64]) -> Wire {
    let product = graph.mul(g, activations);
    let sums = graph.reduce_sum(activations, spatial, true);
    let (reached, guarded) =
        (graph.reduce_sum(product, spatial, true), graph.add_scalar(sums, XGRAD_CAM_EPSILON));
    graph.div(reached, guarded)
}

/// The lengths of the layer behind batch and channels.
pub(crate) fn spatial_shape(graph: &Graph, layer: Wire) -> Result<Vec<usize>, Error> {
    let fault = || {
        let shape = graph.shape(layer).map_or("unknown".to_owned(), pellucid_graph::shape_text);
        Error::option("layer", format!("`{}` of shape {shape} has no spatial axes", graph.name_of(layer)))
    };
    let shape = graph.shape(layer).filter(|shape| shape.len() > 2).ok_or_else(fault)?;
    shape[2..].iter().map(Dim::known).collect::<Option<Vec<_>>>().ok_or_else(fault)
}

pub(crate) fn image_shape(
    input_shape: &[usize],
    channel_axis: usize,
    n_spatial: usize,
) -> Result<Vec<usize>, Error> {
    let spatial: Vec<usize> = input_shape
        .iter()
        .enumerate()
        .filter(|(axis, _)| *axis != channel_axis)
        .map(|(_, length)| *length)
        .collect();
    match spatial.len() == n_spatial {
        true => Ok(spatial),
        false => Err(Error::network(format!(
            "its input of shape {input_shape:?} has {} spatial axes and the layer {n_spatial}",
            spatial.len()
        ))),
    }
}

/// Emits maps `[N, channels, spatial…]` enlarged to the image, as [`enlarged`] does.
pub(crate) fn enlarged_wire(graph: &mut Graph, map: Wire, image_shape: &[usize]) -> Result<Wire, Error> {
    let spatial = spatial_shape(graph, map)?;
    let scales = image_shape.iter().zip(&spatial).map(|(large, small)| *large as f64 / *small as f64);
    let factors: Vec<f64> = [1.0, 1.0].into_iter().chain(scales).collect();
    let factors = graph.add_constant("scales", Tensor::f64(&[factors.len()], factors).cast(ElementType::F32));
    let attributes = [
        ("mode", Attribute::from("linear")),
        ("coordinate_transformation_mode", Attribute::from("half_pixel")),
    ];
    let large = graph.node_optional("Resize", &[Some(map), None, Some(factors)], &attributes, 1)[0];
    match spatial_shape(graph, large)? == image_shape {
        true => Ok(large),
        false => Err(Error::network("the map does not enlarge to the image's size")),
    }
}

/// Maps `[rows, K, spatial…]` enlarged to the image, axis by axis.
pub(crate) fn enlarged(raw: &ArrayD<f64>, image_shape: &[usize]) -> ArrayD<f64> {
    let mut map = raw.clone();
    for (axis, &length) in image_shape.iter().enumerate() {
        map = resampled(&map, axis + 2, length);
    }
    map
}

/// Linear interpolation along one axis, pixel centers aligned (half-pixel), edges repeated.
fn resampled(map: &ArrayD<f64>, axis: usize, length: usize) -> ArrayD<f64> {
    let own = map.shape()[axis];
    let mut shape = map.shape().to_vec();
    shape[axis] = length;
    let mut result = ArrayD::zeros(IxDyn(&shape));
    let scale = own as f64 / length as f64;
    for (i, mut slot) in result.axis_iter_mut(Axis(axis)).enumerate() {
        let position = ((i as f64 + 0.5) * scale - 0.5).clamp(0.0, (own - 1) as f64);
        let low = position.floor() as usize;
        let high = (low + 1).min(own - 1);
        let share = position - low as f64;
        let blend =
            &map.index_axis(Axis(axis), low) * (1.0 - share) + &map.index_axis(Axis(axis), high) * share;
        slot.assign(&blend);
    }
    result
}

/// A map `[height, width]` enlarged bilinearly to an image, pixel centers aligned.
pub fn enlarge(map: ArrayView2<'_, f64>, height: usize, width: usize) -> Array2<f64> {
    let raw = map.to_owned().into_dyn().insert_axis(Axis(0)).insert_axis(Axis(0));
    let large = enlarged(&raw, &[height, width]);
    Array2::from_shape_fn((height, width), |(y, x)| large[[0, 0, y, x]])
}
