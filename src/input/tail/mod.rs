//! Log files that are written to while we read them.
//!
//! A [`Tailer`] knows the files that a glob finds (`file`), tells them apart by their number, their birth and what they begin
//! with (`print`), follows them through rotations (`tailer`, `copies`), cuts what it reads into lines (`cut`)
//! and merges these by their timestamps (`gather`). It is pure but for a [`Disk`], so that what happens to files can
//! be played in memory; [`Folders`] is the real one. Where it stands (`position`) goes with the events that it
//! has read; whether all has been read is told by `standing`.
//!
//! A [`LogInput`] runs one (`live`): a thread reads (`reader`), woken by `hints`, and a task hands over what it has
//! read, waits for its acknowledgement, and says how the input is.

mod copies;
mod cut;
mod disk;
mod file;
mod folders;
mod gather;
mod hints;
mod live;
mod position;
mod print;
mod reader;
mod standing;
mod tailer;
mod tally;

pub use cut::Cut;
pub use disk::{Disk, Identity, Listing, Look, Opened};
pub use file::{Parse, Taken};
pub use folders::Folders;
pub use gather::{Gathered, Kept};
pub use live::LogInput;
pub use tailer::{Limits, TailCounts, Tailer};
