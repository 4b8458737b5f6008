//! A checked scanner for the events that most senders send: flat objects with plain texts.
//!
//! It knows the few fields of an event in any order. Whatever it is not sure of, it leaves to
//! [`fields`](super::fields): escapes, nested values, odd types, and everything that is wrong.

mod skip;
#[cfg(test)]
mod tests;

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
            // Nothing wins against this name of it.
            Key::Node => {
                let (text, known) = self.name()?;
                (fields.node, fields.known_node) = (Some((key, text)), known);
            }
            Key::Origin | Key::Service => {
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
