//! A folder on a disk, as little of it as a journal needs: so that tests can have one that fails.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// The file that is locked by the server that writes to the folder.
const LOCK: &str = "lock";

/// A flat folder of files.
pub trait Disk: Send + Sync {
    /// All files, with their lengths in bytes, in no order.
    fn list(&self) -> io::Result<Vec<(String, u64)>>;

    /// A whole file.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// A new file. An error where there is one of this name.
    fn create(&self, name: &str) -> io::Result<Box<dyn Append>>;

    /// Ready when all that can be read of a file is on the disk.
    fn sync(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name; one that has it is replaced.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Ready when the names of files are on the disk.
    fn sync_folder(&self) -> io::Result<()>;
}

/// A file that is written from its beginning to its end.
pub trait Append: Send {
    /// Writes behind all that was written. After an error it is not known how much of it is there.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Ready when all that was written is on the disk. After an error nothing is known of it.
    fn sync(&mut self) -> io::Result<()>;
}

/// A folder of the operating system.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Locked as long as this is open, where it is.
    _lock: Option<File>,
}

impl Folder {
    /// Makes the folder where there is none, and locks it: nobody else can write to it until this is dropped.
    pub fn lock(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: Some(lock) }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(io::Error::new(io::ErrorKind::ResourceBusy, "another server writes to it"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// To read in, whoever writes to it.
    pub fn to_read(path: &Path) -> io::Result<Self> {
        if !path.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a folder"));
        }
        Ok(Self { path: path.to_owned(), _lock: None })
    }
}

impl Disk for Folder {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            match entry.metadata() {
                // A name that is not UTF-8 is none of ours.
                Ok(data) if data.is_file() => files.extend(entry.file_name().into_string().ok().zip(Some(data.len()))),
                Ok(_) => {}
                // Its writer has just removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(files)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.path.join(name))?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Append>> {
        Ok(Box::new(OpenOptions::new().write(true).create_new(true).open(self.path.join(name))?))
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        File::open(self.path.join(name))?.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path.join(name))
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl Append for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
