//! Sets of ASCII bytes, and how many bytes of one stand in a row.

use std::fmt;

use regex_syntax::hir;

/// A set of ASCII bytes.
#[derive(Clone)]
pub(in crate::input::rules) struct Class {
    bytes: Box<[bool; 256]>,
    out: Out,
}

/// What is not in a class, where it can be looked for faster than byte by byte.
#[derive(Clone, Copy)]
enum Out {
    Nothing,
    One(u8),
    Several,
}

impl Class {
    /// The set of the bytes for which this is so.
    pub(super) fn of(is_in: impl Fn(u8) -> bool) -> Self {
        let mut bytes = Box::new([false; 256]);
        (0..128).for_each(|byte| bytes[usize::from(byte)] = is_in(byte));
        let mut missing = (0..128_u8).filter(|byte| !bytes[usize::from(*byte)]);
        let out = match (missing.next(), missing.next()) {
            (None, _) => Out::Nothing,
            (Some(one), None) => Out::One(one),
            (Some(_), Some(_)) => Out::Several,
        };
        Self { bytes, out }
    }

    /// What is ASCII in a class of an expression.
    pub(super) fn from_hir(class: &hir::Class) -> Self {
        match class {
            hir::Class::Unicode(class) => {
                Self::of(|byte| class.iter().any(|range| (range.start()..=range.end()).contains(&char::from(byte))))
            }
            hir::Class::Bytes(class) => {
                Self::of(|byte| class.iter().any(|range| (range.start()..=range.end()).contains(&byte)))
            }
        }
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.bytes[usize::from(byte)]
    }

    /// Whether no byte is in both.
    pub(super) fn is_disjoint(&self, other: &Self) -> bool {
        !(0..128).any(|byte| self.contains(byte) && other.contains(byte))
    }

    /// The bytes that are in one of the two.
    pub(super) fn or(&self, other: &Self) -> Self {
        Self::of(|byte| self.contains(byte) || other.contains(byte))
    }

    /// How many bytes of it a line of ASCII begins with, at most `max`.
    #[inline]
    pub(super) fn run(&self, line: &[u8], max: usize) -> usize {
        let line = &line[..line.len().min(max)];
        let end = match self.out {
            Out::Nothing => None,
            Out::One(out) => memchr::memchr(out, line),
            Out::Several => line.iter().position(|byte| !self.bytes[usize::from(*byte)]),
        };
        end.unwrap_or(line.len())
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries((0..128_u8).filter(|byte| self.contains(*byte)).map(char::from)).finish()
    }
}
