//! What goes wrong on purpose, and how often.

use crate::graph::nearest;

/// A share of all cases, in parts of a million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share(pub u32);

impl Share {
    /// Every case.
    pub const ALL: Self = Self(1_000_000);

    /// Reads `1%` or `0.05%`. The error says what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("write a share like 1% or 0.05%, at most 100%, not {text:?}");
        let percent: f64 = text.strip_suffix('%').and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
        if (0.0..=100.0).contains(&percent) { Ok(Self((percent * 10_000.0).round() as u32)) } else { Err(wrong()) }
    }
}

/// A share of all cases, or of those at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// An edge as `FROM/TO`, or a node; everywhere where there is none.
    pub at: Option<String>,
    /// How often.
    pub share: Share,
}

impl Rate {
    /// Reads `1%` or `PLACE=1%`. The error says what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (at, share) = text.rsplit_once('=').map_or((None, text), |(at, share)| (Some(at.to_owned()), share));
        Ok(Self { at, share: Share::parse(share)? })
    }
}

/// How often one fault happens, by place; the last word on a place counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates(pub Vec<Rate>);

impl Rates {
    /// The share at a place.
    pub(super) fn of(&self, place: &str) -> Share {
        let here = self.0.iter().rev().find(|rate| rate.at.as_deref() == Some(place));
        let anywhere = || self.0.iter().rev().find(|rate| rate.at.is_none());
        here.or_else(anywhere).map_or(Share::default(), |rate| rate.share)
    }

    /// Whether the fault never happens.
    pub(super) fn is_never(&self) -> bool {
        self.0.iter().all(|rate| rate.share == Share::default())
    }

    /// Whether all places are among these; the error names one that is not.
    pub(super) fn check<'a>(
        &self,
        flag: &str,
        what: &str,
        places: &(impl Iterator<Item = &'a str> + Clone),
    ) -> Result<(), String> {
        for at in self.0.iter().filter_map(|rate| rate.at.as_deref()) {
            if !places.clone().any(|place| place == at) {
                let meant = nearest(at, places.clone());
                let meant = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
                return Err(format!("{flag} {at}: the manifest has no such {what}{meant}"));
            }
        }
        Ok(())
    }
}

/// All that goes wrong on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Messages that an edge loses; they go no further on this way. By edge.
    pub loss: Rates,
    /// Messages that come later than their check allows. By edge; nothing comes late on an edge without a deadline.
    pub late: Rates,
    /// Messages that a node passes on and does not report. By node.
    pub unreported: Rates,
    /// Reports that are sent twice. By node.
    pub duplicate: Rates,
    /// Messages that take an optional edge.
    pub optional: Share,
    /// Reports are held back by up to this long, so that they come in another order.
    pub disorder_us: u64,
    /// The nodes' clocks are wrong by up to this much, either way.
    pub skew_us: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            loss: Rates::default(),
            late: Rates::default(),
            unreported: Rates::default(),
            duplicate: Rates::default(),
            optional: Share(Share::ALL.0 / 2),
            disorder_us: 0,
            skew_us: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percentages() {
        assert_eq!(Share::parse("1%"), Ok(Share(10_000)));
        assert_eq!(Share::parse("0.05%"), Ok(Share(500)));
        assert_eq!(Share::parse("100%"), Ok(Share::ALL));
        for wrong in ["", "1", "%", "101%", "-1%", "NaN%", "one%"] {
            assert!(Share::parse(wrong).is_err_and(|error| error.contains("like 1%")), "{wrong}");
        }
    }

    #[test]
    fn the_last_word_on_a_place_counts() {
        let rates = ["1%", "a/b=5%", "2%", "x=y/z=7%"].map(|text| Rate::parse(text).unwrap());
        let rates = Rates(rates.to_vec());
        assert_eq!(
            [rates.of("a/b"), rates.of("b/c"), rates.of("x=y/z")],
            [Share(50_000), Share(20_000), Share(70_000)]
        );
        let error = rates.check("--loss", "edge", &["a/b", "x=y/zz"].into_iter()).unwrap_err();
        assert_eq!(error, "--loss x=y/z: the manifest has no such edge; did you mean x=y/zz?");
    }
}
