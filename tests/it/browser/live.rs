//! What happens shows on the open page: at once, in place, without a reload.

use serde_json::json;

use super::{Browser, lose, open_live, pass, until_status};
use crate::harness::{ORDERS, Server, wait_until};

/// From here on the page remembers what moves, and who stood where.
const WATCH: &str = "
  window.shifts = [];
  new PerformanceObserver((list) => shifts.push(...list.getEntries().map((entry) =>
    `${entry.value} ${entry.sources.map((source) => source.node?.className?.baseVal ?? source.node?.outerHTML ?? source.node?.nodeValue).join(' & ')}`)))
    .observe({ type: 'layout-shift' });
  window.kept = [...document.querySelectorAll('.fit .graph, .fit .graph g, .fit .graph text')];";

#[test]
fn an_edge_turns_nok_in_place() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(ORDERS);
    pass(&server, "good", 3);
    open_live(&browser, &server, "/streams/orders");
    browser.wait("document.querySelector('#e0').matches('.tone-ok')");
    browser.wait("document.querySelector('tbody[data-key=e0] .badge').textContent.startsWith('OK(pass=3/3')");
    browser.run(WATCH);

    lose(&server, "gone", 2);
    browser.wait("document.querySelector('#e0').matches('.tone-nok')");
    let edge = "document.querySelector('#e0')";
    assert_eq!(browser.run(&format!("return {edge}.querySelector('.said').textContent")), "NOK(pass=3/5 60%)");
    let label = browser.run(&format!("return {edge}.querySelector('[role=button]').getAttribute('aria-label')"));
    assert_eq!(label, "web to worker: NOK, 3 of 5 passed");
    browser.wait("document.title.startsWith('NOK · orders')");
    browser.wait("document.querySelector('link[rel=icon]').href.endsWith('/static/favicon-nok.svg')");
    browser.wait("document.querySelector('.head .badge.huge').textContent === 'NOK'");
    // The rest of the page follows.
    browser.wait("document.querySelector('.shelf').textContent.includes('gone-1')");
    browser.wait("document.querySelector('tbody[data-key=e0]').textContent.includes('NOK(pass=3/5 60%)')");

    assert_eq!(browser.run("return shifts"), json!([]), "nothing moved");
    let same = "return kept.every((one) => one.isConnected) && kept.length === [...document.querySelectorAll('.fit .graph, .fit .graph g, .fit .graph text')].length";
    assert_eq!(browser.run(same), true, "nothing was drawn anew");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_overview_follows() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(ORDERS);
    pass(&server, "good", 3);
    open_live(&browser, &server, "/");
    browser.wait("document.title.startsWith('OK')");
    browser.run("window.kept = document.querySelector('.card')");
    lose(&server, "gone", 2);
    browser.wait("document.title.startsWith('NOK') && document.querySelector('.card.tone-nok') === kept");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn without_scripts_the_page_loads_itself_again() {
    let Some(browser) = Browser::without_scripts() else { return };
    let server = Server::start(ORDERS);
    pass(&server, "good", 3);
    until_status(&server, 0, "OK");
    browser.open(&format!("{}/streams/orders", server.url));
    assert!(browser.document().contains("OK(pass=3/3 100%)"));
    assert!(!browser.document().contains("scripted"), "no script runs");
    lose(&server, "gone", 2);
    wait_until("the page shows it", || browser.document().contains("NOK(pass=3/5 60%)").then_some(()));
    assert_eq!(browser.complaints(), [""; 0]);
}
