//! What does a single-event `POST /events` cost, beside a bare actix handler that reads the body and
//! answers 202?
//!
//! `cargo bench --bench http [-- SECONDS [CONNECTIONS]]`, with `wrk` on the path. Both servers, each on one core, get the
//! same requests over loopback in turns; what counts is requests a second of the server's own CPU. A
//! ratio below [`FLOOR`] fails.
#![expect(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a benchmark prints, and may panic")]

mod common {
    pub(crate) mod served;
}

use std::process::{Command, ExitCode};

use actix_web::{App, HttpResponse, HttpServer, web};
use common::served::{Served, on_one_core};

/// Requests a CPU second, of those of the bare handler.
const FLOOR: f64 = 0.85;
const ROUNDS: usize = 5;

/// Every request is one event with a token of its own.
const REQUESTS: &str = r#"
local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("id", threads * 1000000007 + os.time())
end
local n = 0
local headers = { ["Content-Type"] = "application/json" }
request = function()
  n = n + 1
  local event = string.format('{"node":"web-server","token":"%016x%016x"}', id, n)
  return wrk.format("POST", "/events", headers, event)
end
"#;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let first = arguments.next().unwrap_or_else(|| "5".to_owned());
    if first == "bare" {
        return bare();
    }
    let connections = arguments.next().unwrap_or_else(|| "64".to_owned());
    let script = tempfile::NamedTempFile::with_suffix(".lua").unwrap();
    std::fs::write(script.path(), REQUESTS).unwrap();
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let load = |server: &Served| load(server, &first, &connections, script.path().to_str().unwrap());
        let beside = load(&Served::start(on_one_core().arg(std::env::current_exe().unwrap()).arg("bare")));
        let ours = load(&Served::observatory());
        let ratio = ours.per_cpu_second / beside.per_cpu_second;
        println!("bare {beside}   observatory {ours}   ratio {ratio:.3}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ROUNDS / 2];
    println!("median ratio {median:.3}, at least {FLOOR} is asked");
    if median < FLOOR { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The yardstick.
fn bare() -> ExitCode {
    let app =
        || App::new().route("/events", web::post().to(|_body: web::Bytes| async { HttpResponse::Accepted().finish() }));
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let served = actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(app).workers(workers).bind("127.0.0.1:0")?;
        println!("observatory: http://{}/", server.addrs()[0]);
        server.run().await
    });
    if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Run {
    per_second: f64,
    per_cpu_second: f64,
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>7.0}/s {:>7.0}/CPU s", self.per_second, self.per_cpu_second)
    }
}

/// Puts a server under load.
fn load(server: &Served, seconds: &str, connections: &str, script: &str) -> Run {
    let wrk = |seconds: &str| {
        let mut command = Command::new("wrk");
        command.args(["-t", "1", "-c", connections, "-d", seconds, "-s", script, &server.url]);
        let output = command.output().unwrap_or_else(|error| panic!("wrk: {error}"));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains("Non-2xx"), "{text}");
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let total = text.lines().map(words).find(|line| line.get(1).is_some_and(|word| word == "requests"));
        let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:")?.trim().parse::<f64>().ok());
        (total.unwrap()[0].parse::<f64>().unwrap(), rate.unwrap())
    };
    wrk("1");
    let before_s = server.cpu_s();
    let (requests, per_second) = wrk(seconds);
    Run { per_second, per_cpu_second: requests / (server.cpu_s() - before_s) }
}
