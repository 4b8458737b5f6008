//! Manifests of several files, and files that cannot be read.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use observatory::input::amqp::Aside;
use observatory::manifest::{Manifest, Problem, Source, load, render};
use tempfile::TempDir;

use super::with_edge;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn load_path(path: &Path) -> Result<Manifest, Vec<Problem>> {
    load(&Source::from_argument(path))
}

/// What is said, with the folder's name taken out.
fn said(folder: &TempDir, path: &Path) -> String {
    let said = match load_path(path) {
        Ok(manifest) => format!("GOOD\n{}", render(&manifest.warnings, false)),
        Err(problems) => render(&problems, false),
    };
    said.replace(&folder.path().display().to_string(), "FOLDER")
}

#[test]
fn the_files_of_a_folder_make_one_manifest() {
    let folder = folder(&[
        ("20-orders.toml", &with_edge("check = { within = \"1s\" }")),
        ("10-server.toml", "name = \"Shop\"\n[server]\nlisten = \"127.0.0.1:1\"\n"),
        ("15-server.toml", "grace = \"3s\"\n[server]\nrefresh = \"5s\"\n"),
        ("30-mails.toml", &with_edge("").replace("orders", "mails")),
        (".30-mails.toml", "an editor's lock"),
        ("notes.txt", "no manifest"),
    ]);
    let manifest = load_path(folder.path()).unwrap_or_else(|problems| panic!("{}", render(&problems, false)));
    let names: Vec<_> = manifest.system.streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["orders", "mails"]);
    assert_eq!(manifest.system.name, "Shop");
    assert_eq!(manifest.system.nodes, ["web", "db"]);
    assert_eq!(manifest.system.streams[1].edges[0].grace_us, 3_000_000);
    assert_eq!(manifest.settings.refresh_us, 5_000_000);
    assert_eq!(manifest.settings.listen, Some("127.0.0.1:1".parse().unwrap()));
}

#[test]
fn relative_paths_begin_at_the_folder_of_the_manifest() {
    const PATHS: &str = r#"
        [server]
        data_dir = "data"
        tls = { certificate = "certs/server.crt", key = "/keys/server.key" }
        [[input.amqp]]
        url = "amqp://localhost"
        queue = "q"
        ca_file = "../ca.pem"
        quarantine = "poison.ndjson"
        [[input.log]]
        path = "./logs/*.log"
        [[input.log.rule]]
        node = "web"
        match = '(?<token>\S+)'
        [[input.log]]
        path = ".//././/logs/*.log"
        [[input.log.rule]]
        node = "web"
        match = '(?<token>\S+)'
        [[input.log]]
        path = "/logs/*.log"
        [[input.log.rule]]
        node = "web"
        match = '(?<token>\S+)'
    "#;
    let folder = folder(&[("m.toml", &(with_edge("") + PATHS))]);
    let below = |path: &str| folder.path().join(path);
    for path in [folder.path().to_owned(), below("m.toml")] {
        let settings = load_path(&path).unwrap().settings;
        assert_eq!(settings.data_dir, Some(below("data")));
        let tls = settings.entry.tls.unwrap();
        assert_eq!((tls.certificate, tls.key), (below("certs/server.crt"), "/keys/server.key".into()));
        let amqp = settings.inputs[1].amqp.clone().unwrap();
        assert_eq!(amqp.ca_file, Some(below("../ca.pem")));
        assert_eq!(amqp.aside, Aside::Quarantine(below("poison.ndjson")));
        let logs = [2, 3, 4].map(|input| settings.inputs[input].log.clone().unwrap().path);
        let logs_below = below("logs/*.log").display().to_string();
        assert_eq!(logs, [logs_below.clone(), logs_below, "/logs/*.log".to_owned()]);
    }
}

#[test]
fn what_two_files_say_differently_is_named() {
    let folder = folder(&[
        ("a.toml", &format!("name = \"Shop\"\n[server]\nlisten = \"127.0.0.1:1\"\n{}", with_edge(""))),
        ("b.toml", &format!("name = \"Store\"\n[server]\nlisten = \"127.0.0.1:2\"\n{}", with_edge(""))),
        ("c.toml", "name = \"Mall\"\n[input.http]\nenabled = maybe\n"),
    ]);
    let said = said(&folder, folder.path());
    assert_snapshot!(said);
}

#[test]
fn the_syntax_of_every_file_is_checked() {
    let folder = folder(&[("a.toml", "[[stream]\n"), ("b.toml", &with_edge("")), ("c.toml", "a = \n= b\n")]);
    let said = said(&folder, folder.path());
    assert_snapshot!(said);
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = folder(&[("latin1.toml", ""), ("empty.txt", "")]);
    fs::write(folder.path().join("latin1.toml"), b"name = \"a\"\ndescription = \"gro\xdf\"\n").unwrap();
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let said = ["missing.toml", "latin1.toml", "empty"].map(|name| said(&folder, &folder.path().join(name)));
    let said = said.join("\n");
    assert_snapshot!(said);
}

#[test]
fn a_dash_is_standard_input() {
    assert!(matches!(Source::from_argument("-"), Source::Stdin));
    assert!(matches!(Source::from_argument("./-"), Source::Path(_)));
}
