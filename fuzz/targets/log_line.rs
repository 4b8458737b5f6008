//! Any bytes as lines of a log: no panic, harmless errors, and a rule of literals and fields finds what its regular
//! expression finds.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use observatory::graph::{NodeIndex, System};
use observatory::input::rules::{Field, Line, LineReader, Lines, RuleSet, RuleText, Unit};

static NODES: LazyLock<NodeIndex> = LazyLock::new(|| {
    let nodes = ["web-server", "event-processor", "a"];
    NodeIndex::new(&System { nodes: nodes.map(str::to_owned).to_vec(), ..System::default() })
});

/// Pairs of rules that mean the same: one that is walked, and one with a choice that no line
/// can take, which only `regex` reads.
static RULES: LazyLock<Vec<(RuleSet, RuleSet)>> = LazyLock::new(|| {
    let formats = [None, Some("s"), Some("%b %e %H:%M:%S"), Some("%d/%b/%Y:%H:%M:%S %z"), Some("%F %T,%f")];
    let patterns = [
        r"^(?<timestamp>\S+) .* req=(?<token>[0-9a-f-]{4,36})",
        r"^(?<timestamp>[^\[]*) \[(?<token>[^\]]*)\] (?<node>\S+) (?<duration>[\d.]+)s$",
        r"(?-u:a)=(?<token>.*?) by=(?<node>\w+) at=(?<timestamp>.*)$",
    ];
    let rules = |pattern: String, format: Option<&str>| {
        RuleSet::compile(&[RuleText {
            node: Some("a".to_owned()),
            lines: Lines::Match(pattern),
            timestamp: format.map(str::to_owned),
            timezone: format.filter(|format| format.contains('%')).map(|_| "Europe/Helsinki".to_owned()),
            unit: Unit::Seconds,
        }])
        .expect("a good rule")
    };
    let pair = |pattern: &str, format| (rules(pattern.to_owned(), format), rules(format!("(?:{pattern}|\\n)"), format));
    patterns.iter().flat_map(|pattern| formats.map(|format| pair(pattern, format))).collect()
});

static JSON: LazyLock<RuleSet> = LazyLock::new(|| {
    let pointers = [(Field::Token, "/id"), (Field::Timestamp, "/at/0"), (Field::Node, "/a~1b")];
    let lines = Lines::Json(pointers.map(|(field, pointer)| (field, pointer.to_owned())).to_vec());
    RuleSet::compile(&[RuleText { node: None, lines, timestamp: Some("ms".to_owned()), timezone: None, unit: Unit::Seconds }])
        .expect("a good rule")
});

const WRITTEN_US: u64 = 1_795_176_000_000_000;

fn check(line: &Line) {
    if let Line::Refused { error, .. } = line {
        assert!(error.chars().count() < 400, "{error}");
        assert!(!error.contains(char::is_control), "{error}");
    }
}

fuzz_target!(|text: &[u8]| {
    for accept_unknown in [false, true] {
        let reader = |rules| LineReader::new(rules, &NODES, accept_unknown);
        let mut readers: Vec<_> = RULES.iter().map(|(walked, chosen)| (reader(walked), reader(chosen))).collect();
        let mut json = reader(&JSON);
        for line in text.split(|byte| *byte == b'\n') {
            for (walked, chosen) in &mut readers {
                let line_walked = walked.read(line, WRITTEN_US);
                check(&line_walked);
                assert_eq!(line_walked, chosen.read(line, WRITTEN_US));
            }
            check(&json.read(line, WRITTEN_US));
        }
    }
});
