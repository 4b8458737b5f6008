//! What may stand in the ledgers, when what went wrong on the way to the server is known.

use super::truth::{EdgeTruth, ORPHANS, Second, Truth};
use crate::clock::SECOND_US;
use crate::graph::{Edge, Stream, System};
use crate::outcome::{Ledger, Outcome};

/// What is compared. `revisions` is not: how often a verdict is corrected depends on how quick everybody is.
pub const FIELDS: [&str; 11] = [
    "upstream",
    "pass",
    "reversed",
    "late",
    "missing",
    "unreported",
    "indeterminate",
    "unmatched",
    "in_flight",
    "orphans",
    "duplicates",
];
const UPSTREAM: usize = 0;
const MISSING: usize = 4;
const INDETERMINATE: usize = 6;
const IN_FLIGHT: usize = 8;
const ORPHANED: usize = 9;
const DUPLICATES: usize = 10;
/// The server may be blind for a while after it takes events again.
const BLIND_AFTER_US: u64 = 2 * SECOND_US;

/// By field: how many, or how many more.
pub type Counts = [i64; FIELDS.len()];

/// A ledger by fields.
pub fn counts(ledger: &Ledger) -> Counts {
    let mut counts = [0; FIELDS.len()];
    counts[UPSTREAM] = ledger.upstream as i64;
    for outcome in Outcome::ALL {
        counts[1 + outcome as usize] = ledger.of(outcome) as i64;
    }
    counts[IN_FLIGHT] = ledger.in_flight as i64;
    counts[ORPHANED] = ledger.orphans as i64;
    counts[DUPLICATES] = ledger.duplicates as i64;
    counts
}

/// What happened on the way to the server.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// When the server took nothing, from and to, in microseconds from the start of the plan.
    pub outages_us: Vec<(u64, u64)>,
    /// By node: reports that were sent again because nobody knows whether they had been taken.
    pub repeated: Vec<u64>,
    /// By how much the sender was behind the plan at worst, in microseconds.
    pub behind_us: u64,
    /// For how long the deadlines were waited for; none where all have passed.
    pub waited_us: Option<u64>,
}

/// What may stand in an edge's ledger.
#[derive(Clone, Debug)]
pub struct EdgeExpected {
    /// What stands there where nothing goes wrong on the way.
    pub truth: Counts,
    /// By field, the least and the most. Beside that the ledger must balance.
    pub least: Counts,
    /// See `least`.
    pub most: Counts,
    /// Why the two differ.
    pub note: Option<&'static str>,
}

impl Truth {
    /// What may stand in the ledger of each edge, by stream and edge.
    pub fn expected(&self, system: &System, sent: &Sent) -> Vec<Vec<EdgeExpected>> {
        let of_stream = |(stream, truths): (&Stream, &Vec<EdgeTruth>)| {
            let edges = stream.edges.iter().zip(truths);
            edges.map(|(edge, truth)| edge_expected(stream, edge, truth, sent)).collect()
        };
        system.streams.iter().zip(&self.edges).map(of_stream).collect()
    }

    /// How many reports there are, those that are sent twice counted once.
    pub fn reports(&self) -> u64 {
        self.reports.iter().sum()
    }
}

impl EdgeExpected {
    /// The fields that are not as they may be.
    pub fn differences(&self, actual: &Counts) -> Vec<usize> {
        let differs = |field: &usize| !(self.least[*field]..=self.most[*field]).contains(&actual[*field]);
        (0..FIELDS.len()).filter(differs).collect()
    }
}

/// Whether every request is accounted for.
pub fn balances(counts: &Counts) -> bool {
    counts[UPSTREAM] == counts[1..=IN_FLIGHT].iter().sum::<i64>()
}

fn edge_expected(stream: &Stream, edge: &Edge, truth: &EdgeTruth, sent: &Sent) -> EdgeExpected {
    let exact = counts(&truth.ledger);
    let mut expected = EdgeExpected { truth: exact, least: exact, most: exact, note: None };
    let repeated = |place: usize| sent.repeated.get(stream.nodes[place].id.0 as usize).map_or(0, |&count| count as i64);
    expected.most[DUPLICATES] += repeated(edge.from) + repeated(edge.to);
    let life_us = edge.patience_us().unwrap_or(0).max(stream.memory_us());
    let longest_us = sent.outages_us.iter().map(|(from_us, to_us)| to_us - from_us).max();
    if truth.groups.is_some() {
        let hurried = sent.behind_us > edge.wait_us() / 2;
        if longest_us.is_some() || hurried {
            expected.loosen_count(if hurried {
                "the sender was behind by more than half of the grace"
            } else {
                "the server took nothing for a while"
            });
        }
    } else if let Some(longest_us) = longest_us {
        let met = met_by(&truth.by_second, &sent.outages_us, life_us);
        expected.loosen(&met, "the server took nothing for a while");
        if longest_us >= stream.memory_us() {
            // What was sent again, or twice, had been forgotten, if it had been taken: it counted anew, as whatever it met.
            let anew = repeated(edge.from) + exact[DUPLICATES];
            expected.most[UPSTREAM..IN_FLIGHT].iter_mut().for_each(|most| *most += anew);
            expected.least[DUPLICATES] = 0;
        }
    }
    if sent.waited_us.is_some_and(|waited_us| waited_us < life_us) {
        expected.leave_open();
    }
    expected
}

impl EdgeExpected {
    /// Nothing is said of the edge, for this reason.
    pub fn ignore(&mut self, note: &'static str) {
        (self.least, self.most, self.note) = ([i64::MIN; FIELDS.len()], [i64::MAX; FIELDS.len()], Some(note));
    }

    /// Requests that an outage has met may be `indeterminate`, and their matches orphans. None may be worse than it is.
    fn loosen(&mut self, met: &Second, note: &'static str) {
        let all: u32 = met[..ORPHANS].iter().sum();
        for outcome in Outcome::ALL {
            self.least[1 + outcome as usize] -= i64::from(met[outcome as usize]);
        }
        self.most[INDETERMINATE] += i64::from(all);
        self.least[ORPHANED] -= i64::from(met[ORPHANS]);
        self.most[ORPHANED] += i64::from(all);
        // What is beyond may not have been known in time, or not have been forgotten.
        self.most[UNREPORTED] += i64::from(met[Outcome::Missing as usize]);
        self.note = Some(note);
    }

    /// Groups are as they are by the order and the moment of arrival: of those only the number is known.
    fn loosen_count(&mut self, note: &'static str) {
        let upstream = self.truth[UPSTREAM];
        for field in [1 + Outcome::Pass as usize, INDETERMINATE] {
            (self.least[field], self.most[field]) = (0, upstream);
        }
        self.least[MISSING] = 0;
        self.most[MISSING] = upstream;
        self.note = Some(note);
    }

    /// Deadlines have not been waited for: what comes only with them may still be in flight.
    fn leave_open(&mut self) {
        for outcome in [Outcome::Missing, Outcome::Unreported, Outcome::Unmatched] {
            let field = 1 + outcome as usize;
            self.most[IN_FLIGHT] += self.most[field];
            self.least[field] = 0;
        }
        self.least[ORPHANED] = 0;
        self.note = Some("its deadlines were not waited for");
    }
}

const UNREPORTED: usize = 1 + Outcome::Unreported as usize;

/// What becomes of requests that were on their way while the server took nothing.
fn met_by(by_second: &std::collections::BTreeMap<u64, Second>, outages_us: &[(u64, u64)], life_us: u64) -> Second {
    let mut met = Second::default();
    let outages = || {
        let second = |us: u64| us / SECOND_US;
        outages_us
            .iter()
            .map(move |&(from_us, to_us)| (second(from_us.saturating_sub(life_us)), second(to_us + BLIND_AFTER_US)))
    };
    for (&second, counts) in by_second {
        if outages().any(|(from, to)| (from..=to).contains(&second)) {
            met.iter_mut().zip(counts).for_each(|(met, count)| *met += count);
        }
    }
    met
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(ledger: Ledger) -> EdgeExpected {
        let truth = counts(&ledger);
        EdgeExpected { truth, least: truth, most: truth, note: None }
    }

    #[test]
    fn an_outage_excuses_only_whom_it_has_met() {
        let truth = Ledger { upstream: 10, pass: 8, missing: 2, ..Ledger::default() };
        let mut after = expected(truth);
        let met = met_by(
            &[(3, [5, 0, 0, 1, 0, 0, 0, 0]), (60, [3, 0, 0, 1, 0, 0, 0, 0])].into(),
            &[(4_000_000, 5_000_000)],
            2_000_000,
        );
        assert_eq!(met, [5, 0, 0, 1, 0, 0, 0, 0]);
        after.loosen(&met, "");
        let blind = Ledger { pass: 4, missing: 1, indeterminate: 5, ..truth };
        assert_eq!(after.differences(&counts(&blind)), [] as [usize; 0]);
        let accused = Ledger { pass: 7, missing: 3, ..truth };
        assert_eq!(after.differences(&counts(&accused)), [MISSING]);
        assert_eq!(expected(truth).differences(&counts(&blind)), [1, MISSING, INDETERMINATE]);
    }

    #[test]
    fn what_is_not_waited_for_may_be_in_flight() {
        let truth = Ledger { upstream: 10, pass: 8, missing: 2, ..Ledger::default() };
        let mut early = expected(truth);
        early.leave_open();
        let now = counts(&Ledger { missing: 1, in_flight: 1, ..truth });
        assert!(early.differences(&now).is_empty() && balances(&now));
        assert!(!balances(&counts(&Ledger { in_flight: 1, ..truth })));
    }
}
