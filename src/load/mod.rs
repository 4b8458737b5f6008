//! Made-up traffic over any manifest's graph, and what must come of it.
//!
//! A [`Plan`] is pure: a system, a seed, a rate and some faults give events in the order of their sending
//! and, when the last is out, the [`Truth`]: every edge's ledger as it must be when all deadlines have passed. The truth
//! follows from what was planned, by a reading of the rules of its own, never by the code that it is there to test.
//! Whoever sends the events tells what went wrong on the way ([`Sent`]), and gets what may be in the ledgers.

mod expected;
mod faults;
mod groups;
mod plan;
mod random;
mod travel;
mod truth;
mod ways;

pub use expected::{Counts, EdgeExpected, FIELDS, Sent, balances, counts};
pub use faults::{Faults, Rate, Rates, Share};
pub use plan::{Options, Plan, Planned, token_text};
pub use truth::Truth;
