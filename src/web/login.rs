//! `/login` and `/logout`: for people.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::answer::live;
use super::body::{self, Limits, Share};
use super::gate::{Denied, is_cross_site};
use super::pages::HTML;
use super::problem::Problem;
use super::state::State;
use crate::access::{PASSWORD_MAX_BYTES, SESSION_US, Secret};
use crate::clock::SECOND_US;
use crate::page;

/// Where people log in.
pub(super) const ROUTE: &str = "/login";
/// Where they log out.
pub(super) const LOGOUT_ROUTE: &str = "/logout";
/// The most bytes of a form: a password of the longest, each byte percent-encoded, and some to spare.
const FORM_MAX: usize = 3 * PASSWORD_MAX_BYTES + 4096;
/// Left as they are in the address of the page that is gone to after a login.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_');

/// The page that somebody wanted before being asked to log in.
#[derive(Deserialize)]
struct To {
    #[serde(default)]
    to: String,
}

#[derive(Deserialize)]
#[serde(default)]
struct Form {
    name: String,
    password: String,
    to: String,
}

impl Default for Form {
    fn default() -> Self {
        Self { name: String::new(), password: String::new(), to: "/".to_owned() }
    }
}

/// The address at which somebody logs in who wanted this one.
pub(super) fn address(wanted: &str) -> String {
    if wanted == "/" { ROUTE.to_owned() } else { format!("{ROUTE}?to={}", utf8_percent_encode(wanted, IN_QUERY)) }
}

/// `GET /login`
pub(super) async fn form(request: HttpRequest, state: Data<Arc<State>>) -> HttpResponse {
    let to =
        Query::<To>::from_query(request.query_string()).map_or_else(|_| "/".to_owned(), |query| query.into_inner().to);
    let to = local(&to);
    if !state.gate.is_guarded() || state.gate.login(request.headers(), state.pipeline.now_us()).is_some() {
        return see(to);
    }
    // Whoever follows a link from elsewhere is not known at first, for the cookie stays here; the second time it comes.
    let again = request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    shown(&request, &state, StatusCode::OK, &page::LoginForm { to, name: "", error: None, again })
}

/// `POST /login`
pub(super) async fn submit(
    request: HttpRequest,
    mut payload: Payload,
    state: Data<Arc<State>>,
) -> Result<HttpResponse, Problem> {
    let headers = request.headers();
    refuse_other_sites(headers)?;
    let limits = Limits { body_bytes: FORM_MAX, ..state.limits.clone() };
    let bytes = match body::read(&mut payload, headers, (&limits, &state.budget), &mut Share::default()).await {
        Ok(bytes) => bytes,
        Err(problem) => return Ok(body::unread(actix_web::ResponseError::error_response(&problem), payload)),
    };
    let text = str::from_utf8(&bytes).or(Err(Problem::bad_request("the form is not UTF-8")))?;
    let form = Query::<Form>::from_query(text).map(Query::into_inner);
    let Form { name, password, to } = form.or(Err(Problem::bad_request("the form is not understood")))?;
    let (to, peer) = (local(&to), request.peer_addr().map(|peer| peer.ip()));
    let logins = &state.metrics.counted.logins_total;
    let log_in = state.gate.log_in(peer, name.clone(), Secret::new(password), state.pipeline.now_us());
    let (status, error, result) = match log_in.await {
        Ok(cookie) => {
            logins.with_label_values(&["ok"]).inc();
            tracing::info!(
                subsystem = "page",
                login = name,
                peer = peer.map(tracing::field::display),
                "somebody has logged in"
            );
            return Ok(with_cookie(see(to), &cookie_line(&state, headers, cookie.expose(), SESSION_US / SECOND_US)));
        }
        Err(Denied::Failed(problem)) => return Err(problem),
        Err(Denied::Wrong) => {
            // The name is not said: it may be the password, typed into the wrong field.
            tracing::warn!(subsystem = "page", peer = peer.map(tracing::field::display), "somebody failed to log in");
            (StatusCode::UNAUTHORIZED, "That name and password do not go together.".to_owned(), "wrong")
        }
        Err(Denied::TooOften(wait_s)) => {
            let error = format!("Too many tries. Wait {wait_s} s, then try again.");
            let mut answer = failed(&request, &state, StatusCode::TOO_MANY_REQUESTS, (to, &name), error);
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
            logins.with_label_values(&["throttled"]).inc();
            return Ok(answer);
        }
    };
    logins.with_label_values(&[result]).inc();
    let mut answer = failed(&request, &state, status, (to, &name), error);
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, super::gate::CHALLENGE);
    Ok(answer)
}

/// `POST /logout`
pub(super) async fn logout(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    refuse_other_sites(request.headers())?;
    state.gate.log_out(request.headers());
    Ok(with_cookie(see(ROUTE), &cookie_line(&state, request.headers(), "", 0)))
}

fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Problem> {
    if is_cross_site(headers) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "another site may not do this for you"));
    }
    Ok(())
}

/// The page that is wanted, where it is one of ours.
fn local(to: &str) -> &str {
    let ours = to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\r', '\n']);
    if ours && to.is_ascii() && to.split(['?', '#']).next() != Some(ROUTE) { to } else { "/" }
}

fn see(address: &str) -> HttpResponse {
    let mut answer = HttpResponse::SeeOther();
    answer.insert_header((header::LOCATION, address)).insert_header((header::CACHE_CONTROL, "no-store"));
    answer.finish()
}

fn failed(
    request: &HttpRequest,
    state: &State,
    status: StatusCode,
    (to, name): (&str, &str),
    error: String,
) -> HttpResponse {
    shown(request, state, status, &page::LoginForm { to, name, error: Some(error), again: false })
}

fn shown(request: &HttpRequest, state: &State, status: StatusCode, form: &page::LoginForm<'_>) -> HttpResponse {
    let mut answer = live(request, HTML, page::login(&state.pipeline.board().name, form));
    *answer.status_mut() = status;
    answer
}

/// For us alone, for no script, and for no request that another site makes.
fn cookie_line(state: &State, headers: &HeaderMap, value: &str, seconds: u64) -> String {
    let name = state.gate.cookie_name();
    // A proxy may speak TLS for us; whoever invents this header harms himself alone.
    let by_tls = state.gate.tls || headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    let secure = if by_tls { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

fn with_cookie(mut answer: HttpResponse, line: &str) -> HttpResponse {
    if let Ok(value) = HeaderValue::from_str(line) {
        answer.headers_mut().insert(header::SET_COOKIE, value);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_are_gone_to() {
        for ours in ["/", "/streams/orders", "/streams/a%20b?x=1#e0"] {
            assert_eq!(local(ours), ours);
        }
        for other in [
            "",
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/a\r\nSet-Cookie: b",
            "/login",
            "/login?to=/",
        ] {
            assert_eq!(local(other), "/", "{other}");
        }
    }

    #[test]
    fn the_wanted_page_stands_in_the_address() {
        assert_eq!(address("/"), "/login");
        assert_eq!(address("/streams/a%20b?x=1&y"), "/login?to=/streams/a%2520b%3Fx%3D1%26y");
        let query = Query::<To>::from_query("to=/streams/a%2520b%3Fx%3D1%26y").unwrap().into_inner();
        assert_eq!(query.to, "/streams/a%20b?x=1&y");
    }
}
