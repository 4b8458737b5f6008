//! The tests that see the whole: one file a behaviour.

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod schedules;
