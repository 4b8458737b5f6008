//! What is said of bad manifests: the snapshots are to be read with the eyes of who wrote one.

use insta::assert_snapshot;

use observatory::manifest::render;

use super::{read, said, said_of, with_check, with_edge, with_top};

#[test]
fn everything_at_once() {
    let said = said(
        r#"
nmae = "Shop"
grace = 10
[server]
listen = "0.0.0.0:8700"

[[stream]]
name = "orders"
nodes = ["web-server", "event-processor", "database"]

  [[stream.edge]]
  from = "web-sever"
  to = "event-processor"
  check = { within = "10 s", okay = 3 }

  [[stream.edge]]
  from = "event-processor"
  to = "database"
  check = { ok = 3, warn = "1%" }

[[stream]]
name = "orders"
  [[stream.edge]]
  from = "a"
  to = "b"
  [[stream.edge]]
  from = "b"
  to = "a"
"#,
    );
    assert_snapshot!(said);
}

#[test]
fn colours_are_there_on_demand() {
    let problems = read(&with_top("nmae = 1")).unwrap_err();
    assert!(render(&problems, true).contains("\u{1b}["));
    assert!(!render(&problems, false).contains('\u{1b}'));
    assert_eq!(problems[0].to_string(), problems[0].rendered);
}

#[test]
fn what_is_no_toml() {
    let said = said_of([
        with_top("name = Shop"),
        with_top("name = \"Shop"),
        with_top("name"),
        with_top("name = \"a\"\nname = \"b\"\ngrace = 10s\nhold = \"soon\""),
        with_check("within = \"1s\", ok = 3").replace('}', ""),
        with_check("within = \"1s\"").replace("[[stream]]", "[[stream]"),
        with_top("[server]\nlisten = \"127.0.0.1:1\"\n[server]\nrefresh = \"1s\""),
        with_top("name = 'C:\\\ndescription = \"\\q\""),
        with_top("[input.http]\nenabled = yes\ndelay ="),
        format!("x = {}", "[".repeat(10_000)),
        format!("{}x = 1", "a.".repeat(10_000)),
    ]);
    assert_snapshot!(said);
}

#[test]
fn one_bracket_and_two_are_told_from_what_stands_in_the_wrong_order() {
    let said = |above: &str| {
        let text = with_edge("").replacen("[[stream]]", &format!("{above}\n[[stream]]"), 1);
        read(&text).unwrap_err().iter().map(ToString::to_string).collect::<String>()
    };
    let one = said("[stream]\nname = \"a\"");
    assert!(one.contains("`[[stream]]` was written with one bracket above, as `[stream]`"), "{one}");
    let own = said("[[stream.edge]]\nfrom = \"a\"\nto = \"b\"");
    assert!(own.contains("`[[stream]]` stands below tables of its own"), "{own}");
    let twice = said("stream = []");
    assert!(!twice.contains("below") && !twice.contains("bracket"), "{twice}");
}

#[test]
fn unknown_keys() {
    let said = said_of([
        with_top("gracee = \"1s\""),
        with_top("[server]\nlisen = \"127.0.0.1:8700\"\nport = 8700"),
        with_top("[input.htp]\nenabled = true"),
        with_edge("check = { within = \"1s\", optional = true }"),
        with_edge("within = \"1s\""),
        with_edge("clock_skew = \"1s\""),
        with_edge("chekc = { within = \"1s\" }"),
        with_edge("retries = 3"),
        with_top("[severs]\nlisten = \"127.0.0.1:8700\""),
        with_check("within = \"1s\", WARN = 1"),
        with_check("witin = \"1s\""),
        format!("[[edge]]\nfrom = \"a\"\n{}", with_edge("")),
        with_top(&format!(
            "name = \"{}\" # long\ninput = {{ http = {{ enabled = true, name = \"{0}\", nods = [] }} }}",
            "long ".repeat(60)
        )),
    ]);
    assert_snapshot!(said);
}

#[test]
fn durations() {
    let texts = [
        "10",
        "\"10 s\"",
        "\"10sec\"",
        "\"1.5s\"",
        "\"1h30m\"",
        "\"10\"",
        "\"\"",
        "\"soon\"",
        "\"-1s\"",
        "1.5",
        "true",
    ];
    let said = said_of(texts.map(|text| with_check(&format!("within = {text}"))));
    assert_snapshot!(said);
}

#[test]
fn durations_that_are_too_short_or_too_long() {
    let said = said_of([
        with_check("within = \"0s\""),
        with_check("within = \"400d\""),
        with_check("within = \"1s\", window = \"0s\""),
        with_edge("silence = \"0m\""),
        with_top("horizon = \"0s\"\ngrace = \"0s\"\nremember = \"0s\"\nhold = \"0s\"\nclock_skew = \"0s\""),
    ]);
    assert_snapshot!(said);
}

#[test]
fn wrong_types() {
    let said = said_of([
        with_top("name = 5\ndescription = [\"a\"]\nmax_tokens = \"many\"\nunknown_nodes = true"),
        with_top("server = \"127.0.0.1:8700\""),
        with_top("[[server]]\nlisten = \"127.0.0.1:8700\""),
        with_top("[server]\nlisten = 8700"),
        "stream = \"orders\"".to_owned(),
        "[stream]\nname = \"orders\"".to_owned(),
        "stream = [\"orders\"]".to_owned(),
        with_edge("check = \"10s\""),
        with_edge("check = [{ within = \"10s\" }]"),
        with_edge("optional = \"yes\"\nname = 7"),
        "[[stream]]\nname = \"orders\"\nnodes = \"web\"".to_owned(),
        "[[stream]]\nname = \"orders\"\nnodes = [1, [\"a\"], { silence = \"5m\" }, { name = \"a\", silense = \"5m\" }]"
            .to_owned(),
        with_top("input = 5"),
        with_top("[[input.http]]\nenabled = true"),
        with_top("[input.amqp]\nurl = \"amqp://localhost\""),
        with_top("[input.http]\nenabled = \"no\"\nnodes = \"web\"\ndelay = 5"),
    ]);
    assert_snapshot!(said);
}

#[test]
fn what_is_missing() {
    let said = said_of([
        "",
        "name = \"Shop\"\n",
        "[[stream]]\n",
        "[[stream]]\nname = \"orders\"\n[[stream.edge]]\ncheck = { ok = 3 }\n",
        "[[stream]]\nname = \"orders\"\nnodes = []\n",
    ]);
    assert_snapshot!(said);
}

#[test]
fn nodes_and_edges() {
    let nodes = "[[stream]]\nname = \"orders\"\nnodes = [\"web-server\", \"event-processor\"]\n";
    let edge = |from: &str, to: &str| format!("[[stream.edge]]\nfrom = \"{from}\"\nto = \"{to}\"\n");
    let said = said_of([
        format!("{nodes}{}", edge("web-server", "event-procesor")),
        format!("{nodes}{}", edge("Web-Server", "database")),
        format!("{nodes}{0}{0}", edge("web-server", "event-processor")),
        format!("{nodes}{}", edge("web-server", "web-server")),
        format!("{nodes}{}", edge("web-server", "event-processor")).replace("\"]", "\", \"web-server\", \"idle\"]"),
        format!("[[stream]]\nname = \"a\"\n{}{}{}{}", edge("x", "a"), edge("a", "b"), edge("b", "c"), edge("c", "a")),
        format!("[[stream]]\nname = \"a\"\n{}{}", edge("", "b"), edge("a\\u0007", "b")),
        format!("[[stream]]\nname = \"a\"\n{}", edge(&"n".repeat(129), "b")),
    ]);
    assert_snapshot!(said);
}

#[test]
fn what_is_hardly_meant() {
    let nodes =
        "[[stream]]\nname = \"orders\"\nnodes = [\"web\", \"idle\", \"db\", { name = \"cron\", silence = \"1d\" }]\n";
    let edge = "[[stream.edge]]\nfrom = \"web\"\nto = \"db\"\n";
    let said = said_of([format!("{nodes}{edge}"), with_top("[input.http]\nenabled = false")]);
    assert_snapshot!(said);
}

#[test]
fn names_of_streams() {
    let named = |name: &str| with_edge("").replace("\"orders\"", name);
    let said = said_of([
        named("\"\""),
        named("\"orders of today\""),
        named("\"Bestellungen/groß\""),
        named(&format!("\"{}\"", "o".repeat(65))),
        named("\"..\""),
        format!("{}{}", named("\"a\""), named("\"a\"")),
    ]);
    assert_snapshot!(said);
}

#[test]
fn thresholds() {
    let said = said_of([
        with_check("within = \"1s\", ok = 0"),
        with_check("within = \"1s\", ok = -1, warn = -1"),
        with_check("within = \"1s\", ok = \"3\", warn = \"1\", fail = 0.5"),
        with_check("within = \"1s\", warn = \"1%\""),
        with_check("within = \"1s\", warn = \"0%\", fail = \"101%\", window = 10"),
        with_check("within = \"1s\", warn = \"0.00001%\", fail = \"5 %\", window = 10"),
        with_check("within = \"1s\", warn = \"few\", fail = true, window = 10"),
        with_check("within = \"1s\", ok = 10, window = 5"),
        with_check("within = \"1s\", window = 0"),
        with_check("within = \"1s\", window = 1_000_001"),
        with_check("within = \"1s\", window = \"100\""),
        with_check("within = \"1s\", window = \"5 min\""),
        with_check("within = \"1s\", window = 1.5"),
        with_check("within = \"1s\", ok = 1_000_000, warn = 1, fail = 2"),
    ]);
    assert_snapshot!(said);
}

#[test]
fn thresholds_that_can_never_show() {
    let said = said_of([
        with_check("within = \"1s\", ok = 3, warn = 1, fail = 0"),
        with_check("within = \"1s\", ok = 3, warn = 2, fail = 2"),
        with_check("within = \"1s\", ok = 3, warn = 20, fail = 30, window = 10"),
        with_check("within = \"1s\", warn = \"5%\", fail = \"1%\", window = \"5m\""),
        with_check("within = \"1s\", warn = \"1%\", fail = \"5%\", window = 10"),
        with_check("within = \"1s\", warn = 1, fail = \"5%\", window = 10"),
        with_check("within = \"1s\", ok = 10, warn = \"50%\", fail = 3, window = 10"),
    ]);
    assert_snapshot!(said);
}

#[test]
fn checks() {
    let said = said_of([
        with_check("ok = 3"),
        with_check("kind = \"cuont\", within = \"1s\""),
        with_check("kind = \"count\", within = \"1s\""),
        with_check("kind = \"count\", every = 0, expect = 0, within = \"1s\""),
        with_check("kind = \"count\", every = 65_537, expect = 1, within = \"1s\""),
        with_check("kind = \"count\", every = 2, expect = 5, same_token = true, within = \"1s\""),
        with_check("every = 5, expect = 2, same_token = false, within = \"1s\""),
        with_edge("optional = true"),
        with_edge("optional = true\ncheck = { kind = \"count\", every = 5, expect = 2, within = \"1s\" }"),
    ]);
    assert_snapshot!(said);
}

#[test]
fn the_server() {
    let server = |lines: &str| with_top(&format!("[server]\n{lines}"));
    let said = said_of([
        server("listen = \"0.0.0.0:8700\""),
        server("listen = \"[::]:8700\"\naccess = \"opne\""),
        server("listen = \"8700\""),
        server("listen = \":9000\""),
        server("listen = \"localhost:9000\""),
        server("listen = \"*:9000\""),
        server("listen = \"10.0.0.1\""),
        server("listen = \"127.0.0.1:99999\""),
        server("refresh = 5\nlayout = \"dagre\""),
        server("data_dir = 5\njournal = { max_size = \"1G\", max_age = 7 }"),
        server("journal = { max_size = \"1MiB\", max_ages = \"7d\" }"),
        server("journal = \"1GiB\""),
        with_top("max_tokens = 0\nunknown_nodes = \"ignore\""),
        with_top("max_tokens = 99_999_999_999_999_999_999"),
    ]);
    assert_snapshot!(said);
}

#[test]
fn what_nobody_can_use() {
    let said = said_of([
        with_top("[server]\naccess = \"login\""),
        with_top(
            "[[input.amqp]]\nurl = \"amqp://localhost\"\nqueue = \"q\"\n[[input.log]]\npath = \"*.log\"\n[[input.log.rule]]\nnode = \"web\"\nmatch = '(?<token>\\S+)'",
        ),
        with_top("[input.http]\nenabled = false"),
    ]);
    assert_snapshot!(said);
}

#[test]
fn inputs() {
    let said = said_of([
        with_top("[input.http]\nname = \"front\"\nnodes = [\"wbe\", 5]\ndelay = \"0\""),
        with_top("[[input.amqp]]\nname = \"mq\"\nprefetch = 0"),
        with_top("[[input.amqp]]\nurl = \"http://localhost\"\nqueue = 5\nroutingkey = \"x\""),
        with_top("[[input.log]]\nfrom = \"start\""),
        with_top("[[input.log]]\npath = \"a***\"\n[[input.log.rule]]\nunit = \"seconds\""),
        with_top(
            "[[input.log]]\npath = \"a\"\n[[input.log.rule]]\nmatch = 'a'\njson = { token = \"/t\", time = \"/x\" }",
        ),
        with_top("[input.http]\nname = \"a\"\n[[input.log]]\nname = \"a\"\npath = \"a\"\nrule = [{ match = 'a' }]"),
    ]);
    assert_snapshot!(said);
}

#[test]
fn what_belongs_to_a_stream_stands_below_it() {
    let said = said("[[stream.edge]]\nfrom = \"a\"\nto = \"b\"\n[[stream]]\nname = \"x\"\n");
    assert!(said.contains("`[[stream.edge]]` stands above the `[[stream]]` that it belongs to"), "{said}");
    assert!(said.contains("write `[[stream]]` first") && !said.contains("said twice"), "{said}");
}

#[test]
fn what_is_written_in_another_language_is_told_so() {
    for text in ["name: Shop\nstreams:\n  - name: orders\n", "{\"name\": \"Shop\", \"streams\": []}"] {
        let said = said(text);
        assert!(said.contains("a manifest is TOML"), "{said}");
    }
}

/// One slip hides no other.
#[test]
fn all_that_is_wrong_with_a_rule_is_said() {
    let rule = |rest: &str| with_top(&format!("[[input.log]]\npath = \"a\"\n[[input.log.rule]]\n{rest}"));
    let said = |rest: &str| said(&rule(rest));
    let both = said("node = \"wbe\"\nmatch = 'req=(?<token>\\S+'");
    assert!(both.contains("unknown node \"wbe\"") && both.contains("write \"web\""), "{both}");
    assert!(both.contains("unclosed group"), "{both}");
    let both = said("node = 5\nmatch = '(?<tocken>\\S+)'");
    assert!(both.contains("`node` must be a string") && both.contains("tocken"), "{both}");
    assert!(!both.contains("which node"), "it says so, though not well: {both}");
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let text = with_edge("").replace("orders", "\\u001b[31m\\u202eorders");
    let said = said_of([text, with_top("\"\u{202e}key\" = 1\n\"a\\u001b[0m\" = 2")]);
    assert_snapshot!(said);
}
