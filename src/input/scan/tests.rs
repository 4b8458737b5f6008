//! The scanner beside serde.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;
use crate::input::fields::{DEPTH_MAX, read};
use crate::input::timestamp::from_text;

/// What the scanner accepts, serde accepts with the same result. Gives whether it accepted.
fn agrees(text: impl AsRef<[u8]>) -> bool {
    let Some((fields, length)) = object(text.as_ref(), &mut Known::default()) else {
        return false;
    };
    let text = str::from_utf8(&text.as_ref()[..length]).unwrap();
    serde_json::from_str::<serde::de::IgnoredAny>(text).unwrap();
    let Fields { node, token, timestamp, parent, alias, .. } = read(text, DEPTH_MAX).unwrap();
    assert_eq!(node.as_ref().map(|(key, text)| (*key, text.as_ref())), fields.node, "{text}");
    assert_eq!(token.as_ref().map(|(key, text)| (*key, text.as_ref())), fields.token, "{text}");
    let stamp = timestamp.as_ref().map(|stamp| match stamp {
        Stamp::Integer(us) => Stamp::Integer(*us),
        Stamp::Text(text) => Stamp::Text(text.as_ref()),
        Stamp::Known(us) => Stamp::Known(*us),
    });
    let known = |stamp| match stamp {
        Stamp::Text(text) if let Ok(us) = from_text(text) => Stamp::Known(us),
        other => other,
    };
    assert_eq!(stamp.map(known), fields.timestamp.map(known), "{text}");
    let token = token.as_ref().and_then(|(_, text)| pack_hex(text.as_ref().try_into().ok()?));
    assert_eq!(token, fields.trace_id, "{text}");
    assert_eq!(parent.as_ref().map(Cow::as_ref), fields.parent, "{text}");
    assert_eq!(alias.as_ref().map(Cow::as_ref), fields.alias, "{text}");
    true
}

#[test]
fn it_takes_what_senders_send() {
    for text in [
        r#"{"node":"event-processor","token":"4bf92f3577b34da6a3ce929d0e0e4736","timestamp":1700000000123456}"#,
        r#"{"node":"a","token":"b","timestamp":"2026-11-20T12:00:00.123456Z"}"#,
        r#"{"node":"a","tracing":"4bf92f3577b34da6a3ce929d0e0e4736","timestamp":"2026-11-20T12:00:00Z","token":"b"}"#,
        r#"{"node":"a","token":"4bf92f3577b34da6a3ce929d0e0e4736","tracing":"00000000000000000000000000000000"}"#,
        r#"{ "timestamp" : 0 , "token" : "b" , "node" : "a" } trailing"#,
        r#"{"origin":"a","trace_id":"ünïcödé","service":"c","tracing":"d","parent":"p","alias":"e"}"#,
        r#"{"level":"info","n":-0.5,"ok":true,"no":false,"nil":null,"node":"a","z":0}"#,
        "{\r\n\t\"node\":\"a\"\r\n}",
        r#"{"timestamp":9999999999999999999}"#,
    ] {
        assert!(agrees(text), "{text}");
    }
}

#[test]
fn it_leaves_the_rest_to_serde() {
    for text in [
        "",
        "{",
        "{}",
        "[]",
        r#"{"node"}"#,
        r#"{"node":}"#,
        r#"{"node":"a",}"#,
        r#"{"node":"a""#,
        r#"{"node":"a"x}"#,
        r#"{"node":"\u0061"}"#,
        r#"{"n\u006fde":"a"}"#,
        r#"{"node":"a","node":"a"}"#,
        r#"{"node":null}"#,
        r#"{"node":1}"#,
        r#"{"x":{}}"#,
        r#"{"x":[]}"#,
        r#"{"x":01}"#,
        r#"{"x":1.}"#,
        r#"{"x":1e5}"#,
        r#"{"x":-}"#,
        r#"{"x":truth}"#,
        r#"{"x":nul"#,
        r#"{"timestamp":01}"#,
        r#"{"timestamp":-1}"#,
        r#"{"timestamp":1.0}"#,
        r#"{"timestamp":1e3}"#,
        r#"{"timestamp":18446744073709551615}"#,
        r#"{"timestamp":}"#,
        "{\"node\":\"a\nb\"}",
        "{\"node\":\"a\0b\"}",
        "{\u{a0}\"node\":\"a\"}",
    ] {
        assert_eq!(object(text.as_bytes(), &mut Known::default()), None, "{text}");
    }
}

#[test]
fn a_line_ends_where_it_ends() {
    let length = |text: &str| line(text.as_bytes(), &mut Known::default()).map(|(_, length)| length);
    for (text, expected) in [
        ("{\"node\":\"a\"}", Some(12)),
        ("{\"node\":\"a\"}\n{", Some(13)),
        ("{ \"node\": \"a\" }\t\r\n\n", Some(18)),
        ("{\"node\":\"a\"} {}\n", None),
        ("{\"node\":\n\"a\"}\n", None),
        ("{\n\"node\":\"a\"}\n", None),
        ("{\"node\":\"a\"\n}\n", None),
        ("\n", None),
    ] {
        assert_eq!(length(text), expected, "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_integer_is_read(value: u64) {
        let text = format!("{{\"timestamp\":{value}}}");
        let scanned = object(text.as_bytes(), &mut Known::default()).and_then(|(fields, _)| fields.timestamp);
        let fits = value < 10_000_000_000_000_000_000;
        prop_assert_eq!(scanned, fits.then_some(Stamp::Integer(value)));
    }

    #[test]
    fn any_text_is_read_as_by_serde(
        text in r#"[{\["a ,:]{0,3}("(node|token|timestamp|x)" ?: ?("[aü\\"]{0,9}"|[-0-9.e]{1,20}|true|null|\{\}),?){0,5}[}\] x]{0,2}"#,
    ) {
        agrees(&text);
    }

    #[test]
    fn only_utf8_is_accepted(text in "[a-zü]{0,20}", at in 0..24_usize, byte: u8, key in "node|x") {
        let mut text = format!("{{\"{key}\":\"{text}\"}}").into_bytes();
        let place = at % text.len();
        text[place] = byte;
        agrees(&text);
    }
}
