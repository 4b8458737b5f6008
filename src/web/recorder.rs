//! Around every route: its metrics, and the headers that keep browsers safe.

use std::cell::RefCell;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use futures_util::future::LocalBoxFuture;
use prometheus::{Histogram, IntCounter};

use super::problem::Problem;
use super::state::State;

/// What a page may load: from here alone, and no inline script or style.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The most bytes of a request's head.
const HEAD_MAX: usize = 16 * 1024;

/// Records the requests of one route and adds the security headers to its answers.
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
        let durations = self.state.metrics.counted.http_request_duration_seconds.with_label_values(&[self.route]);
        let tally = Tally { recorder: self.clone(), durations, counters: RefCell::default() };
        ready(Ok(Recording { service, tally: Rc::new(tally) }))
    }
}

/// One worker's figures of one route: its counters are looked up once.
struct Tally {
    recorder: Recorder,
    durations: Histogram,
    counters: RefCell<Vec<(&'static str, StatusCode, IntCounter)>>,
}

impl Tally {
    fn count(&self, method: &'static str, status: StatusCode, begun_us: u64) {
        let state = &self.recorder.state;
        self.durations.observe(state.pipeline.now_us().saturating_sub(begun_us) as f64 / 1e6);
        let mut counters = self.counters.borrow_mut();
        if let Some((.., counter)) = counters.iter().find(|known| (known.0, known.1) == (method, status)) {
            counter.inc();
            return;
        }
        let labels = [self.recorder.route, method, status.as_str()];
        let counter = state.metrics.counted.http_requests_total.with_label_values(&labels);
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
        let begun_us = tally.recorder.state.pipeline.now_us();
        let method = method_label(request.method());
        if head_bytes(&request) > HEAD_MAX {
            tally.count(method, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, begun_us);
            let detail = format!("the request's head is larger than {HEAD_MAX} bytes");
            let problem = Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail).closing();
            return Box::pin(ready(Err(problem.into())));
        }
        let answer = self.service.call(request);
        Box::pin(async move {
            let mut answer = answer.await?;
            tally.count(method, answer.status(), begun_us);
            // Programs that report events run no scripts: they are spared the bytes.
            if answer.status() != StatusCode::ACCEPTED {
                protect(answer.headers_mut());
            }
            Ok(answer)
        })
    }
}

fn head_bytes(request: &ServiceRequest) -> usize {
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    target + headers.sum::<usize>()
}

fn protect(headers: &mut HeaderMap) {
    let mut add = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    add(header::CONTENT_SECURITY_POLICY, POLICY);
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(header::REFERRER_POLICY, "no-referrer");
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
