//! The rules by which a window becomes a status. Their proof is the table below.

use crate::graph::{Threshold, Thresholds};
use crate::outcome::Status;

/// The status of a window with so many passes and fails.
pub fn status(passes: u64, fails: u64, thresholds: &Thresholds) -> Status {
    if passes + fails == 0 {
        return Status::Unknown;
    }
    if is_reached(thresholds.fail, passes, fails, thresholds) {
        Status::Nok
    } else if is_reached(thresholds.warn, passes, fails, thresholds) {
        Status::Warn
    } else if passes >= u64::from(thresholds.ok) {
        Status::Ok
    } else {
        Status::Unknown
    }
}

/// Whether the fails reach a threshold. 0 means no tolerance, so one fail reaches it. Where a threshold is
/// a share, nothing worse than OK is said before there are `ok` outcomes.
fn is_reached(threshold: Threshold, passes: u64, fails: u64, thresholds: &Thresholds) -> bool {
    let shares = [thresholds.warn, thresholds.fail].iter().any(|threshold| matches!(threshold, Threshold::Percent(_)));
    if shares && passes + fails < u64::from(thresholds.ok) {
        return false;
    }
    match threshold {
        Threshold::Count(count) => fails >= u64::from(count.max(1)),
        Threshold::Percent(parts) => fails > 0 && fails * 1_000_000 >= u64::from(parts) * (passes + fails),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(ok: u32, warn: u32, fail: u32) -> Thresholds {
        Thresholds { ok, warn: Threshold::Count(warn), fail: Threshold::Count(fail), window: None }
    }

    fn shares(ok: u32, warn: u32, fail: u32) -> Thresholds {
        Thresholds { ok, warn: Threshold::Percent(warn), fail: Threshold::Percent(fail), window: None }
    }

    #[test]
    fn every_rule_has_its_line() {
        let table = [
            // The known picture.
            (counts(3, 0, 0), 3, 0, Status::Ok),
            (counts(3, 1, 2), 4, 1, Status::Warn),
            (counts(3, 1, 0), 1, 3, Status::Nok),
            (counts(3, 0, 0), 2, 0, Status::Unknown),
            (Thresholds::UNCHECKED, 1, 0, Status::Ok),
            // Nothing is known of nothing.
            (counts(1, 0, 0), 0, 0, Status::Unknown),
            // 0 is no tolerance, and NOK trumps WARN.
            (counts(3, 0, 0), 9, 1, Status::Nok),
            (counts(3, 1, 0), 9, 1, Status::Nok),
            (counts(3, 1, 2), 0, 2, Status::Nok),
            (counts(3, 2, 3), 5, 1, Status::Ok),
            (counts(3, 2, 3), 2, 1, Status::Unknown),
            (counts(3, 0, 3), 5, 1, Status::Warn),
            // Shares: 1 % and 5 %, judged from 100 outcomes on.
            (shares(100, 10_000, 50_000), 98, 1, Status::Unknown),
            (shares(100, 10_000, 50_000), 99, 1, Status::Warn),
            (shares(100, 10_000, 50_000), 100, 1, Status::Ok),
            (shares(100, 10_000, 50_000), 95, 5, Status::Nok),
            (shares(1, 10_000, 50_000), 1, 0, Status::Ok),
        ];
        for (thresholds, passes, fails, expected) in table {
            assert_eq!(status(passes, fails, &thresholds), expected, "{passes} passes, {fails} fails, {thresholds:?}");
        }
    }
}
