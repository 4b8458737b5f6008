//! The reporters of `docs/clients` do what they promise, in every language: they deliver, and they
//! never slow down or disturb the service that uses them.
//!
//! A language whose toolchain is missing is skipped, unless `OBSERVATORY_CLIENTS=all` demands them all.

mod driver;
mod language;
mod server;

use std::collections::BTreeSet;

use observatory::clock::{Clock, MonotonicClock, SECOND_US};

use crate::harness::Files;
use driver::Driver;
use language::{Language, ready};
use server::{Answer, Server, dead_url};

/// How far a client's clock may be from ours: they read the same one, some in milliseconds.
const CLOCK_US: u64 = 5_000;
/// The largest batch that a reporter sends.
const BATCH: usize = 500;
/// The events that a reporter keeps while they wait to be sent.
const BUFFER: usize = 10_000;

/// Texts that break careless escaping, in JSON or in a shell.
const HOSTILE: [&str; 12] = [
    r#"quo"te"#,
    r"back\slash \u0041 \n",
    r"\",
    "ünïcödé-トークン-🚀",
    "</script>&amp;<b>",
    "a\tb\u{1}\u{1b}[31m\u{7f}",
    "\u{85}\u{2028}\u{202e}",
    " $(exit 1) `exit 1` ${x} %s%n * ? & ; # ' ",
    "-n",
    "[]{}",
    "null",
    "🚀🚀",
];

fn tokens(count: usize) -> Vec<String> {
    HOSTILE.iter().map(|&token| token.to_owned()).chain((HOSTILE.len()..count).map(|i| format!("token-{i}"))).collect()
}

fn a_calm_run_delivers_every_event_once(language: Language) {
    let Some(command) = ready(language) else { return };
    let (tokens, server) = (tokens(2_000), Server::start([Answer::Accept]));
    let clock = MonotonicClock::start();
    let before_us = clock.now_us();
    let driver = Driver::start(command, &server.url, &tokens);
    server.wait_for(tokens.len());
    let (after_us, facts) = (clock.now_us(), driver.finish());
    assert_eq!((facts.calls, facts.dropped), (tokens.len(), 0));

    let requests = server.requests();
    let largest = requests.iter().map(|request| request.events.len()).max();
    assert!(largest > Some(1) && largest <= Some(BATCH), "the largest batch has {largest:?} events");
    assert!(requests.len() < tokens.len() / 4, "{} requests are no batches", requests.len());
    for request in &requests {
        assert_eq!(request.head.lines().next(), Some("POST /events HTTP/1.1"));
        let head = request.head.to_ascii_lowercase();
        assert!(head.contains("\r\ncontent-type: application/x-ndjson\r\n"), "{head}");
    }
    let events: Vec<_> = requests.iter().flat_map(|request| &request.events).collect();
    assert_eq!(events.iter().map(|event| &event.token).collect::<Vec<_>>(), tokens.iter().collect::<Vec<_>>());
    for event in events {
        assert_eq!(event.node, "driver");
        let interval = before_us - CLOCK_US..=after_us + CLOCK_US;
        assert!(interval.contains(&event.timestamp), "{} is not in {interval:?}", event.timestamp);
    }
}

fn a_server_that_hangs_blocks_no_caller(language: Language) {
    let Some(command) = ready(language) else { return };
    let (tokens, server) = (tokens(20_000), Server::start([Answer::Hang]));
    let facts = Driver::start(command, &server.url, &tokens).finish();
    assert_eq!((facts.calls, facts.dropped), (tokens.len(), tokens.len()));
    // A reporter that waits for room would have had to send all but a buffer's fill before the last call.
    let sent = server.sent();
    assert!(sent < tokens.len() - BUFFER, "{sent} events were sent: the calls have waited for room");
}

fn a_server_that_is_down_is_only_counted(language: Language) {
    let Some(command) = ready(language) else { return };
    let (tokens, down) = (tokens(1_000), dead_url());
    let facts = Driver::start(command, &down.url, &tokens).finish();
    assert_eq!((facts.calls, facts.dropped), (tokens.len(), tokens.len()));
}

fn a_connection_that_is_cut_is_only_counted(language: Language) {
    let Some(command) = ready(language) else { return };
    let (tokens, server) = (tokens(1_000), Server::start([Answer::Cut]));
    let driver = Driver::start(command, &server.url, &tokens);
    server.wait_for(tokens.len());
    let facts = driver.finish();
    assert_eq!((facts.calls, facts.dropped), (tokens.len(), tokens.len()));
}

fn a_refused_batch_is_only_counted(language: Language) {
    let Some(command) = ready(language) else { return };
    let (tokens, server) = (tokens(1_000), Server::start([Answer::Refuse]));
    let driver = Driver::start(command, &server.url, &tokens);
    server.wait_for(tokens.len());
    let facts = driver.finish();
    assert_eq!((facts.calls, facts.dropped), (tokens.len(), tokens.len()));
    assert_eq!(server.sent(), tokens.len(), "a refused batch is not sent again");
}

fn a_batch_that_was_pushed_back_is_kept_and_delivered(language: Language) {
    let Some(command) = ready(language) else { return };
    let (tokens, server) = (tokens(1_500), Server::start([Answer::PushBack, Answer::Accept]));
    let driver = Driver::start(command, &server.url, &tokens);
    server.wait_for(tokens.len());
    let facts = driver.finish();
    assert_eq!((facts.calls, facts.dropped), (tokens.len(), 0));

    let requests = server.requests();
    let [pushed_back, again, ..] = requests.as_slice() else { unreachable!("there were two requests at least") };
    assert_eq!(pushed_back.events, again.events, "the same batch comes again");
    let waited_us = again.at_us - pushed_back.at_us;
    assert!(waited_us + CLOCK_US >= SECOND_US, "came again after {waited_us} us, although Retry-After was 1");
    let delivered: Vec<_> = requests[1..].iter().flat_map(|request| &request.events).collect();
    assert_eq!(delivered.len(), tokens.len());
    assert_eq!(delivered.iter().map(|event| &event.token).collect::<BTreeSet<_>>(), tokens.iter().collect());
}

fn a_key_is_shown(language: Language) {
    let Some(mut command) = ready(language) else { return };
    let (tokens, server, files) = (tokens(100), Server::start([Answer::Accept]), Files::new());
    command.env("OBSERVATORY_KEY_FILE", files.write("key", "obs_marked-key\n"));
    let driver = Driver::start(command, &server.url, &tokens);
    server.wait_for(tokens.len());
    assert_eq!(driver.finish().dropped, 0);
    for request in server.requests() {
        assert!(request.head.contains("uthorization: Bearer obs_marked-key\r\n"), "{}", request.head);
    }
}

/// Makes each of these functions a test in each of these languages.
macro_rules! in_every_language {
    ($languages:tt $($test:ident)+) => { $(in_every_language!(@ $languages $test);)+ };
    (@ { $($name:ident: $language:ident,)+ } $test:ident) => {
        mod $test {
            $(#[test]
            fn $name() {
                super::$test(super::Language::$language);
            })+
        }
    };
}

in_every_language! {
    { curl: Curl, python: Python, javascript: JavaScript, go: Go, java: Java, rust: Rust, }
    a_calm_run_delivers_every_event_once
    a_key_is_shown
    a_server_that_hangs_blocks_no_caller
    a_server_that_is_down_is_only_counted
    a_connection_that_is_cut_is_only_counted
    a_refused_batch_is_only_counted
    a_batch_that_was_pushed_back_is_kept_and_delivered
}
