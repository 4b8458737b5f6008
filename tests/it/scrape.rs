//! `GET /metrics`: valid, complete, bounded.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::{ORDERS, Server, agent, event, read, wait_until};

/// A sample: its labels and its value.
type Sample = (BTreeMap<String, String>, f64);

/// A metric family as the text format gives it.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    help: String,
    samples: Vec<(String, Sample)>,
}

/// Parses the text format, strictly.
fn parse(text: &str) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::<String, Family>::new();
    let mut seen = BTreeSet::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(families.insert(name.to_owned(), Family { help: help.to_owned(), ..Family::default() }).is_none());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            kind.clone_into(&mut families.get_mut(name).unwrap().kind);
        } else {
            assert!(seen.insert(line.rsplit_once(' ').unwrap().0.to_owned()), "twice: {line}");
            let (name, labels, value) = sample(line);
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
            let family = base.filter(|base| families.get(*base).is_some_and(|family| family.kind == "histogram"));
            let family = families.get_mut(family.unwrap_or(&name)).unwrap_or_else(|| panic!("no TYPE: {line}"));
            family.samples.push((name, (labels, value)));
        }
    }
    families
}

fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let name_end = line.find(['{', ' ']).unwrap();
    let mut labels = BTreeMap::new();
    let mut rest = &line[name_end..];
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (name, after) = rest.split_once("=\"").unwrap();
            let mut value = String::new();
            let mut chars = after.char_indices();
            let end = loop {
                match chars.next().unwrap() {
                    (_, '\\') => value.push(match chars.next().unwrap().1 {
                        'n' => '\n',
                        other => other,
                    }),
                    (at, '"') => break at,
                    (_, other) => value.push(other),
                }
            };
            assert!(labels.insert(name.to_owned(), value).is_none(), "{line}");
            rest = after[end + 1..].trim_start_matches(',');
        }
        rest = &rest[1..];
    }
    (line[..name_end].to_owned(), labels, rest.trim_start().parse().unwrap())
}

fn value(families: &BTreeMap<String, Family>, name: &str, labels: &[(&str, &str)]) -> f64 {
    let fits = |sample: &Sample| labels.iter().all(|(name, value)| sample.0.get(*name).is_some_and(|is| is == value));
    let mut found = families.values().flat_map(|family| &family.samples).filter(|(is, _)| is == name);
    found.find(|(_, sample)| fits(sample)).unwrap_or_else(|| panic!("no {name} {labels:?}")).1.1
}

#[test]
fn the_exposition_is_valid_and_complete() {
    let server = Server::start(ORDERS);
    for token in ["a", "b", "c"] {
        server.post(&format!("[{},{}]", event("web", token), event("worker", token)));
    }
    server.post(r#"[{"node":"wbe","token":"x"},7]"#);
    server.post(&event("web", "lost"));
    let families = wait_until("the metrics show the missing one", || {
        let families = parse(&server.get("/metrics").body);
        let edge = [("from", "web"), ("outcome", "missing")];
        (value(&families, "observatory_edge_outcomes_total", &edge) > 0.0).then_some(families)
    });
    for (name, kind) in [
        ("events_total", "counter"),
        ("events_rejected_total", "counter"),
        ("edge_status", "gauge"),
        ("edge_held_status", "gauge"),
        ("edge_freshness", "gauge"),
        ("node_state", "gauge"),
        ("edge_upstream_total", "counter"),
        ("edge_outcomes_total", "counter"),
        ("edge_in_flight", "gauge"),
        ("edge_latency_seconds", "histogram"),
        ("edge_orphans_total", "counter"),
        ("edge_duplicates_total", "counter"),
        ("edge_revisions_total", "counter"),
        ("edge_blind_seconds_total", "counter"),
        ("gaps_total", "counter"),
        ("node_last_event_timestamp_seconds", "gauge"),
        ("tokens", "gauge"),
        ("tokens_limit", "gauge"),
        ("input_lag_seconds", "gauge"),
        ("input_up", "gauge"),
        ("manifest_reloads_total", "counter"),
        ("http_requests_total", "counter"),
        ("http_request_duration_seconds", "histogram"),
        ("verdict_delay_seconds", "histogram"),
        ("build_info", "gauge"),
    ] {
        let family = families.get(&format!("observatory_{name}")).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(family.kind, kind, "{name}");
        assert!(!family.help.is_empty() && !family.samples.is_empty(), "{name}");
    }
    assert!(families.contains_key("process_resident_memory_bytes"));
    let edge = [("stream", "orders"), ("from", "web"), ("to", "worker")];
    let with = |name, value| [edge[0], edge[1], edge[2], (name, value)];
    assert!((value(&families, "observatory_events_total", &[("input", "http")]) - 7.0).abs() < 0.1);
    let rejected = |reason| value(&families, "observatory_events_rejected_total", &[("reason", reason)]);
    assert!((rejected("unknown_node") - 1.0).abs() < 0.1 && (rejected("syntax") - 1.0).abs() < 0.1);
    assert!((value(&families, "observatory_edge_status", &edge) - 2.0).abs() < 0.1);
    assert!((value(&families, "observatory_edge_outcomes_total", &with("outcome", "pass")) - 3.0).abs() < 0.1);
    assert!((value(&families, "observatory_edge_upstream_total", &edge) - 4.0).abs() < 0.1);
    assert!((value(&families, "observatory_verdict_delay_seconds_count", &[]) - 4.0).abs() < 0.1);
}

#[test]
fn histograms_are_cumulative_and_end_at_infinity() {
    let server = Server::start(ORDERS);
    server.post(&format!("[{},{}]", event("web", "a"), event("worker", "a")));
    let families = parse(&server.get("/metrics").body);
    for (name, family) in families.iter().filter(|(_, family)| family.kind == "histogram") {
        let mut groups = BTreeMap::<_, Vec<(f64, f64)>>::new();
        for (_, (labels, count)) in family.samples.iter().filter(|(sample, _)| sample.ends_with("_bucket")) {
            let mut labels = labels.clone();
            let bound = labels.remove("le").unwrap().parse().unwrap();
            groups.entry(labels).or_default().push((bound, *count));
        }
        for buckets in groups.values() {
            assert!(buckets.is_sorted(), "{name}: {buckets:?}");
            assert!(buckets.last().unwrap().0.is_infinite(), "{name}");
        }
    }
}

#[test]
fn clients_cannot_make_new_labels() {
    let server = Server::start(ORDERS);
    for number in 0..50 {
        server.get(&format!("/nothing/{number}"));
        server.get(&format!("/streams/s{number}"));
        let odd = ureq::http::Request::builder().method(&*format!("M{number}")).uri(&server.url).body(()).unwrap();
        read(agent().run(odd));
        server.post(&event(&format!("node{number}"), "t"));
    }
    let families = parse(&server.get("/metrics").body);
    let requests = &families["observatory_http_requests_total"].samples;
    let seen = |label| requests.iter().map(|(_, (labels, _))| &*labels[label]).collect::<BTreeSet<_>>();
    assert_eq!(seen("method"), BTreeSet::from(["GET", "POST", "other"]));
    assert_eq!(seen("path"), BTreeSet::from(["/", "/events", "/streams/{stream}", "other"]));
    let text = server.get("/metrics").body;
    assert!(!text.contains("node7") && !text.contains("token="), "{text}");
}
