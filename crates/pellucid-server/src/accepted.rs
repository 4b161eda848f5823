//! What was answered with 202, on the disk until it has ended: a server that was killed goes on with it when it starts again.
//!
//! One file a job, in a folder beside the log, readable by its owner alone: it holds inputs. It is whole or not there.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ndarray::{ArrayD, IxDyn};
use pellucid_store::write_private;
use serde::{Deserialize, Serialize};

use crate::api::Wish;
use crate::app::{App, blocking};
use crate::error::Fault;
use crate::explaining::{self, Order, Ordered};
use crate::jobs::{Job, State};
use crate::models::rows::Rows;
use crate::queue::Priority;

/// Between two attempts to queue what was accepted before.
const PAUSE: Duration = Duration::from_millis(200);

/// The folder of accepted jobs.
pub(crate) struct Accepted {
    folder: PathBuf,
}

/// A job as it was accepted.
#[derive(Deserialize, Serialize)]
pub(crate) struct Kept {
    job_id: String,
    created_micros: i64,
    model: String,
    version: String,
    priority: Priority,
    parameters: Wish,
    rows: Vec<KeptRow>,
}

#[derive(Deserialize, Serialize)]
struct KeptRow {
    prediction_id: String,
    input: KeptInput,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum KeptInput {
    /// The numbers' bits: JSON has neither what is missing nor what is infinite.
    Numbers {
        shape: Vec<usize>,
        bits: Vec<u64>,
    },
    Texts(Vec<String>),
}

impl Kept {
    pub(crate) fn new(job_id: &str, created_micros: i64, order: &Order, parameters: &Wish) -> Self {
        let row = |row: &Ordered| KeptRow {
            prediction_id: row.prediction_id.clone(),
            input: match &*row.input {
                Rows::Texts(texts) => KeptInput::Texts(texts.clone()),
                Rows::Numbers(numbers) => KeptInput::Numbers {
                    shape: numbers.shape().to_vec(),
                    bits: numbers.iter().map(|x| x.to_bits()).collect(),
                },
            },
        };
        Self {
            job_id: job_id.to_owned(),
            created_micros,
            model: order.served.name.clone(),
            version: order.served.version.clone(),
            priority: order.priority,
            parameters: parameters.clone(),
            rows: order.rows.iter().map(row).collect(),
        }
    }
}

impl Accepted {
    /// The jobs beside a log: `LOG.accepted/`.
    pub(crate) fn of_log(log: &Path) -> Self {
        let mut name = log.as_os_str().to_owned();
        name.push(".accepted");
        Self { folder: PathBuf::from(name) }
    }

    /// Writes a job down; once this returns it survives the process.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] where that is not possible: nothing is accepted then.
    pub(crate) fn keep(&self, kept: &Kept) -> Result<(), Fault> {
        let bytes = serde_json::to_vec(kept).map_err(|error| Fault::Internal(error.to_string()))?;
        write_private(&self.path(&kept.job_id), &bytes).map_err(|error| {
            Fault::Unavailable(format!("{error}; what cannot be written down is not accepted"))
        })
    }

    /// Forgets a job. Where a killed process did not get to it, its rows are found in the log at the next start.
    pub(crate) fn forget(&self, id: &str) {
        let _ = fs::remove_file(self.path(id));
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// All jobs that have not ended, the oldest first, and what is wrong with files that hold none. What a killed process had not
    /// written to its end was not accepted, and holds inputs: it goes.
    fn left(&self) -> (Vec<Kept>, Vec<String>) {
        let (mut jobs, mut faults) = (Vec::new(), Vec::new());
        let paths = fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path());
        for path in paths {
            if path.extension().is_none_or(|ending| ending != "json") {
                let _ = fs::remove_file(&path);
                continue;
            }
            let job = fs::read(&path).map_err(|error| error.to_string());
            match job.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string())) {
                Ok(job) => jobs.push(job),
                Err(reason) => faults.push(format!("{}: {reason}", path.display())),
            }
        }
        jobs.sort_by_key(|job: &Kept| job.created_micros);
        (jobs, faults)
    }
}

/// Forgets a job once all its rows have ended. What ended because the server did is not forgotten.
pub(crate) fn forget_once_ended(app: &Arc<App>, job: &Arc<Job>) {
    let (app, job) = (app.clone(), job.clone());
    tokio::spawn(async move {
        for row in &job.rows {
            let mut watch = row.watch();
            let ended = watch.wait_for(State::is_final).await.map(|state| state.clone());
            if matches!(ended, Err(_) | Ok(State::Failed(Fault::Unavailable(_)))) {
                return;
            }
        }
        let _ = blocking(move || {
            app.accepted.forget(&job.id);
            Ok(())
        })
        .await;
    });
}

/// Queues what was accepted before the process ended, so that whoever asks for a job finds it. What is in the log already is not
/// explained again. Another process that writes to the log may still be at these jobs: they wait until the log is this one's.
pub(crate) async fn resume(app: Arc<App>) {
    if app.log.fault().is_none() {
        return resume_all(app).await;
    }
    tokio::spawn(async move {
        while app.log.fault().is_some() {
            tokio::time::sleep(PAUSE).await;
        }
        resume_all(app).await;
    });
}

async fn resume_all(app: Arc<App>) {
    let reading = app.clone();
    let (left, faults) = blocking(move || Ok(reading.accepted.left())).await.unwrap_or_default();
    for fault in faults {
        tracing::error!(fault, "an accepted job cannot be read; it is left where it is");
    }
    for kept in left {
        match resumed(&app, &kept).await {
            // Nothing waits for it: there is room once something is explained.
            Err(Fault::TooMany { .. }) => drop(tokio::spawn(resume_later(app.clone(), kept))),
            told => tell(&kept, told),
        }
    }
}

async fn resume_later(app: Arc<App>, kept: Kept) {
    loop {
        tokio::time::sleep(PAUSE).await;
        match resumed(&app, &kept).await {
            Err(Fault::TooMany { .. }) => {}
            told => return tell(&kept, told),
        }
    }
}

fn tell(kept: &Kept, resumed: Result<(), Fault>) {
    match resumed {
        Ok(()) => tracing::info!(job = kept.job_id, "an accepted job goes on"),
        Err(fault) => {
            tracing::error!(job = kept.job_id, %fault, "an accepted job cannot go on; it is tried again at the next start");
        }
    }
}

async fn resumed(app: &Arc<App>, kept: &Kept) -> Result<(), Fault> {
    let served = app.folder.model(&kept.model, Some(&kept.version))?;
    let plan = kept.parameters.plan(&served).await?;
    let deadline = kept.parameters.deadline(&app.options.limits)?;
    let ordered = |row: &KeptRow| {
        let input = Arc::new(row.input.rows()?);
        served.kind.check(&input)?;
        Ok(Ordered { prediction_id: row.prediction_id.clone(), input, inclusion_probability: 1.0 })
    };
    let ordered = kept.rows.iter().map(ordered).collect::<Result<_, Fault>>()?;
    let order = Order::new(served.clone(), plan.clone(), kept.priority, ordered);
    let rows = explaining::place(app, order).await?;
    rows.iter().for_each(|row| row.keep());
    let job = Arc::new(Job::new(kept.job_id.clone(), kept.created_micros, served, &plan, rows));
    if kept.parameters.has_deadline() {
        explaining::expire(&job, deadline);
    }
    forget_once_ended(app, &job);
    app.jobs.add(job);
    Ok(())
}

impl KeptInput {
    fn rows(&self) -> Result<Rows, Fault> {
        match self {
            Self::Texts(texts) => Ok(Rows::Texts(texts.clone())),
            Self::Numbers { shape, bits } => {
                let values = bits.iter().map(|&bits| f64::from_bits(bits)).collect();
                let numbers = ArrayD::from_shape_vec(IxDyn(shape), values);
                numbers.map(Rows::Numbers).map_err(|error| Fault::Internal(error.to_string()))
            }
        }
    }
}
