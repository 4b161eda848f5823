//! Groups of options that commands share.

use std::path::PathBuf;

use clap::Args;
use pellucid_engine::{
    AttentionOptions, Color, Error, Layout, MethodOptions, ModelOptions, PreprocessOptions, Resample, Resize,
    RuntimeChoice, Size, TableFormat, TreeOptions, parse_fixed,
};

/// A model and its inputs.
#[derive(Debug, Args)]
pub(crate) struct InputArguments {
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    /// Rows to explain: .csv, .npy, .npz (of series a line a step, a column a channel); for networks .png and .jpg too, for text models .txt, for tree models .csv.gz,
    /// .parquet and sparse matrices (.npz, CSR).
    #[arg(required_unless_present = "text", value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// The array of an .npz file.
    #[arg(long, value_name = "NAME")]
    pub(crate) array: Option<String>,
    #[command(flatten)]
    pub(crate) preprocess: PreprocessArguments,
    #[command(flatten)]
    pub(crate) texts: TextArguments,
}

/// What is said of texts.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Texts (of `pellucid explain`, `pellucid evaluate` and `pellucid report`)")]
pub(crate) struct TextArguments {
    /// A text to explain instead of an INPUT; may be given several times.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) text: Vec<String>,
    /// The tokenizer.json of the model.
    #[arg(long, value_name = "FILE")]
    pub(crate) tokenizer: Option<PathBuf>,
    /// The token whose outputs are explained, counted from 0, where there are outputs for every token [default: of
    /// language models the mask, or else the last].
    #[arg(long, value_name = "N")]
    pub(crate) token: Option<usize>,
    /// An output to take off the target's: why this and not that? Of language models targets are words, or tokens as the
    /// vocabulary writes them (token:of).
    #[arg(long, value_name = "TARGET", allow_hyphen_values = true)]
    pub(crate) contrast: Option<String>,
    /// Explain the logarithm of the probability instead of the logit.
    #[arg(long)]
    pub(crate) log_probability: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ModelArguments {
    /// The model file: ONNX, or trees as XGBoost JSON or UBJ, LightGBM text, CatBoost JSON.
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// The lengths of one row, such as 3,224,224, where the file leaves them open.
    #[arg(long, value_name = "LENGTHS", value_delimiter = ',')]
    input_shape: Option<Vec<usize>>,
    /// The output of the model, by name; the first that holds floats otherwise.
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// Explain what stands behind a final softmax or sigmoid instead of the logits before it.
    #[arg(long)]
    explain_probability: bool,
    /// The input that is explained where the network has several, or a wire inside it, by name.
    #[arg(long, value_name = "NAME")]
    start: Option<String>,
    /// What another input of the network holds in every row: one row of numbers, or a file of one (.npy, .npz, .csv). For each
    /// input that is not explained.
    #[arg(long, value_name = "NAME=NUMBERS|FILE")]
    fixed: Vec<String>,
    /// Names of the outputs: a JSON list, or one a line. Otherwise MODEL.labels.json beside the model. With
    /// --output-space log-loss the column of the true classes.
    #[arg(long, value_name = "FILE|COLUMN")]
    pub(crate) labels: Option<PathBuf>,
}

/// What is done to a photo; goes before MODEL.preprocess.json beside the model.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Preprocessing of photos (instead of what MODEL.preprocess.json says)")]
pub(crate) struct PreprocessArguments {
    /// A file to take instead of MODEL.preprocess.json.
    #[arg(long, value_name = "FILE")]
    preprocess: Option<PathBuf>,
    /// rgb or gray.
    #[arg(long)]
    color: Option<Color>,
    /// 256 for the shorter side, or WIDTHxHEIGHT.
    #[arg(long, value_name = "SIZE")]
    resize: Option<Resize>,
    /// nearest, bilinear, bicubic or lanczos.
    #[arg(long)]
    resample: Option<Resample>,
    /// The center to keep: 224, or WIDTHxHEIGHT.
    #[arg(long, value_name = "SIZE")]
    crop: Option<Size>,
    /// What 0 and 255 become, before mean and deviation: 0,1.
    #[arg(long, value_name = "LOW,HIGH", value_parser = range, allow_hyphen_values = true)]
    range: Option<Range>,
    /// Taken off, one number a channel: 0.485,0.456,0.406.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', allow_hyphen_values = true)]
    mean: Option<Vec<f64>>,
    /// Divided by, one number a channel.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', allow_hyphen_values = true)]
    std: Option<Vec<f64>>,
    /// nchw or nhwc.
    #[arg(long)]
    layout: Option<Layout>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Method")]
pub(crate) struct MethodArguments {
    /// Of networks: saliency, input-x-gradient, integrated-gradients (default), deep-lift, deep-shap, gradient-shap, lrp,
    /// smoothgrad, smoothgrad-sq, vargrad, grad-cam, grad-cam-pp, layer-cam, hires-cam, xgrad-cam, ablation-cam, score-cam,
    /// eigen-cam, guided-backprop, guided-grad-cam, attention, attention-rollout or attention-x-gradient. Of tree models:
    /// tree-shap (default), banzhaf, saabas or shapley-interactions. Of any model: exact-shap, kernel-shap (default of served
    /// models), permutation-shap, sampling-shap, owen, lime, occlusion, feature-ablation, feature-permutation, rise or
    /// pairwise-interactions.
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: Option<String>,
    #[command(flatten)]
    pub(crate) options: MethodOptionArguments,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of methods for tree models")]
pub(crate) struct TreeArguments {
    /// A table of rows that absent features are averaged over, or that deep-shap and gradient-shap compare a network's
    /// rows with; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) background: Vec<PathBuf>,
    /// path-dependent, or interventional, which needs a background [default: interventional with one]. Path-dependent
    /// values with a background have their covers counted from it.
    #[arg(long, value_name = "REMOVAL")]
    removal: Option<String>,
    /// tree-shap: values of all pairs of features.
    #[arg(long)]
    interactions: bool,
    /// shapley-interactions: sii, k-sii, stii or faith-shap; pairwise-interactions: sii, k-sii or faith-shap [default: k-sii].
    #[arg(long, value_name = "INDEX")]
    index: Option<String>,
    /// shapley-interactions: the number of features in the largest sets [default: 2].
    #[arg(long, value_name = "N")]
    max_order: Option<usize>,
    /// tree-shap with a background: margin (the default), probability, value, or log-loss, which needs --labels COLUMN.
    #[arg(long, value_name = "SPACE")]
    output_space: Option<String>,
    /// The column of the true classes, for --output-space log-loss, where --labels is to name a file.
    #[arg(long, value_name = "COLUMN")]
    label_column: Option<String>,
    /// Other spaces than the margin: features in which rows may differ for all coalitions to be counted [default: 16].
    #[arg(long, value_name = "N")]
    max_exact_features: Option<usize>,
    /// The same: permutations, each with its reverse, where rows differ in more [default: 16].
    #[arg(long, value_name = "N")]
    n_permutations: Option<usize>,
    /// Columns of the table to keep beside the features, for cohorts.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) keep: Vec<String>,
    /// The form of the attributions of all rows in the folder of --out: csv (the default), parquet or npz.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<TableFormat>,
}

/// What only methods have that need predictions alone.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of methods for any model")]
pub(crate) struct AgnosticArguments {
    /// Features that are present and absent together, by name or number: age+sex,4+5; every other feature stands alone.
    #[arg(long, value_name = "GROUPS")]
    pub(crate) feature_groups: Option<String>,
    /// Segments that are present and absent together: grid:7, slic:50 or quickshift of images; stretches:10 (or 10, of equal
    /// length) or changes:10 (between changes of level) of series.
    #[arg(long, value_name = "SEGMENTS")]
    pub(crate) segments: Option<String>,
    /// Of series: absent in all channels together (the default), or apart, each channel on its own.
    #[arg(long, value_name = "CHANNELS")]
    pub(crate) channels: Option<String>,
    /// Of series: the axis of a row that is time, 0 or 1 [default: the longer one].
    #[arg(long, value_name = "AXIS")]
    pub(crate) time_axis: Option<usize>,
    /// occlusion: the window's length along each axis of a row, with or without channels, such as 16,16; of series in steps,
    /// of texts in words.
    #[arg(long, value_name = "LENGTHS", value_delimiter = ',')]
    pub(crate) window: Option<Vec<usize>>,
    /// occlusion: how far the window moves along each axis [default: by its length].
    #[arg(long, value_name = "LENGTHS", value_delimiter = ',')]
    pub(crate) strides: Option<Vec<usize>>,
    /// Sum the background up by so many rows with weights (k-means); otherwise all of its rows count.
    #[arg(long, value_name = "N")]
    pub(crate) background_clusters: Option<usize>,
    /// lime: the width of the kernel.
    #[arg(long, value_name = "WIDTH")]
    pub(crate) kernel_width: Option<f64>,
    /// Shapley methods: identity (the default), or logit: the log-odds of outputs that are probabilities add up.
    #[arg(long, value_name = "LINK")]
    pub(crate) link: Option<String>,
    #[command(flatten)]
    pub(crate) served: ServedArguments,
    /// Keep finished predictions in this file, and go on from it after a failure.
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
}

/// How a served model is asked, of which an address is given instead of a file.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ServedArguments {
    /// Of a served model: a file that holds the token to send.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Of a served model: seconds that one question may take [default: 30].
    #[arg(long, value_name = "SECS")]
    pub(crate) timeout: Option<f64>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of methods")]
pub(crate) struct MethodOptionArguments {
    /// saliency: whether the sign is dropped.
    #[arg(long, value_name = "BOOL")]
    absolute: Option<bool>,
    /// integrated-gradients, deep-lift: zeros, value:0.5, black, white, blurred:SIGMA, uniform, gaussian:SIGMA,
    /// array:FILE, mean:FILE; of texts pad, mask, zero, mean, empty, and by predictions alone mask, pad, deleted or token:NAME; of
    /// series by predictions alone channel-means, stretch-means, interpolated or inpaint too.
    #[arg(long, value_name = "BASELINE")]
    baseline: Option<String>,
    /// integrated-gradients: points on the path [default: 50].
    #[arg(long, value_name = "N")]
    n_steps: Option<usize>,
    /// integrated-gradients: gauss-legendre, riemann-left, riemann-right, riemann-middle or trapezoid.
    /// deep-lift, deep-shap: rescale (default) or reveal-cancel.
    #[arg(long)]
    rule: Option<String>,
    /// integrated-gradients: refine until the completeness gap is below this share, such as 0.01. gradient-shap: draw
    /// until the standard error is.
    #[arg(long, value_name = "SHARE")]
    tolerance: Option<f64>,
    /// The same: evaluations a row may take with --tolerance [default: 1000; gradient-shap: 10000].
    #[arg(long, value_name = "N")]
    max_evaluations: Option<usize>,
    /// lrp: epsilon, epsilon-plus (the default), epsilon-plus-flat, epsilon-gamma-box, epsilon-alpha2-beta1,
    /// epsilon-alpha2-beta1-flat or attnlrp.
    #[arg(long, value_name = "NAME")]
    composite: Option<String>,
    /// lrp: the stabilizer of the ε-rule [default: 1e-6].
    #[arg(long, value_name = "NUMBER")]
    epsilon: Option<f64>,
    /// lrp: γ of epsilon-gamma-box [default: 0.25] and of attnlrp [default: none].
    #[arg(long, value_name = "NUMBER")]
    gamma: Option<f64>,
    /// lrp: the input's lowest value for epsilon-gamma-box, one number or one a channel [default: from the preprocessing].
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', allow_hyphen_values = true)]
    low: Option<Vec<f64>>,
    /// lrp: the input's highest value.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', allow_hyphen_values = true)]
    high: Option<Vec<f64>>,
    /// lrp: a TOML file of rules by op or name that come before those of the composite.
    #[arg(long, value_name = "FILE")]
    rules: Option<String>,
    /// CAM methods: the layer, by the name of its wire (`pellucid inspect` suggests some); attention: its number [default:
    /// the last].
    #[arg(long, value_name = "WIRE")]
    layer: Option<String>,
    /// CAM methods: whether what speaks against the target is cut off [default: true].
    #[arg(long, value_name = "BOOL")]
    relu: Option<bool>,
    /// smoothgrad, smoothgrad-sq, vargrad: the method to smooth [default: saliency].
    #[arg(long, value_name = "METHOD")]
    base_method: Option<String>,
    /// smoothgrad, smoothgrad-sq, vargrad, gradient-shap: share:0.15 of the row's range, or abs:0.1.
    #[arg(long, value_name = "NOISE")]
    noise: Option<String>,
    /// smoothgrad, smoothgrad-sq, vargrad: noisy copies [default: 50]. gradient-shap: draws [default: 200].
    #[arg(long, value_name = "N")]
    n_samples: Option<usize>,
    /// attention: one head, counted from 0 [default: all fused].
    #[arg(long, value_name = "N")]
    head: Option<usize>,
    /// attention, attention-rollout: mean, max or min [default: mean].
    #[arg(long, value_name = "FUSION")]
    head_fusion: Option<String>,
    /// attention-rollout: the share of the smallest weights that is dropped [default: 0].
    #[arg(long, value_name = "SHARE")]
    discard_ratio: Option<f64>,
    /// attention-rollout, attention-x-gradient: the first layer, counted from 0 [default: 0, the one nearest to the
    /// input].
    #[arg(long, value_name = "N")]
    start_layer: Option<usize>,
    /// Attention methods: the token that looks at the others: auto, mean, last, or its number [default: auto].
    #[arg(long, value_name = "TOKEN")]
    query: Option<String>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Work")]
pub(crate) struct WorkArguments {
    #[command(flatten)]
    pub(crate) runtime: RuntimeArguments,
    /// Rows that one run of the model takes [default: what fits --max-memory].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_size: Option<u32>,
    /// Memory for the activations of one run, such as 512M or 2G.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = bytes)]
    pub(crate) max_memory: usize,
    /// What random draws are made from.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// No progress bar.
    #[arg(long)]
    pub(crate) quiet: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Work")]
pub(crate) struct RuntimeArguments {
    /// auto, rten or onnxruntime [default: PELLUCID_RUNTIME, or auto].
    #[arg(long, value_name = "RUNTIME", value_parser = runtime_choice)]
    pub(crate) runtime: Option<RuntimeChoice>,
    /// Threads of one run [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) threads: Option<u32>,
}

/// Two numbers with a comma between them.
#[derive(Clone, Copy, Debug)]
struct Range([f64; 2]);

fn range(text: &str) -> Result<Range, String> {
    let numbers = text
        .split_once(',')
        .and_then(|(low, high)| Some([low.trim().parse().ok()?, high.trim().parse().ok()?]));
    numbers.map(Range).ok_or_else(|| format!("`{text}` is no range; write LOW,HIGH"))
}

fn runtime_choice(text: &str) -> Result<RuntimeChoice, String> {
    text.parse().map_err(|error: pellucid_engine::GraphError| error.to_string())
}

/// `512M` as bytes; K, M and G are powers of 1024.
fn bytes(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(end) => text.split_at(end),
        None => (text, ""),
    };
    let factor = match unit.to_uppercase().as_str() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => 0usize,
    };
    let size = digits.parse().ok().and_then(|n: usize| n.checked_mul(factor)).filter(|&size| size > 0);
    size.ok_or_else(|| format!("`{text}` is no size; write 512M or 2G"))
}

impl ModelArguments {
    pub(crate) fn options(&self, preprocess: PreprocessOptions) -> Result<ModelOptions, Error> {
        Ok(ModelOptions {
            input_shape: self.input_shape.clone(),
            output: self.output.clone(),
            explain_probability: self.explain_probability,
            start: self.start.clone(),
            fixed: self.fixed.iter().map(|text| parse_fixed(text)).collect::<Result<_, _>>()?,
            labels: self.labels.clone(),
            output_names: None,
            preprocess,
        })
    }
}

impl TextArguments {
    /// The first option that is given.
    pub(crate) fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("text", !self.text.is_empty()),
            ("tokenizer", self.tokenizer.is_some()),
            ("token", self.token.is_some()),
            ("contrast", self.contrast.is_some()),
            ("log_probability", self.log_probability),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }
}

impl ServedArguments {
    /// Refuses what is given of a server for a model's file.
    pub(crate) fn refuse(&self) -> Result<(), Error> {
        let token_file = self.token_file.as_ref().map(|_| "token_file");
        match token_file.or(self.timeout.map(|_| "timeout")) {
            None => Ok(()),
            Some(option) => Err(Error::Request {
                option: option.to_owned(),
                reason: "is for served models; this is a file".to_owned(),
            }),
        }
    }
}

impl MethodArguments {
    /// The method for a network.
    pub(crate) fn of_network(&self) -> &str {
        self.method.as_deref().unwrap_or("integrated-gradients")
    }
}

impl AgnosticArguments {
    /// The first option that is given.
    pub(crate) fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("feature_groups", self.feature_groups.is_some()),
            ("segments", self.segments.is_some()),
            ("channels", self.channels.is_some()),
            ("time_axis", self.time_axis.is_some()),
            ("window", self.window.is_some()),
            ("strides", self.strides.is_some()),
            ("background_clusters", self.background_clusters.is_some()),
            ("kernel_width", self.kernel_width.is_some()),
            ("link", self.link.is_some()),
            ("token_file", self.served.token_file.is_some()),
            ("timeout", self.served.timeout.is_some()),
            ("journal", self.journal.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }
}

impl TreeArguments {
    /// Nothing but a space of outputs.
    pub(crate) fn in_space(output_space: Option<String>) -> Self {
        Self { output_space, ..Self::default() }
    }

    /// The options but the background, which methods for networks have too.
    pub(crate) fn without_background(&self) -> Self {
        Self { background: Vec::new(), ..self.clone() }
    }

    /// The first option that is given.
    pub(crate) fn first_given(&self) -> Option<&'static str> {
        let given = self.options().first_given();
        given.or(self.format.map(|_| "format")).or((!self.keep.is_empty()).then_some("keep"))
    }

    pub(crate) fn options(&self) -> TreeOptions {
        let given = self.clone();
        TreeOptions {
            background: given.background,
            background_rows: None,
            removal: given.removal,
            interactions: given.interactions,
            index: given.index,
            max_order: given.max_order,
            output_space: given.output_space,
            label_column: given.label_column,
            labels: None,
            max_exact_features: given.max_exact_features,
            n_permutations: given.n_permutations,
        }
    }

    /// Whether `--labels` names the column of the true classes, and no file of outputs' names.
    pub(crate) fn labels_are_a_column(&self) -> bool {
        let space = self.output_space.as_deref().map(|space| space.replace('_', "-"));
        space.as_deref() == Some("log-loss") && self.label_column.is_none()
    }
}

impl PreprocessArguments {
    /// The first option that is given.
    pub(crate) fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("preprocess", self.preprocess.is_some()),
            ("color", self.color.is_some()),
            ("resize", self.resize.is_some()),
            ("resample", self.resample.is_some()),
            ("crop", self.crop.is_some()),
            ("range", self.range.is_some()),
            ("mean", self.mean.is_some()),
            ("std", self.std.is_some()),
            ("layout", self.layout.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }

    pub(crate) fn options(&self) -> PreprocessOptions {
        PreprocessOptions {
            file: self.preprocess.clone(),
            color: self.color,
            resize: self.resize,
            resample: self.resample,
            crop: self.crop,
            range: self.range.map(|range| range.0),
            mean: self.mean.clone(),
            std: self.std.clone(),
            layout: self.layout,
        }
    }
}

impl MethodOptionArguments {
    pub(crate) fn options(&self) -> MethodOptions {
        let given = self.clone();
        MethodOptions {
            absolute: given.absolute,
            baseline: given.baseline,
            baseline_array: None,
            background: Vec::new(),
            background_array: None,
            n_steps: given.n_steps,
            rule: given.rule,
            tolerance: given.tolerance,
            max_evaluations: given.max_evaluations,
            composite: given.composite,
            epsilon: given.epsilon,
            gamma: given.gamma,
            low: given.low,
            high: given.high,
            rules: given.rules,
            layer: given.layer,
            relu: given.relu,
            base_method: given.base_method,
            noise: given.noise,
            n_samples: given.n_samples,
            attention: AttentionOptions {
                head: given.head,
                head_fusion: given.head_fusion,
                discard_ratio: given.discard_ratio,
                start_layer: given.start_layer,
                query: given.query,
            },
        }
    }
}
