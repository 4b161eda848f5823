//! `pellucid compile`.

use pellucid_engine::{Method, Target, compile, read_target, write_file};

use crate::arguments::CompileArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::open;

pub(crate) fn run(arguments: &CompileArguments, console: &Console) -> Result<(), Failure> {
    let model = open::model(&arguments.model, arguments.preprocess.options(), &arguments.runtime)?;
    let options = arguments.method.options.options();
    let method = Method::new(arguments.method.of_network(), &options, &model, arguments.seed)?;
    let target = match arguments.target.as_str() {
        "predicted" => Target::Top(1),
        text => read_target(&model, text)?,
    };
    let bytes = compile(&model, &method, &target)?;
    write_file(&arguments.out, &bytes)?;
    console.print(&format!(
        "wrote     {} ({} bytes): outputs `{}` and `attribution` ({}, target {})",
        arguments.out.display(),
        bytes.len(),
        model.output_name(),
        method.name(),
        arguments.target
    ))
}
