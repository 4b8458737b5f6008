//! Plays a schedule on the core and on the oracle, and shrinks those on which they differ.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use observatory::outcome::Ledger;

use super::plan::{START_US, Said, Schedule};
use crate::oracle::{Changes, Oracle, Snapshot, Subject};

/// How often each thing happened.
pub(crate) type Tally = BTreeMap<&'static str, u64>;

/// Plays a schedule; `Err` says where core and oracle differ.
pub(crate) fn play<Core: Subject>(schedule: &Schedule, tally: &mut Tally) -> Result<(), String> {
    let mut oracle = Oracle::new(&schedule.system, START_US);
    let mut core = Core::start(&schedule.system, START_US);
    for (index, step) in schedule.steps.iter().enumerate() {
        if !schedule.watched && step.said.is_none() {
            let (before, due_us) = (oracle.pulse(), core.next_due_us());
            oracle.advance(step.now_us);
            if oracle.pulse() != before && due_us.is_none_or(|due_us| due_us >= step.now_us) {
                return Err(format!(
                    "before step {index}: something is due, the core expects nothing until {due_us:?}"
                ));
            }
        }
        match step.said {
            Some(Said::Input(input, state)) => {
                oracle.set_input(input, state, step.now_us);
                core.set_input(input, state, step.now_us);
            }
            Some(Said::Gap(from_us)) => {
                oracle.gap(from_us, step.now_us);
                core.gap(from_us, step.now_us);
            }
            None => {}
        }
        if let Some(event) = &step.event {
            oracle.accept(event, step.now_us);
            core.accept(event, step.now_us);
        } else {
            oracle.advance(step.now_us);
            core.advance(step.now_us);
        }
        if schedule.watched {
            compare_ledgers(&oracle.ledgers(), &core.ledgers()).map_err(|why| format!("after step {index}: {why}"))?;
        }
        if step.look {
            let seen = oracle.snapshot();
            count_states(&seen, tally);
            compare(&seen, &core.snapshot()).map_err(|why| format!("after step {index}: {why}"))?;
        }
    }
    compare(&oracle.snapshot(), &core.snapshot()).map_err(|why| format!("at the end: {why}"))?;
    oracle.settle();
    core.settle();
    if oracle.now_us() != core.now_us() {
        return Err(format!("settled at {} by the law, {} by the core", oracle.now_us(), core.now_us()));
    }
    let seen = oracle.snapshot();
    count_states(&seen, tally);
    compare(&seen, &core.snapshot()).map_err(|why| format!("settled: {why}"))?;
    compare_changes(&oracle.changes(), &core.take_changes()?)?;
    for name in oracle.happened() {
        *tally.entry(name).or_default() += 1;
    }
    Ok(())
}

/// Like [`play`], with a panic as a difference, too.
fn play_safely<Core: Subject>(schedule: &Schedule, tally: &mut Tally) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| play::<Core>(schedule, tally))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("panic: {}", text.unwrap_or("?")))
    })
}

fn count_states(snapshot: &Snapshot, tally: &mut Tally) {
    for stream in &snapshot.streams {
        let nodes = stream.nodes.iter().map(|node| format!("node {}", node.state.name()));
        let edges = stream.edges.iter().flat_map(|edge| {
            let worse = if edge.held == edge.status { "held as is" } else { "held worse" };
            [format!("edge {}", edge.freshness.name()), format!("status {}", edge.status), worse.to_owned()]
        });
        for name in nodes.chain(edges) {
            let known = STATES.iter().find(|state| **state == name).expect("a state of the list");
            *tally.entry(known).or_default() += 1;
        }
    }
}

/// The states that are counted.
pub(crate) const STATES: [&str; 16] = [
    "node silent",
    "node unobserved",
    "node waiting",
    "node observed",
    "edge blind",
    "edge silent",
    "edge unobserved",
    "edge live",
    "edge starved",
    "edge idle",
    "status UNKNOWN",
    "status OK",
    "status WARN",
    "status NOK",
    "held as is",
    "held worse",
];

fn compare_changes(law: &Changes, core: &Changes) -> Result<(), String> {
    let named = law.keys().chain(core.keys()).find(|name| law.get(name) != core.get(name));
    let Some(name) = named else { return Ok(()) };
    Err(format!("the transitions of {name:?} differ\n law {:?}\ncore {:?}", law.get(name), core.get(name)))
}

fn compare_ledgers(law: &[Ledger], core: &[Ledger]) -> Result<(), String> {
    for (edge, (law, core)) in law.iter().zip(core).enumerate() {
        if !law.balances() || !core.balances() {
            return Err(format!("edge {edge}: a ledger does not balance\n law {law:?}\ncore {core:?}"));
        }
        if law != core {
            return Err(format!("edge {edge}: the ledgers differ\n law {law:?}\ncore {core:?}"));
        }
    }
    Ok(())
}

fn compare(law: &Snapshot, core: &Snapshot) -> Result<(), String> {
    if law == core {
        return Ok(());
    }
    let (law, core) = (format!("{law:#?}"), format!("{core:#?}"));
    // The smallest thing that tells where the difference lies: both texts' lines from the first that differs,
    // and the headings above it.
    let at = law.lines().zip(core.lines()).position(|(law, core)| law != core).unwrap_or(0);
    let mut why = String::from("they differ\n");
    let mut indent = usize::MAX;
    let mut above = Vec::new();
    let lines: Vec<&str> = law.lines().collect();
    for (number, line) in lines[..at].iter().enumerate().rev() {
        let depth = line.len() - line.trim_start().len();
        if depth < indent {
            indent = depth;
            let siblings =
                lines[..number].iter().rev().take_while(|line| line.len() - line.trim_start().len() >= depth);
            let place = siblings.filter(|sibling| sibling.trim_start() == line.trim_start()).count();
            above.push(format!("{} #{place}", line.trim()));
        }
    }
    above.reverse();
    why += &format!("in {}\n", above.join(" / "));
    for (name, text) in [(" law", &law), ("core", &core)] {
        let rest: Vec<&str> = text.lines().skip(at).take(4).map(str::trim).collect();
        why += &format!("{name}: {}\n", rest.join(" "));
    }
    Err(why)
}

/// Plays a schedule; on a difference, panics with a small schedule that shows it.
pub(crate) fn hold<Core: Subject>(name: &str, schedule: &Schedule, tally: &mut Tally) {
    let Err(why) = play_safely::<Core>(schedule, tally) else { return };
    let small = shrink::<Core>(schedule);
    let small_why = play_safely::<Core>(&small, &mut Tally::new()).err().unwrap_or_default();
    panic!(
        "schedule {name}: {why}\n\nsmaller: {small_why}\n{}\nadd the line \"{name}\" to tests/it/schedules/seeds.txt",
        describe(&small)
    );
}

/// Drops steps, edges and streams as long as the two still differ.
fn shrink<Core: Subject>(schedule: &Schedule) -> Schedule {
    let differs = |schedule: &Schedule| play_safely::<Core>(schedule, &mut Tally::new()).is_err();
    let mut small = schedule.clone();
    small.steps.iter_mut().for_each(|step| step.look = true);
    if !differs(&small) {
        small = schedule.clone();
    }
    loop {
        let before = (small.steps.len(), small.system.streams.iter().map(|stream| stream.edges.len()).sum::<usize>());
        for index in (0..small.steps.len()).rev() {
            let mut less = small.clone();
            less.steps.remove(index);
            if differs(&less) {
                small = less;
            }
        }
        for index in 0..small.steps.len() {
            let mut less = small.clone();
            if less.steps[index].said.take().is_some() && differs(&less) {
                small = less;
            }
        }
        for stream in 0..small.system.streams.len() {
            for edge in (0..small.system.streams[stream].edges.len()).rev() {
                let mut less = small.clone();
                less.system.streams[stream].edges.remove(edge);
                if differs(&less) {
                    small = less;
                }
            }
        }
        let after = (small.steps.len(), small.system.streams.iter().map(|stream| stream.edges.len()).sum::<usize>());
        if after == before {
            return small;
        }
    }
}

/// A schedule for people: times from the start.
fn describe(schedule: &Schedule) -> String {
    let system = &schedule.system;
    let mut text = format!("max_tokens {}, remember {}us\n", system.max_tokens, system.remember_us);
    for input in &system.inputs {
        text += &format!("{input:?}\n");
    }
    for stream in &system.streams {
        text += &format!("{} horizon {}us memory {}us\n", stream.name, stream.horizon_us, stream.memory_us());
        for node in stream.nodes.iter().filter(|node| node.silence_us.is_some()) {
            text += &format!("  {} silence {:?}\n", system.nodes[node.id.0 as usize], node.silence_us);
        }
        for edge in &stream.edges {
            let name = |place: usize| &system.nodes[stream.nodes[place].id.0 as usize];
            text += &format!("  {} -> {}", name(edge.from), name(edge.to));
            text += &format!(" grace {} delay {} skew {}", edge.grace_us, edge.delay_us, edge.clock_skew_us);
            text += &format!(" hold {} silence {:?} {:?}\n", edge.hold_us, edge.silence_us, edge.check);
        }
    }
    for (index, step) in schedule.steps.iter().enumerate() {
        text += &format!("{index:>3} at {:>6}us ", step.now_us - START_US);
        match step.said {
            Some(Said::Input(input, state)) => text += &format!("input {} is {}, ", input.0, state.name()),
            Some(Said::Gap(from_us)) => {
                text += &format!("gap from {}us, ", from_us.cast_signed() - START_US.cast_signed())
            }
            None => {}
        }
        match &step.event {
            Some(event) => {
                let stamp_us = event.timestamp_us.cast_signed() - START_US.cast_signed();
                let alias = event.alias.as_ref().map(|alias| format!(" alias {alias}")).unwrap_or_default();
                let (node, token, input) = (event.node.0, &event.token, event.input.0);
                text += &format!("n{node} {token} stamped {stamp_us}us{alias} by {input}\n");
            }
            None => text += "time passes\n",
        }
    }
    text
}
