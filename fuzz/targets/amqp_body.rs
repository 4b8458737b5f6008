//! Any bytes as a message of a queue: no panic, harmless errors, and what is taken is what `POST /events` takes.
#![no_main]

use std::sync::LazyLock;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use libfuzzer_sys::fuzz_target;
use observatory::graph::{NodeIndex, System};
use observatory::input::amqp::{Content, Map, Source, read};
use observatory::input::body::{Format, parse};
use observatory::input::rules::Unit;

static NODES: LazyLock<NodeIndex> = LazyLock::new(|| {
    let nodes = ["web-server", "event-processor", "a"];
    NodeIndex::new(&System { nodes: nodes.map(str::to_owned).to_vec(), ..System::default() })
});

/// Fields from everywhere: the body, headers, properties, the routing key.
static MAPS: LazyLock<Vec<Map>> = LazyLock::new(|| {
    let source = |text: &'static str| Source::parse(text).expect("a good source");
    let map = |node, token, timestamp, unit| Map {
        node: source(node),
        token: source(token),
        alias: Some(source("body:/order/id")),
        parent: Some(source("body:/parent")),
        timestamp: Some(source(timestamp)),
        unit,
    };
    vec![
        map("fixed:a", "body:/token", "body:/at", Unit::Millis),
        map("routing_key", "header:traceparent", "property:timestamp", Unit::Micros),
        map("body:/node", "property:message_id", "body:/a~1b/0", Unit::Seconds),
    ]
});

fn check(error: &str) {
    assert!(error.chars().count() < 400, "{error}");
    assert!(!error.contains(char::is_control), "{error}");
}

fuzz_target!(|message: &[u8]| {
    // The first bytes, up to a line feed, are what stands beside the body.
    let cut = message.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (beside, body) = (String::from_utf8_lossy(&message[..cut]), &message[cut..]);
    let mut headers = FieldTable::default();
    headers.insert("traceparent".into(), AMQPValue::LongString(beside.as_bytes().into()));
    let short = beside.char_indices().take_while(|(at, _)| *at < 200).map(|(_, letter)| letter).collect::<String>();
    let properties = BasicProperties::default().with_headers(headers).with_message_id(short.as_str().into());
    for accept_unknown in [false, true] {
        for content_type in ["", "application/x-ndjson"] {
            let properties = properties.clone().with_content_type(content_type.into());
            match read((&properties, &short, body), None, &NODES, accept_unknown) {
                Content::Poison { error, .. } => check(&error),
                Content::Events(events) => {
                    let formats =
                        [Format::Json, Format::Ndjson].map(|format| parse(body, format, &NODES, accept_unknown));
                    assert!(formats.into_iter().flatten().any(|parsed| parsed == events));
                }
            }
        }
        for map in MAPS.iter() {
            match read((&properties, &short, body), Some(map), &NODES, accept_unknown) {
                Content::Poison { error, .. } => check(&error),
                Content::Events(events) => assert_eq!(events.reports.len() + events.unknown.len(), 1),
            }
        }
    }
});
