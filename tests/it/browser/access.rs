//! An automated accessibility check: nothing serious, light and dark, in every place.

use std::path::Path;

use super::driver::skip;
use super::{Browser, lose, open_live, pass};
use crate::harness::{ORDERS, Server};

/// Where `tests/run` puts it.
const AXE: &str = "target/browser/node_modules/axe-core/axe.min.js";

/// The text of axe, where it is there.
pub(super) fn axe() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(AXE);
    let read = std::fs::read_to_string(path);
    if read.is_err() {
        skip("there is no axe-core: npm install --no-save --prefix target/browser axe-core");
    }
    read.ok()
}

/// What axe finds serious or critical: the rule, and the elements.
pub(super) fn findings(browser: &Browser, axe: &str) -> Vec<String> {
    browser.run(axe);
    // Transitions would be caught half-way, in colours that nobody reads.
    let run = "const settle = () => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))); \
        settle().then(() => axe.run({ resultTypes: ['violations'] })).then(({ violations }) => done(violations \
        .filter(({ impact }) => impact === 'serious' || impact === 'critical') \
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`)))";
    let found = browser.run_until_done(run);
    found.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

#[test]
fn nothing_keeps_anyone_out() {
    let Some(axe) = axe() else { return };
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(ORDERS);
    pass(&server, "good", 3);
    lose(&server, "gone", 2);
    super::until_status(&server, 0, "NOK");
    for scheme in ["light", "dark"] {
        browser.scheme(scheme);
        open_live(&browser, &server, "/");
        assert_eq!(findings(&browser, &axe), [""; 0], "{scheme}: the overview");
        open_live(&browser, &server, "/streams/orders");
        browser.wait("document.querySelector('#e0').matches('.tone-nok')");
        assert_eq!(findings(&browser, &axe), [""; 0], "{scheme}: a stream");
        browser.run("document.querySelector('#e0').dispatchEvent(new MouseEvent('click', { bubbles: true }))");
        browser.wait("document.querySelector('#focus .fails code')");
        assert_eq!(findings(&browser, &axe), [""; 0], "{scheme}: an edge in focus");
        browser.run("document.querySelector('#n0').dispatchEvent(new MouseEvent('click', { bubbles: true }))");
        assert_eq!(findings(&browser, &axe), [""; 0], "{scheme}: a node in focus");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}
