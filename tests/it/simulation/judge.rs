//! What must stand in the ledgers at the end, by what is true in the world and what the law lets a server not know.

use observatory::board::EdgeDetail;
use observatory::graph::Edge;
use observatory::outcome::Outcome;

use super::plan::{Feed, MS, Plan, S};
use super::world::{Fate, World};

/// What takes us longer than this to notice and to read is a fault that is noticed.
const SLACK_US: u64 = S;

/// What may stand in the ledger for one request, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct May(u8);

impl May {
    fn only(outcome: Outcome) -> Self {
        Self(1 << outcome as u8)
    }

    fn and(self, other: Outcome) -> Self {
        Self(self.0 | Self::only(other).0)
    }

    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn be(self, outcome: Outcome) -> bool {
        self.0 & Self::only(outcome).0 != 0
    }

    pub(super) fn names(self) -> Vec<&'static str> {
        Outcome::ALL.into_iter().filter(|&outcome| self.be(outcome)).map(Outcome::name).collect()
    }
}

/// One request on one edge.
pub(super) struct Request<'a> {
    pub(super) token: &'a str,
    /// Whether it must stand there, or only may.
    pub(super) known: bool,
    pub(super) may: May,
    /// Whether it may have been missed at first.
    pub(super) may_be_missed: bool,
    /// Whether its downstream event arrived after the deadline.
    pub(super) came_late: bool,
    /// Whether it may have been indeterminate at first.
    pub(super) may_be_open: bool,
}

/// When a report arrived, at the earliest and at the latest, where it was taken or may have been.
fn arrived_us(fate: &Fate) -> Option<(u64, u64)> {
    match (fate.taken_us, fate.maybe_us) {
        (Some(taken), Some(maybe)) => Some((taken.0.min(maybe.0), taken.1)),
        (taken, maybe) => taken.or(maybe),
    }
}

/// Whether the later came while the earlier was remembered.
fn together(one: (u64, u64), other: (u64, u64), memory_us: u64) -> bool {
    one.1 <= other.0 + memory_us && other.1 <= one.0 + memory_us
}

/// What is true of every request on an edge.
pub(super) fn requests<'a>(
    world: &'a World<'_>,
    (stream, edge, from, to): (usize, usize, usize, usize),
) -> Vec<Request<'a>> {
    let spec = &world.plan.systems[0].streams[stream];
    let mut requests = Vec::new();
    for (message, fates) in world.plan.messages.iter().zip(&world.fates) {
        let at = |node: usize| message.seen.iter().position(|seen| seen.node == node);
        let Some(up) = at(from) else { continue };
        let Some(arrived) = arrived_us(&fates[up]) else { continue };
        let edge = Case { world, edge: &spec.edges[edge], memory_us: spec.memory_us(), to };
        let stamp_us = message.seen[up].stamp_us;
        let down =
            at(to).map(|place| (&fates[place], message.seen[place].stamp_us.cast_signed() - stamp_us.cast_signed()));
        let beyond = at(to).and_then(|place| fates.get(place + 1));
        let (mut may, mut may_be_missed) = edge.judge(arrived, stamp_us, down, beyond);
        // Where the server's clock is behind those of its senders, what comes late seems to be of now: as if it had
        // happened after the time in which nobody could testify.
        if fates[up].behind {
            may_be_missed = true;
            if may.be(Outcome::Indeterminate) {
                may = may.and(Outcome::Missing);
            }
        }
        requests.push(Request {
            token: &message.token,
            known: fates[up].taken_us.is_some(),
            may,
            may_be_missed,
            came_late: down
                .and_then(|(fate, _)| arrived_us(fate))
                .is_some_and(|down| down.1 > edge.deadline_us(arrived.0)),
            may_be_open: edge.is_blind(arrived, stamp_us),
        });
    }
    requests
}

struct Case<'a> {
    world: &'a World<'a>,
    edge: &'a Edge,
    memory_us: u64,
    to: usize,
}

impl Case<'_> {
    /// `down`: what became of the downstream event, with the latency by the stamps; `beyond`: of the one after it.
    fn judge(
        &self,
        arrived: (u64, u64),
        stamp_us: u64,
        down: Option<(&Fate, i64)>,
        beyond: Option<&Fate>,
    ) -> (May, bool) {
        let deadline_us = self.deadline_us(arrived.0);
        let blind = self.is_blind(arrived, stamp_us);
        let missed =
            if blind { May::only(Outcome::Missing).and(Outcome::Indeterminate) } else { May::only(Outcome::Missing) };
        let Some((fate, latency_us)) = down.filter(|(fate, _)| fate.first_us.is_some()) else {
            return (self.seen_beyond(missed, arrived, beyond), true);
        };
        let came = May::only(self.outcome(latency_us));
        // In time, had nothing been wrong with us.
        let late = fate.first_us.is_some_and(|first_us| first_us + SLACK_US > deadline_us);
        // Nor where it happened after the deadline: a clock that was set back while the server was down tells no arrival.
        let late = late || latency_us > (self.within_us() + self.edge.wait_us()).cast_signed();
        // The law looks no further back than a stream remembers.
        let late = late || arrived.1 > stamp_us + self.memory_us;
        let unseen = if late { missed } else { May::only(Outcome::Indeterminate) };
        let forgotten = |down: (u64, u64)| !together(arrived, down, self.memory_us);
        let may = match (fate.taken_us, arrived_us(fate)) {
            (Some(_), Some(down)) if !forgotten(down) => came,
            // The upstream's report came so late that the downstream's was forgotten.
            (Some(_), Some(down)) if arrived.1 > down.0 => {
                came.or(self.seen_beyond(missed.and(Outcome::Indeterminate), arrived, beyond))
            }
            (Some(_), _) => came.or(self.seen_beyond(unseen, arrived, beyond)),
            (None, Some(_)) => self.seen_beyond(unseen, arrived, beyond).or(came),
            (None, None) => self.seen_beyond(unseen, arrived, beyond),
        };
        let came_before = arrived_us(fate).is_some_and(|down| forgotten(down) && arrived.1 > down.0);
        (may, late || came_before)
    }

    fn deadline_us(&self, arrived_us: u64) -> u64 {
        arrived_us + self.within_us() + self.edge.wait_us()
    }

    fn within_us(&self) -> u64 {
        self.edge.check.as_ref().map_or(0, |check| check.within_us)
    }

    fn outcome(&self, latency_us: i64) -> Outcome {
        match latency_us {
            latency_us if latency_us > self.within_us().cast_signed() => Outcome::Late,
            latency_us if latency_us < -self.edge.clock_skew_us.cast_signed() => Outcome::Reversed,
            _ => Outcome::Pass,
        }
    }

    /// A message that was seen beyond is not missing.
    fn seen_beyond(&self, unseen: May, arrived: (u64, u64), beyond: Option<&Fate>) -> May {
        match beyond {
            Some(fate) if fate.taken_us.is_some_and(|taken| together(arrived, taken, self.memory_us)) => {
                let in_time = fate.taken_us.is_some_and(|taken| taken.1 <= self.deadline_us(arrived.0));
                // What was open stays so.
                let open = !in_time && unseen.be(Outcome::Indeterminate);
                let unreported = May::only(Outcome::Unreported);
                if open { unreported.and(Outcome::Indeterminate) } else { unreported }
            }
            Some(fate) if arrived_us(fate).is_some() => unseen.and(Outcome::Unreported),
            _ => unseen,
        }
    }

    /// Whether nobody may be able to say that nothing came, from the earlier of arrival and stamp to the deadline.
    fn is_blind(&self, arrived: (u64, u64), stamp_us: u64) -> bool {
        let plan = self.world.plan;
        let named = plan.systems[0].inputs.iter().any(|input| !input.nodes.is_empty());
        if plan.feeds[self.to] == Feed::File && named {
            return false;
        }
        let from_us = arrived.0.min(stamp_us).max(arrived.0 - self.memory_us);
        let until_us = self.deadline_us(arrived.1);
        self.world.troubles_us.iter().any(|&(begin_us, end_us)| begin_us <= until_us && from_us <= end_us + MS)
    }
}

/// Holds an edge to the truth; `Err` says what is wrong.
pub(super) fn hold(world: &World<'_>, place: (usize, usize, usize, usize), detail: &EdgeDetail) -> Result<(), String> {
    let mut requests = requests(world, place);
    let flooded = world.flood > 0 && place.0 == 1;
    let ledger = detail.edge.ledger;
    if !ledger.balances() || ledger.in_flight > 0 {
        return Err(format!("it does not balance, or something hangs: {ledger:?}"));
    }
    let missed = detail.edge.counters.outcomes[Outcome::Missing as usize];
    let may_be_missed = requests.iter().filter(|request| request.may_be_missed).count() as u64;
    let late: Vec<_> = requests.iter().filter(|request| request.came_late).map(|request| request.token).collect();
    let late = late.join(" , ");
    if flooded {
        // Whoever floods costs itself verdicts: what came first may have been forgotten for want of memory.
        for request in &mut requests {
            request.may = request.may.and(Outcome::Indeterminate).and(Outcome::Missing);
        }
    }
    // What was open once has no place in the window, whatever was learned of it later.
    let mut left = ledger;
    for entry in &detail.window {
        let Some(token) = entry.token.as_ref().map(ToString::to_string) else { continue };
        *left.of_mut(entry.outcome) -= 1;
        match requests.iter().position(|request| request.token == token) {
            Some(at) => {
                let may = requests.swap_remove(at).may;
                if !may.be(entry.outcome) {
                    return Err(format!("{token} is {}, but may only be {:?}", entry.outcome.name(), may.names()));
                }
            }
            None if flooded => {}
            None => return Err(format!("{token} was counted twice, or nobody sent it")),
        }
    }
    if flooded {
        return Ok(());
    }
    if missed > may_be_missed {
        return Err(format!(
            "{missed} were missed at first, but only {may_be_missed} may be, perhaps of {late} : {ledger:?}"
        ));
    }
    if let Some(Request { token, may, .. }) = requests.iter().find(|request| request.known && !request.may_be_open) {
        return Err(format!("{token} has no place in the window, but may only be {:?}", may.names()));
    }
    let open: Vec<Outcome> =
        Outcome::ALL.into_iter().flat_map(|outcome| std::iter::repeat_n(outcome, left.of(outcome) as usize)).collect();
    let known = requests.iter().filter(|request| request.known).map(|request| request.may).collect::<Vec<_>>();
    let all = requests.iter().map(|request| request.may).collect::<Vec<_>>();
    let fits = matches(&known, May::be, &open) && matches(&open, |outcome, may| may.be(outcome), &all);
    if fits {
        Ok(())
    } else {
        Err(format!("of {:?} something else has come: {left:?}", all.iter().map(|may| may.names()).collect::<Vec<_>>()))
    }
}

/// Whether each of some can have one of others for itself.
fn matches<A: Copy, B: Copy>(some: &[A], fit: impl Fn(A, B) -> bool + Copy, others: &[B]) -> bool {
    fn find(one: usize, fits: &dyn Fn(usize, usize) -> bool, taken: &mut [Option<usize>], seen: &mut [bool]) -> bool {
        for other in 0..taken.len() {
            if fits(one, other) && !std::mem::replace(&mut seen[other], true) {
                let free = match taken[other] {
                    None => true,
                    Some(holder) => find(holder, fits, taken, seen),
                };
                if free {
                    taken[other] = Some(one);
                    return true;
                }
            }
        }
        false
    }
    let mut taken = vec![None; others.len()];
    let fits = |one: usize, other: usize| fit(some[one], others[other]);
    (0..some.len()).all(|one| find(one, &fits, &mut taken, &mut vec![false; others.len()]))
}

/// The truth for people.
pub(super) fn tell(plan: &Plan, world: &World<'_>, why: &str) -> String {
    let mut text = format!("troubles {:?}\n", world.troubles_us);
    for (message, fates) in plan.messages.iter().zip(&world.fates) {
        if why.starts_with("edge") && !why.split(' ').any(|word| word == message.token) {
            continue;
        }
        for (seen, fate) in message.seen.iter().zip(fates) {
            text += &format!("{} at node {}: stamped {}, {fate:?}\n", message.token, seen.node, seen.stamp_us);
        }
    }
    text
}
