//! What all that has happened comes to.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::happening::Happening;
use super::positions::Positions;
use super::senders::Senders;
use super::told::Told;
use crate::board::Board;
use crate::engine::{Engine, Entry};
use crate::graph::System;
use crate::outcome::Transition;

/// The core and what stands beside it. The same happenings in the same order make the same of it, and give the same
/// changes: so a journal that keeps them keeps everything.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// What the manifest says, which the core may have changed for itself.
    pub system: Arc<System>,
    /// Correlates and judges. Whoever changes it in any way but [`Kept::apply`] keeps nothing of that.
    pub engine: Engine,
    /// Who sends that nobody knows.
    pub senders: Senders,
    /// What inputs told.
    pub told: Told,
    /// Where inputs stand.
    pub positions: Positions,
}

/// What changed by one happening.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Before a reload: streams, nodes and edges by their places until then. Nothing where there was no reload.
    pub before: Vec<Transition>,
    /// By the places of now.
    pub now: Vec<Transition>,
}

impl Kept {
    /// To which nothing has happened up to `start_us`. `seed` keys the hash of the tokens, and changes no verdict.
    pub fn live(system: Arc<System>, start_us: u64, seed: (u64, u64)) -> Self {
        Self {
            engine: Engine::live(Arc::clone(&system), start_us, seed),
            system,
            senders: Senders::default(),
            told: Told::default(),
            positions: Positions::default(),
        }
    }

    /// Takes the next happening; its moment is not before that of the last.
    pub fn apply(&mut self, happening: &Happening) -> Changes {
        let Happening { entry, now_us, unknown, positions, news } = happening;
        let before = self.engine.apply(entry, *now_us);
        if let Entry::Reload(system) = entry {
            self.system = Arc::clone(system);
        }
        for name in unknown {
            self.senders.count(name);
        }
        for (input, positions) in positions {
            self.positions.take(input, positions);
        }
        if let Some((name, news)) = news {
            self.told.take(name, news, *now_us);
        }
        Changes { before, now: self.engine.take_transitions() }
    }

    /// Whether it would go on with another system than it has.
    pub fn differs(&self, system: &System) -> bool {
        super::codec::write_system(&self.system) != super::codec::write_system(system)
    }

    /// The picture of the last happening's moment.
    pub fn board(&mut self) -> Board {
        let mut board = self.engine.board();
        board.unknown_senders = self.senders.list();
        self.told.fill(&mut board.inputs);
        board
    }

    /// Goes on with another manifest, whatever the list says: for a replay.
    pub fn turn(&mut self, system: &Arc<System>) -> Changes {
        let now_us = self.engine.now_us();
        self.apply(&Happening::new(Entry::Reload(Arc::clone(system)), now_us))
    }
}
