//! A checked scanner for the events that most senders send: flat objects with plain texts.
//!
//! It knows the few fields of an event in any order. Whatever it is not sure of, it leaves to
//! [`fields`](super::fields): escapes, nested values, odd types, and everything that is wrong.

mod skip;

use super::eight::{eight_digits, plain};
use super::fields::{Fields, Key, Stamp};
use super::names::Names;
use super::timestamp::{Minutes, QUOTED_BYTES};
use crate::event::pack_hex;
use crate::graph::NodeId;

/// What the events before have shown, and the next ones will probably show again.
#[derive(Debug, Default)]
pub(super) struct Known {
    minutes: Minutes,
    names: Names,
}

/// Reads the object at the start of `bytes`. Gives its fields and its length, or `None` where it is
/// unusual or wrong. The bytes need not be UTF-8; those of an object that is accepted are.
#[inline]
pub(super) fn object<'a>(bytes: &'a [u8], known: &mut Known) -> Option<(Fields<&'a [u8]>, usize)> {
    let mut scanner: Scanner<'_, '_, false> = Scanner { bytes, at: 0, known };
    let fields = scanner.object()?;
    Some((fields, scanner.at))
}

/// Reads the object that is the whole first line of `bytes`, as [`object`] does. Gives the length of the line, with its line
/// feed, if it has one.
#[inline]
pub(super) fn line<'a>(bytes: &'a [u8], known: &mut Known) -> Option<(Fields<&'a [u8]>, usize)> {
    let mut scanner: Scanner<'_, '_, true> = Scanner { bytes, at: 0, known };
    if let Some(fields) = scanner.common_line() {
        return Some((fields, scanner.at));
    }
    scanner.at = 0;
    let fields = scanner.object()?;
    scanner.skip_blanks();
    match scanner.next() {
        None | Some(b'\n') => Some((fields, scanner.at)),
        Some(_) => None,
    }
}

/// The keys of most events, as most libraries write them.
const COMMON_KEYS: [(Key, &str); 3] =
    [(Key::Node, "\"node\":"), (Key::Token, "\"token\":"), (Key::Timestamp, "\"timestamp\":")];

/// How most lines begin: what comes next is the name of the node.
const COMMON_START: &[u8] = b"{\"node\":\"";

impl Known {
    /// The line, which was read, is of this node.
    #[inline]
    pub(super) fn learn(&mut self, line: &[u8], fields: &Fields<&[u8]>, node: NodeId) {
        if fields.known_node.is_none()
            && let Some((_, name)) = fields.node
            && let Some(bytes) = line.strip_prefix(COMMON_START)
        {
            self.names.keep(bytes, name.len(), node);
        }
    }
}

/// `LINE`: a line feed is no blank, but ends everything.
struct Scanner<'a, 'm, const LINE: bool> {
    bytes: &'a [u8],
    at: usize,
    known: &'m mut Known,
}

impl<'a, const LINE: bool> Scanner<'a, '_, LINE> {
    /// A whole line as most senders write it: three fields, in this order, without blanks, and a trace id. Where this
    /// answers `None`, nothing is said about it.
    #[inline]
    fn common_line(&mut self) -> Option<Fields<&'a [u8]>> {
        self.word("{\"node\":")?;
        let (name, known_node) = self.name()?;
        self.word(",\"token\":")?;
        let (token, trace_id) = self.token()?;
        trace_id?;
        self.word(",\"timestamp\":")?;
        let timestamp = if self.peek()? == b'"' { self.stamp()? } else { Stamp::Integer(self.integer()?) };
        self.word("}\n")?;
        let (node, token) = (Some((Key::Node, name)), Some((Key::Token, token)));
        Some(Fields { node, known_node, token, trace_id, timestamp: Some(timestamp), parent: None, alias: None })
    }

    #[inline]
    fn object(&mut self) -> Option<Fields<&'a [u8]>> {
        let mut fields = Fields {
            node: None,
            known_node: None,
            token: None,
            trace_id: None,
            timestamp: None,
            parent: None,
            alias: None,
        };
        let mut seen = 0;
        self.expect(b'{')?;
        loop {
            self.skip_blanks();
            let key = self.key()?;
            self.skip_blanks();
            self.value(key, &mut seen, &mut fields)?;
            self.skip_blanks();
            match self.next()? {
                b',' => {}
                b'}' => return Some(fields),
                _ => return None,
            }
        }
    }

    /// A key and its colon.
    #[inline]
    fn key(&mut self) -> Option<Key> {
        let rest = &self.bytes[self.at..];
        for (key, text) in COMMON_KEYS {
            if rest.starts_with(text.as_bytes()) {
                self.at += text.len();
                return Some(key);
            }
        }
        self.uncommon_key()
    }

    #[inline(never)]
    fn uncommon_key(&mut self) -> Option<Key> {
        let name = self.string()?;
        self.skip_blanks();
        self.expect(b':')?;
        Some(Key::of(name))
    }

    /// The value of a key; `seen` has a bit for each key.
    #[inline]
    fn value(&mut self, key: Key, seen: &mut u16, fields: &mut Fields<&'a [u8]>) -> Option<()> {
        if key == Key::Other {
            return self.skip_value();
        }
        let bit = 1 << key as u16;
        if *seen & bit != 0 {
            return None;
        }
        *seen |= bit;
        if self.peek()? != b'"' {
            // Only a timestamp may be something else than a text.
            fields.timestamp = Some(Stamp::Integer(self.integer().filter(|_| key == Key::Timestamp)?));
            return Some(());
        }
        match key {
            Key::Node | Key::Origin | Key::Service => {
                let text = self.string()?;
                prefer(&mut fields.node, key, text);
            }
            Key::Token | Key::Tracing | Key::TraceId => {
                let (text, trace_id) = self.token()?;
                if prefer(&mut fields.token, key, text) {
                    fields.trace_id = trace_id;
                }
            }
            Key::Timestamp => fields.timestamp = Some(self.stamp()?),
            Key::Parent => fields.parent = Some(self.string()?),
            Key::Alias => fields.alias = Some(self.string()?),
            Key::Other => return None,
        }
        Some(())
    }

    /// The name of a node, and which that is where it is known from the lines before.
    #[inline]
    fn name(&mut self) -> Option<(&'a [u8], Option<NodeId>)> {
        let bytes = self.bytes.get(self.at + 1..)?;
        if self.peek() == Some(b'"')
            && let Some((length, node)) = self.known.names.find(bytes)
        {
            self.at += length + 2;
            return Some((&bytes[..length], Some(node)));
        }
        Some((self.string()?, None))
    }

    /// A string, and what it packs to where it is a trace id: to pack it is to check it.
    #[inline]
    fn token(&mut self) -> Option<(&'a [u8], Option<[u64; 2]>)> {
        if let Some([b'"', digits @ .., b'"']) = self.bytes[self.at..].first_chunk::<34>()
            && let Some(words) = digits.first_chunk().and_then(pack_hex)
        {
            self.at += 34;
            return Some((digits, Some(words)));
        }
        Some((self.string()?, None))
    }

    /// A timestamp in a string.
    #[inline]
    fn stamp(&mut self) -> Option<Stamp<&'a [u8]>> {
        if let Some(quoted) = self.bytes[self.at..].first_chunk()
            && let Some(us) = self.known.minutes.quoted(quoted)
        {
            self.at += QUOTED_BYTES;
            return Some(Stamp::Known(us));
        }
        self.string().map(Stamp::Text)
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.peek()
            && !(LINE && byte == b'\n')
        {
            self.at += 1;
        }
    }

    /// A string without escapes.
    #[inline]
    fn string(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let start = self.at;
        let (length, ascii) = plain(&self.bytes[start..]);
        self.at += length;
        let text = &self.bytes[start..self.at];
        self.expect(b'"')?;
        (ascii || str::from_utf8(text).is_ok()).then_some(text)
    }

    /// An integer of up to 19 digits, which never overflow.
    #[inline]
    fn integer(&mut self) -> Option<u64> {
        let start = self.at;
        let mut value = 0;
        while let Some(eight) = self.bytes[self.at..].first_chunk().copied().and_then(eight_digits)
            && self.at - start < 16
        {
            value = value * 100_000_000 + eight;
            self.at += 8;
        }
        while let Some(digit @ b'0'..=b'9') = self.peek()
            && self.at - start < 19
        {
            value = value * 10 + u64::from(digit - b'0');
            self.at += 1;
        }
        // No digit at all, a leading zero, or something after it that the caller will not like.
        let leading_zero = self.bytes[start] == b'0' && self.at - start > 1;
        (self.at > start && !leading_zero).then_some(value)
    }
}

/// Of several names of a field the first in the order of [`Key`] wins. Answers whether this one does so far.
#[inline]
fn prefer<'a>(field: &mut Option<(Key, &'a [u8])>, key: Key, text: &'a [u8]) -> bool {
    let wins = field.is_none_or(|(given, _)| key < given);
    if wins {
        *field = Some((key, text));
    }
    wins
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::super::fields::{DEPTH_MAX, read};
    use super::super::timestamp::from_text;
    use super::*;

    /// What the scanner accepts, serde accepts with the same result. Gives whether it accepted.
    fn agrees(text: impl AsRef<[u8]>) -> bool {
        let Some((fields, length)) = object(text.as_ref(), &mut Known::default()) else {
            return false;
        };
        let text = str::from_utf8(&text.as_ref()[..length]).unwrap();
        serde_json::from_str::<serde::de::IgnoredAny>(text).unwrap();
        let Fields { node, token, timestamp, parent, alias, .. } = read(text, DEPTH_MAX).unwrap();
        assert_eq!(node.as_ref().map(|(key, text)| (*key, text.as_ref())), fields.node, "{text}");
        assert_eq!(token.as_ref().map(|(key, text)| (*key, text.as_ref())), fields.token, "{text}");
        let stamp = timestamp.as_ref().map(|stamp| match stamp {
            Stamp::Integer(us) => Stamp::Integer(*us),
            Stamp::Text(text) => Stamp::Text(text.as_ref()),
            Stamp::Known(us) => Stamp::Known(*us),
        });
        let known = |stamp| match stamp {
            Stamp::Text(text) if let Ok(us) = from_text(text) => Stamp::Known(us),
            other => other,
        };
        assert_eq!(stamp.map(known), fields.timestamp.map(known), "{text}");
        let token = token.as_ref().and_then(|(_, text)| pack_hex(text.as_ref().try_into().ok()?));
        assert_eq!(token, fields.trace_id, "{text}");
        assert_eq!(parent.as_ref().map(Cow::as_ref), fields.parent, "{text}");
        assert_eq!(alias.as_ref().map(Cow::as_ref), fields.alias, "{text}");
        true
    }

    #[test]
    fn it_takes_what_senders_send() {
        for text in [
            r#"{"node":"event-processor","token":"4bf92f3577b34da6a3ce929d0e0e4736","timestamp":1700000000123456}"#,
            r#"{"node":"a","token":"b","timestamp":"2026-11-20T12:00:00.123456Z"}"#,
            r#"{"node":"a","tracing":"4bf92f3577b34da6a3ce929d0e0e4736","timestamp":"2026-11-20T12:00:00Z","token":"b"}"#,
            r#"{"node":"a","token":"4bf92f3577b34da6a3ce929d0e0e4736","tracing":"00000000000000000000000000000000"}"#,
            r#"{ "timestamp" : 0 , "token" : "b" , "node" : "a" } trailing"#,
            r#"{"origin":"a","trace_id":"ünïcödé","service":"c","tracing":"d","parent":"p","alias":"e"}"#,
            r#"{"level":"info","n":-0.5,"ok":true,"no":false,"nil":null,"node":"a","z":0}"#,
            "{\r\n\t\"node\":\"a\"\r\n}",
            r#"{"timestamp":9999999999999999999}"#,
        ] {
            assert!(agrees(text), "{text}");
        }
    }

    #[test]
    fn it_leaves_the_rest_to_serde() {
        for text in [
            "",
            "{",
            "{}",
            "[]",
            r#"{"node"}"#,
            r#"{"node":}"#,
            r#"{"node":"a",}"#,
            r#"{"node":"a""#,
            r#"{"node":"a"x}"#,
            r#"{"node":"\u0061"}"#,
            r#"{"n\u006fde":"a"}"#,
            r#"{"node":"a","node":"a"}"#,
            r#"{"node":null}"#,
            r#"{"node":1}"#,
            r#"{"x":{}}"#,
            r#"{"x":[]}"#,
            r#"{"x":01}"#,
            r#"{"x":1.}"#,
            r#"{"x":1e5}"#,
            r#"{"x":-}"#,
            r#"{"x":truth}"#,
            r#"{"x":nul"#,
            r#"{"timestamp":01}"#,
            r#"{"timestamp":-1}"#,
            r#"{"timestamp":1.0}"#,
            r#"{"timestamp":1e3}"#,
            r#"{"timestamp":18446744073709551615}"#,
            r#"{"timestamp":}"#,
            "{\"node\":\"a\nb\"}",
            "{\"node\":\"a\0b\"}",
            "{\u{a0}\"node\":\"a\"}",
        ] {
            assert_eq!(object(text.as_bytes(), &mut Known::default()), None, "{text}");
        }
    }

    #[test]
    fn a_line_ends_where_it_ends() {
        let length = |text: &str| line(text.as_bytes(), &mut Known::default()).map(|(_, length)| length);
        for (text, expected) in [
            ("{\"node\":\"a\"}", Some(12)),
            ("{\"node\":\"a\"}\n{", Some(13)),
            ("{ \"node\": \"a\" }\t\r\n\n", Some(18)),
            ("{\"node\":\"a\"} {}\n", None),
            ("{\"node\":\n\"a\"}\n", None),
            ("{\n\"node\":\"a\"}\n", None),
            ("{\"node\":\"a\"\n}\n", None),
            ("\n", None),
        ] {
            assert_eq!(length(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_integer_is_read(value: u64) {
            let text = format!("{{\"timestamp\":{value}}}");
            let scanned = object(text.as_bytes(), &mut Known::default()).and_then(|(fields, _)| fields.timestamp);
            let fits = value < 10_000_000_000_000_000_000;
            prop_assert_eq!(scanned, fits.then_some(Stamp::Integer(value)));
        }

        #[test]
        fn any_text_is_read_as_by_serde(
            text in r#"[{\["a ,:]{0,3}("(node|token|timestamp|x)" ?: ?("[aü\\"]{0,9}"|[-0-9.e]{1,20}|true|null|\{\}),?){0,5}[}\] x]{0,2}"#,
        ) {
            agrees(&text);
        }

        #[test]
        fn only_utf8_is_accepted(text in "[a-zü]{0,20}", at in 0..24_usize, byte: u8, key in "node|x") {
            let mut text = format!("{{\"{key}\":\"{text}\"}}").into_bytes();
            let place = at % text.len();
            text[place] = byte;
            agrees(&text);
        }
    }
}
