//! Every rule of the law as named cases, each told to the core and to the oracle.

mod alias;
mod correlation;
mod count;
mod held;
mod law;
mod limits;
mod memory;
mod revision;
mod silence;
mod status;
mod window;
mod witness;
mod world;

pub(crate) use law::{system, us};
pub(crate) use world::{both, core};
