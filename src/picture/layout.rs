//! Where everything of one stream's picture stands.

use std::sync::Arc;

use super::dagre::Dagre;
use super::plan::{Detail, Flow, Plan, fingerprint};
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
    /// Level runs, each from its upstream to its downstream end; between two runs the edge bends. Where the flow
    /// goes down they are upright.
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

impl Placement {
    /// The same with both axes exchanged.
    fn turned(self) -> Self {
        let point = |point: Point| Point { x: point.y, y: point.x };
        let rect = |rect: Rect| Rect { x: rect.y, y: rect.x, width: rect.height, height: rect.width };
        let route = |route: Route| Route {
            runs: route.runs.into_iter().map(|(from, to)| (point(from), point(to))).collect(),
            label: rect(route.label),
        };
        Self {
            width: self.height,
            height: self.width,
            nodes: self.nodes.into_iter().map(rect).collect(),
            routes: self.routes.into_iter().map(route).collect(),
        }
    }
}

/// Places the parts of a picture so that none lies over another.
pub trait Placer {
    /// Places a plan that flows from left to right; the same plan always in the same way.
    fn place(&self, plan: &Plan) -> Placement;
}

/// Places a plan whichever way it flows.
pub fn place(placer: &(impl Placer + ?Sized), plan: &Plan) -> Placement {
    match plan.flow {
        Flow::Right => placer.place(plan),
        Flow::Down => placer.place(&plan.turned()).turned(),
    }
}

/// A placement, and how much its labels say.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub(crate) detail: Detail,
    pub(crate) placement: Placement,
}

/// Where everything of one stream stands. Made once a topology, used for every board.
#[derive(Clone, Debug)]
pub struct Layout {
    right: Drawn,
    down: Drawn,
    pub(crate) small: Drawn,
    fingerprint: u64,
}

impl Layout {
    /// The picture that flows this way.
    pub(crate) fn flowing(&self, flow: Flow) -> &Drawn {
        match flow {
            Flow::Right => &self.right,
            Flow::Down => &self.down,
        }
    }

    /// How wide the picture is that flows this way.
    pub(crate) fn width(&self, flow: Flow) -> f64 {
        self.flowing(flow).placement.width
    }

    /// Whether the graph is too large to be taken in at once.
    pub(crate) fn is_large(&self) -> bool {
        self.right.detail == Detail::Brief
    }

    /// Whether the layout was made for a stream with these nodes, edges and checks.
    pub fn fits(&self, stream: &StreamBoard) -> bool {
        self.fingerprint == fingerprint(stream)
    }
}

/// Lays out a stream's graph by the built-in layout; labels' boxes are sized for their longest text.
pub fn lay_out(stream: &StreamBoard) -> Arc<Layout> {
    lay_out_by(&Dagre, stream)
}

/// Lays out a stream's graph by this layout. The small picture, which has no room for beauty, is always ours.
pub fn lay_out_by(placer: &(impl Placer + ?Sized), stream: &StreamBoard) -> Arc<Layout> {
    let flowing = |flow| {
        let detail = Detail::of(stream, flow);
        Drawn { detail, placement: place(placer, &Plan::new(stream, detail)) }
    };
    let detail = Detail::of_small(stream);
    Arc::new(Layout {
        right: flowing(Flow::Right),
        down: flowing(Flow::Down),
        small: Drawn { detail, placement: Dagre.place(&Plan::new(stream, detail)) },
        fingerprint: fingerprint(stream),
    })
}

#[cfg(test)]
mod tests;
