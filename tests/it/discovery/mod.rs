//! Discovery: the edges that traffic shows are those that there are.

mod dag;
mod init;
mod naive;
mod served;
mod traffic;

use std::collections::BTreeSet;

use dag::Dag;
use naive::Message;
use observatory::discovery::{Discovery, Sighting};

use crate::schedules::rng::Rng;

const SECOND_US: u64 = 1_000_000;

/// The sightings of a message in any order of the reports.
fn sightings(message: &Message, rng: &mut Rng) -> Vec<Sighting> {
    let sighting = |(&node, &timestamp_us)| Sighting { node, timestamp_us, named: message.named.contains(&node) };
    let mut sightings: Vec<_> = message.seen.iter().map(sighting).collect();
    sightings.sort_by_key(|sighting| sighting.node);
    rng.shuffle(&mut sightings);
    sightings
}

/// What is drawn when all messages have been seen.
fn discovered(nodes: usize, messages: &[Message], rng: &mut Rng) -> Discovery {
    let mut discovery = Discovery::new(nodes, &[], SECOND_US, 12 * SECOND_US);
    for message in messages {
        discovery.message(sightings(message, rng), 0);
    }
    discovery.look(0);
    discovery
}

fn drawn(discovery: &Discovery) -> BTreeSet<(usize, usize)> {
    discovery.edges().iter().copied().collect()
}

fn has_cycle(nodes: usize, edges: &BTreeSet<(usize, usize)>) -> bool {
    let mut left: BTreeSet<usize> = (0..nodes).collect();
    while let Some(&root) =
        left.iter().find(|node| !edges.iter().any(|edge| edge.1 == **node && left.contains(&edge.0)))
    {
        left.remove(&root);
    }
    !left.is_empty()
}

/// How many of the drawn edges are true, and how many of the true ones are drawn.
#[derive(Debug, Default)]
struct Score {
    drawn: usize,
    wanted: usize,
    both: usize,
}

impl Score {
    fn add(&mut self, drawn: &BTreeSet<(usize, usize)>, wanted: &BTreeSet<(usize, usize)>) {
        self.drawn += drawn.len();
        self.wanted += wanted.len();
        self.both += drawn.intersection(wanted).count();
    }

    fn precision(&self) -> f64 {
        self.both as f64 / self.drawn as f64
    }

    fn recall(&self) -> f64 {
        self.both as f64 / self.wanted as f64
    }
}

/// Whether any two nodes without a way between them overtake each other in at least a tenth of the messages.
fn overtake(dag: &Dag, messages: &[Message]) -> bool {
    let ways = dag.ways();
    let mut pairs = (0..dag.nodes).flat_map(|one| (0..one).map(move |other| (other, one)));
    pairs.all(|(one, other)| {
        let first = messages.iter().filter(|message| message.seen[&one] < message.seen[&other]).count();
        ways[one][other] || first.min(messages.len() - first) * 10 >= messages.len()
    })
}

#[test]
fn orders_show_the_true_edges_where_branches_overtake_each_other() {
    let (mut score, mut all, mut graphs) = (Score::default(), Score::default(), 0);
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let nodes = rng.between(3, 30) as usize;
        let dag = Dag::random(&mut rng, nodes).reduced();
        let messages: Vec<_> = (0..400).map(|at| dag.pass_all(&mut rng, at * SECOND_US)).collect();
        let drawn = drawn(&discovered(dag.nodes, &messages, &mut rng));
        all.add(&drawn, &dag.edges);
        if overtake(&dag, &messages) {
            graphs += 1;
            score.add(&drawn, &dag.edges);
            assert_eq!(drawn, dag.edges, "seed {seed}");
        }
    }
    println!(
        "by order, seeds 0..400, {graphs} graphs whose branches overtake: precision {:.4}, recall {:.4}",
        score.precision(),
        score.recall()
    );
    println!("by order, all 400 graphs: precision {:.4}, recall {:.4}", all.precision(), all.recall());
    assert!(graphs >= 100, "{graphs}");
    assert!(score.precision() >= 0.95 && score.recall() >= 0.95);
}

#[test]
fn parents_show_the_true_edges_always() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let nodes = rng.between(2, 40) as usize;
        let dag = Dag::random(&mut rng, nodes);
        let mut discovery = Discovery::new(nodes, &[], SECOND_US, 12 * SECOND_US);
        let mut taken = BTreeSet::new();
        for at in 0..600 {
            let (mut message, came) = dag.pass_some(&mut rng, at * SECOND_US);
            for (&node, &parent) in &came {
                assert!(discovery.parent(parent, node));
                taken.insert((parent, node));
                message.named.insert(node);
            }
            discovery.message(sightings(&message, &mut rng), at * 20 * SECOND_US);
        }
        discovery.look(0);
        assert_eq!(drawn(&discovery), taken, "seed {seed}");
        assert!(
            taken.is_subset(&dag.edges) && taken.len() * 100 >= dag.edges.len() * 95,
            "seed {seed}: the ways are taken"
        );
    }
}

#[test]
fn ways_that_only_some_take_are_mostly_found() {
    let mut score = Score::default();
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let nodes = rng.between(3, 30) as usize;
        let dag = Dag::random(&mut rng, nodes);
        let messages: Vec<_> = (0..400).map(|at| dag.pass_some(&mut rng, at * SECOND_US).0).collect();
        score.add(&drawn(&discovered(dag.nodes, &messages, &mut rng)), &dag.edges);
    }
    println!(
        "by order, seeds 0..200, with either-or ways: precision {:.4}, recall {:.4}",
        score.precision(),
        score.recall()
    );
}

/// Messages that make no sense: some nodes each, at any times, some with a parent.
fn nonsense(rng: &mut Rng, nodes: usize) -> Vec<Message> {
    let noise = rng.pick(&[0, 3, 30, 300]);
    let messages = rng.between(1, 120);
    let present = rng.pick(&[30, 70, 95, 100]);
    let message = |at: u64| {
        let mut message = Message::default();
        for node in 0..nodes {
            if rng.percent(present) {
                let at_us = at * SECOND_US + (node as u64 * 10 + rng.below(10 + noise)) * 64 + node as u64;
                message.seen.insert(node, at_us);
                if rng.percent(10) {
                    message.named.insert(node);
                }
            }
        }
        message
    };
    (0..messages).map(message).collect()
}

#[test]
fn the_sample_says_what_the_law_says_where_it_holds_all() {
    let (mut edges, mut circles) = (0, 0);
    for seed in 0..2_000 {
        let mut rng = Rng::new(seed);
        let nodes = rng.between(2, 9) as usize;
        let messages = nonsense(&mut rng, nodes);
        let wanted = naive::edges(nodes, &messages);
        let discovery = reported(nodes, &messages, &mut rng);
        let (drawn, in_cycles) = (drawn(&discovery), discovery.counters().edges_in_cycles);
        assert!(!has_cycle(nodes, &drawn), "seed {seed}");
        assert!(drawn.is_subset(&wanted), "seed {seed}: {drawn:?} of {wanted:?}");
        assert_eq!(drawn.len() + in_cycles, wanted.len(), "seed {seed}: {drawn:?} of {wanted:?}");
        assert_eq!(in_cycles > 0, has_cycle(nodes, &wanted), "seed {seed}");
        edges += drawn.len();
        circles += usize::from(in_cycles > 0);
    }
    println!("seeds 0..2000: {edges} edges, {circles} times in a circle");
    assert!(edges > 2_000);
}

/// Works off all that is due before a moment.
fn advance(discovery: &mut Discovery, now_us: u64) {
    while discovery.advance(now_us).is_some() {}
}

/// Reports all events in any order, as they would arrive.
fn reported(nodes: usize, messages: &[Message], rng: &mut Rng) -> Discovery {
    let mut discovery = Discovery::new(nodes, &[], SECOND_US, 12 * SECOND_US);
    let mut reports: Vec<(usize, Sighting)> = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        reports.extend(sightings(message, rng).into_iter().map(|sighting| (number, sighting)));
    }
    rng.shuffle(&mut reports);
    let mut before = vec![Vec::new(); messages.len()];
    let mut now_us = 0;
    for (number, sighting) in reports {
        now_us += rng.pick(&[0, 1, 1000, SECOND_US, 2 * SECOND_US]);
        advance(&mut discovery, now_us);
        discovery.see(number as u32, before[number].iter().copied(), sighting, now_us);
        before[number].push((sighting.node, sighting.timestamp_us));
    }
    advance(&mut discovery, now_us + 100 * SECOND_US);
    discovery
}

#[test]
fn many_nodes_and_messages_cost_a_bounded_amount() {
    for nodes in [30, 300] {
        let mut rng = Rng::new(nodes);
        let dag = Dag::random(&mut rng, nodes as usize).reduced();
        let mut discovery = Discovery::new(dag.nodes, &[], SECOND_US, 12 * SECOND_US);
        let mut now_us = 0;
        for number in 0..if nodes < 100 { 1_500 } else { 100 } {
            let message = dag.pass_all(&mut rng, now_us);
            let mut before = Vec::new();
            for sighting in sightings(&message, &mut rng) {
                advance(&mut discovery, now_us);
                discovery.see(number, before.iter().copied(), sighting, now_us);
                before.push((sighting.node, sighting.timestamp_us));
            }
            now_us += SECOND_US / 20;
        }
        advance(&mut discovery, now_us + 300 * SECOND_US);
        let mut score = Score::default();
        score.add(&drawn(&discovery), &dag.edges);
        println!(
            "{nodes} nodes, seed {nodes}: precision {:.4}, recall {:.4}, {:?}",
            score.precision(),
            score.recall(),
            discovery.counters()
        );
        assert!(score.recall() > 0.5);
    }
}
