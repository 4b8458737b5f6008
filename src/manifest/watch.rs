//! Watching the manifest: it is read again when its files change, and on SIGHUP.
//!
//! What the operating system tells of changes are hints: they come soon, but not always, and not from
//! every file system. What counts is what the files look like, and that is looked at now and then, too.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::load::Text;
use super::source::{Source, toml_files};

/// Files are read when they have stayed as they are for this long.
const SETTLE: Duration = Duration::from_millis(500);
/// How often the files are looked at though nothing hints at a change.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Hints come in swarms: this long after the first the files are looked at once.
const SWARM: Duration = Duration::from_millis(50);

/// Where the manifest in force has come from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Its files.
    pub source: Source,
    /// What they said.
    pub text: Text,
}

/// Watches the files of a manifest.
pub struct Watch {
    path: PathBuf,
    /// What was read last.
    text: Arc<Text>,
    /// What the files looked like before that.
    looks: Looks,
    hangup: Signal,
    hints: Arc<Notify>,
    /// Hints as long as it lives.
    _watcher: Option<RecommendedWatcher>,
}

impl Watch {
    /// Begins to watch. None where there is nothing to watch: standard input, a pipe, a text that is built
    /// in; then SIGHUP does what it always does. Must be called where a tokio runtime runs.
    pub fn start(origin: Origin) -> io::Result<Option<Self>> {
        let Source::Path(path) = origin.source else { return Ok(None) };
        // A pipe has been read, and says nothing more.
        if fs::metadata(&path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Ok(None);
        }
        let hints = Arc::new(Notify::new());
        let watcher = match watcher(&path, &hints) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                let every_s = LOOK_EVERY.as_secs();
                tracing::info!(subsystem = "manifest", %error, every_s, "changes of the manifest are not told to us: we look");
                None
            }
        };
        let hangup = signal(SignalKind::hangup())?;
        // How the files looked when they were read is not known: so they are read once more.
        let (text, looks) = (Arc::new(origin.text), Looks::default());
        Ok(Some(Self { path, text, looks, hangup, hints, _watcher: watcher }))
    }

    /// Ready when the manifest reads other than it did the last time; with nothing where SIGHUP came and
    /// it reads as it did.
    pub async fn changed(&mut self) -> Option<Arc<Text>> {
        loop {
            let asked = self.wait().await;
            let source = Source::Path(self.path.clone());
            let Some(text) = beside(move || Text::read(&source)).await else { continue };
            // What was changed while it was read is read again when it has settled.
            if text != *self.text && self.look().await == self.looks {
                self.text = Arc::new(text);
                return Some(Arc::clone(&self.text));
            }
            if asked && text == *self.text {
                return None;
            }
        }
    }

    /// Waits until the files are to be read: they have changed and settled, or SIGHUP came (`true`).
    async fn wait(&mut self) -> bool {
        loop {
            let asked = tokio::select! {
                Some(()) = self.hangup.recv() => true,
                () = self.hints.notified() => self.hungup_within(SWARM).await,
                () = sleep(LOOK_EVERY) => false,
            };
            let mut looks = self.look().await;
            if !asked && looks == self.looks {
                continue;
            }
            let (mut asked, mut settled) = (asked, asked);
            while !settled {
                asked = self.hungup_within(SETTLE).await;
                settled = asked;
                let before = std::mem::replace(&mut looks, self.look().await);
                settled |= looks == before;
            }
            self.looks = looks;
            return asked;
        }
    }

    /// Waits; true, and sooner, where SIGHUP comes.
    async fn hungup_within(&mut self, time: Duration) -> bool {
        tokio::select! {
            Some(()) = self.hangup.recv() => true,
            () = sleep(time) => false,
        }
    }

    async fn look(&self) -> Looks {
        let path = self.path.clone();
        beside(move || Looks::of(&path)).await.unwrap_or_default()
    }
}

/// Does what may have to wait for a disk; none where we are stopping.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// Hints at changes in the folder, or in the folder of the file: a file that is replaced takes its own
/// watch with it.
fn watcher(path: &Path, hints: &Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let hints = Arc::clone(hints);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // We read it ourselves.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            hints.notify_one();
        }
    })?;
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

/// What files look like from outside: whoever writes to one, or puts another in its place, changes this.
#[derive(Debug, Default, PartialEq, Eq)]
struct Looks(Vec<(PathBuf, Option<[i64; 7]>)>);

impl Looks {
    fn of(path: &Path) -> Self {
        // A folder that cannot be listed looks like one without files.
        let paths = if path.is_dir() { toml_files(path).unwrap_or_default() } else { vec![path.to_owned()] };
        let looks = |path: PathBuf| {
            // Through symbolic links: what they lead to may be exchanged.
            let looks = fs::metadata(&path).ok().map(|found| {
                let (device, file, size) = (found.dev() as i64, found.ino() as i64, found.size() as i64);
                [device, file, size, found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()]
            });
            (path, looks)
        };
        Self(paths.into_iter().map(looks).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_change_with_what_is_written_replaced_added_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let looks = || (Looks::of(folder.path()), Looks::of(&path("a.toml")));
        fs::write(path("a.toml"), "a").unwrap();
        let first = looks();
        fs::write(path("notes.txt"), "no manifest").unwrap();
        assert_eq!(looks(), first);
        fs::write(path("new"), "b").unwrap();
        fs::rename(path("new"), path("a.toml")).unwrap();
        let replaced = looks();
        assert!(replaced.0 != first.0 && replaced.1 != first.1);
        fs::write(path("b.toml"), "").unwrap();
        let added = looks();
        assert!(added.0 != replaced.0 && added.1 == replaced.1);
        fs::remove_file(path("a.toml")).unwrap();
        assert!(looks().0 != added.0 && looks().1 != added.1);
    }
}
