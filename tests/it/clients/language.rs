//! The languages: what they need, and how a driver in them is built and run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The languages in which there is a reporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// A shell with curl.
    Curl,
    /// Python 3.
    Python,
    /// Node.
    JavaScript,
    /// Go.
    Go,
    /// Java.
    Java,
    /// Rust.
    Rust,
}

impl Language {
    /// A command that succeeds where the language can be used, and what to install where it does not.
    fn probe(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Curl => (&["bash", "-c", "[[ $EPOCHREALTIME ]] && curl --version"], "bash 5 or later, and curl"),
            Self::Python => (&["python3", "-c", "import sys; assert sys.version_info >= (3, 8)"], "python3"),
            Self::JavaScript => (&["node", "-e", "fetch"], "nodejs, 18 or later"),
            Self::Go => (&["go", "version"], "golang-go"),
            Self::Java => (&["javac", "--release", "17", "--version"], "default-jdk-headless, 17 or later"),
            Self::Rust => (&["rustc", "--version"], "rust"),
        }
    }
}

/// The driver of this language; none where its toolchain is missing and may be.
#[expect(clippy::print_stderr, reason = "who runs the tests wants to know what was not tested")]
pub(super) fn ready(language: Language) -> Option<Command> {
    let (probe, install) = language.probe();
    if !Command::new(probe[0]).args(&probe[1..]).output().is_ok_and(|output| output.status.success()) {
        let all = std::env::var_os("OBSERVATORY_CLIENTS").is_some_and(|value| value == "all");
        assert!(!all, "{language:?} is missing: install {install}");
        eprintln!("skipped: {language:?} is missing; install {install}");
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = |program: &str, name: &str| {
        let mut command = Command::new(program);
        command.arg(root.join("tests/clients").join(name));
        command
    };
    Some(match language {
        Language::Curl => script("bash", "drive.sh"),
        Language::Python => script("python3", "drive.py"),
        Language::JavaScript => script("node", "drive.mjs"),
        Language::Go => Command::new(once(language, build_go)),
        Language::Java => {
            let mut command = Command::new("java");
            command.arg("-cp").arg(once(language, build_java)).arg("Drive");
            command
        }
        Language::Rust => Command::new(once(language, build_rust)),
    })
}

/// What `build` makes of the sources, in a folder of its own, once for all tests.
fn once(language: Language, build: fn(&Path, &Path) -> PathBuf) -> PathBuf {
    static BUILT: [OnceLock<PathBuf>; 6] = [const { OnceLock::new() }; 6];
    let built = BUILT[language as usize].get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("clients-{language:?}"));
        fs::create_dir_all(&folder).unwrap();
        build(Path::new(env!("CARGO_MANIFEST_DIR")), &folder)
    });
    built.clone()
}

fn build_go(root: &Path, folder: &Path) -> PathBuf {
    fs::create_dir_all(folder.join("observatory")).unwrap();
    fs::copy(root.join("docs/clients/reporter.go"), folder.join("observatory/reporter.go")).unwrap();
    fs::copy(root.join("tests/clients/drive.go"), folder.join("drive.go")).unwrap();
    fs::write(folder.join("go.mod"), "module drive\n\ngo 1.19\n").unwrap();
    run(Command::new("go").args(["build", "-o", "driver", "."]).current_dir(folder));
    folder.join("driver")
}

fn build_java(root: &Path, folder: &Path) -> PathBuf {
    let sources = [root.join("docs/clients/Reporter.java"), root.join("tests/clients/Drive.java")];
    let flags = ["--release", "17", "-encoding", "UTF-8", "-Xlint:all", "-Werror", "-d"];
    run(Command::new("javac").args(flags).arg(folder).args(sources));
    folder.to_owned()
}

fn build_rust(root: &Path, folder: &Path) -> PathBuf {
    let (driver, source) = (folder.join("driver"), root.join("tests/clients/drive.rs"));
    run(Command::new("rustc").args(["--edition", "2021", "-D", "warnings", "-o"]).arg(&driver).arg(source));
    driver
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&output.stderr));
}
