//! Around everything that is answered: the connection is told, and browsers are kept safe, which an acknowledgement never meets.

use actix_http::Response;
use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::connection::Progress;
use super::state::{Local, State};

/// What a page may load: from here alone, and no inline script or style.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors ";

/// The content security policy of a page that these origins may show in a frame.
pub(super) fn policy(frame_ancestors: &[String]) -> HeaderValue {
    let ancestors = if frame_ancestors.is_empty() { "'none'".to_owned() } else { frame_ancestors.join(" ") };
    // The manifest has been checked: there is nothing in an origin that a header cannot hold.
    HeaderValue::from_str(&format!("{POLICY}{ancestors}")).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Awaits the answer of a handler, and adds what all answers that a browser may show have in common.
pub(super) async fn answer<B: MessageBody + 'static>(
    progress: Option<Progress>,
    state: Local<State>,
    answer: impl Future<Output = Result<ServiceResponse<B>, Error>>,
) -> Result<Response<BoxBody>, Error> {
    let mut answer = match answer.await {
        Ok(answer) => Response::from(answer).map_into_boxed_body(),
        Err(error) => Response::from(error),
    };
    if let Some(progress) = progress {
        progress.end();
    }
    // What acknowledges events goes to programs: a browser that follows a link or loads a page never gets it.
    if answer.status() != StatusCode::ACCEPTED {
        protect(answer.headers_mut(), &state.policy());
    }
    Ok(answer)
}

/// Adds the headers that keep browsers safe.
fn protect(headers: &mut HeaderMap, policy: &HeaderValue) {
    let mut add = |name: HeaderName, value: HeaderValue| {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    };
    add(header::CONTENT_SECURITY_POLICY, policy.clone());
    add(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    add(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_frames_us_unless_named() {
        let text = |origins: &[&str]| {
            let origins: Vec<_> = origins.iter().map(|&origin| origin.to_owned()).collect();
            policy(&origins).to_str().unwrap().to_owned()
        };
        assert!(text(&[]).ends_with("frame-ancestors 'none'"));
        assert!(text(&["https://a.example", "http://b"]).ends_with("frame-ancestors https://a.example http://b"));
    }
}
