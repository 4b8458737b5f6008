//! Secrets and tokens are in no output that does not need them.

use crate::harness::{Files, ORDERS, Server, event, observatory, run};

const SECRET: &str = "marked-secret-5cR3t";

#[test]
fn secrets_of_the_manifest_are_printed_nowhere() {
    let files = Files::new();
    let url = format!("amqp://guest:{SECRET}@localhost:5672/%2f");
    let path = files.write("m.toml", &format!("{ORDERS}\n[[input.amqp]]\nurl = \"{url}\"\nqueue = 3\nprefetc = 1\n"));
    let good = files.write("g.toml", &format!("{ORDERS}\n[[input.amqp]]\nurl = \"${{BROKER}}\"\nqueue = \"q\"\n"));
    for arguments in [
        &["check", &path][..],
        &["check", &path, "--json"],
        &["check", &good],
        &["serve", &path],
        &["serve", &good],
        &["replay", &path, "-"],
    ] {
        let output = observatory().args(arguments).env("BROKER", &url).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8(said).unwrap().contains(SECRET), "{arguments:?}");
    }
}

#[test]
fn tokens_and_keys_are_in_no_log_and_no_metric() {
    let files = Files::new();
    let manifest = files.write("m.toml", ORDERS);
    let key = files.write("key", SECRET);
    let serve = ["serve", &manifest, "--listen", "127.0.0.1:0", "--log-level", "info"];
    let mut server = Server::spawn(observatory().args(serve));
    let sent = run(&["send", "web", "marked-token", "--to", &server.url, "--key-file", &key], "");
    assert_eq!(sent.status.code(), Some(0));
    server.post(&event("web", "marked-token"));
    server.post("{\"node\":\"marked-token\"");
    let metrics = server.get("/metrics").body;
    assert_eq!(server.stop().code(), Some(0));
    for output in [metrics, server.log(), String::from_utf8([sent.stdout, sent.stderr].concat()).unwrap()] {
        assert!(!output.contains("marked-token") && !output.contains(SECRET), "{output}");
    }
}
