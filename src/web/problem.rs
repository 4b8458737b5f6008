//! Errors as `application/problem+json` (RFC 9457).

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::input::body::Rejected;
use crate::pipeline::Refused;

/// The content type of every error.
pub(super) const CONTENT_TYPE: &str = "application/problem+json";
/// Push-back asks to come back after one to this many seconds, so that not all come back at once.
const RETRY_MAX_S: u64 = 5;

/// An error answer.
#[derive(Debug)]
pub(super) struct Problem(Box<Inside>);

#[derive(Debug, Serialize)]
struct Inside {
    /// What kind of problem: none of its own beside the status.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    /// The events that were refused, where there were any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rejected: Vec<Rejected>,
    /// Events that were refused beyond those in `rejected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_more: Option<usize>,
    #[serde(skip)]
    headers: Vec<(header::HeaderName, HeaderValue)>,
    /// What the client still sends is not read: the connection closes.
    #[serde(skip)]
    close: bool,
}

impl Problem {
    /// A problem with this status; `detail` says what is wrong and what to do instead.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Inside {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            rejected: Vec::new(),
            rejected_more: None,
            headers: Vec::new(),
            close: false,
        }))
    }

    /// 404.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 400.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 503 with a `Retry-After` of some seconds, not the same for everybody.
    pub(super) fn try_later(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).with(header::RETRY_AFTER, HeaderValue::from(retry_after_s()))
    }

    /// Adds a header.
    #[must_use]
    pub(super) fn with(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Names the events that were refused.
    #[must_use]
    pub(super) fn rejecting(mut self, rejected: Vec<Rejected>, more: usize) -> Self {
        self.0.rejected = rejected;
        self.0.rejected_more = Some(more).filter(|&more| more > 0);
        self
    }

    /// Closes the connection, because its client may still be sending.
    #[must_use]
    pub(super) fn closing(mut self) -> Self {
        self.0.close = true;
        self
    }

    /// Whether the connection is to be closed.
    pub(super) fn closes(&self) -> bool {
        self.0.close
    }

    /// The status, the title and the detail.
    pub(super) fn parts(&self) -> (StatusCode, &'static str, &str) {
        (self.status_code(), self.0.title, &self.0.detail)
    }
}

/// In how many seconds to come back: not the same for everybody.
fn retry_after_s() -> u64 {
    1 + RandomState::new().hash_one(()) % RETRY_MAX_S
}

/// A whole answer as bytes, where no handler is there to give one; the connection closes after it.
pub(super) fn raw(problem: &Problem) -> Vec<u8> {
    let body = serde_json::to_string(&problem.0).unwrap_or_default();
    let mut head = format!(
        "HTTP/1.1 {}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {}\r\nConnection: close\r\n\
         Cache-Control: no-store\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n\
         X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n",
        problem.status_code(),
        body.len()
    );
    for (name, value) in &problem.0.headers {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    format!("{head}\r\n{body}").into_bytes()
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::try_later(format!("{refused}; nothing of this request was taken: send it again later"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.title, self.0.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        for (name, value) in &self.0.headers {
            answer.insert_header((name.clone(), value.clone()));
        }
        if self.0.close {
            answer.force_close();
        }
        answer.content_type(CONTENT_TYPE).insert_header((header::CACHE_CONTROL, "no-store"));
        answer.body(serde_json::to_string(&self.0).unwrap_or_default())
    }
}
