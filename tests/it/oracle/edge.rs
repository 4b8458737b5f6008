//! One edge: every request (or group) that it ever had, and what came of it.

use observatory::event::Token;
use observatory::graph::Edge;
use observatory::outcome::{Ledger, Outcome, Status};

use super::group::{Group, Waiting};
use super::witness::BlindModel;

/// The most missing tokens that an edge keeps when the stream has forgotten them.
const LOST_MAX: usize = 10_000;
/// The most fails that an edge lists.
const FAILS_MAX: usize = 100;

/// One upstream event, or one group of them.
#[derive(Debug)]
pub(super) struct Record {
    /// Of a time check: the token that the message went by when this was decided.
    pub(super) token: Option<Token>,
    /// When the sender saw it.
    pub(super) stamp_us: u64,
    /// When it arrived; of a group: its first event.
    pub(super) first_arrival_us: u64,
    /// When it arrived; of a group: its last event so far.
    pub(super) arrival_us: u64,
    /// How many upstream events arrived in the stream before it.
    pub(super) number: u64,
    /// When it is judged at the latest.
    pub(super) deadline_us: Option<u64>,
    /// Of a time check: the number of its message, as long as the stream remembers that.
    pub(super) message: Option<u64>,
    /// Of a count check: what it holds.
    pub(super) group: Option<Group>,
    /// The first judgement, and when.
    pub(super) first: Option<(Outcome, u64)>,
    /// What is said of it now.
    pub(super) outcome: Option<Outcome>,
    /// Its latency, where it came and the clocks agree.
    pub(super) latency_us: Option<u64>,
}

/// A missing request whose message is forgotten.
#[derive(Debug)]
struct Lost {
    record: usize,
    names: Vec<Token>,
    until_us: u64,
}

/// What a match comes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match {
    pub(super) outcome: Outcome,
    pub(super) latency_us: Option<u64>,
    /// By how much the downstream's clock was behind.
    behind_us: u64,
}

/// One edge.
#[derive(Debug)]
pub(super) struct EdgeModel {
    pub(super) spec: Edge,
    pub(super) max_tokens: usize,
    /// In the order of arrival.
    pub(super) records: Vec<Record>,
    /// Indices of `records` in the order in which they were first decided.
    pub(super) decided: Vec<usize>,
    /// Indices of `records`, when each became a fail, and what its message went by then; newest last.
    pub(super) fails: Vec<(usize, u64, Option<Token>)>,
    lost: Vec<Lost>,
    /// Of a count check: downstream events that no group has claimed.
    pub(super) waiting: Vec<Waiting>,
    pub(super) orphans: u64,
    pub(super) duplicates: u64,
    pub(super) revisions: u64,
    pub(super) last_pass_us: Option<u64>,
    pub(super) last_fail_us: Option<u64>,
    pub(super) last_outcome_us: Option<u64>,
    pub(super) last_behind_us: Option<u64>,
    /// Arrival of the last new upstream event, or the start.
    pub(super) heard_us: u64,
    /// From when to when it was silent.
    pub(super) silences: Vec<(u64, u64)>,
    pub(super) blind: BlindModel,
    /// Nothing is judged before.
    pub(super) unjudged_until_us: u64,
    /// Every status so far, and from when on; see `health`.
    pub(super) statuses: Vec<(u64, Status)>,
    /// Every held status so far, and from when on.
    pub(super) helds: Vec<(u64, Status)>,
    /// All that decays before this has decayed.
    pub(super) decayed_us: u64,
    pub(super) happened: Vec<&'static str>,
}

impl EdgeModel {
    pub(super) fn new(spec: &Edge, max_tokens: usize, start_us: u64) -> Self {
        Self {
            spec: spec.clone(),
            max_tokens,
            records: Vec::new(),
            decided: Vec::new(),
            fails: Vec::new(),
            lost: Vec::new(),
            waiting: Vec::new(),
            orphans: 0,
            duplicates: 0,
            revisions: 0,
            last_pass_us: None,
            last_fail_us: None,
            last_outcome_us: None,
            last_behind_us: None,
            heard_us: start_us,
            silences: Vec::new(),
            blind: BlindModel::default(),
            unjudged_until_us: 0,
            statuses: vec![(start_us, Status::Unknown)],
            helds: vec![(start_us, Status::Unknown)],
            decayed_us: start_us,
            happened: Vec::new(),
        }
    }

    /// What a match of these two stamps comes to on this edge.
    pub(super) fn judge(&self, upstream_us: u64, downstream_us: u64) -> Match {
        let behind_us = upstream_us.saturating_sub(downstream_us);
        let agrees = behind_us <= self.spec.clock_skew_us;
        let latency_us = downstream_us.saturating_sub(upstream_us);
        let outcome = match &self.spec.check {
            Some(_) if !agrees => Outcome::Reversed,
            Some(check) if latency_us > check.within_us => Outcome::Late,
            _ => Outcome::Pass,
        };
        Match { outcome, latency_us: agrees.then_some(latency_us), behind_us }
    }

    /// The request of a remembered message.
    pub(super) fn request_of(&self, message: u64) -> Option<usize> {
        self.records.iter().position(|record| record.message == Some(message))
    }

    /// The request of a message that goes by `token` has met its downstream event.
    pub(super) fn meet(&mut self, record: usize, token: &Token, downstream_us: u64, now_us: u64) {
        let matched = self.judge(self.records[record].stamp_us, downstream_us);
        match self.records[record].outcome {
            None => self.decide_match(record, matched, now_us),
            Some(_) => self.revise_match(record, token, matched, now_us),
        }
    }

    /// The first judgement of a request.
    pub(super) fn decide(&mut self, record: usize, outcome: Outcome, at_us: u64) {
        self.decay_to(at_us);
        assert!(self.records[record].first.is_none(), "every request is judged once");
        self.records[record].first = Some((outcome, at_us));
        self.records[record].outcome = Some(outcome);
        self.decided.push(record);
        self.last_outcome_us = Some(at_us);
        if outcome.is_fail() {
            self.list_fail(record, self.records[record].token.clone(), at_us);
        }
        self.happened.push(outcome.name());
        self.mark(outcome, at_us);
    }

    /// The first judgement of a request that was matched.
    pub(super) fn decide_match(&mut self, record: usize, matched: Match, at_us: u64) {
        self.records[record].latency_us = matched.latency_us;
        self.decide(record, matched.outcome, at_us);
        self.mark_behind(matched);
    }

    /// A match corrects what was said of a request.
    pub(super) fn revise_match(&mut self, record: usize, token: &Token, matched: Match, at_us: u64) {
        self.records[record].latency_us = matched.latency_us;
        self.revise(record, token, matched.outcome, at_us);
        self.mark_behind(matched);
    }

    /// Corrects what was said of a request, whose message goes by `token` now.
    pub(super) fn revise(&mut self, record: usize, token: &Token, outcome: Outcome, at_us: u64) {
        self.decay_to(at_us);
        let was = self.records[record].outcome.replace(outcome);
        self.revisions += 1;
        if !outcome.is_fail() {
            self.fails.retain(|(fail, ..)| *fail != record);
        } else if !was.is_some_and(Outcome::is_fail) {
            self.list_fail(record, Some(token.clone()), at_us);
        }
        self.happened.push(match (was, outcome) {
            (Some(Outcome::Missing), Outcome::Pass) => "missing -> pass",
            (Some(Outcome::Missing), Outcome::Late) => "missing -> late",
            (Some(Outcome::Missing), Outcome::Reversed) => "missing -> reversed",
            (Some(Outcome::Missing), Outcome::Unreported) => "missing -> unreported",
            (Some(Outcome::Unreported), Outcome::Pass) => "unreported -> pass",
            (Some(Outcome::Unreported), Outcome::Late) => "unreported -> late",
            (Some(Outcome::Unreported), Outcome::Reversed) => "unreported -> reversed",
            (Some(Outcome::Indeterminate), Outcome::Pass) => "indeterminate -> pass",
            (Some(Outcome::Indeterminate), Outcome::Late) => "indeterminate -> late",
            (Some(Outcome::Indeterminate), Outcome::Reversed) => "indeterminate -> reversed",
            _ => panic!("no revision: {was:?} to {outcome:?}"),
        });
        self.mark(outcome, at_us);
    }

    fn list_fail(&mut self, record: usize, token: Option<Token>, at_us: u64) {
        self.fails.push((record, at_us, token));
        if self.fails.len() > FAILS_MAX {
            self.fails.remove(0);
        }
    }

    fn mark(&mut self, outcome: Outcome, at_us: u64) {
        if outcome.is_pass() {
            self.last_pass_us = Some(at_us);
        }
        if outcome.is_fail() {
            self.last_fail_us = Some(at_us);
        }
        self.refresh(at_us);
    }

    fn mark_behind(&mut self, matched: Match) {
        if matched.outcome == Outcome::Reversed {
            self.last_behind_us = Some(matched.behind_us);
        }
    }

    /// A missing request's message is forgotten: keeps it in mind for `remember`, by all its names.
    pub(super) fn lose(&mut self, record: usize, names: &[Token], remember_us: u64) {
        let Some((_, missed_us)) = self.records[record].first else { return };
        self.lost.retain(|lost| !lost.names.iter().any(|name| names.contains(name)));
        self.lost.push(Lost { record, names: names.to_vec(), until_us: missed_us + remember_us });
        if self.lost.len() > LOST_MAX {
            self.lost.remove(0);
        }
    }

    /// Takes what had this name off the list of the lost, where it is still on it.
    pub(super) fn find_lost(&mut self, token: &Token, now_us: u64) -> Option<usize> {
        let found = self.lost.iter().position(|lost| lost.names.contains(token))?;
        if now_us > self.lost[found].until_us {
            self.happened.push("lost too long");
            return None;
        }
        self.happened.push("lost and found");
        Some(self.lost.remove(found).record)
    }

    /// The ledger, counted.
    pub(super) fn ledger(&self) -> Ledger {
        let mut ledger = Ledger {
            upstream: self.records.len() as u64,
            orphans: self.orphans,
            duplicates: self.duplicates,
            revisions: self.revisions,
            ..Ledger::default()
        };
        for record in &self.records {
            match record.outcome {
                Some(outcome) => *ledger.of_mut(outcome) += 1,
                None => ledger.in_flight += 1,
            }
        }
        ledger
    }

    /// First judgements, by outcome.
    pub(super) fn first_judgements(&self) -> [u64; 7] {
        let first =
            |outcome| self.records.iter().filter(move |record| record.first.map(|first| first.0) == Some(outcome));
        Outcome::ALL.map(|outcome| first(outcome).count() as u64)
    }
}
