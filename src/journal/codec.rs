//! Records as bytes: events by hand, for there are many of them; all else as serde writes it.
//!
//! ```text
//! kind u8, moment u64, system u32, then
//!   events   their number, each event, what came with them
//!   others   as serde writes them
//! ```
//!
//! `system` is a sum over the system that nodes and inputs are places in. Where the record of a reload is lost, the
//! events behind it are not taken for those of other nodes.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::happening::{Happening, News};
use super::positions::Position;
use crate::engine::Entry;
use crate::event::{Event, Packed, Token, bytes_of, words_of};
use crate::graph::{InputId, InputState, NodeId, System};

const EVENTS: u8 = 1;
const OTHERS: u8 = 2;

/// Of an event's first byte: the kind of its token.
const TOKEN: u8 = 0b11;
const HEX: u8 = 0;
const UUID: u8 = 1;
const TEXT: u8 = 2;
const PARENT: u8 = 1 << 2;
const ALIAS: u8 = 1 << 3;
const FLAGGED: u8 = 1 << 4;
/// It came by another input than the one before it.
const INPUT: u8 = 1 << 5;

/// A record that is whole, but not ours to understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record cannot be read by this version")
    }
}

/// Raised with every change of what stands in a system's bytes, and in those of anything else but events.
const VERSION: u8 = 1;

/// A system as bytes.
pub fn write_system(system: &System) -> Vec<u8> {
    // To memory, and of plain data: it cannot fail.
    postcard::to_extend(system, vec![VERSION]).unwrap_or_default()
}

/// A system from bytes.
pub fn read_system(bytes: &[u8]) -> Result<System, Unreadable> {
    whole(bytes.strip_prefix(&[VERSION]).ok_or(Unreadable)?)
}

/// What these bytes hold, and nothing else.
fn whole<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Unreadable> {
    let (read, rest) = postcard::take_from_bytes(bytes).or(Err(Unreadable))?;
    if rest.is_empty() { Ok(read) } else { Err(Unreadable) }
}

/// A sum that two systems of one journal hardly ever share unless they are the same.
pub fn system_sum(system: &System) -> u32 {
    crc32c::crc32c(&write_system(system))
}

/// What is no event.
#[derive(Serialize, Deserialize)]
enum Other {
    Input { input: InputId, state: InputState, news: Option<(String, News)> },
    Gap { from_us: u64, until_us: u64 },
    Reload(System),
    Beat,
}

/// What came with events.
type Beside = (Vec<String>, Vec<(String, Vec<Position>)>);

/// Writes what happens, of which nodes and inputs are places in the system with this sum.
pub fn write(happening: &Happening, system: u32, out: &mut Vec<u8>) {
    let other = match &happening.entry {
        Entry::Events(events) => {
            head(out, EVENTS, happening.now_us, system);
            write_events(events, happening.now_us, out);
            if !happening.unknown.is_empty() || !happening.positions.is_empty() {
                append(out, &(&happening.unknown, &happening.positions));
            }
            return;
        }
        Entry::Input { input, state } => Other::Input { input: *input, state: *state, news: happening.news.clone() },
        Entry::Gap { from_us, until_us } => Other::Gap { from_us: *from_us, until_us: *until_us },
        Entry::Reload(system) => Other::Reload(System::clone(system)),
        Entry::Beat => Other::Beat,
    };
    head(out, OTHERS, happening.now_us, system);
    out.push(VERSION);
    append(out, &other);
}

/// Reads it back, where it was written with the system of this sum, or names no places.
pub fn read(bytes: &[u8], system: u32) -> Result<Happening, Unreadable> {
    let mut from = Reader { bytes };
    let kind = from.byte()?;
    let now_us = u64::from_le_bytes(*from.array()?);
    let same = u32::from_le_bytes(*from.array()?) == system;
    let mut happening = Happening::new(Entry::Beat, now_us);
    happening.entry = match kind {
        EVENTS if same => {
            let events = read_events(&mut from, now_us)?;
            if !from.bytes.is_empty() {
                let (unknown, positions): Beside = whole(from.bytes)?;
                (happening.unknown, happening.positions) = (unknown, positions);
            }
            Entry::Events(events)
        }
        OTHERS if from.byte()? == VERSION => match whole(from.bytes)? {
            Other::Input { input, state, news } if same => {
                happening.news = news;
                Entry::Input { input, state }
            }
            Other::Gap { from_us, until_us } => Entry::Gap { from_us, until_us },
            Other::Reload(system) => Entry::Reload(Arc::new(system)),
            Other::Beat => Entry::Beat,
            Other::Input { .. } => return Err(Unreadable),
        },
        _ => return Err(Unreadable),
    };
    Ok(happening)
}

fn head(out: &mut Vec<u8>, kind: u8, now_us: u64, system: u32) {
    out.push(kind);
    out.extend_from_slice(&now_us.to_le_bytes());
    out.extend_from_slice(&system.to_le_bytes());
}

fn append(out: &mut Vec<u8>, value: &impl Serialize) {
    // To memory, and of plain data: it cannot fail.
    if let Ok(bytes) = postcard::to_stdvec(value) {
        out.extend(bytes);
    }
}

fn write_events(events: &[Event], now_us: u64, out: &mut Vec<u8>) {
    number(out, events.len() as u64);
    let mut input = InputId::default();
    for event in events {
        let mut flags = kind_of(&event.token) | if event.clock_flagged { FLAGGED } else { 0 };
        flags |= if event.parent.is_some() { PARENT } else { 0 };
        flags |= if event.alias.is_some() { ALIAS } else { 0 };
        flags |= if event.input == input { 0 } else { INPUT };
        out.push(flags);
        number(out, u64::from(event.node.0));
        // Most are stamped a little before they arrive.
        number(out, zigzag(now_us.wrapping_sub(event.timestamp_us)));
        write_token(&event.token, out);
        if event.input != input {
            input = event.input;
            number(out, u64::from(input.0));
        }
        if let Some(parent) = event.parent {
            number(out, u64::from(parent.0));
        }
        if let Some(alias) = &event.alias {
            out.push(kind_of(alias));
            write_token(alias, out);
        }
    }
}

fn read_events(from: &mut Reader<'_>, now_us: u64) -> Result<Vec<Event>, Unreadable> {
    let count = from.number()? as usize;
    // Each takes more than one byte: a wrong number takes no memory.
    let mut events = Vec::with_capacity(count.min(from.bytes.len()));
    let mut input = InputId::default();
    for _ in 0..count {
        let flags = from.byte()?;
        let node = NodeId(from.number()? as u32);
        let timestamp_us = now_us.wrapping_sub(unzigzag(from.number()?));
        let token = from.token(flags & TOKEN)?;
        if flags & INPUT != 0 {
            input = InputId(from.number()? as u16);
        }
        let parent = if flags & PARENT != 0 { Some(NodeId(from.number()? as u32)) } else { None };
        let alias = if flags & ALIAS != 0 {
            let kind = from.byte()?;
            Some(Box::new(from.token(kind)?))
        } else {
            None
        };
        let clock_flagged = flags & FLAGGED != 0;
        events.push(Event { node, input, clock_flagged, token, timestamp_us, parent, alias });
    }
    Ok(events)
}

#[inline]
fn kind_of(token: &Token) -> u8 {
    match &token.0 {
        Packed::Hex(_) => HEX,
        Packed::Uuid(_) => UUID,
        Packed::Short(_) | Packed::Sixteen(_) | Packed::Long(_) => TEXT,
    }
}

#[inline]
fn write_token(token: &Token, out: &mut Vec<u8>) {
    let mut text = |text: &[u8]| {
        number(out, text.len() as u64);
        out.extend_from_slice(text);
    };
    match &token.0 {
        Packed::Hex(words) | Packed::Uuid(words) => out.extend_from_slice(&bytes_of(words)),
        Packed::Short(words) => {
            let bytes = bytes_of(words);
            text(&bytes[..usize::from(bytes[15])]);
        }
        Packed::Sixteen(words) => text(&bytes_of(words)),
        Packed::Long(long) => text(long.as_bytes()),
    }
}

#[inline]
fn number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn zigzag(difference: u64) -> u64 {
    let signed = difference as i64;
    ((signed << 1) ^ (signed >> 63)) as u64
}

fn unzigzag(number: u64) -> u64 {
    (number >> 1) ^ (number & 1).wrapping_neg()
}

/// What is left to read.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    fn byte(&mut self) -> Result<u8, Unreadable> {
        let (&first, rest) = self.bytes.split_first().ok_or(Unreadable)?;
        self.bytes = rest;
        Ok(first)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Unreadable> {
        let (array, rest) = self.bytes.split_first_chunk().ok_or(Unreadable)?;
        self.bytes = rest;
        Ok(array)
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], Unreadable> {
        let (slice, rest) = self.bytes.split_at_checked(length).ok_or(Unreadable)?;
        self.bytes = rest;
        Ok(slice)
    }

    #[inline]
    fn number(&mut self) -> Result<u64, Unreadable> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Unreadable)
    }

    #[inline]
    fn token(&mut self, kind: u8) -> Result<Token, Unreadable> {
        match kind {
            HEX => Ok(Token(Packed::Hex(words_of(*self.array()?)))),
            UUID => Ok(Token(Packed::Uuid(words_of(*self.array()?)))),
            TEXT => {
                let length = self.number()? as usize;
                let text = str::from_utf8(self.slice(length)?).or(Err(Unreadable))?;
                Token::new(text).or(Err(Unreadable))
            }
            _ => Err(Unreadable),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token() -> impl Strategy<Value = Token> {
        let text =
            prop_oneof!["[0-9a-f]{32}", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[a-z]{1,16}", "[ü-ž]{9,90}"];
        text.prop_map(|text| Token::new(&text).unwrap())
    }

    fn event() -> impl Strategy<Value = Event> {
        let alias = proptest::option::of(token().prop_map(Box::new));
        let ids = (any::<u32>(), any::<u16>(), any::<bool>(), proptest::option::of(any::<u32>()));
        (ids, token(), any::<u64>(), alias).prop_map(
            |((node, input, clock_flagged, parent), token, timestamp_us, alias)| {
                let (node, input, parent) = (NodeId(node), InputId(input), parent.map(NodeId));
                Event { node, input, clock_flagged, token, timestamp_us, parent, alias }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            events in proptest::collection::vec(event(), 0..20), now_us: u64, unknown: Vec<String>, key: String,
            value: Option<String>,
        ) {
            let mut happening = Happening::new(Entry::Events(events.clone()), now_us);
            happening.unknown = unknown;
            happening.positions = vec![("log".to_owned(), vec![Position { key, value }])];
            let mut bytes = Vec::new();
            write(&happening, 7, &mut bytes);
            prop_assert_eq!(read(&bytes, 8).err(), Some(Unreadable));
            let again = read(&bytes, 7).unwrap();
            let Entry::Events(read) = &again.entry else { panic!("{again:?}") };
            prop_assert_eq!(read, &events);
            prop_assert_eq!(again.now_us, now_us);
            prop_assert_eq!((again.unknown, again.positions), (happening.unknown, happening.positions));
        }

        #[test]
        fn no_bytes_are_too_bad_to_be_refused(bytes: Vec<u8>, kind in 0_u8..3) {
            let mut record = vec![kind];
            record.extend([0; 12]);
            record.extend(bytes);
            drop(read(&record, 0));
        }
    }
}
