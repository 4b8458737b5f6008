//! Bodies that mean harm are refused before they take memory.

use std::io::{Read, Write};
use std::net::TcpStream;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::harness::{ORDERS, PATIENCE, Server, agent, event, read};
use crate::memory::high_water_kib;

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";
const MIB: usize = 1024 * 1024;

/// What all that follows may take, one after the other: a body of the largest size, inflated, and what is
/// read of it, a few times over.
const MEMORY_MAX_KIB: u64 = 96 * 1024;

/// So many zeros, packed.
fn bomb(mib: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; MIB];
    for _ in 0..mib {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Sends a head and then chunks until the server has had enough; gives the answer and how much was sent.
fn endless(server: &Server, head: &str, chunk: &[u8], limit: usize) -> (String, usize) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut sent = 0;
    while sent < limit && stream.write_all(chunk).is_ok() {
        sent += chunk.len();
    }
    let mut answer = Vec::new();
    // A reset after the answer is an end as well.
    drop(stream.read_to_end(&mut answer));
    (String::from_utf8_lossy(&answer).into_owned(), sent)
}

/// Each body with its type and the answer's status.
fn hostile() -> Vec<(&'static str, &'static str, Vec<u8>, u16)> {
    let good = event("web", "a");
    let token = |json: &str| format!("{{\"node\":\"web\",\"token\":{json}}}").into_bytes();
    let stamp = |json: &str| format!("{{\"node\":\"web\",\"token\":\"a\",\"timestamp\":{json}}}").into_bytes();
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        ("arrays in arrays", JSON, b"[".repeat(4 * MIB), 400),
        ("objects in objects", JSON, br#"{"a":"#.repeat(MIB), 400),
        ("closed, but deep", JSON, [b"[".repeat(MIB), b"]".repeat(MIB)].concat(), 400),
        ("deep in a field", JSON, [&b"{\"x\":"[..], &b"[".repeat(MIB), &b"]".repeat(MIB), b"}"].concat(), 400),
        ("deep on every line", NDJSON, [b"[".repeat(64), b"]".repeat(64), b"\n".to_vec()].concat().repeat(50_000), 422),
        ("a string of 8 MiB", JSON, token(&format!("\"{}\"", "x".repeat(8 * MIB - 64))), 422),
        ("a key of 8 MiB", JSON, format!("{{\"{}\":1}}", "x".repeat(8 * MIB - 64)).into_bytes(), 422),
        ("millions of empty events", JSON, [b"[{}".to_vec(), b",{}".repeat(2_700_000), b"]".to_vec()].concat(), 422),
        ("millions of empty lines", NDJSON, b"\n".repeat(8 * MIB - 1), 202),
        ("millions of numbers", NDJSON, b"1\n".repeat(4 * MIB - 1), 422),
        ("too large by a byte", JSON, b" ".repeat(8 * MIB + 1), 413),
        ("no UTF-8", JSON, [good.as_bytes(), b"\xff\xfe"].concat(), 400),
        ("no UTF-8 in a token", JSON, b"{\"node\":\"web\",\"token\":\"\xc0\xaf\"}".to_vec(), 400),
        ("no line of UTF-8", NDJSON, b"\xff\n\xfe\n".to_vec(), 400),
        ("UTF-16", JSON, [b"\xff\xfe".to_vec(), utf16].concat(), 400),
        ("two byte order marks", JSON, [b"\xef\xbb\xbf\xef\xbb\xbf", good.as_bytes()].concat(), 400),
        ("a byte order mark", JSON, [b"\xef\xbb\xbf", good.as_bytes()].concat(), 202),
        ("a lone surrogate", JSON, token(r#""\ud800""#), 400),
        ("surrogates the wrong way round", JSON, token(r#""\udc00\ud800""#), 400),
        ("a NUL", JSON, token(r#""\u0000""#), 422),
        ("NaN", JSON, stamp("NaN"), 400),
        ("infinity", JSON, stamp("-Infinity"), 400),
        ("2^64", JSON, stamp("18446744073709551616"), 422),
        ("2^64 - 1", JSON, stamp("18446744073709551615"), 422),
        ("below 0", JSON, stamp("-1"), 422),
        ("10^400", JSON, stamp("1e400"), 422),
        ("a million digits", JSON, stamp(&"9".repeat(MIB)), 422),
    ]
}

#[test]
fn hostile_bodies_are_refused_and_take_no_memory() {
    let server = Server::start(ORDERS);
    assert_eq!(server.post(&event("web", "before")).status, 202);
    let before_kib = high_water_kib(server.pid());
    for (name, content_type, body, status) in hostile() {
        let answer = server.post_as(content_type, &[], &body);
        let clear = (answer.status, if answer.status == 400 { status } else { answer.status });
        assert!(
            answer.status == status || (clear == (422, 422) && status == 400),
            "{name}: {} {:.300}",
            answer.status,
            answer.body
        );
        assert!(answer.body.len() < 512 * 1024, "{name}: an answer of {} bytes", answer.body.len());
        // The same, packed.
        let answer = server.post_as(content_type, &[("Content-Encoding", "gzip")], &packed(&body));
        assert!(
            answer.status == status || (answer.status == 422 && status == 400),
            "{name}, packed: {}",
            answer.status
        );
    }
    let taken_kib = high_water_kib(server.pid()) - before_kib;
    assert!(taken_kib < MEMORY_MAX_KIB, "{taken_kib} KiB were taken");
    assert_eq!(server.post(&event("web", "after")).status, 202);
}

#[test]
fn bodies_without_an_end_are_cut() {
    let server = Server::start(ORDERS);
    assert_eq!(server.post(&event("web", "before")).status, 202);
    let before_kib = high_water_kib(server.pid());
    let head = "POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    // The length is said: nothing is read.
    let (answer, _) =
        endless(&server, &format!("{head}Content-Length: 99999999999\r\n\r\n"), &vec![b' '; 65_536], 64 * MIB);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 65_536], b"\r\n".to_vec()].concat();
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    // What still comes after the answer is thrown away, for a second.
    let (answer, sent) = endless(&server, &chunked, &chunk, 64 * 1024 * MIB);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(sent < 64 * 1024 * MIB, "the server reads on and on");
    // A chunk's own size is no promise either.
    let (answer, _) = endless(&server, &format!("{chunked}ffffffffffffffffff\r\n"), b"x", 1);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let taken_kib = high_water_kib(server.pid()) - before_kib;
    assert!(taken_kib < MEMORY_MAX_KIB, "{taken_kib} KiB were taken");
}

#[test]
fn packed_bodies_are_measured_by_what_they_inflate_to() {
    let server = Server::start(ORDERS);
    assert_eq!(server.post(&event("web", "before")).status, 202);
    let before_kib = high_water_kib(server.pid());
    let gzip = [("Content-Encoding", "gzip")];
    let (large, fits) = (bomb(1024), packed(format!("{}{}", event("web", "b"), " ".repeat(7 * MIB)).as_bytes()));
    assert!(large.len() < 2 * MIB && fits.len() < MIB / 8);
    assert_eq!(server.post_as(JSON, &gzip, &large).status, 413);
    assert_eq!(server.post_as(JSON, &gzip, &fits).status, 202);
    // Many members, one bomb.
    let members = bomb(1).repeat(64);
    assert_eq!(server.post_as(JSON, &gzip, &members).status, 413);
    assert_eq!(server.post_as(JSON, &gzip, &packed(&large)).status, 400);
    let cut = packed(event("web", "c").as_bytes());
    assert_eq!(server.post_as(JSON, &gzip, &cut[..cut.len() - 9]).status, 400);
    assert_eq!(server.post_as(JSON, &gzip, event("web", "c").as_bytes()).status, 400);
    assert_eq!(server.post_as(JSON, &[("Content-Encoding", "gzip, gzip")], &cut).status, 415);
    assert_eq!(server.post_as(JSON, &[("Content-Encoding", "br")], &cut).status, 415);
    let taken_kib = high_water_kib(server.pid()) - before_kib;
    assert!(taken_kib < MEMORY_MAX_KIB, "{taken_kib} KiB were taken");
    // Many at once.
    let events = format!("{}/events", server.url);
    let post = || {
        let request = agent().post(&events).header("Content-Type", JSON).header("Content-Encoding", "gzip");
        read(request.send(&large[..])).status
    };
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let posts: Vec<_> = (0..50).map(|_| scope.spawn(post)).collect();
        posts.into_iter().map(|post| post.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| matches!(status, 413 | 503)), "{statuses:?}");
    let taken_kib = high_water_kib(server.pid()) - before_kib;
    assert!(taken_kib < 3 * MEMORY_MAX_KIB, "{taken_kib} KiB were taken by many");
    assert_eq!(server.post(&event("web", "after")).status, 202);
}
