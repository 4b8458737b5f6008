//! Manifests: what is read, and what is said of bad ones.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bad;
mod folder;
mod good;
mod nonsense;
mod reference;
mod secrets;

use observatory::manifest::{Manifest, Problem, Source, load_in, render};

/// Reads a text with a few variables set.
fn read(text: &str) -> Result<Manifest, Vec<Problem>> {
    let variable = |name: &str| match name {
        "SECRET" => Some("hunter2".to_owned()),
        "WITHIN" => Some("250ms".to_owned()),
        "NODE" => Some("hidden-node".to_owned()),
        _ => None,
    };
    load_in(&Source::Text("shop.toml".to_owned(), text.to_owned()), &variable)
}

/// All that is said of a manifest, good or bad.
fn said(text: &str) -> String {
    match read(text) {
        Ok(manifest) => format!("GOOD\n{}", render(&manifest.warnings, false)),
        Err(problems) => render(&problems, false),
    }
}

/// All that is said of several manifests, a line between two.
fn said_of<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    texts.into_iter().map(|text| said(text.as_ref())).collect::<Vec<_>>().join(&format!("{}\n", "=".repeat(100)))
}

/// A manifest with one edge that has this check.
fn with_check(check: &str) -> String {
    with_edge(&format!("check = {{ {check} }}"))
}

/// A manifest with one edge that says this, too.
fn with_edge(lines: &str) -> String {
    format!("[[stream]]\nname = \"orders\"\n[[stream.edge]]\nfrom = \"web\"\nto = \"db\"\n{lines}\n")
}

/// A good manifest below some lines.
fn with_top(lines: &str) -> String {
    format!("{lines}\n\n{}", with_edge(""))
}
