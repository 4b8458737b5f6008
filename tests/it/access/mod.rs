//! Who may read and report, and who may not.

mod keys;
mod login;

use std::process::Output;

use crate::harness::{Answer, Files, ORDERS, Server, observatory, read, run};

/// The password of `ada`.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// What `key new` made.
pub(crate) struct Made {
    /// The key itself.
    pub(crate) key: String,
    /// What belongs into the manifest.
    pub(crate) stanza: String,
}

/// Makes a key.
pub(crate) fn new_key(arguments: &[&str]) -> Made {
    let output = run(&[&["key", "new", "--json"], arguments].concat(), "");
    let made = json(&output);
    Made { key: made["key"].as_str().unwrap().to_owned(), stanza: made["manifest"].as_str().unwrap().to_owned() }
}

/// Makes a login; gives what belongs into the manifest.
pub(crate) fn new_login(name: &str, password: &str) -> String {
    let output = run(&["key", "new", "--json", "--login", name], &format!("{password}\n"));
    json(&output)["manifest"].as_str().unwrap().to_owned()
}

pub(crate) fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"))
}

/// The manifest of `ORDERS`, guarded.
pub(crate) fn guarded(stanzas: &[&str]) -> String {
    format!("{ORDERS}\n[server]\naccess = \"login\"\n{}", stanzas.join("\n"))
}

/// A server that is guarded, and its files.
pub(crate) struct Guarded {
    pub(crate) server: Server,
    pub(crate) files: Files,
}

impl Guarded {
    pub(crate) fn start(stanzas: &[&str]) -> Self {
        let files = Files::new();
        let manifest = files.write("manifest.toml", &guarded(stanzas));
        let serve = ["serve", &manifest, "--listen", "127.0.0.1:0", "--log-level", "debug"];
        let server = Server::spawn(observatory().args(serve));
        Self { server, files }
    }

    /// Asks for a page or an answer, with these headers.
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = agent_that_stays().get(format!("{}{path}", self.server.url));
        read(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).call())
    }

    /// Sends a form.
    pub(crate) fn send_form(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let request = agent_that_stays().post(format!("{}{path}", self.server.url));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        read(request.send_form(fields.iter().copied()))
    }

    /// Logs in; gives the cookie.
    pub(crate) fn log_in(&self, name: &str, password: &str) -> String {
        let answer = self.send_form("/login", &[], &[("name", name), ("password", password)]);
        assert_eq!(answer.status, 303, "{answer:?}");
        answer.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    /// Reports events with a key.
    pub(crate) fn report(&self, key: &str, body: &str) -> Answer {
        let authorization = format!("Bearer {key}");
        self.server.post_as("application/json", &[("Authorization", &authorization)], body.as_bytes())
    }
}

/// A client that does not go where it is sent.
fn agent_that_stays() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into()
}
