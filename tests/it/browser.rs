//! The page in a real browser.

mod access;
mod driver;
mod focus;
mod hostile;
mod live;
mod login;
mod lost;
mod narrow;
mod pointed;
mod wall;

use driver::Browser;

use crate::harness::{Server, event, wait_until};

/// Sends messages that get through; their tokens begin with `name`.
fn pass(server: &Server, name: &str, messages: usize) {
    for number in 0..messages {
        let token = format!("{name}-{number}");
        let events = ["web", "worker", "books"].map(|node| event(node, &token));
        assert_eq!(server.post(&format!("[{}]", events.join(","))).status, 202);
    }
}

/// Sends messages that get no further than `web`.
fn lose(server: &Server, name: &str, messages: usize) {
    for number in 0..messages {
        assert_eq!(server.post(&event("web", &format!("{name}-{number}"))).status, 202);
    }
}

/// Opens a stream's page and waits until it is live.
fn open_live(browser: &Browser, server: &Server, path: &str) {
    browser.open(&format!("{}{path}", server.url));
    browser.wait("document.body.classList.contains('linked')");
}

/// Waits until the server itself says so of an edge of `orders`.
fn until_status(server: &Server, edge: usize, status: &str) {
    wait_until(status, || (server.edge(edge)["status"] == status).then_some(()));
}
