//! Badges: small pictures for pages that are not ours.

use std::sync::Arc;

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::segment_without;
use super::api::find_edge;
use super::problem::Problem;
use super::state::State;
use crate::picture::{edge_badge, stream_badge};

/// A badge loads nothing and brings no style.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'");

/// `GET /badge/{stream}.svg`
pub(super) async fn stream(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let board = state.pipeline.board();
    let (_, stream) = State::stream(&board, &segment_without(&request, 1, ".svg")?)?;
    Ok(svg(stream_badge(stream)))
}

/// `GET /badge/{stream}/{from}/{to}.svg`
pub(super) async fn edge(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let board = state.pipeline.board();
    let (_, stream) = State::stream(&board, &segment_without(&request, 1, "")?)?;
    let (from, to) = (segment_without(&request, 2, "")?, segment_without(&request, 3, ".svg")?);
    Ok(svg(edge_badge(&stream.edges[find_edge(stream, &from, &to)?])))
}

/// May be kept, but not shown again without asking.
fn svg(badge: String) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_TYPE, "image/svg+xml")).insert_header((header::CACHE_CONTROL, "no-cache"));
    answer.insert_header((header::CONTENT_SECURITY_POLICY, POLICY)).body(badge)
}
