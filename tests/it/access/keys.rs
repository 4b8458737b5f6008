//! Keys of programs.

use super::{Guarded, guarded, new_key};
use crate::harness::{Files, ORDERS, Server, event, observatory, run, wait_until};

#[test]
fn reporting_needs_a_key_and_reading_another() {
    let (shop, screen, all) = (
        new_key(&["--name", "shop"]),
        new_key(&["--name", "screen", "--may", "read"]),
        new_key(&["--name", "all", "--may", "both"]),
    );
    let server = Guarded::start(&[&shop.stanza, &screen.stanza, &all.stanza]);
    let without = server.server.post(&event("web", "a"));
    assert_eq!((without.status, without.header("content-type")), (401, "application/problem+json"));
    assert!(without.header("www-authenticate").starts_with("Bearer"), "{without:?}");
    let wrong = format!("{}0", shop.key);
    for (key, status) in [(&*shop.key, 202), (&all.key, 202), (&screen.key, 403), (&wrong, 401), ("", 401)] {
        let answer = server.report(key, &event("web", "a"));
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("www-authenticate").is_empty(), status != 401, "{answer:?}");
    }
    let bearer = |key: &str| format!("Bearer {key}");
    for path in
        ["/api/v1/streams", "/api/v1/streams/orders/live", "/metrics", "/status", "/", "/api/openapi.json", "/nothing"]
    {
        let with = |key: &str| server.get(path, &[("Authorization", &bearer(key))]);
        let without = server.get(path, &[]);
        assert_eq!(without.status, 401, "{path}");
        assert!(without.header("www-authenticate").starts_with("Bearer"), "{path}");
        assert_eq!((with(&shop.key).status, with(&wrong).status), (403, 401), "{path}");
        if !path.ends_with("/live") {
            let good = if path == "/nothing" { 404 } else { 200 };
            assert_eq!((with(&screen.key).status, with(&all.key).status), (good, good), "{path}");
        }
    }
    for path in ["/health/live", "/health/ready", "/static/observatory.css", "/login"] {
        assert_eq!(server.get(path, &[]).status, 200, "{path}");
    }
}

#[test]
fn a_key_that_is_bound_reports_for_its_nodes_alone() {
    let bound = new_key(&["--name", "shop", "--node", "web", "--node", "worker"]);
    let server = Guarded::start(&[&bound.stanza]);
    assert_eq!(server.report(&bound.key, &event("web", "a")).status, 202);
    let mixed = format!("[{},{},{}]", event("worker", "a"), event("books", "a"), event("nobody", "a"));
    let answer = server.report(&bound.key, &mixed);
    assert_eq!((answer.status, &answer.json()["accepted"]), (202, &1.into()));
    let rejected = answer.json()["rejected"].clone();
    assert_eq!((&rejected[0]["index"], &rejected[1]["index"]), (&1.into(), &2.into()));
    assert!(rejected[0]["error"].as_str().unwrap().contains("books"), "{rejected}");
    let forbidden = server.report(&bound.key, &format!("[{},{}]", event("books", "a"), event("books", "b")));
    assert_eq!((forbidden.status, forbidden.header("content-type")), (403, "application/problem+json"));
    assert_eq!(forbidden.json()["rejected"].as_array().unwrap().len(), 2);
    // Where something else is wrong as well, nobody is kept out for it.
    assert_eq!(server.report(&bound.key, &format!("[{},{{}}]", event("books", "a"))).status, 422);
    // More than are named.
    let many: Vec<_> = (0..1500).map(|token| event("books", &token.to_string())).collect();
    let answer = server.report(&bound.key, &format!("[{}]", many.join(",")));
    assert_eq!((answer.status, &answer.json()["rejected_more"]), (403, &500.into()));
}

#[test]
fn commands_show_a_key_from_a_file() {
    let key = new_key(&["--may", "both"]);
    let server = Guarded::start(&[&key.stanza]);
    let file = server.files.write("all.key", &format!("{}\n", key.key));
    let (url, with) = (&*server.server.url, ["--key-file", &*file]);
    let send = ["send", "web", "t", "--to", url];
    assert_eq!(run(&[&send[..], &with].concat(), "").status.code(), Some(0));
    let refused = run(&send, "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("401"));
    assert_eq!(run(&[&["status", "--to", url][..], &with].concat(), "").status.code(), Some(5));
    assert_eq!(run(&["status", "--to", url], "").status.code(), Some(1));
    let init = run(&[&["init", "--from", url][..], &with].concat(), "");
    assert_eq!(init.status.code(), Some(0), "{init:?}");
    // As a variable of the environment, too.
    let output = observatory().args(["status", "--to", url]).env("OBSERVATORY_KEY_FILE", &file).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let empty = server.files.write("empty.key", "\n");
    assert_eq!(run(&["send", "web", "t", "--to", url, "--key-file", &empty], "").status.code(), Some(2));
    assert_eq!(run(&["send", "web", "t", "--to", "http://a:b@127.0.0.1:1"], "").status.code(), Some(2));
}

#[test]
fn keys_are_exchanged_by_a_reload() {
    let (old, new) = (new_key(&["--name", "shop"]), new_key(&["--name", "shop"]));
    let server = Guarded::start(&[&old.stanza]);
    assert_eq!(server.report(&old.key, &event("web", "a")).status, 202);
    server.files.write("manifest.toml", &guarded(&[&new.stanza]));
    server.server.signal("HUP");
    wait_until("the new key is good", || (server.report(&new.key, &event("web", "b")).status == 202).then_some(()));
    assert_eq!(server.report(&old.key, &event("web", "c")).status, 401);
}

#[test]
fn what_key_new_prints_is_what_the_manifest_takes() {
    let files = Files::new();
    let text = |arguments: &[&str], input: &str| {
        let output = run(&[&["key", "new"], arguments].concat(), input);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let printed = text(&["--name", "shop \"1\"", "--node", "web"], "");
    assert!(printed.contains("curl -H 'Authorization: Bearer obs_"), "{printed}");
    let stanza = |printed: &str| {
        let lines = printed.lines().map(str::trim).skip_while(|line| !line.starts_with("[["));
        lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    let login = text(&["--login", "ada"], "correct horse battery\n");
    assert!(!login.contains("correct"), "{login}");
    let manifest = guarded(&[&stanza(&printed), &stanza(&login)]);
    let output = run(&["check", &files.write("m.toml", &manifest)], "");
    assert_eq!(output.status.code(), Some(0), "{output:?}\n{manifest}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("0 warnings"));

    assert_eq!(run(&["key", "new", "--login", "ada"], "short\n").status.code(), Some(2));
    assert_eq!(run(&["key", "new", "--login", "ada"], "").status.code(), Some(2));
    assert_eq!(run(&["key", "new", "--may", "read", "--node", "web"], "").status.code(), Some(2));
    assert_eq!(run(&["key"], "").status.code(), Some(2));
}

#[test]
fn where_everybody_may_keys_are_not_looked_at() {
    let server = Server::start(&format!("{ORDERS}\n[server]\naccess = \"open\"\n"));
    assert_eq!(server.post(&event("web", "a")).status, 202);
    let answer = server.post_as("application/json", &[("Authorization", "Bearer x")], event("web", "b").as_bytes());
    assert_eq!(answer.status, 202);
    assert_eq!(server.get("/").status, 200);
    // There is nothing to log in to.
    assert!(!server.get("/login").body.contains("password"));
}
