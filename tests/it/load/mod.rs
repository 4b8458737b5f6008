//! Made-up traffic: its truth is what the core says of it, and what a server's ledgers say.

mod drive;
#[cfg(test)]
mod truth;
