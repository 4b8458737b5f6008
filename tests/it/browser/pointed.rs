//! The edge under a mouse and under a finger, and tones that need no colour.

use super::{Browser, lose, open_live, pass, until_status};
use crate::harness::{ORDERS, Server};

const OPEN: &str = "!document.querySelector('#focus').hidden && document.querySelector('#focus .strip')";
const CLOSED: &str = "document.querySelector('#focus').hidden";
/// It stays open wherever the mouse goes.
const PINNED: &str = "document.querySelector('#focus').matches('.pinned:not([hidden])')";

#[test]
fn a_mouse_and_a_finger_open_the_panel() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(ORDERS);
    pass(&server, "good", 3);
    lose(&server, "gone", 1);
    until_status(&server, 0, "WARN");
    open_live(&browser, &server, "/streams/orders");
    browser.wait("document.querySelector('#e0').matches('.tone-warn')");
    // Pointing shows it in passing.
    browser.point_at("#e0 .label", "mouse", false);
    browser.wait(OPEN);
    assert_eq!(browser.run(&format!("return {PINNED}")), false);
    browser.point_at("h1", "mouse", false);
    browser.wait(CLOSED);
    // A click keeps it, wherever the mouse goes; in it a click copies a token.
    browser.point_at("#e0 .label", "mouse", true);
    browser.wait(OPEN);
    browser.point_at("#focus .token", "mouse", true);
    browser.wait("document.querySelector('#focus .token.copied')");
    browser.point_at("h1", "mouse", false);
    assert_eq!(browser.run(&format!("return {PINNED}")), true);
    browser.point_at("#focus .close", "mouse", true);
    browser.wait(CLOSED);
    browser.point_at("#n2 .body", "touch", true);
    browser.wait("document.querySelector('#focus').textContent.includes('Last sent')");
    assert_eq!(browser.complaints(), [""; 0]);
}

/// Whoever sees no colours, or prints in grey, tells an edge by its line and its mark.
#[test]
fn a_tone_is_told_without_colour() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(ORDERS);
    open_live(&browser, &server, "/streams/orders");
    let told = browser.run(
        "const edge = document.querySelector('#e0').cloneNode(true);
        document.querySelector('#e0').after(edge);
        return ['ok', 'warn', 'nok', 'grey'].map((tone) => {
          edge.setAttribute('class', `edge tone-${tone}`);
          const line = getComputedStyle(edge.querySelector('.wire'));
          const marks = [...edge.querySelectorAll('.mark')].filter((mark) => getComputedStyle(mark).display !== 'none');
          const shape = document.querySelector(marks[0].getAttribute('href')).innerHTML;
          return [`${line.strokeWidth} ${line.strokeDasharray}`, shape, marks.length];
        })",
    );
    let told = told.as_array().unwrap();
    for (place, one) in told.iter().enumerate() {
        assert_eq!(one[2], 1, "one mark: {one}");
        for other in &told[..place] {
            assert!(one[0] != other[0] && one[1] != other[1], "{one} and {other} look alike");
        }
    }
}
