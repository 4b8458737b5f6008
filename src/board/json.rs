//! How the board is written where its JSON is not its fields.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::label::{Tone, label_lines, threshold};
use super::{EdgeBoard, EdgeDetail, OutcomeEntry, ThresholdBoard, WindowBoard};
use crate::clock::duration_text;
use crate::graph::{Threshold, Window};

/// The fields of an edge.
const EDGE_FIELDS: usize = 21;
/// Those that an edge's own object has beyond, `fails` not counted: an edge has them anyway.
const DETAIL_FIELDS: usize = 4;

impl EdgeBoard {
    /// Writes the fields, and these fails.
    fn write<O: SerializeStruct>(&self, object: &mut O, fails: &[OutcomeEntry]) -> Result<(), O::Error> {
        object.serialize_field("from", &self.from)?;
        object.serialize_field("to", &self.to)?;
        object.serialize_field("name", &self.name)?;
        object.serialize_field("status", &self.status)?;
        object.serialize_field("status_since", &self.status_since)?;
        object.serialize_field("held", &self.held)?;
        object.serialize_field("held_since", &self.held_since)?;
        object.serialize_field("freshness", &self.freshness)?;
        object.serialize_field("tone", &Tone::of(self))?;
        object.serialize_field("label", &label_lines(self).collect::<Vec<_>>())?;
        object.serialize_field("pass", &self.pass)?;
        object.serialize_field("total", &self.total)?;
        object.serialize_field("in_flight", &self.in_flight)?;
        object.serialize_field("rate", &self.rate)?;
        object.serialize_field("last_pass", &self.last_pass)?;
        object.serialize_field("last_fail", &self.last_fail)?;
        object.serialize_field("discovered", &self.discovered)?;
        object.serialize_field("latency_ms", &self.latency_ms)?;
        object.serialize_field("check", &self.check)?;
        object.serialize_field("ledger", &self.ledger)?;
        object.serialize_field("fails", fails)
    }
}

impl Serialize for EdgeBoard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Edge", EDGE_FIELDS)?;
        self.write(&mut object, &self.recent_fails)?;
        object.end()
    }
}

impl Serialize for EdgeDetail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("EdgeDetail", EDGE_FIELDS + DETAIL_FIELDS)?;
        self.edge.write(&mut object, &self.fails)?;
        object.serialize_field("window", &self.window)?;
        object.serialize_field("oldest_in_flight_ms", &self.oldest_in_flight_ms)?;
        object.serialize_field("clock_difference_ms", &self.clock_difference_ms)?;
        object.serialize_field("latency_histogram", &self.latency_histogram)?;
        object.end()
    }
}

impl Serialize for ThresholdBoard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Threshold::Count(count) => serializer.serialize_u32(count),
            Threshold::Percent(_) => serializer.serialize_str(&threshold(self.0)),
        }
    }
}

impl Serialize for WindowBoard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Window::Outcomes(outcomes) => serializer.serialize_u32(outcomes),
            Window::Time(us) => serializer.serialize_str(&duration_text(us)),
        }
    }
}
