//! The engine looks who can testify, whenever that changes.

use super::Engine;
use crate::event::Event;
use crate::graph::{InputId, InputState};

impl Engine {
    /// An input says whether it can testify.
    pub fn set_input(&mut self, input: InputId, state: InputState, now_us: u64) {
        self.advance(now_us);
        self.inputs.set(input, state, self.now_us);
        self.look_at_all_streams();
    }

    /// We did not run, or took no events, from one moment until another: what inputs keep is read then, what others
    /// brought is lost. What lies before the last entry counts as run.
    pub fn gap(&mut self, from_us: u64, until_us: u64) {
        if self.inputs.is_paused() {
            return self.advance(until_us);
        }
        self.pause(from_us);
        self.resume(until_us);
    }

    /// We take no events from now on, but go on judging. With [`Self::resume`] it comes to the same as a gap told in
    /// the end, where nothing but beats lies between.
    pub fn pause(&mut self, now_us: u64) {
        self.advance(now_us);
        self.inputs.pause(self.now_us);
        self.look_at_all_streams();
    }

    /// We take events again.
    pub fn resume(&mut self, now_us: u64) {
        self.advance(now_us);
        self.inputs.resume(self.now_us);
        self.look_at_all_streams();
    }

    /// An event has come: it may tell who brings those of its node.
    #[inline]
    pub(super) fn hear(&mut self, event: &Event) {
        self.inputs.hear(event.input, self.now_us);
        if self.witness.as_mut().is_some_and(|witness| witness.hear(event)) {
            self.advance(self.now_us);
            for at in 0..self.index.places(event.node).len() {
                self.look(self.index.places(event.node)[at].0);
            }
        }
    }

    pub(super) fn look_at_all_streams(&mut self) {
        for stream in 0..self.streams.len() {
            self.look(stream);
        }
    }

    /// Tells a stream what may be said on its edges. All must have been brought up to now.
    fn look(&mut self, stream: usize) {
        let (Some(witness), now_us) = (&self.witness, self.now_us) else { return };
        if witness.set_delays(&mut self.system, stream)
            && let Some(discovered) = &mut self.discovered[stream]
        {
            discovered.set_delays(&self.system.streams[stream]);
        }
        let spec = &self.system.streams[stream];
        let (sights, keep_until_us) = witness.sights(&self.inputs, spec, now_us);
        let (flow, health) = &mut self.streams[stream];
        flow.see(sights, spec.memory_us(), keep_until_us);
        for (place, node) in spec.nodes.iter().enumerate() {
            health.blind_node(place, witness.node_blind_until_us(&self.inputs, node.id), now_us);
        }
        let shown = self.discovered[stream].as_ref().map_or(spec, |discovered| &discovered.shown);
        for (place, edge) in shown.edges.iter().enumerate() {
            health.blind_edge(place, witness.edge_blind_until_us(&self.inputs, spec, edge).0, now_us);
        }
    }
}
