//! Methods that need predictions alone, for a model of any kind: a network, trees, a function, a served endpoint.

mod by_crops;
mod columns;
mod counterfactuals;
mod explain;
mod importance;
mod masking;
mod method;
mod model;
mod pairs;
mod players;
mod rows;
pub(crate) mod series;
mod surrogate;
mod surrogate_tree;

pub use counterfactuals::{CounterfactualRequest, FoundCounterfactuals, counterfactuals, split_thresholds};
pub use explain::{AgnosticRequest, explain_predicted};
pub use importance::{LabelImportance, LabelImportanceRequest, Truths, label_importance};
pub use masking::MaskingOptions;
pub use method::{AgnosticMethod, AgnosticOptions};
pub use model::{FunctionInfo, PredictedModel, Source, patience};
pub use players::segments_of_image;
pub use rows::PredictedRows;
pub use surrogate::{Neighborhood, surrogate};
pub use surrogate_tree::{ImitatingTree, SurrogateTreeRequest, imitating_tree};
