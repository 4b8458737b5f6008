//! `layout = "dot"`: Graphviz lays out where it can; where it cannot, that is said and there is a picture all the same.

use std::os::unix::fs::PermissionsExt;

use crate::harness::{Files, ORDERS, Server, observatory, wait_until};

fn dotted(manifest: &str) -> String {
    format!("{manifest}\n[server]\nlayout = \"dot\"\n")
}

/// Serves with this program for `dot`.
fn serve(files: &Files, script: Option<&str>) -> Server {
    let folder = files.folder().join("bin");
    std::fs::create_dir(&folder).unwrap();
    if let Some(script) = script {
        let program = folder.join("dot");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let manifest = files.write("manifest.toml", &dotted(ORDERS));
    Server::spawn(observatory().env("PATH", folder).args(["serve", &manifest, "--listen", "127.0.0.1:0"]))
}

#[test]
fn what_is_not_there_is_said_once_and_we_lay_out() {
    let files = Files::new();
    let server = serve(&files, None);
    for path in ["/", "/streams/orders", "/streams/orders/graph.svg", "/streams/orders/graph.svg?flow=down"] {
        assert!(server.get(path).body.contains("<path class=\"wire\""), "{path}");
    }
    let layout = &server.get("/status").json()["layout"];
    assert_eq!((&layout["asked"], &layout["used"]), (&"dot".into(), &"builtin".into()));
    assert_eq!(layout["error"], "dot is not installed");
    assert_eq!(server.log().matches("dot does not lay out").count(), 1, "{}", server.log());
    // Back to ours by a reload.
    files.write("manifest.toml", ORDERS);
    wait_until("it is ours", || (server.get("/status").json()["layout"]["asked"] == "builtin").then_some(()));
}

#[test]
fn what_it_says_is_drawn() {
    let answer = r#"{"objects": [{"name": "n0", "pos": "50,900"}, {"name": "n1", "pos": "550,100"}, {"name": "n2", "pos": "1050,100"},
        {"name": "e0", "pos": "300,500"}, {"name": "e1", "pos": "800,100"}],
        "edges": [{"tail": 0, "head": 3, "pos": "90,900 100,800 200,600 290,500"}, {"tail": 3, "head": 1, "pos": "310,500 400,300 500,200 540,100"},
        {"tail": 1, "head": 4, "pos": "600,100 620,100 640,100 790,100"}, {"tail": 4, "head": 2, "pos": "810,100 820,100 840,100 990,100"}]}"#;
    let files = Files::new();
    let server = serve(&files, Some(&format!("while read line; do :; done; echo '{answer}'")));
    let drawn = server.get("/streams/orders/graph.svg").body;
    let y = |node: &str| -> f64 {
        let group = drawn.split(&format!("data-node=\"{node}\"")).nth(1).unwrap();
        group.split(" y=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    assert!(y("worker") - y("web") > 700.0 && (y("worker") - y("books")).abs() < 1.0, "{drawn}");
    let layout = &server.get("/status").json()["layout"];
    assert_eq!((&layout["used"], &layout["error"]), (&"dot".into(), &serde_json::Value::Null));
}
