//! The binary `pellucid`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(pellucid_cli::command(std::env::args_os()))
}
