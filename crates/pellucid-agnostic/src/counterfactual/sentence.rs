//! "Had X been a instead of b, the outcome would have been c."

use super::Change;
use super::table::Table;

/// The changes and the outcome in one sentence.
pub(super) fn sentence(table: &Table, changes: &[Change], outcome: &str) -> String {
    let parts: Vec<String> = changes
        .iter()
        .map(|change| {
            let column = &table.columns[change.column];
            format!("{} been {} instead of {}", column.name, column.text(change.to), column.text(change.from))
        })
        .collect();
    let listed = match &parts[..] {
        [] => return format!("With nothing changed, the outcome is {outcome}."),
        [only] => only.clone(),
        [first, second] => format!("{first} and {second}"),
        [others @ .., last] => format!("{}, and {last}", others.join(", ")),
    };
    format!("Had {listed}, the outcome would have been {outcome}.")
}
