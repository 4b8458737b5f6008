//! The picture of a stream: layout by a library, SVG and DOT by our own writers.
//!
//! A [`Layout`] is made once for a topology and used for every board: the sizes in it are for the
//! longest texts. The drawing says a tone by one class on an edge's group; the style sheet does the
//! rest (colour, line, mark), so that a live page can recolour an edge by that class alone.

mod badge;
mod columns;
mod dagre;
mod dot;
#[cfg(test)]
pub(crate) mod fixtures;
mod graphviz;
mod layout;
mod marks;
mod order;
mod plan;
mod svg;
pub(crate) mod text;
mod thumbnail;
pub(crate) mod words;

pub use badge::{edge_badge, stream_badge};
pub use dagre::Dagre;
pub use dot::dot;
pub use graphviz::{placed, question};
pub use layout::{Layout, Placement, Placer, Point, Rect, Route, lay_out, lay_out_by, place};
pub(crate) use marks::mark_of;
pub use marks::marks;
pub use plan::{Detail, Flow, Plan, PlannedEdge, Size, Spacing};
pub use svg::{STANDALONE_POLICY, svg};
pub use thumbnail::thumbnail;
