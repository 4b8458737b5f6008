//! Rules that cannot work are told at load, and lines of which nothing can be made, one by one.

use super::{manifest, read};

/// The problems with a rule.
fn wrong(rule: &str) -> String {
    let input = format!("[[input.log]]\npath = \"*.log\"\n[[input.log.rule]]\n{rule}");
    manifest(&input).map_or_else(|problems| problems, |_| "nothing".to_owned())
}

#[test]
fn what_is_wrong_is_said_where_it_is_wrong() {
    for (rule, parts) in [
        // The caret stands at the group that is open, within the expression.
        (
            "node = \"front\"\nmatch = '^a (?<token>x'",
            &["logs.toml:5:13", "not a regular expression", "unclosed group"][..],
        ),
        ("node = \"front\"\nmatch = 'a[z-a](?<token>x)'", &["logs.toml:5:12", "range"]),
        ("node = \"front\"\nmatch = 'a(?=b)(?<token>x)'", &["look-around"]),
        ("node = \"front\"\nmatch = '(?<tokn>x)'", &["logs.toml:5:13", "unknown capture \"tokn\"", "`(?<token>...)`"]),
        ("node = \"front\"\nmatch = '(?<token>x)(?<whatever>x)'", &["unknown capture \"whatever\"", "duration"]),
        ("node = \"front\"\nmatch = 'a'", &["no capture named token"]),
        ("match = '(?<token>x)'", &["which node", "node = \"web-server\""]),
        ("node = \"frnt\"\nmatch = '(?<token>x)'", &["unknown node \"frnt\"", "write \"front\""]),
        ("node = \"front\"\nmatch = '(?<token>(?:a{1000}){1000})'", &["too large"]),
        ("node = \"front\"\nmatch = '(?<token>x)(?<duration>y)'", &["the rule has none", "`timestamp`"]),
        ("node = \"front\"\nmatch = '(?<token>x)'\ntimestamp = \"s\"", &["takes none"]),
        ("node = \"front\"\nmatch = '(?<token>x)(?<timestamp>y)'\ntimestamp = \"%H:%M:%S\"", &["no date", "%Y-%m-%d"]),
        ("node = \"front\"\nmatch = '(?<token>x)(?<timestamp>y)'\ntimestamp = \"%Y-%q\"", &["cannot be read"]),
        (
            "node = \"front\"\nmatch = '(?<token>x)(?<timestamp>y)'\ntimestamp = \"sec\"",
            &["no format of a time", "\"s\""],
        ),
        (
            "node = \"front\"\nmatch = '(?<token>x)(?<timestamp>y)'\ntimestamp = \"%F %T\"\ntimezone = \"Helsinki\"",
            &["unknown time zone", "\"Europe/Helsinki\""],
        ),
        ("node = \"front\"\njson = { token = \"id\" }", &["not a JSON pointer", "token = \"/id\""]),
        ("node = \"front\"\njson = { timestamp = \"/t\" }", &["needs `token`"]),
        ("node = \"front\"\njson = { token = \"/t\", tiem = \"/x\" }", &["unknown key \"tiem\""]),
    ] {
        let said = wrong(rule);
        for part in parts {
            assert!(said.contains(part), "{rule}\nsays no {part}:\n{said}");
        }
    }
}

#[test]
fn what_comes_from_the_environment_is_not_repeated() {
    let input = "[[input.log]]\npath = \"*.log\"\n[[input.log.rule]]\nnode = \"front\"\nmatch = '${PATH}(?<tokn>x)'";
    let said = manifest(input).unwrap_err();
    assert!(said.contains("with the environment's variables put in") && !said.contains("/bin"), "{said}");
}

#[test]
fn lines_come_to_events_or_to_what_is_wrong() {
    let input = r#"
[[input.log]]
path = "*.log"
  [[input.log.rule]]
  node = "front"
  match = '^(?<timestamp>\S+) A (?<token>\S+) (?<duration>\S+)(?: from (?<parent>\S+))?(?: is (?<alias>\S+))?'
  unit = "ms"
  [[input.log.rule]]
  match = '^(?<timestamp>.+) (?<node>\w+) sees (?<token>.*)$'
  timestamp = "%b %e %H:%M:%S"
  [[input.log.rule]]
  node = "back"
  json = { token = "/id", timestamp = "/at" }
  timestamp = "ms"
"#;
    let manifest = manifest(input).unwrap();
    for (line, comes_to) in [
        (&b"2026-11-20T12:00:00.5Z A tok 250"[..], "front tok 2026-11-20T12:00:00.25Z"),
        (b"2026-11-20T12:00:00.5Z A tok - from back is job\r", "front tok 2026-11-20T12:00:00.5Z"),
        (b"2026-11-20T12:00:00.5Z A - 250", "no rule"),
        (b"2026-11-20T12:00:00.5Z A tok 2s", "refused: the duration \"2s\" is no number of ms"),
        (
            b"2026-11-20T12:00:00.5Z A tok 250 from bakc",
            "refused: no stream has a parent \"bakc\"; did you mean \"back\"?",
        ),
        (
            b"yesterday A tok 250",
            "refused: the timestamp is \"yesterday\": that is no time of RFC 3339; say its format in the rule, such as `timestamp = \"%Y-%m-%d %H:%M:%S%.f\"`",
        ),
        ("Nov 20 12:00:00 back sees ünïcödé トークン".as_bytes(), "back ünïcödé トークン 2026-11-20T12:00:00Z"),
        (b"Dec 31 23:59:59 back sees x", "back x 2025-12-31T23:59:59Z"),
        (b"Nov 20 12:00:00 bakc sees x", "refused: no stream has a node \"bakc\"; did you mean \"back\"?"),
        (b"Nov 40 12:00:00 back sees x", "refused: the timestamp \"Nov 40 12:00:00\" is not of the rule's format"),
        (b"{\"id\":42,\"at\":1795176000500}", "back 42 2026-11-20T12:00:00.5Z"),
        (
            b"{\"id\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\",\"at\":\"1795176000500\"}",
            "back 4bf92f3577b34da6a3ce929d0e0e4736 2026-11-20T12:00:00.5Z",
        ),
        (b"{\"id\":\"x\"}", "back x -"),
        (b"{\"id\":\"\",\"at\":1795176000500}", "no rule"),
        (b"Nov 20 12:00:00 back sees \xff", "refused: the line is not UTF-8: see its byte 26"),
        (b"Nov 20 12:00:00 back sees x\0", "refused: the line holds a NUL: see its byte 27"),
        (b"Nov 20 12:00:00 back sees a\x1b[31m", "refused: \"token\" contains a control character"),
        (b"", "no rule"),
    ] {
        assert_eq!(read(&manifest, line, "2026-11-20T13:00:00Z"), [comes_to], "{}", String::from_utf8_lossy(line));
    }
    let long = vec![b'x'; (1 << 20) + 1];
    assert_eq!(read(&manifest, &long, "2026-11-20T13:00:00Z"), ["refused: the line is longer than 1048576 bytes"]);
}

#[test]
fn stamps_without_a_fraction_widen_the_clock_skew() {
    let skew = |rule: &str| {
        let input = format!("[[input.log]]\npath = \"*.log\"\n[[input.log.rule]]\n{rule}");
        let manifest = manifest(&input).unwrap_or_else(|problems| panic!("{problems}"));
        manifest.system.streams[0].edges[0].clock_skew_us
    };
    let stamp =
        |format: &str| format!("node = \"back\"\nmatch = '(?<timestamp>.*) (?<token>x)'\ntimestamp = \"{format}\"");
    for (rule, expected_us) in [
        (stamp("%F %T"), 1_050_000),
        (stamp("%F %T%.f"), 50_000),
        (stamp("ms"), 50_000),
        // A number of seconds that may have a fraction, as nginx writes it; and one that cannot.
        (stamp("s"), 50_000),
        (stamp("s").replace(".*", r"\d+"), 1_050_000),
        ("node = \"back\"\nmatch = '(?<timestamp>\\S+) (?<token>x)'".to_owned(), 50_000),
        ("node = \"back\"\njson = { token = \"/t\", timestamp = \"/s\" }\ntimestamp = \"s\"".to_owned(), 1_050_000),
        ("match = '(?<timestamp>\\d+) (?<node>.*) (?<token>x)'\ntimestamp = \"s\"".to_owned(), 1_050_000),
    ] {
        assert_eq!(skew(&rule), expected_us, "{rule}");
    }
}
