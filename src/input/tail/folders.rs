//! The real file system.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use glob::{MatchOptions, Pattern, PatternError};

use super::disk::{Disk, Identity, Listing, Look, Opened};

/// A `*` finds no hidden files and no folders below: what a shell does.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The files that a glob finds.
#[derive(Debug)]
pub struct Folders {
    glob: String,
    pattern: Pattern,
}

impl Folders {
    /// Of this glob.
    pub fn new(glob: &str) -> Result<Self, PatternError> {
        Ok(Self { glob: glob.to_owned(), pattern: Pattern::new(glob)? })
    }

    /// The folder below which all that the glob can find lies.
    pub fn base(&self) -> PathBuf {
        let literal = self.glob.find(['*', '?', '[']).map_or(self.glob.as_str(), |place| &self.glob[..place]);
        let base = literal.rsplit_once('/').map_or("", |(folder, _)| folder);
        match base {
            "" if self.glob.starts_with('/') => PathBuf::from("/"),
            "" => PathBuf::from("."),
            base => PathBuf::from(base),
        }
    }
}

impl Disk for Folders {
    type File = File;

    fn list(&mut self) -> Listing {
        let mut listing = Listing::default();
        let Ok(paths) = glob::glob_with(&self.glob, OPTIONS) else { return listing };
        for path in paths {
            match path {
                Ok(path) => look_at(path, &mut listing),
                Err(unread) => {
                    let path = unread.path().to_owned();
                    listing.problems.push((path, unread.into()));
                }
            }
        }
        listing
    }

    fn open(&mut self, path: &Path) -> io::Result<File> {
        File::open(path)
    }

    fn beside(&mut self, path: &Path) -> Vec<(PathBuf, Look)> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut listing = Listing::default();
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        for entry in entries.flatten() {
            look_at(entry.path(), &mut listing);
        }
        listing.files
    }

    fn wants(&self, path: &Path) -> bool {
        self.pattern.matches_path_with(path, OPTIONS)
    }
}

/// Through symbolic links: what they lead to may be exchanged, and then another file is found.
fn look_at(path: PathBuf, listing: &mut Listing) {
    match fs::metadata(&path) {
        Ok(found) if found.is_file() => listing.files.push((path, look(&found))),
        Ok(_) => {}
        // It has gone away since the folder was read, or leads nowhere.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => listing.problems.push((path, error)),
    }
}

fn look(found: &Metadata) -> Look {
    let nanoseconds = |seconds: i64, rest: i64| seconds.wrapping_mul(1_000_000_000).wrapping_add(rest);
    Look {
        id: Identity { device: found.dev(), inode: found.ino(), born: born(found) },
        size: found.size(),
        changed: [nanoseconds(found.mtime(), found.mtime_nsec()), nanoseconds(found.ctime(), found.ctime_nsec())],
        links: found.nlink(),
    }
}

fn born(found: &Metadata) -> i64 {
    let created = found.created().ok().and_then(|created| created.duration_since(UNIX_EPOCH).ok());
    created.map_or(0, |since| since.as_nanos() as i64)
}

impl Opened for File {
    fn look(&self) -> io::Result<Look> {
        self.metadata().map(|found| look(&found))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut read = 0;
        while read < buffer.len() {
            match FileExt::read_at(self, &mut buffer[read..], offset + read as u64) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_is_what_no_wildcard_stands_in() {
        let base = |glob: &str| Folders::new(glob).unwrap().base().to_str().unwrap().to_owned();
        assert_eq!(base("/var/log/nginx/access*.log"), "/var/log/nginx");
        assert_eq!(base("/var/log/*/access.log"), "/var/log");
        assert_eq!(base("/var/log/access.log"), "/var/log");
        assert_eq!(base("/*.log"), "/");
        assert_eq!(base("logs/a.log"), "logs");
        assert_eq!(base("*.log"), ".");
    }

    #[test]
    fn a_glob_finds_files_through_links_and_nothing_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a.log"), "a").unwrap();
        fs::write(path(".b.log"), "b").unwrap();
        fs::create_dir(path("c.log")).unwrap();
        std::os::unix::fs::symlink(path("a.log"), path("d.log")).unwrap();
        std::os::unix::fs::symlink(path("nowhere"), path("e.log")).unwrap();
        let mut folders = Folders::new(path("*.log").to_str().unwrap()).unwrap();
        let listing = folders.list();
        let names: Vec<_> = listing.files.iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!((names, listing.problems.len()), (vec!["a.log", "d.log"], 0));
        assert_eq!(listing.files[0].1, listing.files[1].1);
        assert!(folders.wants(&path("z.log")) && !folders.wants(&path("z.txt")));
    }
}
