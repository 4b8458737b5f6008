//! Fingerprints: what a file begins with, so that new content under an old number is told from the old.

use std::hash::Hasher;
use std::io;

use siphasher::sip::SipHasher24;

use super::disk::Opened;

/// How much of a file's beginning is in its fingerprint, at most.
pub(super) const HEAD_MAX: usize = 1024;

/// The beginning of a file: as much of it as was there, up to [`HEAD_MAX`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print {
    /// How many bytes.
    pub(super) length: usize,
    /// Their hash. It is kept in journals: always the same function, with the same key.
    pub(super) hash: u64,
}

/// Nothing is known of it yet: any file can be the same.
impl Default for Print {
    fn default() -> Self {
        Self::of(b"")
    }
}

impl Print {
    pub(super) fn of(head: &[u8]) -> Self {
        let mut hasher = SipHasher24::new();
        hasher.write(head);
        Self { length: head.len(), hash: hasher.finish() }
    }

    /// Whether a file that begins with `head` can be the same file, longer by now.
    pub(super) fn fits(&self, head: &[u8]) -> bool {
        head.get(..self.length).is_some_and(|same| Self::of(same) == *self)
    }
}

/// What a file begins with now.
pub(super) fn head(file: &impl Opened) -> io::Result<Vec<u8>> {
    let mut head = vec![0; HEAD_MAX];
    let length = file.read_at(&mut head, 0)?;
    head.truncate(length);
    Ok(head)
}

/// Whether what one file holds is the beginning of what another holds: by its first and its last bytes.
pub(super) fn is_beginning(part: &impl Opened, size: u64, whole: &impl Opened) -> io::Result<bool> {
    let length = size.min(HEAD_MAX as u64);
    for offset in [0, size - length] {
        let (mut one, mut other) = (vec![0; length as usize], vec![0; length as usize]);
        let (read, of_other) = (part.read_at(&mut one, offset)?, whole.read_at(&mut other, offset)?);
        if read < one.len() || of_other < other.len() || one != other {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_fits_what_has_grown_and_nothing_else() {
        let print = Print::of(b"2026-11-20 first");
        assert!(print.fits(b"2026-11-20 first line\nsecond"));
        assert!(!print.fits(b"2026-11-20 other line\n"));
        assert!(!print.fits(b"2026-11-20 fir"));
        assert!(Print::default().fits(b"anything"));
    }

    #[test]
    fn prints_in_old_journals_stay_readable() {
        assert_eq!(Print::of(b"").hash, 0x1e92_4b9d_7377_00d7);
    }
}
