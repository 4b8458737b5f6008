//! `observatory key new`: keys for programs, passwords for people.

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Exit, Format, output};
use crate::access::{Digest, Hashed, KEY_PREFIX, May, PASSWORD_MAX_BYTES, PASSWORD_MIN_CHARS, Secret, new_secret};

/// Make keys for programs, and logins for people
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(New),
}

/// Make a key, and print what to put where
///
/// A key is shown this once: the manifest holds only its SHA-256. With --login a person's password is read
/// from standard input, where it is not shown, and what to put into the manifest is printed: an Argon2id hash.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  observatory key new --name shop --node web-server --node event-processor
  observatory key new --name prometheus --may read
  observatory key new --login ada")]
struct New {
    /// Bind the key to this node: events of others are refused; may be given several times
    #[arg(long = "node", value_name = "N", env = "OBSERVATORY_NODE", conflicts_with = "login")]
    nodes: Vec<String>,
    /// What the log calls the program
    #[arg(long, value_name = "NAME", env = "OBSERVATORY_NAME", default_value = "program", conflicts_with = "login")]
    name: String,
    /// What the key is good for: report, read or both
    #[arg(long, value_name = "RIGHT", env = "OBSERVATORY_MAY", default_value = "report", value_parser = May::NAMES, conflicts_with = "login")]
    may: String,
    /// Make a login for this person instead; the password comes from standard input
    #[arg(long, value_name = "NAME", env = "OBSERVATORY_LOGIN")]
    login: Option<String>,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct KeyAnswer<'a> {
    key: &'a str,
    sha256: String,
    manifest: String,
    header: String,
}

#[derive(Serialize)]
struct LoginAnswer<'a> {
    login: &'a str,
    manifest: String,
}

impl Key {
    pub(super) fn run(self) -> ExitCode {
        let Command::New(new) = self.command;
        let made = match &new.login {
            Some(name) => new.login(name),
            None => new.key(),
        };
        made.unwrap_or_else(|exit| exit)
    }
}

impl New {
    fn key(&self) -> Result<ExitCode, ExitCode> {
        if self.may == "read" && !self.nodes.is_empty() {
            return Err(output::wrong(&"a key that may only read is not bound to nodes: leave --node out"));
        }
        let Ok(key) = new_secret(KEY_PREFIX) else { return Err(no_randomness()) };
        let sha256 = Digest::of(key.expose()).to_hex();
        let manifest = self.stanza(&sha256);
        let header = format!("Authorization: Bearer {}", key.expose());
        if self.format.json {
            output::answer_json(&KeyAnswer { key: key.expose(), sha256, manifest, header })?;
        } else {
            output::answer(&self.words(&key, &manifest))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What belongs into the manifest.
    fn stanza(&self, sha256: &str) -> String {
        let mut stanza = format!("[[server.key]]\nname = {}\nsha256 = \"{sha256}\"\n", toml_text(&self.name));
        if self.may != "report" {
            stanza += &format!("may = \"{}\"\n", self.may);
        }
        if !self.nodes.is_empty() {
            let nodes: Vec<_> = self.nodes.iter().map(|node| toml_text(node)).collect();
            stanza += &format!("nodes = [{}]\n", nodes.join(", "));
        }
        stanza
    }

    fn words(&self, key: &Secret, manifest: &str) -> String {
        let key = key.expose();
        let use_it = if self.may == "read" {
            format!("  curl -H 'Authorization: Bearer {key}' http://127.0.0.1:8700/api/v1/streams\n")
        } else {
            let node = self.nodes.first().map_or("web-server", String::as_str);
            let event = serde_json::json!({ "node": node, "token": "order-1" }).to_string().replace('\'', "'\\''");
            format!(
                "  curl -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\\n       \
                 -d '{event}' http://127.0.0.1:8700/events\n"
            )
        };
        format!(
            "The key, which is shown this once. Keep it with the program, in a file that nobody else reads:\n\n  \
             {key}\n\nPut this into the manifest, beside `access = \"login\"` in [server]; it holds no secret:\n\n\
             {}\nThe program sends it with each request:\n\n{use_it}\n\
             and our own commands take it from its file: --key-file FILE, or OBSERVATORY_KEY_FILE.\n",
            indent(manifest)
        )
    }

    fn login(&self, name: &str) -> Result<ExitCode, ExitCode> {
        let password = read_password().map_err(|error| output::fail(&error))?;
        check(&password).map_err(|error| output::wrong(&error))?;
        let Ok(hashed) = Hashed::new(&password) else { return Err(no_randomness()) };
        let manifest =
            format!("[[server.login]]\nname = {}\npassword = {}\n", toml_text(name), toml_text(&hashed.text()));
        if self.format.json {
            output::answer_json(&LoginAnswer { login: name, manifest })?;
        } else {
            output::answer(&format!(
                "Put this into the manifest, beside `access = \"login\"` in [server]. The password cannot be read from it, \
                 but guessed at:\nlet nobody read the file who need not, or write `password = \"${{NAME}}\"` and set the \
                 variable.\n\n{}",
                indent(&manifest)
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn no_randomness() -> ExitCode {
    output::say("observatory: the system has no random numbers to give\n");
    Exit::Failed.into()
}

/// A line of standard input; of a terminal without showing it, and twice.
fn read_password() -> Result<Secret, String> {
    if !io::stdin().is_terminal() {
        return line();
    }
    let hidden = Hidden::start();
    output::say("Password: ");
    let first = line();
    output::say("\nThe same again: ");
    let second = line();
    output::say("\n");
    drop(hidden);
    let (first, second) = (first?, second?);
    if first == second { Ok(first) } else { Err("the two are not the same".to_owned()) }
}

fn line() -> Result<Secret, String> {
    let mut text = String::new();
    io::stdin().lock().read_line(&mut text).map_err(|error| format!("failed to read the password: {error}"))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

fn check(password: &Secret) -> Result<(), String> {
    let text = password.expose();
    if text.chars().count() < PASSWORD_MIN_CHARS || text.len() > PASSWORD_MAX_BYTES {
        return Err(format!(
            "a password is {PASSWORD_MIN_CHARS} characters at least, and {PASSWORD_MAX_BYTES} bytes at most"
        ));
    }
    Ok(())
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden {
    before: Option<rustix::termios::Termios>,
}

impl Hidden {
    fn start() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(io::stdin()).ok();
        if let Some(mut hiding) = before.clone() {
            hiding.local_modes.remove(LocalModes::ECHO);
            if tcsetattr(io::stdin(), OptionalActions::Flush, &hiding).is_err() {
                output::say("This terminal shows what you type.\n");
            }
        }
        Self { before }
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let shown = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, before);
            if shown.is_err() {
                output::say("The terminal may not show what you type: `stty echo` mends that.\n");
            }
        }
    }
}

/// A text as TOML writes it.
fn toml_text(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn indent(text: &str) -> String {
    text.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}
