//! Every error is `application/problem+json`.

use crate::harness::{Answer, ORDERS, Server, agent, read};

fn ask(server: &Server, method: &str, path: &str) -> Answer {
    let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", server.url)).body(()).unwrap();
    read(agent().run(request))
}

#[test]
fn errors_are_problems() {
    let server = Server::start(ORDERS);
    let cases = [
        ("GET", "/nothing", 404, "Not Found"),
        ("GET", "/api/v1/stream", 404, "Not Found"),
        ("GET", "/static/nothing.js", 404, "Not Found"),
        ("GET", "/static/../Cargo.toml", 404, "Not Found"),
        ("GET", "/streams/order", 404, "Not Found"),
        ("GET", "/streams/order/graph.svg", 404, "Not Found"),
        ("GET", "/streams/orders/graph.svg?flow=up", 400, "Bad Request"),
        ("GET", "/streams/order/graph.dot", 404, "Not Found"),
        ("GET", "/api/v1/streams/order", 404, "Not Found"),
        ("GET", "/api/v1/streams/orders/edges/web/book", 404, "Not Found"),
        ("GET", "/api/v1/streams/orders/edges/web/books", 404, "Not Found"),
        ("GET", "/api/v1/streams/%ff", 400, "Bad Request"),
        ("GET", "/events", 405, "Method Not Allowed"),
        ("DELETE", "/api/v1/streams", 405, "Method Not Allowed"),
        ("POST", "/metrics", 405, "Method Not Allowed"),
        ("POST", "/", 405, "Method Not Allowed"),
        ("OPTIONS", "/events", 405, "Method Not Allowed"),
    ];
    for (method, path, status, title) in cases {
        let answer = ask(&server, method, path);
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
        let problem = answer.json();
        assert_eq!((&problem["status"], &problem["title"]), (&status.into(), &title.into()));
        assert_eq!(problem["type"], "about:blank");
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        assert_eq!(status == 405, !answer.header("allow").is_empty(), "{method} {path}");
    }
    let meant = ask(&server, "GET", "/api/v1/streams/order").json()["detail"].as_str().unwrap().to_owned();
    assert!(meant.contains("orders"), "{meant}");
}

#[test]
fn a_head_that_is_too_large_is_a_problem_too() {
    let server = Server::start(ORDERS);
    let request = agent().get(format!("{}/health/live", server.url)).header("X-Long", "x".repeat(17_000));
    let answer = read(request.call());
    assert_eq!((answer.status, answer.header("content-type")), (431, "application/problem+json"));
    assert_eq!(server.get(&format!("/{}", "x".repeat(17_000))).status, 431);
}

#[test]
fn a_browser_is_shown_a_page() {
    let server = Server::start(ORDERS);
    let asked = agent().get(format!("{}/streams/order", server.url)).header("Accept", "text/html,*/*;q=0.8").call();
    let answer = read(asked);
    assert_eq!((answer.status, answer.header("content-type")), (404, "text/html; charset=utf-8"));
}
