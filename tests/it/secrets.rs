//! Secrets and tokens are in no output that does not need them.

use std::cell::RefCell;

use crate::access::{Guarded, guarded, new_key, new_login};
use crate::harness::{Answer, Files, ORDERS, Server, event, observatory, run, wait_until};

const SECRET: &str = "marked-secret-5cR3t";

#[test]
fn secrets_of_the_manifest_are_printed_nowhere() {
    let files = Files::new();
    let url = format!("amqp://guest:{SECRET}@127.0.0.1:1/%2f");
    let path = files.write("m.toml", &format!("{ORDERS}\n[[input.amqp]]\nurl = \"{url}\"\nqueue = 3\nprefetc = 1\n"));
    // Nobody listens there: the input goes on trying, and says so.
    let good = files.write("g.toml", &format!("{ORDERS}\n[[input.amqp]]\nurl = \"${{BROKER}}\"\nqueue = \"q\"\n"));
    for arguments in [
        &["check", &path][..],
        &["check", &path, "--json"],
        &["check", &good],
        &["serve", &path],
        &["replay", &path, "-"],
    ] {
        let output = observatory().args(arguments).env("BROKER", &url).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8(said).unwrap().contains(SECRET), "{arguments:?}");
    }
    let serve = ["serve", &good, "--listen", "127.0.0.1:0", "--log-level", "debug"];
    let mut server = Server::spawn(observatory().args(serve).env("BROKER", &url));
    wait_until("the broker is not there", || server.log().contains("input.amqp").then_some(()));
    let pages = ["/", "/status", "/metrics"].map(|path| server.get(path).body);
    assert_eq!(server.stop().code(), Some(0));
    for said in pages.iter().chain([&server.log()]) {
        assert!(!said.contains(SECRET), "{said}");
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

/// Everything that a guarded server and its commands say, with the most talkative log, after all that may
/// make them say too much.
#[test]
fn keys_passwords_and_cookies_are_in_no_output() {
    let (shop, screen) =
        (new_key(&["--name", "shop", "--node", "web"]), new_key(&["--name", "screen", "--may", "read"]));
    let password = "marked-password-7hQ2";
    let stanza = new_login("ada", password);
    let hash = stanza.split('"').find(|part| part.starts_with("$argon2")).unwrap().to_owned();
    let server = Guarded::start(&[&shop.stanza, &screen.stanza, &stanza]);
    let cookie = server.log_in("ada", password);
    let said = RefCell::new(Vec::new());
    let take = |answer: Answer| said.borrow_mut().push(format!("{:?}\n{}", answer.headers, answer.body));
    for (name, given) in [("ada", "marked-password-wrong"), (password, "x"), ("ada\u{202e}", password)] {
        take(server.send_form("/login", &[], &[("name", "x"), ("password", given), ("to", "/")]));
        // A password in the field of the name comes back to whoever typed it, and goes nowhere else.
        drop(server.send_form("/login", &[], &[("name", name), ("password", given)]));
    }
    for key in [&shop.key, &screen.key, &shop.key[1..].to_owned()] {
        take(server.report(key, &event("web", "a")));
        take(server.report(key, &event("books", "a")));
        take(server.report(key, "{\"node\":"));
    }
    let bearer = format!("Bearer {}", screen.key);
    for path in [
        "/",
        "/status",
        "/metrics",
        "/streams/orders",
        "/streams/none",
        "/api/v1/streams/orders",
        "/nothing",
        "/login",
        "/static/live.js",
    ] {
        take(server.get(path, &[("Authorization", &bearer), ("Accept", "text/html")]));
        take(server.get(path, &[("Cookie", &cookie)]));
        take(server.get(path, &[("Authorization", &format!("Basic {password}"))]));
    }
    said.borrow_mut().push(crate::harness::raw(
        server.server.address(),
        format!("GET / HTTP/9\r\nAuthorization: {bearer}\r\n\r\n").as_bytes(),
    ));
    // A manifest that turns bad, with the secrets where they do not belong.
    let bad = guarded(&[
        &shop.stanza.replace("sha256", "sha255"),
        &format!("[[server.key]]\nname = \"k\"\nsha256 = \"{}\"", screen.key),
        &format!("[[server.login]]\nname = \"p\"\npassword = \"{password}\""),
        &format!("[[server.login]]\nname = \"q\"\npasword = \"{password}\""),
        &format!("[[server.login]]\nname = \"r\"\npassword = \"{}x\"", hash.replace('$', "$$")),
        &format!("[[server.login]]\nname = \"s\"\npassword = 7 # {hash}"),
    ]);
    let path = server.files.write("manifest.toml", &bad);
    server.server.signal("HUP");
    wait_until("it is bad", || server.server.log().contains("the manifest is bad").then_some(()));
    take(server.get("/status", &[("Cookie", &cookie)]));
    take(server.get("/", &[("Cookie", &cookie)]));
    let unquoted = server.files.write("unquoted.toml", &format!("[server]\npassword = {password}\n"));
    let key_file = server.files.write("key", &screen.key);
    let url = &server.server.url;
    let with_password = url.replace("http://", &format!("http://ada:{password}@"));
    for arguments in [
        &["check", &path][..],
        &["check", &path, "--json"],
        &["check", &unquoted],
        &["serve", &path],
        &["serve", &path, "--listen", &with_password],
        &["send", "web", "t", "--to", url, "--key-file", &key_file],
        &["send", "web", "t", "--to", &with_password, "--key-file", &key_file],
        &["status", "--to", url, "--key-file", &key_file],
        &["status", "--to", &with_password],
        &["init", "--from", &with_password],
        &["init", "--from", url, "--key-file", &key_file],
    ] {
        let output = run(arguments, "");
        said.borrow_mut().push(
            format!("{arguments:?}\n{}", String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
                .replace(&with_password, ""),
        );
    }
    drop(server.send_form("/logout", &[("Cookie", &cookie)], &[]));
    said.borrow_mut().push(server.server.log());
    let cookie = cookie.split_once('=').unwrap().1;
    for secret in [&shop.key[4..], &screen.key[4..], password, "marked-password-wrong", &hash[30..], cookie] {
        for output in said.borrow().iter() {
            assert!(!output.contains(secret), "{secret} is said: {output}");
        }
    }
}
