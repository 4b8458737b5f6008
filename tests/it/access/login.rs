//! Logins of people.

use super::{Guarded, PASSWORD, guarded, new_login};
use crate::harness::wait_until;

const PAGE: (&str, &str) = ("Accept", "text/html,application/xhtml+xml");

fn start() -> Guarded {
    Guarded::start(&[&new_login("ada", PASSWORD)])
}

#[test]
fn a_person_is_sent_to_log_in_and_back() {
    let server = start();
    let sent = server.get("/streams/orders", &[PAGE]);
    assert_eq!((sent.status, sent.header("location")), (303, "/login?to=/streams/orders"));
    assert_eq!(server.get("/", &[PAGE]).header("location"), "/login");
    let form = server.get("/login?to=/streams/orders", &[PAGE]);
    assert!(form.body.contains("name=\"to\" value=\"/streams/orders\""), "{}", form.body);
    let fields = [("name", "ada"), ("password", PASSWORD), ("to", "/streams/orders")];
    let answer = server.send_form("/login", &[], &fields);
    assert_eq!((answer.status, answer.header("location")), (303, "/streams/orders"));
    let line = answer.header("set-cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"] {
        assert!(line.contains(part), "{line}");
    }
    let cookie = line.split(';').next().unwrap();
    let page = server.get("/streams/orders", &[PAGE, ("Cookie", cookie)]);
    assert!(page.status == 200 && page.body.contains("Log out") && page.body.contains("ada"), "{page:?}");
    assert_eq!(server.get("/api/v1/streams", &[("Cookie", cookie)]).status, 200);
    assert_eq!(server.get("/login?to=//evil.example", &[("Cookie", cookie)]).header("location"), "/");
    // A cookie reports nothing.
    let answer = server.server.post_as("application/json", &[("Cookie", cookie)], b"{}");
    assert_eq!(answer.status, 401);

    let answer = server.send_form("/logout", &[("Cookie", cookie)], &[]);
    assert_eq!((answer.status, answer.header("location")), (303, "/login"));
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(server.get("/api/v1/streams", &[("Cookie", cookie)]).status, 401);
}

#[test]
fn a_name_that_there_is_not_is_told_from_none() {
    let server = start();
    let answer = |name: &str, password: &str| {
        let answer = server.send_form("/login", &[PAGE], &[("name", name), ("password", password)]);
        (answer.status, answer.body.replace(name, "NAME"))
    };
    let (wrong, unknown) = (answer("ada", "wrong"), answer("bob", PASSWORD));
    assert_eq!(wrong, unknown);
    assert_eq!(wrong.0, 401);
    assert!(wrong.1.contains("do not go together"), "{}", wrong.1);
    let log = server.server.log();
    assert!(!log.contains("bob") && log.contains("failed to log in"), "{log}");
}

#[test]
fn who_tries_too_often_must_wait() {
    let server = start();
    let attempt =
        |name: &str, password: &str| server.send_form("/login", &[], &[("name", name), ("password", password)]);
    for _ in 0..5 {
        server.log_in("ada", PASSWORD);
    }
    let statuses: Vec<_> = (0..10).map(|number| attempt(&format!("name {number}"), "wrong").status).collect();
    assert_eq!(statuses, [401; 10]);
    let answer = attempt("ada", PASSWORD);
    assert_eq!(answer.status, 429);
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    assert!(answer.body.contains("Too many tries"), "{}", answer.body);
}

#[test]
fn another_site_can_neither_log_in_nor_out() {
    let server = start();
    let cookie = server.log_in("ada", PASSWORD);
    let fields = [("name", "ada"), ("password", PASSWORD)];
    for header in [("Origin", "https://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")] {
        assert_eq!(server.send_form("/login", &[header], &fields).status, 403, "{header:?}");
        assert_eq!(server.send_form("/logout", &[header, ("Cookie", &cookie)], &[]).status, 403, "{header:?}");
    }
    assert_eq!(server.get("/api/v1/streams", &[("Cookie", &cookie)]).status, 200);
    let own = server.server.url.clone();
    assert_eq!(server.send_form("/login", &[("Origin", &own), ("Sec-Fetch-Site", "same-origin")], &fields).status, 303);
    // Who follows a link from elsewhere has a cookie that only the second request shows.
    let first = server.get("/login", &[("Sec-Fetch-Site", "cross-site")]);
    assert!(first.body.contains("http-equiv=\"refresh\""), "{}", first.body);
    assert!(!server.get("/login", &[("Sec-Fetch-Site", "same-origin")]).body.contains("http-equiv"));
}

#[test]
fn nonsense_is_refused() {
    let server = start();
    assert_eq!(server.send_form("/login", &[], &[("name", &"x".repeat(20_000))]).status, 413);
    assert_eq!(server.send_form("/login", &[], &[]).status, 401);
    assert_eq!(server.get("/logout", &[]).status, 405);
    let hostile = server.send_form("/login", &[], &[("name", "\"><script>alert(1)</script>"), ("to", "\"><script>")]);
    assert!(hostile.status == 401 && !hostile.body.contains("<script"), "{}", hostile.body);
    for cookie in ["observatory=", "observatory=guessed", "observatory", "=;;=", "__Host-observatory=x"] {
        assert_eq!(server.get("/", &[("Cookie", cookie)]).status, 401, "{cookie}");
    }
}

#[test]
fn another_password_ends_the_sessions_of_the_one_before() {
    let server = start();
    let cookie = server.log_in("ada", PASSWORD);
    server.files.write("manifest.toml", &guarded(&[&new_login("ada", "another password")]));
    server.server.signal("HUP");
    wait_until("the session has ended", || {
        (server.get("/api/v1/streams", &[("Cookie", &cookie)]).status == 401).then_some(())
    });
    server.log_in("ada", "another password");
}
