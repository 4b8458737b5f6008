//! A disk in memory that fills up, fails, tears what it writes and forgets what was not synced.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use observatory::store::{Append, Disk};

use crate::schedules::Rng;

/// What the disk does from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Nothing can be written: there is no room.
    pub(crate) full: bool,
    /// The write after so many fails, half done, for want of room.
    pub(crate) full_after: Option<u64>,
    /// The sync after so many fails; what it was to save may be gone.
    pub(crate) sync_fails_after: Option<u64>,
    /// The power goes at the write or sync after so many: from then on nothing works until [`FaultyDisk::restart`].
    pub(crate) power_fails_after: Option<u64>,
}

#[derive(Default)]
struct File {
    synced: Vec<u8>,
    /// What was written since.
    written: Vec<u8>,
    /// Whether its name is on the disk.
    named: bool,
}

struct Inside {
    files: BTreeMap<String, File>,
    faults: Faults,
    dark: bool,
    rng: Rng,
}

/// The disk; clones are the same.
#[derive(Clone)]
pub(crate) struct FaultyDisk {
    inside: Arc<Mutex<Inside>>,
}

struct Appender {
    disk: FaultyDisk,
    name: String,
}

fn no_room() -> io::Error {
    io::Error::from_raw_os_error(28)
}

fn broken() -> io::Error {
    io::Error::from_raw_os_error(5)
}

impl FaultyDisk {
    pub(crate) fn new(seed: u64) -> Self {
        let inside = Inside { files: BTreeMap::new(), faults: Faults::default(), dark: false, rng: Rng::new(seed) };
        Self { inside: Arc::new(Mutex::new(inside)) }
    }

    /// A disk that holds these files.
    pub(crate) fn holding(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let disk = Self::new(0);
        for (name, bytes) in files {
            let file = File { synced: bytes.clone(), written: Vec::new(), named: true };
            disk.lock().files.insert(name.clone(), file);
        }
        disk
    }

    /// All files, as a reader sees them.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let inside = self.lock();
        inside.files.iter().map(|(name, file)| (name.clone(), [&file.synced[..], &file.written].concat())).collect()
    }

    pub(crate) fn set(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// Whether the power has gone.
    pub(crate) fn is_dark(&self) -> bool {
        self.lock().dark
    }

    /// The power goes, and comes back: of what was not synced, any part may be there, or something else in its place.
    pub(crate) fn restart(&self) {
        let mut inside = self.lock();
        let inside = &mut *inside;
        (inside.dark, inside.faults) = (false, Faults::default());
        let rng = &mut inside.rng;
        inside.files.retain(|_, file| {
            if !file.named && rng.percent(50) {
                return false;
            }
            file.named = true;
            let mut tail = std::mem::take(&mut file.written);
            if !tail.is_empty() {
                tail.truncate(rng.below(tail.len() as u64 + 1) as usize);
                if rng.percent(30) {
                    let from = rng.below(tail.len() as u64 + 1) as usize;
                    let with = if rng.percent(50) { 0 } else { 0xa5 };
                    tail[from..].fill(with);
                }
            }
            file.synced.extend(tail);
            true
        });
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }
}

impl Inside {
    fn lit(&mut self) -> io::Result<()> {
        if count_down(&mut self.faults.power_fails_after) {
            self.dark = true;
        }
        if self.dark { Err(broken()) } else { Ok(()) }
    }
}

/// Whether the time has come.
fn count_down(left: &mut Option<u64>) -> bool {
    match left {
        None => false,
        Some(0) => {
            *left = None;
            true
        }
        Some(more) => {
            *more -= 1;
            false
        }
    }
}

impl Disk for FaultyDisk {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        Ok(self.files().into_iter().map(|(name, bytes)| (name, bytes.len() as u64)).collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.files().remove(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Append>> {
        let mut inside = self.lock();
        inside.lit()?;
        if inside.faults.full {
            return Err(no_room());
        }
        if inside.files.insert(name.to_owned(), File::default()).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(Box::new(Appender { disk: self.clone(), name: name.to_owned() }))
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        Appender { disk: self.clone(), name: name.to_owned() }.sync()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inside = self.lock();
        inside.lit()?;
        let mut file = inside.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        file.named = false;
        inside.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inside = self.lock();
        inside.lit()?;
        inside.files.remove(name).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut inside = self.lock();
        inside.lit()?;
        inside.files.values_mut().for_each(|file| file.named = true);
        Ok(())
    }
}

impl Append for Appender {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut inside = self.disk.lock();
        let inside = &mut *inside;
        let lit = inside.lit();
        let full = inside.faults.full || count_down(&mut inside.faults.full_after);
        let file = inside.files.get_mut(&self.name).ok_or_else(broken)?;
        if lit.is_err() || full {
            let part = inside.rng.below(bytes.len() as u64 + 1) as usize;
            file.written.extend(&bytes[..part]);
            return lit.and(Err(no_room()));
        }
        file.written.extend(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut inside = self.disk.lock();
        let inside = &mut *inside;
        inside.lit()?;
        let fails = count_down(&mut inside.faults.sync_fails_after);
        let file = inside.files.get_mut(&self.name).ok_or_else(broken)?;
        if fails {
            // What could not be written is taken for clean afterwards, and may never be.
            if inside.rng.percent(50) {
                file.written.clear();
            }
            return Err(broken());
        }
        let written = std::mem::take(&mut file.written);
        file.synced.extend(written);
        Ok(())
    }
}
