//! Is the server well? Probes, its own status, its metrics.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::answer;
use super::layouts::LaidOutBy;
use super::manifest::ManifestState;
use super::problem::Problem;
use super::state::State;
use super::tls::Certificate;
use crate::board::{Board, InputBoard, UnknownSender, Writable, ms};
use crate::clock::Moment;
use crate::metrics;
use crate::outcome::{Ledger, Outcome, Status};
use crate::pipeline::JournalState;

#[derive(Serialize)]
struct Probe {
    status: &'static str,
}

/// `GET /health/live`: whether restarting us would help.
pub(super) async fn live(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    if !state.pipeline.is_alive() {
        return Err(Problem::try_later("the correlator does not work any more: the server must be restarted"));
    }
    answer::json(&request, &Probe { status: "live" })
}

/// `GET /health/ready`: whether events sent now would be judged.
pub(super) async fn ready(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    if !state.pipeline.is_keeping() {
        return Err(Problem::try_later("the journal cannot be written"));
    }
    if !state.is_ready() {
        return Err(Problem::try_later("the server is starting or stopping"));
    }
    answer::json(&request, &Probe { status: "ready" })
}

#[derive(Serialize)]
struct StreamLine<'a> {
    name: &'a str,
    status: Status,
    unobserved: usize,
}

/// How the journal is.
#[derive(Serialize)]
struct OwnJournal {
    state: Writable,
    error: Option<String>,
    segments: Option<usize>,
    bytes: Option<u64>,
    last_sync: Option<Moment>,
    last_snapshot: Option<Moment>,
    snapshot_age_ms: Option<f64>,
}

impl OwnJournal {
    fn of(journal: JournalState, now_us: u64) -> Self {
        let JournalState { state, error, files, synced_us, snapshot_us } = journal;
        Self {
            state,
            error,
            segments: files.map(|(segments, _)| segments),
            bytes: files.map(|(_, bytes)| bytes),
            last_sync: synced_us.map(Moment),
            last_snapshot: snapshot_us.map(Moment),
            snapshot_age_ms: snapshot_us.map(|at_us| ms(now_us.saturating_sub(at_us))),
        }
    }
}

#[derive(Serialize)]
struct CertificateState {
    state: &'static str,
    problem: Option<String>,
}

impl CertificateState {
    fn of(certificate: &Certificate) -> Self {
        let problem = certificate.problem().map(|problem| String::clone(&problem));
        Self { state: if problem.is_some() { "bad" } else { "in force" }, problem }
    }
}

#[derive(Serialize)]
struct Own<'a> {
    name: &'a str,
    version: &'static str,
    revision: &'static str,
    ready: bool,
    at: Moment,
    started: Moment,
    uptime_ms: f64,
    /// How far our clock is ahead of the wall clock, which was set back while we were down.
    clock_ahead_ms: f64,
    manifest: &'a ManifestState,
    layout: LaidOutBy,
    /// Null where the server is not reached by TLS.
    certificate: Option<CertificateState>,
    /// None where nothing is kept.
    journal: Option<OwnJournal>,
    inputs: &'a [InputBoard],
    ledger: Ledger,
    streams: Vec<StreamLine<'a>>,
    tokens: usize,
    tokens_limit: usize,
    waiting_events: usize,
    unknown_senders: &'a [UnknownSender],
}

/// `GET /status`: the server's own state.
pub(super) async fn status(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    if !state.pipeline.is_alive() {
        return Err(Problem::try_later("the correlator does not work any more: the server must be restarted"));
    }
    let board = state.pipeline.board();
    let now_us = state.pipeline.now_us();
    let manifest = state.manifest();
    let streams = board.streams.iter().map(|stream| StreamLine {
        name: &stream.name,
        status: stream.status,
        unobserved: stream.unobserved,
    });
    let own = Own {
        name: &board.name,
        version: env!("CARGO_PKG_VERSION"),
        revision: metrics::revision(),
        ready: state.is_ready(),
        at: Moment(now_us),
        started: Moment(state.started_us),
        uptime_ms: ms(now_us.saturating_sub(state.started_us)),
        clock_ahead_ms: ms(state.pipeline.ahead_us()),
        manifest: &manifest,
        layout: state.layouts.laid_out_by(),
        certificate: state.certificate.as_ref().map(|certificate| CertificateState::of(certificate)),
        journal: state.pipeline.journal().map(|journal| OwnJournal::of(journal, now_us)),
        inputs: &board.inputs,
        ledger: ledgers(&board),
        streams: streams.collect(),
        tokens: board.tokens,
        tokens_limit: board.tokens_limit,
        waiting_events: state.pipeline.waiting().events,
        unknown_senders: &board.unknown_senders,
    };
    answer::json(&request, &own)
}

/// The sum of all edges' ledgers.
fn ledgers(board: &Board) -> Ledger {
    let mut sum = Ledger::default();
    for edge in board.streams.iter().flat_map(|stream| &stream.edges) {
        let ledger = &edge.ledger;
        for outcome in Outcome::ALL {
            *sum.of_mut(outcome) += ledger.of(outcome);
        }
        sum.upstream += ledger.upstream;
        sum.in_flight += ledger.in_flight;
        sum.orphans += ledger.orphans;
        sum.duplicates += ledger.duplicates;
        sum.revisions += ledger.revisions;
    }
    sum
}

/// `GET /metrics`
pub(super) async fn metrics(request: HttpRequest, state: Data<Arc<State>>) -> Result<HttpResponse, Problem> {
    let text = state.metrics.render().map_err(|error| answer::internal(&error))?;
    Ok(answer::live(&request, metrics::CONTENT_TYPE, text))
}
