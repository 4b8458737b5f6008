//! The thread that writes the journal: one write and one sync at a time, while the owner correlates what is written. A
//! pipeline that is stepped has none: whoever steps it writes.

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
    hand: Option<Hand>,
}

/// Who writes.
enum Hand {
    Thread(JoinHandle<()>),
    /// Whoever takes the steps.
    Stepped(Writer),
}

impl Committer {
    pub(super) fn start(shared: &Arc<Shared>, log: Log) -> io::Result<Self> {
        let (jobs, work) = sync_channel(1);
        let ended = Arc::default();
        let mut writer = Writer { shared: Arc::clone(shared), log, work, ended: Arc::clone(&ended) };
        let hand = if shared.stepped {
            Hand::Stepped(writer)
        } else {
            let thread = std::thread::Builder::new().name("journal".to_owned());
            Hand::Thread(thread.spawn(move || {
                while let Ok(job) = writer.work.recv() {
                    writer.write(job);
                }
            })?)
        };
        Ok(Self { jobs: Some(jobs), ended, hand: Some(hand) })
    }

    /// Writes what waits to be written, where no thread does.
    pub(super) fn step(&mut self) {
        if let Some(Hand::Stepped(writer)) = &mut self.hand
            && let Ok(job) = writer.work.try_recv()
        {
            writer.write(job);
        }
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
        matches!(&self.hand, Some(Hand::Thread(thread)) if thread.is_finished())
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
        if let Some(Hand::Thread(thread)) = self.hand.take() {
            drop(thread.join());
        }
    }
}

/// The end of it that writes.
struct Writer {
    shared: Arc<Shared>,
    log: Log,
    work: Receiver<Job>,
    ended: Arc<Mutex<Option<Ended>>>,
}

impl Writer {
    fn write(&mut self, Job { first, mut records, preface }: Job) {
        // What failed is not trusted again: it is written anew, to another segment. Where that fails, too, it is no accident.
        let result = self.log.append(first, &records).or_else(|_| self.log.append(first, &records));
        if let Some(preface) = preface.filter(|_| result.is_ok()) {
            self.log.set_preface(preface);
        }
        records.clear();
        if let Some(journal) = &self.shared.journal {
            self.shared.figures.journal.look(&*journal.disk, self.shared.clock.now_us());
        }
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some((result, records));
        self.shared.mailbox.nudge();
    }
}
