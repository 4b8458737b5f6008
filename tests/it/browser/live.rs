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
    // The last of it to follow: that it appears is no move of what follows.
    browser.wait("document.querySelector('.head .facts').textContent.includes('OK for')");
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

/// The unit tests of the server's words hold the same lists.
#[test]
fn the_page_says_numbers_as_the_server_does() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(ORDERS);
    open_live(&browser, &server, "/streams/orders");
    let words = browser.run_until_done(
        "import('/static/words.js').then(({ age, count, latency, rate, visible }) => done([
           [0, 999, 1000, 9999, 10000, 999999, 1250000].map(count),
           [0.04, 9.94, 9.96, 999.6, 9960, 99600, 3.7e8].map(latency),
           [0, 0.02, 3.1, 1234].map(rate),
           [0, 59, 60, 3599, 7200, 200000].map((seconds) => age(seconds * 1000)),
           ['a\\u202eb', '\\u0007', '\\ufeff'].map(visible),
         ]))",
    );
    let expected = json!([
        ["0", "999", "1.0k", "9.9k", "10k", "999k", "1.2M"],
        ["0.0 ms", "9.9 ms", "10 ms", "1.0 s", "10 s", "2 min", "4 d"],
        ["0.0/s", "2/min", "3.1/s", "1.2k/s"],
        ["now", "59 s", "1 min", "59 min", "2 h", "2 d"],
        ["a[U+202E]b", "[U+0007]", "[U+FEFF]"],
    ]);
    assert_eq!(words, expected);
}
