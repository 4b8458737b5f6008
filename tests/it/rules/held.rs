//! The held status: the worst of the last `hold`.

use observatory::outcome::Status::{Nok, Ok, Unknown, Warn};

use super::both;

const LINE: [&str; 1] = ["a -> b: within=1s grace=0s ok=1 warn=1 fail=0 hold=10s"];

#[test]
fn a_bad_status_is_held_for_hold_after_it_ended() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").until("5s").held("a -> b", Nok, "1s");
        world.at("5s", "a sees t2, b sees t2").at("6s", "a sees t3, b sees t3");
        world.status("a -> b", Ok, "6s").held("a -> b", Nok, "1s");
        world.until("16s").held("a -> b", Nok, "1s").until("16s+1us").held("a -> b", Ok, "16s+1us");
    });
}

#[test]
fn a_status_that_lasted_no_time_is_held_too() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1, a sees t2, a sees t3").at("500ms", "b sees t2, b sees t3");
        world.at("1s", "b sees t1 stamped 1s+1us").status("a -> b", Nok, "1s");
        world.at("1s", "a sees t4, b sees t4, a sees t5, b sees t5").status("a -> b", Ok, "1s");
        world.held("a -> b", Nok, "1s").until("11s+1us").held("a -> b", Ok, "11s+1us");
    });
}

#[test]
fn the_worst_of_several_is_held_then_the_next() {
    both(&["a -> b: within=1s grace=0s ok=1 warn=1 fail=2 hold=10s"], |world| {
        world.at("0s", "a sees t1, a sees t2").until("2s").held("a -> b", Nok, "1s");
        // Window of four: NOK until one fail is pushed out, WARN until both are.
        world.at("2s", "a sees t3, b sees t3, a sees t4, b sees t4").status("a -> b", Nok, "1s");
        world.at("3s", "a sees t5, b sees t5").status("a -> b", Warn, "3s");
        world.at("5s", "a sees t6, b sees t6").status("a -> b", Ok, "5s").held("a -> b", Nok, "1s");
        world.until("13s").held("a -> b", Nok, "1s").until("13s+1us").held("a -> b", Warn, "13s+1us");
        world.until("15s").held("a -> b", Warn, "13s+1us").until("15s+1us").held("a -> b", Ok, "15s+1us");
    });
}

#[test]
fn unknown_ranks_below_ok() {
    both(&["a -> b: within=1s ok=1 window=1s hold=10s"], |world| {
        world.held("a -> b", Unknown, "0s").at("0s", "a sees t1, b sees t1").held("a -> b", Ok, "0s");
        world.until("5s").status("a -> b", Unknown, "1s+1us").held("a -> b", Ok, "0s");
        world.until("11s+1us").held("a -> b", Ok, "0s").until("11s+2us").held("a -> b", Unknown, "11s+2us");
    });
}

#[test]
fn while_it_is_held_the_same_status_again_changes_no_since() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").at("2s", "a sees t2, b sees t2, a sees t3, b sees t3").status("a -> b", Ok, "2s");
        world.at("5s", "a sees t4").until("8s").status("a -> b", Nok, "6s").held("a -> b", Nok, "1s");
    });
}

#[test]
fn a_stream_goes_by_what_is_held() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").at("2s", "a sees t2, b sees t2, a sees t3, b sees t3").status("a -> b", Ok, "2s");
        world.stream(Nok, 0).until("12s+1us").stream(Ok, 0);
    });
}

#[test]
fn without_hold_a_status_is_shown_as_it_is() {
    both(&["a -> b: within=1s grace=0s ok=1 hold=0s"], |world| {
        world.at("0s", "a sees t1").at("2s", "a sees t2, b sees t2").held("a -> b", Nok, "1s");
        world.until("2s+1us").held("a -> b", Ok, "2s+1us");
    });
}
