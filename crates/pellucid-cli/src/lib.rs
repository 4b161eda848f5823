//! Arguments → engine → text, JSON, pictures. The command `pellucid`, as a binary and inside the Python package.

mod agnostic;
mod arguments;
mod compile;
mod console;
mod counterfactuals;
mod doctor;
mod effects;
mod evaluate;
mod explain;
mod failure;
mod importance;
mod inspect;
mod label_importance;
mod log;
mod open;
mod plot;
mod predicted;
mod progress;
mod report;
mod serve;
mod summary;
mod surrogate;
mod tables;
mod texts;
mod token;
mod written;

use std::ffi::OsString;

use clap::Parser;
use pellucid_engine::Cancellation;

use arguments::{Arguments, Command};
use console::Console;
use failure::{Failure, SUCCESS, USAGE};

/// Does what `arguments` ask for, the command's name first; gives the exit code.
pub fn command(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return shown(&error),
    };
    let console = Console::new();
    match run(&arguments, &console) {
        Ok(()) => SUCCESS,
        Err(failure) => {
            console.error(&failure.to_string());
            failure.exit_code()
        }
    }
}

/// What clap has to say: help and version are no faults.
fn shown(error: &clap::Error) -> u8 {
    let printed = error.print();
    if error.use_stderr() || printed.is_err() { USAGE } else { SUCCESS }
}

fn run(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    // A server ends in order by itself, also at SIGTERM.
    if let Command::Serve(arguments) = &arguments.command {
        return serve::run(arguments, console);
    }
    let cancellation = Cancellation::default();
    stop_on_interrupt(&cancellation)?;
    match &arguments.command {
        Command::Explain(arguments) => explain::run(arguments, console, &cancellation),
        Command::Evaluate(arguments) => evaluate::run(arguments, console, &cancellation),
        Command::Report(arguments) => report::run(arguments, console, &cancellation),
        Command::Importance(arguments) => importance::run(arguments, console, &cancellation),
        Command::Effects(arguments) => effects::run(arguments, console, &cancellation),
        Command::Surrogate(arguments) => surrogate::run(arguments, console, &cancellation),
        Command::Counterfactuals(arguments) => counterfactuals::run(arguments, console, &cancellation),
        Command::Plot(arguments) => plot::run(arguments, console),
        Command::Compile(arguments) => compile::run(arguments, console),
        Command::Inspect(arguments) => inspect::run(arguments, console),
        Command::Doctor(arguments) => doctor::run(arguments, console),
        Command::Log(command) => log::run(command, console, &cancellation),
        Command::Serve(arguments) => serve::run(arguments, console),
        Command::Token(arguments) => token::run(arguments, console),
    }
}

/// The first Ctrl-C ends the work at its next step, the second at once.
fn stop_on_interrupt(cancellation: &Cancellation) -> Result<(), Failure> {
    let cancellation = cancellation.clone();
    ctrlc::set_handler(move || {
        if cancellation.is_canceled() {
            std::process::exit(i32::from(failure::INTERRUPTED));
        }
        cancellation.cancel();
    })
    .map_err(|error| Failure::Setup(error.to_string()))
}
