//! Missing needs a witness: what nobody can testify for is not judged, and what can still be read is waited for.

use observatory::graph::InputState::{CatchingUp, Down, Up};
use observatory::outcome::{Freshness, NodeState, Status};

use super::both;

/// Both ends are reported by HTTP.
const HTTP: [&str; 2] = ["a -> b: within=1s", "input http"];
/// The downstream's reports are read from a file.
const FILE: [&str; 3] = ["a -> b: within=1s window=5", "input http: nodes=a", "input log: keeps nodes=b"];

#[test]
fn without_a_witness_a_request_is_indeterminate_at_its_deadline() {
    both(&HTTP, |world| {
        world.at("1s", "a sees t1").gap("2s", "2500ms").until("3s").ledger("a -> b", "upstream=1 in_flight=1");
        world.until("3s+1us").ledger("a -> b", "upstream=1 indeterminate=1").window("a -> b", "");
        world.status("a -> b", Status::Unknown, "0s");
    });
}

#[test]
fn what_comes_after_all_corrects_it_but_has_no_place() {
    both(&HTTP, |world| {
        world.at("1s", "a sees t1, a sees t2").gap("2s", "2500ms").until("3s+1us");
        world.at("3500ms", "b sees t1 stamped 1500ms, b sees t2 stamped 3s").window("a -> b", "");
        world.ledger("a -> b", "upstream=2 pass=1 late=1 revisions=2").fails("a -> b", "late t2 2s");
    });
}

#[test]
fn we_must_have_run_from_the_arrival_to_the_deadline_both_included() {
    for (gap, outcome) in [
        (("500ms", "1s"), "missing"),
        (("500ms", "1s+1us"), "indeterminate"),
        (("3s", "4s"), "indeterminate"),
        (("3s+1us", "4s"), "missing"),
    ] {
        both(&HTTP, |world| {
            if gap.0 == "500ms" {
                // It arrives while we are back, or is taken in the last moment of the gap.
                world.gap(gap.0, "1s").at("1s", "a sees t1").gap("1s", gap.1);
            } else {
                world.at("1s", "a sees t1").gap(gap.0, gap.1);
            }
            world.until("5s").ledger("a -> b", &format!("upstream=1 {outcome}=1"));
        });
    }
}

#[test]
fn a_stamp_before_the_arrival_counts_but_not_further_back_than_the_memory() {
    for (stamp, gap_end, outcome) in [
        ("9s", "9s", "missing"),
        ("9s", "9s+1us", "indeterminate"),
        ("11s", "9s", "missing"),
        ("0s", "7s", "missing"),
        ("0s", "7s+1us", "indeterminate"),
    ] {
        both(&HTTP, |world| {
            world.gap("5s", gap_end).at("10s", &format!("a sees t1 stamped {stamp}")).until("13s");
            world.ledger("a -> b", &format!("upstream=1 {outcome}=1"));
        });
    }
}

#[test]
fn before_the_start_nobody_ran() {
    for (stamp, outcome) in [("0s", "missing"), ("-1us", "indeterminate")] {
        both(&HTTP, |world| {
            world.at("0s", &format!("a sees t1 stamped {stamp}")).until("3s");
            world.ledger("a -> b", &format!("upstream=1 {outcome}=1"));
        });
    }
}

#[test]
fn unreported_goes_before_indeterminate() {
    both(&["a -> b: within=1s", "b -> c: within=1s", "input http"], |world| {
        world.at("1s", "a sees t1, c sees t1").gap("2s", "2500ms").until("3s+1us");
        world.ledger("a -> b", "upstream=1 unreported=1");
    });
}

#[test]
fn an_input_must_have_been_up() {
    for state in [Down, CatchingUp] {
        both(&HTTP, |world| {
            world.at("1s", "a sees t1").input("2s", "http", state).input("2500ms", "http", Up);
            world.at("2500ms", "a sees t2").until("5s");
            world.ledger("a -> b", "upstream=2 missing=1 indeterminate=1").window("a -> b", "missing t2");
        });
    }
}

#[test]
fn all_inputs_must_have_been_up_for_a_node_that_none_has_brought() {
    both(&["a -> b: within=1s", "input one", "input two"], |world| {
        world.input("1s", "two", Down).at("2s", "a sees t1 via one").until("5s");
        world.ledger("a -> b", "upstream=1 indeterminate=1");
    });
}

#[test]
fn of_a_node_that_some_have_brought_these() {
    both(&["a -> b: within=1s", "input one", "input two"], |world| {
        world.at("0s", "b sees t0 via one").input("1s", "two", Down).at("2s", "a sees t1 via one").until("5s");
        world.ledger("a -> b", "upstream=1 missing=1 orphans=1");
        world.input("5s", "two", Up).at("5s", "b sees t2 via two").input("6s", "two", Down);
        world.at("7s", "a sees t3 via one").until("10s");
        world.ledger("a -> b", "upstream=2 missing=1 indeterminate=1 orphans=1");
    });
}

#[test]
fn of_a_node_that_is_named_those_that_name_it() {
    for (named, outcomes) in [("one", "missing=1 orphans=1"), ("two", "indeterminate=1")] {
        let inputs =
            ["one", "two"].map(|input| format!("input {input}{}", if input == named { ": nodes=b" } else { "" }));
        both(&["a -> b: within=1s", &inputs[0], &inputs[1]], |world| {
            world.at("0s", "b sees t0 via one").input("1s", "two", Down).at("2s", "a sees t1 via one").until("5s");
            world.ledger("a -> b", &format!("upstream=1 {outcomes}"));
        });
    }
}

#[test]
fn the_upstreams_input_need_not_testify() {
    both(&["a -> b: within=1s", "input one: nodes=a", "input two: nodes=b"], |world| {
        world.at("1s", "a sees t1 via one").input("2s", "one", Down).until("4s");
        world.ledger("a -> b", "upstream=1 missing=1");
    });
}

#[test]
fn what_is_kept_is_waited_for_until_it_is_read_and_grace_has_passed() {
    both(&FILE, |world| {
        world.at("0s", "a sees t1, a sees t2").until("10s").ledger("a -> b", "upstream=2 in_flight=2");
        world.fresh("a -> b", Freshness::Blind).input("10s", "log", Up);
        world.at("10500ms", "b sees t1 stamped 500ms via log").until("11s");
        world.ledger("a -> b", "upstream=2 pass=1 in_flight=1").until("11s+1us");
        world.ledger("a -> b", "upstream=2 pass=1 missing=1").window("a -> b", "pass t1 500ms, missing t2");
        world.decided("a -> b", "11s").blind("a -> b", "11s").fresh("a -> b", Freshness::Live);
    });
}

#[test]
fn what_came_by_the_last_moment_is_in_time() {
    both(&FILE, |world| {
        world.at("0s", "a sees t1").input("10s", "log", Up).at("11s", "b sees t1 stamped 1s via log");
        world.ledger("a -> b", "upstream=1 pass=1");
    });
}

#[test]
fn what_is_unreported_is_waited_for_as_well() {
    both(&["a -> b: within=1s", "b -> c: within=1s", "input http: nodes=a,c", "input log: keeps nodes=b"], |world| {
        world.at("0s", "a sees t1, c sees t1").until("10s").ledger("a -> b", "upstream=1 in_flight=1");
        world.input("10s", "log", Up).until("11s+1us").ledger("a -> b", "upstream=1 unreported=1");
    });
}

#[test]
fn a_file_testifies_for_our_gap_once_it_has_caught_up() {
    both(&FILE, |world| {
        world.input("0s", "log", Up).at("5s", "a sees t1").gap("6s", "20s").until("24s");
        world.ledger("a -> b", "upstream=1 in_flight=1").fresh("a -> b", Freshness::Blind);
        world.input("25s", "log", Up).until("26s+1us").ledger("a -> b", "upstream=1 missing=1");
        world.decided("a -> b", "26s").blind("a -> b", "21s");
    });
}

#[test]
fn beside_one_that_keeps_nothing_it_does_not_suffice() {
    both(&["a -> b: within=1s", "input http: nodes=a,b", "input log: keeps nodes=b"], |world| {
        world.input("0s", "log", Up).at("5s", "a sees t1").gap("6s", "20s").input("25s", "log", Up).until("26s");
        world.ledger("a -> b", "upstream=1 in_flight=1");
        world.until("26s+1us").ledger("a -> b", "upstream=1 indeterminate=1");
    });
}

#[test]
fn what_happens_after_the_deadline_takes_no_witness_away() {
    both(&["a -> b: within=1s", "input http: nodes=a,b", "input log: keeps nodes=b"], |world| {
        world.at("5s", "a sees t1").gap("8s", "9s").input("9s", "log", Up).until("10s+1us");
        world.ledger("a -> b", "upstream=1 missing=1");
    });
}

#[test]
fn while_an_input_catches_up_again_the_wait_goes_on() {
    both(&FILE, |world| {
        world.at("0s", "a sees t1").input("10s", "log", Up).input("10500ms", "log", Down).until("30s");
        world.ledger("a -> b", "upstream=1 in_flight=1").input("30s", "log", CatchingUp).input("40s", "log", Up);
        world.until("41s+1us").decided("a -> b", "41s").blind("a -> b", "41s");
    });
}

#[test]
fn a_stream_with_a_blind_edge_forgets_nothing() {
    let lines = ["a -> b: within=1s", "c -> d: within=1s", "input http: nodes=a,b", "input log: keeps nodes=c,d"];
    both(&lines, |world| {
        world.at("0s", "a sees t1, b sees t1, b sees t2").until("1m").tokens(2).fresh("a -> b", Freshness::Live);
        world.ledger("a -> b", "upstream=1 pass=1").input("1m", "log", Up).until("61s").tokens(2);
        world.until("61s+1us").tokens(0).ledger("a -> b", "upstream=1 pass=1 orphans=1").blind("a -> b", "0s");
    });
    both(&HTTP, |world| {
        world.at("0s", "a sees t1, b sees t1").gap("1s", "10s").tokens(1).until("10s+1us").tokens(0);
    });
}

#[test]
fn an_upstream_that_is_read_late_finds_what_came_before() {
    both(&["a -> b: within=1s", "input log: keeps nodes=a", "input http: nodes=b"], |world| {
        world.at("0s", "b sees t1 via http").at("1m", "a sees t1 stamped 0s via log").input("1m", "log", Up).settle();
        world.ledger("a -> b", "upstream=1 pass=1");
    });
}

#[test]
fn groups_need_a_witness_from_their_first_event_on() {
    both(&["a -> b: every=2 expect=1 within=1s", "input http"], |world| {
        world.at("1s", "a sees t1").gap("2s", "3s").at("4s", "a sees t2").until("6s");
        world.ledger("a -> b", "upstream=1 in_flight=1").until("6s+1us");
        world.ledger("a -> b", "upstream=1 indeterminate=1").window("a -> b", "");
        world.at("7s", "a sees t3, a sees t4").until("10s").ledger("a -> b", "upstream=2 indeterminate=1 missing=1");
    });
}

#[test]
fn groups_and_what_waits_for_them_are_waited_for() {
    let lines = ["a -> b: every=1 expect=1 within=1s", "input http: nodes=a", "input log: keeps nodes=b"];
    both(&lines, |world| {
        world.at("0s", "a sees t1, a sees t2, b sees t1 via log").until("10s");
        world.ledger("a -> b", "upstream=2 pass=1 in_flight=1").input("10s", "log", Up).until("11s+1us");
        world.ledger("a -> b", "upstream=2 pass=1 missing=1").decided("a -> b", "11s");
    });
    // A downstream event that came first waits for its group as long.
    both(&["a -> b: every=1 expect=1 within=1s", "input http: nodes=b", "input log: keeps nodes=a"], |world| {
        world.at("0s", "b sees t1").at("1m", "a sees t1 stamped 0s via log");
        world.ledger("a -> b", "upstream=1 pass=1");
    });
}

#[test]
fn silence_does_not_count_the_time_in_which_nobody_could_hear() {
    both(&["a -> b: within=1s silence=5m", "node a: silence=4m", "input http"], |world| {
        world.at("0s", "a sees t1, b sees t1").input("1m", "http", Down).until("6m").fresh("a -> b", Freshness::Blind);
        world.input("11m", "http", Up).until("14m").state("a", NodeState::Observed);
        world.until("14m+1us").state("a", NodeState::Silent).until("15m").fresh("a -> b", Freshness::Idle);
        world.until("15m+1us").fresh("a -> b", Freshness::Silent).blind("a -> b", "10m");
    });
}

#[test]
fn blind_goes_before_silent_and_changes_no_status() {
    both(&["a -> b: within=1s silence=1m", "input http"], |world| {
        world.at("0s", "a sees t1, b sees t1").until("2m").fresh("a -> b", Freshness::Silent);
        world.input("2m", "http", Down).fresh("a -> b", Freshness::Blind).status("a -> b", Status::Ok, "0s");
        world.stream(Status::Nok, 0).input("3m", "http", Up).fresh("a -> b", Freshness::Silent);
    });
}

#[test]
fn grace_is_longer_by_the_largest_delay_of_the_inputs() {
    both(&["a -> b: within=1s", "input http: nodes=a", "input queue: delay=3s nodes=b"], |world| {
        world.at("0s", "a sees t1").until("5s").ledger("a -> b", "upstream=1 in_flight=1").until("5s+1us");
        world.ledger("a -> b", "upstream=1 missing=1").until("9s").tokens(1).until("9s+1us").tokens(0);
    });
}

#[test]
fn the_delay_is_fixed_when_the_request_arrives() {
    both(&["a -> b: within=1s", "input http", "input slow: delay=3s"], |world| {
        world.at("0s", "a sees t1").at("1s", "b sees t0").at("1s", "a sees t2").until("3s+1us");
        world.ledger("a -> b", "upstream=2 missing=1 in_flight=1").tokens(3).until("5s");
        world.ledger("a -> b", "upstream=2 missing=1 in_flight=1 orphans=1").tokens(1);
        world.until("5s+1us").ledger("a -> b", "upstream=2 missing=2 orphans=1").tokens(0);
        world.window("a -> b", "missing t1").decided("a -> b", "5s");
    });
}

#[test]
fn what_is_kept_waits_for_grace_with_the_delay() {
    both(&["a -> b: within=1s", "input http: nodes=a", "input log: keeps delay=3s nodes=b"], |world| {
        world.at("0s", "a sees t1").input("10s", "log", Up).until("14s").ledger("a -> b", "upstream=1 in_flight=1");
        world.until("14s+1us").ledger("a -> b", "upstream=1 missing=1").decided("a -> b", "14s");
    });
}

#[test]
fn in_a_replay_of_files_nothing_is_blind() {
    both(&["a -> b: within=1s"], |world| {
        world.at("0s", "a sees t1 stamped -1s").gap("500ms", "700ms").until("3s");
        world.ledger("a -> b", "upstream=1 missing=1").blind("a -> b", "0s");
    });
}
