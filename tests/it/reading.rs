//! What readers get: pages, pictures, probes; their headers.

use crate::harness::{ORDERS, Server, agent, read, wait_until};

#[test]
fn every_page_answers_get_and_head_with_the_headers_that_keep_browsers_safe() {
    let server = Server::start(ORDERS);
    let pages = [
        ("/", "text/html; charset=utf-8"),
        ("/streams/orders", "text/html; charset=utf-8"),
        ("/streams/orders/graph.svg", "image/svg+xml"),
        ("/streams/orders/graph.svg?flow=down", "image/svg+xml"),
        ("/streams/orders/graph.dot", "text/vnd.graphviz; charset=utf-8"),
        ("/static/observatory.css", "text/css; charset=utf-8"),
        ("/api/v1/streams", "application/json"),
        ("/api/v1/streams/orders", "application/json"),
        ("/api/v1/streams/orders/edges/web/worker", "application/json"),
        ("/api/openapi.json", "application/json"),
        ("/metrics", "text/plain; version=0.0.4"),
        ("/health/live", "application/json"),
        ("/health/ready", "application/json"),
        ("/status", "application/json"),
    ];
    for (path, content_type) in pages {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.header("content-type")), (200, content_type), "{path}");
        assert!(!answer.body.is_empty(), "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'; style-src "), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        let head = read(agent().head(format!("{}{path}", server.url)).call());
        assert_eq!((head.status, &*head.body), (200, ""), "HEAD {path}");
        assert_eq!(head.header("content-type"), content_type);
    }
}

#[test]
fn pages_bring_everything_from_here() {
    let server = Server::start(ORDERS);
    for path in ["/", "/streams/orders"] {
        let page = server.get(path).body;
        for attribute in ["href=\"", "src=\""] {
            for link in page.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                assert!(link.starts_with('/') || link.starts_with('#'), "{path} links to {link}");
                if link.starts_with('/') {
                    assert_eq!(server.get(link).status, 200, "{path} links to {link}");
                }
            }
        }
        assert!(!page.contains("<script>") && !page.contains(" style=\"") && !page.contains("<style>"), "{path}");
    }
}

#[test]
fn larger_answers_are_compressed_for_who_takes_it() {
    let server = Server::start(ORDERS);
    let asked = |coding| {
        let request = agent().get(format!("{}/api/openapi.json", server.url)).header("Accept-Encoding", coding);
        let answer = request.call().unwrap();
        answer.headers().get("content-encoding").map(|coding| coding.to_str().unwrap().to_owned())
    };
    assert_eq!(asked("gzip, br").as_deref(), Some("gzip"));
    assert_eq!(asked("gzip;q=0"), None);
    assert_eq!(asked("identity"), None);
}

#[test]
fn the_status_tells_the_servers_own_state() {
    let server = Server::start(ORDERS);
    let status = server.get("/status").json();
    assert_eq!((&status["name"], &status["version"]), (&"Shop".into(), &env!("CARGO_PKG_VERSION").into()));
    assert_eq!((&status["ready"], &status["inputs"][0]["state"]), (&true.into(), &"up".into()));
    assert_eq!(status["streams"][0]["status"], "UNKNOWN");
    assert_eq!(status["ledger"]["upstream"], 0);
}

#[test]
fn a_picture_that_was_looked_at_before_shows_the_edges_that_traffic_draws() {
    let server = Server::start("[[stream]]\nname = \"bare\"\nnodes = [\"a\", \"b\"]");
    let drawn = |path: &str| server.get(path).body.contains("data-edge");
    let paths = ["/streams/bare", "/streams/bare/graph.svg"];
    assert!(paths.iter().all(|path| !drawn(path)));
    server.post(r#"[{"node": "a", "token": "t"}, {"node": "b", "token": "t", "parent": "a"}]"#);
    for path in paths {
        wait_until(path, || drawn(path).then_some(()));
    }
}
