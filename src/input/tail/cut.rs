//! Cutting what is read into lines, of bounded length, whatever the blocks it comes in.

/// A line, or what stands for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut<'a> {
    /// Without its line feed.
    Line(&'a [u8]),
    /// It was longer than the limit, and has been skipped.
    TooLong,
}

/// Where a file has been cut into lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cutter {
    /// Where the line begins that is not whole yet.
    start: u64,
    /// What has been read of it; nothing where it is too long.
    partial: Vec<u8>,
    /// How much has been read of a line that is too long.
    skipped: u64,
    /// How far it had been read when that was let go.
    seen_to: u64,
    /// Nothing but NULs until now: a hole, which a writer leaves who goes on behind the end of a truncated file.
    hole: bool,
}

impl Cutter {
    /// From this place on, where a line begins.
    pub(super) fn at(offset: u64) -> Self {
        Self { start: offset, hole: offset == 0, ..Self::default() }
    }

    /// The beginning of the line that is not whole yet.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// How far the file has been read.
    pub(super) fn read_to(&self) -> u64 {
        self.start + self.partial.len() as u64 + self.skipped
    }

    /// How far the file has been read, though it may have to be read again.
    pub(super) fn seen_to(&self) -> u64 {
        self.read_to().max(self.seen_to)
    }

    /// Whether something of a line is there.
    pub(super) fn has_partial(&self) -> bool {
        self.read_to() > self.start
    }

    /// Forgets what has been read of a line; it will be read again.
    pub(super) fn let_go(&mut self) {
        *self = Self { seen_to: self.seen_to(), hole: self.hole, ..Self::at(self.start) };
    }

    /// How much memory is held.
    pub(super) fn held(&self) -> usize {
        self.partial.capacity()
    }

    /// Cuts what was read on from [`Self::read_to`]. `take` is given each line that is whole, and where the next one begins.
    pub(super) fn push(&mut self, mut bytes: &[u8], line_max: usize, take: &mut dyn FnMut(Cut<'_>, u64)) {
        if self.hole {
            let hole = bytes.iter().take_while(|byte| **byte == 0).count();
            self.start += hole as u64;
            bytes = &bytes[hole..];
            self.hole = bytes.is_empty();
        }
        while let Some(length) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = (&bytes[..length], &bytes[length + 1..]);
            bytes = rest;
            if self.has_partial() {
                self.extend(line, line_max);
                self.start = self.read_to() + 1;
                let whole = if self.skipped > 0 { Cut::TooLong } else { Cut::Line(&self.partial) };
                take(whole, self.start);
                self.partial.clear();
                self.skipped = 0;
            } else {
                self.start += length as u64 + 1;
                take(if length > line_max { Cut::TooLong } else { Cut::Line(line) }, self.start);
            }
        }
        if !bytes.is_empty() {
            self.extend(bytes, line_max);
        }
    }

    /// Takes what is there for a line: there will be no more of it.
    pub(super) fn finish(&mut self, take: &mut dyn FnMut(Cut<'_>, u64)) {
        if self.has_partial() {
            let end = self.read_to();
            take(if self.skipped > 0 { Cut::TooLong } else { Cut::Line(&self.partial) }, end);
            *self = Self::at(end);
        }
    }

    fn extend(&mut self, bytes: &[u8], line_max: usize) {
        if self.skipped > 0 || self.partial.len() + bytes.len() > line_max {
            self.skipped += (std::mem::take(&mut self.partial).len() + bytes.len()) as u64;
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lines of a text that comes in blocks of this length; `None` for one that is too long.
    fn lines(text: &[u8], block: usize, line_max: usize) -> Vec<(Option<Vec<u8>>, u64)> {
        let mut cutter = Cutter::at(0);
        let mut lines = Vec::new();
        let mut take = |cut: Cut<'_>, end: u64| {
            lines.push((if let Cut::Line(line) = cut { Some(line.to_vec()) } else { None }, end));
        };
        let mut read = 0;
        for part in text.chunks(block) {
            assert_eq!(cutter.read_to(), read);
            cutter.push(part, line_max, &mut take);
            read += part.len() as u64;
        }
        cutter.finish(&mut take);
        assert_eq!((cutter.read_to(), cutter.start()), (read, read));
        lines
    }

    #[test]
    fn long_lines_are_skipped_and_holes_are_no_lines() {
        let cut = |text: &str, block: usize| {
            let shown = |(line, end): (Option<Vec<u8>>, u64)| (line.map(|line| String::from_utf8(line).unwrap()), end);
            lines(text.as_bytes(), block, 4).into_iter().map(shown).collect::<Vec<_>>()
        };
        let line = |text: &str, end: u64| (Some(text.to_owned()), end);
        for block in 1..20 {
            assert_eq!(cut("four\nlonger\n\nend", block), [line("four", 5), (None, 12), line("", 13), line("end", 16)]);
            assert_eq!(cut("\0\0\0\0\0\0a\n\0b\n", block), [line("a", 8), line("\0b", 11)]);
            assert_eq!(cut("longer", block), [(None, 6)]);
            assert_eq!(cut("\0\0\0", block), []);
        }
    }

    proptest! {
        #[test]
        fn blocks_change_nothing(text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), Just(0)], 0..60), block in 1_usize..20) {
            prop_assert_eq!(lines(&text, block, 5), lines(&text, 100, 5));
        }
    }
}
