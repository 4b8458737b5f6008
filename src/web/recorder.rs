//! Around every route: its metrics, and whether it may be read.

use std::cell::RefCell;
use std::fmt;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::{Error, HttpResponse, ResponseError};
use futures_util::future::LocalBoxFuture;
use prometheus::{Histogram, IntCounter};

use super::login;
use super::pages::wants_page;
use super::problem::Problem;
use super::state::State;
use crate::metrics::Counted;

/// The most bytes of a request's head.
const HEAD_MAX: usize = 16 * 1024;

/// Routes that need no login: whether the server is well, and what it takes to log in.
const OPEN: [&str; 5] = ["/health/live", "/health/ready", "/static/{file}", login::ROUTE, login::LOGOUT_ROUTE];

/// Sends a person to log in.
#[derive(Debug)]
struct ToLogin(String);

impl fmt::Display for ToLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("log in first")
    }
}

impl ResponseError for ToLogin {
    fn status_code(&self) -> StatusCode {
        StatusCode::SEE_OTHER
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        answer.insert_header((header::LOCATION, self.0.as_str())).insert_header((header::CACHE_CONTROL, "no-store"));
        answer.finish()
    }
}

/// Records the requests of one route, and lets nobody read who may not.
#[derive(Clone)]
pub(super) struct Recorder {
    state: Arc<State>,
    /// The route's pattern, which is its label in the metrics.
    route: &'static str,
}

impl Recorder {
    /// For the route of this pattern.
    pub(super) fn new(state: &Arc<State>, route: &'static str) -> Self {
        Self { state: Arc::clone(state), route }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Recorder
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = Recording<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let tally = Rc::new(Tally::new(&self.state, self.state.metrics.counted.clone(), self.route));
        ready(Ok(Recording { service, tally }))
    }
}

/// One worker's figures of one route: its counters are looked up once.
pub(super) struct Tally {
    state: Arc<State>,
    route: &'static str,
    durations: Histogram,
    counted: Counted,
    counters: RefCell<Vec<(&'static str, StatusCode, IntCounter)>>,
}

impl Tally {
    /// `counted`: where they are counted.
    pub(super) fn new(state: &Arc<State>, counted: Counted, route: &'static str) -> Self {
        let durations = counted.http_request_duration_seconds.with_label_values(&[route]);
        Self { state: Arc::clone(state), route, durations, counted, counters: RefCell::default() }
    }

    /// Whether this request may be answered. A person is sent to log in.
    fn let_in(&self, request: &ServiceRequest) -> Result<(), Error> {
        let state = &self.state;
        if OPEN.contains(&self.route) {
            return Ok(());
        }
        let denied = state.gate.may_read(request.headers(), state.pipeline.now_us());
        denied.map_err(|problem| match (problem.status_code(), wants_page(request.headers())) {
            (StatusCode::UNAUTHORIZED, true) => ToLogin(login::address(request.path())).into(),
            _ => problem.into(),
        })
    }

    /// Counts a request that began at `begun_us` and is answered now.
    pub(super) fn count(&self, method: &'static str, status: StatusCode, begun_us: u64) {
        let state = &self.state;
        self.durations.observe(state.pipeline.now_us().saturating_sub(begun_us) as f64 / 1e6);
        let mut counters = self.counters.borrow_mut();
        if let Some((.., counter)) = counters.iter().find(|known| (known.0, known.1) == (method, status)) {
            counter.inc();
            return;
        }
        let labels = [self.route, method, status.as_str()];
        let counter = self.counted.http_requests_total.with_label_values(&labels);
        counter.inc();
        counters.push((method, status, counter));
    }
}

/// The service around a route.
pub(super) struct Recording<S> {
    service: S,
    tally: Rc<Tally>,
}

impl<S, B> Service<ServiceRequest> for Recording<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.service.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let tally = Rc::clone(&self.tally);
        let begun_us = tally.state.pipeline.now_us();
        let method = method_label(request.method());
        if let Err(problem) = check_head(request.uri(), request.headers()) {
            tally.count(method, problem.status_code(), begun_us);
            return Box::pin(ready(Err(problem.into())));
        }
        if let Err(error) = tally.let_in(&request) {
            tally.count(method, error.as_response_error().status_code(), begun_us);
            return Box::pin(ready(Err(error)));
        }
        let answer = self.service.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            tally.count(method, answer.status(), begun_us);
            Ok(answer)
        })
    }
}

/// Refuses a request whose head is too large.
pub(super) fn check_head(target: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let lines = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let bytes = lines.sum::<usize>() + target.path_and_query().map_or(0, |target| target.as_str().len());
    if bytes <= HEAD_MAX {
        return Ok(());
    }
    let detail = format!("the request's head is larger than {HEAD_MAX} bytes");
    Err(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail).closing())
}

/// A method as a label: any client can invent methods.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
