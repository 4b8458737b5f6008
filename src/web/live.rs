//! `GET /api/v1/streams/{stream}/live`: server-sent events.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::unfold;

use super::answer::segment;
use super::problem::Problem;
use super::state::State;
use crate::live::{Refused, Tallies};

/// Tells nginx, and proxies that have learned it from nginx, to pass events on as they come.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The whole stream at once, then what changes in it, until the reader goes or the server stops.
pub(super) async fn events(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let board = state.pipeline.board();
    let (_, stream) = State::stream(&board, &segment(&request, 3)?)?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_TYPE, "text/event-stream"));
    answer.insert_header((header::CACHE_CONTROL, "no-cache, no-transform")).insert_header((BUFFERING, "no"));
    if request.method() == Method::HEAD {
        return Ok(answer.finish());
    }
    let counted = &state.metrics.counted;
    let labels = [stream.name.as_str()];
    let tallies = Tallies {
        readers: counted.live_readers.with_label_values(&labels),
        restarts: counted.live_restarts_total.with_label_values(&labels),
    };
    let reader = state.live.read(stream, state.limits.live_readers, tallies).map_err(|refused| {
        counted.live_refused_total.with_label_values(&labels).inc();
        Problem::try_later(match refused {
            Refused::Full => "as many live streams are open as the server allows; try again later",
            Refused::Stopped => "the server is starting or stopping",
        })
    })?;
    let events = unfold(reader, |mut reader| async {
        let bytes = reader.next().await?;
        Some((Ok::<_, actix_web::Error>(bytes), reader))
    });
    Ok(answer.streaming(events))
}
