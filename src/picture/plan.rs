//! What has to be placed: how large the nodes and labels are, and how far apart they stand.
//!
//! Sizes follow from the topology and the checks alone: a label's box is made for its longest text,
//! so that numbers can change without a new layout.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::text::{mono_width, shorten, visible, width_em};
use super::words::{owed_short, share};
use crate::board::{EdgeBoard, StreamBoard, WindowBoard, check_line, status_line};
use crate::graph::{Threshold, Window};
use crate::outcome::Status;

/// Columns of a node's name at most.
pub(crate) const NAME_COLUMNS: usize = 28;
/// The same where the flow goes down.
pub(crate) const NARROW_NAME_COLUMNS: usize = 20;
/// Columns of a name in a thumbnail.
pub(crate) const SMALL_NAME_COLUMNS: usize = 18;
/// Font sizes: names, first line of a label, its other lines, names in a thumbnail.
pub(crate) const NAME_PX: f64 = 14.0;
pub(crate) const SAID_PX: f64 = 13.0;
pub(crate) const SHARE_PX: f64 = 12.0;
pub(crate) const FACT_PX: f64 = 11.0;
pub(crate) const SMALL_PX: f64 = 12.0;
/// The mark before a label's first line, and what lies between it and the text.
pub(crate) const MARK_PX: f64 = 16.0;
pub(crate) const MARK_GAP: f64 = 7.0;
/// Inner margin of a label's box.
pub(crate) const LABEL_PAD: f64 = 10.0;
/// Columns of the longest third or fourth line of a label.
const FACT_COLUMNS: usize = 40;
/// The narrowest label of a flow from top to bottom: a flag on it has room.
const NARROW_LABEL: f64 = 136.0;
/// Graphs with more edges than this show only the first two lines of each label.
const FULL_EDGES: usize = 24;
/// Thumbnails with more nodes than this show no names.
const NAMED_NODES: usize = 14;

/// How wide and high something is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

/// One edge to place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlannedEdge {
    /// Its upstream node.
    pub from: usize,
    /// Its downstream node.
    pub to: usize,
    /// The box of its label.
    pub label: Size,
}

/// The distances of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spacing {
    /// Between two boxes in one column.
    pub apart: f64,
    /// Between a box and an edge that passes it.
    pub passing: f64,
    /// Between the side of the widest node and where edges begin to bend.
    pub stub: f64,
    /// Between two columns, at least and at most.
    pub gap: (f64, f64),
    /// Around everything.
    pub margin: f64,
    /// Between two edges at one node.
    pub port: f64,
}

/// Everything that a layout is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The boxes of the nodes.
    pub nodes: Vec<Size>,
    /// The edges.
    pub edges: Vec<PlannedEdge>,
    /// The distances.
    pub spacing: Spacing,
    /// Which way it flows.
    pub flow: Flow,
}

/// Which way a picture flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// From left to right.
    #[default]
    Right,
    /// From top to bottom, for narrow screens.
    Down,
}

/// How much the labels of a picture say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Status, check, freshness and latency, losses.
    Full,
    /// Status and check: the rest is in the tables.
    Brief,
    /// What `Full` says, in short lines, for a flow from top to bottom.
    Narrow,
    /// Status and outcomes in short lines.
    NarrowBrief,
    /// A thumbnail with the names of its nodes.
    Small,
    /// A thumbnail without.
    Dots,
}

impl Detail {
    /// How much the picture of a stream says.
    pub(crate) fn of(stream: &StreamBoard, flow: Flow) -> Self {
        match (flow, stream.edges.len() > FULL_EDGES) {
            (Flow::Right, false) => Self::Full,
            (Flow::Right, true) => Self::Brief,
            (Flow::Down, false) => Self::Narrow,
            (Flow::Down, true) => Self::NarrowBrief,
        }
    }

    /// Which way such a picture flows.
    pub(crate) fn flow(self) -> Flow {
        if matches!(self, Self::Narrow | Self::NarrowBrief) { Flow::Down } else { Flow::Right }
    }

    /// How much the thumbnail of a stream says.
    pub(crate) fn of_small(stream: &StreamBoard) -> Self {
        if stream.nodes.len() > NAMED_NODES { Self::Dots } else { Self::Small }
    }

    fn spacing(self) -> Spacing {
        match self {
            Self::Full => {
                Spacing { apart: 30.0, passing: 20.0, stub: 14.0, gap: (44.0, 200.0), margin: 20.0, port: 18.0 }
            }
            Self::Brief => {
                Spacing { apart: 24.0, passing: 14.0, stub: 14.0, gap: (36.0, 220.0), margin: 20.0, port: 14.0 }
            }
            Self::Narrow => {
                Spacing { apart: 18.0, passing: 14.0, stub: 14.0, gap: (18.0, 72.0), margin: 12.0, port: 16.0 }
            }
            Self::NarrowBrief => {
                Spacing { apart: 16.0, passing: 10.0, stub: 14.0, gap: (16.0, 120.0), margin: 12.0, port: 12.0 }
            }
            Self::Small => Spacing { apart: 10.0, passing: 8.0, stub: 8.0, gap: (16.0, 60.0), margin: 4.0, port: 7.0 },
            Self::Dots => Spacing { apart: 8.0, passing: 6.0, stub: 6.0, gap: (14.0, 120.0), margin: 4.0, port: 5.0 },
        }
    }
}

impl Plan {
    /// The plan of a stream's picture.
    pub fn new(stream: &StreamBoard, detail: Detail) -> Self {
        let places = places(stream);
        let place = |name: &str| places.get(name).copied();
        let edges: Vec<PlannedEdge> = stream
            .edges
            .iter()
            .filter_map(|edge| {
                Some(PlannedEdge { from: place(&edge.from)?, to: place(&edge.to)?, label: label_size(edge, detail) })
            })
            .collect();
        let mut degrees = vec![(0_usize, 0_usize); stream.nodes.len()];
        for edge in &edges {
            degrees[edge.from].0 += 1;
            degrees[edge.to].1 += 1;
        }
        let spacing = detail.spacing();
        let sized = |(node, (out, into)): (&crate::board::NodeBoard, &(usize, usize))| {
            let size = node_size(&node.name, detail);
            let ports = ((*out).max(*into).saturating_sub(1) + 1) as f64 * spacing.port;
            match detail.flow() {
                Flow::Right => Size { height: size.height.max(ports), ..size },
                Flow::Down => Size { width: size.width.max(ports), ..size },
            }
        };
        let nodes = stream.nodes.iter().zip(&degrees).map(sized).collect();
        Self { nodes, edges, spacing, flow: detail.flow() }
    }

    /// The same with width and height exchanged: what flows down flows to the right in it, and the other way round.
    #[must_use]
    pub fn turned(&self) -> Self {
        let turned = |size: Size| Size { width: size.height, height: size.width };
        let edge = |edge: &PlannedEdge| PlannedEdge { label: turned(edge.label), ..*edge };
        Self {
            nodes: self.nodes.iter().map(|&size| turned(size)).collect(),
            edges: self.edges.iter().map(edge).collect(),
            spacing: self.spacing,
            flow: if self.flow == Flow::Down { Flow::Right } else { Flow::Down },
        }
    }
}

/// The index of each node by its name.
pub(crate) fn places(stream: &StreamBoard) -> HashMap<&str, usize> {
    stream.nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect()
}

/// The box of a node, by its name.
fn node_size(name: &str, detail: Detail) -> Size {
    let em = |columns| width_em(&shorten(&visible(name), columns));
    match detail {
        Detail::Full | Detail::Brief => {
            Size { width: (em(NAME_COLUMNS) * NAME_PX + 32.0).max(132.0).ceil(), height: 54.0 }
        }
        Detail::Narrow | Detail::NarrowBrief => {
            Size { width: (em(NARROW_NAME_COLUMNS) * NAME_PX + 24.0).max(108.0).ceil(), height: 50.0 }
        }
        Detail::Small => Size { width: (em(SMALL_NAME_COLUMNS) * SMALL_PX + 18.0).max(40.0).ceil(), height: 28.0 },
        Detail::Dots => Size { width: 16.0, height: 12.0 },
    }
}

/// The box of an edge's label, for its longest text.
fn label_size(edge: &EdgeBoard, detail: Detail) -> Size {
    let most = most_outcomes(edge);
    let said = status_line(Status::Unknown, most, most).chars().count();
    let said = MARK_PX + MARK_GAP + mono_width(said, SAID_PX);
    let share = share(&status_line(Status::Unknown, most, most)).chars().count();
    let narrow = mono_width(share, SHARE_PX).max(mono_width(owed_short(edge).chars().count(), FACT_PX));
    let owed = check_line(edge).map_or(0.0, |line| mono_width(line.chars().count(), FACT_PX));
    let padded = |width: f64| (width + 2.0 * LABEL_PAD).ceil();
    match detail {
        Detail::Full => Size { width: padded(said.max(owed).max(mono_width(FACT_COLUMNS, FACT_PX))), height: 84.0 },
        Detail::Brief => Size { width: padded(said.max(owed)), height: 46.0 },
        Detail::Narrow => Size { width: padded(narrow).max(NARROW_LABEL), height: 96.0 },
        Detail::NarrowBrief => Size { width: padded(narrow).max(NARROW_LABEL), height: 46.0 },
        Detail::Small => Size { width: 20.0, height: 20.0 },
        Detail::Dots => Size { width: 12.0, height: 12.0 },
    }
}

/// The most outcomes that an edge's window can hold.
fn most_outcomes(edge: &EdgeBoard) -> u64 {
    let Some(check) = &edge.check else { return u64::from(crate::graph::UNCHECKED_WINDOW) };
    let number = |threshold| match threshold {
        Threshold::Count(count) => u64::from(count),
        Threshold::Percent(_) => 0,
    };
    match check.window {
        Some(WindowBoard(Window::Outcomes(outcomes))) => u64::from(outcomes),
        Some(WindowBoard(Window::Time(_))) => crate::graph::WINDOW_OUTCOMES_MAX as u64,
        None => u64::from(check.ok) + number(check.warn.0) + number(check.fail.0),
    }
}

/// How wide a line of so many columns is in the labels' small font.
pub(crate) fn mono_columns_width(columns: usize) -> f64 {
    mono_width(columns, FACT_PX)
}

/// A fingerprint of all that a layout follows from.
pub(crate) fn fingerprint(stream: &StreamBoard) -> u64 {
    let mut hasher = DefaultHasher::new();
    stream.nodes.len().hash(&mut hasher);
    for node in &stream.nodes {
        node.name.hash(&mut hasher);
    }
    for edge in &stream.edges {
        (&edge.from, &edge.to, check_line(edge), most_outcomes(edge)).hash(&mut hasher);
    }
    hasher.finish()
}
