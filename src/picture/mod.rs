//! The picture of a stream: layout by a library, SVG and DOT by our own writers.

use std::sync::Arc;

use crate::board::StreamBoard;

/// Where everything of one stream stands. Made once a topology, used for every board.
#[derive(Debug)]
pub struct Layout;

/// Lays out a stream's graph; labels' boxes are sized for their longest text.
pub fn lay_out(_stream: &StreamBoard) -> Arc<Layout> {
    Arc::new(Layout)
}

/// Draws a stream. `inline`: for a page that brings the style sheet; else it stands alone.
pub fn svg(_stream: &StreamBoard, _layout: &Layout, _inline: bool) -> String {
    String::new()
}

/// The Graphviz source of the same picture.
pub fn dot(_stream: &StreamBoard) -> String {
    String::new()
}
