//! What inputs tell of themselves that is not the core's business: how far behind they are, what went wrong.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::happening::News;
use crate::board::{InputBoard, InputError, ms};
use crate::clock::Moment;

/// The last words of each input, by its name. Only inputs of the manifest tell anything, so it stays small.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Told {
    by_name: HashMap<String, (Option<u64>, Option<InputError>)>,
}

impl Told {
    /// An input tells something.
    pub fn take(&mut self, name: &str, news: &News, now_us: u64) {
        let (lag_us, last) = self.by_name.entry(name.to_owned()).or_default();
        *lag_us = news.lag_us;
        if let Some(error) = &news.error {
            *last = Some(InputError { at: Moment(now_us), error: error.clone() });
        }
    }

    /// Adds it to what the board shows.
    pub fn fill(&self, inputs: &mut [InputBoard]) {
        for input in inputs {
            if let Some((lag_us, last)) = self.by_name.get(&input.name) {
                input.lag_ms = lag_us.map(ms);
                input.last_error.clone_from(last);
            }
        }
    }
}
