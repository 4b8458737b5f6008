//! What comes after the verdict corrects the record.

use observatory::outcome::Status;

use super::{both, core};

const LINE: [&str; 1] = ["a -> b: within=500ms grace=1s ok=2 fail=1"];
const CHAIN: [&str; 2] = ["a -> b: within=1s grace=1s window=5", "b -> c: within=1s grace=1s"];

#[test]
fn a_late_event_after_missing_corrects_the_record() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").at("2s", "b sees t1").ledger("a -> b", "upstream=1 late=1 revisions=1");
        world.window("a -> b", "late t1 2s").decided("a -> b", "1500ms").fails("a -> b", "late t1 2s");
    });
}

#[test]
fn a_pass_that_was_reported_late_corrects_missing_to_pass() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").until("2s").label("a -> b", "NOK(pass=0/1 0%)");
        world.at("2s", "b sees t1 stamped 300ms").ledger("a -> b", "upstream=1 pass=1 revisions=1");
        world.status("a -> b", Status::Unknown, "2s").held("a -> b", Status::Nok, "1500ms").fails("a -> b", "");
        world.window("a -> b", "pass t1 300ms");
    });
}

#[test]
fn missing_is_corrected_to_reversed() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").at("2s", "b sees t1 stamped -1s");
        world.ledger("a -> b", "upstream=1 reversed=1 revisions=1").label("a -> b", "UNKNOWN(pass=1/1 100%)");
    });
}

#[test]
fn exported_counters_count_first_judgements() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").at("2s", "b sees t1 stamped 300ms");
        assert_eq!(world.edge("a -> b").first_judgements, [0, 0, 0, 1, 0, 0, 0]);
    });
}

#[test]
fn a_revision_keeps_its_place_in_the_window() {
    both(&["a -> b: within=1s window=3"], |world| {
        world.at("0s", "a sees t1").at("1s", "a sees t2").at("4s", "a sees t3").at("4s", "b sees t3");
        world.window("a -> b", "missing t1, missing t2, pass t3 0s");
        world.at("4s", "b sees t1 stamped 1s").window("a -> b", "pass t1 1s, missing t2, pass t3 0s");
    });
}

#[test]
fn a_revision_of_what_left_the_window_changes_the_ledger_alone() {
    both(&["a -> b: within=500ms grace=1s ok=1 fail=0"], |world| {
        world.at("0s", "a sees t1").at("2s", "a sees t2, b sees t2").label("a -> b", "OK(pass=1/1 100%)");
        world.at("2s", "b sees t1").ledger("a -> b", "upstream=2 pass=1 late=1 revisions=1");
        world.label("a -> b", "OK(pass=1/1 100%)").fails("a -> b", "late t1 2s");
    });
}

#[test]
fn an_event_beyond_makes_unreported_of_a_remembered_missing() {
    both(&CHAIN, |world| {
        world.at("0s", "a sees t1").until("2s+1us").label("a -> b", "NOK(pass=0/1 0%)");
        world.at("2500ms", "c sees t1").ledger("a -> b", "upstream=1 unreported=1 revisions=1");
        world.label("a -> b", "UNKNOWN(pass=0/0)").window("a -> b", "unreported t1").fails("a -> b", "");
        assert_eq!(world.node("b").unreported, 1);
    });
}

#[test]
fn unreported_is_corrected_when_the_downstream_reports_after_all() {
    both(&CHAIN, |world| {
        world.at("0s", "a sees t1, a sees t2, a sees t3").at("1s", "c sees t1, c sees t2, c sees t3").until("2500ms");
        world.ledger("a -> b", "upstream=3 unreported=3");
        world.at("2500ms", "b sees t1 stamped 500ms, b sees t2 stamped 2s, b sees t3 stamped -1s");
        world.ledger("a -> b", "upstream=3 pass=1 late=1 reversed=1 revisions=3");
        world.window("a -> b", "pass t1 500ms, late t2 2s, reversed t3").fails("a -> b", "late t2 2s");
    });
}

#[test]
fn missing_then_unreported_then_late_is_two_revisions() {
    both(&CHAIN, |world| {
        world.at("0s", "a sees t1").at("2500ms", "c sees t1").at("2600ms", "b sees t1 stamped 2500ms");
        world.ledger("a -> b", "upstream=1 late=1 revisions=2").ledger("b -> c", "upstream=1 pass=1");
    });
}

#[test]
fn a_forgotten_missing_is_still_corrected_and_is_no_orphan() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").until("1h").tokens(0).ledger("a -> b", "upstream=1 missing=1");
        world.at("1h", "b sees t1").ledger("a -> b", "upstream=1 late=1 revisions=1").fails("a -> b", "late t1 1h");
        world.until("3h").ledger("a -> b", "upstream=1 late=1 revisions=1");
    });
}

#[test]
fn a_missing_is_remembered_for_an_hour_from_its_deadline() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").at("1h+1500ms", "b sees t1");
        world.ledger("a -> b", "upstream=1 late=1 revisions=1");
    });
    both(&LINE, |world| {
        world.at("0s", "a sees t1").at("1h+1500ms+1us", "b sees t1").until("2h");
        world.ledger("a -> b", "upstream=1 missing=1 orphans=1");
    });
}

#[test]
fn remember_can_be_said() {
    both(&["a -> b: within=500ms grace=1s", "remember=10s"], |world| {
        world.at("0s", "a sees t1, a sees t2").at("11500ms", "b sees t1").at("11500ms+1us", "b sees t2").settle();
        world.ledger("a -> b", "upstream=2 late=1 missing=1 revisions=1 orphans=1");
    });
}

#[test]
fn what_was_found_again_is_a_known_event() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").at("1m", "b sees t1").at("1m", "b sees t1");
        world.ledger("a -> b", "upstream=1 late=1 revisions=1 duplicates=1");
        world.at("61s", "a sees t1 stamped 60s").ledger("a -> b", "upstream=2 pass=1 late=1 revisions=1 duplicates=1");
        world.settle().ledger("a -> b", "upstream=2 pass=1 late=1 revisions=1 duplicates=1");
    });
}

#[test]
fn an_entry_of_the_lost_list_corrects_once() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").at("1m", "b sees t1").at("2m", "b sees t1").settle();
        world.ledger("a -> b", "upstream=1 late=1 revisions=1 orphans=1");
    });
}

#[test]
fn a_remembered_upstream_goes_before_the_lost_list() {
    both(&LINE, |world| {
        world.at("0s", "a sees t1").at("1m", "a sees t1").at("1m", "b sees t1");
        world.ledger("a -> b", "upstream=2 pass=1 missing=1");
        world.at("2m", "b sees t1").ledger("a -> b", "upstream=2 pass=1 late=1 revisions=1");
    });
}

#[test]
fn a_token_lost_again_replaces_its_older_entry() {
    both(&["a -> b: within=500ms grace=1s window=4", "remember=1h"], |world| {
        world.at("0s", "a sees t1").at("1m", "a sees t1").at("2m", "b sees t1");
        world.window("a -> b", "missing t1, late t1 1m").at("3m", "b sees t1").settle();
        world.ledger("a -> b", "upstream=2 missing=1 late=1 revisions=1 orphans=1");
    });
}

#[test]
fn an_event_beyond_does_not_touch_the_lost_list() {
    both(&CHAIN, |world| {
        world.at("0s", "a sees t1").at("1m", "c sees t1").settle();
        world.ledger("a -> b", "upstream=1 missing=1").ledger("b -> c", "orphans=1");
    });
}

#[test]
fn an_unreported_request_is_not_kept_on_the_lost_list() {
    both(&CHAIN, |world| {
        world.at("0s", "a sees t1").at("1s", "c sees t1").at("1m", "b sees t1").settle();
        world.ledger("a -> b", "upstream=1 unreported=1 orphans=1");
    });
}

#[test]
fn a_lost_missing_is_corrected_in_the_window_where_its_place_is_still_there() {
    both(&["a -> b: within=500ms grace=1s ok=1 warn=1 fail=2"], |world| {
        world.at("0s", "a sees t1").at("1s", "a sees t2").until("1m").label("a -> b", "NOK(pass=0/2 0%)");
        world.at("1m", "b sees t1 stamped 400ms").label("a -> b", "WARN(pass=1/2 50%)");
        world.status("a -> b", Status::Warn, "1m").held("a -> b", Status::Nok, "2500ms");
    });
}

#[test]
fn the_lost_list_holds_the_last_10_000() {
    core(&["a -> b: within=500ms grace=1s window=9"], |world| {
        for number in 0..=10_000 {
            world.at("0s", &format!("a sees t{number}"));
        }
        world.until("1m").at("1m", "b sees t0").at("1m", "b sees t1").at("1m", "b sees t10000").settle();
        world.ledger("a -> b", "upstream=10001 missing=9999 late=2 revisions=2 orphans=1");
    });
}

#[test]
fn a_corrected_fail_keeps_its_place_in_the_list_or_leaves_it() {
    both(&["a -> b: within=500ms grace=1s window=9"], |world| {
        world.at("0s", "a sees t1, a sees t2, a sees t3").until("2s");
        world.fails("a -> b", "missing t1, missing t2, missing t3");
        world.at("2s", "b sees t1").fails("a -> b", "late t1 2s, missing t2, missing t3");
        world.at("2s", "b sees t2 stamped 1us").fails("a -> b", "late t1 2s, missing t3");
        world.window("a -> b", "late t1 2s, pass t2 1us, missing t3");
    });
}

#[test]
fn what_becomes_a_fail_by_a_correction_joins_the_list_then() {
    both(&CHAIN, |world| {
        world.at("0s", "a sees t1, c sees t1").at("100ms", "a sees t2").until("2200ms").fails("a -> b", "missing t2");
        world.at("2200ms", "b sees t1").fails("a -> b", "missing t2, late t1 2200ms");
    });
}

#[test]
fn a_fail_that_left_the_list_stays_off_it() {
    both(&["a -> b: within=500ms grace=1s window=9"], |world| {
        for number in 0..101 {
            world.at("0s", &format!("a sees t{number}"));
        }
        world.at("2s", "b sees t0").ledger("a -> b", "upstream=101 missing=100 late=1 revisions=1");
        let fails = world.edge("a -> b").fails;
        assert_eq!(fails.len(), 100);
        assert!(fails.iter().all(|fail| fail.outcome == observatory::outcome::Outcome::Missing));
    });
}
