//! `pellucid serve`: the server, until somebody stops it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pellucid_engine::Error;
use pellucid_server::{Clock, Limits, Options, Server, Signals};
use tracing_subscriber::filter::LevelFilter;

use crate::arguments::ServeArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::log::{Time, keys};

pub(crate) fn run(arguments: &ServeArguments, console: &Console) -> Result<(), Failure> {
    tell_on_stderr(&arguments.log_level)?;
    // First of all: whoever asks for an end while models are opened is heard.
    let signals = Signals::listen().map_err(|error| Failure::Setup(error.to_string()))?;
    let options = options(arguments, console)?;
    let server = Server::start(options).map_err(|error| Failure::Setup(error.to_string()))?;
    let models: Vec<String> =
        server.models().iter().map(|(name, version)| format!("{name} (version {version})")).collect();
    console.print(&format!("listening at http://{}\nmodels: {}", server.address(), models.join(", ")))?;
    for (name, fault) in server.model_faults() {
        console.error(&format!("model {name} is not served: {fault}"));
    }
    if let Some(fault) = server.log_fault() {
        console.error(&format!("nothing is recorded: {fault}; it is tried again"));
    }
    signals.wait();
    let ended = server.stop();
    if ended.n_kept > 0 {
        console.note(&format!("{} rows of accepted jobs are explained at the next start", ended.n_kept));
    }
    match ended.n_lost {
        0 => Ok(()),
        n => Err(Failure::Setup(format!(
            "{n} rows were accepted and are not in the log: there was no time for them"
        ))),
    }
}

fn options(arguments: &ServeArguments, console: &Console) -> Result<Options, Failure> {
    let clock: Clock = Arc::new(|| Time::now().micros());
    let key = keys::ready(&arguments.log, &arguments.key, console)?;
    let defaults = Limits::default();
    let rate = arguments.rate.unwrap_or(defaults.requests_per_second);
    if rate.is_nan() || rate <= 0.0 {
        return Err(usage("rate", format!("{rate} lets nobody ask; give requests a second")));
    }
    let limits = Limits {
        explain_queue: arguments.queue.unwrap_or(defaults.explain_queue),
        explain_threads: arguments.explain_threads.unwrap_or(defaults.explain_threads).max(1),
        predict_threads: arguments.predict_threads.max(1),
        requests_per_second: rate,
        burst: rate.max(1.0),
        drain: Duration::from_secs(arguments.drain_secs),
        ..defaults
    };
    Ok(Options {
        address: SocketAddr::from((arguments.host, arguments.port)),
        tokens: arguments.tokens.clone(),
        allowed_hosts: arguments.allow_host.clone(),
        checkpoint_every: arguments.checkpoint_every,
        limits,
        ..Options::new(arguments.models.clone(), arguments.log.clone(), key, clock)
    })
}

fn usage(option: &str, reason: String) -> Failure {
    Error::Request { option: option.to_owned(), reason }.into()
}

/// Lines of JSON on standard error.
fn tell_on_stderr(level: &str) -> Result<(), Failure> {
    let level: LevelFilter = level
        .parse()
        .map_err(|_| usage("log-level", format!("`{level}` is none; there are error, warn, info, debug")))?;
    let told = tracing_subscriber::fmt().json().with_max_level(level).with_writer(std::io::stderr);
    // Another subscriber stays where one was set.
    let _ = told.try_init();
    Ok(())
}
