//! What every request has to say, and every answer does.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::tokens::Caller;
use crate::app::App;
use crate::error::Fault;

/// Scripts, styles and data from here alone, and nobody frames these pages.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Checks the host, passes on, counts, and sets the headers of every answer.
pub(crate) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", |path| path.as_str()).to_owned();
    let method = request.method().clone();
    let checked =
        check_names(request.uri(), request.headers(), &app).and_then(|()| check_path(request.uri()));
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.into_response(),
    };
    let status = response.status().as_u16();
    app.metrics.request(&route, status);
    tracing::debug!(%method, route, status, "answered");
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

/// The names by which this server is called: a page elsewhere whose name was made to point here calls it by another one.
fn check_names(uri: &Uri, headers: &HeaderMap, app: &App) -> Result<(), Fault> {
    let host = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    let host = uri.authority().map(Authority::as_str).or(host);
    let host = host.ok_or_else(|| Fault::BadRequest("the request names no host".to_owned()))?;
    if !app.is_called(host) {
        return Err(Fault::Forbidden(format!(
            "this server is not called `{host}`; start it with --allow-host to let it be"
        )));
    }
    // Browsers say from which page a request comes, unless it is this server's own.
    match headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default()) {
        None => Ok(()),
        Some(origin) if origin.split_once("://").is_some_and(|(_, host)| app.is_called(host)) => Ok(()),
        Some(origin) => Err(Fault::Forbidden(format!("pages of `{origin}` may not ask this server"))),
    }
}

/// A path whose escapes are no text is nobody's name.
fn check_path(uri: &Uri) -> Result<(), Fault> {
    let mut pieces = uri.path().split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let escaped = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(byte) = escaped else {
            return Err(Fault::BadRequest("the path holds a `%` without two hexadecimal digits".to_owned()));
        };
        bytes.push(byte);
        bytes.extend(&piece.as_bytes()[2..]);
    }
    match std::str::from_utf8(&bytes) {
        Ok(_) => Ok(()),
        Err(_) => Err(Fault::BadRequest("the path is no UTF-8".to_owned())),
    }
}

/// The name without port.
pub(crate) fn host_name(host: &str) -> String {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// The names that a server listening here answers to.
pub(crate) fn own_names(address: SocketAddr, allowed: &[String]) -> Vec<String> {
    let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut names: Vec<String> =
        local.into_iter().chain(allowed.iter().map(|name| host_name(name))).collect();
    if !address.ip().is_unspecified() {
        names.push(address.ip().to_string());
    }
    names
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Fault> {
        let caller = match &app.tokens {
            None => Self::local(),
            Some(tokens) => {
                let header = parts.headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
                let token = header.and_then(|it| it.split_once(' '));
                let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
                let caller = token.and_then(|(_, token)| tokens.caller(token.trim()));
                caller.ok_or(Fault::Unauthorized)?
            }
        };
        app.rate.take(&caller.name, std::time::Instant::now())?;
        Ok(caller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_ports() {
        let check = |host: &str, name: &str| assert_eq!(host_name(host), name, "{host}");
        check("localhost:8080", "localhost");
        check("LOCALHOST", "localhost");
        check("[::1]:80", "::1");
        check("127.0.0.1", "127.0.0.1");
        check("evil.example.:80", "evil.example");
    }
}
