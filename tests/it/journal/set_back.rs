//! A clock that is set back while the server is down.

use observatory::clock::Clock;
use observatory::event::{Report, Token};
use observatory::outcome::{Ledger, Outcome};
use observatory::pipeline::Stepped;

use super::arrival::Server;
use super::faulty::FaultyDisk;
use super::node::{Hand, hand_over};

const HOUR_MS: u64 = 3_600_000;

fn report(stepped: &Stepped, node: &str, token: &str, timestamp_us: Option<u64>) {
    let node = stepped.pipeline.observed().nodes.find(node).unwrap();
    let report = Report { node, token: Token::new(token).unwrap(), timestamp_us, parent: None, alias: None };
    drop(hand_over(&stepped.pipeline, vec![report], None).unwrap());
}

fn ledger(server: &Server) -> Ledger {
    server.stepped.pipeline.board().streams[0].edges[0].ledger
}

#[test]
fn a_clock_that_is_set_back_accuses_nobody_and_is_followed_again() {
    let (disk, hand) = (FaultyDisk::new(0), Hand::new());
    let mut server = Server::start(&disk, &hand);
    report(&server.stepped, "web", "in flight", None);
    server.pass(100, 0);
    let end_us = server.stepped.pipeline.board().at.0;
    drop(server);
    hand.set_back_ms(HOUR_MS);

    let mut server = Server::start(&disk, &hand);
    let pipeline = server.stepped.pipeline.clone();
    assert!(pipeline.now_us() > end_us, "no moment comes twice");
    let ahead_us = pipeline.ahead_us();
    assert!((3_590_000_000..=3_600_000_000).contains(&ahead_us), "{ahead_us}");
    server.pass(2_000, 0);
    assert_eq!((ledger(&server).indeterminate, ledger(&server).missing), (1, 0));

    // One brings no timestamp, the other its own: by the wall clock, both.
    report(&server.stepped, "web", "mixed", None);
    hand.pass_ms(100);
    report(&server.stepped, "books", "mixed", Some(hand.now_us()));
    server.pass(2_000, 0);
    assert_eq!((ledger(&server).pass, ledger(&server).reversed, ledger(&server).late), (1, 0, 0));
    // So does one whose own lies too far ahead even of our clock.
    report(&server.stepped, "web", "wrong", Some(hand.now_us() + 2 * HOUR_MS * 1_000));
    hand.pass_ms(100);
    report(&server.stepped, "books", "wrong", Some(hand.now_us()));
    server.pass(2_000, 0);
    assert_eq!((ledger(&server).pass, ledger(&server).reversed, ledger(&server).late), (2, 0, 0));
    // What is missing is still found.
    report(&server.stepped, "web", "lost", None);
    server.pass(3_000, 0);
    let counters = server.stepped.pipeline.board().streams[0].edges[0].counters.clone();
    assert_eq!(counters.outcomes[Outcome::Missing as usize], 1);

    let mut before_us = pipeline.now_us();
    for _ in 0..100 {
        hand.pass_ms(HOUR_MS / 10);
        let now_us = pipeline.now_us();
        assert!((before_us..before_us + HOUR_MS * 100).contains(&now_us), "it goes on, and never faster");
        before_us = now_us;
    }
    assert_eq!((pipeline.ahead_us(), pipeline.now_us()), (0, hand.now_us()));
}
