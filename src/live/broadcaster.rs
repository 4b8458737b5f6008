//! The task that tells the readers of one stream what changes.

use std::sync::Arc;
use std::time::Duration;

use super::channel::Channel;
use super::registry::Live;
use crate::pipeline::Pipeline;

/// Tells until nobody reads, or the stream is no more.
pub(super) async fn run(channel: Arc<Channel>, pipeline: Pipeline, live: Arc<Live>) {
    let mut shown = pipeline.shown();
    loop {
        shown.borrow_and_update();
        let board = pipeline.board();
        let stream = board.streams.iter().find(|stream| stream.name == channel.name);
        let until_us = stream.map(|stream| channel.look(stream, pipeline.now_us()));
        let until_us = until_us.unwrap_or_else(|| {
            channel.end();
            0
        });
        drop(board);
        if channel.is_ended() && live.forget(&channel) {
            return;
        }
        tokio::select! {
            () = channel.next.closed() => {
                if live.forget(&channel) {
                    return;
                }
            }
            // The sender of `shown` lives as long as the pipeline, of which we hold a handle.
            _ = shown.changed() => {}
            () = tokio::time::sleep(Duration::from_micros(until_us)) => {}
        }
    }
}
