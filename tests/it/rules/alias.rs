//! Aliases: two tokens, one message.

use super::both;

const LINE: [&str; 1] = ["a -> b: within=1s grace=1s window=5"];
const CHAIN: [&str; 2] = ["a -> b: within=1s grace=1s window=5", "b -> c: within=1s grace=1s window=5"];

#[test]
fn a_request_becomes_a_job() {
    both(&CHAIN, |world| {
        world.at("0s", "a sees r1").at("100ms", "b sees r1 alias j1").at("300ms", "c sees j1").tokens(2);
        world.window("a -> b", "pass r1 100ms").window("b -> c", "pass r1 200ms").conflicts(0);
    });
}

#[test]
fn the_event_under_the_alias_may_come_first() {
    both(&CHAIN, |world| {
        world.at("0s", "a sees r1").at("300ms", "c sees j1").at("400ms", "b sees r1 stamped 100ms alias j1");
        world.ledger("a -> b", "upstream=1 pass=1").window("b -> c", "pass r1 200ms").tokens(2);
        world.settle().ledger("b -> c", "upstream=1 pass=1");
    });
}

#[test]
fn the_message_goes_by_the_token_whose_event_carried_the_alias() {
    both(&CHAIN, |world| {
        world.at("0s", "a sees r1").at("100ms", "b sees r1").at("200ms", "c sees j1 alias r1");
        world.window("a -> b", "pass r1 100ms").window("b -> c", "pass j1 100ms");
    });
    both(&LINE, |world| {
        world.at("0s", "a sees r1").at("200ms", "b sees j1 alias r1").window("a -> b", "pass j1 200ms");
    });
    both(&["a -> b: within=1s grace=1s window=5", "x -> y"], |world| {
        world.at("0s", "a sees r1").at("200ms", "x sees j1 alias r1").settle().window("a -> b", "missing j1");
    });
}

#[test]
fn what_arrives_under_a_further_name_shows_the_first() {
    both(&LINE, |world| {
        world.at("0s", "a sees r1 alias j1").at("200ms", "b sees j1").window("a -> b", "pass r1 200ms");
    });
}

#[test]
fn messages_that_a_node_has_both_seen_are_two() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1, a sees t2 alias t1").conflicts(1).at("100ms", "b sees t1");
        world.ledger("a -> b", "upstream=2 pass=1 in_flight=1").at("200ms", "b sees t2 alias t1").conflicts(2);
        world.ledger("a -> b", "upstream=2 pass=2").window("a -> b", "pass t1 100ms, pass t2 200ms").tokens(2);
    });
}

#[test]
fn an_alias_that_names_the_message_already_does_nothing() {
    both(&CHAIN, |world| {
        world.at("0s", "a sees t1 alias t1").tokens(1).at("100ms", "b sees t1 alias t2").tokens(2);
        world.at("200ms", "c sees t2 alias t1").conflicts(0).tokens(2).window("b -> c", "pass t1 100ms");
    });
}

#[test]
fn a_duplicate_brings_no_alias() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1, a sees t1 alias t2").tokens(1).at("1s", "b sees t2").tokens(2);
        world.ledger("a -> b", "upstream=1 in_flight=1 duplicates=1");
    });
}

#[test]
fn three_names_of_one_message_are_one_chain() {
    both(&["a -> b: within=1s", "b -> c: within=1s", "c -> d: within=1s"], |world| {
        world.at("0s", "a sees x").at("100ms", "b sees x alias y").at("200ms", "c sees y alias z");
        world.at("300ms", "d sees z").tokens(3);
        for edge in ["a -> b", "b -> c", "c -> d"] {
            world.ledger(edge, "upstream=1 pass=1").window(edge, "pass x 100ms");
        }
    });
    // The names of both come along when two messages are joined.
    both(&["a -> b: within=1s", "b -> c: within=1s", "c -> d: within=1s"], |world| {
        world.at("0s", "a sees x alias y").at("100ms", "c sees z alias w, b sees y alias w").tokens(4);
        world.at("200ms", "d sees z").ledger("c -> d", "upstream=1 pass=1").ledger("b -> c", "upstream=1 pass=1");
        world.at("200ms", "a sees w").ledger("a -> b", "upstream=1 pass=1 duplicates=1").conflicts(0);
    });
}

#[test]
fn a_join_after_missing_corrects_the_record() {
    both(&["a -> b: within=1s grace=1s window=5", "c -> d: within=9s"], |world| {
        world.at("0s", "a sees t1").at("1500ms", "b sees t2").at("3s", "c sees t2 alias t1");
        world.ledger("a -> b", "upstream=1 late=1 revisions=1").window("a -> b", "late t1 1500ms").conflicts(0);
        world.fails("a -> b", "late t1 1500ms").settle().ledger("a -> b", "upstream=1 late=1 revisions=1");
    });
}

#[test]
fn an_event_beyond_under_the_alias_makes_unreported_of_missing() {
    both(&["a -> b: within=1s grace=1s window=5", "b -> c: within=9s", "a -> x: within=9s"], |world| {
        world.at("0s", "a sees t1").at("1s", "c sees t2").until("3s").ledger("a -> b", "upstream=1 missing=1");
        world.at("3s", "x sees t2 alias t1").ledger("a -> b", "upstream=1 unreported=1 revisions=1");
        world.ledger("a -> x", "upstream=1 pass=1").settle().ledger("b -> c", "orphans=1");
    });
}

#[test]
fn an_event_under_the_other_name_is_a_duplicate() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1 alias t2, a sees t2").at("100ms", "b sees t2, b sees t1");
        world.ledger("a -> b", "upstream=1 pass=1 duplicates=2").settle();
        world.ledger("a -> b", "upstream=1 pass=1 duplicates=2");
    });
}

#[test]
fn an_orphan_is_avoided_by_a_join() {
    both(&LINE, |world| {
        world.at("0s", "b sees t2").at("2s", "a sees t1 stamped -100ms alias t2").settle();
        world.ledger("a -> b", "upstream=1 pass=1").window("a -> b", "pass t1 100ms");
    });
}

#[test]
fn every_name_counts_for_the_limit() {
    both(&["a -> b: within=1s grace=1s", "max_tokens=3"], |world| {
        world.at("0s", "a sees t1 alias t2, b sees t1").tokens(2).at("1ms", "a sees t3").tokens(3);
        // Room for the new token is made by forgetting both names of the settled message.
        world.at("2ms", "a sees t4").tokens(2);
        assert_eq!(world.see().evicted, 2);
        // Room for a new name: the oldest undecided request is given up.
        world.at("3ms", "a sees t5 alias t6").tokens(3);
        world.ledger("a -> b", "upstream=4 pass=1 indeterminate=1 in_flight=2");
    });
}

#[test]
fn a_message_may_have_to_go_for_its_own_name() {
    both(&["a -> b: within=1s grace=1s", "max_tokens=1"], |world| {
        world.at("0s", "a sees t1 alias t2").tokens(0).ledger("a -> b", "upstream=1 indeterminate=1");
    });
}

#[test]
fn a_message_is_forgotten_with_all_its_names() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1 alias t2, b sees t1").until("3s").tokens(2).until("3s+1us").tokens(0);
        world.at("4s", "a sees t2").tokens(1).ledger("a -> b", "upstream=2 pass=1 in_flight=1");
    });
}

#[test]
fn a_joined_message_is_remembered_from_the_join_on() {
    both(&["a -> b: within=1s grace=1s", "x -> y: within=1s grace=1s"], |world| {
        world.at("0s", "a sees t1").at("2s", "x sees t2 alias t1").until("5s").tokens(2).until("5s+1us").tokens(0);
    });
}

#[test]
fn a_lost_message_is_found_by_another_name() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1 alias t2").until("10s").tokens(0).ledger("a -> b", "upstream=1 missing=1");
        world.at("10s", "b sees t2").ledger("a -> b", "upstream=1 late=1 revisions=1");
        world.window("a -> b", "late t1 10s").settle().ledger("a -> b", "upstream=1 late=1 revisions=1");
    });
    // The name may be known only now, but it must be known before the downstream event.
    both(&["a -> b: within=1s grace=1s", "x -> y: within=1s grace=1s"], |world| {
        world.at("0s", "a sees t1").at("10s", "x sees t2 alias t1").at("11s", "b sees t2");
        world.ledger("a -> b", "upstream=1 late=1 revisions=1");
    });
    both(&["a -> b: within=1s grace=1s", "x -> y: within=1s grace=1s"], |world| {
        world.at("0s", "a sees t1").at("10s", "b sees t2").at("11s", "x sees t2 alias t1").settle();
        world.ledger("a -> b", "upstream=1 missing=1 orphans=1");
    });
}

#[test]
fn a_lost_message_that_shares_a_name_replaces_the_older() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1 alias t2").at("10s", "a sees t2").until("20s");
        world.ledger("a -> b", "upstream=2 missing=2").at("20s", "b sees t1").settle();
        world.ledger("a -> b", "upstream=2 missing=2 orphans=1").at("30s", "b sees t2");
        world.ledger("a -> b", "upstream=2 missing=1 late=1 orphans=1 revisions=1");
    });
}

#[test]
fn a_group_claims_under_either_name() {
    let check = "a -> b: within=9s every=2 expect=2 same_token";
    both(&[check], |world| {
        world.at("0s", "a sees t1 alias j1").at("1s", "a sees t2").at("2s", "b sees j1, b sees t2");
        world.ledger("a -> b", "upstream=1 pass=1");
    });
    // What waits under the alias is offered again by the join.
    both(&[check, "x -> y"], |world| {
        world.at("0s", "a sees t1, a sees t2").at("1s", "b sees j1").at("2s", "b sees t2");
        world.ledger("a -> b", "upstream=1 in_flight=1").at("3s", "x sees t1 alias j1");
        world.ledger("a -> b", "upstream=1 pass=1");
    });
}

#[test]
fn a_group_knows_an_alias_that_the_stream_has_forgotten() {
    both(&["a -> b: within=1s every=2 expect=1 same_token", "x -> y"], |world| {
        world.at("0s", "a sees r1").until("1m").tokens(0).at("1m", "x sees j1 alias r1");
        world.at("1m", "b sees r1, a sees t2").ledger("a -> b", "upstream=1 pass=1");
    });
}
