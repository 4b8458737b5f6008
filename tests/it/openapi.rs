//! `/api/openapi.json` says what is so: every route, and the shape of every answer.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{ORDERS, Server, event, wait_until};

/// Says where a value is not as its schema says: a field that is not described, or one that is
/// required and absent, or a type that is another.
fn differences(schema: &Value, value: &Value, api: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = &api["components"]["schemas"][name.rsplit('/').next().unwrap()];
        assert!(schema.is_object(), "{name} is not described");
        return differences(schema, value, api, at, found);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = choices.iter().any(|choice| {
            let mut misses = Vec::new();
            differences(choice, value, api, at, &mut misses);
            misses.is_empty()
        });
        if !fits {
            found.push(format!("{at} is none of its choices: {value}"));
        }
        return;
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        many => {
            many.as_array().unwrap_or_else(|| panic!("{at} has no type")).iter().filter_map(Value::as_str).collect()
        }
    };
    let is = |name: &&str| match *name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{at} has the type {other}"),
    };
    if !types.iter().any(is) {
        found.push(format!("{at} is {value}, not of {types:?}"));
    }
    if let (Some(choices), false) = (schema["enum"].as_array(), value.is_null())
        && !choices.contains(value)
    {
        found.push(format!("{at} is {value}, none of {choices:?}"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        differences(&schema["items"], item, api, &format!("{at}[{index}]"), found);
    }
    let Some(properties) = schema["properties"].as_object() else { return };
    for (name, field) in value.as_object().into_iter().flatten() {
        match properties.get(name) {
            Some(schema) => differences(schema, field, api, &format!("{at}.{name}"), found),
            None => found.push(format!("{at}.{name} is not described")),
        }
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.is_object() && value.get(name).is_none() {
            found.push(format!("{at}.{name} is absent"));
        }
    }
}

#[test]
fn the_description_is_of_this_version_and_of_all_routes() {
    let server = Server::start(ORDERS);
    let api = server.get("/api/openapi.json").json();
    assert_eq!(api["info"]["version"], env!("CARGO_PKG_VERSION"));
    let described: BTreeSet<&str> = api["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    // Every route has a histogram from the start.
    let metrics = server.get("/metrics").body;
    let counts = metrics.lines().filter_map(|line| {
        line.strip_prefix("observatory_http_request_duration_seconds_count{path=\"")?.split('"').next()
    });
    let routed: BTreeSet<&str> = counts.filter(|path| *path != "other").collect();
    assert_eq!(described, routed);
}

#[test]
fn real_answers_are_as_described() {
    let manifest = ORDERS.replace("[[stream]]", "unknown_nodes = \"accept\"\n\n[[stream]]");
    let server = Server::start(&manifest);
    let api = server.get("/api/openapi.json").json();
    for token in ["a", "b", "c"] {
        server.post(&format!("[{},{}]", event("web", token), event("worker", token)));
    }
    server.post(&event("stranger", "a"));
    server.post(&event("web", "lost"));
    wait_until("a fail is on the board", || (server.edge(0)["ledger"]["missing"] == 1).then_some(()));
    let schema = |path: &str, method: &str, status: &str, kind: &str| {
        api["paths"][path][method]["responses"][status]["content"][kind]["schema"].clone()
    };
    let mut found = Vec::new();
    for (route, path) in [
        ("/api/v1/streams", "/api/v1/streams"),
        ("/api/v1/streams/{stream}", "/api/v1/streams/orders"),
        ("/api/v1/streams/{stream}/edges/{from}/{to}", "/api/v1/streams/orders/edges/web/worker"),
        ("/api/v1/streams/{stream}/edges/{from}/{to}", "/api/v1/streams/orders/edges/worker/books"),
        ("/health/live", "/health/live"),
        ("/health/ready", "/health/ready"),
        ("/status", "/status"),
    ] {
        let answer = server.get(path).json();
        differences(&schema(route, "get", "200", "application/json"), &answer, &api, path, &mut found);
    }
    let accepted = server.post("[{\"node\":\"web\",\"token\":\"z\"},7]");
    let described = schema("/events", "post", "202", "application/json");
    differences(&described, &accepted.json(), &api, "202", &mut found);
    let described = schema("/events", "post", "422", "application/problem+json");
    differences(&described, &server.post("[7]").json(), &api, "422", &mut found);
    assert!(found.is_empty(), "{found:#?}");
}
