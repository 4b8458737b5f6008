//! The status of a window, its labels, and what is said of streams and nodes.

use observatory::board::check_line;
use observatory::engine::Engine;
use observatory::outcome::{NodeState, Status};

use super::both;
use super::law::system;
use super::world::World;
use crate::oracle::Subject;

/// So many passes, then so many fails, a second apart; the last outcome is known at the end.
fn outcomes(world: &mut World, passes: u32, fails: u32) {
    for number in 0..passes + fails {
        let time = format!("{}s", 100 * number);
        world.at(&time, &format!("a sees t{number}"));
        let came = if number < passes { time } else { format!("{}s", 100 * number + 50) };
        world.at(&came, &format!("b sees t{number}"));
    }
}

/// The check, passes, fails, and the label that they make.
fn case(check: &str, passes: u32, fails: u32, label: &str) {
    both(&[&format!("a -> b: {check}")], |world| {
        outcomes(world, passes, fails);
        world.label("a -> b", label);
    });
}

#[test]
fn three_of_three_pass() {
    case("within=10s ok=3 warn=0 fail=0", 3, 0, "OK(pass=3/3 100%)");
}

#[test]
fn four_of_five_pass() {
    case("within=500ms ok=3 warn=1 fail=2", 4, 1, "WARN(pass=4/5 80%)");
}

#[test]
fn one_of_four_passes() {
    case("within=1000ms ok=3 warn=1 fail=0", 1, 3, "NOK(pass=1/4 25%)");
}

#[test]
fn two_of_two_pass() {
    case("within=10s ok=3 warn=0 fail=0", 2, 0, "UNKNOWN(pass=2/2 100%)");
}

#[test]
fn one_match_without_a_check() {
    both(&["a -> b"], |world| {
        world.at("0s", "a sees t1").at("9s", "b sees t1").label("a -> b", "OK(pass=1/1 100%)");
    });
}

#[test]
fn nothing_yet() {
    case("within=10s", 0, 0, "UNKNOWN(pass=0/0)");
}

#[test]
fn the_percentage_is_rounded_down() {
    case("within=10s ok=3 warn=3 fail=0", 2, 1, "NOK(pass=2/3 66%)");
}

#[test]
fn a_threshold_of_0_is_no_tolerance() {
    case("within=1s ok=2 warn=0 fail=0 window=9", 8, 1, "NOK(pass=8/9 88%)");
    case("within=1s ok=2 warn=0 fail=2", 3, 1, "WARN(pass=3/4 75%)");
}

#[test]
fn nok_trumps_warn() {
    case("within=1s ok=1 warn=1 fail=0", 1, 1, "NOK(pass=1/2 50%)");
    case("within=1s ok=1 warn=2 fail=1", 2, 1, "NOK(pass=2/3 66%)");
    case("within=1s ok=1 warn=2 fail=2", 3, 2, "NOK(pass=3/5 60%)");
}

#[test]
fn thresholds_are_reached_not_passed() {
    case("within=1s ok=3 warn=2 fail=4", 3, 1, "OK(pass=3/4 75%)");
    case("within=1s ok=3 warn=2 fail=4", 3, 2, "WARN(pass=3/5 60%)");
    case("within=1s ok=3 warn=2 fail=4", 3, 3, "WARN(pass=3/6 50%)");
    case("within=1s ok=3 warn=2 fail=4", 3, 4, "NOK(pass=3/7 42%)");
}

#[test]
fn the_window_need_not_be_full() {
    case("within=1s ok=5 warn=1 fail=2", 0, 1, "WARN(pass=0/1 0%)");
    case("within=1s ok=5 warn=1 fail=2", 0, 2, "NOK(pass=0/2 0%)");
    case("within=1s ok=2 warn=1 fail=9", 2, 0, "OK(pass=2/2 100%)");
}

#[test]
fn tolerated_fails_without_enough_passes_are_unknown() {
    case("within=1s ok=3 warn=2 fail=3", 2, 1, "UNKNOWN(pass=2/3 66%)");
}

#[test]
fn a_percentage_is_of_the_outcomes_in_the_window() {
    case("within=1s ok=1 warn=20% fail=50% window=5", 4, 1, "WARN(pass=4/5 80%)");
    case("within=1s ok=1 warn=21% fail=50% window=5", 4, 1, "OK(pass=4/5 80%)");
    case("within=1s ok=1 warn=1% fail=50% window=4", 2, 2, "NOK(pass=2/4 50%)");
    case("within=1s ok=1 warn=1% fail=50.0001% window=4", 2, 2, "WARN(pass=2/4 50%)");
}

#[test]
fn with_percentages_nothing_worse_than_ok_is_said_before_there_are_ok_outcomes() {
    case("within=1s ok=5 warn=1% fail=5% window=10", 0, 4, "UNKNOWN(pass=0/4 0%)");
    case("within=1s ok=5 warn=1% fail=5% window=10", 0, 5, "NOK(pass=0/5 0%)");
    case("within=1s ok=5 warn=1% fail=5% window=10", 4, 1, "NOK(pass=4/5 80%)");
}

#[test]
fn a_percentage_of_no_fails_is_never_reached() {
    case("within=1s ok=2 warn=0% fail=0% window=10", 2, 0, "OK(pass=2/2 100%)");
    case("within=1s ok=2 warn=0% fail=0% window=10", 2, 1, "NOK(pass=2/3 66%)");
}

#[test]
fn the_second_line_of_a_label_is_the_check() {
    let lines = [
        "a -> b: within=500ms ok=3 warn=1 fail=2",
        "b -> c: within=1000ms ok=3 warn=1 fail=0.5% window=10",
        "c -> d",
        "d -> e: every=5 expect=2 within=1s ok=1",
    ];
    let mut engine = Engine::start(&system(&lines), 0);
    let board = engine.board();
    let checks: Vec<_> = board.streams[0].edges.iter().map(check_line).collect();
    assert_eq!(checks[0].as_deref(), Some("Check(within=500ms,ok=3,warn=1,fail=2)"));
    assert_eq!(checks[1].as_deref(), Some("Check(within=1000ms,ok=3,warn=1,fail=0.5%)"));
    assert_eq!(checks[2], None);
    assert_eq!(checks[3].as_deref(), Some("Check(every=5,expect=2,within=1s,ok=1,warn=0,fail=0)"));
}

#[test]
fn a_status_is_since_the_outcome_that_made_it() {
    both(&["a -> b: within=1s grace=1s ok=1 warn=1 fail=2"], |world| {
        world.status("a -> b", Status::Unknown, "0s").at("1s", "a sees t1, b sees t1");
        world.status("a -> b", Status::Ok, "1s").at("5s", "a sees t2, b sees t2").status("a -> b", Status::Ok, "1s");
        world.at("6s", "a sees t3").until("1m").status("a -> b", Status::Warn, "8s");
    });
}

#[test]
fn the_worst_status_is_kept() {
    both(&["a -> b: within=1s ok=1 warn=1 fail=9 hold=1s"], |world| {
        assert_eq!(world.edge("a -> b").worst, Status::Unknown);
        world.at("0s", "a sees t1, b sees t1").until("5s");
        assert_eq!(world.edge("a -> b").worst, Status::Ok);
        world.at("5s", "a sees t2").at("7s", "b sees t2");
        assert_eq!(world.edge("a -> b").worst, Status::Warn);
    });
}

#[test]
fn a_stream_is_the_worst_held_of_its_observed_edges() {
    both(&["a -> b: within=1s ok=1", "b -> c: within=1s ok=1", "b -> d: within=1s ok=1"], |world| {
        world.stream(Status::Unknown, 3).at("0s", "a sees t1, b sees t1").stream(Status::Ok, 2);
        world.at("1s", "c sees t1").stream(Status::Ok, 1).until("5s").stream(Status::Nok, 0);
    });
}

#[test]
fn the_state_of_a_node() {
    both(&["a -> b: within=1s", "b -> c: within=1s", "a -> c: within=9s"], |world| {
        world.state("a", NodeState::Unobserved).at("0s", "a sees t1").state("a", NodeState::Waiting);
        world.at("1s", "b sees t1").state("a", NodeState::Observed).state("b", NodeState::Waiting);
        world.state("c", NodeState::Unobserved).at("2s", "c sees t1").state("c", NodeState::Observed);
        world.state("b", NodeState::Observed);
    });
}

#[test]
fn a_leaf_is_never_waiting() {
    both(&["a -> b: within=1s"], |world| {
        world.at("0s", "b sees t1").state("b", NodeState::Observed).state("a", NodeState::Unobserved);
    });
}

#[test]
fn a_node_tells_its_events_and_the_last() {
    both(&["a -> b: within=1s"], |world| {
        assert_eq!(world.node("a").last, None);
        world.at("1s", "a sees t1 stamped 0s").at("2s", "a sees t1");
        let node = world.node("a");
        assert_eq!((node.events, node.last.map(|last| last.0 % 1_000_000_000)), (2, Some(2_000_000)));
    });
}
