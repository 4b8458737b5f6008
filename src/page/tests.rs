use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::board::{Board, InputBoard, InputError, StreamBoard};
use crate::graph::{InputKind, InputState};
use crate::outcome::Status;
use crate::picture::fixtures::{
    HOSTILE, ago, board, demo, edge, graph, layered, node, rename, states, stream as made, unknown,
};
use crate::picture::{Flow, Layout, lay_out, svg};

const SETTINGS: PageSettings = PageSettings { refresh_us: 1_000_000, notices: Vec::new(), graph: true, login: None };

fn layouts(board: &Board) -> Vec<Arc<Layout>> {
    board.streams.iter().map(|stream| lay_out(stream)).collect()
}

fn stream_page(of: &StreamBoard) -> String {
    stream(&board(vec![of.clone()]), 0, &lay_out(of), &SETTINGS)
}

fn overview_page(board: &Board) -> String {
    overview(board, &layouts(board), &SETTINGS)
}

fn unobserved() -> StreamBoard {
    let mut empty = demo();
    empty.name = "fresh".to_owned();
    for node in &mut empty.nodes {
        (node.state, node.events, node.rate, node.last) = (crate::outcome::NodeState::Unobserved, 0, 0.0, None);
    }
    for edge in &mut empty.edges {
        let check = edge.check.clone();
        *edge = super::tests::edge(&edge.from, &edge.to, Status::Unknown, 0, 0);
        (edge.check, edge.latency_ms, edge.rate) = (check, None, 0.0);
        edge.freshness = crate::outcome::Freshness::Unobserved;
    }
    (empty.status, empty.unobserved) = (Status::Unknown, 3);
    empty
}

fn eight() -> Board {
    let ok = |name: &str, nodes, edges: &[(usize, usize)]| {
        let mut ok = graph(name, nodes, edges);
        for edge in &mut ok.edges {
            *edge = super::tests::edge(&edge.from, &edge.to, Status::Ok, 3, 3);
        }
        ok.status = Status::Ok;
        ok
    };
    unknown(board(vec![
        ok("payments", 3, &[(0, 1), (1, 2)]),
        demo(),
        graph("thirty", 30, &layered(30, 7)),
        states(),
        ok("mail", 2, &[(0, 1)]),
        unobserved(),
        graph("three-hundred", 300, &layered(300, 5)),
        made("lonely", vec![node("alone")], vec![]),
    ]))
}

#[test]
fn the_overview_says_the_worst_first() {
    let page = overview_page(&eight());
    let place = |name: &str| page.find(&format!("href=\"/streams/{name}\"")).unwrap();
    assert!(place("every-state") < place("payments") && place("orders") < place("mail"));
    assert!(place("mail") < place("fresh"));
    assert!(page.contains("<title>NOK · Shop</title>"));
    assert!(page.contains("/static/favicon-nok.svg"));
    assert!(page.contains("<noscript><meta http-equiv=\"refresh\" content=\"1\"></noscript>"));
    assert!(page.contains("evt[U+202E]-processor"), "unknown senders are shown");
    assert!(page.contains("12k indeterminate"));
    assert!(page.contains("3 of 3 not observed"));
}

#[test]
fn an_input_that_is_not_up_is_as_loud_as_what_is_broken() {
    let input = |name: &str, state| InputBoard {
        name: name.to_owned(),
        kind: InputKind::Amqp,
        state,
        since: ago(75),
        events: 12,
        rate: 812.0,
        last: Some(ago(80)),
        lag_ms: Some(12_400.0),
        last_error: Some(InputError { at: ago(3), error: "connection refused <b>".to_owned() }),
    };
    let mut with = board(vec![demo()]);
    with.inputs = vec![input("well", InputState::Up)];
    let strip = |board: &Board| {
        let pages = [overview_page(board), stream(board, 0, &lay_out(&demo()), &SETTINGS)];
        pages.map(|page| page.split("class=\"inputs\"").nth(1).unwrap().split("</ul>").next().unwrap().to_owned())
    };
    with.inputs[0].last_error = Some(InputError { at: ago(180), error: "long ago".to_owned() });
    assert!(strip(&with).iter().all(|strip| !strip.contains("<li")));
    with.inputs[0].last_error = Some(InputError { at: ago(70), error: "no stream has a node <b>".to_owned() });
    for strip in strip(&with) {
        assert!(strip.contains("class=\"troubled\"") && strip.contains("<bdi>well</bdi> had trouble"), "{strip}");
        assert!(strip.contains("no stream has a node &#60;b&#62;") && strip.contains("1 min ago"), "{strip}");
    }
    with.inputs[0].last_error = None;
    with.inputs.extend([input("slow-mq", InputState::CatchingUp), input("shop-log", InputState::Down)]);
    for strip in strip(&with) {
        let place = |text: &str| strip.find(text).unwrap_or_else(|| panic!("{text} is not in {strip}"));
        assert!(place("<bdi>shop-log</bdi> is down") < place("<bdi>slow-mq</bdi> is catching up"), "down first");
        for text in ["for 1 min", "last event 1 min ago", "12 s behind, 812/s"] {
            place(text);
        }
        assert_eq!(strip.matches("connection refused &#60;b&#62;").count(), 1, "{strip}");
        assert!(!strip.contains("<bdi>well<"));
    }
}

#[test]
fn the_stream_page_says_what_was_lost() {
    let page = stream_page(&demo());
    assert!(page.contains("<title>NOK · orders · Shop</title>"));
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not on the page"));
    assert!(place("order-1012") < place("4bf92f3577b34da6a3ce929d0e0e4736"), "newest first");
    assert!(place("id=\"e2\"") < place("order-1012"), "under the graph");
    for text in ["212 ms / 640 ms / 1.3 s", "within 1000ms", "took 1.3 s", "4 s ago", "NOK(pass=1/4 25%)"] {
        place(text);
    }
    assert!(page.contains("<time class=\"ago\" datetime=\"2026-11-20T11:59:56.000000Z\""));
}

#[test]
fn where_nothing_was_lost_the_page_says_so() {
    let page = stream_page(&unobserved());
    assert!(page.contains("Nothing was late or missing lately."));
    assert!(page.contains("<dt>UNKNOWN for</dt><dd>–</dd>"), "nothing has a status yet");
    assert!(!stream_page(&demo()).contains("class=\"calm\""));
}

#[test]
fn a_status_has_one_name_on_all_pages() {
    for page in [overview_page(&eight()), stream_page(&demo()), stream_page(&states())] {
        assert!(page.contains("UNKNOWN") && !page.contains("not known"));
        assert!(!page.to_lowercase().contains("last lost"), "what is late is not lost");
    }
    assert!(stream_page(&demo()).contains("<dt>NOK for</dt><dd><time class=\"during\""));
}

#[test]
fn no_page_needs_what_the_policy_forbids() {
    let pages = [overview_page(&eight()), stream_page(&demo()), stream_page(&states()), problem(404, "a", "b", &[])];
    for page in pages {
        for script in page.split("<script").skip(1) {
            assert!(
                script.starts_with(" type=\"module\" src=\"/static/live.js\"></script>"),
                "no script stands in a page"
            );
        }
        for forbidden in ["<style", "style=", "data:", "http://", "https://", "javascript:"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        for (at, _) in page.match_indices("/static/") {
            let name = page[at + 8..].split('"').next().unwrap();
            assert!(asset(name).is_some(), "{name} is served");
        }
    }
}

/// Tags and the names of their attributes, by a scanner that knows no more HTML than we write.
fn skeleton(page: &str) -> Vec<String> {
    let mut tags = Vec::new();
    for tag in page.split('<').skip(1) {
        let mut names = String::new();
        let mut quoted = false;
        for c in tag.chars() {
            match c {
                '"' => quoted = !quoted,
                '>' if !quoted => break,
                _ if !quoted => names.push(c),
                _ => {}
            }
        }
        tags.push(names);
    }
    tags
}

#[test]
fn hostile_names_stay_names() {
    let both = |stream: &StreamBoard| {
        let hostile = board(vec![stream.clone()]);
        (skeleton(&stream_page(stream)), skeleton(&overview_page(&hostile)))
    };
    let benign = rename(&demo(), "benign");
    let expected = both(&benign);
    for name in HOSTILE {
        let hostile = rename(&demo(), name);
        assert_eq!(both(&hostile), expected, "{name:?}");
        let page = stream_page(&hostile);
        assert!(!page.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{name:?}");
        let mut named = board(vec![demo()]);
        (named.name, named.description) = (name.to_owned(), name.to_owned());
        let mut plain = named.clone();
        (plain.name, plain.description) = ("a".to_owned(), "b".to_owned());
        assert_eq!(skeleton(&overview_page(&named)), skeleton(&overview_page(&plain)), "{name:?}");
        assert_eq!(skeleton(&problem(404, "a", name, &[])), skeleton(&problem(404, "a", "b", &[])));
    }
}

/// Writes the pages where a person can look at them with a browser.
#[test]
fn the_pages_can_be_looked_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    std::fs::create_dir_all(folder.join("static")).unwrap();
    for name in ["observatory.css", "favicon-ok.svg", "favicon-warn.svg", "favicon-nok.svg", "favicon-grey.svg"] {
        std::fs::write(folder.join("static").join(name), asset(name).unwrap().body).unwrap();
    }
    let write = |name: &str, page: String| {
        let page = page.replace("/static/", "static/").replace("http-equiv=\"refresh\"", "name=\"refresh\"");
        std::fs::write(folder.join(name), page).unwrap();
    };
    write("overview.html", overview_page(&eight()));
    write("one.html", overview_page(&board(vec![demo()])));
    write(
        "error.html",
        problem(404, "No such stream", "There is no stream called “ordres”. Did you mean “orders”?", &[]),
    );
    let tall = rename(&demo(), HOSTILE[0]);
    let bidi = rename(&demo(), "left\u{202e}thgir שלום עולם");
    let long = rename(&demo(), &"w".repeat(119));
    let (thirty, huge) = (graph("thirty", 30, &layered(30, 7)), graph("three-hundred", 300, &layered(300, 5)));
    let all = [
        ("demo", demo()),
        ("states", states()),
        ("fresh", unobserved()),
        ("hostile", tall),
        ("bidi", bidi),
        ("long", long),
    ];
    for (name, stream) in all.into_iter().chain([("thirty", thirty), ("huge", huge)]) {
        write(&format!("{name}.html"), stream_page(&stream));
        std::fs::write(folder.join(format!("{name}.svg")), svg(&stream, &lay_out(&stream), Flow::Right, false))
            .unwrap();
    }
}
