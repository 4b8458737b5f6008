//! Who reads which stream: channels are made for the first reader, and gone with the last.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use prometheus::{IntCounter, IntGauge};
use tokio::runtime::Handle;

use super::broadcaster;
use super::channel::Channel;
use super::events::greeting;
use super::reader::{Place, Reader};
use crate::board::StreamBoard;
use crate::pipeline::Pipeline;

/// Why there is no live stream for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There are as many readers as there may be.
    Full,
    /// The server is stopping, or has not started.
    Stopped,
}

/// What is counted of a stream's readers.
pub struct Tallies {
    /// How many there are now.
    pub readers: IntGauge,
    /// How often one was given the whole again, because it was too far behind or the graph changed.
    pub restarts: IntCounter,
}

/// All live readers of a server.
pub struct Live {
    pipeline: Pipeline,
    /// Where the broadcasters run.
    runtime: OnceLock<Handle>,
    /// By the stream's name, for streams that have a reader.
    channels: Mutex<HashMap<String, Arc<Channel>>>,
    readers: Arc<AtomicUsize>,
    stopped: AtomicBool,
    random: RandomState,
}

impl Live {
    /// Nobody reads yet.
    pub fn new(pipeline: Pipeline) -> Arc<Self> {
        Arc::new(Self {
            pipeline,
            runtime: OnceLock::new(),
            channels: Mutex::default(),
            readers: Arc::default(),
            stopped: AtomicBool::new(false),
            random: RandomState::new(),
        })
    }

    /// From now on broadcasters run on the runtime that calls this.
    pub fn start(&self) {
        self.runtime.get_or_init(Handle::current);
    }

    /// Ends the streams of all readers; there will be no others.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        for channel in self.lock().values() {
            channel.end();
        }
    }

    /// A new reader of a stream, the `most`th at most.
    pub fn read(self: &Arc<Self>, stream: &StreamBoard, most: usize, tallies: Tallies) -> Result<Reader, Refused> {
        let before = self.readers.fetch_add(1, Ordering::AcqRel);
        tallies.readers.inc();
        let place = Place { taken: Arc::clone(&self.readers), gauge: tallies.readers };
        if before >= most {
            return Err(Refused::Full);
        }
        let mut channels = self.lock();
        // Looked at under the lock: `stop` ends every channel that it finds after it said so.
        let runtime = self.runtime.get().filter(|_| !self.stopped.load(Ordering::Acquire)).ok_or(Refused::Stopped)?;
        let channel = channels.entry(stream.name.clone()).or_insert_with(|| {
            let channel = Arc::new(Channel::new(stream, self.pipeline.now_us()));
            drop(runtime.spawn(broadcaster::run(Arc::clone(&channel), self.pipeline.clone(), Arc::clone(self))));
            channel
        });
        Ok(Reader {
            next: channel.next.subscribe(),
            channel: Arc::clone(channel),
            at: 0,
            rest: greeting(self.random.hash_one(before)),
            restarts: tallies.restarts,
            _place: place,
        })
    }

    /// Forgets a channel that has ended or that nobody reads any more; whether it did.
    pub(super) fn forget(&self, channel: &Arc<Channel>) -> bool {
        let mut channels = self.lock();
        let over = channel.next.receiver_count() == 0 || channel.is_ended();
        if over && channels.get(&channel.name).is_some_and(|known| Arc::ptr_eq(known, channel)) {
            channels.remove(&channel.name);
        }
        over
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Channel>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
