//! `pellucid log`: what was explained, kept so that no change goes unnoticed.

mod append;
mod erase;
mod export;
mod feedback;
mod json;
mod keeping;
pub(crate) mod keys;
mod place;
mod prove;
mod query;
mod replay;
mod show;
mod time;
mod verify;

use pellucid_engine::Cancellation;

use crate::arguments::LogCommand;
use crate::console::Console;
use crate::failure::Failure;
pub(crate) use keeping::{Explained, Keep, Sink, first_fault};
pub(crate) use time::Time;

pub(crate) fn run(
    command: &LogCommand,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    match command {
        LogCommand::Append(arguments) => append::run(arguments, console),
        LogCommand::Show(arguments) => show::run(arguments, console),
        LogCommand::Query(arguments) => query::run(arguments, console),
        LogCommand::Verify(arguments) => verify::run(arguments, console),
        LogCommand::Prove(arguments) => prove::run(arguments, console),
        LogCommand::Export(arguments) => export::run(arguments, console),
        LogCommand::Replay(arguments) => replay::run(arguments, console, cancellation),
        LogCommand::Erase(arguments) => erase::run(arguments, console),
        LogCommand::Retain(arguments) => erase::retain(arguments, console),
        LogCommand::Feedback(arguments) => feedback::run(arguments, console),
    }
}
