//! What a tailer sees of the world: files that a glob finds, and what is in them. Behind a trait, so that
//! what happens to files can be played in memory.

use std::io;
use std::path::{Path, PathBuf};

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The device that it lies on.
    pub device: u64,
    /// Its number there. When the file is deleted, and nobody holds it open, another may get it.
    pub inode: u64,
    /// When it was created, in nanoseconds, where the file system knows; 0 elsewhere. Another under the same number was
    /// created at another time.
    pub born: i64,
}

/// What a file looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Which file it is.
    pub id: Identity,
    /// Its length in bytes.
    pub size: u64,
    /// Changes whenever the file is written to: its times of modification and of change, in nanoseconds.
    pub changed: [i64; 2],
    /// How many names it has; a deleted file that is held open has none.
    pub links: u64,
}

/// What a glob finds at a moment.
#[derive(Debug, Default)]
pub struct Listing {
    /// Files by their paths, symbolic links followed.
    pub files: Vec<(PathBuf, Look)>,
    /// What could not be looked at, and why: there may be more files than were found.
    pub problems: Vec<(PathBuf, io::Error)>,
}

/// The files that an input reads.
pub trait Disk {
    /// A file held open.
    type File: Opened;

    /// All files that the glob finds now, in the order of their paths.
    fn list(&mut self) -> Listing;

    /// Opens a file to read it.
    fn open(&mut self, path: &Path) -> io::Result<Self::File>;

    /// All files in the folder of this path, whether the glob finds them or not.
    fn beside(&mut self, path: &Path) -> Vec<(PathBuf, Look)>;

    /// Whether the glob would find a file of this path.
    fn wants(&self, path: &Path) -> bool;
}

/// A file held open: it can be read even where it has lost its name.
pub trait Opened {
    /// What it looks like now.
    fn look(&self) -> io::Result<Look>;

    /// Reads from this place on until the buffer is full or the file ends.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}
