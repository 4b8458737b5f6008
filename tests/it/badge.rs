//! Badges: a status for pages that are not ours.

use crate::harness::{ORDERS, Server, event, wait_until};

fn texts(svg: &str) -> Vec<String> {
    let parsed = roxmltree::Document::parse(svg).unwrap();
    let texts = parsed.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| node.text().unwrap().to_owned()).collect()
}

#[test]
fn a_badge_shows_the_status_of_a_stream_and_of_an_edge() {
    let server = Server::start(ORDERS);
    let badge = server.get("/badge/orders.svg");
    assert_eq!((badge.status, badge.header("content-type")), (200, "image/svg+xml"));
    assert_eq!(badge.header("cache-control"), "no-cache");
    assert_eq!(badge.header("content-security-policy"), "default-src 'none'");
    assert_eq!(texts(&badge.body), ["orders", "UNKNOWN, 2 of 2 not observed"]);
    for token in ["a", "b", "c"] {
        server.post(&format!("[{},{}]", event("web", token), event("worker", token)));
    }
    let shows = |path: &str, text: &str| {
        wait_until(text, || (texts(&server.get(path).body)[1] == text).then_some(()));
    };
    shows("/badge/orders/web/worker.svg", "OK");
    server.post(&format!("[{},{}]", event("web", "lost"), event("web", "lost, too")));
    shows("/badge/orders/web/worker.svg", "NOK");
    assert!(server.get("/badge/orders.svg").body.contains("#aa0000"));
}

#[test]
fn what_is_not_there_has_no_badge() {
    let server = Server::start(ORDERS);
    for path in ["/badge/order.svg", "/badge/orders/web/books.svg", "/badge/orders/wbe/worker.svg", "/badge/orders"] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.header("content-type")), (404, "application/problem+json"), "{path}");
    }
}

#[test]
fn names_are_decoded_and_stay_text() {
    let name = "</text><script>/%&\u{202e}.svg";
    let manifest = format!("[[stream]]\nname = \"a.svg\"\n[[stream.edge]]\nfrom = \"{name}\"\nto = \"{name}2\"\n");
    let server = Server::start(&manifest);
    assert_eq!(texts(&server.get("/badge/a.svg.svg").body)[0], "a.svg");
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    let answer = server.get(&format!("/badge/a.svg/{encoded}/{encoded}2.svg"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(texts(&answer.body)[0].starts_with("</text><script>"), "{}", answer.body);
    assert!(!answer.body.contains('\u{202e}'));
}
