//! `pellucid compile`.

use std::path::Path;

use pellucid_engine::{
    Error, Method, MethodOptions, Target, TextCompilation, TextModel, compile, compile_text,
    compiled_warning, parse_target, read_target, write_file,
};

use crate::arguments::CompileArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::open;

pub(crate) fn run(arguments: &CompileArguments, console: &Console) -> Result<(), Failure> {
    if let Some((tokenizer, n_tokens)) = arguments.tokenizer.as_deref().zip(arguments.tokens) {
        return text(arguments, tokenizer, n_tokens, asked_target(arguments, parse_target)?, console);
    }
    let model = open::model(&arguments.model, arguments.preprocess.options(), &arguments.runtime)?;
    let target = asked_target(arguments, |text| read_target(&model, text))?;
    let options =
        MethodOptions { background: arguments.background.clone(), ..arguments.method.options.options() };
    let method = Method::new(arguments.method.of_network(), &options, &model, arguments.seed)?;
    let bytes = compile(&model, &method, &target)?;
    write_file(&arguments.out, &bytes)?;
    let mut lines = wrote(arguments, bytes.len(), model.output_name(), method.name());
    if let Some(warning) = compiled_warning(&method) {
        lines = format!("{lines}\nwarning   {warning}");
    }
    console.print(&lines)
}

/// The target; `read` reads one that is named.
fn asked_target(
    arguments: &CompileArguments,
    read: impl FnOnce(&str) -> Result<Target, Error>,
) -> Result<Target, Failure> {
    match arguments.target.as_str() {
        "predicted" => Ok(Target::Top(1)),
        text => Ok(read(text)?),
    }
}

/// A model of token ids.
fn text(
    arguments: &CompileArguments,
    tokenizer: &Path,
    n_tokens: usize,
    target: Target,
    console: &Console,
) -> Result<(), Failure> {
    let options = arguments.model.options(arguments.preprocess.options())?;
    let runtime = open::open_runtime(&arguments.runtime)?;
    let model = TextModel::open(&arguments.model.model, tokenizer, runtime, &options)?;
    let method = arguments.method.of_network();
    let request = TextCompilation {
        method: method.to_owned(),
        options: arguments.method.options.options(),
        target,
        n_tokens,
        token: arguments.token,
        log_probability: arguments.log_probability,
        seed: arguments.seed,
    };
    let bytes = compile_text(&model, &request)?;
    write_file(&arguments.out, &bytes)?;
    let lines = wrote(arguments, bytes.len(), model.output_name(), &method.replace('-', "_"));
    console.print(&format!("{lines}\ninput     ids of texts of {n_tokens} tokens, without padding"))
}

fn wrote(arguments: &CompileArguments, n_bytes: usize, output: &str, method: &str) -> String {
    format!(
        "wrote     {} ({n_bytes} bytes): outputs `{output}` and `attribution` ({method}, target {})",
        arguments.out.display(),
        arguments.target
    )
}
