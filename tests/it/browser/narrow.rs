//! On a narrow screen the graph flows from top to bottom, with scripts and without.

use serde_json::json;

use super::{Browser, lose, open_live, pass, until_status};
use crate::harness::{ORDERS, Server};

const TALL: &str =
    "const seen = [...document.querySelectorAll('.fit .graph')].filter((one) => one.getClientRects().length);
    const y = (name) => seen[0].querySelector(`[data-node=${name}]`).getBoundingClientRect().y;
    return seen.length === 1 && seen[0].matches('.down') && y('web') < y('worker') && y('worker') < y('books')
      && seen[0].getBoundingClientRect().right <= innerWidth && document.documentElement.scrollWidth <= innerWidth";

fn phone(browser: &Browser) {
    let size = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
    browser.cdp("Emulation.setDeviceMetricsOverride", &size);
}

#[test]
fn a_phone_shows_the_flow_from_top_to_bottom_and_live() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(ORDERS);
    pass(&server, "good", 3);
    phone(&browser);
    open_live(&browser, &server, "/streams/orders");
    browser.wait("document.querySelector('#e0-down').matches('.tone-ok')");
    assert_eq!(browser.run(TALL), true);
    lose(&server, "gone", 2);
    browser.wait("document.querySelector('#e0-down').matches('.tone-nok')");
    let said = |class: &str| browser.run(&format!("return document.querySelector('#e0-down .{class}').textContent"));
    assert_eq!(["word", "share", "lost"].map(said), ["NOK", "pass=3/5 60%", "2 failed"]);

    // Along the flow is down.
    browser.run("document.querySelector('#n0-down .body').focus()");
    browser.press(&["\u{e015}", "\u{e015}"]);
    assert_eq!(browser.run("return document.activeElement.closest('g').dataset.node"), "worker");
    // A row of the table leads to the edge that is seen.
    browser.run("document.querySelector('a.jump[href=\"#e0\"]').click()");
    browser.wait("document.querySelector('#focus .strip') && document.querySelector('#e0-down').matches('.selected')");
    // Turned on its side the phone has room for the wide picture, which has followed.
    let size = json!({ "width": 844, "height": 390, "deviceScaleFactor": 2, "mobile": true });
    browser.cdp("Emulation.setDeviceMetricsOverride", &size);
    browser.wait(
        "document.querySelector('#e0').getClientRects().length && document.querySelector('#e0').matches('.tone-nok')",
    );
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_phone_sees_where_the_flow_begins() {
    let Some(browser) = Browser::start() else { return };
    let edge = |to: usize| format!("[[stream.edge]]\nfrom = \"gate\"\nto = \"service-{to}\"\n");
    let edges: String = (0..8).map(edge).collect();
    let server = Server::start(&format!("[[stream]]\nname = \"fan\"\n{edges}"));
    phone(&browser);
    open_live(&browser, &server, "/streams/fan");
    let seen = browser.run(
        "const { left, right } = document.querySelector('#n0-down .body').getBoundingClientRect();
        return document.querySelector('.scroll').scrollWidth > 2 * innerWidth && left > 0 && right < innerWidth",
    );
    assert_eq!(seen, true);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_phone_that_runs_no_script_shows_it_as_well() {
    let Some(browser) = Browser::without_scripts() else { return };
    let server = Server::start(ORDERS);
    lose(&server, "gone", 2);
    until_status(&server, 0, "NOK");
    phone(&browser);
    browser.open(&format!("{}/streams/orders", server.url));
    assert_eq!(browser.run(TALL), true);
    assert_eq!(browser.run("return document.querySelector('#e0-down').matches('.tone-nok')"), true);
    assert_eq!(browser.complaints(), [""; 0]);
}
