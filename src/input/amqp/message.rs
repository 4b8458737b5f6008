//! One delivery: which events it carries.

use lapin::BasicProperties;

use super::map::{Map, Parts};
use crate::event::Report;
use crate::graph::NodeIndex;
use crate::input::body::{Format, Parsed, Reason, Rejected, parse};
use crate::input::refusal::Miss;
use crate::input::resolve::Resolver;

/// The largest body that is read, in bytes; a larger one is kept aside.
const BODY_MAX_BYTES: usize = 8 * 1024 * 1024;

/// What a delivery came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Its events; those that were refused are told, too.
    Events(Parsed),
    /// Nothing can be taken from it.
    Poison {
        /// Why, as a label of the metrics.
        reason: Reason,
        /// Why, for people.
        error: String,
    },
}

impl Content {
    fn poison(reason: Reason, error: impl Into<String>) -> Self {
        Self::Poison { reason, error: error.into() }
    }
}

/// Reads a delivery: by the `map` where there is one, else its body as `POST /events` takes it.
pub fn read(
    (properties, routing_key, body): (&BasicProperties, &str, &[u8]),
    map: Option<&Map>,
    nodes: &NodeIndex,
    accept_unknown: bool,
) -> Content {
    if body.len() > BODY_MAX_BYTES {
        return Content::poison(Reason::Syntax, format!("the body is longer than {BODY_MAX_BYTES} bytes"));
    }
    match map {
        None if body.trim_ascii().is_empty() => Content::poison(Reason::Syntax, "the body is empty"),
        Some(map) => mapped(map, &Parts { properties, routing_key, body }, &mut Resolver::new(nodes, accept_unknown)),
        None => own(body, properties, nodes, accept_unknown),
    }
}

/// A body as `POST /events` takes it. Without a content type that says so, NDJSON is known by its being no JSON as a whole.
fn own(body: &[u8], properties: &BasicProperties, nodes: &NodeIndex, accept_unknown: bool) -> Content {
    let content_type = properties.content_type().as_ref().map_or("", |text| text.as_str());
    let ndjson = || parse(body, Format::Ndjson, nodes, accept_unknown);
    let parsed = if content_type.starts_with("application/x-ndjson") {
        ndjson()
    } else {
        parse(body, Format::Json, nodes, accept_unknown).or_else(|error| ndjson().or(Err(error)))
    };
    match parsed {
        Ok(parsed) if !parsed.reports.is_empty() || !parsed.unknown.is_empty() => Content::Events(parsed),
        Ok(parsed) => match parsed.rejected.into_iter().next() {
            Some(Rejected { reason, error, .. }) => Content::Poison { reason, error },
            None => Content::Events(Parsed::default()),
        },
        Err(error) => Content::poison(Reason::Syntax, error.0),
    }
}

fn mapped(map: &Map, parts: &Parts<'_>, resolver: &mut Resolver<'_>) -> Content {
    let fields = match map.fields(parts) {
        Ok(fields) => fields,
        Err(error) => return Content::poison(Reason::Syntax, error),
    };
    for (found, field) in [(fields.node.is_some(), "node"), (fields.token.is_some(), "token")] {
        if !found {
            return Content::poison(Reason::Field, format!("the message has no `{field}` where `map` says it stands"));
        }
    }
    let events = |reports: Vec<Report>, unknown| Content::Events(Parsed { reports, unknown, ..Parsed::default() });
    match resolver.resolve(&fields) {
        Ok(report) => events(vec![report], Vec::new()),
        Err(miss) => match *miss {
            Miss::Unknown { name, .. } => events(Vec::new(), vec![name]),
            Miss::Refused(refusal) => Content::poison(refusal.reason, refusal.error),
            Miss::NotJson(error) => Content::poison(Reason::Syntax, error),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::graph::System;
    use crate::input::amqp::Source;
    use crate::input::rules::Unit;

    fn nodes() -> NodeIndex {
        let nodes = ["web", "journal"].map(str::to_owned).into();
        NodeIndex::new(&Arc::new(System { nodes, ..System::default() }))
    }

    fn of(body: &str, content_type: &str) -> Result<(usize, usize), Reason> {
        let properties = BasicProperties::default().with_content_type(content_type.into());
        match read((&properties, "key", body.as_bytes()), None, &nodes(), false) {
            Content::Events(parsed) => Ok((parsed.reports.len(), parsed.rejected_count())),
            Content::Poison { reason, .. } => Err(reason),
        }
    }

    #[test]
    fn bodies_as_the_http_input_takes_them() {
        let event = |node: &str| format!(r#"{{"node": "{node}", "token": "t"}}"#);
        let (web, other) = (event("web"), event("nobody"));
        for (body, content_type, expected) in [
            (web.clone(), "", Ok((1, 0))),
            (web.clone(), "application/json", Ok((1, 0))),
            (format!("[{web}, {other}, {web}]"), "", Ok((2, 1))),
            (format!("{web}\n{web}\n"), "", Ok((2, 0))),
            (format!("{web}\nno JSON\n"), "application/x-ndjson", Ok((1, 1))),
            (format!("{web}\n{web}\n"), "text/plain", Ok((2, 0))),
            ("[]".to_owned(), "", Ok((0, 0))),
            (other.clone(), "", Err(Reason::UnknownNode)),
            (format!("[{other}]"), "", Err(Reason::UnknownNode)),
            ("poison".to_owned(), "", Err(Reason::Syntax)),
            (String::new(), "", Err(Reason::Syntax)),
            (r#"{"node": "web"}"#.to_owned(), "", Err(Reason::Field)),
        ] {
            assert_eq!(of(&body, content_type), expected, "{body:?} {content_type:?}");
        }
    }

    #[test]
    fn a_mapped_message_is_one_event_or_poison() {
        let map = |node: &str| Map {
            node: Source::parse(node).unwrap(),
            token: Source::parse("property:message_id").unwrap(),
            alias: None,
            parent: None,
            timestamp: None,
            unit: Unit::Micros,
        };
        let properties = BasicProperties::default().with_message_id("m-1".into());
        let read = |map: &Map, properties: &BasicProperties, accept| {
            read((properties, "web", b"anything"), Some(map), &nodes(), accept)
        };
        let Content::Events(parsed) = read(&map("routing_key"), &properties, false) else { panic!() };
        assert_eq!(parsed.reports[0].token.to_string(), "m-1");
        let poison = |content| matches!(content, Content::Poison { .. });
        assert!(poison(read(&map("fixed:nobody"), &properties, false)));
        assert!(!poison(read(&map("fixed:nobody"), &properties, true)));
        assert!(poison(read(&map("routing_key"), &BasicProperties::default(), false)), "no token");
        assert!(poison(read(&map("header:none"), &properties, false)), "no node");
    }
}
