//! Freshness and silence.

use observatory::outcome::{Freshness, NodeState, Status};

use super::both;

#[test]
fn no_traffic_changes_no_status() {
    both(&["a -> b: within=1s"], |world| {
        world.at("0s", "a sees t1, b sees t1").until("24h").status("a -> b", Status::Ok, "0s");
        world.held("a -> b", Status::Ok, "0s").fresh("a -> b", Freshness::Idle);
    });
}

#[test]
fn an_edge_without_an_outcome_is_unobserved_even_in_flight() {
    both(&["a -> b: within=1s"], |world| {
        world.fresh("a -> b", Freshness::Unobserved).at("0s", "a sees t1").fresh("a -> b", Freshness::Unobserved);
    });
}

#[test]
fn an_outcome_is_live_for_a_minute() {
    both(&["a -> b: within=1s"], |world| {
        world.at("0s", "a sees t1, b sees t1").until("1m").fresh("a -> b", Freshness::Live);
        world.until("1m+1us").fresh("a -> b", Freshness::Idle);
    });
}

#[test]
fn something_in_flight_is_live() {
    both(&["a -> b: within=1h"], |world| {
        world.at("0s", "a sees t1, b sees t1, a sees t2").until("30m").fresh("a -> b", Freshness::Live);
    });
}

#[test]
fn indeterminate_and_unmatched_make_an_edge_observed() {
    both(&["a -> b", "horizon=1s"], |world| {
        world.at("0s", "a sees t1").until("10s").fresh("a -> b", Freshness::Live).stream(Status::Unknown, 0);
        world.until("2m").fresh("a -> b", Freshness::Idle);
    });
}

#[test]
fn what_hangs_off_the_culprit_is_starved() {
    both(&["a -> b: within=1s hold=0s", "b -> c: within=1s", "c -> d: within=1s", "a -> x: within=1s"], |world| {
        world.at("0s", "a sees t1, b sees t1, c sees t1, d sees t1, x sees t1");
        world.at("10s", "a sees t2").at("10s", "x sees t2").until("71s");
        world.fresh("a -> b", Freshness::Live).fresh("b -> c", Freshness::Starved).fresh("c -> d", Freshness::Starved);
        world.fresh("a -> x", Freshness::Idle).status("b -> c", Status::Ok, "0s");
    });
}

#[test]
fn a_silent_edge_starves_what_hangs_off_it() {
    both(&["a -> b: within=1s silence=5m", "b -> c: within=1s"], |world| {
        world.at("0s", "a sees t1, b sees t1, c sees t1").until("5m").fresh("b -> c", Freshness::Idle);
        world.until("5m+1us").fresh("a -> b", Freshness::Silent).fresh("b -> c", Freshness::Starved);
    });
}

#[test]
fn an_edge_counts_new_upstream_events_for_its_silence() {
    both(&["a -> b: within=10m silence=5m"], |world| {
        world.at("1m", "a sees t1").at("2m", "b sees t1").at("3m", "a sees t1").until("6m");
        world.fresh("a -> b", Freshness::Idle).until("6m+1us").fresh("a -> b", Freshness::Silent);
    });
}

#[test]
fn silence_counts_from_the_start() {
    both(&["a -> b: within=1s silence=5m", "node a: silence=4m"], |world| {
        world.until("4m").state("a", NodeState::Unobserved).until("4m+1us").state("a", NodeState::Silent);
        world.until("5m").fresh("a -> b", Freshness::Unobserved).until("5m+1us").fresh("a -> b", Freshness::Silent);
    });
}

#[test]
fn a_duplicate_is_an_event_of_its_node() {
    both(&["a -> b: within=10m silence=5m", "node a: silence=5m"], |world| {
        world.at("0s", "a sees t1, b sees t1").at("4m", "a sees t1").until("5m+1us");
        world.state("a", NodeState::Observed).fresh("a -> b", Freshness::Silent);
        world.until("9m").state("a", NodeState::Observed).until("9m+1us").state("a", NodeState::Silent);
    });
}

#[test]
fn the_silent_are_heard_again() {
    both(&["a -> b: within=1s silence=5m", "node a: silence=5m"], |world| {
        world.at("0s", "a sees t1, b sees t1").until("6m").stream(Status::Nok, 0);
        world.at("6m", "a sees t2, b sees t2").stream(Status::Ok, 0).state("a", NodeState::Observed);
        world.fresh("a -> b", Freshness::Live);
        assert_eq!(world.edge("a -> b").worst, Status::Nok);
    });
}

#[test]
fn silent_leaves_status_and_held_but_counts_as_nok() {
    both(&["a -> b: within=1s silence=5m"], |world| {
        world.at("0s", "a sees t1, b sees t1").until("6m").status("a -> b", Status::Ok, "0s");
        world.held("a -> b", Status::Ok, "0s").stream(Status::Nok, 0);
        assert_eq!(world.edge("a -> b").worst, Status::Nok);
    });
}

#[test]
fn a_silent_node_makes_its_stream_nok_before_anything_was_seen() {
    both(&["a -> b: within=1s", "node b: silence=5m"], |world| {
        world.stream(Status::Unknown, 1).until("5m+1us").stream(Status::Nok, 1);
        assert_eq!(world.edge("a -> b").worst, Status::Nok);
    });
}

#[test]
fn a_node_that_was_ever_silent_is_the_worst_of_its_edges() {
    both(&["a -> b: within=1s", "b -> c: within=1s", "node c: silence=5m"], |world| {
        world.at("0s", "a sees t1, b sees t1, c sees t1").at("6m", "c sees t2").settle();
        assert_eq!((world.edge("a -> b").worst, world.edge("b -> c").worst), (Status::Ok, Status::Nok));
    });
}
