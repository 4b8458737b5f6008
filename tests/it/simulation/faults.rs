//! What goes wrong in the simulated world, and how that is over.

use std::sync::atomic::Ordering;
use std::task::{Context, Waker};

use observatory::pipeline::{Load, WAITING_EVENTS_MAX};

use super::plan::{Fault, MS};
use super::world::{Act, World};
use crate::journal::faulty::Faults;
use crate::journal::node::seen;

/// To stand still for less than this is not noticed, and nobody's fault: for a second less the time since the last look.
const NOTICED_US: u64 = 450 * MS;

/// Somebody looked around last so long before it stood still, at most.
const LOOKED_US: u64 = 550 * MS;

impl World<'_> {
    pub(super) fn begin(&mut self, index: usize) {
        let fault = self.plan.faults[index].1;
        self.tell(|| format!("{fault:?}"));
        if let Fault::Step { by_us } = fault {
            self.host.ahead_us += by_us;
        }
        let over = |world: &mut Self, for_us: u64| world.at(world.now_us + for_us, Act::Over(index));
        match fault {
            Fault::Full { for_us } | Fault::Slow { for_us, .. } | Fault::Unreadable { for_us } => over(self, for_us),
            _ if self.host.life.is_none() => return,
            Fault::Freeze { for_us } | Fault::Crowd { for_us } => over(self, for_us),
            _ => {}
        }
        match fault {
            Fault::Kill { down_us } => self.end(down_us, "it is killed"),
            Fault::Power { after, down_us } => {
                self.dark_us = down_us;
                self.break_disk(|faults| faults.power_fails_after = Some(after));
            }
            Fault::Stop { down_us } => {
                self.stopping = Some(down_us);
                let now_us = self.server_us();
                self.stopped_us.get_or_insert(now_us);
                if let Some(life) = &self.host.life {
                    life.stepped.stop();
                }
                self.nudge();
            }
            Fault::Freeze { .. } => {
                let now_us = self.server_us();
                self.frozen_us.get_or_insert(now_us);
            }
            Fault::Full { .. } => self.break_disk(|faults| faults.full = true),
            Fault::SyncFails { after } => self.break_disk(|faults| faults.sync_fails_after = Some(after)),
            Fault::Slow { write_us, .. } => self.write_us = Some(write_us),
            Fault::Crowd { .. } => {
                let load = Load { events: WAITING_EVENTS_MAX, bytes: 0 };
                self.crowd = self.host.pipeline().and_then(|pipeline| pipeline.reserve(load).ok());
            }
            Fault::Flood { messages } => self.at(self.now_us, Act::Flood(messages)),
            Fault::Step { .. } => {}
            Fault::Unreadable { .. } => self.read(true),
            Fault::Reload => self.reload(),
        }
    }

    pub(super) fn over(&mut self, fault: Fault) {
        self.tell(|| format!("over: {fault:?}"));
        match fault {
            Fault::Freeze { .. } => self.thaw(),
            Fault::Full { .. } => self.break_disk(|faults| faults.full = false),
            Fault::Slow { .. } => self.write_us = None,
            Fault::Crowd { .. } => self.crowd = None,
            Fault::Unreadable { .. } => self.read(false),
            _ => {}
        }
    }

    /// A process that stood still goes on: with what came meanwhile, in any order.
    fn thaw(&mut self) {
        let Some(since_us) = self.frozen_us.take() else { return };
        let now_us = self.server_us();
        if now_us - since_us >= NOTICED_US {
            self.trouble(since_us.saturating_sub(LOOKED_US), now_us);
        }
        for act in std::mem::take(&mut self.backlog) {
            let soon_us = self.now_us + self.rng.below(2 * MS);
            self.at(soon_us, act);
        }
    }

    fn break_disk(&mut self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.faults);
        self.host.disk.set(self.faults);
    }

    fn read(&mut self, unreadable: bool) {
        self.unreadable = unreadable;
        if let Some(reader) = &mut self.reader {
            reader.unreadable = unreadable;
        }
    }

    /// The other manifest is in force, or will be at the next start.
    fn reload(&mut self) {
        self.system = 1 - self.system;
        let system = std::sync::Arc::clone(&self.plan.systems[self.system]);
        let Some(pipeline) = self.host.pipeline().cloned() else { return };
        let mut reload = Box::pin(async move { pipeline.reload(system).await });
        // It is asked for; nobody waits for it. A server that stops does not take it.
        let _asked = reload.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.nudge();
    }

    /// All is well from now on.
    pub(super) fn calm(&mut self) {
        self.faults = Faults::default();
        self.host.disk.set(self.faults);
        (self.write_us, self.crowd) = (None, None);
        self.read(false);
        self.thaw();
        self.start();
    }

    /// Stops the server in order, and answers what it showed last.
    pub(super) fn stop(&mut self) -> String {
        let life = self.host.life.as_mut().unwrap();
        life.stepped.stop();
        while !life.stepped.round() {
            life.stepped.write();
            self.host.world_us.fetch_add(MS, Ordering::Relaxed);
        }
        let shown = seen(&life.stepped.pipeline.board());
        self.host.end();
        shown
    }
}
