//! The thread that writes the journal: one write and one sync at a time, while the owner correlates what is written.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::handle::Shared;
use crate::store::Log;

/// What is written together.
struct Job {
    /// The sequence of the first record.
    first: u64,
    records: Vec<u8>,
    /// What later segments begin with, once this is written.
    preface: Option<Vec<u8>>,
}

/// How a job ended, with its memory.
type Ended = (io::Result<()>, Vec<u8>);

/// The owner's end of it.
pub(super) struct Committer {
    jobs: Option<SyncSender<Job>>,
    ended: Arc<Mutex<Option<Ended>>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(super) fn start(shared: &Arc<Shared>, log: Log) -> io::Result<Self> {
        let (jobs, work) = sync_channel(1);
        let ended = Arc::default();
        let (shared, slot) = (Arc::clone(shared), Arc::clone(&ended));
        let thread = std::thread::Builder::new().name("journal".to_owned());
        let thread = thread.spawn(move || write(&shared, log, &work, &slot))?;
        Ok(Self { jobs: Some(jobs), ended, thread: Some(thread) })
    }

    /// Has records written, where none are being written. Whoever asks [`Self::ended`] learns how that ends.
    pub(super) fn write(&self, first: u64, records: Vec<u8>, preface: Option<Vec<u8>>) {
        if let Some(jobs) = &self.jobs {
            // Where nobody takes it, the thread is gone, and that is asked for.
            jobs.try_send(Job { first, records, preface }).unwrap_or_default();
        }
    }

    /// Whether its thread is gone: it panicked.
    pub(super) fn is_gone(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// How the last write ended, once.
    pub(super) fn ended(&self) -> Option<Ended> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        // It ends when there is nothing to write any more; nobody else may write before.
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn write(shared: &Shared, mut log: Log, work: &Receiver<Job>, ended: &Mutex<Option<Ended>>) {
    while let Ok(Job { first, mut records, preface }) = work.recv() {
        // What failed is not trusted again: it is written anew, to another segment. Where that fails, too, it is no accident.
        let result = log.append(first, &records).or_else(|_| log.append(first, &records));
        if let Some(preface) = preface.filter(|_| result.is_ok()) {
            log.set_preface(preface);
        }
        records.clear();
        if let Some(journal) = &shared.journal {
            shared.figures.journal.look(&*journal.disk, shared.clock.now_us());
        }
        *ended.lock().unwrap_or_else(PoisonError::into_inner) = Some((result, records));
        shared.mailbox.nudge();
    }
}
