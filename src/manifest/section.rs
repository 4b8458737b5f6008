//! A table of the manifest, perhaps from several files, read key by key.

use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::context::Context;
use super::item::{Bounds, Item, Said, Span, kind};
use super::keys::{self, Table, elsewhere};
use super::problem::{Finding, Place, quote};
use super::text::Text;

/// A table, or what several files say of it together.
#[derive(Clone)]
pub(super) struct Section<'d> {
    pub(super) context: &'d Context<'d>,
    table: &'static Table,
    parts: Vec<Part<'d>>,
    /// Keys that are said, but misspelt: they have a problem, and are not missing as well.
    misspelt: Vec<&'static str>,
}

/// What one file says of a table.
#[derive(Clone)]
pub(super) struct Part<'d> {
    pub(super) file: usize,
    /// Where its header, or the table itself if it stands in a line, is written.
    pub(super) header: Range<usize>,
    pub(super) table: &'d DeTable<'d>,
}

impl<'d> Section<'d> {
    /// Opens a table: unknown keys and keys that two files say are problems.
    pub(super) fn open(context: &'d Context<'d>, table: &'static Table, parts: Vec<Part<'d>>) -> Self {
        let mut section = Self { context, table, parts, misspelt: Vec::new() };
        let mut misspelt = Vec::new();
        for part in &section.parts {
            let unknown = part.table.iter().filter(|(key, _)| !table.keys.contains(&key.get_ref().as_ref()));
            misspelt.extend(unknown.filter_map(|(key, _)| section.unknown(part, key)));
        }
        section.misspelt = misspelt;
        section
    }

    /// Reports an unknown key; the key that was meant, if one is near.
    fn unknown(&self, part: &Part<'d>, key: &Spanned<DeString<'d>>) -> Option<&'static str> {
        let place = Place { file: part.file, span: key.span() };
        let name = key.get_ref().as_ref();
        let message = format!("unknown key {} in {}", quote(name), self.table.title);
        let finding = Finding::error(&place, message);
        let near = self.context.nearest(name, self.table.keys.iter().copied());
        let finding = match (elsewhere(self.table, name), near) {
            (Some(table), _) => finding.help(place_of(name, table)),
            (None, Some(near)) => {
                finding.label(format!("did you mean `{near}`?")).help(format!("write `{near}`, or take it out"))
            }
            (None, None) => finding.help(format!("known here: {}", self.table.keys.join(", "))),
        };
        // A misspelt password is one all the same.
        let finding = if self.table.path == keys::LOGIN.path { finding.secret() } else { finding };
        self.context.report(finding);
        near
    }

    /// Where the table is said; the start of the first file where no file says it.
    pub(super) fn place(&self) -> Place {
        let part = self.parts.first();
        part.map_or(Place { file: 0, span: 0..0 }, |part| Place { file: part.file, span: part.header.clone() })
    }

    /// A key's value. Where two files say it the first is taken, and the second is a problem.
    pub(super) fn item(&self, key: &'static str) -> Option<Item<'d>> {
        let mut items = self.items(key).into_iter();
        let first = items.next()?;
        for other in items {
            let (here, there) =
                (&self.context.files[other.place.file].name, &self.context.files[first.place.file].name);
            let message = format!("`{key}` of {} is said in {there} and again in {here}", self.table.title);
            let finding = Finding::error(&other.place, message).also(&first.place, "said here first");
            self.context.report(finding.help("say it in one of the two files"));
        }
        Some(first)
    }

    fn items(&self, key: &'static str) -> Vec<Item<'d>> {
        debug_assert!(self.table.keys.contains(&key), "{key} is not in the table of keys");
        let item = |part: &Part<'d>| {
            let (_, value) = part.table.iter().find(|(name, _)| name.get_ref() == key)?;
            let place = Place { file: part.file, span: value.span() };
            Some(Item { context: self.context, place, key, value: value.get_ref() })
        };
        self.parts.iter().filter_map(item).collect()
    }

    /// Whether a key is said, well or not.
    pub(super) fn says(&self, key: &'static str) -> bool {
        !self.items(key).is_empty()
    }

    /// Reports a key that must be said and is not; true where it is said, well or not.
    pub(super) fn require(&self, key: &'static str, example: &str) -> bool {
        let said = self.says(key);
        if !said && !self.misspelt.contains(&key) {
            let finding = Finding::error(&self.place(), format!("{} needs `{key}`", self.table.title));
            self.context.report(finding.help(format!("add `{key} = {example}`")));
        }
        said
    }

    pub(super) fn text(&self, key: &'static str, example: &str) -> Option<Text> {
        self.item(key)?.text(example)
    }

    pub(super) fn path(&self, key: &'static str, example: &str) -> Option<PathBuf> {
        self.item(key)?.path(example)
    }

    pub(super) fn duration(&self, key: &'static str) -> Option<Said<Span>> {
        self.item(key)?.duration(false)
    }

    pub(super) fn duration_or_zero(&self, key: &'static str) -> Option<Said<Span>> {
        self.item(key)?.duration(true)
    }

    pub(super) fn whole(&self, key: &'static str, bounds: &Bounds) -> Option<Said<u64>> {
        self.item(key)?.whole(bounds)
    }

    pub(super) fn flag(&self, key: &'static str) -> Option<Said<bool>> {
        self.item(key)?.flag()
    }

    pub(super) fn choice(&self, key: &'static str, words: &[&'static str]) -> Option<Said<usize>> {
        self.item(key)?.choice(words)
    }

    /// A table within, put together from all files; none where no file says it.
    pub(super) fn section(&self, key: &'static str, table: &'static Table) -> Option<Section<'d>> {
        let mut parts = Vec::new();
        for item in self.items(key) {
            match item.value {
                DeValue::Table(inner) => parts.push(item.part(inner)),
                DeValue::Array(inner) if inner.iter().all(|value| matches!(value.get_ref(), DeValue::Table(_))) => {
                    item.wrong(format!("there is one {0}, not several", table.title), one_header(table));
                }
                _ => item.wrong_type("a table", one_header(table)),
            }
        }
        (!parts.is_empty()).then(|| Section::open(self.context, table, parts))
    }

    /// An array of tables, those of all files one after the other.
    pub(super) fn sections(&self, key: &'static str, table: &'static Table) -> Vec<Section<'d>> {
        let mut sections = Vec::new();
        for item in self.items(key) {
            let DeValue::Array(array) = item.value else {
                if let Some(inner) = item.is_header_below(table) {
                    let message = format!("`{inner}` stands above the `{}` that it belongs to", table.title);
                    item.wrong(message, format!("write `{}` first, and what belongs to it below", table.title));
                    continue;
                }
                let help = format!("write it with two brackets on each side: `{}`", table.title);
                item.wrong(format!("`{key}` must be {} tables, not {}", table.title, kind(item.value)), help);
                continue;
            };
            for value in array {
                let place = Place { file: item.place.file, span: value.span() };
                let element = Item { place, value: value.get_ref(), ..item.clone() };
                match element.value {
                    DeValue::Table(inner) => {
                        sections.push(Section::open(self.context, table, vec![element.part(inner)]));
                    }
                    _ => element.wrong_type(
                        &format!("{} tables", table.title),
                        format!("write each under its own `{}`", table.title),
                    ),
                }
            }
        }
        sections
    }
}

impl<'d> Item<'d> {
    /// The header of a table within this one, `[[stream.edge]]`, where that is all that is said of it.
    fn is_header_below(&self, table: &Table) -> Option<&'d str> {
        let file = &self.context.files[self.place.file];
        let (line, _) = file.line(file.line_of(self.place.span.start));
        let inner = line.trim();
        let within = table.title.trim_end_matches(']').to_owned() + ".";
        (matches!(self.value, DeValue::Table(_)) && inner.starts_with(&within)).then_some(inner)
    }

    /// The table that this value is.
    pub(super) fn part(&self, table: &'d DeTable<'d>) -> Part<'d> {
        Part { file: self.place.file, header: self.place.span.clone(), table }
    }
}

/// How to write a table that stands once.
fn one_header(table: &Table) -> String {
    match table.path {
        ["input"] => "write `[input.http]`, `[[input.amqp]]` or `[[input.log]]` on a line of its own".to_owned(),
        [.., "journal"] => "write `journal = { max_size = \"1GiB\", max_age = \"7d\" }`".to_owned(),
        [.., "check"] => "write `check = { within = \"10s\" }`".to_owned(),
        [.., "tls"] => {
            "write `tls = { certificate = \"/etc/observatory/server.crt\", key = \"/etc/observatory/server.key\" }`"
                .to_owned()
        }
        [.., "map"] => "write `map = { node = \"fixed:journal\", token = \"header:X-Tracing-ID\" }`".to_owned(),
        [.., "json"] => "write `json = { token = \"/request_id\" }`".to_owned(),
        _ => format!("write `{}`, once, on a line of its own", table.title),
    }
}

/// Where a key belongs that stands in the wrong place.
fn place_of(key: &str, table: &Table) -> String {
    match (table.within(key), table.path) {
        (Some(inner), _) if inner.title.starts_with('[') => format!("write it as `{}`", inner.title),
        (_, []) => format!("`{key}` belongs to the top: write it above the first `[...]` of the file"),
        _ => format!("`{key}` belongs to {}: write it there", table.title),
    }
}
