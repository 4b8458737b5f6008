//! All files of an input: found, told apart, followed through rotations, and let go.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::disk::{Disk, Identity, Look, Opened};
use super::file::{Ended, Tracked};
use super::position::{Left, STARTED, identity, key};
use super::print;
use super::standing::Standing;

/// How much is read and kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest line, in bytes.
    pub line: usize,
    /// The most bytes that are read of a file at once.
    pub block: usize,
    /// The most events that are handed on together.
    pub events: usize,
    /// The most bytes of lines that are handed on together.
    pub bytes: usize,
    /// The most files that are known at once.
    pub files: usize,
    /// The most files that are held open.
    pub open: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: 1 << 20, block: 256 << 10, events: 4096, bytes: 1 << 20, files: 10_000, open: 256 }
    }
}

/// After this long without growing, what a rotated file ends with is its last line, line feed or not.
pub(super) const FINISH_US: u64 = 5_000_000;
/// After this long without growing, a file that has no name any more, or none that the glob finds, is closed.
pub(super) const CLOSE_US: u64 = 60_000_000;
/// For this long after a truncation a copy is looked for that was made before.
const ENDED_US: u64 = 5_000_000;
/// The most files that are kept in mind though the glob does not find them: they may come back.
const MINDED_MAX: usize = 1_000;

/// What has been counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TailCounts {
    /// How often a file was truncated, or was another under the same number.
    pub truncations: u64,
    /// Bytes that were seen in files, and gone before they were read. What came and went between two looks is not
    /// in it: nobody saw that.
    pub lost_bytes: u64,
}

/// What is found: what each file looks like, and all its names.
type Names = BTreeMap<Identity, (Look, Vec<PathBuf>)>;

/// Follows the files that a glob finds. Pure but for its [`Disk`]: what it does depends on nothing else.
pub struct Tailer<D: Disk, T> {
    pub(super) disk: D,
    pub(super) limits: Limits,
    pub(super) files: BTreeMap<Identity, Tracked<D::File, T>>,
    /// Where files were left that have not been found yet.
    left: BTreeMap<Identity, Left>,
    /// Whether files that are there at the first look are read from their beginning.
    from_beginning: bool,
    /// The first look is behind us.
    pub(super) looked: bool,
    /// So is the search for files that were rotated away while we did not run.
    looked_beside: bool,
    /// That we have begun is told.
    pub(super) begun: bool,
    pub(super) ended: Vec<Ended>,
    /// Keys of files that are done.
    pub(super) gone: Vec<String>,
    /// What keeps us from finding files.
    pub(super) problems: Vec<String>,
    /// Files that the glob finds and that are not read, because they are compressed.
    pub(super) compressed: Option<PathBuf>,
    pub(super) counts: TailCounts,
    pub(super) standing: Standing,
    pub(super) scratch: Vec<u8>,
}

impl<D: Disk, T> Tailer<D, T> {
    /// Begins where `positions` say, which an earlier one has given. Without any, files that are there at the
    /// first look are read from their beginning, or from their end.
    pub fn new(disk: D, limits: Limits, from_beginning: bool, positions: &[(String, String)]) -> Self {
        let resumed = positions.iter().any(|(key, _)| key == STARTED);
        let left = positions.iter().filter_map(|(key, value)| Some((identity(key)?, Left::parse(value)?)));
        Self {
            disk,
            limits,
            files: BTreeMap::new(),
            left: left.collect(),
            from_beginning: from_beginning || resumed,
            looked: false,
            looked_beside: false,
            begun: resumed,
            ended: Vec::new(),
            gone: Vec::new(),
            problems: Vec::new(),
            compressed: None,
            counts: TailCounts::default(),
            standing: Standing::default(),
            scratch: Vec::new(),
        }
    }

    /// What has been counted.
    pub fn counts(&self) -> TailCounts {
        self.counts
    }

    /// How many files the glob finds.
    pub fn found(&self) -> usize {
        self.files.values().filter(|file| file.listed).count()
    }

    /// Where the files are that the glob finds.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.values().filter(|file| file.listed).map(|file| file.path.as_path())
    }

    /// A file that the glob finds and that is not read: a compressed copy of what was read before.
    pub fn compressed(&self) -> Option<&Path> {
        self.compressed.as_deref()
    }

    /// Looks at all files: which there are, and how far they go. They are read up to there.
    pub fn look(&mut self, now_us: u64) {
        let names = self.list(now_us);
        let mut firsts = Vec::new();
        for (id, file) in &mut self.files {
            let listed = names.get(id).map(|(look, _)| *look);
            let change = file.refresh(&mut self.disk, listed, now_us);
            if let Some(ended) = change.ended {
                self.counts.truncations += 1;
                self.ended.push(ended);
            }
            self.counts.truncations += u64::from(change.shortened);
            firsts.extend(change.first.map(|head| (*id, head)));
        }
        self.follow_copies(firsts, now_us);
        self.forget_ended(now_us);
        self.retire(now_us);
        self.close_some();
        self.standing.mark(self.files.values_mut(), now_us);
        self.looked = true;
    }

    /// Finds files, and gives what they look like with all their names.
    fn list(&mut self, now_us: u64) -> Names {
        let listing = self.disk.list();
        let problem =
            |(path, error): &(PathBuf, std::io::Error)| format!("failed to look at {}: {error}", path.display());
        self.problems = listing.problems.iter().map(problem).collect();
        let whole = listing.problems.is_empty();
        let mut names = Names::new();
        self.compressed = None;
        for (path, look) in listing.files {
            if is_compressed(&path) {
                self.compressed = Some(path);
            } else {
                names.entry(look.id).or_insert_with(|| (look, Vec::new())).1.push(path);
            }
        }
        // Where not all could be looked at, what was not found may be there.
        let lost = |file: &&mut Tracked<D::File, T>| whole && file.listed && !names.contains_key(&file.id());
        for file in self.files.values_mut().filter(lost) {
            (file.listed, file.grown_us) = (false, now_us);
        }
        let mut left_out = 0;
        for (id, (look, paths)) in &names {
            if let Some(file) = self.files.get_mut(id) {
                found(file, paths, now_us);
            } else if self.files.len() < self.limits.files {
                let file = self.adopt(&paths[0], *look, &names, now_us);
                self.files.insert(*id, file);
            } else {
                left_out += 1;
            }
        }
        if left_out > 0 {
            let most = self.limits.files;
            self.problems.push(format!("there are more than {most} files: {left_out} are not read"));
        }
        if whole && !self.looked_beside {
            self.looked_beside = true;
            self.look_beside(now_us);
        }
        names
    }

    /// A file that is new to us.
    fn adopt(&mut self, path: &Path, look: Look, names: &Names, now_us: u64) -> Tracked<D::File, T> {
        if let Some(left) = self.take_left(look.id, names) {
            return Tracked::resumed(path.to_owned(), look, &left, now_us);
        }
        let from_end = !self.looked && !self.from_beginning;
        Tracked::new(path.to_owned(), look, if from_end { look.size } else { 0 }, now_us)
    }

    /// Where this file was left. Devices get other numbers when a machine starts again; where it is not known when files
    /// were created, the content tells in the end whether it is the same.
    fn take_left(&mut self, id: Identity, names: &Names) -> Option<Left> {
        if let Some(left) = self.left.remove(&id) {
            return Some(left);
        }
        let moved = |(other, left): &(&Identity, &Left)| {
            (other.inode, other.born) == (id.inode, id.born) && left.print.length > 0 && !names.contains_key(other)
        };
        let other = *self.left.iter().find(moved)?.0;
        self.gone.push(key(other));
        self.left.remove(&other)
    }

    /// Finds files that were rotated away while we did not run, to where the glob does not find them. What is not there
    /// may come later, as a link or a mounted disk does.
    fn look_beside(&mut self, now_us: u64) {
        for (id, left) in std::mem::take(&mut self.left) {
            if let Some((file, look)) = self.open_beside(id, &left) {
                // It keeps the name by which the glob found it, and will find it again.
                let resumed = Tracked::resumed(left.path.clone(), look, &left, now_us);
                self.files.insert(id, Tracked { file: Some(file), listed: false, moved: true, ..resumed });
            } else {
                // There may be a copy of it.
                let (read_to, print) = (left.offset, left.print);
                self.ended.push(Ended { id, print, read_to, unread: 0, at_us: now_us, taker: None, fresh: true });
                self.left.insert(id, left);
            }
        }
        while self.left.len() > MINDED_MAX {
            let Some(oldest) = self.left.keys().min_by_key(|id| id.born).copied() else { return };
            self.left.remove(&oldest);
            self.gone.push(key(oldest));
        }
    }

    /// Opens a file under another name than it was left with: later only what the glob finds is opened. Where it is not known
    /// when files were created, one that begins otherwise may be any file that has got its number.
    fn open_beside(&mut self, id: Identity, left: &Left) -> Option<(D::File, Look)> {
        let near = if self.disk.wants(&left.path) { self.disk.beside(&left.path) } else { Vec::new() };
        let (path, _) = near.into_iter().find(|(path, look)| look.id == id && !is_compressed(path))?;
        let file = self.disk.open(&path).ok()?;
        let look = file.look().ok().filter(|look| look.id == id)?;
        let same = id.born != 0 || left.print.fits(&print::head(&file).ok()?);
        same.then_some((file, look))
    }

    fn forget_ended(&mut self, now_us: u64) {
        let counts = &mut self.counts;
        self.ended.retain(|ended| {
            let keep = now_us < ended.at_us + ENDED_US;
            if !keep && ended.taker.is_none() {
                counts.lost_bytes += ended.unread;
            }
            keep
        });
    }

    /// Lets files go that are rotated away and read to their end.
    fn retire(&mut self, now_us: u64) {
        let mut done = Vec::new();
        for (id, file) in &mut self.files {
            if !file.retired() {
                continue;
            }
            let quiet_us = now_us.saturating_sub(file.grown_us);
            let partial = file.cutter.seen_to() > file.cutter.start();
            if !file.listed && file.problem.is_some() && (file.file.is_none() || quiet_us >= CLOSE_US) {
                // There is no way to read it any more, unless it comes back.
                (file.file, file.problem) = (None, None);
            }
            if file.listed || file.file.is_some() && !file.at_end() {
                file.finish |= partial && file.at_end() && quiet_us >= FINISH_US;
            } else if file.copy_of.is_some() && file.file.is_none() {
                // It will not be needed any more.
                done.push(*id);
            } else if partial {
                file.finish |= quiet_us >= FINISH_US;
            } else if file.file.is_some() && quiet_us >= CLOSE_US {
                file.file = None;
                if file.look.links == 0 {
                    done.push(*id);
                }
            }
        }
        let mut minded: Vec<_> = self.files.iter().filter(|(_, file)| !file.listed && file.file.is_none()).collect();
        minded.sort_by_key(|(_, file)| file.grown_us);
        let over = minded.len().saturating_sub(MINDED_MAX);
        done.extend(minded.iter().take(over).map(|(id, _)| **id));
        for id in done {
            self.drop_file(id, now_us);
        }
    }

    fn drop_file(&mut self, id: Identity, now_us: u64) {
        let Some(file) = self.files.remove(&id) else { return };
        self.ended.push(file.end(now_us));
        self.gone.push(key(id));
    }

    /// Closes the files that have been quiet for longest where too many are open.
    fn close_some(&mut self) {
        let open = self.files.values().filter(|file| file.file.is_some()).count();
        let over = open.saturating_sub(self.limits.open);
        if over == 0 {
            return;
        }
        let mut quiet: Vec<_> =
            self.files.values_mut().filter(|file| file.listed && file.file.is_some() && file.at_end()).collect();
        quiet.sort_by_key(|file| file.grown_us);
        quiet.into_iter().take(over).for_each(|file| file.file = None);
    }
}

/// The glob finds a file that we know, under these names.
fn found<F, T>(file: &mut Tracked<F, T>, paths: &[PathBuf], now_us: u64) {
    // What comes back is looked at anew.
    file.stale |= !std::mem::replace(&mut file.listed, true);
    if !paths.contains(&file.path) {
        paths[0].clone_into(&mut file.path);
        (file.moved, file.grown_us) = (true, now_us);
        file.told = None;
    }
}

/// Rotated files are compressed to save room: all that is in them has been read before.
fn is_compressed(path: &Path) -> bool {
    const ENDINGS: [&str; 6] = ["gz", "bz2", "xz", "zst", "lz4", "Z"];
    path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| ENDINGS.contains(&ending))
}
