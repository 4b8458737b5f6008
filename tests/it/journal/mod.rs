//! The journal: what was acknowledged is there after any fault, and gives the same verdicts again.

mod arrival;
mod crashes;
mod damage;
pub(crate) mod faulty;
mod found;
mod killed;
pub(crate) mod node;
mod pipeline;
mod place;
mod restored;
mod served;
mod set_back;
mod telling;
