//! `pellucid surrogate`.

use std::fmt::Write;

use pellucid_engine::{Cancellation, ImitatingTree, SurrogateTreeRequest, imitating_tree};

use crate::arguments::{SurrogateArguments, TreeArguments};
use crate::console::Console;
use crate::failure::Failure;
use crate::open;
use crate::predicted::Asked;
use crate::written::wrote;

pub(crate) fn run(
    arguments: &SurrogateArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    let SurrogateArguments { what, served, work: bounds, .. } = arguments;
    let trees = TreeArguments::in_space(arguments.output_space.clone());
    let asked = Asked { what, trees: &trees, served, work: bounds };
    let request = SurrogateTreeRequest {
        target: arguments.target.clone(),
        threshold: arguments.threshold,
        max_depth: arguments.max_depth,
        min_rows_in_leaf: arguments.min_rows_in_leaf,
        held_out: arguments.held_out,
        confidence: arguments.confidence,
        categorical: arguments.categorical.clone(),
        seed: bounds.seed,
    };
    let work = open::work(bounds, arguments.json, "predictions", cancellation);
    let found = asked.with_probabilities(|model, read, _| {
        Ok(imitating_tree(&model, &read(&what.inputs, &[])?, &request, &work)?)
    })?;
    let rules = found.tree.rules().join("\n") + "\n";
    let written = match &arguments.out {
        Some(folder) => open::write_files(
            folder,
            &[
                ("surrogate.json".to_owned(), found.to_json().into_bytes()),
                ("rules.txt".to_owned(), format!("{}\n\n{rules}", found.fidelity_text()).into_bytes()),
            ],
        )?,
        None => Vec::new(),
    };
    match arguments.json {
        true => console.print(&found.to_json()),
        false => console.print(&text(&found, &rules, &written)),
    }
}

/// How far the rules are to be trusted, and only then the rules.
fn text(found: &ImitatingTree, rules: &str, written: &[String]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "fidelity  {}", found.fidelity_text());
    let _ = writeln!(text, "model     {} ({})", found.model.name, found.model.producer);
    let _ = writeln!(text, "imitated  {}, over {} rows\n", found.imitated, found.n_rows);
    let _ = writeln!(text, "{rules}");
    for warning in &found.warnings {
        let _ = writeln!(text, "warning   {warning}");
    }
    text.push_str(&wrote(written));
    text.trim_end().to_owned()
}
