//! Count checks: groups.

use super::both;

/// Of every 3 upstream events 2 must be seen, within a second, with a second of grace.
const PAIR: [&str; 1] = ["a -> b: every=3 expect=2 within=1s grace=1s skew=50ms window=9"];

#[test]
fn a_full_group_with_its_claims_is_a_pass_at_that_moment() {
    both(&PAIR, |world| {
        world.at("0s", "a sees t1, a sees t2, a sees t3, b sees x1").ledger("a -> b", "upstream=1 in_flight=1");
        world.at("1s", "b sees x2").ledger("a -> b", "upstream=1 pass=1").decided("a -> b", "1s");
        world.window("a -> b", "pass");
    });
}

#[test]
fn a_group_that_has_its_claims_passes_when_it_is_full() {
    both(&PAIR, |world| {
        world.at("0s", "a sees t1, a sees t2, b sees x1, b sees x2").ledger("a -> b", "upstream=1 in_flight=1");
        world.at("5s", "a sees t3").ledger("a -> b", "upstream=1 pass=1").decided("a -> b", "5s");
    });
}

#[test]
fn a_full_group_without_its_claims_is_missing_after_its_deadline() {
    both(&PAIR, |world| {
        world.at("0s", "a sees t1").at("4s", "a sees t2").at("9s", "a sees t3, b sees x1");
        world.until("11s").ledger("a -> b", "upstream=1 in_flight=1");
        world
            .until("11s+1us")
            .ledger("a -> b", "upstream=1 missing=1")
            .decided("a -> b", "11s")
            .fails("a -> b", "missing");
    });
}

#[test]
fn an_unfilled_group_is_in_flight_and_never_judged() {
    both(&PAIR, |world| {
        world.at("0s", "a sees t1, a sees t2").until("24h").ledger("a -> b", "upstream=1 in_flight=1");
        world.settle().ledger("a -> b", "upstream=1 in_flight=1");
    });
}

#[test]
fn the_ledger_counts_groups() {
    both(&["a -> b: every=2 expect=1 within=1s"], |world| {
        world.at("0s", "a sees t1, a sees t2, a sees t3, a sees t4, a sees t5, b sees x1");
        world.ledger("a -> b", "upstream=3 pass=1 in_flight=2");
    });
}

#[test]
fn a_group_covers_from_its_first_events_stamp_less_the_skew() {
    both(&["a -> b: every=1 expect=1 within=1s skew=50ms"], |world| {
        world.at("10s", "a sees t1").at("10s", "b sees x1 stamped 10s-50ms-1us");
        world.ledger("a -> b", "upstream=1 in_flight=1");
        world.at("10s", "b sees x2 stamped 10s-50ms").ledger("a -> b", "upstream=1 pass=1");
    });
}

#[test]
fn while_it_is_not_full_a_group_covers_anything_later() {
    both(&["a -> b: every=2 expect=1 within=1s"], |world| {
        world.at("0s", "a sees t1").at("0s", "b sees x1 stamped 5m").at("1s", "a sees t2");
        world.ledger("a -> b", "upstream=1 pass=1");
    });
}

#[test]
fn once_full_a_group_covers_up_to_its_last_events_stamp_and_within() {
    both(&["a -> b: every=2 expect=1 within=1s grace=9s"], |world| {
        world.at("0s", "a sees t1").at("2s", "a sees t2").at("3s+1us", "b sees x1");
        world.ledger("a -> b", "upstream=1 in_flight=1").at("4s", "b sees x2 stamped 3s");
        world.ledger("a -> b", "upstream=1 pass=1");
    });
}

#[test]
fn first_and_last_are_by_arrival_not_by_stamp() {
    both(&["a -> b: every=2 expect=1 within=1s grace=9s skew=0s"], |world| {
        world.at("5s", "a sees t1 stamped 4s").at("5s", "a sees t2 stamped 1s");
        world.at("5s", "b sees x1 stamped 3s").ledger("a -> b", "upstream=1 in_flight=1");
        world.at("5s", "b sees x2 stamped 4s").ledger("a -> b", "upstream=1 in_flight=1");
    });
}

#[test]
fn the_oldest_group_that_can_claims() {
    both(&["a -> b: every=1 expect=1 within=10s window=9"], |world| {
        world.at("0s", "a sees t1").at("1s", "a sees t2").at("2s", "b sees x1");
        world
            .ledger("a -> b", "upstream=2 pass=1 in_flight=1")
            .until("11s+1us")
            .ledger("a -> b", "upstream=2 pass=1 in_flight=1");
        world.until("12s+1us").ledger("a -> b", "upstream=2 pass=1 missing=1");
    });
}

#[test]
fn a_judged_group_claims_no_more_and_is_not_revised() {
    both(&["a -> b: every=1 expect=1 within=1s grace=1s"], |world| {
        world.at("0s", "a sees t1").at("3s", "b sees x1 stamped 0s").settle();
        world.ledger("a -> b", "upstream=1 missing=1");
    });
}

#[test]
fn a_downstream_event_that_came_first_waits() {
    both(&["a -> b: every=1 expect=1 within=1s grace=1s skew=50ms"], |world| {
        world.at("0s", "b sees x1 stamped 1s").at("1s", "a sees t1").ledger("a -> b", "upstream=1 pass=1");
    });
}

#[test]
fn what_waits_is_dropped_after_within_and_twice_the_grace() {
    let line = ["a -> b: every=1 expect=1 within=1s grace=1s skew=1h"];
    both(&line, |world| {
        world.at("0s", "b sees x1").at("3s", "a sees t1").ledger("a -> b", "upstream=1 pass=1");
    });
    both(&line, |world| {
        world.at("0s", "b sees x1").at("3s+1us", "a sees t1").ledger("a -> b", "upstream=1 in_flight=1");
    });
}

#[test]
fn when_a_group_begins_what_waits_from_before_it_is_dropped() {
    both(&["a -> b: every=1 expect=1 within=1s grace=1s skew=0s"], |world| {
        world.at("0s", "b sees x1").at("1s", "a sees t1 stamped 1us").at("1s", "a sees t2 stamped 0s");
        world.ledger("a -> b", "upstream=2 in_flight=2");
    });
}

#[test]
fn what_waits_is_offered_in_order_of_arrival() {
    both(&["a -> b: every=1 expect=1 within=2s grace=1s skew=0s"], |world| {
        // x2 would only fit the first group; x1 came first and takes it.
        world.at("0s", "b sees x1 stamped 5s, b sees x2 stamped 2s").at("1s", "a sees t1 stamped 2s");
        world.ledger("a -> b", "upstream=1 pass=1").at("1s", "a sees t2 stamped 4s");
        world.ledger("a -> b", "upstream=2 pass=2");
    });
}

#[test]
fn a_claim_stands() {
    both(&["a -> b: every=2 expect=1 within=1s grace=1s"], |world| {
        // Full, the group would not cover x1 any more.
        world.at("0s", "a sees t1").at("0s", "b sees x1 stamped 1h").at("1s", "a sees t2 stamped 1s");
        world.ledger("a -> b", "upstream=1 pass=1");
    });
}

#[test]
fn duplicates_make_no_groups_and_no_claims() {
    both(&["a -> b: every=2 expect=2 within=1s"], |world| {
        world
            .at("0s", "a sees t1, a sees t1, b sees x1, b sees x1")
            .ledger("a -> b", "upstream=1 in_flight=1 duplicates=2");
        world.at("0s", "a sees t2").ledger("a -> b", "upstream=1 in_flight=1 duplicates=2");
        world.at("0s", "b sees x2").ledger("a -> b", "upstream=1 pass=1 duplicates=2");
    });
}

#[test]
fn count_edges_have_no_orphans() {
    both(&PAIR, |world| {
        world.at("0s", "b sees x1").settle().ledger("a -> b", "").tokens(0);
    });
}

#[test]
fn with_same_token_a_group_claims_only_what_it_holds() {
    both(&["a -> b: every=2 expect=1 within=1s same_token window=9"], |world| {
        world.at("0s", "a sees t1, a sees t2, a sees t3, a sees t4, b sees x1");
        world.ledger("a -> b", "upstream=2 in_flight=2");
        world.at("0s", "b sees t3").ledger("a -> b", "upstream=2 pass=1 in_flight=1").until("1m");
        world.ledger("a -> b", "upstream=2 pass=1 missing=1").window("a -> b", "pass, missing");
    });
}

#[test]
fn with_same_token_what_waits_is_claimed_when_its_token_joins() {
    both(&["a -> b: every=2 expect=1 within=1s same_token"], |world| {
        world.at("0s", "a sees t1, b sees t2").ledger("a -> b", "upstream=1 in_flight=1");
        world.at("1s", "a sees t2").ledger("a -> b", "upstream=1 pass=1");
    });
}

#[test]
fn past_the_limit_the_oldest_group_is_given_up() {
    both(&["max_tokens=2", "a -> b: every=1 expect=1 within=1s"], |world| {
        world.at("0s", "a sees t1").at("1ms", "a sees t2").at("2ms", "a sees t3");
        world.ledger("a -> b", "upstream=3 indeterminate=1 in_flight=2").window("a -> b", "");
        world.at("3ms", "b sees t3").ledger("a -> b", "upstream=3 pass=1 indeterminate=1 in_flight=1");
    });
}

#[test]
fn a_judged_group_does_not_count_towards_the_limit() {
    both(&["max_tokens=2", "a -> b: every=1 expect=1 within=1s grace=1h"], |world| {
        // The second group passes before the first is judged; the third is only the second that is not.
        world.at("0s", "a sees t1").at("1ms", "a sees t2 stamped 10s").at("2ms", "b sees x1 stamped 10s");
        world.ledger("a -> b", "upstream=2 pass=1 in_flight=1").at("3ms", "a sees t3");
        world.ledger("a -> b", "upstream=3 pass=1 in_flight=2");
    });
}

#[test]
fn past_the_limit_the_oldest_that_waits_is_dropped() {
    both(&["max_tokens=2", "a -> b: every=1 expect=1 within=1s window=9"], |world| {
        world.at("0s", "b sees x1").at("1ms", "b sees x2").at("2ms", "b sees x3");
        world.at("3ms", "a sees t1 stamped 0s").at("4ms", "a sees t2 stamped 0s").at("5ms", "a sees t3 stamped 0s");
        world.ledger("a -> b", "upstream=3 pass=2 in_flight=1");
    });
}
