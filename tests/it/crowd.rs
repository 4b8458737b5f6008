//! When thousands come back at once, some are told to come again, and nothing that was accepted is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Files, ORDERS, Server, event, observatory, wait_until};
use crate::memory::raise_files;

const CLIENTS: usize = 5_000;
/// Files that the server may have open: far fewer than there are clients.
const FILES: usize = 1_200;

/// What came of one client's tries.
#[derive(Default)]
struct Tries {
    accepted: bool,
    pushed_back: usize,
    waits_s: BTreeSet<u64>,
    cut: usize,
}

/// One try: connects, reports, waits for the answer, and keeps the connection for a while, as clients do.
async fn attempt(address: &str, token: &str) -> std::io::Result<(u16, Option<u64>)> {
    let mut stream = TcpStream::connect(address).await?;
    let body = event("web", token);
    let head = format!(
        "POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
    let wait = answer.lines().find_map(|line| line.to_lowercase().strip_prefix("retry-after: ")?.parse().ok());
    if status == 202 {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Ok((status, wait))
}

async fn client(address: String, number: usize) -> Tries {
    let mut tries = Tries::default();
    while !tries.accepted {
        match attempt(&address, &format!("token-{number}")).await {
            Ok((202, _)) => tries.accepted = true,
            Ok((503, Some(wait_s))) => {
                tries.pushed_back += 1;
                tries.waits_s.insert(wait_s);
                // A tenth of what was asked for: a test need not take as long.
                tokio::time::sleep(Duration::from_millis(100 * wait_s)).await;
            }
            Ok(answer) => panic!("{answer:?}"),
            Err(_) => {
                tries.cut += 1;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    tries
}

#[test]
fn five_thousand_clients_come_back_at_once() {
    assert!(raise_files() > CLIENTS + 100, "this test needs {CLIENTS} files");
    let files = Files::new();
    let manifest = files.write("m.toml", ORDERS);
    let mut shell = std::process::Command::new("sh");
    let serve = format!("ulimit -n {FILES}; exec \"$0\" serve {manifest} --listen 127.0.0.1:0");
    shell.args(["-c", &serve]).arg(observatory().get_program()).env_remove("JOURNAL_STREAM");
    let server = Server::spawn(&mut shell);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tries = runtime.block_on(async {
        let clients: Vec<_> =
            (0..CLIENTS).map(|number| tokio::spawn(client(server.address().to_owned(), number))).collect();
        let mut tries = Vec::new();
        for client in clients {
            tries.push(client.await.unwrap());
        }
        tries
    });
    assert!(tries.iter().all(|tries| tries.accepted));
    let pushed_back: usize = tries.iter().map(|tries| tries.pushed_back).sum();
    let waits: BTreeSet<u64> = tries.iter().flat_map(|tries| tries.waits_s.iter().copied()).collect();
    assert!(pushed_back > 0, "nobody was pushed back");
    assert_eq!(waits, (1..=5).collect(), "all come back at once");
    let cut: usize = tries.iter().map(|tries| tries.cut).sum();
    assert!(cut < CLIENTS / 10, "{cut} connections were cut without a word");
    let ledger = wait_until("all are on the board", || {
        let ledger = server.edge(0)["ledger"].clone();
        (ledger["upstream"] == CLIENTS).then_some(ledger)
    });
    // What was answered was counted, and what was pushed back was not.
    assert!(ledger["duplicates"].as_u64().unwrap() as usize <= cut, "{ledger}");
    let metrics = server.get("/metrics").body;
    assert!(metrics.contains("observatory_connections_refused_total"), "{metrics}");
}
