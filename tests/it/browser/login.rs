//! Logging in and out, by keyboard alone.

use super::Browser;
use super::access::{axe, findings};
use crate::access::{Guarded, PASSWORD, new_key, new_login};
use crate::harness::event;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// Types a text into what has the focus, then presses a key.
fn type_in(browser: &Browser, text: &str, then: &str) {
    let keys: Vec<String> = text.chars().map(String::from).collect();
    browser.press(&keys.iter().map(String::as_str).chain([then]).collect::<Vec<_>>());
}

fn focused(browser: &Browser) -> String {
    browser.run("return document.activeElement.id").as_str().unwrap().to_owned()
}

#[test]
fn a_person_logs_in_looks_and_logs_out() {
    let Some(browser) = Browser::start() else { return };
    let key = new_key(&[]);
    let server = Guarded::start(&[&new_login("ada", PASSWORD), &key.stanza]);
    let url = &server.server.url;
    browser.open(&format!("{url}/streams/orders"));
    assert_eq!(browser.run("return location.pathname"), "/login");
    assert_eq!(focused(&browser), "name");
    type_in(&browser, "ada", TAB);
    assert_eq!(focused(&browser), "password");
    type_in(&browser, "wrong", ENTER);
    browser.wait("document.querySelector('[role=alert]')");
    assert_eq!(focused(&browser), "password");
    assert_eq!(browser.run("return document.querySelector('#name').value"), "ada");
    assert_eq!(browser.run("return document.querySelector('#password').value"), "");
    type_in(&browser, PASSWORD, ENTER);
    browser.wait("document.body.classList.contains('linked')");
    assert_eq!(browser.run("return location.pathname"), "/streams/orders");
    assert_eq!(browser.run("return document.cookie"), "", "no script reads the cookie");
    // It is live, like any other.
    assert_eq!(server.report(&key.key, &event("web", "a")).status, 202);
    browser.wait("document.querySelector('[data-key=n0]').textContent.includes('observed')");

    browser.run("document.querySelector('.who button').focus()");
    browser.press(&[ENTER]);
    browser.wait("location.pathname === '/login' && document.querySelector('#name')");
    browser.open(&format!("{url}/"));
    assert_eq!(browser.run("return location.pathname"), "/login");
    let complaints = browser.complaints();
    assert!(complaints.iter().all(|one| !one.contains("violation")), "{complaints:?}");
}

#[test]
fn a_page_whose_session_has_ended_asks_to_log_in() {
    let Some(browser) = Browser::start() else { return };
    let server = Guarded::start(&[&new_login("ada", PASSWORD)]);
    browser.open(&format!("{}/", server.server.url));
    type_in(&browser, "ada", TAB);
    type_in(&browser, PASSWORD, ENTER);
    browser.wait("document.body.classList.contains('linked')");
    // Logged out in another window.
    browser.run_until_done("fetch('/logout', { method: 'POST' }).then(() => done(1))");
    browser.wait("location.pathname === '/login' && document.querySelector('#name')");
}

#[test]
fn the_door_keeps_nobody_out_who_may_come_in() {
    let Some(axe) = axe() else { return };
    let Some(browser) = Browser::start() else { return };
    let server = Guarded::start(&[&new_login("ada", PASSWORD)]);
    for scheme in ["light", "dark"] {
        browser.scheme(scheme);
        browser.open(&format!("{}/login", server.server.url));
        assert_eq!(findings(&browser, &axe), [""; 0], "{scheme}");
        type_in(&browser, "ada", TAB);
        type_in(&browser, "wrong", ENTER);
        browser.wait("document.querySelector('[role=alert]')");
        assert_eq!(findings(&browser, &axe), [""; 0], "{scheme}: after a wrong password");
    }
}
