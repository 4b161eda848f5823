//! The methods with their options, as a person asks for them.

use std::path::PathBuf;

use pellucid_core::{Attribution, Baseline, ImageValues, NoProgress, Target, Work};
use pellucid_explain::Network;
use pellucid_explain::cam::{self, cam};
use pellucid_explain::deep_lift::{self, deep_lift};
use pellucid_explain::deep_shap::{self, deep_shap};
use pellucid_explain::gradient_shap::{self, gradient_shap};
use pellucid_explain::guided::{guided_backprop, guided_grad_cam};
use pellucid_explain::input_x_gradient::input_x_gradient;
use pellucid_explain::integrated_gradients::{self, Rule, integrated_gradients};
use pellucid_explain::lrp::lrp;
use pellucid_explain::saliency::{self, saliency};
use pellucid_explain::smoothgrad::{self, Noise, Statistic, smoothgrad};

use ndarray::ArrayD;

use crate::agnostic::AgnosticMethod;
use crate::attention::{AttentionMethod, AttentionOptions};
use crate::background;
use crate::baseline::parse_baseline;
use crate::digests::{self, Named, is_digest};
use crate::error::Error;
use crate::model::LoadedModel;
use crate::parameter::Parameter;
use crate::relevance::Relevance;

/// A method with all its options set.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// The gradient.
    Saliency(saliency::Options),
    /// The gradient times the input.
    InputXGradient,
    /// The gradient along a path from a baseline, with what the person wrote for the baseline.
    IntegratedGradients(integrated_gradients::Options, Named),
    /// Layer-wise relevance propagation.
    Lrp(Relevance),
    /// Multipliers from a baseline, with what the person wrote for it.
    DeepLift(deep_lift::Options, Named),
    /// The mean of those over a background, with what it was read from.
    DeepShap(deep_shap::Options, Named),
    /// Gradients at random places between the background and the input, likewise.
    GradientShap(gradient_shap::Options, Named),
    /// A class activation map.
    Cam(cam::Options),
    /// The gradient with only positive signals passed on at ReLUs.
    GuidedBackprop,
    /// That times a Grad-CAM map.
    GuidedGradCam(cam::Options),
    /// What attention looked at.
    Attention(AttentionMethod),
    /// Another method on many noisy copies of the input.
    Smoothed(smoothgrad::Options, Box<Method>),
}

/// What a person says of a method: the options of all methods, of which each takes its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MethodOptions {
    /// saliency: whether the sign is dropped. Default: yes, but under smoothing no.
    pub absolute: Option<bool>,
    /// integrated_gradients, deep_lift: see [`parse_baseline`]. Default: zeros.
    pub baseline: Option<String>,
    /// The same: one row, or one for each row, instead of `baseline`.
    pub baseline_array: Option<ArrayD<f32>>,
    /// deep_shap, gradient_shap: files of rows to compare with, as inputs are read; all of them count.
    pub background: Vec<PathBuf>,
    /// The same: rows in memory instead, `[rows, features…]`.
    pub background_array: Option<ArrayD<f32>>,
    /// integrated_gradients: points on the path. Default: 50.
    pub n_steps: Option<usize>,
    /// integrated_gradients: `gauss_legendre` (default), `riemann_left`, `riemann_right`, `riemann_middle`, `trapezoid`.
    /// deep_lift, deep_shap: `rescale` (default), `reveal_cancel`.
    pub rule: Option<String>,
    /// integrated_gradients: refine until the completeness gap is below this share, instead of `n_steps`.
    /// gradient_shap: draw until the standard error is.
    pub tolerance: Option<f64>,
    /// The same: evaluations that a row may take for it. Default: 1000; gradient_shap: 10,000.
    pub max_evaluations: Option<usize>,
    /// lrp: which rule each layer gets, [`pellucid_explain::lrp::Composite::NAMES`]. Default: epsilon_plus.
    pub composite: Option<String>,
    /// lrp: ε of the ε-rule. Default: 1e-6.
    pub epsilon: Option<f64>,
    /// lrp: γ of `epsilon_gamma_box` (default 0.25) and `attnlrp` (default none).
    pub gamma: Option<f64>,
    /// lrp: the input's lowest value for `epsilon_gamma_box`, one number or one a channel. Default: that of the model's images.
    pub low: Option<Vec<f64>>,
    /// lrp: the highest value.
    pub high: Option<Vec<f64>>,
    /// lrp: a TOML file of rules that come before those of the composite.
    pub rules: Option<String>,
    /// CAM methods: the layer, by the name of its wire. Default: found automatically. attention: its number. Default:
    /// the last.
    pub layer: Option<String>,
    /// CAM methods: whether what speaks against the target is cut off. Default: yes.
    pub relu: Option<bool>,
    /// Smoothing methods: what is smoothed. Default: saliency.
    pub base_method: Option<String>,
    /// Smoothing methods: `share:0.15` of the row's range (default), or `abs:0.1`. gradient_shap: the same, default none.
    pub noise: Option<String>,
    /// Smoothing methods: noisy copies. Default: 50. gradient_shap: draws. Default: 200.
    pub n_samples: Option<usize>,
    /// The options of attention methods alone.
    pub attention: AttentionOptions,
}

/// A method's name for people.
pub(crate) fn title(name: &str) -> &str {
    let all = Method::NAMES.iter().chain(&AgnosticMethod::NAMES);
    all.into_iter().find(|(known, _)| *known == name).map_or(name, |(_, title)| title)
}

/// What must stand beside a method's picture; empty for most.
pub(crate) fn caution(name: &str) -> &'static str {
    match AttentionMethod::NAMES.contains(&name) {
        true => "Attention is where the model looked, not what made it decide.",
        false => "",
    }
}

const SMOOTHED: [(&str, Statistic); 3] = [
    ("smoothgrad", Statistic::Mean),
    ("smoothgrad_sq", Statistic::MeanSquare),
    ("vargrad", Statistic::Variance),
];

impl Method {
    /// All methods: the name, as in JSON, and one for people.
    pub const NAMES: [(&'static str, &'static str); 23] = [
        ("saliency", "Saliency"),
        ("input_x_gradient", "Input × gradient"),
        ("integrated_gradients", "Integrated gradients"),
        ("lrp", "Layer-wise relevance propagation"),
        ("deep_lift", "DeepLIFT"),
        ("deep_shap", "DeepSHAP"),
        ("gradient_shap", "GradientSHAP"),
        ("smoothgrad", "SmoothGrad"),
        ("smoothgrad_sq", "SmoothGrad²"),
        ("vargrad", "VarGrad"),
        ("grad_cam", "Grad-CAM"),
        ("grad_cam_pp", "Grad-CAM++"),
        ("layer_cam", "LayerCAM"),
        ("hires_cam", "HiResCAM"),
        ("xgrad_cam", "XGrad-CAM"),
        ("ablation_cam", "Ablation-CAM"),
        ("score_cam", "Score-CAM"),
        ("eigen_cam", "Eigen-CAM"),
        ("guided_backprop", "Guided backpropagation"),
        ("guided_grad_cam", "Guided Grad-CAM"),
        ("attention", "Attention"),
        ("attention_rollout", "Attention rollout"),
        ("attention_x_gradient", "Attention × gradient"),
    ];

    /// The method of that name (`-` and `_` alike) for a model, defaults filled in.
    ///
    /// # Errors
    /// An unknown name; an option that this method does not have, or a value that it cannot take.
    pub fn new(name: &str, options: &MethodOptions, model: &LoadedModel, seed: u64) -> Result<Self, Error> {
        let mut left = options.clone();
        let name = name.replace('-', "_");
        let method = match SMOOTHED.iter().find(|(known, _)| *known == name) {
            None => plain(&name, &mut left, model, seed, true)?,
            Some((_, statistic)) => smoothed(*statistic, &mut left, model, seed)?,
        };
        match left.first_given() {
            None => Ok(method),
            Some(option) => {
                let own = method.parameters();
                let own: Vec<&str> =
                    own.iter().map(|(name, _)| *name).filter(|name| !is_digest(name)).collect();
                let has = if own.is_empty() { "none".to_owned() } else { own.join(", ") };
                Err(Error::request(option, format!("{name} has no such option; its options: {has}")))
            }
        }
    }

    /// The name, as in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Saliency(_) => "saliency",
            Self::InputXGradient => "input_x_gradient",
            Self::IntegratedGradients(..) => "integrated_gradients",
            Self::Lrp(_) => "lrp",
            Self::DeepLift(..) => "deep_lift",
            Self::DeepShap(..) => "deep_shap",
            Self::GradientShap(..) => "gradient_shap",
            Self::GuidedBackprop => "guided_backprop",
            Self::GuidedGradCam(_) => "guided_grad_cam",
            Self::Cam(options) => name_of(&cam::Variant::NAMES, options.variant),
            Self::Attention(method) => method.name(),
            Self::Smoothed(options, _) => name_of(&SMOOTHED, options.statistic),
        }
    }

    /// Whether values have signs.
    pub fn is_signed(&self) -> bool {
        match self {
            Self::Saliency(options) => !options.absolute,
            Self::InputXGradient
            | Self::Lrp(_)
            | Self::GuidedBackprop
            | Self::GuidedGradCam(_)
            | Self::IntegratedGradients(..)
            | Self::DeepLift(..)
            | Self::DeepShap(..)
            | Self::GradientShap(..) => true,
            Self::Cam(options) => !options.relu,
            Self::Attention(_) => false,
            Self::Smoothed(options, base) => options.statistic == Statistic::Mean && base.is_signed(),
        }
    }

    /// All options with their values, in the order of their importance.
    pub fn parameters(&self) -> Vec<(&'static str, Parameter)> {
        let mut parameters = match self {
            Self::Saliency(options) => vec![("absolute", options.absolute.into())],
            Self::InputXGradient | Self::GuidedBackprop => Vec::new(),
            Self::GuidedGradCam(options) => vec![("layer", options.layer.clone().unwrap_or_default().into())],
            Self::IntegratedGradients(options, baseline) => vec![
                ("baseline", baseline.text.clone().into()),
                ("n_steps", options.n_steps.into()),
                ("rule", options.rule.name().into()),
                ("tolerance", options.tolerance.into()),
                ("max_evaluations", options.max_evaluations.into()),
            ],
            Self::Lrp(relevance) => relevance.parameters(),
            Self::DeepLift(options, baseline) => {
                vec![("baseline", baseline.text.clone().into()), ("rule", options.rule.name().into())]
            }
            Self::DeepShap(options, background) => vec![
                ("background", background.text.clone().into()),
                ("background_rows", n_rows(&options.background).into()),
                ("rule", options.rule.name().into()),
            ],
            Self::GradientShap(options, background) => vec![
                ("background", background.text.clone().into()),
                ("background_rows", n_rows(&options.background).into()),
                ("n_samples", options.n_samples.into()),
                ("noise", noise_text(options.noise).into()),
                ("tolerance", options.tolerance.into()),
                ("max_evaluations", options.max_evaluations.into()),
            ],
            Self::Cam(options) => vec![
                ("layer", options.layer.clone().unwrap_or_default().into()),
                ("relu", options.relu.into()),
            ],
            Self::Attention(method) => method.parameters(),
            Self::Smoothed(options, base) => {
                let mut parameters: Vec<(&str, Parameter)> = vec![
                    ("base_method", base.name().into()),
                    ("noise", noise_text(options.noise).into()),
                    ("n_samples", options.n_samples.into()),
                ];
                parameters.extend(base.parameters());
                parameters
            }
        };
        parameters.extend(match self {
            Self::IntegratedGradients(_, baseline) | Self::DeepLift(_, baseline) => {
                baseline.parameter("baseline_digest")
            }
            Self::DeepShap(_, background) | Self::GradientShap(_, background) => {
                background.parameter("background_digest")
            }
            _ => None,
        });
        parameters
    }

    /// The attribution of `rows` `[rows, features…]`.
    ///
    /// # Errors
    /// Whatever the method reports.
    pub fn attribute(
        &self,
        network: &Network,
        rows: &ArrayD<f32>,
        target: &Target,
        work: &Work,
    ) -> Result<Attribution, pellucid_explain::Error> {
        match self {
            Self::Saliency(options) => saliency(network, rows, target, options, work),
            Self::InputXGradient => input_x_gradient(network, rows, target, work),
            Self::IntegratedGradients(options, _) => {
                integrated_gradients(network, rows, target, options, work)
            }
            Self::Lrp(relevance) => lrp(network, rows, target, &relevance.options, work),
            Self::DeepLift(options, _) => deep_lift(network, rows, target, options, work),
            Self::DeepShap(options, _) => deep_shap(network, rows, target, options, work),
            Self::GradientShap(options, _) => gradient_shap(network, rows, target, options, work),
            Self::GuidedBackprop => guided_backprop(network, rows, target, work),
            Self::GuidedGradCam(options) => guided_grad_cam(network, rows, target, options, work),
            Self::Cam(options) => cam(network, rows, target, options, work),
            Self::Attention(method) => method.attribute(network, rows, target, work),
            Self::Smoothed(options, base) => {
                let silent = Work { progress: std::sync::Arc::new(NoProgress), ..work.clone() };
                work.progress.begin(rows.shape()[0] * options.n_samples * target.n_targets());
                let result = smoothgrad(network, rows, target, options, &silent, |noisy, target| {
                    let attribution = base.attribute(network, noisy, target, &silent)?;
                    work.progress.advance(noisy.shape()[0]);
                    Ok(attribution)
                });
                work.progress.end();
                result
            }
        }
    }

    /// The baseline of each row, where the method has one that is more than a number.
    ///
    /// # Errors
    /// Whatever the baseline reports.
    pub(crate) fn baselines(&self, rows: &ArrayD<f32>) -> Result<Option<ArrayD<f32>>, Error> {
        match self.baseline() {
            None | Some((Baseline::Zeros | Baseline::Value(_), ..)) => Ok(None),
            Some((baseline, image, seed)) => Ok(Some(baseline.of_rows(rows.view(), image, seed)?)),
        }
    }

    /// What the method compares with, where that is one row, and what it is made from.
    pub(crate) fn baseline(&self) -> Option<(&Baseline, Option<&ImageValues>, u64)> {
        match self {
            Self::IntegratedGradients(options, _) => {
                Some((&options.baseline, options.image.as_ref(), options.seed))
            }
            Self::DeepLift(options, _) => Some((&options.baseline, options.image.as_ref(), options.seed)),
            _ => None,
        }
    }
}

impl MethodOptions {
    /// The first option that is given.
    pub fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("absolute", self.absolute.is_some()),
            ("baseline", self.baseline.is_some() || self.baseline_array.is_some()),
            ("background", !self.background.is_empty() || self.background_array.is_some()),
            ("n_steps", self.n_steps.is_some()),
            ("rule", self.rule.is_some()),
            ("tolerance", self.tolerance.is_some()),
            ("max_evaluations", self.max_evaluations.is_some()),
            ("composite", self.composite.is_some()),
            ("epsilon", self.epsilon.is_some()),
            ("gamma", self.gamma.is_some()),
            ("low", self.low.is_some()),
            ("high", self.high.is_some()),
            ("rules", self.rules.is_some()),
            ("layer", self.layer.is_some()),
            ("relu", self.relu.is_some()),
            ("base_method", self.base_method.is_some()),
            ("noise", self.noise.is_some()),
            ("n_samples", self.n_samples.is_some()),
        ];
        let given = given.into_iter().find(|(_, given)| *given).map(|(name, _)| name);
        given.or_else(|| self.attention.first_given())
    }
}

/// A method that smooths nothing; takes its options out of `left`.
fn plain(
    name: &str,
    left: &mut MethodOptions,
    model: &LoadedModel,
    seed: u64,
    absolute: bool,
) -> Result<Method, Error> {
    if let Some((_, variant)) = cam::Variant::NAMES.iter().find(|(known, _)| *known == name) {
        return Ok(Method::Cam(cam_options(*variant, left, model)));
    }
    if let Some(method) = AttentionMethod::new(name, left, model)? {
        return Ok(Method::Attention(method));
    }
    match name {
        "saliency" => {
            let absolute = left.absolute.take().unwrap_or(absolute);
            Ok(Method::Saliency(saliency::Options { absolute }))
        }
        "input_x_gradient" => Ok(Method::InputXGradient),
        "lrp" => Ok(Method::Lrp(Relevance::new(left, model)?)),
        "integrated_gradients" => integrated(left, model, seed),
        "deep_lift" => {
            let (rule, (baseline, text)) = (multiplier_rule(left)?, baseline(left, model)?);
            let image = model.preprocess().map(|preprocess| preprocess.image_values());
            Ok(Method::DeepLift(deep_lift::Options { baseline, rule, image, seed }, text))
        }
        "deep_shap" => {
            let (rule, (background, text)) = (multiplier_rule(left)?, background::take(name, left, model)?);
            Ok(Method::DeepShap(deep_shap::Options { background, rule }, text))
        }
        "guided_backprop" => Ok(Method::GuidedBackprop),
        "guided_grad_cam" => {
            if left.relu.is_some() {
                return Err(Error::request("relu", "guided_grad_cam has no such option; its options: layer"));
            }
            Ok(Method::GuidedGradCam(cam_options(cam::Variant::GradCam, left, model)))
        }
        "gradient_shap" => sampled(left, model, seed),
        _ => {
            let names: Vec<&str> = Method::NAMES.iter().map(|(name, _)| *name).collect();
            Err(Error::request("method", format!("no method `{name}`; there are: {}", names.join(", "))))
        }
    }
}

fn integrated(left: &mut MethodOptions, model: &LoadedModel, seed: u64) -> Result<Method, Error> {
    if left.tolerance.is_some() {
        for (option, given) in [("n_steps", left.n_steps.is_some()), ("rule", left.rule.is_some())] {
            if given {
                return Err(Error::request(
                    option,
                    "is of no use with `tolerance`, which sets its own steps",
                ));
            }
        }
    } else if left.max_evaluations.is_some() {
        return Err(Error::request("max_evaluations", "bounds the refinement to a `tolerance`; give one"));
    }
    let defaults = integrated_gradients::Options::default();
    let (baseline, text) = baseline(left, model)?;
    let rule = match left.rule.take() {
        None => defaults.rule,
        Some(name) => named_rule(&Rule::NAMES, &name)?,
    };
    let options = integrated_gradients::Options {
        baseline,
        image: model.preprocess().map(|preprocess| preprocess.image_values()),
        n_steps: left.n_steps.take().unwrap_or(defaults.n_steps),
        rule,
        tolerance: left.tolerance.take(),
        max_evaluations: left.max_evaluations.take().unwrap_or(defaults.max_evaluations),
        seed,
    };
    Ok(Method::IntegratedGradients(options, text))
}

/// The baseline, and what the person wrote for it.
fn baseline(left: &mut MethodOptions, model: &LoadedModel) -> Result<(Baseline, Named), Error> {
    let input_shape = pellucid_core::Model::input_shape(model.network());
    let (baseline, text) = match left.baseline_array.take() {
        Some(rows) if rows.ndim() > input_shape.len() => (Baseline::PerRow(rows), "per_row".to_owned()),
        Some(row) => (Baseline::Array(row), "array".to_owned()),
        None => {
            let text = left.baseline.take().unwrap_or_else(|| "zeros".to_owned());
            (parse_baseline(&text, input_shape)?, without_folder(&text))
        }
    };
    let digest = digests::of_baseline(&baseline);
    Ok((baseline, Named { text, digest }))
}

fn multiplier_rule(left: &mut MethodOptions) -> Result<deep_lift::Rule, Error> {
    left.rule.take().map_or(Ok(deep_lift::Rule::default()), |name| named_rule(&deep_lift::Rule::NAMES, &name))
}

fn sampled(left: &mut MethodOptions, model: &LoadedModel, seed: u64) -> Result<Method, Error> {
    if left.max_evaluations.is_some() && left.tolerance.is_none() {
        return Err(Error::request("max_evaluations", "bounds the draws for a `tolerance`; give one"));
    }
    let (background, text) = background::take("gradient_shap", left, model)?;
    let defaults = gradient_shap::Options::new(background);
    let options = gradient_shap::Options {
        n_samples: left.n_samples.take().unwrap_or(defaults.n_samples),
        noise: left.noise.take().map_or(Ok(defaults.noise), |text| parse_noise(&text))?,
        tolerance: left.tolerance.take(),
        max_evaluations: left.max_evaluations.take().unwrap_or(defaults.max_evaluations),
        seed,
        ..defaults
    };
    Ok(Method::GradientShap(options, text))
}

fn named_rule<R: Copy>(rules: &[(&'static str, R)], name: &str) -> Result<R, Error> {
    let name = name.replace('-', "_");
    let found = rules.iter().find(|(known, _)| *known == name).map(|(_, rule)| *rule);
    found.ok_or_else(|| {
        let known: Vec<&str> = rules.iter().map(|(name, _)| *name).collect();
        Error::request("rule", format!("no rule `{name}`; there are: {}", known.join(", ")))
    })
}

/// `mean:/home/me/train.npy` as `mean:train.npy`: where a file lay is nobody's business.
fn without_folder(text: &str) -> String {
    match text.split_once(':') {
        Some((kind @ ("array" | "mean"), path)) => {
            let file = std::path::Path::new(path).file_name().unwrap_or_default();
            format!("{kind}:{}", file.to_string_lossy())
        }
        _ => text.to_owned(),
    }
}

fn cam_options(variant: cam::Variant, left: &mut MethodOptions, model: &LoadedModel) -> cam::Options {
    let graph = model.network().graph();
    let found = || cam::find_layer(graph).map(|wire| graph.name_of(wire).to_owned());
    let layer = left.layer.take().or_else(found);
    let relu = left.relu.take().unwrap_or(true);
    let channel_axis = model.channel_axis().unwrap_or(0);
    cam::Options { variant, relu, layer, channel_axis }
}

fn smoothed(
    statistic: Statistic,
    left: &mut MethodOptions,
    model: &LoadedModel,
    seed: u64,
) -> Result<Method, Error> {
    let base = left.base_method.take().unwrap_or_else(|| "saliency".to_owned()).replace('-', "_");
    if SMOOTHED.iter().any(|(name, _)| *name == base) {
        return Err(Error::request(
            "base_method",
            format!("{base} smooths already; name a gradient or CAM method"),
        ));
    }
    let defaults = smoothgrad::Options::default();
    let options = smoothgrad::Options {
        statistic,
        noise: left.noise.take().map_or(Ok(defaults.noise), |text| parse_noise(&text))?,
        n_samples: left.n_samples.take().unwrap_or(defaults.n_samples),
        seed,
    };
    Ok(Method::Smoothed(options, Box::new(plain(&base, left, model, seed, false)?)))
}

fn parse_noise(text: &str) -> Result<Noise, Error> {
    let parsed = text.split_once(':').and_then(|(unit, sigma)| {
        let sigma: f64 = sigma.parse().ok()?;
        match unit {
            "share" => Some(Noise::ShareOfRange(sigma)),
            "abs" => Some(Noise::Absolute(sigma)),
            _ => None,
        }
    });
    let wrong = || Error::request("noise", format!("`{text}` is none; write share:0.15 or abs:0.1"));
    parsed.ok_or_else(wrong)
}

fn n_rows(background: &ArrayD<f32>) -> usize {
    background.shape().first().copied().unwrap_or(0)
}

fn noise_text(noise: Noise) -> String {
    match noise {
        Noise::ShareOfRange(share) => format!("share:{share}"),
        Noise::Absolute(sigma) => format!("abs:{sigma}"),
    }
}

fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: T) -> &'static str {
    names.iter().find(|(_, known)| *known == value).map_or("", |(name, _)| name)
}
