//! Lines of a file that may be larger than memory, each of bounded length.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use super::reader::strip_bom;

/// How much is read at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// Reads lines chunk by chunk.
pub(super) struct Lines<R> {
    chunks: BufReader<R>,
    line_max: usize,
    /// A line that lies across chunks.
    partial: Vec<u8>,
    /// What the line that was given out last takes of the chunk.
    taken: usize,
    /// Lines given out.
    number: u64,
}

/// One line, without its line feed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Text(&'a [u8]),
    /// It was longer than the limit, and has been skipped.
    TooLong,
}

/// Where a line ended.
enum End {
    /// In this chunk, before its byte of this number.
    Here(usize),
    /// In a later chunk or at the end of the file: it has been put together.
    Later { too_long: bool },
    /// There is no line.
    File,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R, line_max: usize) -> Self {
        let chunks = BufReader::with_capacity(CHUNK_BYTES, source);
        Self { chunks, line_max, partial: Vec::new(), taken: 0, number: 0 }
    }

    /// The number of the last line, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line; `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let end = self.find_end()?;
        self.number += 1;
        let line = match end {
            End::File => return Ok(None),
            End::Later { too_long: true } => return Ok(Some(Line::TooLong)),
            End::Later { too_long: false } => self.partial.as_slice(),
            End::Here(length) => &self.chunks.buffer()[..length],
        };
        Ok(Some(Line::Text(if self.number == 1 { strip_bom(line) } else { line })))
    }

    fn find_end(&mut self) -> io::Result<End> {
        self.chunks.consume(self.taken);
        self.taken = 0;
        self.partial.clear();
        let (mut began, mut too_long) = (false, false);
        loop {
            let chunk = match self.chunks.fill_buf() {
                Ok([]) => return Ok(if began { End::Later { too_long } } else { End::File }),
                Ok(chunk) => chunk,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = memchr::memchr(b'\n', chunk);
            if let (Some(length), false) = (end, began)
                && length <= self.line_max
            {
                self.taken = length + 1;
                return Ok(End::Here(length));
            }
            began = true;
            let part = &chunk[..end.unwrap_or(chunk.len())];
            too_long |= self.partial.len() + part.len() > self.line_max;
            if !too_long {
                self.partial.extend_from_slice(part);
            }
            let length = part.len() + usize::from(end.is_some());
            self.chunks.consume(length);
            if end.is_some() {
                return Ok(End::Later { too_long });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives at most so many bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(buffer.len());
            (&mut self.0).take(length as u64).read(buffer)
        }
    }

    fn lines(text: &[u8], step: usize, line_max: usize) -> Vec<Option<Vec<u8>>> {
        let mut reader = Lines::new(Slow(text, step), line_max);
        let mut lines = Vec::new();
        while let Some(line) = reader.next().unwrap() {
            lines.push(match line {
                Line::Text(text) => Some(text.to_vec()),
                Line::TooLong => None,
            });
            assert_eq!(reader.number(), lines.len() as u64);
        }
        lines
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        assert_eq!(
            lines(b"\xef\xbb\xbfa\n\xef\xbb\xbfb", 2, 9),
            [Some(b"a".to_vec()), Some(b"\xef\xbb\xbfb".to_vec())]
        );
    }

    #[test]
    fn an_endless_line_takes_no_memory() {
        let mut reader = Lines::new(io::repeat(b'x').take(64 << 20).chain(&b"\nnext"[..]), 1 << 20);
        assert_eq!(reader.next().unwrap(), Some(Line::TooLong));
        assert!(reader.partial.capacity() <= 2 << 20);
        assert_eq!(reader.next().unwrap(), Some(Line::Text(b"next")));
        assert_eq!(reader.next().unwrap(), None);
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_they_come(text in "[ab\n]{0,80}", step in 1..20_usize, line_max in 0..8_usize) {
            let mut expected: Vec<_> = text.split('\n').collect();
            if expected.last() == Some(&"") {
                expected.pop();
            }
            let expected: Vec<_> = expected
                .into_iter()
                .map(|line| (line.len() <= line_max).then(|| line.as_bytes().to_vec()))
                .collect();
            prop_assert_eq!(lines(text.as_bytes(), step, line_max), expected);
        }
    }
}
