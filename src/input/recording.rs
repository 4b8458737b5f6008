//! Recordings: files of events or of log lines, plain or compressed by gzip.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::rules::RuleSet;

/// How much of a compressed file is read at once.
const CHUNK_BYTES: usize = 64 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A file to be read.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Where it is; `-` is standard input.
    pub path: PathBuf,
    /// The rules by which its lines are read; none where they are events in NDJSON.
    pub rules: Option<Arc<RuleSet>>,
    /// About when its lines were written, or later, in microseconds since the Unix epoch: stamps without a year
    /// are told by it.
    pub written_us: u64,
}

impl Recording {
    /// A file of events in NDJSON.
    pub fn events(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), rules: None, written_us: 0 }
    }

    /// Opens it. `read` counts its bytes as they lie on the disk.
    pub(super) fn open(&self, read: &Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
        let read = Arc::clone(read);
        if self.is_stdin() {
            return plain(Counted { source: io::stdin(), read });
        }
        plain(Counted { source: File::open(&self.path)?, read })
    }

    pub(super) fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }
}

/// Counts the bytes that are read.
struct Counted<R> {
    source: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// What was compressed, as it was before; known by its first two bytes, not by its name.
fn plain(mut source: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let (mut start, mut length) = ([0; 2], 0);
    while length < start.len() {
        match source.read(&mut start[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let whole = io::Cursor::new(start).take(length as u64).chain(source);
    if start == GZIP_MAGIC {
        return Ok(Box::new(MultiGzDecoder::new(BufReader::with_capacity(CHUNK_BYTES, whole))));
    }
    Ok(Box::new(whole))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn read(bytes: &'static [u8]) -> Vec<u8> {
        let mut text = Vec::new();
        plain(bytes).unwrap().read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn plain_and_compressed_files_read_the_same() {
        let gz = |text: &[u8]| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(read(b""), b"");
        assert_eq!(read(b"a"), b"a");
        assert_eq!(read(b"a\nb"), b"a\nb");
        // logrotate may have put two of them together.
        let twice = [gz(b"a\n"), gz(b"b\n")].concat();
        assert_eq!(read(twice.leak()), b"a\nb\n");
    }
}
