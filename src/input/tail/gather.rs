//! Reading: lines of all files, merged by their timestamps, in batches of bounded size.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::cut::Cut;
use super::disk::{Disk, Identity, Opened};
use super::file::{Head, Parse, Tracked};
use super::position::{STARTED, key};
use super::tailer::{Limits, Tailer};

/// The most bytes that are read for one batch: where most lines tell nothing, it is handed on before it is full.
const READ_MAX: usize = 4 << 20;
/// What may be in memory of all files together, as far as they are read in blocks.
const BLOCKS_MAX: usize = 16 << 20;
/// The smallest block.
const BLOCK_MIN: usize = 4 << 10;
/// A line that is not whole is kept up to this length while the file does not grow; a longer one is read again.
const PARTIAL_MAX: usize = 64 << 10;

/// Where an input stands in a file: a key, and where; without that, the file is done.
pub type Kept = (String, Option<String>);

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Gathered<T> {
    /// What the parser made of the lines, in order.
    pub items: Vec<T>,
    /// The stamp of the first, where there is one.
    pub first_us: Option<u64>,
    /// Where the reading stands after them: to be kept together with them.
    pub positions: Vec<Kept>,
    /// There is more to read.
    pub more: bool,
}

impl<D: Disk, T> Tailer<D, T> {
    /// Reads on, up to the lengths that the last look has shown. `flush`: positions are given even where nothing was read that
    /// they must be kept with.
    pub fn gather(&mut self, flush: bool, parse: &mut Parse<'_, T>) -> Gathered<T> {
        let waits = |file: &Tracked<D::File, T>| !file.heads.is_empty() || file.unread();
        let waiting: Vec<_> = self.files.iter().filter(|(_, file)| waits(file)).map(|(id, _)| *id).collect();
        let block = (BLOCKS_MAX / waiting.len().max(1)).clamp(BLOCK_MIN, self.limits.block.max(BLOCK_MIN));
        let limits = Limits { block: block.min(self.limits.block), ..self.limits };
        let mut reading = Reading { limits, budget: READ_MAX, scratch: std::mem::take(&mut self.scratch), parse };
        let mut order = BinaryHeap::new();
        let mut ready = true;
        for id in waiting {
            ready &= self.next_of(id, &mut reading, &mut order);
        }
        let (mut items, mut first_us, mut bytes) = (Vec::new(), None, 0);
        while ready && items.len() < limits.events && bytes < limits.bytes {
            let Some(Reverse((stamp_us, id))) = order.pop() else { break };
            let Some(file) = self.files.get_mut(&id) else { continue };
            let Some(head) = file.heads.pop_front() else { continue };
            (file.offset, bytes) = (head.end, bytes + head.bytes);
            first_us = first_us.or(Some(stamp_us));
            items.push(head.item);
            ready = self.next_of(id, &mut reading, &mut order);
        }
        self.scratch = reading.scratch;
        let more = self.files.values().any(waits);
        let positions = self.positions(flush || !items.is_empty());
        Gathered { items, first_us, positions, more }
    }

    /// Has a file's next item ready, where it has one; false where it must be read further first.
    fn next_of(
        &mut self,
        id: Identity,
        reading: &mut Reading<'_, '_, T>,
        order: &mut BinaryHeap<Reverse<(u64, Identity)>>,
    ) -> bool {
        let Some(file) = self.files.get_mut(&id) else { return true };
        if file.heads.is_empty() {
            reading.fill(file);
        }
        order.extend(file.heads.front().map(|head| Reverse((head.stamp_us, id))));
        !file.heads.is_empty() || !file.unread()
    }

    /// Where the reading stands, as far as that is news. `all`: also where it has only gone on.
    fn positions(&mut self, all: bool) -> Vec<Kept> {
        if !self.looked {
            return Vec::new();
        }
        let mut kept: Vec<Kept> = self.gone.drain(..).map(|key| (key, None)).collect();
        if !std::mem::replace(&mut self.begun, true) {
            kept.push((STARTED.to_owned(), Some(String::new())));
        }
        for (id, file) in &mut self.files {
            let news = if all { file.told != Some(file.offset) } else { file.told.is_none() };
            // A copy is told when it is read on; until then it is a new file to whoever comes after us.
            if news && file.copy_of.is_none() {
                file.told = Some(file.offset);
                kept.push((key(*id), Some(file.left().text())));
            }
        }
        kept
    }
}

/// What one batch is read with.
struct Reading<'r, 'p, T> {
    limits: Limits,
    /// How many bytes may still be read for this batch.
    budget: usize,
    scratch: Vec<u8>,
    parse: &'r mut Parse<'p, T>,
}

impl<T> Reading<'_, '_, T> {
    /// Reads on in a file until it has something to hand on.
    fn fill<F: Opened>(&mut self, file: &mut Tracked<F, T>) {
        while file.heads.is_empty() && file.unread() && self.budget > 0 {
            let from = file.cutter.read_to();
            if from < file.look.size {
                self.read(file, from);
            } else {
                let Tracked { cutter, heads, last_us, finish, .. } = file;
                *finish = false;
                cutter.finish(&mut |cut, end| take(self.parse, heads, last_us, cut, end));
            }
        }
        if file.heads.is_empty() {
            file.offset = file.cutter.start();
            if !file.unread() && file.cutter.held() > PARTIAL_MAX {
                file.cutter.let_go();
            }
        }
    }

    /// Reads one block. What has changed meanwhile is not taken: another look tells what that is.
    fn read<F: Opened>(&mut self, file: &mut Tracked<F, T>, from: u64) {
        let length = (file.look.size - from).min(self.limits.block as u64) as usize;
        self.scratch.resize(self.scratch.len().max(length), 0);
        let block = &mut self.scratch[..length];
        let read = match &file.file {
            Some(opened) => opened.read_at(block, from),
            None => Ok(0),
        };
        self.budget = self.budget.saturating_sub(length);
        match read {
            Ok(read) if read == length && file.still_holds(from + read as u64) => {}
            Ok(_) => {
                file.stale = true;
                return;
            }
            Err(error) => {
                file.problem = Some(format!("failed to read {}: {error}", file.path.display()));
                file.stale = true;
                return;
            }
        }
        let Tracked { cutter, heads, last_us, .. } = file;
        cutter.push(block, self.limits.line, &mut |cut, end| take(self.parse, heads, last_us, cut, end));
    }
}

/// Takes what a line tells.
fn take<T>(parse: &mut Parse<'_, T>, heads: &mut VecDeque<Head<T>>, last_us: &mut Option<u64>, cut: Cut<'_>, end: u64) {
    let bytes = if let Cut::Line(line) = cut { line.len() } else { 0 };
    if let Some(taken) = parse(*last_us, cut) {
        *last_us = taken.stamp_us.or(*last_us);
        heads.push_back(Head { stamp_us: last_us.unwrap_or(0), end, bytes, item: taken.item });
    }
}
