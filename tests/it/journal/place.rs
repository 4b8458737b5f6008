//! A folder in which the real binary lives with a data directory, one life after the other.

use std::process::Command;

use crate::harness::{Files, Server, observatory, run};

pub(crate) struct Place {
    pub(crate) files: Files,
    pub(crate) manifest: String,
    /// Where it listens.
    listen: String,
}

impl Place {
    /// Listens on another free port each time.
    pub(crate) fn new(manifest: &str) -> Self {
        Self::listening(manifest, "127.0.0.1:0")
    }

    pub(crate) fn listening(manifest: &str, listen: &str) -> Self {
        let files = Files::new();
        let manifest = files.write("manifest.toml", manifest);
        Self { files, manifest, listen: listen.to_owned() }
    }

    pub(crate) fn data(&self) -> String {
        self.files.path("data").to_str().unwrap().to_owned()
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = observatory();
        command.args(["serve", &self.manifest, "--listen", &self.listen, "--data-dir", &self.data()]);
        command
    }

    pub(crate) fn start(&self) -> Server {
        Server::spawn(&mut self.command())
    }

    /// Judges the journal again, by its own manifests or another.
    pub(crate) fn replay(&self, arguments: &[&str]) -> (i32, String) {
        let output = run(&[&["replay", "--journal", &self.data()], arguments].concat(), "");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }
}
