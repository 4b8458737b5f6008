//! A file system in memory: names, symbolic links, numbers that are used again, files held open.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use observatory::input::tail::{Disk, Identity, Listing, Look, Opened};

use super::world::World;

/// What the glob finds.
const PATTERN: &str = "/log/app*";

#[derive(Default)]
struct State {
    names: BTreeMap<PathBuf, Entry>,
    nodes: BTreeMap<u64, Node>,
    /// Every change has a stamp of its own.
    changes: i64,
}

#[derive(Clone)]
enum Entry {
    File(u64),
    Link(PathBuf),
}

#[derive(Default)]
struct Node {
    content: Vec<u8>,
    unreadable: bool,
    changed: i64,
    born: i64,
    links: u64,
    /// Who holds it open.
    holders: usize,
}

impl State {
    fn resolve(&self, path: &Path) -> Option<u64> {
        match self.names.get(path)? {
            Entry::File(number) => Some(*number),
            Entry::Link(target) => match self.names.get(target)? {
                Entry::File(number) => Some(*number),
                Entry::Link(_) => None,
            },
        }
    }

    fn change(&mut self, number: u64, change: impl FnOnce(&mut Vec<u8>)) {
        self.changes += 1;
        let node = self.nodes.get_mut(&number).unwrap();
        change(&mut node.content);
        node.changed = self.changes;
    }

    fn look(&self, number: u64) -> Look {
        let node = &self.nodes[&number];
        let id = Identity { device: 1, inode: number, born: node.born };
        Look { id, size: node.content.len() as u64, changed: [node.changed, node.changed], links: node.links }
    }

    /// The smallest number that is free: so they are used again as soon as can be.
    fn create(&mut self, path: &Path) -> u64 {
        self.nodes.retain(|_, node| node.links > 0 || node.holders > 0);
        let number = (1..=self.nodes.len() as u64 + 1).find(|number| !self.nodes.contains_key(number)).unwrap();
        self.changes += 1;
        self.nodes.insert(number, Node { links: 1, born: self.changes, ..Node::default() });
        self.names.insert(path.to_owned(), Entry::File(number));
        number
    }

    fn open_to_write(&mut self, path: &Path) -> u64 {
        let target = match self.names.get(path) {
            Some(Entry::Link(target)) => target.clone(),
            _ => path.to_owned(),
        };
        self.resolve(&target).unwrap_or_else(|| self.create(&target))
    }

    fn unlink(&mut self, path: &Path) {
        if let Some(Entry::File(number)) = self.names.remove(path) {
            self.nodes.get_mut(&number).unwrap().links -= 1;
        }
    }
}

#[derive(Clone, Default)]
pub(super) struct Memory {
    state: Rc<RefCell<State>>,
}

impl World for Memory {
    type Disk = Self;
    type Writer = Held;

    fn disk(&self) -> Self {
        self.clone()
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new("/log").join(name)
    }

    fn open(&mut self, path: &Path) -> Held {
        let number = self.state.borrow_mut().open_to_write(path);
        Held::new(self, number)
    }

    fn write(&mut self, writer: &mut Held, bytes: &[u8]) {
        self.state.borrow_mut().change(writer.number, |content| content.extend_from_slice(bytes));
    }

    fn truncate(&mut self, path: &Path) {
        let mut state = self.state.borrow_mut();
        let number = state.resolve(path).unwrap();
        state.change(number, Vec::clear);
    }

    fn rename(&mut self, from: &Path, to: &Path) {
        let mut state = self.state.borrow_mut();
        state.unlink(to);
        let entry = state.names.remove(from).unwrap();
        state.names.insert(to.to_owned(), entry);
        if let Some(number) = state.resolve(to) {
            state.changes += 1;
            let changes = state.changes;
            state.nodes.get_mut(&number).unwrap().changed = changes;
        }
    }

    fn remove(&mut self, path: &Path) {
        self.state.borrow_mut().unlink(path);
    }

    fn link(&mut self, target: &Path, path: &Path) {
        let mut state = self.state.borrow_mut();
        state.unlink(path);
        state.names.insert(path.to_owned(), Entry::Link(target.to_owned()));
    }

    fn permit(&mut self, path: &Path, readable: bool) -> bool {
        let mut state = self.state.borrow_mut();
        if let Some(number) = state.resolve(path) {
            state.nodes.get_mut(&number).unwrap().unreadable = !readable;
        }
        true
    }
}

impl Disk for Memory {
    type File = Held;

    fn list(&mut self) -> Listing {
        let state = self.state.borrow();
        let wanted = state.names.keys().filter(|path| self.wants(path));
        let files = wanted.filter_map(|path| Some((path.clone(), state.look(state.resolve(path)?)))).collect();
        Listing { files, problems: Vec::new() }
    }

    fn open(&mut self, path: &Path) -> Result<Held> {
        let number = self.state.borrow().resolve(path).ok_or(Error::from(ErrorKind::NotFound))?;
        if self.state.borrow().nodes[&number].unreadable {
            return Err(ErrorKind::PermissionDenied.into());
        }
        Ok(Held::new(self, number))
    }

    fn beside(&mut self, _path: &Path) -> Vec<(PathBuf, Look)> {
        let state = self.state.borrow();
        state.names.keys().filter_map(|path| Some((path.clone(), state.look(state.resolve(path)?)))).collect()
    }

    fn wants(&self, path: &Path) -> bool {
        glob::Pattern::new(PATTERN).unwrap().matches_path(path)
    }
}

/// A file held open, by a reader or a writer.
pub(super) struct Held {
    state: Rc<RefCell<State>>,
    number: u64,
}

impl Held {
    fn new(memory: &Memory, number: u64) -> Self {
        memory.state.borrow_mut().nodes.get_mut(&number).unwrap().holders += 1;
        Self { state: Rc::clone(&memory.state), number }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.state.borrow_mut().nodes.get_mut(&self.number).unwrap().holders -= 1;
    }
}

impl Opened for Held {
    fn look(&self) -> Result<Look> {
        Ok(self.state.borrow().look(self.number))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        let state = self.state.borrow();
        let rest = state.nodes[&self.number].content.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}
