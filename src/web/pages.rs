//! What people look at: pages, pictures, and the files that pages bring along.

use std::sync::Arc;

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{fixed, live, segment};
use super::problem::Problem;
use super::state::State;
use crate::page::{self, PageSettings};
use crate::picture::{self, Flow};

const HTML: &str = "text/html; charset=utf-8";

/// `GET /`
pub(super) async fn overview(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let board = state.pipeline.board();
    let mut layouts = Vec::with_capacity(board.streams.len());
    for stream in &board.streams {
        layouts.push(state.layouts.of(&board, stream).await?);
    }
    Ok(live(&request, HTML, page::overview(&board, &layouts, &settings(&state, true))))
}

/// `GET /streams/{stream}`
pub(super) async fn stream(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let board = state.pipeline.board();
    let (index, stream) = match State::stream(&board, &segment(&request, 1)?) {
        Ok(found) => found,
        Err(problem) => return for_people(&request, &state, problem),
    };
    let layout = state.layouts.of(&board, stream).await?;
    let graph = wanted(&request, "graph") != Some("none");
    Ok(live(&request, HTML, page::stream(&board, index, &layout, &settings(&state, graph))))
}

fn settings(state: &State, graph: bool) -> PageSettings {
    PageSettings { refresh_us: state.refresh_us(), notices: state.manifest().notices(), graph }
}

/// What the query says of this, as it stands there.
fn wanted<'a>(request: &'a HttpRequest, key: &str) -> Option<&'a str> {
    let pairs = request.query_string().split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(name, _)| *name == key).map(|(_, value)| value).next_back()
}

fn flow(request: &HttpRequest) -> Result<Flow, Problem> {
    match wanted(request, "flow") {
        None | Some("right") => Ok(Flow::Right),
        Some("down") => Ok(Flow::Down),
        Some(_) => Err(Problem::bad_request("`flow` is `right` or `down`")),
    }
}

/// A problem as a page, where a browser asks; else as it is.
pub(super) fn for_people(request: &HttpRequest, state: &State, problem: Problem) -> Result<HttpResponse, Problem> {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if !accept.is_some_and(|accept| accept.contains("text/html")) {
        return Err(problem);
    }
    let (status, title, detail) = problem.parts();
    let mut answer = live(request, HTML, page::problem(status.as_u16(), title, detail, &state.manifest().notices()));
    *answer.status_mut() = status;
    Ok(answer)
}

/// `GET /static/{file}`
pub(super) async fn asset(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let name = segment(&request, 1)?;
    let asset = page::asset(&name).ok_or_else(|| Problem::not_found(format!("there is no file {name:?}")))?;
    Ok(fixed(&request, asset.content_type, asset.body.to_owned()))
}

/// `GET /streams/{stream}/graph.svg`
pub(super) async fn svg(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let board = state.pipeline.board();
    let (_, stream) = State::stream(&board, &segment(&request, 1)?)?;
    let flow = flow(&request)?;
    let layout = state.layouts.of(&board, stream).await?;
    let drawn = picture::svg(stream, &layout, flow, false);
    let mut answer = live(&request, "image/svg+xml", drawn);
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(picture::STANDALONE_POLICY));
    Ok(answer)
}

/// `GET /streams/{stream}/graph.dot`
pub(super) async fn dot(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let board = state.pipeline.board();
    let (_, stream) = State::stream(&board, &segment(&request, 1)?)?;
    Ok(live(&request, "text/vnd.graphviz; charset=utf-8", picture::dot(stream)))
}

/// Everything that has no route.
pub(super) async fn not_found(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let detail = "there is nothing at this address; /api/openapi.json describes what there is";
    for_people(&request, &state, Problem::not_found(detail))
}
