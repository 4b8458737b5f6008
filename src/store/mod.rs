//! The journal's files: records in order, snapshots beside them, nothing of what they mean.
//!
//! ```text
//! data_dir/lock                                     held by the server that writes here
//! data_dir/journal-<number>-<first sequence>        a segment: header, preface, records
//! data_dir/snapshot-<sequence>-<moment>             what all records up to that sequence come to
//! ```
//!
//! A record is `length u32, crc32c u32, sequence u64, bytes`; numbers are little-endian, and the sum is over the
//! sequence and the bytes. Sequences begin at 1 and have no holes, so what is lost can be counted.
//!
//! A segment is appended to by the process that began it, and never again after an error: whoever starts, and
//! whoever could not write, begins another. Where two segments hold the same sequence, the later one counts. So
//! nothing is ever truncated or repaired, and a folder can be read while a server writes to it.
//!
//! The preface stands in every segment before its records: what a reader must know who has no snapshot.

mod disk;
mod files;
mod history;
mod log;
mod record;
mod retention;
mod snapshot;

pub use disk::{Append, Disk, Folder};
pub use files::Files;
pub use history::{Losses, Piece, history};
pub use log::Log;
pub use record::{RECORD_MAX_BYTES, frame};
pub use retention::{Limits, prune};
pub use snapshot::{Snapshot, snapshots, write_snapshot};
