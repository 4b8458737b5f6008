//! What reaches us while the disk is busy reached us then, and not when the disk was free again.

use std::sync::Arc;

use observatory::board::EdgeBoard;
use observatory::event::{Report, Token};
use observatory::outcome::Outcome;
use observatory::pipeline::{Journal, LocalIntake, Start, Stepped};

use super::faulty::FaultyDisk;
use super::node::{Hand, LIMITS, system};

const MANIFEST: &str = r#"
grace = "500ms"
[[stream]]
name = "orders"
[[stream.edge]]
from = "web"
to = "books"
check = { within = "200ms", ok = 1, fail = 1 }
"#;

/// How often a look is taken at the clock.
const STEP_MS: u64 = 50;

/// A server that takes its steps when it is told to. When it is dropped it has crashed.
pub(super) struct Server {
    pub(super) stepped: Stepped,
    pub(super) hand: Hand,
}

impl Server {
    pub(super) fn start(disk: &FaultyDisk, hand: &Hand) -> Self {
        let hand = hand.clone();
        let journal = Some(Journal { disk: Arc::new(disk.clone()), limits: LIMITS });
        let start = Start { system: system(MANIFEST), clock: Arc::new(hand.clone()), journal };
        let mut server = Self { stepped: start.stepped().unwrap(), hand };
        server.stepped.round();
        server.pass(STEP_MS, 0);
        server
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
        let (intake, by) = (intake.clone(), self.stepped.pipeline.observed());
        let token = Token::new("a").unwrap();
        let node = by.nodes.find(node).unwrap();
        let report = Report { node, token, timestamp_us: None, parent: None, alias: None };
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
fn a_slow_sync_makes_nothing_missing_and_nobody_blind() {
    for write_ms in [0, 100, 900, 3_000, 30_000] {
        let edge = judged(write_ms);
        let first = |outcome| edge.counters.outcomes[outcome as usize];
        assert_eq!(first(Outcome::Missing), 0, "a write takes {write_ms} ms: {:?}", edge.ledger);
        assert_eq!(first(Outcome::Indeterminate), 0, "a write takes {write_ms} ms: {:?}", edge.ledger);
        assert_eq!((edge.ledger.upstream, edge.ledger.pass), (1, 1), "a write takes {write_ms} ms");
    }
}
