//! The window: how many, for how long, in which order.

use observatory::outcome::Status;

use super::both;

#[test]
fn its_size_is_the_sum_of_the_thresholds() {
    both(&["a -> b: within=1s ok=1 warn=1 fail=1"], |world| {
        for (number, time) in ["0s", "1s", "2s", "3s"].into_iter().enumerate() {
            world.at(time, &format!("a sees t{number}, b sees t{number}"));
        }
        world.window("a -> b", "pass t1 0s, pass t2 0s, pass t3 0s");
    });
}

#[test]
fn a_check_may_say_how_many() {
    both(&["a -> b: within=1s window=2"], |world| {
        world.at("0s", "a sees t1, b sees t1, a sees t2, b sees t2, a sees t3, b sees t3");
        world.window("a -> b", "pass t2 0s, pass t3 0s");
    });
}

#[test]
fn without_a_check_it_is_100() {
    both(&["a -> b"], |world| {
        for number in 0..130 {
            world.at("0s", &format!("a sees t{number}, b sees t{number}"));
        }
        world.label("a -> b", "OK(pass=100/100 100%)");
    });
}

#[test]
fn outcomes_stand_in_the_order_in_which_they_were_first_decided() {
    both(&["a -> b: within=1s window=5"], |world| {
        world.at("0s", "a sees t1").at("100ms", "a sees t2").at("200ms", "b sees t2").at("300ms", "b sees t1");
        world.window("a -> b", "pass t2 100ms, pass t1 300ms");
    });
}

#[test]
fn unreported_takes_an_empty_place() {
    both(&["a -> b: within=1s ok=1 warn=1 fail=0", "b -> c: within=1s"], |world| {
        world.at("0s", "a sees t1").until("3s").label("a -> b", "NOK(pass=0/1 0%)");
        world.at("3s", "a sees t2, c sees t2").at("4s", "a sees t3, c sees t3").until("10s");
        world.label("a -> b", "UNKNOWN(pass=0/0)").window("a -> b", "unreported t2, unreported t3");
    });
}

#[test]
fn indeterminate_and_unmatched_take_no_place() {
    both(&["max_tokens=1", "a -> b: within=1s ok=1", "a -> c"], |world| {
        world.at("0s", "a sees t1").at("1ms", "b sees t1, c sees t1").at("2ms", "a sees t2").at("3ms", "a sees t3");
        world.window("a -> b", "pass t1 1ms").settle().window("a -> c", "pass t1 1ms");
        world.ledger("a -> c", "upstream=3 pass=1 indeterminate=1 unmatched=1");
    });
}

#[test]
fn a_window_in_time_holds_what_was_decided_at_most_that_long_ago() {
    both(&["a -> b: within=1s ok=1 window=1m"], |world| {
        world.at("1s", "a sees t1").at("2s", "b sees t1").until("62s").label("a -> b", "OK(pass=1/1 100%)");
        world.until("62s+1us").label("a -> b", "UNKNOWN(pass=0/0)").status("a -> b", Status::Unknown, "62s+1us");
    });
}

#[test]
fn a_window_in_time_counts_from_the_deadline_of_a_missing() {
    both(&["a -> b: within=1s grace=1s window=1m"], |world| {
        world.at("0s", "a sees t1").until("62s").label("a -> b", "NOK(pass=0/1 0%)");
        world.until("62s+1us").label("a -> b", "UNKNOWN(pass=0/0)");
    });
}

#[test]
fn passes_that_leave_a_window_in_time_can_make_it_worse() {
    both(&["a -> b: within=1s grace=1s ok=1 fail=50% window=1m"], |world| {
        world.at("0s", "a sees t1, b sees t1, a sees t2, b sees t2").at("28s", "a sees t3").until("60s");
        world.label("a -> b", "WARN(pass=2/3 66%)").until("60s+1us").label("a -> b", "NOK(pass=0/1 0%)");
        world.status("a -> b", Status::Nok, "60s+1us").held("a -> b", Status::Nok, "60s+1us");
    });
}

#[test]
fn a_revision_does_not_renew_a_place_in_a_window_in_time() {
    both(&["a -> b: within=1s grace=1s window=10s"], |world| {
        world.at("0s", "a sees t1").at("2500ms", "b sees t1 stamped 1s").until("12s").window("a -> b", "pass t1 1s");
        world.until("12s+1us").window("a -> b", "");
    });
}

#[test]
fn the_last_fails_are_kept_beyond_the_window() {
    both(&["a -> b: within=1s ok=1 fail=0"], |world| {
        for number in 0..120 {
            world.at("0s", &format!("a sees t{number}"));
        }
        world.until("1m");
        let fails = world.edge("a -> b").fails;
        assert_eq!(fails.len(), 100);
        assert_eq!(fails[99].token.as_ref().map(ToString::to_string).as_deref(), Some("t119"));
        world.window("a -> b", "missing t119");
    });
}
