//! What reaches us while the disk is busy reached us then, and not when the disk was free again; and who waits for it meanwhile
//! is not accused of silence.

use std::sync::Arc;

use observatory::board::EdgeBoard;
use observatory::event::{Report, Token};
use observatory::graph::InputState;
use observatory::outcome::Outcome;
use observatory::pipeline::{Harvest, Journal, LocalIntake, News, Port, Start, Stepped};

use super::faulty::FaultyDisk;
use super::node::{Hand, LIMITS, ONE_EDGE, queue, system};

/// How often a look is taken at the clock.
const STEP_MS: u64 = 50;

/// A server that takes its steps when it is told to. When it is dropped it has crashed.
pub(super) struct Server {
    pub(super) stepped: Stepped,
    pub(super) hand: Hand,
}

impl Server {
    pub(super) fn start(disk: &FaultyDisk, hand: &Hand) -> Self {
        Self::start_with(ONE_EDGE, disk, hand)
    }

    fn start_with(manifest: &str, disk: &FaultyDisk, hand: &Hand) -> Self {
        let hand = hand.clone();
        let journal = Some(Journal { disk: Arc::new(disk.clone()), limits: LIMITS });
        let start = Start { system: system(manifest), clock: Arc::new(hand.clone()), journal };
        let mut server = Self { stepped: start.stepped().unwrap(), hand };
        server.stepped.round();
        server.pass(STEP_MS, 0);
        server
    }

    /// What a node saw.
    fn saw(&self, node: &str) -> Report {
        let node = self.stepped.pipeline.observed().nodes.find(node).unwrap();
        Report { node, token: Token::new("a").unwrap(), timestamp_us: None, parent: None, alias: None }
    }

    /// The same as [`Self::pass`], while others go on with what they do.
    async fn pass_with_others(&mut self, for_ms: u64, write_ms: u64) {
        let mut begun_ms = None;
        for at_ms in (0..for_ms).step_by(STEP_MS as usize) {
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            if self.stepped.is_writing() && at_ms >= *begun_ms.get_or_insert(at_ms) + write_ms {
                self.stepped.write();
                begun_ms = None;
            }
            self.stepped.round();
            self.hand.pass_ms(STEP_MS);
        }
    }

    /// Lets time pass, in which each write takes so long.
    pub(super) fn pass(&mut self, for_ms: u64, write_ms: u64) {
        let mut begun_ms = 0;
        for at_ms in (0..for_ms).step_by(STEP_MS as usize) {
            if self.stepped.is_writing() && at_ms >= begun_ms + write_ms {
                self.stepped.write();
                begun_ms = at_ms;
            }
            self.stepped.round();
            self.hand.pass_ms(STEP_MS);
        }
    }

    /// Somebody reports by HTTP, and waits for the answer.
    async fn report(&self, intake: &LocalIntake, node: &str) {
        let (intake, by, report) = (intake.clone(), self.stepped.pipeline.observed(), self.saw(node));
        drop(tokio::task::spawn_local(async move { intake.push(vec![report], &by, Vec::new()).await }));
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
    }
}

/// A request of which both ends are reported 100 ms after one another, while each write takes so long.
fn judged(write_ms: u64) -> EdgeBoard {
    actix_web::rt::System::new().block_on(async {
        let mut server = Server::start(&FaultyDisk::new(0), &Hand::new());
        let intake = LocalIntake::new(server.stepped.pipeline.clone());
        server.report(&intake, "web").await;
        server.stepped.round();
        server.hand.pass_ms(100);
        server.report(&intake, "books").await;
        server.pass(write_ms * 4, write_ms);
        server.pass(5_000, 0);
        server.stepped.pipeline.board().streams[0].edges[0].clone()
    })
}

#[test]
fn a_slow_sync_makes_nothing_missing() {
    for write_ms in [0, 100, 900, 3_000, 30_000] {
        let edge = judged(write_ms);
        let first = |outcome| edge.counters.outcomes[outcome as usize];
        assert_eq!(first(Outcome::Missing), 0, "a write takes {write_ms} ms: {:?}", edge.ledger);
        assert_eq!(first(Outcome::Indeterminate), 0, "a write takes {write_ms} ms: {:?}", edge.ledger);
        assert_eq!((edge.ledger.upstream, edge.ledger.pass), (1, 1), "a write takes {write_ms} ms");
    }
}

/// Whoever reports both ends of a request one after the other, and waits for our answer in between, cannot report the second in
/// time where the disk takes so long; the next request is judged as ever.
fn judged_of_who_waits(queued: bool, write_ms: u64) -> (EdgeBoard, EdgeBoard) {
    actix_web::rt::System::new().block_on(async {
        let manifest =
            if queued { format!("{ONE_EDGE}[input.http]\n{}", queue("mq", "books")) } else { ONE_EDGE.to_owned() };
        let mut server = Server::start_with(&manifest, &FaultyDisk::new(0), &Hand::new());
        let (pipeline, reports) = (server.stepped.pipeline.clone(), ["web", "books"].map(|node| server.saw(node)));
        let port = Port::new(pipeline.clone(), "mq");
        let news = News { state: InputState::Up, lag_us: None, error: None };
        if queued {
            port.tell(news.clone(), *port.gaps().borrow()).await.unwrap();
        }
        server.pass(100, 0);
        drop(tokio::task::spawn_local(async move {
            let (intake, by) = (LocalIntake::new(pipeline.clone()), pipeline.observed());
            for report in reports {
                let (reports, by, unknown) = (vec![report], Arc::clone(&by), Vec::new());
                if queued {
                    port.push(Harvest { reports, by, unknown, positions: Vec::new() }).await.unwrap();
                } else {
                    intake.push(reports, &by, unknown).await.unwrap();
                }
            }
            if queued {
                // It looks again, as it has not run.
                port.tell(news, *port.gaps().borrow()).await.unwrap();
            }
        }));
        server.pass_with_others(write_ms * 4, write_ms).await;
        server.pass(5_000, 0);
        let edge = |server: &Server| server.stepped.pipeline.board().streams[0].edges[0].clone();
        let before = edge(&server);
        let intake = LocalIntake::new(server.stepped.pipeline.clone());
        server.report(&intake, "web").await;
        server.pass(5_000, 0);
        (before, edge(&server))
    })
}

#[test]
fn who_waits_for_a_slow_sync_is_not_accused_of_silence() {
    for (queued, write_ms) in [(false, 1_100), (false, 3_000), (false, 30_000), (true, 1_100), (true, 3_000)] {
        let (edge, after) = judged_of_who_waits(queued, write_ms);
        let told = format!("a queue: {queued}, a write takes {write_ms} ms: {:?}", edge.ledger);
        assert_eq!(edge.counters.outcomes[Outcome::Missing as usize], 0, "{told}");
        assert_eq!(edge.ledger.upstream, 1, "{told}");
        assert_eq!(edge.ledger.pass + edge.ledger.late + edge.ledger.indeterminate, 1, "{told}");
        assert_eq!(after.ledger.in_flight, 0, "it is over: {told}, {:?}", after.ledger);
    }
}
