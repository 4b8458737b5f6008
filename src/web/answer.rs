//! Answers to readers: never cached where they are live, and compressed where that pays.

use std::io::Write;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::problem::Problem;

/// Smaller answers fit a packet or two as they are.
const COMPRESS_FROM: usize = 2048;

/// An answer of this moment.
pub(super) fn live(request: &HttpRequest, content_type: &'static str, body: String) -> HttpResponse {
    finish(request, content_type, body, "no-store")
}

/// An answer of this moment in JSON.
pub(super) fn json(request: &HttpRequest, value: &impl Serialize) -> Result<HttpResponse, Problem> {
    let body = serde_json::to_string(value).map_err(|error| internal(&error))?;
    Ok(live(request, "application/json", body))
}

/// An answer that stays the same as long as the server runs.
pub(super) fn fixed(request: &HttpRequest, content_type: &'static str, body: String) -> HttpResponse {
    finish(request, content_type, body, "max-age=300")
}

/// 500, which is a mistake of ours.
pub(super) fn internal(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(subsystem = "page", %error, "failed to make an answer");
    Problem::new(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR, "failed to make the answer; the log says why")
}

fn finish(request: &HttpRequest, content_type: &'static str, body: String, cache: &'static str) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_TYPE, content_type)).insert_header((header::CACHE_CONTROL, cache));
    answer.insert_header((header::VARY, "Accept-Encoding"));
    if body.len() >= COMPRESS_FROM && takes_gzip(request) {
        let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
        if let Ok(packed) = encoder.write_all(body.as_bytes()).and_then(|()| encoder.finish()) {
            return answer.insert_header((header::CONTENT_ENCODING, "gzip")).body(packed);
        }
    }
    answer.body(body)
}

/// Whether the client says that it understands gzip: named, and not with a weight of 0.
fn takes_gzip(request: &HttpRequest) -> bool {
    let codings = request.headers().get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    codings.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()).unwrap_or(1.0);
        name.trim().eq_ignore_ascii_case("gzip") && weight > 0.0
    })
}

/// The path's segment with this number, from 0, as it was before it was percent-encoded.
///
/// Taken from the path as it was sent: a node's name may itself contain a slash or a percent sign.
pub(super) fn segment(request: &HttpRequest, number: usize) -> Result<String, Problem> {
    segment_without(request, number, "")
}

/// [`segment`], less an ending that the route asks for.
pub(super) fn segment_without(request: &HttpRequest, number: usize, ending: &str) -> Result<String, Problem> {
    let raw = request.path().split('/').nth(number + 1).unwrap_or("");
    let raw = raw.strip_suffix(ending).unwrap_or(raw);
    let text = percent_decode_str(raw).decode_utf8();
    text.map(std::borrow::Cow::into_owned).or(Err(Problem::bad_request("the path is not UTF-8")))
}
