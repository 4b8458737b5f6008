//! The fields of an event, and how they are read from any JSON: the path that knows everything.
//!
//! [`scan`](super::scan) reads most events faster; where it is not sure, it leaves them to this.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::body::Reason;
use super::refusal::{EXAMPLE, Refusal, quote};
use crate::graph::NodeId;

/// The deepest nesting of an event, with the array that it stands in.
pub(super) const DEPTH_MAX: usize = 8;

/// The fields that mean something to us. Of several names of a field the first one here wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Node,
    Origin,
    Service,
    Token,
    Tracing,
    TraceId,
    Timestamp,
    Parent,
    Alias,
    /// Any other: ignored.
    Other,
}

impl Key {
    /// How many keys there are but for [`Key::Other`].
    const COUNT: usize = Self::Other as usize;

    /// The key of this name.
    #[inline]
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            b"node" => Self::Node,
            b"origin" => Self::Origin,
            b"service" => Self::Service,
            b"token" => Self::Token,
            b"tracing" => Self::Tracing,
            b"trace_id" => Self::TraceId,
            b"timestamp" => Self::Timestamp,
            b"parent" => Self::Parent,
            b"alias" => Self::Alias,
            _ => Self::Other,
        }
    }

    /// The name of this key.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Origin => "origin",
            Self::Service => "service",
            Self::Token => "token",
            Self::Tracing => "tracing",
            Self::TraceId => "trace_id",
            Self::Timestamp => "timestamp",
            Self::Parent => "parent",
            Self::Alias => "alias",
            Self::Other => "other",
        }
    }
}

/// What was given for each key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots<T>([Option<T>; Key::COUNT]);

impl<T: Copy> Slots<T> {
    pub(super) const EMPTY: Self = Self([None; Key::COUNT]);

    /// Keeps a value; `false` where the key has one already.
    #[inline]
    #[must_use]
    pub(super) fn set(&mut self, key: Key, value: T) -> bool {
        self.0[key as usize].replace(value).is_none()
    }

    /// Keeps only the values that pass.
    fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        for slot in &mut self.0 {
            *slot = slot.filter(&keep);
        }
    }

    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<T> {
        self.0[key as usize]
    }

    /// Of several names of a field the first that has a value.
    #[inline]
    pub(super) fn first(&self, keys: [Key; 3]) -> Option<(Key, T)> {
        keys.into_iter().find_map(|key| Some((key, self.get(key)?)))
    }
}

/// The names of the node, the one that wins first.
pub(super) const NODE: [Key; 3] = [Key::Node, Key::Origin, Key::Service];
/// The names of the token, the one that wins first.
pub(super) const TOKEN: [Key; 3] = [Key::Token, Key::Tracing, Key::TraceId];

/// The fields of an event, of the right types, unchecked otherwise. `T`: how texts are kept, which are
/// the bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields<T> {
    /// The node, by the name that was used for it.
    pub(super) node: Option<(Key, T)>,
    /// Which node that is, where that is known already.
    pub(super) known_node: Option<NodeId>,
    /// The token, by the name that was used for it.
    pub(super) token: Option<(Key, T)>,
    /// What the token packs to, where it is a trace id and that is known already.
    pub(super) trace_id: Option<[u64; 2]>,
    pub(super) timestamp: Option<Stamp<T>>,
    pub(super) parent: Option<T>,
    pub(super) alias: Option<T>,
}

/// A timestamp as its sender wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp<T> {
    Integer(u64),
    Text(T),
    /// A text that has been read and checked: microseconds.
    Known(u64),
}

/// The bytes of a text, decoded where there are escapes in it.
pub(super) type Text<'a> = Cow<'a, [u8]>;

/// Reads the fields of one JSON value. `text` is valid JSON without blanks around it, `depth` of
/// which it may be nested.
pub(super) fn read(text: &str, depth: usize) -> Result<Fields<Text<'_>>, Refusal> {
    if nesting(text) > depth {
        return Err(Refusal::new(Reason::Syntax, format!("the event is nested deeper than {DEPTH_MAX} levels")));
    }
    if !text.starts_with('{') {
        let error = format!("the event is {}, not an object; send {EXAMPLE}", kind(text));
        return Err(Refusal::new(Reason::Syntax, error));
    }
    // The grammar has been checked, so what fails here is a name with half a surrogate pair.
    let Object { slots, twice } = serde_json::from_str(text)
        .map_err(|error| Refusal::new(Reason::Syntax, format!("the event has a name that is no text: {error}")))?;
    if let Some(key) = twice {
        let error = format!("\"{}\" is given twice; send it once", key.name());
        return Err(Refusal::new(Reason::Field, error));
    }
    Ok(Fields {
        node: named(slots.first(NODE))?,
        token: named(slots.first(TOKEN))?,
        known_node: None,
        trace_id: None,
        timestamp: slots.get(Key::Timestamp).map(stamp_of).transpose()?,
        parent: slots.get(Key::Parent).map(|value| text_of(Key::Parent, value)).transpose()?,
        alias: slots.get(Key::Alias).map(|value| text_of(Key::Alias, value)).transpose()?,
    })
}

/// The text of a value, with the name that was used for it.
fn named(value: Option<(Key, &RawValue)>) -> Result<Option<(Key, Text<'_>)>, Refusal> {
    value.map(|(key, value)| Ok((key, text_of(key, value)?))).transpose()
}

/// The values of the known keys, as they stand; `null` counts as not given.
struct Object<'a> {
    slots: Slots<&'a RawValue>,
    /// A key that was given more than once.
    twice: Option<Key>,
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut object = Object { slots: Slots::EMPTY, twice: None };
                while let Some(Name(key)) = map.next_key()? {
                    if key == Key::Other {
                        map.next_value::<IgnoredAny>()?;
                    } else if !object.slots.set(key, map.next_value()?) {
                        object.twice = Some(key);
                    }
                }
                object.slots.retain(|value: &&RawValue| value.get() != "null");
                Ok(object)
            }
        }
        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// The name of a value.
struct Name(Key);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(Name(Key::of(name.as_bytes())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

#[derive(Deserialize)]
struct Decoded<'a>(#[serde(borrow)] Cow<'a, str>);

fn text_of(key: Key, value: &RawValue) -> Result<Text<'_>, Refusal> {
    let (name, json) = (key.name(), value.get());
    if !json.starts_with('"') {
        return Err(Refusal::new(Reason::Field, format!("\"{name}\" is {}, not a string", kind(json))));
    }
    match serde_json::from_str(json) {
        Ok(Decoded(Cow::Borrowed(text))) => Ok(Cow::Borrowed(text.as_bytes())),
        Ok(Decoded(Cow::Owned(text))) => Ok(Cow::Owned(text.into_bytes())),
        // Half a surrogate pair.
        Err(error) => Err(Refusal::new(Reason::Field, format!("\"{name}\" is no text: {error}"))),
    }
}

fn stamp_of(value: &RawValue) -> Result<Stamp<Text<'_>>, Refusal> {
    const INSTEAD: &str = r#"send microseconds since the Unix epoch as an integer, or "2026-11-20T12:00:00Z""#;
    let json = value.get();
    let refuse = |what: String| Err(Refusal::new(Reason::Timestamp, format!("\"timestamp\" is {what}; {INSTEAD}")));
    match json.as_bytes().first() {
        Some(b'"') => text_of(Key::Timestamp, value).map(Stamp::Text),
        Some(b'-') => refuse(format!("{}, a negative number", quote(json))),
        Some(b'0'..=b'9') => match json.parse() {
            Ok(us) => Ok(Stamp::Integer(us)),
            Err(_) if json.bytes().all(|byte| byte.is_ascii_digit()) => {
                refuse(format!("{}, far too large", quote(json)))
            }
            Err(_) => refuse(format!("{}, not an integer", quote(json))),
        },
        _ => refuse(kind(json).to_owned()),
    }
}

/// What a valid JSON value is, for people.
fn kind(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// How deep valid JSON is nested.
fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    deepest
}
