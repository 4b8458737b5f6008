//! The API: the board as JSON.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::answer::{json, segment};
use super::problem::Problem;
use super::state::State;
use crate::board::StreamBoard;
use crate::graph::nearest;
use crate::outcome::Status;

/// A stream in the list of all.
#[derive(Serialize)]
pub(super) struct StreamLine<'a> {
    name: &'a str,
    description: &'a str,
    status: Status,
}

impl<'a> StreamLine<'a> {
    fn of(stream: &'a StreamBoard) -> Self {
        Self { name: &stream.name, description: &stream.description, status: stream.status }
    }
}

#[derive(Serialize)]
struct StreamList<'a> {
    streams: Vec<StreamLine<'a>>,
}

/// `GET /api/v1/streams`
pub(super) async fn streams(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let board = state.pipeline.board();
    json(&request, &StreamList { streams: board.streams.iter().map(|stream| StreamLine::of(stream)).collect() })
}

/// `GET /api/v1/streams/{stream}`
pub(super) async fn stream(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let board = state.pipeline.board();
    let (_, stream) = State::stream(&board, &segment(&request, 3)?)?;
    json(&request, stream.as_ref())
}

/// `GET /api/v1/streams/{stream}/edges/{from}/{to}`
pub(super) async fn edge(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let board = state.pipeline.board();
    let (_, stream) = State::stream(&board, &segment(&request, 3)?)?;
    let (from, to) = (segment(&request, 5)?, segment(&request, 6)?);
    find_edge(stream, &from, &to)?;
    // It may be gone since the board was made.
    let gone = || Problem::not_found(format!("the stream has no edge from {from:?} to {to:?} any more"));
    let detail = state.pipeline.edge(&stream.name, &from, &to).await?.ok_or_else(gone)?;
    json(&request, &detail)
}

/// The index of the edge between two nodes.
pub(super) fn find_edge(stream: &StreamBoard, from: &str, to: &str) -> Result<usize, Problem> {
    let found = stream.edges.iter().position(|edge| edge.from == from && edge.to == to);
    found.ok_or_else(|| {
        let names = || stream.nodes.iter().map(|node| node.name.as_str());
        let unknown = [from, to].into_iter().find(|name| names().all(|known| known != *name));
        Problem::not_found(match unknown.map(|name| (name, nearest(name, names()))) {
            Some((name, Some(meant))) => format!("the stream has no node {name:?}; did you mean {meant:?}?"),
            Some((name, None)) => format!("the stream has no node {name:?}"),
            None => format!("the stream has no edge from {from:?} to {to:?}"),
        })
    })
}
