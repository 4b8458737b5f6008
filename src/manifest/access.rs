//! Who may read and report: `[[server.key]]`, `[[server.login]]`, and what else of `[server]` is about access.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::ErrorKind;

use toml::de::DeValue;

use super::context::Certificates;
use super::inputs::nodes;
use super::item::Item;
use super::keys;
use super::problem::{Finding, Place};
use super::section::Section;
use super::settings::{Access, AccessSettings, TlsFiles};
use super::text::Text;
use crate::access::{Digest, Hashed, KEY_PREFIX, Key, Login, May, Roster};

/// The most keys, and the most logins.
const ENTRIES_MAX: usize = 1_000;
/// The most bytes of a key's or a person's name.
const NAME_MAX_BYTES: usize = 128;
const KEY_HELP: &str = "`observatory key new` makes a key, and prints what to write here";
const LOGIN_HELP: &str = "`observatory key new --login NAME` asks for a password, and prints what to write here";

/// Reads all that is about access. `known` are the nodes of all streams.
pub(super) fn read(server: &Section<'_>, known: &[String], access: Option<Access>) -> AccessSettings {
    let (key_tables, login_tables) = (server.sections("key", &keys::KEY), server.sections("login", &keys::LOGIN));
    for tables in [&key_tables, &login_tables] {
        if let Some(table) = tables.get(ENTRIES_MAX) {
            let finding = Finding::error(&table.place(), format!("more than {ENTRIES_MAX} of these"));
            server
                .context
                .report(finding.help("let several programs of one kind share a key, several screens a login"));
        }
    }
    let mut names = HashMap::new();
    let roster = Roster {
        keys: key_tables.iter().filter_map(|table| key(table, known, &mut names)).collect(),
        logins: login_tables.iter().filter_map(|table| login(table, &mut names)).collect(),
    };
    warn(server, access, &key_tables, &login_tables);
    AccessSettings { roster: roster.into(), tls: tls(server), frame_ancestors: frame_ancestors(server) }
}

/// What is legal, and hardly meant.
fn warn(server: &Section<'_>, access: Option<Access>, keys: &[Section<'_>], logins: &[Section<'_>]) {
    match (access, keys.first().or(logins.first())) {
        (Some(Access::Login), None) => {
            let place = server.item("access").map_or_else(|| server.place(), |item| item.place);
            let finding =
                Finding::warning(&place, "nobody can log in, and nobody can report: there is no login and no key");
            server.context.report(finding.help(format!("{KEY_HELP}; {LOGIN_HELP}")));
        }
        (None | Some(Access::Open), Some(first)) => {
            let finding =
                Finding::warning(&first.place(), "keys and logins are asked for only with `access = \"login\"`");
            server.context.report(finding.help("write `access = \"login\"` in [server], or take them out"));
        }
        _ => {}
    }
}

fn key(table: &Section<'_>, known: &[String], names: &mut HashMap<String, Place>) -> Option<Key> {
    let said = table.require("name", "\"shop\"") & table.require("sha256", "\"...\"");
    let may = table.choice("may", &May::NAMES).map_or(May::Report, |said| May::at(said.value));
    let nodes = table.item("nodes").map(|item| (item.place.clone(), nodes(&item, known)));
    if let Some((place, _)) = &nodes
        && may == May::Read
    {
        let finding = Finding::error(place, "a key that may only read is not bound to nodes");
        table.context.report(finding.help("take `nodes` out, or write `may = \"both\"`"));
    }
    let name = table.text("name", "shop").filter(|name| check_name(table, name, names));
    let sha256 = table.item("sha256").and_then(|item| digest(&item));
    if !said {
        return None;
    }
    Some(Key { name: name?.value, sha256: sha256?, may, nodes: nodes.map(|(_, nodes)| nodes.into()) })
}

fn digest(item: &Item<'_>) -> Option<Digest> {
    let text = item.text("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")?;
    let digest = Digest::from_hex(&text.value);
    if digest.is_none() {
        // Not a word of what is written: it may be the key itself.
        let message = if text.value.starts_with(KEY_PREFIX) {
            "this is a key, and not its SHA-256: nobody but the program that reports may have it"
        } else {
            "`sha256` must be 64 hexadecimal digits"
        };
        item.context.report(Finding::error(&item.place, message).help(KEY_HELP).secret());
    }
    digest
}

fn login(table: &Section<'_>, names: &mut HashMap<String, Place>) -> Option<Login> {
    let said = table.require("name", "\"ada\"") & table.require("password", "\"$argon2id$...\"");
    let name = table.text("name", "ada").filter(|name| check_name(table, name, names));
    let password = table.item("password").and_then(|item| {
        let DeValue::String(_) = item.value else {
            item.context.report(Finding::error(&item.place, "`password` must be a string").help(LOGIN_HELP).secret());
            return None;
        };
        let hashed = Hashed::parse(&item.text("$argon2id$...")?.value);
        if hashed.is_none() {
            let finding =
                Finding::error(&item.place, "`password` must be an Argon2id hash, and not the password itself");
            item.context.report(finding.help(LOGIN_HELP).secret());
        }
        hashed
    });
    if !said {
        return None;
    }
    Some(Login { name: name?.value, password: password? })
}

/// Names are told apart in the log and on the pages, so no two are alike.
fn check_name(table: &Section<'_>, name: &Text, names: &mut HashMap<String, Place>) -> bool {
    if name.value.trim().is_empty() || name.value.len() > NAME_MAX_BYTES || name.value.chars().any(char::is_control) {
        let finding = Finding::error(&name.place, "a name is 1 to 128 bytes, and holds no control characters");
        table.context.report(finding.help("write a name like \"shop\""));
        return false;
    }
    if let Some(first) = names.insert(name.value.clone(), name.place.clone()) {
        let finding = Finding::error(&name.place, format!("two keys or logins are named {}", name.shown()));
        table.context.report(finding.also(&first, "the first").help("give each a name of its own"));
        return false;
    }
    true
}

fn tls(server: &Section<'_>) -> Option<TlsFiles> {
    let tls = server.section("tls", &keys::TLS)?;
    let file = |key: &'static str, example: &str| {
        let said = tls.require(key, &format!("\"{example}\""));
        if said { tls.path(key, example) } else { None }
    };
    let (certificate, key) =
        (file("certificate", "/etc/observatory/server.crt"), file("key", "/etc/observatory/server.key"));
    let files = TlsFiles { certificate: certificate?, key: key? };
    if let Some(usable) = server.context.certificates {
        check_files(&tls, &files, usable);
    }
    Some(files)
}

/// Says that a server could not start with these files. What we may not read, whoever runs it may.
fn check_files(tls: &Section<'_>, files: &TlsFiles, usable: Certificates<'_>) {
    let TlsFiles { certificate, key } = files;
    let denied = [certificate, key]
        .into_iter()
        .find(|file| File::open(file).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied));
    let finding = match (denied, usable(certificate, key)) {
        (_, Ok(())) => return,
        (Some(file), _) => {
            let message = format!("{} may not be read by you: whether it will do is not known", file.display());
            Finding::warning(&tls.place(), message).help("check it as the user who runs the server")
        }
        (None, Err(why)) => Finding::error(&tls.place(), why)
            .help("name files in PEM; a relative path begins at the folder of this file"),
    };
    tls.context.report(finding);
}

/// Origins whose pages may show ours in a frame.
fn frame_ancestors(server: &Section<'_>) -> Vec<String> {
    const EXAMPLE: &str = "frame_ancestors = [\"https://wiki.example.org\"]";
    let Some(item) = server.item("frame_ancestors") else { return Vec::new() };
    let DeValue::Array(array) = item.value else {
        item.wrong_type("an array of origins", format!("write `{EXAMPLE}`"));
        return Vec::new();
    };
    let mut origins = Vec::new();
    let mut seen = HashSet::new();
    for value in array {
        let place = Place { file: item.place.file, span: value.span() };
        let element = Item { place, value: value.get_ref(), ..item.clone() };
        let Some(text) = element.text("https://wiki.example.org") else { continue };
        if !is_origin(&text.value) {
            element.wrong(format!("{} is no origin", text.shown()), format!("write scheme and host: `{EXAMPLE}`"));
        } else if seen.insert(text.value.clone()) {
            origins.push(text.value);
        }
    }
    origins
}

/// `https://host` or `https://host:port`; the host may begin with `*.`.
fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (host, port) = rest.rsplit_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let host = host.strip_prefix("*.").unwrap_or(host);
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    !host.is_empty() && host.bytes().all(good) && port.is_none_or(|port| port == "*" || port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        for good in ["https://wiki.example.org", "http://localhost:8080", "https://*.example.org:*"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in
            ["wiki.example.org", "https://", "https://a/b", "https://a;script-src *", "https://a b", "*", "'self'"]
        {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
