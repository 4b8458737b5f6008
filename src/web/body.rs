//! Reads a request's body: bounded in size, in time, and in the memory that all bodies take together.

use std::future::poll_fn;
use std::io::Read;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::{Bytes, BytesMut, Payload};
use flate2::bufread::MultiGzDecoder;
use futures_util::StreamExt;

use super::problem::Problem;

/// Bodies up to this size are not counted: there are at most as many as connections.
const SMALL: usize = 64 * 1024;

/// What clients may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most bytes of one body, inflated.
    pub body_bytes: usize,
    /// The most bytes of all bodies that are being read.
    pub bodies_bytes: usize,
    /// How long a body may take to come.
    pub body_time: Duration,
    /// The most readers of live streams at once.
    pub live_readers: usize,
    /// How long a request's head may take to come, and a new connection to send one.
    pub head_time: Duration,
    /// How long a client may leave what it has been sent, or the kernel's word of it, unread.
    pub unread_time: Duration,
    /// The most connections, over all workers; fewer where the system allows us fewer files.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 8 * 1024 * 1024,
            bodies_bytes: 256 * 1024 * 1024,
            body_time: Duration::from_secs(30),
            live_readers: 5_000,
            head_time: Duration::from_secs(5),
            unread_time: Duration::from_mins(1),
            connections: 20_000,
        }
    }
}

/// The memory that bodies take while they are read and parsed.
#[derive(Clone, Debug, Default)]
pub(super) struct Budget {
    taken: Arc<AtomicUsize>,
}

/// A share of the budget, given back when dropped.
#[derive(Debug, Default)]
pub(super) struct Share {
    /// None while it is empty: most bodies are small, and all workers would want it at once.
    budget: Option<Budget>,
    bytes: usize,
}

impl Share {
    fn grow(&mut self, bytes: usize, budget: &Budget, limits: &Limits) -> Result<(), Problem> {
        self.bytes += bytes;
        let budget = self.budget.get_or_insert_with(|| budget.clone());
        let before = budget.taken.fetch_add(bytes, Ordering::AcqRel);
        if before + bytes > limits.bodies_bytes {
            let detail = "too many large requests at once; nothing of this one was taken: send it again later";
            return Err(Problem::try_later(detail).closing());
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.taken.fetch_sub(self.bytes, Ordering::AcqRel);
        }
    }
}

fn too_large(limits: &Limits) -> Problem {
    let detail = format!("the body is larger than {} bytes; send fewer events at once", limits.body_bytes);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).closing()
}

/// Reads the body as it comes.
pub(super) async fn read(
    payload: &mut Payload,
    headers: &HeaderMap,
    (limits, budget): (&Limits, &Budget),
    share: &mut Share,
) -> Result<Bytes, Problem> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|declared| declared > limits.body_bytes) {
        return Err(too_large(limits));
    }
    let slow = |_| {
        let detail = format!("the body did not come within {} s", limits.body_time.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, detail).closing()
    };
    let mut reading = pin!(collect(payload, (limits, budget), share));
    // Most bodies come with their heads: they are there when we are asked for the second time. Only
    // for the others a timer is set.
    let mut asked = false;
    let at_once = poll_fn(|context| match reading.as_mut().poll(context) {
        Poll::Ready(body) => Poll::Ready(Some(body)),
        Poll::Pending if std::mem::replace(&mut asked, true) => Poll::Ready(None),
        Poll::Pending => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    });
    match at_once.await {
        Some(body) => body,
        None => tokio::time::timeout(limits.body_time, reading).await.map_err(slow)?,
    }
}

async fn collect(
    payload: &mut Payload,
    (limits, budget): (&Limits, &Budget),
    share: &mut Share,
) -> Result<Bytes, Problem> {
    let broken = |error| Problem::bad_request(format!("the body broke off: {error}")).closing();
    let Some(first) = payload.next().await.transpose().map_err(broken)? else { return Ok(Bytes::new()) };
    let Some(second) = payload.next().await.transpose().map_err(broken)? else { return Ok(first) };
    let mut body = BytesMut::with_capacity(first.len() + second.len());
    body.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        let size = body.len() + chunk.len();
        if size > limits.body_bytes {
            return Err(too_large(limits));
        }
        if size > SMALL {
            share.grow(chunk.len(), budget, limits)?;
        }
        body.extend_from_slice(&chunk);
        next = payload.next().await.transpose().map_err(broken)?;
    }
    Ok(body.freeze())
}

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// As it is.
    Identity,
    /// `Content-Encoding: gzip`.
    Gzip,
}

/// The coding that the headers name.
pub(super) fn coding(headers: &HeaderMap) -> Result<Coding, Problem> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(Coding::Identity) };
    match value.as_bytes().trim_ascii() {
        name if name.eq_ignore_ascii_case(b"identity") || name.is_empty() => Ok(Coding::Identity),
        name if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") => Ok(Coding::Gzip),
        _ => {
            let detail = "this Content-Encoding is not understood; send gzip or none";
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
            Err(problem.with(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip")).closing())
        }
    }
}

/// Inflates a gzip'd body, no further than the limit.
pub(super) fn inflate(body: &[u8], (limits, budget): (&Limits, &Budget), share: &mut Share) -> Result<Bytes, Problem> {
    let mut inflated = Vec::with_capacity(body.len().saturating_mul(4).min(SMALL));
    let mut chunk = [0; 16 * 1024];
    let mut decoder = MultiGzDecoder::new(body);
    loop {
        let read = decoder
            .read(&mut chunk)
            .map_err(|error| Problem::bad_request(format!("the body is no good gzip: {error}")))?;
        if read == 0 {
            return Ok(inflated.into());
        }
        if inflated.len() + read > limits.body_bytes {
            return Err(too_large(limits));
        }
        if inflated.len() + read > SMALL {
            share.grow(read, budget, limits)?;
        }
        inflated.extend_from_slice(&chunk[..read]);
    }
}

/// An answer to a body that is not read to its end: the connection closes after it.
///
/// Were the rest let go of, actix would read on and throw away, however much comes.
pub(super) fn unread(answer: HttpResponse, rest: Payload) -> HttpResponse {
    answer.map_body(|_, answer| BoxBody::new(Holding { answer, _rest: rest }))
}

/// A body that holds on to what was not read of the request.
struct Holding {
    answer: BoxBody,
    _rest: Payload,
}

impl MessageBody for Holding {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(context)
    }
}
