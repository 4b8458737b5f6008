//! A real Chromium without a window, driven by the commands of the W3C's web driver.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

use crate::harness::{read, wait_until};

/// One browser at a time: they are large.
static TURN: Mutex<()> = Mutex::new(());

/// Chromium's flags: nothing on the screen, nothing from the network but what a test asks for.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,900",
];

/// How long the browser may take for one command: on a loaded machine its start alone takes a minute.
const PATIENCE: Duration = Duration::from_mins(3);

/// Says that a test is skipped; fails where the run insists on it.
#[expect(clippy::print_stderr, reason = "who runs the tests is told what they did not do")]
pub(crate) fn skip(missing: &str) {
    let insists = std::env::var("OBSERVATORY_BROWSER").is_ok_and(|value| value == "all");
    assert!(!insists, "{missing}");
    eprintln!("skipped: {missing}");
}

/// A browser with one window; ended when dropped.
pub(crate) struct Browser {
    driver: Child,
    agent: Agent,
    session: String,
    _profile: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// Starts a browser; none where it is not installed, and the run does not insist.
    pub(crate) fn start() -> Option<Self> {
        Self::with(&json!({}))
    }

    /// A browser that runs no script of a page.
    pub(crate) fn without_scripts() -> Option<Self> {
        Self::with(&json!({ "profile.managed_default_content_settings.javascript": 2 }))
    }

    fn with(preferences: &Value) -> Option<Self> {
        let (Some(chromium), Some(driver)) = (on_path("chromium"), on_path("chromedriver")) else {
            skip("there is no Chromium: apt-get install chromium chromium-driver");
            return None;
        };
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let profile = TempDir::new().unwrap();
        let mut driver =
            Command::new(driver).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let port = line.split("started successfully on port ").nth(1)?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        std::thread::spawn(move || lines.for_each(drop));
        let base = format!("http://127.0.0.1:{}/session", port.unwrap());
        let folder = format!("--user-data-dir={}", profile.path().display());
        let flags: Vec<&str> = FLAGS.into_iter().chain([folder.as_str()]).collect();
        let options = json!({ "binary": chromium, "args": flags, "prefs": preferences });
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
        // The driver ends with this, whatever goes wrong from here on.
        let agent = Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into();
        let mut browser = Self { driver, agent, session: base, _profile: profile, _turn: turn };
        let answer = browser.post("", &json!({ "capabilities": { "alwaysMatch": wanted } }));
        browser.session = format!("{}/{}", browser.session, answer["sessionId"].as_str().unwrap());
        browser.cdp("Page.enable", &json!({}));
        let watch =
            "addEventListener('securitypolicyviolation', (e) => console.error('violation ' + e.violatedDirective))";
        browser.cdp("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": watch }));
        Some(browser)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.agent.post(format!("{}{path}", self.session)).header("Content-Type", "application/json");
        let answer = read(request.send(body.to_string().as_bytes()));
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.body);
        answer.json()["value"].take()
    }

    fn get(&self, path: &str) -> Value {
        let answer = read(self.agent.get(format!("{}{path}", self.session)).call());
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()["value"].take()
    }

    /// A command of the browser's own protocol.
    pub(crate) fn cdp(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Opens a page and waits until it is loaded.
    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// What the body of a function returns that runs in the page.
    pub(crate) fn run(&self, body: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": body, "args": [] }))
    }

    /// The same, where it ends by calling `done`.
    pub(crate) fn run_until_done(&self, body: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1]; {body}");
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Waits until an expression is true in the page; gives its value.
    pub(crate) fn wait(&self, expression: &str) -> Value {
        let look = || Some(self.run(&format!("return {expression}"))).filter(truth);
        wait_until(expression, look)
    }

    /// Presses and releases keys, one after the other; special keys by their codes.
    pub(crate) fn press(&self, keys: &[&str]) {
        let each = keys
            .iter()
            .flat_map(|key| [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]);
        let actions = json!([{ "type": "key", "id": "keys", "actions": each.collect::<Vec<_>>() }]);
        self.post("/actions", &json!({ "actions": actions }));
    }

    /// Moves a pointer (`mouse`, `touch`) to the middle of the first element of this kind; with `presses` it clicks or taps.
    pub(crate) fn point_at(&self, selector: &str, pointer: &str, presses: bool) {
        let middle = self.run(&format!(
            "const place = document.querySelector({selector:?}).getBoundingClientRect();
            return [place.x + place.width / 2, place.y + place.height / 2].map(Math.round)"
        ));
        let move_there = json!({ "type": "pointerMove", "duration": 0, "x": middle[0], "y": middle[1] });
        let press = [json!({ "type": "pointerDown", "button": 0 }), json!({ "type": "pointerUp", "button": 0 })];
        let actions: Vec<Value> = [move_there].into_iter().chain(press.into_iter().filter(|_| presses)).collect();
        let source =
            json!({ "type": "pointer", "id": pointer, "parameters": { "pointerType": pointer }, "actions": actions });
        self.post("/actions", &json!({ "actions": [source] }));
    }

    /// Light or dark, as if the reader's system said so.
    pub(crate) fn scheme(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.cdp("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// The page as the browser has it now, whether or not it runs scripts.
    pub(crate) fn document(&self) -> String {
        self.get("/source").as_str().unwrap().to_owned()
    }

    /// What the browser has complained about since it was last asked.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().unwrap().iter();
        let bad = entries.filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")));
        bad.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; the driver does not do this when it is killed.
        drop(self.agent.delete(&self.session).call());
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

fn truth(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value != &json!(0) && value != &json!("")
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
