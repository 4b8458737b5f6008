//! Where the fields of an event stand in a message whose body is not one of ours.

use std::borrow::Cow;

use lapin::BasicProperties;
use lapin::types::AMQPValue;
use serde_json::Value;

use crate::input::fields::{Fields, Key, Stamp};
use crate::input::rules::{Unit, micros};
use crate::input::traceparent;

/// Where one field is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `fixed:TEXT`: always this.
    Fixed(String),
    /// `header:NAME`: the message's header of this name, whatever its case.
    Header(String),
    /// `property:NAME`: a property of the message.
    Property(Property),
    /// `routing_key`: that of the message.
    RoutingKey,
    /// `body:/pointer`: what a JSON pointer (RFC 6901) finds in the body.
    Body(String),
}

/// A property that every AMQP message may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// The message's own id.
    MessageId,
    /// The id of what it belongs to.
    CorrelationId,
    /// When it was made, in seconds since the Unix epoch.
    Timestamp,
    /// Who made it.
    AppId,
    /// Of which kind it is.
    Kind,
    /// Where an answer goes.
    ReplyTo,
}

impl Property {
    const ALL: [(&str, Self); 6] = [
        ("message_id", Self::MessageId),
        ("correlation_id", Self::CorrelationId),
        ("timestamp", Self::Timestamp),
        ("app_id", Self::AppId),
        ("type", Self::Kind),
        ("reply_to", Self::ReplyTo),
    ];
}

/// Why a source cannot be read; it tells what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapError {
    /// What is wrong.
    pub error: String,
    /// What to write instead.
    pub help: String,
}

/// How to write a source.
const SOURCES: &str = "write \"header:X-Tracing-ID\", \"property:message_id\", \"property:correlation_id\", \
                       \"body:/order/id\", \"routing_key\" or \"fixed:journal\"";

impl Source {
    /// Reads a source as the manifest writes it.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let wrong = |error: String| Err(MapError { error, help: SOURCES.to_owned() });
        if text == "routing_key" {
            return Ok(Self::RoutingKey);
        }
        let Some((kind, rest)) = text.split_once(':') else {
            return wrong("it does not say where the field stands".to_owned());
        };
        match (kind, rest) {
            ("fixed" | "header" | "property" | "body", "") => wrong(format!("nothing follows `{kind}:`")),
            ("fixed", text) => Ok(Self::Fixed(text.to_owned())),
            ("header", name) => Ok(Self::Header(name.to_owned())),
            ("property", name) => {
                let found = Property::ALL.iter().find(|(known, _)| *known == name);
                found.map(|(_, property)| Self::Property(*property)).ok_or_else(|| MapError {
                    error: "there is no such property".to_owned(),
                    help: format!("the properties are {}", Property::ALL.map(|(name, _)| name).join(", ")),
                })
            }
            ("body", pointer) if pointer.starts_with('/') => Ok(Self::Body(pointer.to_owned())),
            ("body", _) => wrong("a JSON pointer begins with `/`".to_owned()),
            _ => wrong("there is no such place in a message".to_owned()),
        }
    }
}

/// Where the fields of an event stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Who saw the message.
    pub node: Source,
    /// Which message; of a W3C traceparent its trace id is taken.
    pub token: Source,
    /// A second token.
    pub alias: Option<Source>,
    /// The node that it came from.
    pub parent: Option<Source>,
    /// When; without it, when the message arrives.
    pub timestamp: Option<Source>,
    /// The unit of a timestamp that is a number. `property:timestamp` is always in seconds.
    pub unit: Unit,
}

/// What is known of one message.
pub(super) struct Parts<'a> {
    pub(super) properties: &'a BasicProperties,
    pub(super) routing_key: &'a str,
    pub(super) body: &'a [u8],
}

impl Map {
    /// The fields of the event that a message is; the error says which field could not be found.
    pub(super) fn fields<'a>(&'a self, parts: &Parts<'a>) -> Result<Fields<Cow<'a, [u8]>>, String> {
        let body = self.reads_body().then(|| serde_json::from_slice(parts.body)).transpose();
        let body: Option<Value> = body.map_err(|error| format!("the body is no JSON: {error}"))?;
        let get = |source: &'a Source| parts.text(source, body.as_ref());
        let timestamp = match &self.timestamp {
            Some(source) => get(source).map(|text| stamp(source, text, self.unit)).transpose()?,
            None => None,
        };
        Ok(Fields {
            node: get(&self.node).map(|text| (Key::Node, bytes(text))),
            token: get(&self.token).map(|text| (Key::Token, trace(bytes(text)))),
            known_node: None,
            trace_id: None,
            timestamp,
            parent: self.parent.as_ref().and_then(get).map(bytes),
            alias: self.alias.as_ref().and_then(get).map(|text| trace(bytes(text))),
        })
    }

    fn reads_body(&self) -> bool {
        let further = [&self.alias, &self.parent, &self.timestamp].into_iter().flatten();
        [&self.node, &self.token].into_iter().chain(further).any(|source| matches!(source, Source::Body(_)))
    }
}

impl<'a> Parts<'a> {
    /// What stands there, where it is a text or a number.
    fn text(&self, source: &'a Source, body: Option<&Value>) -> Option<Cow<'a, str>> {
        let text = match source {
            Source::Fixed(text) => Cow::Borrowed(text.as_str()),
            Source::RoutingKey => Cow::Borrowed(self.routing_key),
            Source::Header(name) => {
                let headers = self.properties.headers().as_ref()?.inner();
                let header = headers.iter().find(|(header, _)| header.as_str().eq_ignore_ascii_case(name));
                of_header(header?.1)?
            }
            Source::Property(property) => self.property(*property)?,
            Source::Body(pointer) => match body?.pointer(pointer)? {
                Value::String(text) => Cow::Owned(text.clone()),
                Value::Number(number) => Cow::Owned(number.to_string()),
                _ => return None,
            },
        };
        (!text.is_empty()).then_some(text)
    }

    fn property(&self, property: Property) -> Option<Cow<'a, str>> {
        let properties = self.properties;
        let text = match property {
            Property::MessageId => properties.message_id(),
            Property::CorrelationId => properties.correlation_id(),
            Property::AppId => properties.app_id(),
            Property::Kind => properties.kind(),
            Property::ReplyTo => properties.reply_to(),
            Property::Timestamp => return properties.timestamp().map(|seconds| Cow::Owned(seconds.to_string())),
        };
        text.as_ref().map(|text| Cow::Borrowed(text.as_str()))
    }
}

fn of_header(value: &AMQPValue) -> Option<Cow<'_, str>> {
    Some(match value {
        AMQPValue::LongString(text) => Cow::Borrowed(str::from_utf8(text.as_bytes()).ok()?),
        AMQPValue::ShortString(text) => Cow::Borrowed(text.as_str()),
        AMQPValue::ByteArray(bytes) => Cow::Borrowed(str::from_utf8(bytes.as_slice()).ok()?),
        AMQPValue::ShortShortInt(number) => Cow::Owned(number.to_string()),
        AMQPValue::ShortShortUInt(number) => Cow::Owned(number.to_string()),
        AMQPValue::ShortInt(number) => Cow::Owned(number.to_string()),
        AMQPValue::ShortUInt(number) => Cow::Owned(number.to_string()),
        AMQPValue::LongInt(number) => Cow::Owned(number.to_string()),
        AMQPValue::LongUInt(number) => Cow::Owned(number.to_string()),
        AMQPValue::LongLongInt(number) => Cow::Owned(number.to_string()),
        AMQPValue::Timestamp(number) => Cow::Owned(number.to_string()),
        _ => return None,
    })
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Of a traceparent its trace id.
fn trace(token: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match token {
        Cow::Borrowed(text) => Cow::Borrowed(traceparent::trace_id(text).unwrap_or(text)),
        Cow::Owned(text) => {
            let id = traceparent::trace_id(&text).map(<[u8]>::to_vec);
            Cow::Owned(id.unwrap_or(text))
        }
    }
}

/// A number is brought to microseconds; what is no number is left as it is written.
fn stamp<'a>(source: &Source, text: Cow<'a, str>, unit: Unit) -> Result<Stamp<Cow<'a, [u8]>>, String> {
    let unit = if *source == Source::Property(Property::Timestamp) { Unit::Seconds } else { unit };
    let number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match micros(&text, unit) {
        Some(us) => Ok(Stamp::Integer(us)),
        None if number => Err(format!("the timestamp is no number of {} that can be meant", unit.name())),
        None => Ok(Stamp::Text(bytes(text))),
    }
}

#[cfg(test)]
mod tests {
    use lapin::types::FieldTable;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn map(token: &str) -> Map {
        let source = |text| Source::parse(text).unwrap();
        let (node, token, timestamp) = (source("fixed:journal"), source(token), Some(source("property:timestamp")));
        Map { node, token, alias: None, parent: None, timestamp, unit: Unit::Micros }
    }

    /// The token and the moment that a map finds.
    fn found(map: &Map, body: &str) -> Result<(Option<String>, Option<u64>), String> {
        let mut headers = FieldTable::default();
        headers.insert("X-Tracing-ID".into(), AMQPValue::LongString("t-1".into()));
        headers.insert("traceparent".into(), AMQPValue::LongString(format!("00-{TRACE}-00f067aa0ba902b7-01").into()));
        headers.insert("number".into(), AMQPValue::LongLongInt(42));
        headers.insert("flag".into(), AMQPValue::Boolean(true));
        let properties = BasicProperties::default()
            .with_headers(headers)
            .with_message_id("m-1".into())
            .with_correlation_id("c-1".into())
            .with_timestamp(1_700_000_000);
        let parts = Parts { properties: &properties, routing_key: "orders.new", body: body.as_bytes() };
        let fields = map.fields(&parts)?;
        let token = fields.token.map(|(_, token)| String::from_utf8(token.into_owned()).unwrap());
        let stamp = match fields.timestamp {
            Some(Stamp::Integer(us)) => Some(us),
            Some(stamp) => panic!("{stamp:?}"),
            None => None,
        };
        Ok((token, stamp))
    }

    #[test]
    fn a_token_from_every_place() {
        let body = r#"{"order": {"id": "b-1", "number": 7, "flag": true}}"#;
        for (source, token) in [
            ("header:X-Tracing-ID", Some("t-1")),
            ("header:x-tracing-id", Some("t-1")),
            ("header:traceparent", Some(TRACE)),
            ("header:number", Some("42")),
            ("header:flag", None),
            ("header:none", None),
            ("property:message_id", Some("m-1")),
            ("property:correlation_id", Some("c-1")),
            ("property:app_id", None),
            ("routing_key", Some("orders.new")),
            ("body:/order/id", Some("b-1")),
            ("body:/order/number", Some("7")),
            ("body:/order/flag", None),
            ("body:/order", None),
            ("fixed:always", Some("always")),
        ] {
            let expected = (token.map(str::to_owned), Some(1_700_000_000_000_000));
            assert_eq!(found(&map(source), body), Ok(expected), "{source}");
        }
    }

    #[test]
    fn a_body_that_nobody_asks_for_is_not_read() {
        assert!(found(&map("header:X-Tracing-ID"), "no JSON").is_ok());
        assert!(found(&map("body:/order/id"), "no JSON").is_err());
    }

    #[test]
    fn timestamps_in_every_unit() {
        for (value, unit, us) in [
            ("1700000000", Unit::Seconds, 1_700_000_000_000_000),
            ("1700000000.5", Unit::Seconds, 1_700_000_000_500_000),
            ("1700000000123", Unit::Millis, 1_700_000_000_123_000),
            ("1700000000123456", Unit::Micros, 1_700_000_000_123_456),
        ] {
            let body = format!(r#"{{"at": {value}}}"#);
            let timestamp = Some(Source::Body("/at".to_owned()));
            let map = Map { timestamp, unit, ..map("property:message_id") };
            assert_eq!(found(&map, &body).map(|found| found.1), Ok(Some(us)), "{value}");
        }
        let far = Map { timestamp: Some(Source::Body("/at".to_owned())), ..map("property:message_id") };
        assert!(found(&far, r#"{"at": "99999999999999999999"}"#).is_err());
    }

    #[test]
    fn a_place_that_there_is_not_is_told_with_what_to_write() {
        for text in ["", "journal", "fixed:", "header:", "property:id", "body:order", "cookie:a"] {
            let MapError { error, help } = Source::parse(text).unwrap_err();
            assert!(!error.is_empty() && !help.is_empty(), "{text}");
        }
        assert_eq!(Source::parse("fixed:a:b"), Ok(Source::Fixed("a:b".to_owned())));
    }
}
