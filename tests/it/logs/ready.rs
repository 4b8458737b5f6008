//! The ready rules of manifests/rules, on lines that the real software printed (tests/logs/make).

use std::fs;
use std::path::Path;

use observatory::manifest::{Source, load, render};

use super::read;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER: &str = "5bf92f3577b34da6a3ce929d0e0e4736";
const ID: &str = "7f8a1c2e-0b5d-4b7e-9c55-1d2f3a4b5c6d";
const NONE: &str = "";

/// The tokens that the lines of a fixture give, and the stamp of the first event. `zone`: where its clock stood.
struct Case {
    rules: &'static str,
    log: &'static str,
    zone: &'static str,
    tokens: &'static [&'static str],
    first: &'static str,
}

const CASES: [Case; 10] = [
    Case {
        rules: "nginx",
        log: "nginx",
        zone: "",
        tokens: &[NONE, TRACE, ID, OTHER, NONE],
        first: "2026-11-27T20:57:28.254Z",
    },
    Case {
        rules: "nginx-combined",
        log: "nginx-combined",
        zone: "",
        tokens: &[
            "2e21c2b115ad3935684b109922305fe1",
            "df2b14a4e198f92e19e902828e67a44c",
            "b1d0b0613313dd137025bec1171721dc",
            "8f2772d6b1dc2b354edeb3baaf9e43dd",
            "c63b7f101649f23807b7e88baffad052",
        ],
        first: "2026-11-27T20:57:28Z",
    },
    Case {
        rules: "apache",
        log: "apache",
        zone: "",
        tokens: &[NONE, TRACE, ID, OTHER, NONE],
        first: "2026-11-27T20:57:41.046594Z",
    },
    Case {
        rules: "haproxy",
        log: "haproxy",
        zone: "Europe/Helsinki",
        tokens: &[NONE, TRACE, ID, OTHER, NONE],
        first: "2026-11-27T20:58:12.823Z",
    },
    Case {
        rules: "envoy",
        log: "envoy",
        zone: "",
        tokens: &["cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2", ID, NONE],
        first: "2016-04-15T20:17:00.31Z",
    },
    Case {
        rules: "traefik",
        log: "traefik",
        zone: "",
        tokens: &[TRACE, ID, NONE],
        first: "2026-11-27T20:57:41.046594Z",
    },
    Case {
        rules: "journald",
        log: "journald",
        zone: "",
        tokens: &[TRACE, "job-17", NONE],
        first: "2026-11-27T20:59:26.716056Z",
    },
    Case {
        rules: "log4j",
        log: "log4j",
        zone: "",
        tokens: &[TRACE, TRACE, ID, ID, NONE, "job-17", NONE, NONE],
        first: "2026-11-27T20:59:24.643Z",
    },
    Case {
        rules: "log4j",
        log: "log4j-iso8601",
        zone: "Europe/Helsinki",
        tokens: &[TRACE, TRACE, ID, ID, NONE, "job-17", NONE, NONE],
        first: "2026-11-27T20:59:24.643Z",
    },
    Case {
        rules: "python",
        log: "python",
        zone: "Europe/Helsinki",
        tokens: &[TRACE, ID, NONE, "job-17", NONE, NONE, NONE],
        first: "2026-11-27T20:57:23.236Z",
    },
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The manifest of ready rules, with the streams that its nodes need.
fn ready(rules: &str, zone: &str) -> observatory::manifest::Manifest {
    let text = fs::read_to_string(root().join(format!("manifests/rules/{rules}.toml"))).unwrap();
    let text =
        if zone.is_empty() { text } else { text.replace("timezone = \"UTC\"", &format!("timezone = \"{zone}\"")) };
    let nodes = ["web-server", "load-balancer", "proxy", "event-processor", "journal"];
    let text = format!("{text}\n[[stream]]\nname = \"s\"\nnodes = {nodes:?}\n");
    load(&Source::Text(format!("{rules}.toml"), text)).unwrap_or_else(|problems| panic!("{}", render(&problems, false)))
}

#[test]
fn ready_rules_read_what_the_software_prints() {
    for case in CASES {
        let log = fs::read(root().join(format!("tests/logs/{}.log", case.log))).unwrap();
        let read = read(&ready(case.rules, case.zone), &log, "2026-11-28T00:00:00Z");
        let event = |line: &String| line.split(' ').nth(1).filter(|_| line.ends_with('Z')).unwrap_or(NONE).to_owned();
        assert_eq!(read.iter().map(event).collect::<Vec<_>>(), case.tokens, "{}: {read:#?}", case.log);
        let first = read.iter().find(|line| line.ends_with('Z')).unwrap();
        assert_eq!(first.rsplit(' ').next().unwrap(), case.first, "{}", case.log);
        assert!(read.iter().all(|line| !line.starts_with("refused")), "{}: {read:#?}", case.log);
    }
}

#[test]
fn every_ready_rule_has_a_fixture() {
    for file in fs::read_dir(root().join("manifests/rules")).unwrap() {
        let name = file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(CASES.iter().any(|case| case.rules == name), "{name}");
    }
}

#[test]
fn the_guide_shows_the_rules_as_they_are() {
    let guide = fs::read_to_string(root().join("docs/LOGS.md")).unwrap();
    for case in CASES {
        assert!(guide.contains(&format!("manifests/rules/{}.toml", case.rules)), "{}", case.rules);
    }
}
