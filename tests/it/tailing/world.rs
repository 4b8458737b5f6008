//! What writers and administrators do to files, in memory or for real.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use observatory::input::tail::{Disk, Folders};
use tempfile::TempDir;

pub(super) trait World {
    type Disk: Disk;
    type Writer;

    /// What a tailer sees of it: the files whose names begin with `app`.
    fn disk(&self) -> Self::Disk;
    fn path(&self, name: &str) -> PathBuf;
    /// Opens a file to append to it; creates it where it is not there.
    fn open(&mut self, path: &Path) -> Self::Writer;
    fn write(&mut self, writer: &mut Self::Writer, bytes: &[u8]);
    fn truncate(&mut self, path: &Path);
    fn rename(&mut self, from: &Path, to: &Path);
    fn remove(&mut self, path: &Path);
    /// Makes a symbolic link, also where there is one.
    fn link(&mut self, target: &Path, path: &Path);
    /// Takes or gives permission to read; false where that cannot be done here.
    fn permit(&mut self, path: &Path, readable: bool) -> bool;
}

/// Files of the machine, in a folder of their own.
pub(super) struct Real {
    folder: TempDir,
}

impl Real {
    /// In memory, where the machine has such a file system.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self { folder: folder.unwrap() }
    }
}

impl World for Real {
    type Disk = Folders;
    type Writer = File;

    fn disk(&self) -> Folders {
        Folders::new(self.path("app*").to_str().unwrap()).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&mut self, path: &Path) -> File {
        OpenOptions::new().create(true).append(true).open(path).unwrap()
    }

    fn write(&mut self, writer: &mut File, bytes: &[u8]) {
        writer.write_all(bytes).unwrap();
    }

    fn truncate(&mut self, path: &Path) {
        OpenOptions::new().write(true).truncate(true).open(path).unwrap();
    }

    fn rename(&mut self, from: &Path, to: &Path) {
        fs::rename(from, to).unwrap();
    }

    fn remove(&mut self, path: &Path) {
        fs::remove_file(path).unwrap();
    }

    fn link(&mut self, target: &Path, path: &Path) {
        // It may not be there.
        drop(fs::remove_file(path));
        symlink(target, path).unwrap();
    }

    fn permit(&mut self, path: &Path, readable: bool) -> bool {
        let mode = if readable { 0o644 } else { 0 };
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        // Permissions do not bind the superuser.
        readable || File::open(path).is_err()
    }
}
