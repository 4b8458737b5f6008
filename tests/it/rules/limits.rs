//! `max_tokens`: what is given up first, and by whom.

use observatory::outcome::Status;

use super::both;

const SMALL: [&str; 2] = ["max_tokens=2", "a -> b: within=10s"];

#[test]
fn the_oldest_settled_token_is_forgotten_first() {
    both(&SMALL, |world| {
        world.at("0s", "a sees t1").at("1s", "a sees t2").at("2s", "b sees t2").at("3s", "a sees t3").tokens(2);
        world.ledger("a -> b", "upstream=3 pass=1 in_flight=2");
        assert_eq!(world.see().evicted, 1);
        world.at("4s", "b sees t1").ledger("a -> b", "upstream=3 pass=2 in_flight=1");
    });
}

#[test]
fn settled_tokens_go_by_their_last_new_event() {
    both(&["max_tokens=2", "a -> b: within=10s", "a -> c: within=10s optional"], |world| {
        world.at("0s", "a sees t1").at("1s", "b sees t1").at("2s", "a sees t2").at("3s", "b sees t2");
        world.at("4s", "c sees t1").at("5s", "a sees t3");
        // t2 went: t1 is still known.
        world.at("6s", "a sees t1").ledger("a -> b", "upstream=3 pass=2 in_flight=1 duplicates=1");
    });
}

#[test]
fn a_duplicate_of_a_forgotten_one_counts_anew() {
    both(&SMALL, |world| {
        world.at("0s", "a sees t1").at("1s", "b sees t1").at("2s", "a sees t2").at("3s", "a sees t3");
        world.at("4s", "b sees t2, b sees t3").at("5s", "a sees t1");
        world.ledger("a -> b", "upstream=4 pass=3 in_flight=1");
    });
}

#[test]
fn then_the_oldest_undecided_requests_are_given_up_as_indeterminate() {
    both(&SMALL, |world| {
        world.at("0s", "a sees t1").at("1s", "a sees t2").at("2s", "a sees t3").tokens(2);
        world.ledger("a -> b", "upstream=3 indeterminate=1 in_flight=2").label("a -> b", "UNKNOWN(pass=0/0)");
        world.window("a -> b", "").status("a -> b", Status::Unknown, "0s");
        world.at("3s", "b sees t2, b sees t3").ledger("a -> b", "upstream=3 pass=2 indeterminate=1");
    });
}

#[test]
fn a_request_without_a_deadline_that_is_forgotten_early_is_indeterminate() {
    both(&["max_tokens=1", "a -> b", "a -> c: within=1s optional"], |world| {
        world.at("0s", "a sees t1").at("1s", "a sees t2");
        world.ledger("a -> b", "upstream=2 indeterminate=1 in_flight=1");
        world.ledger("a -> c", "upstream=2 indeterminate=1 in_flight=1");
    });
}

#[test]
fn an_orphan_is_counted_when_it_is_forgotten_early_too() {
    both(&["max_tokens=1", "a -> b: within=10s"], |world| {
        world.at("0s", "b sees t1").at("1s", "b sees t2").ledger("a -> b", "orphans=1");
    });
}

#[test]
fn a_missing_that_is_forgotten_early_is_kept_on_the_lost_list() {
    both(&["max_tokens=1", "a -> b: within=1s grace=1s"], |world| {
        world.at("0s", "a sees t1").at("2500ms", "a sees t2").at("2600ms", "b sees t1");
        world.ledger("a -> b", "upstream=2 late=1 indeterminate=1 revisions=1");
    });
}

#[test]
fn events_that_complete_a_match_are_always_taken() {
    both(&SMALL, |world| {
        world.at("0s", "a sees t1").at("1s", "a sees t2").at("2s", "b sees t1").at("3s", "b sees t2");
        world.ledger("a -> b", "upstream=2 pass=2");
        assert_eq!(world.see().evicted, 0);
    });
}

#[test]
fn a_flood_in_one_stream_costs_no_other_a_verdict() {
    both(&["max_tokens=6", "a -> b: within=10s", "stream second", "x -> y: within=10s"], |world| {
        world.at("0s", "a sees t1").at("1ms", "a sees t2").at("2ms", "a sees t3");
        for time in 10..100 {
            world.at(&format!("{time}ms"), &format!("x sees flood{time}"));
        }
        world.at("1s", "b sees t1, b sees t2").until("1m").ledger("a -> b", "upstream=3 pass=2 missing=1");
        world.ledger("second: x -> y", "upstream=90 indeterminate=87 missing=3");
    });
}

#[test]
fn the_stream_that_the_new_token_joins_wins_a_tie() {
    both(&["max_tokens=3", "a -> b: within=10s", "stream second", "x -> y: within=10s"], |world| {
        world.at("0s", "a sees t1").at("1ms", "a sees t2").at("2ms", "x sees t3");
        // With the new one both have two: its own stream gives up.
        world.at("3ms", "x sees t4").ledger("a -> b", "upstream=2 in_flight=2");
        world.ledger("second: x -> y", "upstream=2 indeterminate=1 in_flight=1");
    });
}
