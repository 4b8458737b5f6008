//! Names that try to be markup, paths or commands are shown, not obeyed.

use crate::harness::{Files, Server, run};

const HOSTILE: &[&str] = &[
    "</text><script>alert(1)</script>",
    "a\"b'c&d",
    "slash/and%percent%2F",
    "%s%n{}",
    "bidi\u{202e}gnp.exe",
    "question?mark#hash",
    "\\back\\slash",
];

fn manifest() -> String {
    let mut text = "[[stream]]\nname = \"s\"\n".to_owned();
    for pair in HOSTILE.windows(2) {
        let (from, to) = (toml(pair[0]), toml(pair[1]));
        text += &format!("[[stream.edge]]\nfrom = {from}\nto = {to}\ncheck = {{ within = \"1s\" }}\n");
    }
    text
}

fn toml(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[test]
fn the_api_finds_edges_by_their_percent_encoded_names() {
    let server = Server::start(&manifest());
    for pair in HOSTILE.windows(2) {
        let answer = server.get(&format!("/api/v1/streams/s/edges/{}/{}", encoded(pair[0]), encoded(pair[1])));
        assert_eq!(answer.status, 200, "{pair:?}");
        assert_eq!((&answer.json()["from"], &answer.json()["to"]), (&pair[0].into(), &pair[1].into()));
    }
}

#[test]
fn pages_and_pictures_stay_what_they_are() {
    let server = Server::start(&manifest());
    for name in HOSTILE {
        let body = serde_json::json!({ "node": name, "token": "<b>\u{202e}\"'&" }).to_string();
        assert_eq!(server.post(&body).status, 202, "{name}");
    }
    let picture = server.get("/streams/s/graph.svg").body;
    let parsed = roxmltree::Document::parse(&picture).unwrap();
    assert!(parsed.descendants().all(|node| node.tag_name().name() != "script"));
    for path in ["/", "/streams/s", "/streams/s/graph.svg"] {
        let page = server.get(path).body;
        assert!(!page.contains("<script>") && !page.contains("<b>"), "{path}");
        // What is shown; attributes for programs have the name as it is.
        let mut shown = page.split('<').filter_map(|part| Some(part.split_once('>')?.1));
        assert!(shown.all(|text| !text.contains('\u{202e}')), "{path}");
    }
    // Neither is what comes back in a problem.
    let answer = server.get(&format!("/api/v1/streams/{}", encoded("<script>\u{1b}[2J\u{202e}")));
    assert_eq!(answer.status, 404);
    assert!(!answer.body.contains('\u{1b}') && !answer.body.contains('\u{202e}'), "{}", answer.body);
}

#[test]
fn a_terminal_is_shown_names_and_not_commanded() {
    let files = Files::new();
    let manifest = files.write("m.toml", &manifest());
    let lines: String = HOSTILE
        .iter()
        .zip(0..)
        .map(|(name, at)| {
            let timestamp = 1_700_000_000_000_000_u64 + at;
            serde_json::json!({ "node": name, "token": "t", "timestamp": timestamp }).to_string() + "\n"
        })
        .collect();
    let events = files.write("e.ndjson", &(lines + "{\"node\":\"\\u001b[2J\\u202e\",\"token\":\"t\"}\n"));
    let output = run(&["replay", &manifest, &events], "");
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("bidi\\u{202e}gnp.exe"), "{said}");
    assert!(!said.contains(['\u{1b}', '\u{202e}']), "{said:?}");
}
