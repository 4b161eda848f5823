//! From options to a listening server, and from there to its orderly end.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use pellucid_engine::{RuntimeChoice, RuntimeOptions, runtime};
use pellucid_store::Options as LogOptions;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};

use crate::accepted::{Accepted, resume};
use crate::api::router;
use crate::app::App;
use crate::cache::Cache;
use crate::config::Options;
use crate::error::Fault;
use crate::events::Pairs;
use crate::jobs::Jobs;
use crate::metrics::Metrics;
use crate::models::Folder;
use crate::models::served::Runtimes;
use crate::predict::Pool;
use crate::predict::stored::Predictions;
use crate::queue::worker::{self, Workshop};
use crate::queue::{Capacity, Queue};
use crate::recorder::{LogFile, Recorder};
use crate::security::audit::Audit;
use crate::security::headers::own_names;
use crate::security::rate::Rate;
use crate::security::tokens::Tokens;

/// Threads that read requests and write answers.
const HTTP_THREADS: usize = 2;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

impl StartError {
    pub(crate) fn of(what: &str, error: impl std::fmt::Display) -> Self {
        Self(format!("{what}: {error}"))
    }
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Rows of accepted jobs whose explanation is not in the log: they are on the disk, and go on at the next start.
    pub n_kept: usize,
    /// Other rows that were to be explained, and whose explanation is not in the log.
    pub n_lost: usize,
}

/// A server that listens.
pub struct Server {
    address: SocketAddr,
    app: Arc<App>,
    http: Option<Runtime>,
    stop: watch::Sender<bool>,
    accepting: Option<tokio::task::JoinHandle<()>>,
    explaining: Vec<JoinHandle<()>>,
    recorder: Arc<Recorder>,
    watching: Option<JoinHandle<()>>,
    watched: Arc<(Mutex<bool>, Condvar)>,
}

impl Server {
    /// Opens models and log, and listens. A log that cannot be opened, and models that cannot be served, keep nothing from
    /// starting: `/readyz` tells of them.
    ///
    /// # Errors
    /// An address that cannot be listened at, or may not be without tokens; a folder of models or a file of tokens that cannot be
    /// read; no runtime for networks.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let tokens = tokens(&options)?;
        let http = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(HTTP_THREADS)
            .thread_name("http")
            .enable_all()
            .build()
            .map_err(|error| StartError::of("threads", error))?;
        let listener = http.block_on(TcpListener::bind(options.address));
        let listener = listener.map_err(|error| StartError::of(&options.address.to_string(), error))?;
        let address = listener.local_addr().map_err(|error| StartError::of("address", error))?;
        let folder = Folder::open(&options.models, runtimes(&options)?);
        let folder = Arc::new(folder.map_err(|fault| StartError::of("models", fault))?);
        for (name, fault) in folder.faults() {
            tracing::warn!(model = name, fault, "not served");
        }
        let app = app(options, address, folder, tokens)?;
        let recorder = recorder(&app)?;
        let explaining = explaining(&app, &recorder)?;
        http.block_on(resume(app.clone()));
        let (stop, stopped) = watch::channel(false);
        let limits = &app.options.limits;
        let accepting = Accepting {
            router: router(app.clone()),
            connections: Arc::new(Semaphore::new(limits.max_connections)),
            head_timeout: limits.head_timeout,
        };
        let accepting = http.spawn(accepting.run(listener, stopped));
        let watched = Arc::new((Mutex::new(false), Condvar::new()));
        let watching = watch_models(&app, watched.clone())?;
        tracing::info!(%address, models = app.folder.all().len(), "listening");
        Ok(Self {
            address,
            app,
            http: Some(http),
            stop,
            accepting: Some(accepting),
            explaining,
            recorder,
            watching: Some(watching),
            watched,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The reason why nothing can be written to the log, where that is so.
    #[must_use]
    pub fn log_fault(&self) -> Option<String> {
        self.app.log.fault().map(|fault| fault.to_string())
    }

    /// What is wrong with models that are not served, by name.
    #[must_use]
    pub fn model_faults(&self) -> Vec<(String, String)> {
        self.app.folder.faults().into_iter().collect()
    }

    /// The names and versions of the models that are served.
    #[must_use]
    pub fn models(&self) -> Vec<(String, String)> {
        self.app.folder.all().iter().map(|served| (served.name.clone(), served.version.clone())).collect()
    }

    /// Ends in order: takes nothing new, answers what was asked, explains and records what was accepted, within the time that the
    /// options give; tells how much was left.
    pub fn stop(mut self) -> Drained {
        let until = Instant::now() + self.app.options.limits.drain;
        self.app.draining.store(true, Ordering::Release);
        tracing::info!("stopping");
        self.app.queue.close();
        self.explain_the_rest(until);
        self.recorder.stop(until);
        // Whatever is explained from here on comes too late.
        let late = Fault::Unavailable("the server stopped before this was explained and recorded".to_owned());
        let (n_kept, n_lost) = self.app.jobs.end_all(&late);
        drop(self.app.queue.clear());
        self.stop_listening(until);
        self.stop_watching();
        let drained = Drained { n_kept, n_lost };
        tracing::info!(n_kept, n_lost, "stopped");
        drained
    }

    /// Waits for the explaining threads, as long as there is time.
    fn explain_the_rest(&self, until: Instant) {
        let is_done = |threads: &[JoinHandle<()>]| threads.iter().all(JoinHandle::is_finished);
        while !is_done(&self.explaining) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn stop_listening(&mut self, until: Instant) {
        let _ = self.stop.send(true);
        let Some(http) = self.http.take() else { return };
        if let Some(accepting) = self.accepting.take() {
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(200));
            let _ = http.block_on(async { tokio::time::timeout(left, accepting).await });
        }
        http.shutdown_timeout(Duration::from_millis(200));
    }

    fn stop_watching(&mut self) {
        *self.watched.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.watched.1.notify_all();
        if let Some(watching) = self.watching.take() {
            let _ = watching.join();
        }
    }
}

/// Without tokens anybody who reaches the server may do everything, so nobody but this machine may.
fn tokens(options: &Options) -> Result<Option<Tokens>, StartError> {
    match &options.tokens {
        Some(path) => Ok(Some(Tokens::read(path).map_err(|fault| StartError(fault.to_string()))?)),
        None if options.address.ip().is_loopback() => Ok(None),
        None => Err(StartError(format!(
            "{}: others than this machine are listened to with tokens only; make one with `pellucid token` and name the file with \
             --tokens",
            options.address
        ))),
    }
}

fn runtimes(options: &Options) -> Result<Runtimes, StartError> {
    let choice = RuntimeChoice::from_environment().map_err(|error| StartError::of("runtime", error))?;
    let opened = |threads: usize| {
        let options = RuntimeOptions { choice, threads, ..RuntimeOptions::default() };
        runtime(&options).map_err(|error| StartError::of("runtime", error))
    };
    Ok(Runtimes { predicting: opened(1)?, explaining: opened(options.limits.explain_threads)? })
}

fn app(
    options: Options,
    address: SocketAddr,
    folder: Arc<Folder>,
    tokens: Option<Tokens>,
) -> Result<Arc<App>, StartError> {
    let limits = options.limits.clone();
    let log_options =
        LogOptions { checkpoint_every: options.checkpoint_every, max_file_bytes: options.max_log_bytes };
    let metrics = Arc::new(Metrics::default());
    let pool = Pool::start(limits.predict_threads, limits.predict_queue);
    Ok(Arc::new(App {
        names: own_names(address, &options.allowed_hosts),
        folder,
        pool: pool.map_err(|error| StartError::of("threads", error))?,
        predictions: Predictions::new(limits.predictions_bytes),
        queue: Arc::new(Queue::new(
            Capacity { n_rows: limits.explain_queue, n_bytes: limits.explain_queue_bytes },
            limits.rows_at_once,
        )),
        jobs: Arc::new(Jobs::new(limits.jobs_kept, metrics.clone())),
        log: Arc::new(LogFile::new(options.log.clone(), options.key.clone(), log_options)),
        metrics,
        tokens,
        events: Pairs::new(limits.event_timeout, limits.predictions_bytes),
        dashboard: Mutex::default(),
        rate: Rate::new(limits.requests_per_second, limits.burst),
        audit: Audit::of_log(&options.log),
        accepted: Accepted::of_log(&options.log),
        draining: AtomicBool::new(false),
        options,
    }))
}

fn recorder(app: &Arc<App>) -> Result<Arc<Recorder>, StartError> {
    // A log that cannot be written to is told of by `/readyz` and tried again by the recorder.
    if let Err(fault) = app.log.log() {
        tracing::error!(%fault, "the log cannot be opened");
    }
    let (clock, limits) = (app.options.clock.clone(), &app.options.limits);
    let recorder = Recorder::start(app.log.clone(), app.metrics.clone(), clock, limits);
    Ok(Arc::new(recorder.map_err(|error| StartError::of("threads", error))?))
}

fn explaining(app: &Arc<App>, recorder: &Arc<Recorder>) -> Result<Vec<JoinHandle<()>>, StartError> {
    let workshop = Arc::new(Workshop {
        queue: app.queue.clone(),
        cache: Cache::new(app.options.limits.cache_bytes),
        recorder: recorder.clone(),
        metrics: app.metrics.clone(),
        before_explaining: app.options.before_explaining.clone(),
    });
    let started = worker::start(&workshop, app.options.limits.explain_threads.max(1));
    started.map_err(|error| StartError::of("threads", error))
}

/// Looks at the folder of models again and again.
fn watch_models(app: &Arc<App>, stop: Arc<(Mutex<bool>, Condvar)>) -> Result<JoinHandle<()>, StartError> {
    let (folder, pause) = (app.folder.clone(), app.options.limits.poll);
    let watch = move || loop {
        let stopped = stop.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = stop.1.wait_timeout_while(stopped, pause, |stopped| !*stopped);
        if *waited.unwrap_or_else(PoisonError::into_inner).0 {
            break;
        }
        folder.refresh().iter().for_each(|news| tracing::info!("{news}"));
    };
    let thread = std::thread::Builder::new().name("models".to_owned());
    thread.spawn(watch).map_err(|error| StartError::of("threads", error))
}

/// What takes connections.
struct Accepting {
    router: Router,
    connections: Arc<Semaphore>,
    head_timeout: Duration,
}

impl Accepting {
    async fn run(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let open = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let Ok((stream, _)) = accepted else {
                // Out of file handles, most likely: others have to end first.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            // Beyond the most, a connection is closed at once.
            let Ok(permit) = self.connections.clone().try_acquire_owned() else { continue };
            let _ = stream.set_nodelay(true);
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(self.head_timeout);
            let service = TowerToHyperService::new(self.router.clone());
            let connection = open.watch(builder.serve_connection(TokioIo::new(stream), service));
            tokio::spawn(async move {
                let _ = connection.await;
                drop(permit);
            });
        }
        open.shutdown().await;
    }
}
