//! One question to a server: tried again with growing pauses where that can help, within a deadline.

use std::time::{Duration, Instant};

use ureq::http::StatusCode;
use ureq::{Agent, Body, http::Response};

use crate::error::Error;

/// An answer larger than this is refused: no batch of predictions is.
const MAX_ANSWER_BYTES: u64 = 256 << 20;

/// What a refusal says is shown up to here.
const MAX_SHOWN_CHARS: usize = 300;

/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// No pause is longer, whatever the server asks for.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// How long and how often a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// One question may take so long.
    pub timeout: Duration,
    /// A question that failed for a reason that may pass is asked again so often: no connection, no answer in time, 429, 502, 503,
    /// 504.
    pub n_retries: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), n_retries: 4 }
    }
}

/// Asks a server, always the same way.
pub(crate) struct Asker {
    agent: Agent,
    patience: Patience,
    token: Option<String>,
    deadline: Option<Instant>,
}

/// Why one try failed.
enum Failure {
    MayPass { error: Error, pause: Option<Duration> },
    Stays(Error),
}

impl Asker {
    pub(crate) fn new(patience: Patience, token: Option<String>, deadline: Option<Instant>) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(patience.timeout))
            .max_redirects(0)
            .proxy(None)
            .http_status_as_error(false)
            .user_agent(concat!("pellucid/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: Agent::new_with_config(config), patience, token, deadline }
    }

    /// What `GET address` gives.
    pub(crate) fn get(&self, address: &str) -> Result<Vec<u8>, Error> {
        self.patiently(address, || self.with_token(self.agent.get(address)).call())
    }

    /// What `POST address` of a JSON document gives.
    pub(crate) fn post(&self, address: &str, document: &[u8]) -> Result<Vec<u8>, Error> {
        self.patiently(address, || {
            self.with_token(self.agent.post(address)).content_type("application/json").send(document)
        })
    }

    fn with_token<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn patiently(
        &self,
        address: &str,
        ask: impl Fn() -> Result<Response<Body>, ureq::Error>,
    ) -> Result<Vec<u8>, Error> {
        let (mut pause, mut n_tries) = (FIRST_PAUSE, 1);
        loop {
            let (error, asked_for) = match answer(address, ask(), n_tries) {
                Ok(body) => return Ok(body),
                Err(Failure::Stays(error)) => return Err(error),
                Err(Failure::MayPass { error, pause }) => (error, pause),
            };
            let wait = asked_for.unwrap_or(pause).min(MAX_PAUSE);
            let is_late = self.deadline.is_some_and(|deadline| Instant::now() + wait > deadline);
            if n_tries > self.patience.n_retries || is_late {
                return Err(error);
            }
            std::thread::sleep(wait);
            pause = (2 * pause).min(MAX_PAUSE);
            n_tries += 1;
        }
    }
}

fn answer(
    address: &str,
    response: Result<Response<Body>, ureq::Error>,
    n_tries: usize,
) -> Result<Vec<u8>, Failure> {
    let unreachable = |reason: String| Error::Unreachable {
        address: address.to_owned(),
        reason: match n_tries {
            1 => reason,
            n => format!("{reason} (tried {n} times)"),
        },
    };
    let mut response = match response {
        Ok(response) => response,
        Err(error @ (ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed)) => {
            return Err(Failure::MayPass { error: unreachable(error.to_string()), pause: None });
        }
        Err(error) => return Err(Failure::Stays(unreachable(error.to_string()))),
    };
    let status = response.status();
    let pause = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec();
    // A body that breaks off is an answer that did not come.
    let body =
        body.map_err(|error| Failure::MayPass { error: unreachable(error.to_string()), pause: None })?;
    if status.is_success() {
        return Ok(body);
    }
    let shown: String = String::from_utf8_lossy(&body).chars().take(MAX_SHOWN_CHARS).collect();
    let reason = if status.is_redirection() { "a redirect, which is not followed".to_owned() } else { shown };
    let error = Error::Refused { address: address.to_owned(), status: status.as_u16(), body: reason };
    let may_pass = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ];
    match may_pass.contains(&status) {
        true => Err(Failure::MayPass { error, pause: pause.map(Duration::from_secs) }),
        false => Err(Failure::Stays(error)),
    }
}
