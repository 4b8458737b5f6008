//! Where reading has come to in a file, as it is kept between two runs.

use std::path::{Path, PathBuf};

use super::disk::Identity;
use super::print::Print;

/// The key that says that the input has run before: a file that it has no position of has come since.
pub(super) const STARTED: &str = "started";

/// Where a file was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left {
    /// The place behind the last line whose events count.
    pub(super) offset: u64,
    /// What the file begins with.
    pub(super) print: Print,
    /// Where it was found last.
    pub(super) path: PathBuf,
    /// Whether that was not where it was found first: nobody is supposed to write to it any more.
    pub(super) moved: bool,
}

/// The key of a file.
pub(super) fn key(id: Identity) -> String {
    format!("{:x}:{:x}:{:x}", id.device, id.inode, id.born)
}

/// The file of a key.
pub(super) fn identity(key: &str) -> Option<Identity> {
    let mut words = key.split(':');
    let mut number = || u64::from_str_radix(words.next()?, 16).ok();
    Some(Identity { device: number()?, inode: number()?, born: number()?.cast_signed() })
}

impl Left {
    /// As it is kept.
    pub(super) fn text(&self) -> String {
        let Self { offset, print, path, moved } = self;
        format!("{offset} {} {:x} {} {}", print.length, print.hash, u8::from(*moved), path.display())
    }

    /// From what was kept; none where it is written otherwise.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.splitn(5, ' ');
        let offset = words.next()?.parse().ok()?;
        let length = words.next()?.parse().ok()?;
        let hash = u64::from_str_radix(words.next()?, 16).ok()?;
        let moved = words.next()? == "1";
        let path = Path::new(words.next()?).to_owned();
        Some(Self { offset, print: Print { length, hash }, path, moved })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let id = Identity { device: 0xfd01, inode: 12_345, born: 0x17f3 };
        assert_eq!(key(id), "fd01:3039:17f3");
        assert_eq!(identity(&key(id)), Some(id));
        assert_eq!(identity(STARTED), None);
        let left = Left { offset: 7, print: Print::of(b"a line"), path: "/var/log/a b.log".into(), moved: true };
        assert_eq!(Left::parse(&left.text()), Some(left));
        assert_eq!(Left::parse("7 6"), None);
    }
}
