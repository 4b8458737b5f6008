//! Starting and stopping: what is printed, and the exit codes.

use std::io::Read;
use std::net::{TcpListener, TcpStream};

use crate::harness::{Files, ORDERS, PATIENCE, Server, event, observatory, run, wait_until};

/// Runs `serve` where it must refuse; gives its exit code and what it said.
fn refused(manifest: &str, more: &[&str]) -> (i32, String) {
    let files = Files::new();
    let path = files.write("manifest.toml", manifest);
    let output = run(&[&["serve", &*path], more].concat(), "");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn either_signal_stops_the_server_with_0_even_with_idle_connections() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(ORDERS);
        let mut idle = TcpStream::connect(server.address()).unwrap();
        assert_eq!(server.get("/health/ready").status, 200);
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0));
        // The connection is closed, not left behind.
        idle.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut rest = Vec::new();
        drop(idle.read_to_end(&mut rest));
        wait_until("the log says so", || server.log().contains("the server has stopped").then_some(()));
    }
}

#[test]
fn a_folder_and_standard_input_serve_too() {
    let files = Files::new();
    files.write("orders.toml", ORDERS);
    let folder = files.folder().to_str().unwrap();
    let server = Server::spawn(observatory().args(["serve", folder, "--listen", "127.0.0.1:0"]));
    assert_eq!(server.get("/api/v1/streams/orders").status, 200);

    let manifest = std::fs::File::open(files.path("orders.toml")).unwrap();
    let server = Server::spawn(observatory().args(["serve", "-", "--listen", "127.0.0.1:0"]).stdin(manifest));
    assert_eq!(server.get("/api/v1/streams/orders").status, 200);
}

#[test]
fn the_listen_address_comes_from_flag_variable_or_manifest() {
    let files = Files::new();
    let manifest = format!("{ORDERS}\n[server]\nlisten = \"127.0.0.1:0\"\n");
    let path = files.write("manifest.toml", &manifest);
    assert_eq!(Server::spawn(observatory().args(["serve", &path])).get("/health/live").status, 200);
    let mut by_variable = observatory();
    by_variable.args(["serve", &path]).env("OBSERVATORY_LISTEN", "127.0.0.2:0");
    assert!(Server::spawn(&mut by_variable).url.starts_with("http://127.0.0.2:"));
    let mut by_flag = observatory();
    by_flag.args(["serve", &path, "--listen", "127.0.0.3:0"]).env("OBSERVATORY_LISTEN", "127.0.0.2:0");
    assert!(Server::spawn(&mut by_flag).url.starts_with("http://127.0.0.3:"));
}

#[test]
fn a_wrong_manifest_or_flag_ends_with_2() {
    let (code, said) = refused("name = 3\n", &[]);
    assert_eq!(code, 2);
    assert!(said.contains("manifest.toml:1"), "{said}");
    assert_eq!(refused(ORDERS, &["--listen", "here"]).0, 2);
    assert_eq!(refused(ORDERS, &["--log-level", "loud"]).0, 2);
    assert_eq!(refused(ORDERS, &["--nonsense"]).0, 2);
    assert_eq!(run(&["serve", "/nonexistent.toml"], "").status.code(), Some(2));
    assert_eq!(run(&["observe"], "").status.code(), Some(2));
}

#[test]
fn listening_beyond_loopback_needs_access_to_be_said() {
    let (code, said) = refused(ORDERS, &["--listen", "0.0.0.0:0"]);
    assert_eq!(code, 2);
    assert!(said.contains("access"), "{said}");
    assert_eq!(refused(&format!("{ORDERS}\n[server]\nlisten = \"0.0.0.0:0\"\n"), &[]).0, 2);

    let files = Files::new();
    let open = files.write("open.toml", &format!("{ORDERS}\n[server]\naccess = \"open\"\n"));
    let server = Server::spawn(observatory().args(["serve", &open, "--listen", "0.0.0.0:0"]));
    let port = server.url.rsplit(':').next().unwrap();
    assert!(TcpStream::connect(format!("127.0.0.1:{port}")).is_ok());
}

#[test]
fn an_address_in_use_ends_with_1_and_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, said) = refused(ORDERS, &["--listen", &address]);
    assert_eq!(code, 1);
    assert!(said.contains(&format!("failed to listen on {address}")), "{said}");
    assert!(said.contains("stop what listens there, or have a free port chosen by --listen 127.0.0.1:0"), "{said}");
}

#[test]
fn http_that_is_not_enabled_is_not_served() {
    let server = Server::start(&format!("{ORDERS}\n[input.http]\nenabled = false\n"));
    assert_eq!(server.post(&event("web", "1")).status, 404);
}

#[test]
fn a_changed_status_is_one_line_in_the_log_with_its_subsystem() {
    let server = Server::start(ORDERS);
    for number in 0..20 {
        let token = format!("t{number}");
        server.post(&format!("[{},{}]", event("web", &token), event("worker", &token)));
    }
    let log = wait_until("the log names the change", || Some(server.log()).filter(|log| log.contains("\"is\":\"OK\"")));
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["subsystem"].is_string()), "{log}");
    let changes: Vec<_> = lines.iter().filter(|line| line["subsystem"] == "health").collect();
    assert_eq!(changes.len(), 1, "{log}");
    assert_eq!((&changes[0]["from"], &changes[0]["to"]), (&"web".into(), &"worker".into()));
}
