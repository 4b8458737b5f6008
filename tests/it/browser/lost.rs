//! A lost connection is said, and one that comes back catches up.

use super::{Browser, open_live, pass};
use crate::harness::{Files, ORDERS, Server, observatory};

#[test]
fn a_restored_connection_catches_up() {
    let Some(browser) = Browser::start() else { return };
    let files = Files::new();
    let manifest = files.write("manifest.toml", ORDERS);
    let serve = |listen: &str| Server::spawn(observatory().args(["serve", &manifest, "--listen", listen]));
    let mut server = serve("127.0.0.1:0");
    let address = server.address().to_owned();
    pass(&server, "before", 3);
    open_live(&browser, &server, "/streams/orders");
    browser.wait("document.querySelector('#e0').matches('.tone-ok')");
    browser.run("window.here = true");

    server.stop();
    browser.wait("document.body.matches('.lost') && document.querySelector('#lost-link').checkVisibility()");
    browser.wait("document.body.matches('.stale')");
    assert_eq!(browser.run("return document.querySelector('.asof .link').textContent"), "as of");

    let server = serve(&address);
    browser.wait("document.body.matches('.linked:not(.lost)')");
    // It has caught up with a server that knows nothing yet.
    browser.wait("document.querySelector('#e0').matches('.tone-grey')");
    assert_eq!(browser.run("return document.querySelector('#lost-link').checkVisibility()"), false);
    pass(&server, "after", 3);
    browser.wait("document.querySelector('#e0').matches('.tone-ok')");
    assert_eq!(browser.run("return here"), true, "without a reload");
}

#[test]
fn the_page_follows_a_changed_graph() {
    let Some(browser) = Browser::start() else { return };
    let files = Files::new();
    let manifest = files.write("manifest.toml", ORDERS);
    let serve = |listen: &str| Server::spawn(observatory().args(["serve", &manifest, "--listen", listen]));
    let mut server = serve("127.0.0.1:0");
    let address = server.address().to_owned();
    open_live(&browser, &server, "/streams/orders");
    browser.run("window.here = true");
    server.stop();
    let grown = format!("{ORDERS}\n  [[stream.edge]]\n  from = \"worker\"\n  to = \"mailer\"\n");
    files.write("manifest.toml", &grown);
    let server = serve(&address);
    browser.wait(
        "document.querySelector('.fit [data-node=mailer]') && document.querySelectorAll('.fit > .right g.edge').length === 3",
    );
    browser.wait("document.querySelector('tbody[data-key=e2]')");
    pass(&server, "after", 3);
    browser.wait("document.querySelector('.fit [data-from=web].tone-ok')");
    assert_eq!(browser.run("return here"), true, "without a reload");
}

#[test]
fn the_page_follows_a_manifest_that_is_read_again() {
    let Some(browser) = Browser::start() else { return };
    let files = Files::new();
    let manifest = files.write("manifest.toml", ORDERS);
    let server = Server::spawn(observatory().args(["serve", &manifest, "--listen", "127.0.0.1:0"]));
    pass(&server, "before", 3);
    open_live(&browser, &server, "/streams/orders");
    browser.wait("document.querySelector('#e0').matches('.tone-ok')");
    browser.run("window.here = true");
    files.write("manifest.toml", &format!("{ORDERS}\n  [[stream.edge]]\n  from = \"worker\"\n  to = \"mailer\"\n"));
    browser.wait("document.querySelectorAll('.fit [data-node=mailer]').length === 2");
    browser.wait("document.querySelector('tbody[data-key=e2]')?.textContent.includes('mailer')");
    browser.wait("document.querySelector('#e0').matches('.tone-ok')");

    // A bad one is said, and changes nothing else.
    files.write("manifest.toml", "[[stream]]\nnam = \"orders\"\n");
    browser.wait("document.querySelector('.notices')?.textContent.includes('The manifest is bad')");
    browser.wait("document.querySelector('#e0').matches('.tone-ok')");
    files.write("manifest.toml", ORDERS);
    browser.wait("!document.querySelector('.fit [data-node=mailer]') && !document.querySelector('.notices .notice')");
    assert_eq!(browser.run("return here"), true, "without a reload");
    assert_eq!(browser.complaints(), [""; 0]);
}
