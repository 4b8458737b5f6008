//! What people look at: pages, pictures, and the files that pages bring along.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{live, segment};
use super::problem::Problem;
use super::state::State;
use crate::picture;

/// `GET /streams/{stream}/graph.svg`
pub(super) async fn svg(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let board = state.pipeline.board();
    let (index, stream) = state.stream(&board, &segment(&request, 1)?)?;
    let drawn = picture::svg(stream, &state.layout(index, stream), false);
    Ok(live(&request, "image/svg+xml", drawn))
}

/// `GET /streams/{stream}/graph.dot`
pub(super) async fn dot(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let board = state.pipeline.board();
    let (_, stream) = state.stream(&board, &segment(&request, 1)?)?;
    Ok(live(&request, "text/vnd.graphviz; charset=utf-8", picture::dot(stream)))
}
