//! Bodies: no larger than allowed, as they come and inflated, and no slower.

use std::io::Read;
use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::app::{App, blocking};
use crate::config::Limits;
use crate::error::Fault;

/// A body that was read whole, inflated where it came compressed, with the request's headers.
pub(crate) struct Content {
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl FromRequest<Arc<App>> for Content {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Fault> {
        let limits = &app.options.limits;
        let (parts, body) = request.into_parts();
        let too_large =
            || Fault::TooLarge(format!("the body is larger than {} bytes", limits.max_body_bytes));
        let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: u64| length > limits.max_body_bytes as u64) {
            return Err(too_large());
        }
        let collected = Limited::new(body, limits.max_body_bytes).collect();
        let collected = tokio::time::timeout(limits.body_timeout, collected).await;
        let slow =
            |_| Fault::Slow(format!("the body was not here within {} s", limits.body_timeout.as_secs_f64()));
        let bytes = collected.map_err(slow)?.map_err(|error| match error.is::<LengthLimitError>() {
            true => too_large(),
            false => Fault::BadRequest(format!("the body broke off: {error}")),
        })?;
        let mut bytes = bytes.to_bytes();
        if parts.headers.contains_key(header::CONTENT_ENCODING) {
            let (headers, limits) = (parts.headers.clone(), limits.clone());
            bytes = blocking(move || inflated(bytes, &headers, &limits)).await?;
        }
        Ok(Self { headers: parts.headers, bytes })
    }
}

impl Content {
    /// The body as JSON, an object.
    ///
    /// # Errors
    /// A body that is none, of another form, or nested too deeply.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let kind = self.headers.get(header::CONTENT_TYPE).map(|it| it.to_str().unwrap_or_default());
        let kind = kind.map(|it| it.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        let is_json = kind.as_deref().is_none_or(|it| it == "application/json" || it.ends_with("+json"));
        if !is_json {
            let kind = kind.unwrap_or_default();
            return Err(Fault::UnsupportedMedia(format!("`{kind}` is not read here; send application/json")));
        }
        // Readers of objects take lists of their fields as well, which nobody means.
        if self.bytes.trim_ascii_start().first() == Some(&b'[') {
            return Err(Fault::BadRequest("the body is a list, expected an object".to_owned()));
        }
        serde_json::from_slice(&self.bytes)
            .map_err(|error| Fault::BadRequest(format!("the body is no JSON of this form: {error}")))
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

fn inflated(bytes: Bytes, headers: &HeaderMap, limits: &Limits) -> Result<Bytes, Fault> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|it| it.to_str().unwrap_or("?"));
    match encoding.map(str::trim) {
        None | Some("" | "identity") => Ok(bytes),
        Some("gzip") => read(MultiGzDecoder::new(&*bytes), limits.max_inflated_bytes),
        Some("deflate") => read(ZlibDecoder::new(&*bytes), limits.max_inflated_bytes),
        Some(other) => Err(Fault::UnsupportedMedia(format!(
            "content encoding `{other}` is not read; send gzip or deflate"
        ))),
    }
}

fn read(inflating: impl Read, max: usize) -> Result<Bytes, Fault> {
    let mut inflated = Vec::new();
    let read = inflating.take(max as u64 + 1).read_to_end(&mut inflated);
    read.map_err(|error| Fault::BadRequest(format!("the body cannot be inflated: {error}")))?;
    match inflated.len() > max {
        true => Err(Fault::TooLarge(format!("the inflated body is larger than {max} bytes"))),
        false => Ok(inflated.into()),
    }
}
