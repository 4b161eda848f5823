//! What can be typed: the commands.

mod log;
mod options;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use pellucid_engine::{EffectKind, PlotKind};

pub(crate) use log::*;
pub(crate) use options::*;

/// Explains trained models: what made the model say this?
#[derive(Debug, Parser)]
#[command(name = "pellucid", version, about, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 the machine failed, 2 usage, 3 bad model or input, 4 unsupported, \
                          5 a check failed, 130 Ctrl-C.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Explain what a model says of inputs.
    Explain(Box<ExplainArguments>),
    /// Explain inputs and measure how far the explanation is to be trusted.
    Evaluate(Box<EvaluateArguments>),
    /// Write one page that explains: photos or texts by several methods, or a table by one method for any model.
    Report(ReportArguments),
    /// Say how much a model uses each feature: by labels, or by what trees hold.
    Importance(ImportanceArguments),
    /// Say how the outputs of a model follow a feature, over all rows of a table.
    Effects(EffectsArguments),
    /// Grow a small tree that imitates the model, and say how well it does.
    Surrogate(SurrogateArguments),
    /// Say what about a row would have had to be otherwise for another outcome.
    Counterfactuals(CounterfactualsArguments),
    /// Draw the explanation of a table.
    Plot(PlotArguments),
    /// Write an ONNX file that returns prediction and attribution together.
    Compile(CompileArguments),
    /// Say what is in a model file and what of it can be explained.
    Inspect(InspectArguments),
    /// Say which runtimes are found, which is used, and why.
    Doctor(DoctorArguments),
    /// Keep what was explained so that no change goes unnoticed: append, show, query, verify, prove, replay, erase …
    #[command(subcommand)]
    Log(LogCommand),
    /// Answer predictions over HTTP, explain them after, and keep the explanations in a log.
    Serve(ServeArguments),
    /// Make a token for `pellucid serve --tokens`: it is printed once, and its hash goes into the file.
    Token(TokenArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The folder of models: NAME/ or NAME/VERSION/ with a model file, and pellucid.toml where the defaults do not fit.
    #[arg(long, value_name = "DIR")]
    pub(crate) models: PathBuf,
    /// The log of explanations; made where there is none.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: PathBuf,
    #[command(flatten)]
    pub(crate) key: KeyArguments,
    /// Where to listen; 0 takes a free port.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(crate) port: u16,
    /// The address to listen at; another than this machine's own asks for --tokens.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub(crate) host: std::net::IpAddr,
    /// The file of hashed tokens, see `pellucid token`.
    #[arg(long, value_name = "FILE")]
    pub(crate) tokens: Option<PathBuf>,
    /// A name that this server may be called by, beside its address; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// Sign a checkpoint after so many entries.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) checkpoint_every: u64,
    /// Rows that may wait to be explained.
    #[arg(long, value_name = "N")]
    pub(crate) queue: Option<usize>,
    /// Threads that explain [default: all cores but one].
    #[arg(long, value_name = "N")]
    pub(crate) explain_threads: Option<usize>,
    /// Threads that predict.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) predict_threads: usize,
    /// Requests of one token a second, on average.
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<f64>,
    /// Seconds that accepted work is given to end, at SIGTERM or Ctrl-C.
    #[arg(long, value_name = "SECS", default_value_t = 30)]
    pub(crate) drain_secs: u64,
    /// How much is told on standard error: error, warn, info or debug.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub(crate) log_level: String,
}

#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    /// The file of hashed tokens; made where there is none.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What the token is called in the audit trail.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it opens: predict-log, explain, read, audit, admin.
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', required = true)]
    pub(crate) scopes: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    pub(crate) what: InputArguments,
    #[command(flatten)]
    pub(crate) method: MethodArguments,
    #[command(flatten)]
    pub(crate) trees: TreeArguments,
    #[command(flatten)]
    pub(crate) agnostic: AgnosticArguments,
    /// Which output: top-1, top-5, an index, a label, a difference 281-282, weights 281:1,282:-0.5; of tree models all; of
    /// embedding models cosine:FILE or dot:FILE, the file an embedding or an input; of models that classify every place
    /// of an image a class, over the places where it is predicted or over those of mask:CLASS:FILE (.npy, .npz, .png).
    #[arg(long, default_value = "top-1", value_name = "TARGET", allow_hyphen_values = true)]
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) work: WorkArguments,
    /// Write explanation.json, explanation.npz and pictures into this folder; for tree models attributions.csv too.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// lrp: write conservation.csv as well, the relevance that each node passed on, absorbed and lost.
    #[arg(long, requires = "out")]
    pub(crate) conservation: bool,
    /// Print the explanation as JSON, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) keeping: KeepArguments,
}

impl ExplainArguments {
    /// Columns of a table that are no features.
    pub(crate) fn kept(&self) -> Vec<String> {
        let columns = self.keeping.prediction_ids.iter().chain(&self.keeping.known_labels);
        let more = columns.filter(|column| !self.trees.keep.contains(column));
        self.trees.keep.iter().chain(more).cloned().collect()
    }
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    #[command(flatten)]
    pub(crate) what: InputArguments,
    #[command(flatten)]
    pub(crate) method: MethodArguments,
    /// Which output: see `pellucid explain`.
    #[arg(long, default_value = "top-1", value_name = "TARGET", allow_hyphen_values = true)]
    pub(crate) target: String,
    /// What to measure: completeness, deletion, insertion, randomization.
    #[arg(long, value_delimiter = ',', default_value = "completeness,deletion,insertion")]
    pub(crate) metrics: Vec<String>,
    /// Points of the deletion and insertion curves.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) curve_steps: usize,
    /// Random orders to compare the curves with.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) n_random: usize,
    /// Side of the squares of pixels that come and go together [default: the cells of a class activation map, else 1].
    #[arg(long, value_name = "PIXELS")]
    pub(crate) patch: Option<usize>,
    /// deep-shap, gradient-shap: rows to compare with; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) background: Vec<PathBuf>,
    /// What a deleted feature becomes, as for --baseline [default: zeros; for images, the image blurred; for texts, --baseline].
    #[arg(long, value_name = "BASELINE")]
    pub(crate) deletion_baseline: Option<String>,
    /// What features are inserted into [default: as for deletion].
    #[arg(long, value_name = "BASELINE")]
    pub(crate) insertion_baseline: Option<String>,
    /// Layers to redraw one after the other for randomization, evenly spread.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) n_layers: usize,
    /// Fail with exit code 5 where a completeness gap is above this share, such as 0.01.
    #[arg(long, value_name = "SHARE")]
    pub(crate) max_gap: Option<f64>,
    /// Fail with exit code 5 where deletion or insertion is no better than random orders.
    #[arg(long)]
    pub(crate) beat_random: bool,
    #[command(flatten)]
    pub(crate) work: WorkArguments,
    /// Write evaluation.json and everything that `explain` writes into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print the evaluation as JSON, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    #[command(flatten)]
    pub(crate) what: InputArguments,
    /// The methods of the page, in order [default: integrated-gradients (to a gap of 1 %), grad-cam, smoothgrad,
    /// saliency; of texts integrated-gradients, input-x-gradient, saliency]. Of tables one: of trees tree-shap, of networks
    /// integrated-gradients, of served models kernel-shap, if nobody says otherwise.
    #[arg(long, value_name = "METHODS", value_delimiter = ',')]
    pub(crate) methods: Option<Vec<String>>,
    #[command(flatten)]
    pub(crate) trees: TreeArguments,
    #[command(flatten)]
    pub(crate) agnostic: AgnosticArguments,
    /// A column of the table, a feature or not, whose groups are compared. Of networks and served models a table with one
    /// column more than there are features has this one beside them.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) cohort: Option<String>,
    /// Which output: see `pellucid explain`.
    #[arg(long, default_value = "top-1", value_name = "TARGET", allow_hyphen_values = true)]
    pub(crate) target: String,
    /// The folder that index.html is written into.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) work: WorkArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ImportanceArguments {
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    /// Tables: .csv, .npy, .npz, of tree models .csv.gz and .parquet too. With --label-column their rows are shuffled; without,
    /// they are explained, for the mean size of the TreeSHAP values.
    #[arg(value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// The array of an .npz file.
    #[arg(long, value_name = "NAME")]
    pub(crate) array: Option<String>,
    /// Without --label-column: a table of rows that absent features are averaged over; may be given several times.
    #[arg(long, value_name = "FILE", conflicts_with = "label_column")]
    pub(crate) background: Vec<PathBuf>,
    /// The column of what is true, numbers or classes: how much worse predictions get as the values of each feature are
    /// shuffled, for a model of any kind (permutation importance).
    #[arg(long, value_name = "COLUMN", requires = "inputs")]
    pub(crate) label_column: Option<String>,
    /// How wrong a prediction is: log-loss (the default of probabilities), zero-one (of several other outputs), squared-error (of
    /// one) or absolute-error.
    #[arg(long, value_name = "LOSS", requires = "label_column")]
    pub(crate) loss: Option<String>,
    /// Shuffles of each feature [default: 10].
    #[arg(long, value_name = "N", requires = "label_column")]
    pub(crate) repeats: Option<usize>,
    /// Features that are shuffled together, by name or number: age+sex,4+5; every other feature alone.
    #[arg(long, value_name = "GROUPS", requires = "label_column")]
    pub(crate) feature_groups: Option<String>,
    /// How sure the intervals are [default: 0.95].
    #[arg(long, value_name = "SHARE", requires = "label_column")]
    pub(crate) confidence: Option<f64>,
    #[command(flatten)]
    pub(crate) served: ServedArguments,
    #[command(flatten)]
    pub(crate) work: WorkArguments,
    /// With --label-column: write importance.json, importance.csv and a chart into this folder.
    #[arg(long, value_name = "DIR", requires = "label_column")]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

impl ImportanceArguments {
    /// Model and tables as the other commands have them.
    pub(crate) fn what(&self) -> InputArguments {
        InputArguments {
            model: self.model.clone(),
            inputs: self.inputs.clone(),
            array: self.array.clone(),
            preprocess: PreprocessArguments::default(),
            texts: TextArguments::default(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SurrogateArguments {
    #[command(flatten)]
    pub(crate) what: InputArguments,
    /// class (the default of classifiers), or an output by name or number.
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// --target class: above it, the only output says class 1 [default: 0.5 for probabilities, else 0].
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub(crate) threshold: Option<f64>,
    /// Splits from the root to a leaf, at the most [default: 4].
    #[arg(long, value_name = "N")]
    pub(crate) max_depth: Option<usize>,
    /// Rows that a leaf has at the least [default: 10].
    #[arg(long, value_name = "N")]
    pub(crate) min_rows_in_leaf: Option<usize>,
    /// The share of rows that the tree does not see, and is judged by [default: 0.25].
    #[arg(long, value_name = "SHARE")]
    pub(crate) held_out: Option<f64>,
    /// How sure the interval of the fidelity is [default: 0.95].
    #[arg(long, value_name = "SHARE")]
    pub(crate) confidence: Option<f64>,
    /// Features whose numbers are codes without an order, where the model does not say so.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) categorical: Vec<String>,
    /// probability (the default of classifiers), margin or value.
    #[arg(long, value_name = "SPACE")]
    pub(crate) output_space: Option<String>,
    #[command(flatten)]
    pub(crate) served: ServedArguments,
    #[command(flatten)]
    pub(crate) work: WorkArguments,
    /// Write surrogate.json and rules.txt into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CounterfactualsArguments {
    #[command(flatten)]
    pub(crate) what: InputArguments,
    /// Tables of real rows, which say what values there are and how they scatter.
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) background: Vec<PathBuf>,
    /// How many for each row.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) counterfactuals: usize,
    /// opposite (of two classes), a class by name or number, or a range of the only output, LOW..HIGH [default: opposite].
    #[arg(long, value_name = "OUTCOME", allow_hyphen_values = true)]
    pub(crate) outcome: Option<String>,
    /// Above it, the only output says class 1 [default: 0.5 for probabilities, else 0].
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub(crate) threshold: Option<f64>,
    /// Rows that the model is asked about at the most, for each row of the input.
    #[arg(long, value_name = "N")]
    pub(crate) max_evaluations: Option<usize>,
    #[command(flatten)]
    pub(crate) constraints: ConstraintArguments,
    #[command(flatten)]
    pub(crate) served: ServedArguments,
    #[command(flatten)]
    pub(crate) work: WorkArguments,
    /// Write counterfactuals.json into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Constraints, columns by name")]
pub(crate) struct ConstraintArguments {
    /// Columns that keep their values: age,sex.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) immutable: Vec<String>,
    /// Columns that may only grow.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) only_up: Vec<String>,
    /// Columns that may only fall.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) only_down: Vec<String>,
    /// The least and greatest value of a column: hours:20..60.
    #[arg(long, value_name = "NAME:LOW..HIGH")]
    pub(crate) column_range: Vec<String>,
    /// The values that a column may have: workclass:Private,State-gov.
    #[arg(long, value_name = "NAME:VALUES")]
    pub(crate) allow: Vec<String>,
    /// Columns that may change at once.
    #[arg(long, value_name = "N")]
    pub(crate) max_changes: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct EffectsArguments {
    #[command(flatten)]
    pub(crate) what: InputArguments,
    /// partial-dependence (the mean over all rows), ice (curves of single rows too), or ale (accumulated local effects: the
    /// mean changes of rows near each value, added up).
    #[arg(long, value_name = "KIND", default_value = "partial-dependence")]
    pub(crate) kind: EffectKind,
    /// The feature; twice for the joint effect of two.
    #[arg(long, value_name = "NAME", required = true)]
    pub(crate) feature: Vec<String>,
    /// The most values of a feature that are tried: distinct ones, evenly spread over the rows [default: 100, for each of
    /// two features 25; of ale, where they are the edges of bins, 21 and 11].
    #[arg(long, value_name = "N")]
    pub(crate) points: Option<usize>,
    /// ice: rows that get a curve, evenly spread [default: 200].
    #[arg(long, value_name = "N")]
    pub(crate) curves: Option<usize>,
    /// Take off what each curve is at its first point.
    #[arg(long)]
    pub(crate) centered: bool,
    /// How sure the interval around the mean is [default: 0.95; partial dependences of trees have one only where it is
    /// asked for, as every row must be asked about then].
    #[arg(long, value_name = "SHARE")]
    pub(crate) confidence: Option<f64>,
    /// Features whose numbers are codes without an order, where the model does not say so.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) categorical: Vec<String>,
    /// margin (the default of trees), probability or value.
    #[arg(long, value_name = "SPACE")]
    pub(crate) output_space: Option<String>,
    #[command(flatten)]
    pub(crate) served: ServedArguments,
    #[command(flatten)]
    pub(crate) work: WorkArguments,
    /// Write effects.json, effects.csv and charts into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlotArguments {
    /// What `pellucid explain` wrote: explanation.json, explanation.npz or sample.npz.
    #[arg(value_name = "EXPLANATION")]
    pub(crate) explanation: PathBuf,
    /// waterfall, force, bar, beeswarm, dependence, decision, heatmap, interactions or cohorts.
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: PlotKind,
    /// waterfall and force: the row, counted from 0 within the explanation.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) row: usize,
    /// Which of several explained targets, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) target: usize,
    /// dependence: the feature [default: the one that matters most].
    #[arg(long, value_name = "NAME")]
    pub(crate) feature: Option<String>,
    /// dependence: the feature that colors the rows [default: the one that interacts most].
    #[arg(long, value_name = "NAME")]
    pub(crate) color: Option<String>,
    /// cohorts: the feature, or the column that was explained with --keep, that makes the groups.
    #[arg(long, value_name = "NAME")]
    pub(crate) cohort: Option<String>,
    /// On top of the chart.
    #[arg(long, default_value = "")]
    pub(crate) title: String,
    /// Features that are shown by name.
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub(crate) max_features: usize,
    /// The file to write; its ending says what: .svg, .png or .html.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CompileArguments {
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    #[command(flatten)]
    pub(crate) preprocess: PreprocessArguments,
    #[command(flatten)]
    pub(crate) method: MethodArguments,
    /// Which output: predicted (whatever is highest), an index, a label, cosine:FILE or dot:FILE.
    #[arg(long, default_value = "predicted", value_name = "TARGET")]
    pub(crate) target: String,
    /// What random baselines are made from.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// deep-shap: files of rows to compare with, all of which the compiled file holds.
    #[arg(long, value_name = "FILE")]
    pub(crate) background: Vec<PathBuf>,
    /// The tokenizer.json of a model that reads token ids: the file takes ids, and gives each token a value.
    #[arg(long, value_name = "FILE", requires = "tokens")]
    pub(crate) tokenizer: Option<PathBuf>,
    /// The number of tokens that every text has.
    #[arg(long, value_name = "N", requires = "tokenizer")]
    pub(crate) tokens: Option<usize>,
    /// The token whose outputs are explained, counted from 0, where there are outputs for every token [default: of
    /// language models the last].
    #[arg(long, value_name = "N", requires = "tokenizer")]
    pub(crate) token: Option<usize>,
    /// Explain the logarithm of the probability instead of the logit.
    #[arg(long, requires = "tokenizer")]
    pub(crate) log_probability: bool,
    #[command(flatten)]
    pub(crate) runtime: RuntimeArguments,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    #[command(flatten)]
    pub(crate) runtime: RuntimeArguments,
    /// Print JSON, and nothing else.
    #[arg(long, conflicts_with = "text")]
    pub(crate) json: bool,
    /// Print the graph in ONNX's textual syntax, and nothing else.
    #[arg(long)]
    pub(crate) text: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    #[command(flatten)]
    pub(crate) runtime: RuntimeArguments,
    /// Print JSON, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}
