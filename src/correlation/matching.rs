//! The rule by which a match is judged.

use crate::outcome::Outcome;

/// What a match came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) outcome: Outcome,
    pub(super) latency_us: Option<u64>,
    /// Of a `reversed` one: by how much the downstream's stamp lies before the upstream's.
    pub(super) behind_us: u64,
}

/// Judges a match by the senders' clocks. `within_us` is `None` where no check asks.
pub(super) fn judge(upstream_us: u64, downstream_us: u64, within_us: Option<u64>, clock_skew_us: u64) -> Match {
    let latency_us = downstream_us.saturating_sub(upstream_us);
    let behind_us = upstream_us.saturating_sub(downstream_us);
    let reversed = behind_us > clock_skew_us;
    let outcome = match within_us {
        None => Outcome::Pass,
        Some(_) if reversed => Outcome::Reversed,
        Some(within_us) if latency_us <= within_us => Outcome::Pass,
        Some(_) => Outcome::Late,
    };
    if reversed {
        return Match { outcome, latency_us: None, behind_us };
    }
    Match { outcome, latency_us: Some(latency_us), behind_us: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_and_clock_skew_are_judged_inclusively() {
        let cases = [
            (1000, 1500, Outcome::Pass, Some(500)),
            (1000, 1501, Outcome::Late, Some(501)),
            (1000, 1000, Outcome::Pass, Some(0)),
            (1000, 950, Outcome::Pass, Some(0)),
            (1000, 949, Outcome::Reversed, None),
        ];
        for (upstream, downstream, outcome, latency_us) in cases {
            let judged = judge(upstream, downstream, Some(500), 50);
            assert_eq!((judged.outcome, judged.latency_us), (outcome, latency_us));
        }
        assert_eq!(judge(1000, 949, Some(500), 50).behind_us, 51);
    }

    #[test]
    fn without_a_check_every_match_is_a_pass() {
        assert_eq!(judge(0, 9_999_999, None, 50).outcome, Outcome::Pass);
        assert_eq!(judge(1000, 0, None, 50), Match { outcome: Outcome::Pass, latency_us: None, behind_us: 1000 });
    }
}
