//! Clients that take their time harm nobody else.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use observatory::web::Limits;
use rustix::net::{AddressFamily, SocketType, connect, socket, sockopt};

use crate::harness::{ORDERS, PATIENCE, Server, agent, event, read, wait_until};
use crate::memory::{high_water_kib, raise_files};
use crate::pushback::Inside;

fn connections(server: &Server, count: usize, begin: &str) -> Vec<TcpStream> {
    let open = || {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(begin.as_bytes()).unwrap();
        stream
    };
    std::iter::repeat_with(open).take(count).collect()
}

/// All that comes until the other side closes.
fn rest(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is an end as well.
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("the connection stays: {error}"),
        _ => String::from_utf8_lossy(&answer).into_owned(),
    }
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
    let [mut slow, mut silent] =
        ["GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", ""].map(|begin| connections(&server, 1, begin).remove(0));
    let answer = rest(&mut slow);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("application/problem+json"), "{answer}");
    assert_eq!(rest(&mut silent), "");
}

#[test]
fn a_head_that_does_not_come_on_a_kept_connection_is_given_up_too() {
    let server = Server::start(ORDERS);
    let limits = Limits { head_time: Duration::from_millis(500), ..Limits::default() };
    let inside = Inside::start(limits);
    let address = inside.url.trim_start_matches("http://");
    let begun = [TcpStream::connect(address).unwrap(), TcpStream::connect(server.address()).unwrap()];
    let answers = begun.map(|mut stream| {
        let mut dripping = stream.try_clone().unwrap();
        for _ in 0..3 {
            stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            let mut answer = [0; 4096];
            let length = stream.read(&mut answer).unwrap();
            assert!(answer[..length].starts_with(b"HTTP/1.1 200 OK"));
        }
        // A byte now and then keeps nobody waiting longer.
        std::thread::spawn(move || {
            for byte in b"GET /health/live HTTP/1.1\r\nX-Slow: ".iter().cycle() {
                if dripping.write_all(&[*byte]).is_err() {
                    break;
                }
                std::thread::park_timeout(Duration::from_millis(100));
            }
        });
        rest(&mut stream)
    });
    for answer in answers {
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
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

#[test]
fn what_is_no_http_is_told_so_like_all_else() {
    let server = Server::start(ORDERS);
    for nonsense in
        ["\u{16}\u{3}\u{1} hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nA B: c\r\n\r\n"]
    {
        let answer = rest(&mut connections(&server, 1, nonsense).remove(0));
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{nonsense:?}: {answer}");
        for part in ["application/problem+json", "\"status\":400", "nosniff", "Content-Security-Policy"] {
            assert!(answer.contains(part), "{part} is not in {answer}");
        }
    }
}

/// A connection that takes in little before it is full.
fn narrow(address: &str) -> TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_recv_buffer_size(&socket, 2048).unwrap();
    connect(&socket, &address.parse::<SocketAddr>().unwrap()).unwrap();
    socket.into()
}

#[test]
fn a_live_reader_who_stops_reading_loses_the_connection() {
    let mut manifest = "[[stream]]\nname = \"orders\"\n".to_owned();
    for number in 0..3000 {
        write!(manifest, "[[stream.edge]]\nfrom = \"web-{number}\"\nto = \"worker\"\n").unwrap();
    }
    let limits = Limits { unread_time: Duration::from_secs(1), ..Limits::default() };
    let inside = Inside::serve(&manifest, limits);
    let readers = || {
        let metrics = read(agent().get(format!("{}/metrics", inside.url)).call()).body;
        let line = metrics.lines().find(|line| line.starts_with("observatory_live_readers{")).map(str::to_owned);
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u32>().ok())
    };
    let mut stuck = narrow(inside.url.trim_start_matches("http://"));
    stuck.write_all(b"GET /api/v1/streams/orders/live HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    wait_until("somebody reads", || (readers() == Some(1)).then_some(()));
    wait_until("the reader is given up", || (readers() == Some(0)).then_some(()));
}

#[test]
fn ten_thousand_idle_connections_keep_nobody_out() {
    let wanted = raise_files().saturating_sub(500).min(10_000);
    let server = Server::start(ORDERS);
    assert_eq!(server.get("/health/live").status, 200);
    let before_kib = high_water_kib(server.pid());
    let mut idle = connections(&server, wanted, "");
    for number in 0..50 {
        assert_eq!(server.post(&event("web", &format!("t{number}"))).status, 202);
    }
    let each_kib = (high_water_kib(server.pid()) - before_kib) / wanted as u64;
    assert!(each_kib <= 40, "an idle connection takes {each_kib} KiB");
    // None of them says anything, so none of them stays.
    for connection in &mut idle {
        assert_eq!(rest(connection), "");
    }
    assert_eq!(server.post(&event("web", "last")).status, 202);
}
