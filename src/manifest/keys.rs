//! Every table of the manifest and its keys: what is not here is an unknown key.

/// A table of the manifest.
#[derive(Debug)]
pub struct Table {
    /// As the manifest writes it: `[server]`, `[[stream]]`, `check`.
    pub title: &'static str,
    /// The way to it from the top.
    pub path: &'static [&'static str],
    /// Its keys.
    pub keys: &'static [&'static str],
}

/// The top level.
pub(super) const TOP: Table = Table {
    title: "the manifest",
    path: &[],
    keys: &[
        "name",
        "description",
        "grace",
        "clock_skew",
        "horizon",
        "max_tokens",
        "unknown_nodes",
        "remember",
        "hold",
        "server",
        "input",
        "stream",
    ],
};

/// The server.
pub(super) const SERVER: Table = Table {
    title: "[server]",
    path: &["server"],
    keys: &["listen", "access", "key", "login", "tls", "frame_ancestors", "data_dir", "journal", "refresh", "layout"],
};

/// A key of a program.
pub(super) const KEY: Table =
    Table { title: "[[server.key]]", path: &["server", "key"], keys: &["name", "sha256", "may", "nodes"] };

/// A person who may look at the pages.
pub(super) const LOGIN: Table =
    Table { title: "[[server.login]]", path: &["server", "login"], keys: &["name", "password"] };

/// The certificate by which the server speaks TLS.
pub(super) const TLS: Table = Table { title: "tls", path: &["server", "tls"], keys: &["certificate", "key"] };

/// How much of the journal is kept.
pub(super) const JOURNAL: Table =
    Table { title: "journal", path: &["server", "journal"], keys: &["max_size", "max_age"] };

/// The inputs by their kind.
pub(super) const INPUT: Table = Table { title: "[input]", path: &["input"], keys: &["http", "amqp", "log"] };

/// Events by HTTP.
pub(super) const HTTP: Table =
    Table { title: "[input.http]", path: &["input", "http"], keys: &["enabled", "name", "nodes", "delay"] };

/// Events from a queue.
pub(super) const AMQP: Table = Table {
    title: "[[input.amqp]]",
    path: &["input", "amqp"],
    keys: &[
        "name",
        "nodes",
        "delay",
        "url",
        "ca_file",
        "queue",
        "exchange",
        "exchange_type",
        "routing_key",
        "prefetch",
        "map",
        "dead_letter",
        "quarantine",
    ],
};

/// Where the fields of an event stand in a message.
pub(super) const MAP: Table = Table {
    title: "map",
    path: &["input", "amqp", "map"],
    keys: &["node", "token", "alias", "parent", "timestamp", "unit"],
};

/// Events from log files.
pub(super) const LOG: Table = Table {
    title: "[[input.log]]",
    path: &["input", "log"],
    keys: &["name", "nodes", "delay", "path", "from", "rule"],
};

/// How a line of a log becomes an event.
pub(super) const RULE: Table = Table {
    title: "[[input.log.rule]]",
    path: &["input", "log", "rule"],
    keys: &["node", "match", "json", "timestamp", "timezone", "unit"],
};

/// Where the fields of an event stand in a line of JSON.
pub(super) const JSON: Table = Table {
    title: "json",
    path: &["input", "log", "rule", "json"],
    keys: &["token", "timestamp", "node", "duration", "alias", "parent"],
};

/// A stream.
pub(super) const STREAM: Table =
    Table { title: "[[stream]]", path: &["stream"], keys: &["name", "description", "nodes", "discover", "edge"] };

/// A node of a stream, where it is written as a table.
pub(super) const NODE: Table = Table { title: "a node", path: &["stream", "nodes"], keys: &["name", "silence"] };

/// An edge of a stream.
pub(super) const EDGE: Table = Table {
    title: "[[stream.edge]]",
    path: &["stream", "edge"],
    keys: &["name", "from", "to", "check", "grace", "silence", "hold", "optional"],
};

/// What an edge demands.
pub(super) const CHECK: Table = Table {
    title: "check",
    path: &["stream", "edge", "check"],
    keys: &["kind", "within", "ok", "warn", "fail", "window", "every", "expect", "same_token"],
};

/// Every table, in the order in which a manifest is read.
pub const TABLES: [&Table; 17] = [
    &TOP, &SERVER, &KEY, &LOGIN, &TLS, &JOURNAL, &INPUT, &HTTP, &AMQP, &MAP, &LOG, &RULE, &JSON, &STREAM, &NODE, &EDGE,
    &CHECK,
];

impl Table {
    /// The table that a key of this table holds, where it holds one.
    pub(super) fn within(&self, key: &str) -> Option<&'static Self> {
        let is_within =
            |table: &&Self| table.path.split_last().is_some_and(|(last, path)| *last == key && path == self.path);
        TABLES.into_iter().find(is_within)
    }
}

/// The tables, other than this one, that know a key.
pub(super) fn elsewhere(here: &Table, key: &str) -> Option<&'static Table> {
    TABLES.into_iter().find(|table| table.path != here.path && table.keys.contains(&key))
}
