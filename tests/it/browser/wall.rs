//! The wall: everything at once, and no hand.

use super::{Browser, lose, open_live, pass};
use crate::harness::{ORDERS, Server};

const MAIL: &str = r#"
[[stream]]
name = "mail"
nodes = ["queue", "mailer"]

  [[stream.edge]]
  from = "queue"
  to = "mailer"
"#;

#[test]
fn the_wall_shows_the_worst_first() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(&format!("{ORDERS}{MAIL}"));
    pass(&server, "good", 3);
    lose(&server, "gone", 2);
    super::until_status(&server, 0, "NOK");
    browser.open(&format!("{}/?wall", server.url));
    browser.wait("document.querySelector('h1[data-stream]')?.dataset.stream === 'orders'");
    browser.wait("document.querySelector('.broken li')?.textContent.includes('3 of 5 passed')");
    let fits = "const box = document.querySelector('.fit .graph').getBoundingClientRect();
        return box.right <= innerWidth && box.bottom <= innerHeight && document.documentElement.scrollHeight <= innerHeight";
    assert_eq!(browser.run(fits), true);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_key_hangs_the_page_on_the_wall() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(ORDERS);
    open_live(&browser, &server, "/streams/orders");
    browser.press(&["f"]);
    browser.wait("document.body.matches('.wall') && location.search === '?wall'");
    browser.wait("!document.querySelector('.foot').checkVisibility()");
    browser.press(&["f"]);
    browser.wait("!document.body.matches('.wall') && location.search === ''");
    assert_eq!(browser.complaints(), [""; 0]);
}
