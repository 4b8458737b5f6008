//! The top level and `[server]`.

use std::net::{Ipv4Addr, SocketAddr};

use toml::de::DeValue;

use super::access;
use super::item::{Bounds, Item, Said, Span};
use super::keys;
use super::problem::{Finding, quote};
use super::section::Section;
use super::settings::{
    Access, AccessSettings, JournalSettings, LISTEN_DEFAULT, LISTEN_HELP, LayoutBy, Settings, check_listen,
};
use crate::clock::SECOND_US;
use crate::graph::System;

/// What an edge has where it says nothing itself.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "the unit is part of a name")]
pub(super) struct Defaults {
    pub(super) grace_us: u64,
    pub(super) clock_skew_us: u64,
    pub(super) horizon_us: u64,
    pub(super) hold_us: u64,
}

/// The defaults of all streams.
pub(super) fn defaults(top: &Section<'_>) -> Defaults {
    let or = |said: Option<Said<Span>>, default_us| said.map_or(default_us, |said| said.value.us);
    Defaults {
        grace_us: or(top.duration_or_zero("grace"), SECOND_US),
        clock_skew_us: or(top.duration_or_zero("clock_skew"), 50_000),
        horizon_us: or(top.duration("horizon"), 10 * SECOND_US),
        hold_us: or(top.duration_or_zero("hold"), 10 * SECOND_US),
    }
}

/// The system without its streams.
pub(super) fn system(top: &Section<'_>) -> System {
    let tokens = Bounds { range: 1..=1_000_000_000, example: "4_000_000" };
    System {
        name: top.text("name", "Shop").map_or_else(|| "Observatory".to_owned(), |text| text.value),
        description: top
            .text("description", "What an order passes through")
            .map_or_else(String::new, |text| text.value),
        max_tokens: top.whole("max_tokens", &tokens).map_or(4_000_000, |said| said.value as usize),
        remember_us: top.duration_or_zero("remember").map_or(3_600 * SECOND_US, |said| said.value.us),
        accept_unknown: top.choice("unknown_nodes", &["refuse", "accept"]).is_some_and(|said| said.value == 1),
        ..System::default()
    }
}

/// The smallest journal that is worth its name, in bytes and as the manifest writes it.
const JOURNAL_MIN: (u64, &str) = (64 << 20, "64MiB");

/// The server's settings, without the inputs. `nodes` are those of all streams.
pub(super) fn settings(top: &Section<'_>, nodes: &[String]) -> Settings {
    let mut settings = Settings {
        listen: None,
        access: None,
        entry: AccessSettings::default(),
        data_dir: None,
        journal: JournalSettings::default(),
        refresh_us: SECOND_US,
        layout: LayoutBy::default(),
        http_enabled: true,
        inputs: Vec::new(),
    };
    let Some(server) = top.section("server", &keys::SERVER) else {
        return settings;
    };
    if let Some(refresh) = server.duration("refresh") {
        settings.refresh_us = refresh.value.us;
    }
    if let Some(access) = server.choice("access", &["open", "login"]) {
        settings.access = Some(if access.value == 0 { Access::Open } else { Access::Login });
    }
    settings.data_dir = server.path("data_dir", "/var/lib/observatory");
    if let Some(journal) = server.section("journal", &keys::JOURNAL) {
        let size = journal.item("max_size").and_then(|item| item.size(JOURNAL_MIN));
        let age = journal.duration("max_age");
        settings.journal.max_bytes = size.map_or(settings.journal.max_bytes, |said| said.value);
        settings.journal.max_age_us = age.map_or(settings.journal.max_age_us, |said| said.value.us);
    }
    if let Some(layout) = server.choice("layout", &["builtin", "dot"]) {
        settings.layout = if layout.value == 0 { LayoutBy::Builtin } else { LayoutBy::Dot };
    }
    settings.entry = access::read(&server, nodes, settings.access);
    settings.listen = server.item("listen").and_then(|item| listen(&item, &server, settings.access));
    settings
}

fn listen(item: &Item<'_>, server: &Section<'_>, access: Option<Access>) -> Option<SocketAddr> {
    if let DeValue::Integer(port) = item.value {
        let port = if port.as_str().parse::<u16>().is_ok() { port.as_str() } else { "8700" };
        item.wrong_type("an address and a port", format!("write `listen = \"127.0.0.1:{port}\"`"));
        return None;
    }
    let text = item.text("127.0.0.1:8700")?;
    let Ok(address) = text.value.parse::<SocketAddr>() else {
        let guess = if text.is_plain() { guess(&text.value) } else { LISTEN_DEFAULT };
        let message = format!("{} is not an address and a port", text.shown());
        item.wrong(message, format!("write `listen = {}`", quote(&guess.to_string())));
        return None;
    };
    // A wrong `access` has a problem of its own.
    if !server.says("access") && check_listen(address, access).is_err() {
        let finding = Finding::error(&item.place, "`access` must be said where `listen` is not loopback");
        server.context.report(finding.label("others can reach this").help(LISTEN_HELP));
    }
    Some(address)
}

/// What was meant by a wrong address: a port alone, `localhost`, an address without a port.
fn guess(text: &str) -> SocketAddr {
    if let Ok(ip) = text.trim_matches(['[', ']']).parse() {
        return SocketAddr::new(ip, LISTEN_DEFAULT.port());
    }
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let ip = if host == "*" { Ipv4Addr::UNSPECIFIED.into() } else { host.parse().unwrap_or(LISTEN_DEFAULT.ip()) };
    SocketAddr::new(ip, port.parse().unwrap_or(LISTEN_DEFAULT.port()))
}
