//! How many a second, over the last minute.

use serde::{Deserialize, Serialize};

use crate::clock::SECOND_US;

const SECONDS: u64 = 60;

/// Counts what happens, second by second.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rate {
    #[serde(with = "counts")]
    counts: [u32; SECONDS as usize],
    /// The second that is being counted, and its place.
    second: u64,
    place: usize,
    /// Where it ends.
    end_us: u64,
    first_us: Option<u64>,
}

/// Long arrays are beyond serde.
mod counts {
    use serde::de::{Error, Unexpected};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer, const N: usize>(counts: &[u32; N], to: S) -> Result<S::Ok, S::Error> {
        counts.as_slice().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[u32; N], D::Error> {
        let wrong = |_| D::Error::invalid_value(Unexpected::Seq, &"as many counts as there are seconds");
        Vec::deserialize(from)?.try_into().map_err(wrong)
    }
}

impl Rate {
    /// Nothing yet.
    #[expect(clippy::new_without_default, reason = "nothing is no default rate")]
    pub fn new() -> Self {
        Self { counts: [0; SECONDS as usize], second: 0, place: 0, end_us: 0, first_us: None }
    }

    /// Counts one.
    #[inline]
    pub fn add(&mut self, at_us: u64) {
        if at_us >= self.end_us {
            self.turn(at_us);
        }
        if let Some(count) = self.counts.get_mut(self.place) {
            *count = count.saturating_add(1);
        }
    }

    /// How many a second in the minute before `now_us`, or since the first where that is shorter.
    pub fn of_last_minute(&self, now_us: u64) -> f64 {
        let Some(first_us) = self.first_us else { return 0.0 };
        let second = now_us / SECOND_US;
        let behind = second.saturating_sub(self.second);
        let count = |back| u64::from(self.counts[((second + SECONDS - back) % SECONDS) as usize]);
        let sum: u64 = (behind..SECONDS).map(count).sum();
        let elapsed_us = now_us.saturating_sub(first_us).clamp(SECOND_US, SECONDS * SECOND_US);
        sum as f64 * SECOND_US as f64 / elapsed_us as f64
    }

    #[cold]
    fn turn(&mut self, at_us: u64) {
        self.first_us.get_or_insert(at_us);
        let second = at_us / SECOND_US;
        let gone = (second - self.second).min(SECONDS);
        for back in 0..gone {
            self.counts[((second - back) % SECONDS) as usize] = 0;
        }
        (self.second, self.end_us) = (second, (second + 1) * SECOND_US);
        self.place = (second % SECONDS) as usize;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_what_it_is_from_the_second_second_on() {
        let mut rate = Rate::new();
        let start_us = 1_700_000_000 * SECOND_US;
        assert!(rate.of_last_minute(start_us) < f64::EPSILON);
        for tenth in 0..2_000 {
            let now_us = start_us + tenth * SECOND_US / 10;
            rate.add(now_us);
            if tenth > 20 {
                assert!((9.0..=11.0).contains(&rate.of_last_minute(now_us)), "{}", rate.of_last_minute(now_us));
            }
        }
        let quiet_us = start_us + 200 * SECOND_US;
        assert!((4.5..5.5).contains(&rate.of_last_minute(quiet_us + 30 * SECOND_US)));
        assert!(rate.of_last_minute(quiet_us + 61 * SECOND_US) < f64::EPSILON);
    }
}
