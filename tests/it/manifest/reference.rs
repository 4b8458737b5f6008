//! The reference manifest names every key, and says the defaults that are in force.

use observatory::manifest::{TABLES, render};
use toml::{Table, Value};

use super::{read, with_edge};

const REFERENCE: &str = include_str!("../../../manifests/reference.toml");

/// The reference without its variables.
fn whole() -> String {
    REFERENCE.replace("${AMQP_USER}", "guest").replace("${AMQP_PASSWORD}", "guest")
}

#[test]
fn the_reference_runs_as_it_is() {
    let manifest = read(REFERENCE).unwrap_or_else(|problems| panic!("{}", render(&problems, false)));
    assert_eq!(render(&manifest.warnings, false), "");
}

#[test]
fn no_key_is_missing() {
    let reference: Table = whole().parse().unwrap();
    let mut missing = Vec::new();
    for table in TABLES {
        let places = places(&Value::Table(reference.clone()), table.path);
        for key in table.keys {
            if !places.iter().any(|place| place.get(key).is_some()) {
                missing.push(format!("{key} of {}", table.title));
            }
        }
    }
    assert!(missing.is_empty(), "the reference manifest does not say {missing:?}");
}

/// All tables at the end of a way, through every element of the arrays on it.
fn places(value: &Value, path: &[&str]) -> Vec<Value> {
    match (value, path.split_first()) {
        (Value::Array(values), _) => values.iter().flat_map(|value| places(value, path)).collect(),
        (Value::Table(_), None) => vec![value.clone()],
        (Value::Table(table), Some((key, rest))) => table.get(*key).map_or_else(Vec::new, |value| places(value, rest)),
        _ => Vec::new(),
    }
}

#[test]
fn the_defaults_are_those_in_force() {
    let reference = read(REFERENCE).unwrap();
    let silent = read(&with_edge("check = { within = \"1s\" }")).unwrap();
    let (said, default) = (&reference.system, &silent.system);
    assert_eq!(said.name, default.name);
    assert_eq!(said.description, default.description);
    assert_eq!(said.max_tokens, default.max_tokens);
    assert_eq!(said.remember_us, default.remember_us);
    assert_eq!(said.accept_unknown, default.accept_unknown);
    assert_eq!(said.streams[0].horizon_us, default.streams[0].horizon_us);
    let (said, default) = (&said.streams[0].edges[0], &default.streams[0].edges[0]);
    assert_eq!(
        (said.grace_us, said.hold_us, said.clock_skew_us, said.delay_us),
        (default.grace_us, default.hold_us, default.clock_skew_us, default.delay_us)
    );
    assert_eq!(reference.settings.refresh_us, silent.settings.refresh_us);
    assert_eq!(reference.settings.http_enabled, silent.settings.http_enabled);
    assert_eq!(reference.settings.listen, Some(observatory::manifest::LISTEN_DEFAULT));
}
