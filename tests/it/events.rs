//! Bodies of `POST /events`: what is taken, what is refused, and what the sender is told.

use observatory::event::{Report, Token};
use observatory::graph::{NodeId, NodeIndex, System};
use observatory::input::body::{Format, NotJson, Parsed, REJECTED_MAX, Reason, parse, parse_by_serde_alone};
use proptest::prelude::*;

const NODES: [&str; 4] = ["web-server", "event-processor", "database", "journal"];

fn nodes() -> NodeIndex {
    NodeIndex::new(&System { nodes: NODES.map(str::to_owned).to_vec(), ..System::default() })
}

/// Reads a body both ways, which must agree.
fn read_as(body: impl AsRef<[u8]>, format: Format, accept_unknown: bool) -> Result<Parsed, NotJson> {
    let (body, nodes) = (body.as_ref(), nodes());
    let parsed = parse(body, format, &nodes, accept_unknown);
    let text = String::from_utf8_lossy(body);
    assert_eq!(parsed, parse_by_serde_alone(body, format, &nodes, accept_unknown), "{text}");
    parsed
}

fn read(body: impl AsRef<[u8]>, format: Format) -> Result<Parsed, NotJson> {
    read_as(body, format, false)
}

fn report(node: u32, token: &str, timestamp_us: Option<u64>) -> Report {
    Report { node: NodeId(node), token: Token::new(token).unwrap(), timestamp_us, parent: None, alias: None }
}

/// The error of a body that is one refused event, the same in both formats.
fn refusal(event: &str) -> (Reason, String) {
    let json = read(event, Format::Json).unwrap();
    assert_eq!(json, read(event, Format::Ndjson).unwrap());
    assert_eq!(json.reports, [], "{event}");
    assert_eq!(json.rejected.len(), 1, "{event}");
    let rejected = &json.rejected[0];
    assert!(rejected.error.len() < 300, "{}", rejected.error);
    assert!(!rejected.error.contains(char::is_control), "{}", rejected.error);
    (rejected.reason, rejected.error.clone())
}

#[test]
fn an_object_an_array_and_lines_are_read_alike() {
    let event = r#"{"node": "database", "token": "4bf9", "timestamp": "2026-11-20T12:00:00.123456Z"}"#;
    let expected = report(2, "4bf9", Some(1_795_176_000_123_456));
    for (body, format, count) in [
        (event.to_owned(), Format::Json, 1),
        (format!("\u{feff} {event}\r\n"), Format::Json, 1),
        (format!("[{event}]"), Format::Json, 1),
        (format!("\n[ {event} ,\t{event}\n]\n"), Format::Json, 2),
        (event.replace(',', ",\n"), Format::Json, 1),
        (event.to_owned(), Format::Ndjson, 1),
        (format!("\u{feff}{event}\r\n\r\n \t\n{event}\n\n{event}"), Format::Ndjson, 3),
    ] {
        let parsed = read(&body, format).unwrap();
        assert_eq!(parsed, Parsed { reports: vec![expected.clone(); count], ..Parsed::default() }, "{body}");
    }
    assert_eq!(read("", Format::Ndjson), Ok(Parsed::default()));
    assert_eq!(read(" \n\r\n", Format::Ndjson), Ok(Parsed::default()));
    assert_eq!(read(" [ ] ", Format::Json), Ok(Parsed::default()));
}

#[test]
fn fields_have_several_names_and_the_first_known_wins() {
    for (event, node, token) in [
        (r#"{"origin": "journal", "tracing": "t"}"#, 3, "t"),
        (r#"{"service": "journal", "trace_id": "t"}"#, 3, "t"),
        (r#"{"service": "x", "origin": "journal", "trace_id": "u", "tracing": "t"}"#, 3, "t"),
        (r#"{"service": "x", "origin": "y", "node": "journal", "trace_id": "u", "token": "t"}"#, 3, "t"),
        (r#"{"service": {"name": "x"}, "node": "journal", "token": "t", "tracing": 5}"#, 3, "t"),
        (r#"{"node": null, "origin": "journal", "token": "t", "timestamp": null, "alias": null}"#, 3, "t"),
        (r#"{"node": "journal", "token": "t", "other": [{"deep": ["\ud800", 1e999]}]}"#, 3, "t"),
        (r#"{"n\u006fde": "jour\u006eal", "token": "\u0074"}"#, 3, "t"),
        (r#"{"node": "journal", "token": "ünïcödé \"\\\/ \ud83d\ude00"}"#, 3, "ünïcödé \"\\/ 😀"),
    ] {
        let parsed = read(event, Format::Json).unwrap();
        assert_eq!(parsed.reports, [report(node, token, None)], "{event}: {:?}", parsed.rejected);
        assert_eq!(parsed, read(event, Format::Ndjson).unwrap());
    }
}

#[test]
fn an_alias_comes_along() {
    for event in
        [r#"{"node":"journal","token":"t","alias":"job-7"}"#, r#"{"node":"journal","token":"t","alias":"j\u006fb-7"}"#]
    {
        let expected = Report { alias: Some(Box::new(Token::new("job-7").unwrap())), ..report(3, "t", None) };
        assert_eq!(read(event, Format::Ndjson).unwrap().reports, [expected]);
    }
}

#[test]
fn a_refusal_says_what_is_wrong_and_what_to_send() {
    let long = format!(r#"{{"node": "database", "token": "{}"}}"#, "x".repeat(257));
    let long_node = format!(r#"{{"node": "{}", "token": "t"}}"#, "x".repeat(129));
    let deep = format!(r#"{{"node": "database", "token": "t", "x": {}{}}}"#, "[".repeat(8), "]".repeat(8));
    for (event, reason, says) in [
        ("{}", Reason::Field, r#""node" is missing; send {"node""#),
        (r#"{"node": "database"}"#, Reason::Field, r#""token" is missing"#),
        (r#"{"node": "database", "token": null}"#, Reason::Field, r#""token" is missing"#),
        (r#"{"node": "", "token": "t"}"#, Reason::Field, r#""node" is empty"#),
        (r#"{"node": "database", "trace_id": ""}"#, Reason::Field, r#""trace_id" is empty"#),
        (r#"{"node": 5, "origin": "database", "token": "t"}"#, Reason::Field, r#""node" is a number, not a string"#),
        (r#"{"node": "database", "token": {"id": 1}}"#, Reason::Field, r#""token" is an object, not a string"#),
        (r#"{"node": "database", "token": "a\u0000b"}"#, Reason::Field, "control character"),
        ("{\"node\": \"database\", \"token\": \"a\u{7f}b\"}", Reason::Field, "control character"),
        (r#"{"node": "database", "token": "\ud800"}"#, Reason::Field, r#""token" is no text"#),
        (r#"{"node": "database", "token": "t", "\udc00": 1}"#, Reason::Syntax, "name that is no text"),
        (long.as_str(), Reason::Field, "longer than 256 bytes"),
        (long_node.as_str(), Reason::Field, "longer than 128 bytes"),
        (deep.as_str(), Reason::Syntax, "deeper than 8"),
        (r#"{"node": "databose", "token": "t"}"#, Reason::UnknownNode, r#"did you mean "database"?"#),
        (r#"{"node": "Database", "token": "t"}"#, Reason::UnknownNode, r#"did you mean "database"?"#),
        ("{\"node\": \"\u{202e}x\\\"\", \"token\": \"t\"}", Reason::UnknownNode, r#"a node "\u{202e}x\"""#),
        (r#"{"node": "database", "token": "t", "parent": ""}"#, Reason::Field, r#""parent" is empty"#),
        (r#"{"node": "database", "token": "t", "parent": 1}"#, Reason::Field, r#""parent" is a number"#),
        (r#"{"node": "database", "token": "t", "alias": ""}"#, Reason::Field, r#""alias" is empty"#),
        (r#"{"node": "database", "token": "t", "token": "t"}"#, Reason::Field, r#""token" is given twice"#),
        (r#"{"node": "database", "token": "t", "node": null}"#, Reason::Field, r#""node" is given twice"#),
        ("5", Reason::Syntax, "is a number, not an object"),
        ("\"x\"", Reason::Syntax, "is a string, not an object"),
        ("null", Reason::Syntax, "is null, not an object"),
    ] {
        let (found, error) = refusal(event);
        assert!(found == reason && error.contains(says), "{event}: {found:?}: {error}");
    }
}

#[test]
fn a_timestamp_that_cannot_be_meant_is_refused() {
    for (stamp, says) in [
        ("1700000000", "looks like seconds"),
        ("1700000000123", "looks like milliseconds"),
        ("1700000000123456789", "looks like nanoseconds"),
        ("18446744073709551615", "nanoseconds"),
        ("18446744073709551616", "far too large"),
        ("-1700000000123456", "negative"),
        ("1700000000123456.0", "not an integer"),
        ("1.7e15", "not an integer"),
        ("1e999", "not an integer"),
        ("true", "a boolean"),
        ("{\"a\": 1}", "an object"),
        ("\"1700000000123456\"", "without quotes"),
        ("\"2026-11-20T12:00:00\"", "no offset"),
        ("\"\"", "RFC 3339"),
    ] {
        let event = format!(r#"{{"node": "database", "token": "t", "timestamp": {stamp}}}"#);
        let (reason, error) = refusal(&event);
        assert!(reason == Reason::Timestamp && error.contains(says), "{event}: {reason:?}: {error}");
        assert!(error.contains("2026-11-20T12:00:00Z"), "{error}");
    }
}

#[test]
fn one_bad_event_in_a_batch_leaves_the_others() {
    let good = r#"{"node": "database", "token": "t"}"#;
    for (body, format) in
        [(format!("[{good}, 5, {good}, {{}}]"), Format::Json), (format!("{good}\n5\n\n{good}\n{{}}"), Format::Ndjson)]
    {
        let parsed = read(&body, format).unwrap();
        assert_eq!(parsed.reports.len(), 2);
        assert_eq!(parsed.rejected.iter().map(|rejected| rejected.index).collect::<Vec<_>>(), [1, 3]);
    }
    // Of NDJSON, so may be what is no JSON or not even text.
    let mut body = format!("{good}\nwhat?\n{good}\n").into_bytes();
    body.extend(b"\xff\xfe\n{\"node\"\n\0\0\0\n");
    let parsed = read(&body, Format::Ndjson).unwrap();
    assert_eq!(parsed.reports.len(), 2);
    assert_eq!(parsed.rejected.iter().map(|rejected| rejected.index).collect::<Vec<_>>(), [1, 3, 4, 5]);
    assert!(parsed.rejected.iter().all(|rejected| rejected.reason == Reason::Syntax));
}

#[test]
fn what_is_no_json_at_all_is_said_with_its_place() {
    let good = r#"{"node": "database", "token": "t"}"#;
    for body in [
        "",
        " ",
        "what?",
        "[",
        "[,]",
        "]",
        &format!("{good}{good}"),
        &format!("{good},"),
        &format!("[{good},]"),
        &format!("[{good} {good}]"),
        &format!("[{good}"),
        &format!("[{good}] x"),
        "{\"node\": NaN}",
        "{\"node\": 'x'}",
        "{\"node\": \"a\nb\"}",
        "\0\0",
    ] {
        let NotJson(error) = read(body, Format::Json).unwrap_err();
        assert!(error.contains("at line "), "{body}: {error}");
    }
    let NotJson(error) = read(b"[\"\xff\"]", Format::Json).unwrap_err();
    assert!(error.contains("not UTF-8: see its byte 2"), "{error}");
    let NotJson(error) = read("what?\n\nno\n", Format::Ndjson).unwrap_err();
    assert!(error.contains("expected value at column 1"), "{error}");
    assert!(read(b"\xff\n", Format::Ndjson).is_err());
}

#[test]
fn depth_is_counted_with_the_array_and_costs_no_stack() {
    let nested = |levels: usize| {
        format!(r#"{{"node": "database", "token": "t", "x": {}{}}}"#, "[".repeat(levels), "]".repeat(levels))
    };
    assert_eq!(read(nested(7), Format::Json).unwrap().reports.len(), 1);
    assert_eq!(read(nested(8), Format::Json).unwrap().reports.len(), 0);
    assert_eq!(read(format!("[{}]", nested(6)), Format::Json).unwrap().reports.len(), 1);
    let parsed = read(format!("[{},{}]", nested(7), nested(1)), Format::Json).unwrap();
    assert_eq!((parsed.reports.len(), parsed.rejected[0].index), (1, 0));
    let deep = nested(1_000_000);
    for body in [deep.clone(), format!("[{deep}]"), "[".repeat(1_000_000), "{\"x\":".repeat(1_000_000)] {
        for format in [Format::Json, Format::Ndjson] {
            assert!(read(&body, format).map_or(0, |parsed| parsed.reports.len()) == 0);
        }
    }
}

#[test]
fn unknown_nodes_are_given_back_where_they_are_accepted() {
    let body =
        "{\"node\": \"x\", \"token\": \"t\"}\n{\"node\": \"x\", \"token\": \"\"}\n{\"node\": \"x\", \"token\": \"u\"}";
    let parsed = read_as(body, Format::Ndjson, true).unwrap();
    assert_eq!(parsed.unknown, ["x", "x"]);
    assert_eq!(parsed.rejected.len(), 1);
}

#[test]
fn a_flood_of_bad_events_is_counted_but_not_named_one_by_one() {
    let parsed = read("1\n".repeat(100_000), Format::Ndjson).unwrap();
    assert_eq!((parsed.rejected.len(), parsed.rejected_count()), (REJECTED_MAX, 100_000));
    assert_eq!(parsed.rejected_unnamed[Reason::Syntax as usize], 100_000 - REJECTED_MAX);
}

/// JSON that is about an event: valid or nearly so.
fn json() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        8 => prop::sample::select(vec!["node", "token", "timestamp", "origin", "tracing", "parent", "alias", "other"]),
        1 => prop::sample::select(vec!["n\\u006fde", "", "\\ud800", "Node", "ü"]),
    ];
    let text = prop_oneof![
        prop::sample::select(NODES.to_vec()).prop_map(str::to_owned),
        "[a-f0-9]{32}",
        "[ -~]{0,40}",
        r#"(\\["\\/bfnrt]|\\u[0-9a-f]{4}|\PC){0,12}"#,
    ]
    .prop_map(|text| format!("\"{text}\""));
    let value = prop_oneof![
        4 => text,
        2 => (946_684_799_999_999_u64..1_900_000_000_000_000).prop_map(|us| us.to_string()),
        1 => "-?[0-9]{1,22}(\\.[0-9]{0,3})?(e[0-9])?",
        2 => "\"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|\\+[0-2][0-9]:00)?\"",
        1 => prop::sample::select(vec!["null", "true", "{}", "[]", "{\"a\":[1,{\"b\":\"}\"}]}", "NaN", ""])
            .prop_map(str::to_owned),
    ];
    let blank = prop::sample::select(vec!["", "", "", " ", "\t", "\r", "\u{a0}"]);
    let member =
        (key, value, blank.clone(), blank).prop_map(|(key, value, a, b)| format!("{a}\"{key}\"{b}:{a}{value}{b}"));
    prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Most are like those before: what one line has shown must not be taken for the next.
    #[test]
    fn both_ways_of_reading_agree_on_common_lines(
        lines in prop::collection::vec(
            (prop::sample::select(NODES.to_vec()), "[ -~]{0,2}", prop::bool::weighted(0.1), any::<u64>(), any::<bool>()),
            0..30,
        ),
        accept_unknown: bool,
    ) {
        let line = |(node, more, other, token, trace): (&str, String, bool, u64, bool)| {
            let more = if other { more.as_str() } else { "" };
            let token = if trace { format!("{token:032x}") } else { token.to_string() };
            format!("{{\"node\":\"{node}{more}\",\"token\":\"{token}\",\"timestamp\":1700000000000000}}\n")
        };
        drop(read_as(lines.into_iter().map(line).collect::<String>().as_bytes(), Format::Ndjson, accept_unknown));
    }

    #[test]
    fn both_ways_of_reading_agree(
        events in prop::collection::vec(json(), 0..5), array: bool, accept_unknown: bool,
        change in prop::option::of((any::<prop::sample::Index>(), any::<u8>(), any::<bool>())),
    ) {
        let body = if array { format!("[{}]", events.join(", ")) } else { events.join("\n") };
        let mut body = body.into_bytes();
        if let Some((place, byte, insert)) = change && !body.is_empty() {
            let place = place.index(body.len());
            if insert { body.insert(place, byte) } else { body[place] = byte }
        }
        for format in [Format::Json, Format::Ndjson] {
            drop(read_as(&body, format, accept_unknown));
        }
    }

    #[test]
    fn a_good_event_is_taken_however_it_is_written(
        order in Just(vec![0, 1, 2, 3]).prop_shuffle(), token in "[ -!#-\\[\\]-~ü]{1,60}", us in 946_684_800_000_000_u64..5_000_000_000_000_000,
        blank in "[ \t]{0,2}", node in 0..4_usize,
    ) {
        let members = [
            format!("\"node\"{blank}:{blank}\"{}\"", NODES[node]),
            format!("\"token\":{blank}\"{token}\""),
            format!("\"timestamp\":{us}{blank}"),
            format!("{blank}\"more\":{{\"a\":[1.5e3,\"x\"]}}"),
        ];
        let event: Vec<_> = order.iter().map(|&member: &usize| members[member].as_str()).collect();
        let body = format!("{{{}}}", event.join(","));
        let expected = [report(node as u32, &token, Some(us))];
        for format in [Format::Json, Format::Ndjson] {
            prop_assert_eq!(&read(&body, format).unwrap().reports, &expected);
        }
    }
}
