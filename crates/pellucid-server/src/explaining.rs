//! What is asked to be explained → rows in the queue, once for each prediction, plan and input.

use std::sync::Arc;
use std::time::Duration;

use pellucid_store::{Array, Entry, Payload, Reader, Values};

use crate::app::{App, blocking};
use crate::cache;
use crate::error::Fault;
use crate::jobs::{Job, Row, State};
use crate::models::plan::Plan;
use crate::models::rows::Rows;
use crate::models::served::Served;
use crate::predict::sampling;
use crate::predict::stored::Prediction;
use crate::queue::{Priority, Task};

/// Rows of one model that are to be explained by one plan.
pub(crate) struct Order {
    pub(crate) served: Arc<Served>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) priority: Priority,
    /// Whether the explanations themselves are wanted.
    pub(crate) keep: bool,
    pub(crate) rows: Vec<Ordered>,
}

/// A row to be explained.
pub(crate) struct Ordered {
    pub(crate) prediction_id: String,
    /// `[1, features…]`.
    pub(crate) input: Arc<Rows>,
    pub(crate) inclusion_probability: f64,
}

impl Order {
    pub(crate) fn new(served: Arc<Served>, plan: Arc<Plan>, priority: Priority, rows: Vec<Ordered>) -> Self {
        Self { served, plan, priority, keep: false, rows }
    }

    /// Refuses what would cost more than a request may.
    pub(crate) fn check_cost(&self, max_cost: u64) -> Result<(), Fault> {
        let cost = self.plan.cost_of_row.saturating_mul(self.rows.len() as u64);
        match cost <= max_cost {
            true => Ok(()),
            false => Err(Fault::TooLarge(format!(
                "about {cost} model evaluations ({} rows of {}), and one request may take {max_cost}: send fewer rows, or ask \
                 for fewer draws",
                self.rows.len(),
                self.plan.cost_of_row
            ))),
        }
    }
}

/// Puts an order into the queue; rows that are under way or in the log already are not explained again.
///
/// # Errors
/// A queue without room for all of them; nothing is queued then.
pub(crate) async fn place(app: &Arc<App>, order: Order) -> Result<Vec<Arc<Row>>, Fault> {
    order.check_cost(app.options.limits.max_cost)?;
    let recorded = if order.keep { vec![None; order.rows.len()] } else { recorded(app, &order).await? };
    let (mut rows, mut tasks, mut joined) = (Vec::new(), Vec::new(), Vec::new());
    for (ordered, recorded) in order.rows.into_iter().zip(recorded) {
        let (row, is_new) = app.jobs.row(&ordered.prediction_id, cache::key(&order.plan, &ordered.input));
        match recorded {
            Some(index) if is_new => {
                row.settle(State::Recorded(index, None));
            }
            None if is_new => tasks.push(Task {
                served: order.served.clone(),
                plan: order.plan.clone(),
                priority: order.priority,
                row: row.clone(),
                input: ordered.input,
                inclusion_probability: ordered.inclusion_probability,
                keep: order.keep,
            }),
            _ => joined.push(row.clone()),
        }
        rows.push(row);
    }
    let new: Vec<Arc<Row>> = tasks.iter().map(|task| task.row.clone()).collect();
    if let Err(fault) = app.queue.add(tasks) {
        for row in &new {
            row.settle(State::Failed(fault.clone()));
        }
        rows.iter().for_each(|row| row.give_up(State::Canceled));
        return Err(fault);
    }
    // Whoever asks more urgently than those before takes them along.
    app.queue.raise(&order.plan.call, &joined, order.priority);
    Ok(rows)
}

/// Where the log holds an explanation of these rows by the plan.
async fn recorded(app: &Arc<App>, order: &Order) -> Result<Vec<Option<u64>>, Fault> {
    let (log, plan) = (app.log.clone(), order.plan.clone());
    let rows: Vec<(String, Arc<Rows>)> =
        order.rows.iter().map(|row| (row.prediction_id.clone(), row.input.clone())).collect();
    blocking(move || {
        // A log that is not there yet holds nothing.
        let Ok(reader) = log.reader() else { return Ok(vec![None; rows.len()]) };
        rows.iter().map(|(id, input)| recorded_of(&reader, &plan, id, input)).collect()
    })
    .await
}

/// A record under the prediction's name answers only where it has the plan's seed and this input: names are the callers'.
fn recorded_of(reader: &Reader, plan: &Plan, id: &str, input: &Rows) -> Result<Option<u64>, Fault> {
    let Some(stored) = reader.current(id, &plan.comparability_key)? else { return Ok(None) };
    let has_seed = matches!(&stored.entry, Entry::Record { record, .. } if record.seed == Some(plan.seed));
    let is_same = has_seed && reader.payload(stored.index).is_ok_and(|payload| holds(&payload, input));
    Ok(is_same.then_some(stored.index))
}

fn holds(payload: &Payload, input: &Rows) -> bool {
    match (payload.input.first().map(Array::values), input) {
        (Some(Values::F64(values)), Rows::Numbers(input)) => {
            values.iter().map(|x| x.to_bits()).eq(input.iter().map(|x| x.to_bits()))
        }
        // Networks are asked in single precision.
        (Some(Values::F32(values)), Rows::Numbers(input)) => {
            values.iter().map(|x| x.to_bits()).eq(input.iter().map(|x| (*x as f32).to_bits()))
        }
        (Some(Values::Text(texts)), Rows::Texts(input)) => texts == input,
        _ => false,
    }
}

/// Ends a job that is not done in time.
pub(crate) fn expire(job: &Arc<Job>, after: Duration) {
    let job = Arc::downgrade(job);
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        if let Some(job) = job.upgrade() {
            job.cancel(&State::Failed(late(after)));
        }
    });
}

pub(crate) fn late(after: Duration) -> Fault {
    Fault::Deadline(format!("not explained within {} s", after.as_secs_f64()))
}

/// What was chosen of predictions that were just answered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sampled {
    pub(crate) n_queued: usize,
    /// Chosen, and not taken by the full queue: counted, and told to whoever asked.
    pub(crate) n_dropped: usize,
}

/// Remembers predictions, and queues those that the model's rule chooses. Nobody waits for it.
pub(crate) fn sample(
    app: &App,
    served: &Arc<Served>,
    ids: &[String],
    rows: &Rows,
    probabilities: &[Option<Vec<f64>>],
) -> Sampled {
    let mut tasks = Vec::new();
    for (index, (id, probabilities)) in ids.iter().zip(probabilities).enumerate() {
        let input = Arc::new(rows.row(index));
        let (model, version) = (served.name.clone(), served.version.clone());
        app.predictions.keep(id, Prediction { model, version, row: input.clone() });
        let Some(probability) = sampling::chosen(served, id, probabilities.as_deref()) else { continue };
        let (row, is_new) = app.jobs.row(id, cache::key(&served.plan, &input));
        if is_new {
            tasks.push(Task {
                served: served.clone(),
                plan: served.plan.clone(),
                priority: Priority::Low,
                row,
                input,
                inclusion_probability: probability,
                keep: false,
            });
        }
    }
    let queued: Vec<Arc<Row>> = tasks.iter().map(|task| task.row.clone()).collect();
    match app.queue.add(tasks) {
        Ok(()) => Sampled { n_queued: queued.len(), n_dropped: 0 },
        Err(fault) => {
            for row in &queued {
                row.settle(State::Failed(fault.clone()));
                app.metrics.outcome("dropped");
            }
            Sampled { n_queued: 0, n_dropped: queued.len() }
        }
    }
}
