//! Copies: logrotate's `copytruncate` copies a file and truncates it. Where the glob finds the copy, too, it
//! is no new file: it goes on where the reading of its original had come to, and holds what the truncation took.

use std::collections::BTreeSet;

use super::disk::{Disk, Identity, Opened};
use super::file::Ended;
use super::print;
use super::tailer::Tailer;

impl<D: Disk, T> Tailer<D, T> {
    /// Finds out which files are copies. `firsts`: those that show what they begin with for the first time.
    pub(super) fn follow_copies(&mut self, firsts: Vec<(Identity, Vec<u8>)>, now_us: u64) {
        self.ended.extend(self.out_of_reach(now_us));
        for (id, original) in self.copies() {
            let fresh = |ended: &&mut Ended| ended.fresh && ended.id == original;
            if let Some(ended) = self.ended.iter_mut().find(fresh) {
                let (taker, read_to) = (*ended.taker.get_or_insert(id), ended.read_to);
                self.take_over(id, taker, read_to);
            }
        }
        self.ended.iter_mut().for_each(|ended| ended.fresh = false);
        for (id, head) in firsts {
            let copied = |ended: &&mut Ended| ended.id != id && ended.print.length > 0 && ended.print.fits(&head);
            if let Some(ended) = self.ended.iter_mut().find(copied) {
                let (taker, read_to) = (*ended.taker.get_or_insert(id), ended.read_to);
                self.take_over(id, taker, read_to);
            } else if let Some((original, sure)) = self.original_of(id, &head)
                && let Some(file) = self.files.get_mut(&id)
            {
                file.copy_of = Some(original);
                file.copy_look = sure.then_some(file.look);
            }
        }
        for (id, original) in self.copies() {
            self.check_copy(id, original);
        }
    }

    /// All copies, with what they are copies of.
    fn copies(&self) -> Vec<(Identity, Identity)> {
        self.files.iter().filter_map(|(id, file)| Some((*id, file.copy_of?))).collect()
    }

    /// Originals that are kept in mind only: as far as their copies go they have ended.
    fn out_of_reach(&self, now_us: u64) -> Vec<Ended> {
        let originals: BTreeSet<Identity> = self.files.values().filter_map(|file| file.copy_of).collect();
        let files = originals.iter().filter_map(|original| self.files.get(original));
        files.filter(|file| !file.listed && file.file.is_none()).map(|file| file.end(now_us)).collect()
    }

    /// The original has ended: the first of its copies is read on, the others are copies of that one.
    fn take_over(&mut self, id: Identity, taker: Identity, read_to: u64) {
        let Some(file) = self.files.get_mut(&id) else { return };
        if taker == id {
            file.copy_of = None;
            file.go_to(read_to.min(file.look.size));
        } else {
            file.copy_of = Some(taker);
            file.copy_look = Some(file.look);
        }
    }

    /// A copy that is written to may turn out to be no copy at all.
    fn check_copy(&mut self, id: Identity, original: Identity) {
        let Some(file) = self.files.get(&id).filter(|file| file.copy_look != Some(file.look)) else { return };
        let look = file.look;
        let same = self.is_beginning(id, original);
        let Some(file) = self.files.get_mut(&id) else { return };
        file.copy_look = same.map(|_| look);
        if same == Some(false) {
            file.copy_of = None;
            file.go_to(0);
        }
    }

    /// The file, read already, that this one is a copy of as far as it goes; and whether that is sure.
    fn original_of(&mut self, id: Identity, head: &[u8]) -> Option<(Identity, bool)> {
        let could_be = self.files.iter().filter(|(other, file)| {
            let begins_alike = head.len() < file.print.length || file.print.fits(head);
            let read = file.print.length > 0 && file.cutter.start() > 0;
            **other != id && file.copy_of.is_none() && read && begins_alike
        });
        let mut could_be: Vec<_> = could_be.map(|(other, file)| (*other, file.print.fits(head))).collect();
        // What is out of reach comes last: it may have a copy already that was read on.
        could_be.sort_by_key(|(other, _)| self.files.get(other).is_some_and(|file| !file.listed));
        could_be.into_iter().find_map(|(other, fits)| {
            let same = self.is_beginning(id, other);
            same.unwrap_or(fits).then_some((other, same.is_some()))
        })
    }

    /// Whether one file holds the beginning of another; `None` where that cannot be told, because one of them cannot
    /// be read, or the other has just been truncated, as the next look will show.
    fn is_beginning(&mut self, part: Identity, whole: Identity) -> Option<bool> {
        let size = self.files.get(&part)?.look.size;
        let mut opened = [None, None];
        for (place, id) in [part, whole].into_iter().enumerate() {
            let file = self.files.get(&id)?;
            if file.file.is_none() {
                let reopened = self.disk.open(&file.path).ok();
                let same = |file: &D::File| file.look().is_ok_and(|look| look.id == id);
                opened[place] = Some(reopened.filter(same)?);
            }
        }
        let held = |place: usize, id| opened[place].as_ref().or_else(|| self.files.get(&id)?.file.as_ref());
        let (copy, original) = (held(0, part)?, held(1, whole)?);
        let same = print::is_beginning(copy, size, original).ok()?;
        let holds = same || self.files.get(&whole)?.print.fits(&print::head(original).ok()?);
        holds.then_some(same)
    }
}
