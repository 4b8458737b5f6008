//! Hints that files have changed. They come soon, but not always, and not from every file system: what counts is
//! what a look at the files shows, and that is taken now and then anyway.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};

/// The most folders that are watched.
const FOLDERS_MAX: usize = 256;

/// Wakes the thread that reads.
#[derive(Debug, Default)]
pub(super) struct Bell {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct State {
    rung: bool,
    stop: bool,
}

impl Bell {
    /// There is something to look at.
    pub(super) fn ring(&self) {
        self.lock().rung = true;
        self.rung.notify_all();
    }

    /// Nothing is to be read any more.
    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.rung.notify_all();
    }

    /// Waits until it rings; not shorter and not longer than this. False where it is time to stop.
    pub(super) fn wait(&self, shortest: Duration, longest: Duration) -> bool {
        let until = |state: MutexGuard<'_, State>, time, wake: fn(&State) -> bool| {
            // Who panicked here has left nothing half done.
            let waited = self.rung.wait_timeout_while(state, time, |state| !wake(state));
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        };
        until(self.lock(), shortest, |state| state.stop);
        until(self.lock(), longest.saturating_sub(shortest), |state| state.stop || state.rung);
        let mut state = self.lock();
        state.rung = false;
        !state.stop
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rings when something happens in the folders of the files that we read.
pub(super) struct Hints {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    files: BTreeSet<PathBuf>,
}

impl Hints {
    /// Begins to listen; why not, where that cannot be.
    pub(super) fn start(bell: &Arc<Bell>) -> (Self, Option<notify::Error>) {
        let bell = Arc::clone(bell);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // We read them ourselves. An error may mean that hints were lost: then all is looked at.
            if !event.is_ok_and(|event| event.kind.is_access()) {
                bell.ring();
            }
        });
        let (watcher, error) = match watcher {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(error)),
        };
        (Self { watcher, ..Self::none() }, error)
    }

    /// No hints at all.
    pub(super) fn none() -> Self {
        Self { watcher: None, folders: BTreeSet::new(), files: BTreeSet::new() }
    }

    /// Whether hints come, as far as is known.
    pub(super) fn come(&self) -> bool {
        self.watcher.is_some()
    }

    /// Listens where these files are, and where links lead to. The error is why that is over now.
    pub(super) fn follow<'p>(
        &mut self,
        base: &Path,
        files: impl Iterator<Item = &'p Path>,
    ) -> Result<(), notify::Error> {
        if self.watcher.is_none() {
            return Ok(());
        }
        self.watch(base)?;
        for file in files {
            if self.files.len() >= FOLDERS_MAX || !self.files.insert(file.to_owned()) {
                continue;
            }
            let led_to = file.canonicalize().ok();
            for path in [Some(file), led_to.as_deref()].into_iter().flatten() {
                if let Some(folder) = path.parent() {
                    self.watch(folder)?;
                }
            }
        }
        Ok(())
    }

    fn watch(&mut self, folder: &Path) -> Result<(), notify::Error> {
        let Some(watcher) = &mut self.watcher else { return Ok(()) };
        if self.folders.len() >= FOLDERS_MAX || self.folders.contains(folder) {
            return Ok(());
        }
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        match watcher.watch(here, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.folders.insert(folder.to_owned());
                Ok(())
            }
            // It may come.
            Err(error) if matches!(error.kind, ErrorKind::PathNotFound) => Ok(()),
            Err(error) => {
                self.watcher = None;
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_wakes_and_stops() {
        let (bell, long) = (Bell::default(), Duration::from_mins(1));
        bell.ring();
        assert!(bell.wait(Duration::from_millis(1), long), "it has rung before");
        assert!(bell.wait(Duration::ZERO, Duration::from_millis(1)), "nothing has happened");
        bell.stop();
        assert!(!bell.wait(long, long));
    }

    #[test]
    fn what_is_written_rings() {
        let folder = tempfile::tempdir().unwrap();
        let bell = Arc::new(Bell::default());
        let (mut hints, error) = Hints::start(&bell);
        assert!(error.is_none(), "{error:?}");
        hints.follow(folder.path(), std::iter::empty()).unwrap();
        hints.follow(&folder.path().join("nowhere"), std::iter::empty()).unwrap();
        assert!(hints.come());
        std::fs::write(folder.path().join("a.log"), "a").unwrap();
        let long = Duration::from_mins(1);
        assert!(bell.wait(Duration::ZERO, long));
    }
}
