//! Where the inputs stand in what they read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where an input stands in one thing that it reads, such as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// What it reads: unique within the input.
    pub key: String,
    /// Where it stands; `None` where it is done with that.
    pub value: Option<String>,
}

/// The latest positions of all inputs. How many there are is for the inputs to bound: each keeps what it reads now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Positions {
    /// By the input's name, then by the key.
    by_input: BTreeMap<String, BTreeMap<String, String>>,
}

impl Positions {
    /// An input stands there now.
    pub fn take(&mut self, input: &str, positions: &[Position]) {
        if positions.is_empty() {
            return;
        }
        let by_key = self.by_input.entry(input.to_owned()).or_default();
        for Position { key, value } in positions {
            match value {
                Some(value) => by_key.insert(key.clone(), value.clone()),
                None => by_key.remove(key),
            };
        }
        if by_key.is_empty() {
            self.by_input.remove(input);
        }
    }

    /// Where an input stands, in the order of the keys.
    pub fn of(&self, input: &str) -> Vec<Position> {
        let by_key = self.by_input.get(input).into_iter().flatten();
        by_key.map(|(key, value)| Position { key: key.clone(), value: Some(value.clone()) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_value_wins_and_none_removes() {
        let at = |key: &str, value: Option<&str>| Position { key: key.to_owned(), value: value.map(str::to_owned) };
        let mut positions = Positions::default();
        positions.take("log", &[at("b", Some("1")), at("a", Some("2"))]);
        positions.take("log", &[at("b", Some("3"))]);
        positions.take("mq", &[at("a", Some("9"))]);
        assert_eq!(positions.of("log"), [at("a", Some("2")), at("b", Some("3"))]);
        positions.take("log", &[at("b", None), at("c", None)]);
        assert_eq!(positions.of("log"), [at("a", Some("2"))]);
        positions.take("log", &[at("a", None)]);
        assert_eq!((positions.of("log"), positions.of("mq").len()), (vec![], 1));
    }
}
