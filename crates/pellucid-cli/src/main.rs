//! Arguments → engine → text, JSON, pictures. The binary `pellucid`.

mod arguments;
mod compile;
mod console;
mod doctor;
mod evaluate;
mod explain;
mod failure;
mod importance;
mod inspect;
mod open;
mod plot;
mod progress;
mod report;
mod summary;
mod tables;

use std::process::ExitCode;

use clap::Parser;
use pellucid_engine::Cancellation;

use arguments::{Arguments, Command};
use console::Console;
use failure::{Failure, USAGE};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return shown(&error),
    };
    let console = Console::new();
    match run(&arguments, &console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console.error(&failure.to_string());
            ExitCode::from(failure.exit_code())
        }
    }
}

/// What clap has to say: help and version are no faults.
fn shown(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    match error.use_stderr() || printed.is_err() {
        true => ExitCode::from(USAGE),
        false => ExitCode::SUCCESS,
    }
}

fn run(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    let cancellation = Cancellation::default();
    stop_on_interrupt(&cancellation)?;
    match &arguments.command {
        Command::Explain(arguments) => explain::run(arguments, console, &cancellation),
        Command::Evaluate(arguments) => evaluate::run(arguments, console, &cancellation),
        Command::Report(arguments) => report::run(arguments, console, &cancellation),
        Command::Importance(arguments) => importance::run(arguments, console, &cancellation),
        Command::Plot(arguments) => plot::run(arguments, console),
        Command::Compile(arguments) => compile::run(arguments, console),
        Command::Inspect(arguments) => inspect::run(arguments, console),
        Command::Doctor(arguments) => doctor::run(arguments, console),
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
