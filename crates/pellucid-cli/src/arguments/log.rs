//! What can be typed behind `pellucid log`, and of the log behind `pellucid explain`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::log::Time;

/// Where `pellucid explain` keeps what it explained.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Log")]
pub(crate) struct KeepArguments {
    /// Append a record of every explained row to this log, which is made where there is none; of a large table of the
    /// rows that are kept of it, with the probability of being among them. See docs/log.md.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) key: KeyArguments,
    /// What records call the model [default: the file's name].
    #[arg(long, value_name = "NAME", requires = "log")]
    pub(crate) model_name: Option<String>,
    /// Which version of it they say it is [default: the first digits of the file's SHA-256].
    #[arg(long, value_name = "VERSION", requires = "log")]
    pub(crate) model_version: Option<String>,
    /// The column of the table that names predictions; it is no feature [default: names made from the time].
    #[arg(long, value_name = "COLUMN", requires = "log")]
    pub(crate) prediction_ids: Option<String>,
    /// The column of the table that says what was true; it is no feature, and goes into the log as feedback on each prediction.
    #[arg(long, value_name = "COLUMN", requires = "log")]
    pub(crate) known_labels: Option<String>,
    /// With which probability the rows were chosen among all predictions, where they are a sample: statistics weigh by it [default: 1].
    #[arg(long, value_name = "P", requires = "log", value_parser = probability)]
    pub(crate) inclusion_probability: Option<f64>,
}

fn probability(text: &str) -> Result<f64, String> {
    let probability = text.parse().ok().filter(|p: &f64| *p > 0.0 && *p <= 1.0);
    probability.ok_or_else(|| "a probability is above 0 and at most 1".to_owned())
}

/// The key that signs the log.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct KeyArguments {
    /// The key file that signs the log, outside the log's folder [default: a file of its own in the user's data folder].
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: Option<PathBuf>,
    /// The name of a log that is made, such as example.com/credit [default: its file's name].
    #[arg(long, value_name = "NAME")]
    pub(crate) log_name: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Append explanations (explanation.json, .npz) or records (.jsonl, as `query --json --payloads` writes them).
    Append(AppendArguments),
    /// Show one entry.
    Show(ShowArguments),
    /// List the records that meet all conditions.
    Query(QueryArguments),
    /// Check every entry, hash, payload and signature; exit code 5 where something is wrong.
    Verify(VerifyArguments),
    /// Write the proof that an entry is in the log, for whoever has only the entry and the verifying key.
    Prove(ProveArguments),
    /// Write the log without payloads as static files (tlog-tiles), which any web server can publish.
    Export(ExportArguments),
    /// Explain a record's row again and compare; exit code 5 where the values differ.
    Replay(Box<ReplayArguments>),
    /// Erase what records hold of persons (inputs, attributions); the records and all proofs stay.
    Erase(EraseArguments),
    /// Erase it from all records but those that are to be kept.
    Retain(RetainArguments),
    /// Append what became known of a prediction: its label, or what a human decided.
    Feedback(FeedbackArguments),
}

#[derive(Debug, Args)]
pub(crate) struct AppendArguments {
    /// The log; it is made where there is none.
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// Explanations (.json, .npz) or records (.jsonl).
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) key: KeyArguments,
    /// What records call the model [default: the file's name].
    #[arg(long, value_name = "NAME")]
    pub(crate) model_name: Option<String>,
    /// Which version of it they say it is [default: the first digits of the file's SHA-256].
    #[arg(long, value_name = "VERSION")]
    pub(crate) model_version: Option<String>,
    /// The column, kept with --keep, that names predictions [default: names made from the time].
    #[arg(long, value_name = "COLUMN")]
    pub(crate) prediction_ids: Option<String>,
    /// With which probability the explained rows were chosen among all predictions, where they are a sample; records of another log say
    /// it themselves [default: 1].
    #[arg(long, value_name = "P", value_parser = probability)]
    pub(crate) inclusion_probability: Option<f64>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The log.
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// The entry's index, or a prediction's id (id:7 where it is a number): its newest record.
    #[arg(value_name = "INDEX|ID")]
    pub(crate) entry: String,
    /// Print JSON, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArguments {
    /// The log.
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// Records of this prediction.
    #[arg(long, value_name = "ID")]
    prediction_id: Option<String>,
    /// Of the model of this name.
    #[arg(long, value_name = "NAME")]
    model_name: Option<String>,
    /// Of this version of it.
    #[arg(long, value_name = "VERSION")]
    model_version: Option<String>,
    /// Of the model file with this SHA-256.
    #[arg(long, value_name = "DIGEST")]
    model_digest: Option<String>,
    /// By this method.
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// Comparable under this key.
    #[arg(long, value_name = "KEY")]
    comparability_key: Option<String>,
    /// Not before this time: 2026-11-29, 2026-11-29T13:30:00Z, or microseconds since 1970.
    #[arg(long, value_name = "TIME")]
    since: Option<Time>,
    /// Before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<Time>,
    /// Feedback and erasures too.
    #[arg(long)]
    all: bool,
    /// From this entry on.
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    from: u64,
    /// So many at the most.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Print a line of JSON for each entry, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
    /// The same with payloads.
    #[arg(long, requires = "json")]
    pub(crate) payloads: bool,
    /// Write all records that meet the conditions as a table, a column for each feature's cell and value.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "all", "limit"])]
    pub(crate) parquet: Option<PathBuf>,
}

impl QueryArguments {
    pub(crate) fn query(&self) -> pellucid_store::Query {
        pellucid_store::Query {
            prediction_id: self.prediction_id.clone(),
            model_name: self.model_name.clone(),
            model_version: self.model_version.clone(),
            model_digest: self.model_digest.clone(),
            method: self.method.as_ref().map(|name| name.replace('-', "_")),
            comparability_key: self.comparability_key.clone(),
            since_micros: self.since.map(|time| time.micros()),
            until_micros: self.until.map(|time| time.micros()),
            records_only: !self.all,
            from_index: self.from,
            limit: self.limit,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The log.
    #[arg(value_name = "LOG", required_unless_present = "proof")]
    pub(crate) log: Option<PathBuf>,
    /// The verifying key (name+id+key) that is to have signed, or a file that holds it [default: that of the key file in the
    /// user's data folder; else the log's own word is taken].
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// An older checkpoint that was kept elsewhere: the log must still begin with what it says.
    #[arg(long, value_name = "FILE", requires = "log", conflicts_with = "proof")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Check a proof that `pellucid log prove` wrote instead; needs --key, and --entry or the log.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) proof: Option<PathBuf>,
    /// The entry that is proven, as `pellucid log prove` wrote it.
    #[arg(long, value_name = "FILE", requires = "proof")]
    pub(crate) entry: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ProveArguments {
    /// The log.
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// The entry's index, or a prediction's id: its newest record.
    #[arg(value_name = "INDEX|ID")]
    pub(crate) entry: String,
    /// The proof's file; the entry is written beside it as .json [default: entry-INDEX.tlog-proof].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The log.
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// The folder; what it has of the log already is not written again.
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// The log.
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// The entry's index, or a prediction's id: its newest record.
    #[arg(value_name = "INDEX|ID")]
    pub(crate) entry: String,
    /// The model file of the record.
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// Under another fingerprint, how far values may lie apart: the length of the difference as a share of that of the values.
    #[arg(long, value_name = "SHARE", default_value_t = 1e-3)]
    pub(crate) tolerance: f64,
    /// What the record does not hold, as options of `pellucid explain`: -- --background rows.csv, -- --tokenizer FILE.
    #[arg(last = true, value_name = "OPTIONS", allow_hyphen_values = true)]
    pub(crate) options: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct EraseArguments {
    /// The log.
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// Indices of records, or ids of predictions: all their records.
    #[arg(value_name = "INDEX|ID", required = true)]
    pub(crate) entries: Vec<String>,
    /// Why; it stays in the log.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) key: KeyArguments,
}

#[derive(Debug, Args)]
#[group(id = "kept", required = true, multiple = false)]
pub(crate) struct RetainArguments {
    /// The log.
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// Keep those of records from this time on: 2026-11-29, 2026-11-29T13:30:00Z, or microseconds since 1970.
    #[arg(long, value_name = "TIME", group = "kept")]
    pub(crate) since: Option<Time>,
    /// Keep those of the last so many days.
    #[arg(long, value_name = "N", group = "kept")]
    pub(crate) days: Option<u32>,
    /// Keep those of one record in N, chosen by its hash.
    #[arg(long, value_name = "N", group = "kept")]
    pub(crate) one_in: Option<u64>,
    /// Keep those of records by these methods.
    #[arg(long, value_name = "METHODS", value_delimiter = ',', group = "kept")]
    pub(crate) methods: Option<Vec<String>>,
    /// Why; it stays in the log.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) key: KeyArguments,
}

#[derive(Debug, Args)]
pub(crate) struct FeedbackArguments {
    /// The log.
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// The prediction's id.
    #[arg(value_name = "ID")]
    pub(crate) prediction_id: String,
    /// What was true: a class by name or index, or a number.
    #[arg(long, value_name = "LABEL", required_unless_present = "decision", allow_hyphen_values = true)]
    pub(crate) label: Option<String>,
    /// What a human decided.
    #[arg(long, value_name = "OUTCOME", requires = "by")]
    pub(crate) decision: Option<String>,
    /// Who decided, as an opaque id.
    #[arg(long, value_name = "ID", requires = "decision")]
    pub(crate) by: Option<String>,
    /// Why it was decided so.
    #[arg(long, value_name = "TEXT", requires = "decision")]
    pub(crate) why: Option<String>,
    #[command(flatten)]
    pub(crate) key: KeyArguments,
}
