//! Runs Graphviz' `dot`, where the manifest asks for its layout. Where it is missing, fails, or takes too
//! long, the built-in layout stands in, and that is said.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::picture::{Dagre, Placement, Placer, Plan, placed, question};

/// How long it may take for one picture.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most that is read of its answer, in bytes: a hundred times that for 300 nodes.
const ANSWER_MAX: u64 = 64 * 1024 * 1024;
/// The most that is read of its complaints, in bytes.
const COMPLAINT_MAX: u64 = 2_000;

/// The layout of `dot`.
#[derive(Debug)]
pub struct Graphviz {
    program: PathBuf,
    patience: Duration,
    /// Held while it runs: one at a time.
    turn: Mutex<()>,
    /// Why it did not do its part the last time.
    trouble: Mutex<Option<String>>,
}

impl Default for Graphviz {
    fn default() -> Self {
        Self::new("dot".into(), PATIENCE)
    }
}

impl Graphviz {
    fn new(program: PathBuf, patience: Duration) -> Self {
        Self { program, patience, turn: Mutex::default(), trouble: Mutex::default() }
    }

    /// Why the built-in layout stands in, where it does.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what came of the last picture, and logs it where that is news.
    fn note(&self, trouble: Option<String>) {
        let mut last = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == trouble {
            return;
        }
        if let Some(error) = &trouble {
            tracing::warn!(subsystem = "page", error, "dot does not lay out: the built-in layout stands in");
        } else {
            tracing::info!(subsystem = "page", "dot lays out again");
        }
        *last = trouble;
    }
}

impl Graphviz {
    /// Runs `dot` with this on its standard input, and gives what it answers.
    fn ask(&self, question: &str) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command.arg("-Tjson0").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        // What is in our environment is no business of its.
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "dot is not installed".to_owned(),
            _ => format!("failed to start dot: {error}"),
        })?;
        let answer = converse(&mut child, question, self.patience);
        end(&mut child);
        answer
    }
}

impl Placer for Graphviz {
    fn place(&self, plan: &Plan) -> Placement {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = self.ask(&question(plan)).and_then(|answer| placed(plan, &answer));
        drop(turn);
        self.note(answer.as_ref().err().cloned());
        answer.unwrap_or_else(|_| Dagre.place(plan))
    }
}

/// Tells it the question and takes the answer.
fn converse(child: &mut Child, question: &str, patience: Duration) -> Result<String, String> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err("failed to talk to dot".to_owned());
    };
    let (answer_in, answer_out) = sync_channel(1);
    std::thread::scope(|scope| {
        // Where it does not read to the end, its answer tells why.
        scope.spawn(move || drop(stdin.write_all(question.as_bytes())));
        let complaint = scope.spawn(move || read(stderr, COMPLAINT_MAX).0);
        scope.spawn(move || drop(answer_in.send(read(stdout, ANSWER_MAX))));
        let answer = answer_out.recv_timeout(patience);
        if answer.is_err() {
            // Only then do those who read and write come to an end.
            end(child);
        }
        let complaint = complaint.join().unwrap_or_default();
        match answer {
            Ok((answer, true)) if !answer.is_empty() => Ok(answer),
            Ok((_, true)) => {
                Err(format!("dot gives no answer: {}", complaint.lines().next().unwrap_or("it says nothing")))
            }
            Ok((_, false)) => Err("dot answers without an end".to_owned()),
            Err(RecvTimeoutError::Timeout) => Err(format!("dot takes longer than {} s", patience.as_secs_f32())),
            Err(RecvTimeoutError::Disconnected) => Err("failed to read what dot answers".to_owned()),
        }
    })
}

/// What comes, up to a limit, and whether that was all. The rest is read and thrown away, within reason: a
/// program whose pipe is full waits for ever.
fn read(mut pipe: impl Read, limit: u64) -> (String, bool) {
    let mut bytes = Vec::new();
    let whole = pipe.by_ref().take(limit).read_to_end(&mut bytes).is_ok() && (bytes.len() as u64) < limit;
    if !whole {
        drop(io::copy(&mut pipe.take(ANSWER_MAX), &mut io::sink()));
    }
    (String::from_utf8_lossy(&bytes).into_owned(), whole)
}

/// Ends it and all that it has started, and takes note of its end.
fn end(child: &mut Child) {
    // Its number is not given to another before we have waited for it.
    if let Ok(None) = child.try_wait()
        && let Some(pid) = Pid::from_raw(child.id().cast_signed())
        && let Err(error) = kill_process_group(pid, Signal::KILL)
    {
        tracing::debug!(subsystem = "page", %error, "dot had ended by itself");
    }
    drop(child.wait());
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::picture::{Size, Spacing};

    /// What comes of a program that does this instead of laying out.
    fn trouble(script: &str) -> String {
        let folder = tempfile::TempDir::new().unwrap();
        let program = folder.path().join("dot");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let graphviz = Graphviz::new(program, Duration::from_millis(500));
        let spacing = Spacing { apart: 8.0, passing: 6.0, stub: 6.0, gap: (14.0, 120.0), margin: 4.0, port: 5.0 };
        let nodes = vec![Size { width: 40.0, height: 20.0 }; 3_000];
        let plan = Plan { nodes, edges: Vec::new(), spacing, flow: crate::picture::Flow::Right };
        assert_eq!(graphviz.place(&plan), Dagre.place(&plan), "the built-in layout stands in");
        graphviz.trouble().unwrap()
    }

    #[test]
    fn whatever_dot_does_there_is_a_picture() {
        assert_eq!(trouble("sleep 1000 & sleep 1000"), "dot takes longer than 0.5 s");
        // Whichever bound is reached first.
        let endless = trouble("yes");
        assert!(["dot takes longer than 0.5 s", "dot answers without an end"].contains(&&*endless), "{endless}");
        assert_eq!(trouble("echo no fonts >&2; exit 1"), "dot gives no answer: no fonts");
        assert_eq!(trouble("cat >&2"), "dot gives no answer: digraph {");
        assert!(trouble("cat").starts_with("its answer is not understood"));
        assert_eq!(trouble("cat > /dev/null; echo '{}'"), "its answer is incomplete");
        let missing = Graphviz::new("/nowhere/dot".into(), PATIENCE);
        assert_eq!(missing.ask("").unwrap_err(), "dot is not installed");
    }
}
