//! What inputs tell of themselves while nothing can be written, or a write does not end: again and again, for days.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use observatory::board::InputBoard;
use observatory::graph::InputState;
use observatory::pipeline::{Journal, News, Port, Start, Stepped};

use super::faulty::{Faults, FaultyDisk};
use super::node::{Hand, LIMITS, ONE_EDGE, queue, replay, system};

/// How often each of two inputs tells something.
const TIMES: u64 = 1_000;
/// So few records are few: what two inputs tell, and what we write of ourselves, once a second.
const FEW: u64 = 30;

struct Server {
    stepped: Stepped,
    hand: Hand,
    disk: FaultyDisk,
}

impl Server {
    fn start() -> Self {
        let (disk, hand) = (FaultyDisk::new(0), Hand::new());
        let journal = Some(Journal { disk: Arc::new(disk.clone()), limits: LIMITS });
        let queues = queue("mq", "books") + &queue("other", "web");
        let manifest = system(&format!("{ONE_EDGE}[input.http]\n{queues}"));
        let stepped = Start { system: manifest, clock: Arc::new(hand.clone()), journal }.stepped().unwrap();
        let mut server = Self { stepped, hand, disk };
        server.pass(true);
        server.tell("mq", News { state: InputState::Up, lag_us: Some(0), error: None });
        server.pass(true);
        server
    }

    /// Lets a second pass, in which what is to be written is written, or not.
    fn pass(&mut self, writes: bool) {
        for _ in 0..20 {
            self.stepped.round();
            if writes {
                self.stepped.write();
            }
            self.hand.pass_ms(50);
        }
        self.stepped.round();
    }

    fn tell(&self, name: &str, news: News) {
        let port = Port::new(self.stepped.pipeline.clone(), name);
        let told = pin!(port.tell(news, *port.gaps().borrow())).poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(told, Poll::Ready(Ok(())), "the owner takes what is told");
    }

    /// Both inputs tell something, again and again, in turns: one flaps, and says once what went wrong.
    fn tell_for_long(&mut self) {
        for time in 1..=TIMES {
            let state = if time % 3 == 0 { InputState::Down } else { InputState::CatchingUp };
            let error = (time == TIMES / 2).then(|| "no such queue".to_owned());
            self.tell("mq", News { state, lag_us: Some(time), error });
            self.tell("other", News { state: InputState::CatchingUp, lag_us: None, error: None });
            self.stepped.round();
            self.hand.pass_ms(1);
        }
    }

    fn records(&self) -> u64 {
        replay(&self.disk).1.sequence
    }

    fn input(&self, name: &str) -> InputBoard {
        let board = self.stepped.pipeline.board();
        board.inputs.iter().find(|input| input.name == name).unwrap().clone()
    }

    /// Only the last counts, and what went wrong is not forgotten.
    fn expect_the_last(&self, records: u64) {
        let more = self.records() - records;
        assert!(more <= FEW, "{more} records for what two inputs told {TIMES} times");
        let input = self.input("mq");
        assert_eq!(input.state, InputState::CatchingUp);
        assert_eq!(input.lag_ms, Some(TIMES as f64 / 1_000.0));
        assert_eq!(input.last_error.unwrap().error, "no such queue");
    }
}

#[test]
fn of_what_is_told_while_the_disk_is_full_only_the_last_waits() {
    let mut server = Server::start();
    let records = server.records();
    server.disk.set(Faults { full: true, ..Faults::default() });
    server.pass(true);
    server.pass(true);
    assert!(!server.stepped.pipeline.is_keeping());
    server.tell_for_long();
    server.disk.set(Faults::default());
    server.pass(true);
    server.pass(true);
    assert!(server.stepped.pipeline.is_keeping());
    server.expect_the_last(records);
}

#[test]
fn of_what_is_told_while_a_write_does_not_end_the_first_and_the_last_wait() {
    let mut server = Server::start();
    let records = server.records();
    server.tell("mq", News { state: InputState::Up, lag_us: Some(1), error: None });
    server.stepped.round();
    assert!(server.stepped.is_writing());
    // It is written that it does not testify, before it testifies again.
    server.tell("mq", News { state: InputState::Down, lag_us: None, error: None });
    server.tell_for_long();
    server.pass(false);
    server.pass(true);
    server.expect_the_last(records);
    server.tell("mq", News { state: InputState::Up, lag_us: Some(0), error: None });
    server.pass(true);
    assert_eq!(server.input("mq").state, InputState::Up);
}
