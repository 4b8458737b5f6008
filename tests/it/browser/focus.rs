//! The edge in focus, by the keyboard alone.

use serde_json::Value;

use super::{Browser, lose, open_live, pass, until_status};
use crate::harness::{ORDERS, Server, wait_until};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const RIGHT: &str = "\u{e014}";

fn focused(browser: &Browser) -> Value {
    browser.run("return document.activeElement.id || document.activeElement.closest('g[id]')?.id")
}

/// Tabs until something has the focus.
fn tab_to(browser: &Browser, id: &str) {
    wait_until(id, || {
        browser.press(&[TAB]);
        (focused(browser) == id).then_some(())
    });
}

#[test]
fn the_keyboard_goes_all_the_way() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(ORDERS);
    pass(&server, "good", 3);
    lose(&server, "gone", 1);
    until_status(&server, 0, "WARN");
    open_live(&browser, &server, "/streams/orders");
    browser.wait("document.querySelector('#e0').matches('.tone-warn')");

    tab_to(&browser, "n0");
    browser.press(&[TAB]);
    assert_eq!(focused(&browser), "e0", "in the order of the flow");
    browser.wait("document.querySelector('#focus .strip')");
    let words = browser.run("return document.querySelector('#focus').textContent");
    let words = words.as_str().unwrap();
    for said in [
        "3 of the last 4 arrived within 200 ms; one never came.",
        "gone-0",
        "WARN from the first fail, NOK from 2 fails",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    assert_eq!(browser.run("return document.querySelectorAll('#focus .strip .one.fail').length"), 1);
    assert_eq!(browser.run("return document.querySelector('#e0 [role=button]').getAttribute('aria-expanded')"), "true");

    // Into the panel, and a token is copied.
    browser.press(&[ENTER, TAB, TAB, ENTER]);
    browser.wait("document.querySelector('#focus .token.copied')");
    browser.press(&[ESCAPE]);
    assert_eq!(focused(&browser), "e0", "the focus goes back");

    browser.press(&[RIGHT]);
    assert_eq!(focused(&browser), "n1", "along the flow");
    browser.wait("document.querySelector('#focus').textContent.includes('Last sent')");
    browser.press(&[ENTER]);
    assert_eq!(focused(&browser), "focus");
    browser.press(&[ESCAPE]);
    assert_eq!(focused(&browser), "n1", "the focus goes back");
    assert_eq!(browser.run("return document.querySelector('#focus').hidden"), true);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_graph_is_zoomed() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(ORDERS);
    open_live(&browser, &server, "/streams/orders");
    let width =
        || browser.run("return document.querySelector('.fit .graph').getBoundingClientRect().width").as_f64().unwrap();
    let before = width();
    browser.run("document.querySelector('.scroll').focus()");
    browser.press(&["+", "+", "+"]);
    assert!(width() > 1.5 * before);
    browser.press(&["0"]);
    assert!((width() - before).abs() < 1.0);
    // The buttons stay when the page around them has been brought up to date.
    lose(&server, "gone", 1);
    browser.wait("document.querySelector('.shelf').textContent.includes('gone-0')");
    browser.wait("document.querySelector('.tools').checkVisibility()");
    browser.run("document.querySelector('[data-do=in]').click()");
    assert!(width() > 1.1 * before);
    assert_eq!(browser.complaints(), [""; 0]);
}
