//! `POST /events`: the HTTP input.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use prometheus::IntCounter;
use serde::Serialize;

use super::body::{self, Coding, Share};
use super::gate::Bounds;
use super::problem::Problem;
use super::recorder::{Tally, check_head};
use super::state::{Local, State};
use crate::graph::NodeId;
use crate::input::body::{Format, Parsed, Reason, Rejected, parse, parse_bound};
use crate::pipeline::{LocalIntake, Observed, Refused};

/// Larger bodies are inflated and parsed beside the worker, so that its other requests do not wait.
const LARGE: usize = 256 * 1024;

/// Of one body so many refused events are told in the log and on the pages, beside the first.
const SAID_MAX: usize = 20;

/// Where events are taken.
pub(super) const ROUTE: &str = "/events";

/// What one worker's handler of `POST /events` has of its own.
pub(super) struct Worker {
    state: Arc<State>,
    intake: LocalIntake,
    /// What was observed at the last look: all workers count their holds on the shared one in one place.
    observed: RefCell<Local<Observed>>,
    accepted: IntCounter,
    /// The handler records its requests itself: a layer around it costs as much as its own work.
    tally: Tally,
}

impl Worker {
    /// For the calling worker thread.
    pub(super) fn new(state: &Arc<State>) -> Self {
        // They could be made once, so they can be made again.
        let counted = state.metrics.of_thread().unwrap_or_else(|_| state.metrics.counted.clone());
        Self {
            state: Arc::clone(state),
            intake: LocalIntake::new(state.pipeline.clone()),
            observed: RefCell::new(Rc::new(state.pipeline.observed())),
            accepted: counted.events_total.with_label_values(&["http"]),
            tally: Tally::new(state, counted, ROUTE),
        }
    }

    /// What is observed now.
    fn observed(&self) -> Local<Observed> {
        let mut observed = self.observed.borrow_mut();
        if !self.state.pipeline.observes(&observed) {
            *observed = Rc::new(self.state.pipeline.observed());
        }
        Rc::clone(&observed)
    }
}

#[derive(Serialize)]
struct Taken {
    accepted: usize,
    rejected: Vec<Rejected>,
    /// Events that were refused beyond those in `rejected`.
    #[serde(skip_serializing_if = "is_zero")]
    rejected_more: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Takes the events of one body: all of them, or those that are good, or none.
pub(super) async fn post(request: HttpRequest, mut payload: Payload, worker: Rc<Worker>) -> HttpResponse {
    let begun_us = worker.state.pipeline.now_us();
    let answer = match read_and_take(&request, &mut payload, &worker).await {
        Ok(answer) => answer,
        Err(problem) if problem.closes() => body::unread(problem.error_response(), payload),
        Err(problem) => problem.error_response(),
    };
    worker.tally.count("POST", answer.status(), begun_us);
    if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
        worker.state.pipeline.refused();
    }
    answer
}

async fn read_and_take(request: &HttpRequest, payload: &mut Payload, worker: &Worker) -> Result<HttpResponse, Problem> {
    let state = &worker.state;
    let headers = request.headers();
    check_head(request.uri(), headers)?;
    let bounds = state.gate.may_report(headers)?;
    let format = format(headers)?;
    let coding = body::coding(headers)?;
    let mut share = Share::default();
    let bytes = body::read(payload, headers, (&state.limits, &state.budget), &mut share).await?;
    if bytes.len() > LARGE || coding == Coding::Gzip {
        let parsed = parse_beside(Arc::clone(state), bytes, (format, coding), bounds, share).await;
        let (parsed, by) = parsed.inspect_err(|problem| unreadable(state, problem))?;
        return take(worker, parsed, &by).await;
    }
    let by = worker.observed();
    let parsed = read_events(&by, &bytes, format, &bounds).inspect_err(|problem| unreadable(state, problem))?;
    take(worker, parsed, &by).await
}

/// Whoever sends what cannot be read may not look at the answers: it is said elsewhere, too.
fn unreadable(state: &State, problem: &Problem) {
    let (status, _, detail) = problem.parts();
    if status == StatusCode::BAD_REQUEST {
        state.note_refused(1, detail, 0);
    }
}

/// Counts accepted events when they have been answered, or when nobody waits for the answer any more: they have
/// been taken all the same.
struct Accepting<'a> {
    counter: &'a IntCounter,
    events: usize,
}

impl Drop for Accepting<'_> {
    fn drop(&mut self) {
        self.counter.inc_by(self.events as u64);
    }
}

/// `by`: what the events were parsed with. Those whose nodes the manifest loses before they are judged are
/// refused, too; which they were in the body is not known any more.
async fn take(worker: &Worker, mut parsed: Parsed, by: &Arc<Observed>) -> Result<HttpResponse, Problem> {
    let mut gone = 0;
    let mut accepted = parsed.reports.len() + parsed.unknown.len();
    if accepted > 0 {
        let mut accepting = Accepting { counter: &worker.accepted, events: accepted };
        let taken = worker.intake.push(parsed.reports, by, parsed.unknown).await;
        if taken.is_err() {
            accepting.events = 0;
        }
        if taken == Err(Refused::Overloaded) {
            worker.state.complain();
        }
        gone = taken?;
        accepted -= gone;
        accepting.events = accepted;
    }
    let rejected = parsed.rejected;
    if rejected.is_empty() && accepted == 1 && gone == 0 {
        return Ok(answer(Bytes::from_static(br#"{"accepted":1,"rejected":[]}"#)));
    }
    parsed.rejected_unnamed[Reason::UnknownNode as usize] += gone;
    let rejected_more = count_rejected(&worker.state, &rejected, &parsed.rejected_unnamed);
    if accepted == 0 && !(rejected.is_empty() && gone == 0) {
        let forbidden = rejected.iter().all(|event| event.reason == Reason::Forbidden)
            && parsed.rejected_unnamed[Reason::Forbidden as usize] == rejected_more;
        let (status, detail) = if forbidden {
            (StatusCode::FORBIDDEN, "this key may report none of these events; `rejected` says why")
        } else {
            (StatusCode::UNPROCESSABLE_ENTITY, "every event was refused; `rejected` says why")
        };
        return Err(Problem::new(status, detail).rejecting(rejected, rejected_more));
    }
    let body = serde_json::to_vec(&Taken { accepted, rejected, rejected_more }).unwrap_or_default();
    Ok(answer(body.into()))
}

fn answer(body: Bytes) -> HttpResponse {
    HttpResponse::Accepted().insert_header((header::CONTENT_TYPE, JSON)).body(body)
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn read_events(by: &Observed, bytes: &[u8], format: Format, bounds: &Bounds) -> Result<Parsed, Problem> {
    let parsed = match bounds {
        None => parse(bytes, format, &by.nodes, by.system.accept_unknown),
        Some(names) => {
            let bounds: Vec<NodeId> = names.iter().filter_map(|name| by.nodes.find(name)).collect();
            parse_bound(bytes, format, &by.nodes, &bounds)
        }
    };
    parsed.map_err(|error| Problem::bad_request(error.0))
}

async fn parse_beside(
    state: Arc<State>,
    bytes: Bytes,
    (format, coding): (Format, Coding),
    bounds: Bounds,
    mut share: Share,
) -> Result<(Parsed, Arc<Observed>), Problem> {
    let work = move || {
        let bytes = match coding {
            Coding::Identity => bytes,
            Coding::Gzip => body::inflate(&bytes, (&state.limits, &state.budget), &mut share)?,
        };
        let by = state.pipeline.observed();
        read_events(&by, &bytes, format, &bounds).map(|parsed| (parsed, by))
    };
    let lost = |_| Problem::try_later("the body could not be read now; nothing of it was taken");
    actix_web::web::block(work).await.map_err(lost)?
}

/// How the body is written, by its content type. A body without one is refused as well: browsers
/// send such on behalf of any page, and only ask first for the types that we take.
fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
    let utf8 = parameters.split(';').filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        let value = value.trim().trim_matches('"');
        !name.trim().eq_ignore_ascii_case("charset")
            || value.eq_ignore_ascii_case("utf-8")
            || value.eq_ignore_ascii_case("utf8")
    });
    let kind = kind.trim();
    if utf8 && kind.eq_ignore_ascii_case("application/json") {
        Ok(Format::Json)
    } else if utf8 && kind.eq_ignore_ascii_case("application/x-ndjson") {
        Ok(Format::Ndjson)
    } else {
        let detail = "say Content-Type: application/json (one event or an array of events) or \
            application/x-ndjson (one event a line), in UTF-8";
        Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail).closing())
    }
}

/// Counts refused events by their reason, and says what is wrong with them; gives the number of those that are not named.
fn count_rejected(state: &State, named: &[Rejected], unnamed: &[usize; Reason::ALL.len()]) -> usize {
    for reason in Reason::ALL {
        let count = named.iter().filter(|event| event.reason == reason).count() + unnamed[reason as usize];
        if count > 0 {
            let labels = ["http", reason.name()];
            state.metrics.counted.events_rejected_total.with_label_values(&labels).inc_by(count as u64);
        }
    }
    let more = unnamed.iter().sum::<usize>();
    if let Some(first) = named.first() {
        let (same, others): (Vec<_>, Vec<_>) = named.iter().partition(|event| event.error == first.error);
        // A body of nonsense says no more than a few things.
        let unsaid = others.len().saturating_sub(SAID_MAX);
        state.note_refused(same.len(), &first.error, unsaid + more);
        for other in others.iter().take(SAID_MAX) {
            state.note_refused(1, &other.error, 0);
        }
    }
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Option<Format> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(value).unwrap());
        format(&headers).ok()
    }

    #[test]
    fn content_types() {
        assert_eq!(of("application/json"), Some(Format::Json));
        assert_eq!(of("Application/JSON; charset=UTF-8"), Some(Format::Json));
        assert_eq!(of("application/x-ndjson;charset=\"utf-8\""), Some(Format::Ndjson));
        assert_eq!(of("application/json; charset=latin1"), None);
        assert_eq!(of("text/plain"), None);
        assert!(format(&HeaderMap::new()).is_err());
    }
}
