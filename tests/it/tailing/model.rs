//! What must become of every line: read once, or lost for a reason that nobody who reads files could help.

use std::collections::{BTreeMap, BTreeSet};

/// The content of a file, from when it is created or truncated.
#[derive(Default)]
pub(super) struct Content {
    /// Whole lines.
    pub(super) lines: Vec<u64>,
    /// The line that has been begun.
    pub(super) begun: Option<u64>,
    pub(super) unreadable: bool,
    /// The tailer holds it open.
    pub(super) open: bool,
    /// Its position has been kept.
    pub(super) told: bool,
    /// It is read from its end, and nobody has seen yet what is in it: only its length is known.
    pub(super) unseen: bool,
    /// It was truncated while that was so. Where it was filled up again, up to where it had been or beyond, nobody can tell.
    pub(super) undone: bool,
}

#[derive(Clone)]
pub(super) enum Name {
    File(usize),
    Link(String),
}

#[derive(Default)]
pub(super) struct Model {
    pub(super) names: BTreeMap<String, Name>,
    pub(super) files: Vec<Content>,
    pub(super) read: BTreeMap<u64, usize>,
    /// Lines that may be lost: truncated before they were read, or in a file that went before it was seen.
    pub(super) excused: BTreeSet<u64>,
    /// Of these, those that a truncation took.
    pub(super) truncated: BTreeSet<u64>,
    /// Lines that a truncation took from where they were begun to be read: they are in memory alone, or in a copy.
    pub(super) at_risk: BTreeSet<u64>,
    pub(super) next: u64,
    /// Few files may be open at once: which are, is not known here.
    pub(super) few: bool,
}

impl Model {
    pub(super) fn resolve(&self, name: &str) -> Option<usize> {
        match self.names.get(name)? {
            Name::File(file) => Some(*file),
            Name::Link(target) => self.resolve(target),
        }
    }

    /// The file of this name; it is created where there is none.
    pub(super) fn create(&mut self, name: &str) -> usize {
        if let Some(Name::Link(target)) = self.names.get(name).cloned() {
            return self.create(&target);
        }
        self.resolve(name).unwrap_or_else(|| {
            self.files.push(Content::default());
            self.names.insert(name.to_owned(), Name::File(self.files.len() - 1));
            self.files.len() - 1
        })
    }

    pub(super) fn line(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn is_read(&self, line: u64) -> bool {
        self.read.contains_key(&line)
    }

    /// The files that the glob finds.
    fn listed(&self) -> BTreeSet<usize> {
        self.names.keys().filter(|name| name.starts_with("app")).filter_map(|name| self.resolve(name)).collect()
    }

    fn named(&self) -> BTreeSet<usize> {
        self.names.keys().filter_map(|name| self.resolve(name)).collect()
    }

    fn excuse(&mut self, lines: impl IntoIterator<Item = u64>) {
        let unread: Vec<_> = lines.into_iter().filter(|line| !self.is_read(*line)).collect();
        self.excused.extend(unread);
    }

    /// After everything that happens to files: what is neither found nor held open is out of reach.
    pub(super) fn happened(&mut self) {
        let listed = self.listed();
        let out = |(place, file): &(usize, &Content)| !listed.contains(place) && !file.open;
        let lines: Vec<_> =
            self.files.iter().enumerate().filter(out).flat_map(|(_, file)| file.lines.iter().copied()).collect();
        self.excuse(lines);
    }

    /// A file's content is cut off; `kept`: the name of a copy.
    pub(super) fn truncate(&mut self, file: usize, kept: Option<&str>) {
        let held: BTreeSet<u64> = match kept.filter(|name| name.starts_with("app")) {
            Some(name) => {
                self.resolve(name).map(|copy| self.files[copy].lines.iter().copied().collect()).unwrap_or_default()
            }
            None => BTreeSet::new(),
        };
        let content = &mut self.files[file];
        content.undone |= content.unseen;
        let lines: Vec<u64> = std::mem::take(&mut content.lines).into_iter().chain(content.begun.take()).collect();
        let unread: Vec<u64> = lines.into_iter().filter(|line| !self.is_read(*line)).collect();
        self.at_risk.extend(&unread);
        let lost: Vec<u64> = unread.into_iter().filter(|line| !held.contains(line)).collect();
        self.truncated.extend(&lost);
        self.excused.extend(lost);
    }

    /// Files are read from their end: whether a line that is begun is read depends on when it is ended.
    pub(super) fn begin_at_the_end(&mut self) {
        self.excused.extend(1..=self.next);
        self.truncated.extend(1..=self.next);
        for file in self.listed() {
            self.files[file].unseen = self.files[file].unreadable;
        }
    }

    /// The tailer has looked: it holds open what it found and can read.
    pub(super) fn looked(&mut self) {
        for file in self.listed() {
            let content = &mut self.files[file];
            content.open |= !content.unreadable && !self.few;
            content.unseen &= content.unreadable;
            if content.undone && !content.unseen {
                content.undone = false;
                let lines = content.lines.clone();
                self.truncated.extend(&lines);
                self.excuse(lines);
            }
        }
        self.happened();
    }

    /// The positions of all that is open have been kept.
    pub(super) fn told(&mut self) {
        for file in self.listed() {
            let content = &mut self.files[file];
            content.told |= content.open;
        }
    }

    /// Much time has passed: what the glob does not find may have been closed.
    pub(super) fn rested(&mut self) {
        let listed = self.listed();
        for (place, file) in self.files.iter_mut().enumerate() {
            file.open &= listed.contains(&place);
        }
        self.happened();
    }

    /// Another tailer goes on: what is open is what it finds again.
    pub(super) fn restarted(&mut self) {
        let (listed, named) = (self.listed(), self.named());
        for (place, file) in self.files.iter_mut().enumerate() {
            file.open =
                !listed.contains(&place) && named.contains(&place) && file.told && !file.unreadable && !self.few;
        }
        let at_risk = std::mem::take(&mut self.at_risk);
        self.truncated.extend(at_risk.iter().filter(|line| !self.read.contains_key(line)));
        self.excuse(at_risk);
        self.happened();
    }

    pub(super) fn take(&mut self, line: u64) -> Result<(), String> {
        let times = self.read.entry(line).or_default();
        *times += 1;
        if *times > 1 { Err(format!("line {line} was read twice")) } else { Ok(()) }
    }

    /// At the end everything that can be read has been.
    pub(super) fn check(&self) -> Result<(), String> {
        let here: BTreeSet<u64> = self.listed().into_iter().flat_map(|file| self.files[file].lines.clone()).collect();
        for line in 1..=self.next {
            let may = self.excused.contains(&line) && (!here.contains(&line) || self.truncated.contains(&line));
            let begun = self.files.iter().any(|file| file.begun == Some(line));
            if !self.is_read(line) && !may && !begun {
                return Err(format!("line {line} was lost"));
            }
        }
        Ok(())
    }
}
