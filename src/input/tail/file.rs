//! One file that is read, and what becomes of it.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use super::cut::{Cut, Cutter};
use super::disk::{Disk, Identity, Look, Opened};
use super::position::Left;
use super::print::{self, Print};

/// What a parser makes of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken<T> {
    /// When it happened, in microseconds since the Unix epoch, where the line says so.
    pub stamp_us: Option<u64>,
    /// What is handed on.
    pub item: T,
}

/// Reads lines. The first argument is the file's own: the stamp of its last event before this line.
pub type Parse<'p, T> = dyn FnMut(Option<u64>, Cut<'_>) -> Option<Taken<T>> + 'p;

/// Something that was read and is not handed on yet.
#[derive(Debug)]
pub(super) struct Head<T> {
    pub(super) stamp_us: u64,
    /// The place behind its line.
    pub(super) end: u64,
    /// The length of its line.
    pub(super) bytes: usize,
    pub(super) item: T,
}

/// A file that is read.
#[derive(Debug)]
pub(super) struct Tracked<F, T> {
    /// Where it was found last.
    pub(super) path: PathBuf,
    /// That is not where it was found first: it was rotated away.
    pub(super) moved: bool,
    /// The glob finds it.
    pub(super) listed: bool,
    pub(super) file: Option<F>,
    /// As it was seen last; it is read up to that length.
    pub(super) look: Look,
    pub(super) print: Print,
    pub(super) cutter: Cutter,
    pub(super) heads: VecDeque<Head<T>>,
    /// The place behind the last line that was handed on, or told nothing.
    pub(super) offset: u64,
    /// The offset that was told last.
    pub(super) told: Option<u64>,
    /// The stamp of its last event.
    pub(super) last_us: Option<u64>,
    /// It is a copy of that file, which has been read already as far as the copy goes.
    pub(super) copy_of: Option<Identity>,
    /// What it looked like when that was found out.
    pub(super) copy_look: Option<Look>,
    /// When it was seen to grow, or to be rotated away.
    pub(super) grown_us: u64,
    /// What is there of its last line is a line.
    pub(super) finish: bool,
    /// It changed while it was read: it must be looked at again first.
    pub(super) stale: bool,
    /// Why it cannot be read.
    pub(super) problem: Option<String>,
    /// To be read to here until we have caught up.
    pub(super) target: Option<u64>,
}

/// Content that is gone: its file was truncated, or is another by now.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) id: Identity,
    pub(super) print: Print,
    /// How far it has been read.
    pub(super) read_to: u64,
    /// How much more of it there was, at least.
    pub(super) unread: u64,
    pub(super) at_us: u64,
    /// The copy that is read on instead.
    pub(super) taker: Option<Identity>,
    /// Copies of it that are known have not been told yet.
    pub(super) fresh: bool,
}

/// What a look at a file has shown.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Its old content has ended, by being cut off.
    pub(super) ended: Option<Ended>,
    /// What it begins with, where that is seen for the first time, and nothing has been read.
    pub(super) first: Option<Vec<u8>>,
    /// It became shorter, but begins as before.
    pub(super) shortened: bool,
}

impl<F: Opened, T> Tracked<F, T> {
    /// A file that is read from here on.
    pub(super) fn new(path: PathBuf, look: Look, offset: u64, now_us: u64) -> Self {
        Self {
            path,
            moved: false,
            listed: true,
            file: None,
            look,
            print: Print::default(),
            cutter: Cutter::at(offset),
            heads: VecDeque::new(),
            offset,
            told: None,
            last_us: None,
            copy_of: None,
            copy_look: None,
            grown_us: now_us,
            finish: false,
            stale: true,
            problem: None,
            target: None,
        }
    }

    /// A file that goes on where it was left.
    pub(super) fn resumed(path: PathBuf, look: Look, left: &Left, now_us: u64) -> Self {
        let moved = left.moved || left.path != path;
        // As long as it had been read, so that nothing is missed of what has come since.
        let look = Look { size: left.offset, ..look };
        Self { moved, print: left.print, ..Self::new(path, look, left.offset, now_us) }
    }

    pub(super) fn id(&self) -> Identity {
        self.look.id
    }

    /// Where it would be left now.
    pub(super) fn left(&self) -> Left {
        Left { offset: self.offset, print: self.print, path: self.path.clone(), moved: self.moved }
    }

    /// Nobody is supposed to write to it any more.
    pub(super) fn retired(&self) -> bool {
        self.moved || !self.listed
    }

    /// Its content is out of reach.
    pub(super) fn end(&self, now_us: u64) -> Ended {
        let (read_to, print) = (self.cutter.start(), self.print);
        // A copy takes nothing with it that has not been read.
        let unread = if self.copy_of.is_some() { 0 } else { self.look.size.saturating_sub(read_to) };
        Ended { id: self.id(), print, read_to, unread, at_us: now_us, taker: None, fresh: true }
    }

    /// There is something to read.
    pub(super) fn unread(&self) -> bool {
        let readable = self.file.is_some() && self.copy_of.is_none() && !self.stale;
        readable && (self.finish || self.look.size > self.cutter.seen_to())
    }

    /// All that was there at the last look has been handed on.
    pub(super) fn at_end(&self) -> bool {
        self.heads.is_empty() && !self.stale && (self.copy_of.is_some() || self.look.size <= self.cutter.seen_to())
    }

    /// Reads on from another place.
    pub(super) fn go_to(&mut self, offset: u64) {
        self.cutter = Cutter::at(offset);
        (self.offset, self.told) = (offset, None);
        self.stale |= self.file.is_none();
        // What is still to be handed on is of what was there before.
        self.heads.iter_mut().for_each(|head| head.end = offset);
    }

    /// Looks whether it has changed, and whether it is what it was. `listed` is what the glob has seen of it.
    pub(super) fn refresh(&mut self, disk: &mut impl Disk<File = F>, listed: Option<Look>, now_us: u64) -> Change {
        match self.try_refresh(disk, listed, now_us) {
            Ok(change) => change,
            // It has gone away, or another has taken its place: the next listing tells.
            Err(error) if error.kind() == ErrorKind::NotFound => Change::default(),
            Err(error) => {
                self.problem = Some(format!("failed to read {}: {error}", self.path.display()));
                self.stale = true;
                Change::default()
            }
        }
    }

    fn try_refresh(&mut self, disk: &mut impl Disk<File = F>, listed: Option<Look>, now_us: u64) -> io::Result<Change> {
        let Some(file) = &self.file else {
            let unchanged = listed.is_none_or(|seen| seen == self.look && !self.stale);
            return if unchanged { Ok(Change::default()) } else { self.open(disk, now_us) };
        };
        let look = file.look()?;
        if look == self.look && !self.stale {
            return Ok(Change::default());
        }
        let head = print::head(file)?;
        Ok(self.compare(look, &head, now_us))
    }

    fn open(&mut self, disk: &mut impl Disk<File = F>, now_us: u64) -> io::Result<Change> {
        let file = disk.open(&self.path)?;
        let look = file.look()?;
        if look.id != self.id() {
            return Err(ErrorKind::NotFound.into());
        }
        let head = print::head(&file)?;
        if self.print == Print::default() {
            // Nobody has seen yet where its lines begin. Where it is shorter than it was, it has been truncated.
            let offset = if look.size < self.offset { 0 } else { line_start(&file, self.offset)? };
            self.go_to(offset);
        }
        self.file = Some(file);
        Ok(self.compare(look, &head, now_us))
    }

    /// `head`: what it begins with now.
    fn compare(&mut self, look: Look, head: &[u8], now_us: u64) -> Change {
        let mut change = Change::default();
        let known = self.print;
        if !known.fits(head) {
            change.ended = Some(self.end(now_us));
            self.go_to(0);
            (self.copy_of, self.last_us, self.finish) = (None, None, false);
        } else if look.size < self.cutter.start() {
            change.shortened = true;
            self.go_to(look.size);
        } else if look.size < self.cutter.seen_to() {
            self.cutter = Cutter::at(self.cutter.start());
        }
        if self.cutter.start() == 0 && (change.ended.is_some() || known.length == 0) && !head.is_empty() {
            change.first = Some(head.to_vec());
        }
        self.print = Print::of(head);
        if look.size != self.look.size || change.ended.is_some() {
            self.grown_us = now_us;
        }
        (self.look, self.stale, self.problem) = (look, false, None);
        change
    }

    /// Whether what was read up to here, after the last look, belongs to the content that we know.
    pub(super) fn still_holds(&self, read_to: u64) -> bool {
        let Some(file) = &self.file else { return false };
        let look = file.look();
        look.is_ok_and(|look| look.size >= read_to) && print::head(file).is_ok_and(|head| self.print.fits(&head))
    }
}

/// How far back the beginning of a line is looked for.
const BACK_MAX: u64 = 1 << 20;

/// Where the line begins that this place is in; the place itself where that is too far away.
fn line_start(file: &impl Opened, offset: u64) -> io::Result<u64> {
    const STEP: u64 = 64 << 10;
    let mut end = offset;
    let first = offset.saturating_sub(BACK_MAX);
    while end > first {
        let begin = end.saturating_sub(STEP).max(first);
        let mut block = vec![0; (end - begin) as usize];
        let read = file.read_at(&mut block, begin)?;
        if let Some(place) = memchr::memrchr(b'\n', &block[..read]) {
            return Ok(begin + place as u64 + 1);
        }
        end = begin;
    }
    Ok(if first == 0 { 0 } else { offset })
}
