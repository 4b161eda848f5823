//! Tree models beside networks: model file + tables → explanations, block by block.

mod about;
mod array_table;
mod background;
mod blocks;
mod cells;
mod charts;
mod classes;
mod columns;
mod csv_table;
mod document;
mod drawing;
mod explain;
mod explainer;
mod importance;
mod inspect;
mod kept;
mod memory;
mod method;
mod model;
mod parquet_table;
mod report;
mod spaces;
mod sparse_table;
mod summary;
mod targets;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use about::fingerprint;
pub(crate) use background::{TableRows, WholeTable, all_rows, whole_tables};
pub(crate) use charts::cohorts;
pub use charts::{PlotKind, PlotOptions, chart};
pub(crate) use classes::Classes;
pub(crate) use columns::{Beside, kept_places, listed};
pub use document::NamedValue;
pub(crate) use document::{json_of, nested};
pub(crate) use drawing::Drawing;
pub use explain::{TableExplanation, TableOutput, TableRequest, explain_table};
pub use importance::{ImportanceTable, importance_of_rows, importance_table};
pub use inspect::{FeatureInfo, TreeInspection, inspect_trees};
pub use memory::{KnownOfRows, NamedColumns, RowsExplanation, explain_rows};
pub use method::{TreeMethod, TreeOptions};
pub use model::TreeModel;
pub use report::report_table;
pub(crate) use spaces::check_link;
pub use summary::{Gap, Summary};
pub use writer::TableFormat;

/// Does work with so many threads, or with all.
///
/// # Errors
/// Threads that cannot be started.
pub fn on_threads<T: Send>(
    threads: Option<usize>,
    work: impl FnOnce() -> T + Send,
) -> Result<T, crate::Error> {
    let Some(threads) = threads else { return Ok(work()) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| crate::Error::request("threads", error.to_string()))?;
    Ok(pool.install(work))
}
