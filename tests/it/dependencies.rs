//! What we link is what deny.toml allows: the part of `cargo deny` that needs nothing installed.

use std::process::Command;

use serde_json::Value;

fn read(name: &str) -> toml::Table {
    let path = format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

/// The strings of a list in deny.toml.
fn list(section: &str, name: &str) -> Vec<String> {
    let listed = read("deny.toml")[section][name].as_array().unwrap().clone();
    listed.into_iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// All packages that are built for the machine that we run on.
fn packages() -> Vec<Value> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform"]);
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = command.arg(host).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn nothing_is_ignored() {
    assert_eq!(list("advisories", "ignore"), Vec::<String>::new());
}

#[test]
fn no_banned_package_and_no_foreign_source_is_locked() {
    let banned = list("bans", "deny");
    let lock = read("Cargo.lock");
    let mut count = 0;
    for package in lock["package"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        assert!(!banned.iter().any(|banned| banned == name), "{name} is banned by deny.toml");
        let source = package.get("source").map_or("", |source| source.as_str().unwrap());
        let known = source.is_empty() || source == "registry+https://github.com/rust-lang/crates.io-index";
        assert!(known, "{name} comes from {source}");
        count += 1;
    }
    assert!(count > 100);
}

#[test]
fn every_licence_is_allowed() {
    let allowed = list("licenses", "allow");
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        // Every licence that is named, whether we may choose or not.
        let licences = match package["license"].as_str() {
            Some(text) => text.replace(['(', ')'], " ").replace('/', " OR ").replace(" AND ", " OR "),
            // What stands in a file instead; our own package is not published.
            None if name == "observatory" => continue,
            None => first_line(&package),
        };
        for licence in licences.split(" OR ").map(str::trim) {
            assert!(allowed.iter().any(|allowed| allowed == licence), "{name}: {licence:?} is not in deny.toml");
        }
    }
}

/// The licence that a package's file is headed by.
fn first_line(package: &Value) -> String {
    let manifest = std::path::Path::new(package["manifest_path"].as_str().unwrap());
    let file = package["license_file"].as_str().unwrap_or_else(|| panic!("{} names no licence", package["name"]));
    let text = std::fs::read_to_string(manifest.with_file_name(file)).unwrap();
    text.lines().next().unwrap().trim_end_matches(" License").to_owned()
}
