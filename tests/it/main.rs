//! Behaviour of the whole, one file a behaviour.

mod manifest;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod schedules;
