//! Where everything of one stream's picture stands.

use std::sync::Arc;

use super::dagre::Dagre;
use super::plan::{Detail, Plan, fingerprint};
use crate::board::StreamBoard;

/// A point; x grows to the right, y downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// A box: its upper left corner and its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Its left side.
    pub x: f64,
    /// Its upper side.
    pub y: f64,
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

impl Rect {
    /// The middle.
    pub fn centre(&self) -> Point {
        Point { x: self.x + self.width / 2.0, y: self.y + self.height / 2.0 }
    }

    /// The right side.
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// The lower side.
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// The way of one edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Horizontal runs, each from its left to its right end; between two runs the edge bends.
    pub runs: Vec<(Point, Point)>,
    /// The box of its label, on one of the runs.
    pub label: Rect,
}

/// A placed plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placement {
    /// How wide the picture is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
    /// The boxes of the nodes.
    pub nodes: Vec<Rect>,
    /// The ways of the edges.
    pub routes: Vec<Route>,
}

/// Places the parts of a picture so that none lies over another.
pub trait Placer {
    /// Places a plan; the same plan always in the same way.
    fn place(&self, plan: &Plan) -> Placement;
}

/// Where everything of one stream stands. Made once a topology, used for every board.
#[derive(Clone, Debug)]
pub struct Layout {
    pub(crate) full: Placement,
    pub(crate) detail: Detail,
    pub(crate) small: Placement,
    pub(crate) small_detail: Detail,
    fingerprint: u64,
}

impl Layout {
    /// Whether the graph is too large to be taken in at once.
    pub(crate) fn is_large(&self) -> bool {
        self.detail == Detail::Brief
    }

    /// Whether the layout was made for a stream with these nodes, edges and checks.
    pub fn fits(&self, stream: &StreamBoard) -> bool {
        self.fingerprint == fingerprint(stream)
    }
}

/// Lays out a stream's graph; labels' boxes are sized for their longest text.
pub fn lay_out(stream: &StreamBoard) -> Arc<Layout> {
    let (detail, small_detail) = (Detail::of(stream), Detail::of_small(stream));
    Arc::new(Layout {
        full: Dagre.place(&Plan::new(stream, detail)),
        detail,
        small: Dagre.place(&Plan::new(stream, small_detail)),
        small_detail,
        fingerprint: fingerprint(stream),
    })
}

#[cfg(test)]
mod tests;
