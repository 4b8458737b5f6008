//! Clients that take their time harm nobody else.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::harness::{ORDERS, PATIENCE, Server, event};

fn connections(server: &Server, count: usize, begin: &str) -> Vec<TcpStream> {
    let open = || {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(begin.as_bytes()).unwrap();
        stream
    };
    std::iter::repeat_with(open).take(count).collect()
}

#[test]
fn others_are_served_beside_slow_heads_and_slow_bodies() {
    let server = Server::start(ORDERS);
    let _heads = connections(&server, 200, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    let body = "POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    let _bodies = connections(&server, 200, body);
    let _idle = connections(&server, 200, "");
    for number in 0..50 {
        assert_eq!(server.post(&event("web", &format!("t{number}"))).status, 202);
        assert_eq!(server.get("/health/live").status, 200);
    }
}

#[test]
fn a_head_that_does_not_come_is_given_up() {
    let server = Server::start(ORDERS);
    let mut slow = connections(&server, 1, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").remove(0);
    slow.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn a_head_that_never_ends_is_refused() {
    let server = Server::start(ORDERS);
    let mut stream = connections(&server, 1, "GET / HTTP/1.1\r\nHost: x\r\n").remove(0);
    let header = format!("X-Long: {}\r\n", "x".repeat(8000));
    let mut sent = 0;
    while sent < 16 * 1024 * 1024 && stream.write_all(header.as_bytes()).is_ok() {
        sent += header.len();
    }
    assert!(sent < 16 * 1024 * 1024, "the server reads on and on");
    assert_eq!(server.get("/health/live").status, 200);
}
