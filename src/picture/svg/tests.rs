use roxmltree::{Document, Node};

use super::*;
use crate::outcome::Status;
use crate::picture::fixtures::{HOSTILE, demo, rename, states};
use crate::picture::lay_out;

fn texts<'a>(group: Node<'a, 'a>, class: &str) -> Vec<&'a str> {
    let is = |node: &Node<'_, '_>| node.attribute("class").is_some_and(|all| all.split(' ').any(|one| one == class));
    group.descendants().filter(is).filter_map(|node| node.text()).collect()
}

fn group<'a>(document: &'a Document<'a>, id: &str) -> Node<'a, 'a> {
    document.descendants().find(|node| node.attribute("id") == Some(id)).unwrap()
}

#[test]
fn the_known_picture() {
    let stream = demo();
    let drawn = svg(&stream, &lay_out(&stream), Flow::Right, false);
    let document = Document::parse(&drawn).unwrap();
    let expected = [
        ("e0", "tone-ok", "OK(pass=3/3 100%)", "Check(within=10s,ok=3,warn=0,fail=0)"),
        ("e1", "tone-warn", "WARN(pass=4/5 80%)", "Check(within=500ms,ok=3,warn=1,fail=2)"),
        ("e2", "tone-nok", "NOK(pass=1/4 25%)", "Check(within=1000ms,ok=3,warn=1,fail=0)"),
    ];
    for (id, tone, said, owed) in expected {
        let edge = group(&document, id);
        assert!(edge.attribute("class").unwrap().contains(tone));
        assert_eq!(texts(edge, "said"), [said]);
        assert_eq!(texts(edge, "owed"), [owed]);
        let title = edge.first_element_child().and_then(|title| title.text()).unwrap();
        assert!(title.contains(said) && title.contains(" → "), "{title}");
    }
    assert_eq!(texts(group(&document, "e2"), "fact"), ["live · NOK 5 min · p95 2.0 ms"]);
    assert_eq!(texts(group(&document, "e2"), "lost"), ["0 late · 16 missing · 3 in flight"]);
    for color in ["#00aa00", "#aaaa00", "#aa0000", "#00aaaa"] {
        assert!(drawn.contains(color));
    }
}

#[test]
fn what_flows_down_says_the_same_in_short_lines() {
    let stream = demo();
    let drawn = svg(&stream, &lay_out(&stream), Flow::Down, true);
    let document = Document::parse(&drawn).unwrap();
    let edge = group(&document, "e2-down");
    for (class, said) in [
        ("word", "NOK"),
        ("share", "pass=1/4 25%"),
        ("owed", "within=1000ms"),
        ("fact", "p95 2.0 ms"),
        ("lost", "16 failed"),
    ] {
        assert_eq!(texts(edge, class), [said]);
    }
    assert_eq!(edge.attribute("data-owed"), Some("Check(within=1000ms,ok=3,warn=1,fail=0)"));
    assert!(edge.first_element_child().unwrap().text().unwrap().contains("NOK(pass=1/4 25%)"));
}

#[test]
fn what_must_not_be_overlooked_is_flagged() {
    let stream = states();
    let drawn = svg(&stream, &lay_out(&stream), Flow::Right, false);
    let document = Document::parse(&drawn).unwrap();
    for (id, flag, words) in [
        ("e3", "flag-indeterminate", "12k indeterminate"),
        ("e3", "flag-blind", "blind"),
        ("n4", "flag-clock", "clock ahead"),
        ("n5", "flag-unreported", "1.2k unreported"),
    ] {
        let group = group(&document, id);
        assert!(group.children().any(|node| node.attribute("class") == Some(&format!("flag {flag}"))));
        assert!(group.descendants().any(|node| node.text() == Some(words)));
    }
    for (id, tone) in [("e0", "tone-nok"), ("e1", "tone-grey"), ("e2", "tone-ok-idle"), ("e3", "tone-grey")] {
        assert!(group(&document, id).attribute("class").unwrap().contains(tone), "{id}");
    }
    assert!(group(&document, "n6").attribute("class").unwrap().contains("node"), "isolated nodes are drawn");
}

#[test]
fn changed_numbers_need_no_new_layout() {
    let stream = demo();
    let layout = lay_out(&stream);
    let mut changed = stream.clone();
    changed.edges[1].status = Status::Nok;
    changed.edges[1].ledger.missing = 1_000_000;
    changed.nodes[0].rate = 12_000.0;
    assert!(layout.fits(&changed));
    let geometry = |stream, flow| {
        let drawn = svg(stream, &layout, flow, true);
        let document = Document::parse(&drawn).unwrap();
        let boxes = document.descendants().filter(|node| node.has_tag_name("rect") || node.has_tag_name("path"));
        boxes.map(|node| format!("{:?} {:?}", node.attribute("x"), node.attribute("d"))).collect::<Vec<_>>()
    };
    for flow in [Flow::Right, Flow::Down] {
        assert_eq!(geometry(&stream, flow), geometry(&changed, flow));
    }
    changed.nodes[0].name = "another".to_owned();
    assert!(!layout.fits(&changed));
}

/// Tags and the names of attributes, with what no name may change.
fn skeleton(drawn: &str) -> Vec<String> {
    let document = Document::parse(drawn).unwrap_or_else(|error| panic!("{error}: {drawn}"));
    let attributes =
        |node: Node<'_, '_>| node.attributes().map(|one| one.name().to_owned()).collect::<Vec<_>>().join(" ");
    let tags = document.descendants().filter(|node| node.is_element() || node.is_comment() || node.is_pi());
    tags.map(|node| format!("{} {}", node.tag_name().name(), attributes(node))).collect()
}

#[test]
fn hostile_names_stay_names() {
    for (flow, inline) in [(Flow::Right, false), (Flow::Right, true), (Flow::Down, false), (Flow::Down, true)] {
        let benign = demo();
        let expected = skeleton(&svg(&benign, &lay_out(&benign), flow, inline));
        for name in HOSTILE {
            let hostile = rename(&benign, name);
            let drawn = svg(&hostile, &lay_out(&hostile), flow, inline);
            assert_eq!(skeleton(&drawn), expected, "{name:?}");
            assert!(!drawn.contains('\u{ffff}') && !drawn.contains('\u{1b}') && !drawn.contains("]]>"));
            let document = Document::parse(&drawn).unwrap();
            let seen = document.descendants().filter(Node::is_text).filter_map(|node| node.text());
            for text in seen {
                assert!(!text.chars().any(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')));
            }
        }
    }
}
