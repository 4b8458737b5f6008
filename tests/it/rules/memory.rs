//! How long a token is remembered, and what is counted when it is forgotten.

use super::both;

#[test]
fn a_token_is_remembered_for_the_largest_within_and_twice_the_largest_grace() {
    both(&["a -> b: within=1s grace=3s", "b -> c: within=4s grace=1s"], |world| {
        world.at("0s", "a sees t1").until("10s").tokens(1).until("10s+1us").tokens(0);
    });
}

#[test]
fn an_edge_without_a_check_counts_with_the_horizon() {
    both(&["a -> b: within=1s grace=1s", "b -> c: grace=1s", "horizon=20s"], |world| {
        world.at("0s", "a sees t1").until("22s").tokens(1).until("22s+1us").tokens(0);
    });
}

#[test]
fn grace_includes_the_delay_in_this() {
    both(&["a -> b: within=1s grace=1s delay=2s"], |world| {
        world.at("0s", "a sees t1").until("7s").tokens(1).until("7s+1us").tokens(0);
    });
}

#[test]
fn memory_runs_from_the_last_new_event() {
    both(&["a -> b: within=1s grace=1s"], |world| {
        world.at("0s", "a sees t1").at("3s", "b sees t1").until("6s").tokens(1).until("6s+1us").tokens(0);
    });
}

#[test]
fn a_duplicate_does_not_prolong_it() {
    both(&["a -> b: within=1s grace=1s"], |world| {
        world.at("0s", "a sees t1").at("3s", "a sees t1").until("3s+1us").tokens(0);
    });
}

#[test]
fn while_it_is_remembered_a_duplicate_is_known_then_it_counts_anew() {
    both(&["a -> b: within=1s grace=1s"], |world| {
        world.at("0s", "a sees t1, b sees t1").at("3s", "a sees t1").ledger("a -> b", "upstream=1 pass=1 duplicates=1");
    });
    both(&["a -> b: within=1s grace=1s"], |world| {
        world.at("0s", "a sees t1, b sees t1").at("3s+1us", "a sees t1");
        world.ledger("a -> b", "upstream=2 pass=1 in_flight=1");
    });
}

#[test]
fn an_orphan_is_counted_when_its_token_is_forgotten() {
    both(&["a -> b: within=1s grace=1s"], |world| {
        world.at("0s", "b sees t1").until("3s").ledger("a -> b", "").until("3s+1us").ledger("a -> b", "orphans=1");
    });
}

#[test]
fn an_orphan_is_one_of_every_edge_into_its_node_on_which_it_was_not_matched() {
    both(
        &["a -> c: within=1s", "b -> c", "d -> c: within=1s optional", "e -> c: within=1s every=1 expect=1"],
        |world| {
            world.at("0s", "a sees t1, c sees t1").settle();
            world.ledger("a -> c", "upstream=1 pass=1").ledger("b -> c", "orphans=1");
            world.ledger("d -> c", "orphans=1").ledger("e -> c", "");
        },
    );
}

#[test]
fn until_it_is_forgotten_what_came_first_can_be_matched() {
    both(&["a -> b: within=1s grace=1s"], |world| {
        world.at("3s", "b sees t1 stamped 1s").at("6s", "a sees t1 stamped 0s").settle();
        world.ledger("a -> b", "upstream=1 pass=1");
    });
    both(&["a -> b: within=1s grace=1s"], |world| {
        world.at("3s", "b sees t1 stamped 1s").at("6s+1us", "a sees t1 stamped 0s").settle();
        world.ledger("a -> b", "upstream=1 missing=1 orphans=1");
    });
}

#[test]
fn streams_do_not_see_each_other() {
    both(&["a -> b: within=1s grace=1s", "stream second", "a -> b: within=10s grace=1s"], |world| {
        world.at("0s", "a sees t1").until("5s").tokens(1);
        world.at("5s", "b sees t1").ledger("a -> b", "upstream=1 late=1 revisions=1");
        world.ledger("second: a -> b", "upstream=1 pass=1");
        world.at("9s", "b sees t1").ledger("a -> b", "upstream=1 late=1 revisions=1");
        world.ledger("second: a -> b", "upstream=1 pass=1 duplicates=1");
    });
}

#[test]
fn a_token_can_be_used_again_when_it_is_forgotten() {
    both(&["a -> b: within=1s window=5"], |world| {
        for time in ["0s", "1m", "2m"] {
            world.at(time, "a sees t1, b sees t1");
        }
        world.ledger("a -> b", "upstream=3 pass=3").window("a -> b", "pass t1 0s, pass t1 0s, pass t1 0s");
    });
}

#[test]
fn at_the_same_moment_deadlines_go_before_forgetting() {
    // Without grace the deadline is the moment at which the token is forgotten.
    both(&["a -> b: within=1s grace=0s"], |world| {
        world.at("0s", "a sees t1").until("1s+1us").tokens(0).ledger("a -> b", "upstream=1 missing=1");
        world.at("5s", "b sees t1").ledger("a -> b", "upstream=1 late=1 revisions=1");
    });
}

#[test]
fn settling_judges_all_that_is_due_and_forgets_every_token() {
    both(&["a -> b: within=1s", "b -> c", "b -> d: within=9s optional", "x -> b: within=1s"], |world| {
        world.at("0s", "a sees t1, b sees t2").settle().tokens(0);
        world.ledger("a -> b", "upstream=1 missing=1 orphans=1").ledger("b -> c", "upstream=1 unmatched=1");
        world.ledger("b -> d", "upstream=1 unmatched=1").ledger("x -> b", "orphans=1");
    });
}

#[test]
fn without_settling_what_is_in_flight_stays_in_flight() {
    both(&["a -> b: within=1s"], |world| {
        world.at("0s", "a sees t1").until("2s").ledger("a -> b", "upstream=1 in_flight=1");
    });
}
