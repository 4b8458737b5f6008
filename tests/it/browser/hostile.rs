//! Names and tokens from outside change no element.

use serde_json::{Value, json};

use super::{Browser, open_live};
use crate::harness::{Server, event};

const NAMES: [&str; 3] = [
    "</text></svg><script>document.title=1</script>",
    "\" onload=\"alert(1)\" x='<img src=x onerror=alert(1)>",
    "a\u{202e}b %s &amp; {{x}}",
];

/// How often each element stands in the page after a message was lost and the panel is open.
fn elements(browser: &Browser, names: [&str; 3], token: &str) -> Value {
    let quoted = names.map(|name| Value::from(name).to_string());
    let [first, second, third] = &quoted;
    let server = Server::start(&format!(
        "name = {third}\ngrace = \"50ms\"\n[[stream]]\nname = \"orders\"\ndescription = {first}\n\
         [[stream.edge]]\nname = {second}\nfrom = {first}\nto = {second}\ncheck = {{ within = \"50ms\", ok = 1 }}\n\
         [[stream.edge]]\nfrom = {second}\nto = {third}\n"
    ));
    assert_eq!(server.post(&event(names[0], token)).status, 202);
    super::until_status(&server, 0, "NOK");
    open_live(browser, &server, "/streams/orders");
    browser.wait("document.querySelector('#e0').matches('.tone-nok') && document.querySelector('.shelf code')");
    browser.run("document.querySelector('#e0').dispatchEvent(new MouseEvent('click', { bubbles: true }))");
    browser.wait("document.querySelector('#focus .fails code')");
    browser.run("dispatchEvent(new KeyboardEvent('keydown', { key: 'Shift' }))");
    let seen = browser.run(
        "const seen = {}; document.querySelectorAll('*').forEach((one) => { \
         const key = `${one.localName} ${[...one.attributes].map((a) => a.name).filter((a) => a !== 'style').sort()}`; \
         seen[key] = (seen[key] ?? 0) + 1; }); return seen",
    );
    assert_eq!(browser.complaints(), [""; 0]);
    // The server ends here.
    browser.open("about:blank");
    seen
}

#[test]
fn hostile_names_change_no_element() {
    let Some(browser) = Browser::start() else { return };
    let plain = elements(&browser, ["aa", "bb", "cc"], "token");
    let hostile = elements(&browser, NAMES, "<b onclick='x'>\u{2066}</code>");
    assert_ne!(plain, json!({}));
    assert_eq!(hostile, plain);
}
