//! Named cases: what a changed manifest does to what is known and in flight.

use std::sync::Arc;

use observatory::board::{EdgeDetail, status_line};
use observatory::engine::Engine;
use observatory::graph::System;
use observatory::outcome::{Ledger, Status};

use super::event;
use crate::rules::{system, us};
use crate::schedules::START_US;

/// An engine and its manifest.
struct World {
    system: Arc<System>,
    engine: Engine,
}

fn moment(text: &str) -> u64 {
    START_US.checked_add_signed(us(text)).unwrap()
}

impl World {
    fn new(lines: &[&str]) -> Self {
        let system = Arc::new(system(lines));
        Self { engine: Engine::new(Arc::clone(&system), START_US, (0, 0)), system }
    }

    fn at(&mut self, time: &str, node: &str, token: &str) -> &mut Self {
        let at_us = moment(time);
        self.engine.accept(&event(&self.system, node, token, at_us), at_us);
        self
    }

    fn reload(&mut self, time: &str, lines: &[&str]) -> &mut Self {
        self.system = Arc::new(system(lines));
        self.engine.reload(Arc::clone(&self.system), moment(time));
        self
    }

    fn edge(&mut self, time: &str, from: &str, to: &str) -> EdgeDetail {
        self.engine.advance(moment(time));
        let board = self.engine.board();
        let edges = &board.streams[0].edges;
        let index = edges.iter().position(|edge| (edge.from.as_str(), edge.to.as_str()) == (from, to)).unwrap();
        self.engine.edge_detail(0, index).unwrap()
    }

    fn ledger(&mut self, time: &str, from: &str, to: &str) -> Ledger {
        self.edge(time, from, to).edge.ledger
    }
}

#[test]
fn an_edge_that_stays_keeps_its_window_cut_to_the_new_size() {
    let mut world = World::new(&["a -> b: within=1s ok=3 fail=2"]);
    for (second, token) in ["t1", "t2", "t3", "t4"].into_iter().enumerate() {
        let time = format!("{second}s");
        world.at(&time, "a", token).at(&time, "b", token);
    }
    world.reload("5s", &["a -> b: within=1s ok=2"]);
    let edge = world.edge("5s", "a", "b");
    let tokens: Vec<String> = edge.window.iter().map(|entry| entry.token.as_ref().unwrap().to_string()).collect();
    assert_eq!(tokens, ["t3", "t4"]);
    assert_eq!(status_line(edge.edge.status, edge.edge.pass, edge.edge.total), "OK(pass=2/2 100%)");
    assert_eq!(edge.edge.ledger.pass, 4, "the ledger stays");
}

#[test]
fn other_thresholds_judge_the_window_again_at_once() {
    let mut world = World::new(&["a -> b: within=1s ok=3 warn=2 fail=3"]);
    for token in ["t1", "t2", "t3"] {
        world.at("0s", "a", token).at("0s", "b", token);
    }
    world.at("1s", "a", "t4");
    assert_eq!(world.edge("4s", "a", "b").edge.status, Status::Ok);
    world.reload("5s", &["a -> b: within=1s ok=4 fail=1"]);
    let edge = world.edge("5s", "a", "b").edge;
    assert_eq!((edge.status, edge.status_since.0), (Status::Nok, moment("5s")));
}

#[test]
fn what_is_in_flight_keeps_its_deadline() {
    let mut world = World::new(&["a -> b: within=10s"]);
    world.at("0s", "a", "t1");
    world.reload("1s", &["a -> b: within=1s"]);
    world.at("1s", "a", "t2");
    assert_eq!(world.ledger("4s", "a", "b").missing, 1, "t2 by the new deadline");
    assert_eq!(world.ledger("11s", "a", "b").missing, 1, "t1 not before its own");
    assert_eq!(world.ledger("11s+1us", "a", "b").missing, 2);
}

#[test]
fn a_removed_edge_is_gone_and_the_others_go_on() {
    let mut world = World::new(&["a -> b: within=1s", "b -> c: within=1s"]);
    world.at("0s", "a", "t1").at("0s", "b", "t1");
    world.reload("0s", &["b -> c: within=1s"]);
    world.at("0s", "c", "t1");
    assert_eq!(world.ledger("1s", "b", "c").pass, 1);
    world.reload("2s", &["a -> b: within=1s", "b -> c: within=1s"]);
    assert_eq!(world.ledger("2s", "a", "b"), Ledger::default(), "it begins anew");
    assert_eq!(world.ledger("2s", "b", "c").pass, 1);
}

#[test]
fn a_new_edge_asks_nothing_of_what_came_before_it() {
    let mut world = World::new(&["a -> b: within=1s"]);
    world.at("0s", "a", "t1");
    world.reload("0s", &["a -> b: within=1s", "a -> c: within=1s"]);
    world.at("0s", "c", "t1").at("0s", "a", "t2");
    let ledger = world.ledger("3s", "a", "c");
    assert_eq!((ledger.upstream, ledger.missing, ledger.pass), (1, 1, 0), "t2 alone is a request");
}

#[test]
fn a_request_without_a_deadline_stays_without_one() {
    let mut world = World::new(&["horizon=5s", "a -> b"]);
    world.at("0s", "a", "t1").at("0s", "a", "t2");
    world.reload("1s", &["horizon=5s", "a -> b: within=1s"]);
    world.at("2s", "b", "t1");
    let ledger = world.ledger("60s", "a", "b");
    assert_eq!((ledger.late, ledger.unmatched, ledger.missing), (1, 1, 0), "{ledger:?}");
}

#[test]
fn a_deadline_stays_where_the_check_goes() {
    let mut world = World::new(&["a -> b: within=1s"]);
    world.at("0s", "a", "t1");
    world.reload("1s", &["a -> b"]);
    assert_eq!(world.ledger("3s", "a", "b").missing, 1);
}

#[test]
fn another_kind_of_check_gives_up_what_is_in_flight() {
    let mut world = World::new(&["a -> b: within=1s"]);
    world.at("0s", "a", "t1");
    world.reload("0s", &["a -> b: every=2 expect=1 within=1s"]);
    assert_eq!(world.ledger("0s", "a", "b").indeterminate, 1);
    world.at("1s", "a", "t2").reload("1s", &["a -> b: within=1s"]);
    assert_eq!(world.ledger("1s", "a", "b").indeterminate, 2);
    world.at("1s", "a", "t3").at("1s", "b", "t3");
    let ledger = world.ledger("9s", "a", "b");
    assert!(ledger.balances() && ledger.pass == 1, "{ledger:?}");
}

#[test]
fn a_late_report_still_corrects_what_was_lost_before() {
    let mut world = World::new(&["a -> b: within=1s ok=1 fail=1"]);
    world.at("0s", "a", "t1");
    world.reload("1m", &["x -> a", "a -> b: within=1s ok=1 fail=1"]);
    world.at("2m", "b", "t1");
    let ledger = world.ledger("2m", "a", "b");
    assert_eq!((ledger.missing, ledger.late, ledger.revisions), (0, 1, 1));
}
