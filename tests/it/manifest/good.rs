//! Good manifests, and what they come to.

use observatory::graph::{CheckKind, CountCheck, Discover, Threshold, Thresholds, Window};
use observatory::manifest::{Access, Manifest, Source, check_listen, load, render};

use super::{read, with_check, with_edge, with_top};

fn load_shipped(name: &str) -> Manifest {
    let manifest = load(&Source::Path(format!("manifests/{name}.toml").into()));
    manifest.unwrap_or_else(|problems| panic!("{}", render(&problems, false)))
}

fn thresholds(check: &str) -> Thresholds {
    let manifest = read(&with_check(check)).unwrap_or_else(|problems| panic!("{}", render(&problems, false)));
    manifest.system.streams[0].edges[0].check.as_ref().unwrap().thresholds
}

#[test]
fn the_shipped_manifests_run_today() {
    load_shipped("intro");
    assert_eq!(render(&load_shipped("minimal").warnings, false), "");
    assert_eq!(render(&load_shipped("shop").warnings, false), "");
}

#[test]
fn the_known_picture_is_what_it_was() {
    let manifest = load_shipped("intro");
    let said: Vec<_> = manifest.warnings.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(said, ["`warn = 1, fail = 0` can never show WARN"]);
    let stream = &manifest.system.streams[0];
    let name = |place: usize| manifest.system.nodes[stream.nodes[place].id.0 as usize].as_str();
    let edges: Vec<_> = stream
        .edges
        .iter()
        .map(|edge| {
            let check = edge.check.as_ref().unwrap();
            let Thresholds { ok, warn, fail, .. } = check.thresholds;
            (name(edge.from), name(edge.to), check.within_text.as_str(), check.within_us, ok, warn, fail)
        })
        .collect();
    let count = Threshold::Count;
    assert_eq!(
        edges,
        [
            ("web-server", "event-processor", "10s", 10_000_000, 3, count(0), count(0)),
            ("event-processor", "database", "500ms", 500_000, 3, count(1), count(2)),
            ("event-processor", "journal", "1000ms", 1_000_000, 3, count(1), count(0)),
        ]
    );
}

#[test]
fn windows_are_what_the_check_says() {
    assert_eq!(thresholds("within = \"1s\"").window(), Window::Outcomes(1));
    assert_eq!(thresholds("within = \"1s\", ok = 3, warn = 1, fail = 2").window(), Window::Outcomes(6));
    assert_eq!(thresholds("within = \"1s\", ok = 3, warn = 1, fail = 2, window = 4").window(), Window::Outcomes(4));
    assert_eq!(thresholds("within = \"1s\", window = \"5m\"").window(), Window::Time(300_000_000));
    assert_eq!(thresholds("within = \"1s\", window = 1_000_000").window(), Window::Outcomes(1_000_000));
    assert_eq!(thresholds("within = \"1s\", ok = 5, window = 5").window(), Window::Outcomes(5));
}

#[test]
fn shares_are_kept_to_four_decimals() {
    for (text, parts) in [("1%", 10_000), ("0.5%", 5_000), ("0.0001%", 1), ("100%", 1_000_000), ("12.3456%", 123_456)] {
        let found = thresholds(&format!("within = \"1s\", fail = \"{text}\", window = 1000"));
        assert_eq!(found.fail, Threshold::Percent(parts), "{text}");
    }
}

#[test]
fn no_warning_where_warn_can_show() {
    for check in [
        "within = \"1s\"",
        "within = \"1s\", ok = 3, warn = 0, fail = 0",
        "within = \"1s\", fail = 3",
        "within = \"1s\", warn = 1, fail = 2",
        "within = \"1s\", warn = \"1%\", fail = \"5%\", window = 21",
        "within = \"1s\", warn = \"1%\", fail = \"5%\", window = \"5m\"",
        "within = \"1s\", warn = 1, fail = \"5%\", window = 21",
        "within = \"1s\", ok = 4, warn = \"50%\", fail = 3, window = 4",
        "within = \"1s\", warn = \"100%\", fail = 5, window = 10",
    ] {
        let manifest = read(&with_check(check)).unwrap();
        assert_eq!(render(&manifest.warnings, false), "", "{check}");
    }
}

#[test]
fn edges_say_their_own() {
    let manifest = read(&with_top("grace = \"3s\"\nhold = \"4s\"\nclock_skew = \"5ms\"\nhorizon = \"6s\"")).unwrap();
    let edge = &manifest.system.streams[0].edges[0];
    assert_eq!((edge.grace_us, edge.hold_us, edge.clock_skew_us), (3_000_000, 4_000_000, 5_000));
    assert_eq!((edge.silence_us, edge.name.as_deref()), (None, None));
    assert_eq!(manifest.system.streams[0].horizon_us, 6_000_000);
    let lines = "grace = \"0s\"\nhold = \"0s\"\nsilence = \"5m\"\nname = \"writes\"\noptional = true\ncheck = { within = \"1s\" }";
    let manifest = read(&with_edge(lines)).unwrap();
    let edge = &manifest.system.streams[0].edges[0];
    assert_eq!((edge.grace_us, edge.hold_us, edge.silence_us), (0, 0, Some(300_000_000)));
    assert_eq!(edge.name.as_deref(), Some("writes"));
    assert!(edge.check.as_ref().unwrap().optional);
}

#[test]
fn a_count_check_keeps_its_numbers() {
    let check = "kind = \"count\", every = 65_536, expect = 2, same_token = true, within = \"1s\"";
    let manifest = read(&with_check(check)).unwrap();
    let kind = manifest.system.streams[0].edges[0].check.as_ref().unwrap().kind;
    assert_eq!(kind, CheckKind::Count(CountCheck { every: 65_536, expect: 2, same_token: true }));
}

#[test]
fn nodes_are_shared_between_streams() {
    let other = "[[stream]]\nname = \"b\"\nnodes = [\"db\", { name = \"x\", silence = \"1m\" }]\n[[stream.edge]]\nfrom = \"x\"\nto = \"db\"\n";
    let manifest = read(&format!("{}{other}", with_edge(""))).unwrap();
    let system = &manifest.system;
    assert_eq!(system.nodes, ["web", "db", "x"]);
    let ids: Vec<_> = system.streams[1].nodes.iter().map(|node| (node.id.0, node.silence_us)).collect();
    assert_eq!(ids, [(1, None), (2, Some(60_000_000))]);
    assert_eq!((system.streams[1].edges[0].from, system.streams[1].edges[0].to), (1, 0));
}

#[test]
fn edges_wait_for_their_inputs() {
    let text = with_top("[input.http]\nnodes = [\"db\"]\ndelay = \"2s\"");
    let manifest = read(&text).unwrap();
    assert_eq!(manifest.system.streams[0].edges[0].delay_us, 2_000_000);
    let unnamed = read(&with_top("[input.http]\ndelay = \"2s\"")).unwrap();
    assert_eq!(unnamed.system.streams[0].edges[0].delay_us, 0, "in replay only where an input names the node");
}

#[test]
fn beyond_loopback_access_must_be_said() {
    let loopback = ["127.0.0.1:1", "[::1]:1", "127.9.9.9:1", "[::ffff:127.0.0.1]:1"];
    let beyond = ["0.0.0.0:1", "[::]:1", "10.0.0.1:1"];
    for address in loopback {
        assert_eq!(check_listen(address.parse().unwrap(), None), Ok(()));
    }
    for address in beyond {
        let address = address.parse().unwrap();
        assert!(check_listen(address, None).is_err());
        assert_eq!(check_listen(address, Some(Access::Open)), Ok(()));
    }
    let manifest = read(&with_top("[server]\nlisten = \"0.0.0.0:1\"\naccess = \"open\"")).unwrap();
    assert_eq!(manifest.settings.access, Some(Access::Open));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_do_no_harm() {
    let text = format!("\u{feff}{}", with_check("within = \"1s\"").replace('\n', "\r\n"));
    assert!(read(&text).is_ok());
    let problems = read(&format!("\u{feff}nmae = 1\r\n{}", with_edge(""))).unwrap_err();
    assert_eq!(problems[0].line, 1);
    assert!(problems[0].rendered.contains("nmae = 1"), "{}", problems[0].rendered);
}

#[test]
fn a_stream_has_at_most_4096_nodes() {
    let nodes = |count: usize| {
        let names = (0..count).map(|index| format!("\"n{index}\"")).collect::<Vec<_>>().join(",");
        format!("[[stream]]\nname = \"a\"\nnodes = [{names}]\n")
    };
    assert_eq!(read(&nodes(4096)).unwrap().system.streams[0].nodes.len(), 4096);
    let problems = read(&nodes(4097)).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "the stream has 4,097 nodes");
    assert_eq!(problems[0].line, 3);
}

#[test]
fn edges_are_drawn_from_traffic_where_that_is_said_or_none_are_declared() {
    let discover = |text: &str| {
        let manifest = read(text).unwrap_or_else(|problems| panic!("{}", render(&problems, false)));
        assert_eq!(render(&manifest.warnings, false), "", "{text}");
        manifest.system.streams[0].discover
    };
    let nodes = "grace = \"2s\"\nhold = \"3s\"\n[[stream]]\nname = \"orders\"\nnodes = [\"web\", \"db\"]\n";
    let drawn = Discover { grace_us: 2_000_000, delay_us: 0, clock_skew_us: 50_000, hold_us: 3_000_000 };
    assert_eq!(discover(nodes), Some(drawn));
    assert_eq!(discover(&format!("{nodes}discover = false\n")), None);
    assert_eq!(discover(&with_edge("")), None);
    let both = "name = \"orders\"\ndiscover = true\nnodes = [\"web\", \"db\", \"audit\"]";
    assert!(discover(&with_edge("").replace("name = \"orders\"", both)).is_some());
}
