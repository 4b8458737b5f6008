//! Where the operating system tells no changes, everything is found by looking.

use std::sync::Arc;

use observatory::clock::MonotonicClock;
use observatory::graph::InputState;
use observatory::input::pace::Pace;
use observatory::input::tail::LogInput;
use observatory::manifest::{Source, load};
use observatory::metrics::Metrics;
use observatory::pipeline::{Port, Start};
use tokio::sync::watch;

use super::server::{append, manifest, web};
use crate::harness::{Files, await_board};

#[test]
fn without_hints_nothing_is_lost() {
    let files = Files::new();
    let manifest = load(&Source::Text("shop.toml".to_owned(), manifest(files.folder()))).unwrap();
    let log = manifest.settings.inputs.iter().find(|input| input.name == "front").and_then(|input| input.log.clone());
    let system = Arc::new(manifest.system.clone());
    let running = Start { system, clock: Arc::new(MonotonicClock::start()), journal: None }.run().unwrap();
    let pipeline = running.pipeline.clone();
    actix_web::rt::System::new().block_on(async {
        let (port, metrics) = (Port::new(pipeline.clone(), "front"), Metrics::new(pipeline.clone()).unwrap());
        let input = LogInput::new(log.unwrap(), port, Pace::default().lane(), metrics).unhinted();
        let (stop, stopped) = watch::channel(false);
        let task = actix_web::rt::spawn(input.run(stopped));
        await_board(&pipeline, |pipeline| pipeline.board().inputs[1].state == InputState::Up).await;
        for round in 0..3 {
            append(&files, "web.log", &web(&format!("{round}-last")));
            std::fs::rename(files.path("web.log"), files.path(&format!("web-{round}.log"))).unwrap();
            append(&files, "web.log", &web(&format!("{round}-first")));
            await_board(&pipeline, |pipeline| pipeline.board().streams[0].nodes[0].events == 2 * (round + 1)).await;
        }
        assert_eq!(pipeline.board().streams[0].edges[0].ledger.duplicates, 0);
        stop.send_replace(true);
        task.await.unwrap();
    });
    running.stop();
}
