//! `[[input.amqp]]`: a queue, and where the fields of an event stand in its messages.

use std::fs;
use std::path::Path;

use super::item::Bounds;
use super::keys;
use super::problem::Finding;
use super::section::Section;
use crate::input::amqp::{AmqpSettings, Aside, Exchange, Map, Source, Url};
use crate::input::rules::Unit;

const URL_EXAMPLE: &str = "\"amqp://${AMQP_USER}:${AMQP_PASSWORD}@localhost:5672/%2f\"";

/// Reads what a queue's table says; none where something of it is wrong, which is reported.
pub(super) fn read(amqp: &Section<'_>) -> Option<AmqpSettings> {
    let url = url(amqp);
    let queue =
        if amqp.require("queue", "\"observatory.input\"") { amqp.text("queue", "observatory.input") } else { None };
    let kind = amqp.text("exchange_type", "topic").map_or_else(|| "topic".to_owned(), |kind| kind.value);
    let exchange = amqp.text("exchange", "observatory").map(|name| Exchange { name: name.value, kind });
    let routing_key = amqp.text("routing_key", "observatory.input");
    let prefetch = amqp.whole("prefetch", &Bounds { range: 1..=65_535, example: "1000" });
    let ca_file = amqp.path("ca_file", "/etc/ssl/certs/broker.pem");
    if let Some(file) = &ca_file {
        check_authorities(amqp, file);
    }
    let aside = aside(amqp);
    let map = amqp.section("map", &keys::MAP).map(|map| read_map(&map));
    let queue = queue?.value;
    Some(AmqpSettings {
        url: url?,
        ca_file,
        routing_key: routing_key.map_or_else(|| queue.clone(), |key| key.value),
        queue,
        exchange,
        prefetch: prefetch.map_or(1_000, |said| said.value as u16),
        map: match map {
            None => None,
            Some(map) => Some(map?),
        },
        aside,
    })
}

fn url(amqp: &Section<'_>) -> Option<Url> {
    let url =
        if amqp.require("url", URL_EXAMPLE) { amqp.text("url", "amqp://localhost:5672/%2f")? } else { return None };
    let wrong = |message: String| {
        let finding = Finding::error(&url.place, message);
        amqp.context.report(finding.help(format!("write `url = {URL_EXAMPLE}`")));
    };
    if !["amqp://", "amqps://"].iter().any(|scheme| url.value.starts_with(scheme)) {
        wrong("`url` must begin with amqp:// or amqps://".to_owned());
        return None;
    }
    Url::parse(&url.value).map_err(|error| wrong(format!("`url` is no address of a broker: {error}"))).ok()
}

/// Says that a file of certificates will not do, where files are looked at: the input would stay down.
fn check_authorities(amqp: &Section<'_>, file: &Path) {
    if !amqp.context.looks_at_files() {
        return;
    }
    let why = match fs::read_to_string(file) {
        Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => return,
        Ok(_) => format!("{} holds no certificate", file.display()),
        Err(error) => format!("failed to read {}: {error}", file.display()),
    };
    if let Some(item) = amqp.item("ca_file") {
        let finding = Finding::warning(&item.place, why)
            .help("name a file of certificates in PEM; a relative path begins at the folder of this file");
        amqp.context.report(finding);
    }
}

fn aside(amqp: &Section<'_>) -> Aside {
    let exchange = amqp.text("dead_letter", "observatory.dead");
    match (exchange, amqp.item("quarantine")) {
        (Some(_), Some(file)) => {
            let finding = Finding::error(&file.place, "`dead_letter` and `quarantine` are both said");
            amqp.context
                .report(finding.help("a message that cannot be read is kept in one place: take one of the two out"));
            Aside::Reject
        }
        (Some(exchange), None) => Aside::DeadLetter(exchange.value),
        (None, Some(file)) => file.path("/var/lib/observatory/poison.ndjson").map_or(Aside::Reject, Aside::Quarantine),
        (None, None) => Aside::Reject,
    }
}

fn read_map(map: &Section<'_>) -> Option<Map> {
    let source = |key| {
        let text = map.text(key, "header:X-Tracing-ID")?;
        let parsed = Source::parse(&text.value).map_err(|wrong| {
            let message = format!("{} is no place of `{key}`: {}", text.shown(), wrong.error);
            map.context.report(Finding::error(&text.place, message).help(wrong.help));
        });
        parsed.ok()
    };
    for (key, example) in [("node", "\"fixed:journal\""), ("token", "\"header:X-Tracing-ID\"")] {
        map.require(key, example);
    }
    let (node, token) = (source("node"), source("token"));
    let (alias, parent, timestamp) = (source("alias"), source("parent"), source("timestamp"));
    let unit = map.choice("unit", &Unit::NAMES).map_or(Unit::Micros, |said| Unit::ALL[said.value]);
    Some(Map { node: node?, token: token?, alias, parent, timestamp, unit })
}
