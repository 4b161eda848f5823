//! Request → model → explanation. What the command line, the server and Python call.
//!
//! [`LoadedModel::open`] reads a model file with its labels and preprocessing, [`LoadedModel::read_input`] reads rows,
//! [`Method::new`] and [`parse_target`] turn what a person wrote into a [`Request`], and [`explain()`] gives an
//! [`Explanation`], which goes to JSON and `.npz` and comes back.

mod agnostic;
mod aim;
mod attention;
mod background;
mod baseline;
mod compile;
mod deletion;
mod digests;
mod documents;
mod effects;
mod error;
mod evaluate;
mod explain;
mod explanation;
mod file;
mod fixed;
mod head_view;
mod input;
mod inspect;
mod labels;
mod linear;
mod method;
mod model;
mod npy;
mod npz;
mod opened;
mod output_target;
mod parameter;
mod parquet_columns;
mod photo;
mod picture;
mod preprocess;
mod recorded;
mod relevance;
mod report;
mod resample;
mod series_picture;
mod table;
mod table_report;
mod target;
mod text;
mod trees;
mod wire;

pub use agnostic::{
    AgnosticMethod, AgnosticOptions, AgnosticRequest, CounterfactualRequest, FoundCounterfactuals,
    FunctionInfo, ImitatingTree, LabelImportance, LabelImportanceRequest, MaskingOptions, Neighborhood,
    PredictedModel, PredictedRows, Source as PredictedSource, SurrogateTreeRequest, Truths, counterfactuals,
    explain_predicted, imitating_tree, label_importance, patience, segments_of_image, split_thresholds,
    surrogate,
};
pub use attention::{AttentionMethod, AttentionOptions};
pub use baseline::parse_baseline;
pub use compile::{compile, compile_text, compiled_warning};
pub use deletion::DeletionCheck;
pub use digests::{Named, is_digest};
pub use effects::{
    EffectCurves, EffectFeature, EffectKind, EffectRequest, EffectTable, effects, effects_of_tables,
    effects_of_tree_rows,
};
pub use error::{Error, Kind};
pub use evaluate::{
    Check, CurveOptions, Evaluation, EvaluationOptions, Metric, RowScores, SimilarityStage, evaluate,
};
pub use explain::{Request, explain};
pub use explanation::{
    About, ExplainedTarget, Explanation, MAX_TOLD_OUTPUTS, ModelSource, Prediction, RowSource, RuntimeUse,
    SCHEMA_VERSION,
};
pub use file::{read_text as read_text_file, write as write_file};
pub use fixed::{Fixed, parse_fixed};
pub use head_view::{attention_files, text_head_view};
pub use input::{Input, ReadOptions, Source};
pub use inspect::{Flops, GradientSupport, Inspection, OpInfo, WireInfo, inspect};
pub use linear::linear_network;
pub use method::{Method, MethodOptions};
pub use model::{LoadedModel, ModelOptions};
pub use opened::Opened;
pub use output_target::OutputTarget;
pub use parameter::Parameter;
pub use pellucid_agnostic::k_means::k_means;
pub use pellucid_agnostic::lime;
pub use pellucid_core::{Cancellation, NoProgress, OutputSpace, Progress, Similarity, Target, Work};
pub use pellucid_explain::network::Ending;
pub use pellucid_graph::{
    Data as TensorData, Dim, ElementType, Error as GraphError, Runtime, Session, Tensor,
};
pub use pellucid_plot::{Chart, ChartPage, ChartSection, charts_html};
pub use pellucid_remote::{Address, Options as EndpointOptions};
pub use pellucid_runtime::{Doctor, Options as RuntimeOptions, RuntimeChoice, doctor, runtime};
pub use pellucid_trees::{
    Arithmetic, Link, Precision, Provenance, Rows, Tree, TreeArrays, TreeEnsemble, tree_of_arrays,
};
pub use photo::{Photo, PreparedPhoto};
pub use picture::{PanelFiles, heatmap, panel, parameters_text, picture_of_row};
pub use preprocess::{Color, Layout, Preprocess, PreprocessOptions, Resample, Resize, Size};
pub use recorded::{
    RecordContext, RecordedInput, RecordsFile, comparability_key, feature_names, recorded, recorded_input,
    recorded_text,
};
pub use relevance::{Relevance, conservation_csv};
pub use report::{ReportOptions, report};
pub use series_picture::{series_chart, series_stretches};
pub use table_report::report_explained;
pub use target::{parse_target, read_target};
pub use text::{
    EncodedText, TextCompilation, TextEvaluation, TextExplanation, TextFunctionRequest, TextInputs,
    TextModel, TextReportOptions, TextRequest, TextTokenizer, TextWords, Token, Word, attention_npz,
    attention_svg, evaluate_texts, explain_text, explain_text_function, highlighted, report_texts, text_ansi,
    text_evaluations_json, text_fragment, text_html, text_svg, texts_json,
};
pub use trees::{
    FeatureInfo, Gap, ImportanceTable, KnownOfRows, NamedColumns, NamedValue, PlotKind, PlotOptions,
    RowsExplanation, Summary, TableExplanation, TableFormat, TableOutput, TableRequest, TreeInspection,
    TreeMethod, TreeModel, TreeOptions, chart, explain_rows, explain_table, importance_of_rows,
    importance_table, inspect_trees, on_threads, report_table,
};
