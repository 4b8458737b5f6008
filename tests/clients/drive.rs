//! Reports each line of standard input as a token; at its end closes, and prints facts as JSON.

use std::io::BufRead;
use std::time::{Duration, Instant};

#[path = "../../docs/clients/reporter.rs"]
mod reporter;

fn main() {
    let reporter = reporter::Reporter::new(&std::env::args().nth(1).expect("the server's URL"));
    let (mut calls, mut longest) = (0, Duration::ZERO);
    for token in std::io::stdin().lock().lines() {
        let token = token.expect("a line of UTF-8");
        let before = Instant::now();
        reporter.report("driver", &token);
        longest = longest.max(before.elapsed());
        calls += 1;
    }
    reporter.close();
    let (dropped, longest_us) = (reporter.dropped(), longest.as_micros());
    println!("{{\"calls\":{calls},\"dropped\":{dropped},\"longest_us\":{longest_us}}}");
}
