//! Matching, deadlines and outcomes.

use super::both;

const LINE: [&str; 1] = ["a -> b: within=500ms grace=1s"];

#[test]
fn a_match_within_the_deadline_is_a_pass() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").ledger("a -> b", "upstream=1 in_flight=1");
        world.at("200ms", "b sees t1").ledger("a -> b", "upstream=1 pass=1").window("a -> b", "pass t1 200ms");
    });
}

#[test]
fn a_latency_of_exactly_within_is_in_time() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").at("500ms", "b sees t1").window("a -> b", "pass t1 500ms");
        world.at("1s", "a sees t2").at("1500ms+1us", "b sees t2").window("a -> b", "late t2 500001us");
    });
}

#[test]
fn latency_is_the_senders_clocks_never_ours() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1 stamped -300ms").at("0s", "b sees t1 stamped 200ms");
        world.window("a -> b", "pass t1 500ms");
        world.at("2s", "a sees t2").at("3s", "b sees t2 stamped 2100ms");
        world.ledger("a -> b", "upstream=2 pass=2");
    });
}

#[test]
fn a_downstream_stamped_up_to_the_clock_skew_before_is_a_pass_with_latency_0() {
    both(&["a -> b: within=500ms skew=50ms window=5"], |world| {
        world.at("1s", "a sees t1, b sees t1 stamped 950ms").window("a -> b", "pass t1 0s");
        world.at("2s", "a sees t2, b sees t2 stamped 1950ms-1us").window("a -> b", "pass t1 0s, reversed t2");
        world.ledger("a -> b", "upstream=2 pass=1 reversed=1").label("a -> b", "OK(pass=2/2 100%)");
        assert_eq!(world.edge("a -> b").clock_difference_ms, Some(50.001));
    });
}

#[test]
fn the_deadline_itself_is_still_in_time() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").until("1500ms").ledger("a -> b", "upstream=1 in_flight=1");
        world.until("1500ms+1us").ledger("a -> b", "upstream=1 missing=1").decided("a -> b", "1500ms");
    });
}

#[test]
fn a_match_that_arrives_at_the_deadline_is_judged_by_its_latency() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").at("1500ms", "b sees t1 stamped 400ms").ledger("a -> b", "upstream=1 pass=1");
        world.at("2s", "a sees t2").at("3500ms", "b sees t2").ledger("a -> b", "upstream=2 pass=1 late=1");
    });
}

#[test]
fn what_is_due_is_judged_before_the_next_event_and_counts_as_decided_at_its_deadline() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").at("9s", "a sees t2").decided("a -> b", "1500ms");
        world.ledger("a -> b", "upstream=2 missing=1 in_flight=1");
    });
}

#[test]
fn the_deadline_runs_from_the_arrival_not_from_the_stamp() {
    both(&LINE, |world| {
        world.at("10s", "a sees t1 stamped 2s").until("11500ms").ledger("a -> b", "upstream=1 in_flight=1");
        world.until("11500ms+1us").ledger("a -> b", "upstream=1 missing=1");
    });
}

#[test]
fn the_inputs_delay_is_added_to_grace() {
    both(&["a -> b: within=500ms grace=1s delay=15s"], |world| {
        world.at("0s", "a sees t1").until("16500ms").ledger("a -> b", "upstream=1 in_flight=1");
        world.until("16500ms+1us").ledger("a -> b", "upstream=1 missing=1");
    });
}

#[test]
fn events_match_in_any_order_of_arrival() {
    both(&LINE, |world| {
        world.at("1s", "b sees t1 stamped 100ms").ledger("a -> b", "");
        world.at("2s", "a sees t1 stamped 0s").ledger("a -> b", "upstream=1 pass=1").decided("a -> b", "2s");
        world.window("a -> b", "pass t1 100ms");
    });
}

#[test]
fn a_duplicate_is_counted_on_every_edge_that_touches_the_node_and_changes_nothing_else() {
    both(&["a -> b: within=500ms", "b -> c: within=500ms", "b -> d", "a -> d"], |world| {
        world.at("0s", "a sees t1").at("100ms", "b sees t1").at("200ms", "b sees t1 stamped 9s");
        world.ledger("a -> b", "upstream=1 pass=1 duplicates=1").window("a -> b", "pass t1 100ms");
        world.ledger("b -> c", "upstream=1 in_flight=1 duplicates=1");
        world.ledger("b -> d", "upstream=1 in_flight=1 duplicates=1");
        world.ledger("a -> d", "upstream=1 in_flight=1");
        assert_eq!(world.node("b").events, 2);
    });
}

#[test]
fn the_first_to_arrive_stands() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1, a sees t1 stamped -400ms").at("400ms", "b sees t1, b sees t1 stamped 9s");
        world.window("a -> b", "pass t1 400ms").ledger("a -> b", "upstream=1 pass=1 duplicates=2");
    });
}

#[test]
fn one_event_serves_every_edge_of_every_stream_that_its_node_touches() {
    let lines = ["a -> b: within=1s", "b -> c: within=1s", "stream second", "b -> d: within=1s"];
    both(&lines, |world| {
        world.at("0s", "a sees t1").at("1s", "b sees t1");
        world.ledger("a -> b", "upstream=1 pass=1").ledger("b -> c", "upstream=1 in_flight=1");
        world.ledger("second: b -> d", "upstream=1 in_flight=1").tokens(2);
    });
}

#[test]
fn every_edge_out_of_a_node_has_its_own_outcome() {
    both(&["a -> b: within=1s", "a -> c: within=5s", "a -> d"], |world| {
        world.at("0s", "a sees t1").at("1s", "b sees t1").until("7s");
        world.ledger("a -> b", "upstream=1 pass=1").ledger("a -> c", "upstream=1 missing=1");
        world.ledger("a -> d", "upstream=1 in_flight=1");
    });
}

#[test]
fn what_was_seen_beyond_the_downstream_is_unreported_not_missing() {
    both(&["a -> b: within=500ms", "b -> c: within=500ms"], |world| {
        world.at("0s", "a sees t1").at("400ms", "c sees t1").until("2s");
        world.ledger("a -> b", "upstream=1 unreported=1").label("a -> b", "UNKNOWN(pass=0/0)");
        world.ledger("b -> c", "").fails("a -> b", "").window("a -> b", "unreported t1");
        assert_eq!((world.node("b").unreported, world.node("c").unreported), (1, 0));
    });
}

#[test]
fn beyond_means_that_no_way_leads_past_the_downstream() {
    both(&["a -> b: within=500ms", "b -> d: within=500ms", "a -> c: within=500ms", "c -> d: within=500ms"], |world| {
        world.at("0s", "a sees t1").at("100ms", "d sees t1").until("3s");
        world.ledger("a -> b", "upstream=1 missing=1").ledger("a -> c", "upstream=1 missing=1");
    });
}

#[test]
fn what_was_seen_beyond_before_its_upstream_counts_too() {
    both(&["a -> b: within=500ms", "b -> c: within=500ms"], |world| {
        world.at("0s", "c sees t1").at("100ms", "a sees t1").until("3s").ledger("a -> b", "upstream=1 unreported=1");
    });
}

#[test]
fn without_a_check_every_match_is_a_pass_however_late() {
    both(&["a -> b", "horizon=10s"], |world| {
        world.at("0s", "a sees t1").at("9s", "b sees t1").window("a -> b", "pass t1 9s");
        world.at("9s", "a sees t2").at("9s", "b sees t2 stamped 9s-50ms").window("a -> b", "pass t1 9s, pass t2 0s");
        world.at("9s", "a sees t3").at("9s", "b sees t3 stamped 1s").ledger("a -> b", "upstream=3 pass=3");
        world.window("a -> b", "pass t1 9s, pass t2 0s, pass t3");
    });
}

#[test]
fn without_a_check_what_does_not_come_is_unmatched_when_it_is_forgotten() {
    both(&["a -> b: grace=1s", "horizon=10s"], |world| {
        world.at("0s", "a sees t1").until("12s").ledger("a -> b", "upstream=1 in_flight=1");
        world.until("12s+1us").ledger("a -> b", "upstream=1 unmatched=1").label("a -> b", "UNKNOWN(pass=0/0)");
        world.window("a -> b", "").stream(observatory::outcome::Status::Unknown, 0);
    });
}

#[test]
fn an_optional_edge_has_no_deadline_but_judges_by_latency() {
    both(&["a -> b: within=1s optional ok=1 fail=2 warn=1", "horizon=10s", "a -> c: within=60s"], |world| {
        world.at("0s", "a sees t1, a sees t2, a sees t3, a sees t4");
        world.at("1s", "b sees t1").at("2s", "b sees t2").at("2s", "b sees t3 stamped -1s").until("9s");
        world.ledger("a -> b", "upstream=4 pass=1 late=1 reversed=1 in_flight=1");
        world.until("5m").ledger("a -> b", "upstream=4 pass=1 late=1 reversed=1 unmatched=1");
        world.label("a -> b", "WARN(pass=2/3 66%)");
    });
}

#[test]
fn deadlines_at_the_same_moment_go_by_the_arrival_of_their_upstream() {
    both(&["a -> b: within=1s window=9"], |world| {
        world.at("0s", "a sees t2, a sees t1, a sees t3").until("1m");
        world.window("a -> b", "missing t2, missing t1, missing t3");
    });
}

#[test]
fn the_arrival_clock_never_goes_back() {
    both(&LINE, |world| {
        world.at("5s", "a sees t1").at("3s", "a sees t2 stamped 3s").until("6500ms");
        world.ledger("a -> b", "upstream=2 in_flight=2").until("1s").ledger("a -> b", "upstream=2 in_flight=2");
        world.until("6500ms+1us").ledger("a -> b", "upstream=2 missing=2");
    });
}
