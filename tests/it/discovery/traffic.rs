//! A bare list of components becomes a graph from traffic alone.

use std::sync::Arc;

use observatory::board::{EdgeBoard, StreamBoard, status_line};
use observatory::engine::Engine;
use observatory::event::{Event, Token};
use observatory::graph::{InputId, NodeIndex, System};
use observatory::manifest::{Source, load, render};
use observatory::outcome::{Freshness, NodeState, Status};

const START_US: u64 = 1_700_000_000_000_000;
const SECOND_US: u64 = 1_000_000;

fn system(manifest: &str) -> Arc<System> {
    let read = load(&Source::Text("test.toml".to_owned(), manifest.to_owned()));
    Arc::new(read.unwrap_or_else(|problems| panic!("{}", render(&problems, false))).system)
}

/// A system that observes what is reported to it.
struct World {
    engine: Engine,
    index: NodeIndex,
}

impl World {
    fn new(manifest: &str) -> Self {
        let system = system(manifest);
        Self { engine: Engine::new(Arc::clone(&system), START_US, (1, 2)), index: NodeIndex::new(&system) }
    }

    /// `"a sees t1"`, `"b sees t1 from a"` or `"b sees t2 as t1"`, so many milliseconds after the start.
    fn at(&mut self, ms: u64, report: &str) -> &mut Self {
        let words: Vec<_> = report.split(' ').collect();
        let node = |name: &str| self.index.find(name).expect("a node of the manifest");
        let token = |text: &str| Token::new(text).unwrap();
        let (parent, alias) = match words[3..] {
            ["from", parent] => (Some(node(parent)), None),
            ["as", alias] => (None, Some(Box::new(token(alias)))),
            _ => (None, None),
        };
        let timestamp_us = START_US + ms * 1000;
        let (node, token) = (node(words[0]), token(words[2]));
        let event = Event { node, clock_flagged: false, input: InputId::default(), token, timestamp_us, parent, alias };
        self.engine.accept(&event, timestamp_us);
        self
    }

    /// One message along a way, a millisecond each.
    fn pass(&mut self, ms: u64, token: &str, way: &[&str]) -> &mut Self {
        for (step, node) in (0..).zip(way) {
            self.at(ms + step, &format!("{node} sees {token}"));
        }
        self
    }

    fn reload(&mut self, ms: u64, manifest: &str) -> StreamBoard {
        let system = system(manifest);
        self.engine.reload(Arc::clone(&system), START_US + ms * 1000);
        self.index = NodeIndex::new(&system);
        self.see(ms)
    }

    fn see(&mut self, ms: u64) -> StreamBoard {
        self.engine.advance(START_US + ms * 1000);
        let board = self.engine.board();
        for edge in &board.streams[0].edges {
            assert!(edge.ledger.balances(), "{edge:?}");
            if edge.discovered {
                assert_eq!(edge.ledger.upstream, edge.ledger.pass, "it counts matches only");
                assert_eq!((edge.ledger.orphans, edge.ledger.duplicates), (0, 0));
                assert!(edge.check.is_none());
            }
        }
        board.streams[0].as_ref().clone()
    }
}

fn line(edge: &EdgeBoard) -> String {
    let line = if edge.discovered { "--" } else { "->" };
    format!("{} {line} {} {}", edge.from, edge.to, status_line(edge.status, edge.pass, edge.total))
}

fn lines(stream: &StreamBoard) -> Vec<String> {
    stream.edges.iter().map(line).collect()
}

const BARE: &str = "[[stream]]\nname = \"s\"\nnodes = [\"a\", \"b\", \"c\"]\n";

#[test]
fn one_message_through_a_bare_list_of_components_draws_the_graph() {
    let mut world = World::new(include_str!("../../../manifests/minimal.toml"));
    let bare = world.see(0);
    assert!(bare.edges.is_empty() && bare.nodes.iter().all(|node| node.root && node.state == NodeState::Unobserved));
    world.pass(0, "t1", &["frontend", "backend", "database"]);
    assert!(world.see(1002).edges.is_empty(), "a node between two others may be slow to report");
    let stream = world.see(1003);
    assert_eq!(lines(&stream), ["frontend -- backend OK(pass=1/1 100%)", "backend -- database OK(pass=1/1 100%)"]);
    assert_eq!(stream.status, Status::Ok);
    assert_eq!(stream.nodes.iter().map(|node| node.root).collect::<Vec<_>>(), [true, false, false]);
    assert!(stream.nodes.iter().all(|node| node.state == NodeState::Observed));
    assert!(stream.edges.iter().all(|edge| edge.freshness == Freshness::Live));
    assert!((stream.edges[0].latency_ms.unwrap().p50 - 1.0).abs() < 0.1);
}

#[test]
fn matches_count_once_before_and_after_an_edge_is_drawn() {
    let mut world = World::new(BARE);
    for token in 0..10_u64 {
        world.pass(token * 300, &format!("t{token}"), &["a", "b", "c"]);
    }
    // One is on its way when the edges are drawn, one goes no further, one is reported twice.
    world.at(5000, "a sees on-its-way").see(7000);
    world.at(7001, "b sees on-its-way").at(7002, "a sees lost").pass(7010, "t9", &["a", "b"]);
    assert_eq!(lines(&world.see(7020)), ["a -- b OK(pass=11/11 100%)", "b -- c OK(pass=10/10 100%)"]);
    world.engine.settle();
    let ledger = world.see(7020).edges[0].ledger;
    assert_eq!((ledger.upstream, ledger.pass, ledger.unmatched, ledger.in_flight), (11, 11, 0, 0));
}

#[test]
fn a_parent_is_an_edge_at_once() {
    let mut world = World::new(BARE);
    world.at(0, "a sees t1").at(1, "c sees t1 from a").at(2, "b sees t1 from a");
    assert_eq!(lines(&world.see(2)), ["a -- c OK(pass=1/1 100%)", "a -- b OK(pass=1/1 100%)"]);
    // The orders, in which c is always before b, add nothing.
    assert_eq!(world.see(60_000).edges.len(), 2);
    // A cycle is refused and counted.
    world.at(70_000, "b sees t2").at(70_001, "a sees t2 from b");
    let stream = world.see(80_000);
    assert_eq!((stream.edges.len(), stream.discovery.unwrap().parents_refused), (2, 1));
}

#[test]
fn later_messages_refine_what_the_first_showed() {
    let mut world = World::new(BARE);
    // The reporter of b is not there yet.
    world.pass(0, "t1", &["a", "c"]);
    assert_eq!(lines(&world.see(2000)), ["a -- c OK(pass=1/1 100%)"]);
    for token in 0..30 {
        world.pass(3000 + token * 100, &format!("n{token}"), &["a", "b", "c"]);
    }
    let stream = world.see(9000);
    assert_eq!(lines(&stream), ["a -- b OK(pass=30/30 100%)", "b -- c OK(pass=30/30 100%)"]);
}

#[test]
fn undeclared_traffic_is_drawn_beside_what_is_declared() {
    let declared = "discover = true\n[[stream.edge]]\nfrom = \"b\"\nto = \"c\"\ncheck = { within = \"1s\" }\n";
    let mut world = World::new(&format!("{BARE}{declared}"));
    world.pass(0, "t1", &["a", "b", "c"]).at(1, "c sees alone");
    let stream = world.see(30_000);
    assert_eq!(lines(&stream), ["b -> c OK(pass=1/1 100%)", "a -- b OK(pass=1/1 100%)"]);
    assert_eq!(stream.edges[0].ledger.orphans, 1);
    let worst = (0..2).map(|edge| world.engine.worst(0, edge)).collect::<Vec<_>>();
    assert_eq!(worst, [Status::Ok, Status::Ok]);
    // Every transition is of a declared edge: the others can only become OK.
    let subjects: Vec<_> = world.engine.take_transitions().iter().map(|transition| transition.subject).collect();
    assert!(subjects.iter().all(|subject| *subject == observatory::outcome::Subject::Edge(0)), "{subjects:?}");
    world.engine.advance(START_US + 30 * SECOND_US);
    assert!(world.engine.edge_detail(0, 1).is_some());
    assert!(world.engine.edge_detail(0, 2).is_none());
}

#[test]
fn without_discovery_nothing_is_drawn() {
    let mut world = World::new(&format!("{BARE}discover = false\n"));
    world.pass(0, "t1", &["a", "b", "c"]);
    let stream = world.see(60_000);
    assert!(stream.edges.is_empty() && stream.discovery.is_none());
}

#[test]
fn an_alias_joins_what_is_discovered() {
    let mut world = World::new(BARE);
    for token in 0..5 {
        let ms = token * 2000;
        world.at(ms, &format!("a sees r{token}")).at(ms + 1, &format!("c sees j{token}"));
        world.at(ms + 2, &format!("b sees j{token} as r{token}"));
    }
    let stream = world.see(60_000);
    assert_eq!(lines(&stream), ["a -- c OK(pass=5/5 100%)", "c -- b OK(pass=5/5 100%)"]);
}

#[test]
fn the_same_events_draw_the_same_edges_however_often_one_looks() {
    let way = |token: u64| if token.is_multiple_of(3) { vec!["a", "c", "b"] } else { vec!["a", "b", "c"] };
    let mut boards = Vec::new();
    for look_every_ms in [1, 333, 60_000] {
        let mut world = World::new(BARE);
        let mut next_look_ms = look_every_ms;
        for token in 0..100_u64 {
            world.pass(token * 170, &format!("t{token}"), &way(token));
            while next_look_ms < token * 170 + 100 {
                world.see(next_look_ms.max(token * 170 + 10));
                next_look_ms += look_every_ms;
            }
        }
        let stream = world.see(60_000);
        boards.push(serde_json::to_string(&stream).unwrap());
    }
    assert_eq!(boards[0], boards[1]);
    assert_eq!(boards[0], boards[2]);
}

#[test]
fn what_is_drawn_outlives_another_manifest() {
    let mut world = World::new(BARE);
    for token in 0..10 {
        world.pass(token * 100, &format!("t{token}"), &["a", "b", "c"]);
    }
    assert_eq!(lines(&world.see(3000)), ["a -- b OK(pass=10/10 100%)", "b -- c OK(pass=10/10 100%)"]);
    // Another order of the nodes, and one more.
    let moved = "[[stream]]\nname = \"s\"\nnodes = [\"d\", \"c\", \"b\", \"a\"]\n";
    let both = ["a -- b OK(pass=10/10 100%)", "b -- c OK(pass=10/10 100%)"];
    assert_eq!(lines(&world.reload(3100, moved)), both);
    assert_eq!(lines(&world.see(9000)), both);
    // A message on its way goes on.
    world.at(9001, "a sees t").at(9002, "b sees t");
    // One edge is declared: it begins anew, as a declared one does. The other stays.
    let declared = "discover = true\n[[stream.edge]]\nfrom = \"a\"\nto = \"b\"\ncheck = { within = \"1s\" }\n";
    let stream = world.reload(9003, &format!("{moved}{declared}"));
    assert_eq!(lines(&stream), ["a -> b UNKNOWN(pass=0/0)", "b -- c OK(pass=10/10 100%)"]);
    world.at(9004, "c sees t").pass(9005, "u", &["a", "b", "c"]);
    assert_eq!(lines(&world.see(9010)), ["a -> b OK(pass=1/1 100%)", "b -- c OK(pass=12/12 100%)"]);
    // Without discovery only the declared edge is left; with it, the other is found again.
    let declared_alone = declared.replace("discover = true\n", "");
    assert_eq!(lines(&world.reload(9011, &format!("{moved}{declared_alone}"))), ["a -> b OK(pass=1/1 100%)"]);
    world.reload(9012, &format!("{moved}{declared}"));
    world.pass(9020, "v", &["a", "b", "c"]);
    assert_eq!(lines(&world.see(20_000)), ["a -> b OK(pass=1/1 100%)", "b -- c OK(pass=1/1 100%)"]);
    // A node that is gone takes its edges with it; what is declared no more is drawn.
    let stream = world.reload(20_001, &BARE.replace("\"c\"", "\"e\""));
    assert_eq!(lines(&stream), ["a -- b OK(pass=1/1 100%)"]);
    world.pass(20_100, "w", &["a", "b"]);
    assert_eq!(lines(&world.see(30_000)), ["a -- b OK(pass=2/2 100%)"]);
}
