//! Rows → predictions, on threads of their own: however much is explained, these never wait for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use pellucid_engine::Tensor;
use tokio::sync::oneshot;

use crate::error::Fault;
use crate::models::rows::Rows;
use crate::models::served::Served;

pub(crate) mod sampling;
pub(crate) mod stored;

/// The threads that predict.
pub(crate) struct Pool {
    queue: SyncSender<Question>,
}

struct Question {
    served: Arc<Served>,
    rows: Arc<Rows>,
    answer: oneshot::Sender<Result<Vec<Tensor>, Fault>>,
}

impl Pool {
    /// Starts the threads; they end when the pool is dropped.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub(crate) fn start(n_threads: usize, queue: usize) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        for index in 0..n_threads {
            let receiver = receiver.clone();
            let thread = std::thread::Builder::new().name(format!("predict-{index}"));
            thread.spawn(move || answer_all(&receiver))?;
        }
        Ok(Self { queue: sender })
    }

    /// The model's outputs for rows.
    ///
    /// # Errors
    /// More waiting than the queue holds; whatever the model reports.
    pub(crate) async fn predict(&self, served: Arc<Served>, rows: Arc<Rows>) -> Result<Vec<Tensor>, Fault> {
        let (answer, answered) = oneshot::channel();
        match self.queue.try_send(Question { served, rows, answer }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                let reason = "too many predictions are waiting".to_owned();
                return Err(Fault::TooMany { reason, retry_after_secs: 1 });
            }
            Err(TrySendError::Disconnected(_)) => {
                return Err(Fault::Unavailable("the server is stopping".to_owned()));
            }
        }
        answered.await.map_err(|_| Fault::Internal("the predicting thread ended".to_owned()))?
    }
}

fn answer_all(questions: &Mutex<Receiver<Question>>) {
    // Trees use this one thread alone instead of the pool of all cores, on which explanations could be ahead.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
    loop {
        let question = questions.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Question { served, rows, answer }) = question else { break };
        let predict = || served.predict(&rows);
        let outputs = catch_unwind(AssertUnwindSafe(|| match &pool {
            Ok(pool) => pool.install(predict),
            Err(_) => predict(),
        }));
        let outputs = outputs
            .unwrap_or_else(|_| Err(Fault::Internal(format!("model {} failed on these rows", served.name))));
        // Whoever asked may be gone.
        let _ = answer.send(outputs);
    }
}
