//! Single things that happen to files.

use std::path::Path;

use observatory::graph::InputState;
use observatory::input::tail::{Cut, Gathered, Limits, Tailer, Taken};

use super::memory::Memory;
use super::world::World;

const SECOND_US: u64 = 1_000_000;

struct Case {
    memory: Memory,
    tailer: Tailer<Memory, String>,
    now_us: u64,
}

impl Case {
    fn new(limits: Limits) -> Self {
        let memory = Memory::default();
        let tailer = Tailer::new(memory.disk(), limits, true, &[]);
        Self { memory, tailer, now_us: SECOND_US }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.memory.path(name)
    }

    fn append(&mut self, name: &str, text: &str) {
        let path = self.path(name);
        let mut writer = self.memory.open(&path);
        self.memory.write(&mut writer, text.as_bytes());
    }

    /// A line is `STAMP TEXT`, or a text without a stamp.
    fn gather(&mut self) -> Gathered<String> {
        self.tailer.gather(true, &mut |_, cut| {
            let text = match cut {
                Cut::Line(line) => String::from_utf8(line.to_vec()).unwrap(),
                Cut::TooLong => "too long".to_owned(),
            };
            let stamp_us = text.split_once(' ').and_then(|(stamp, _)| stamp.parse().ok());
            Some(Taken { stamp_us, item: text })
        })
    }

    /// Looks and reads, this much later.
    fn read(&mut self, later_us: u64) -> Vec<String> {
        self.now_us += later_us;
        self.tailer.look(self.now_us);
        let mut items = Vec::new();
        loop {
            let gathered = self.gather();
            items.extend(gathered.items);
            if !gathered.more {
                return items;
            }
        }
    }

    fn state(&mut self) -> InputState {
        self.tailer.state(self.now_us)
    }
}

#[test]
fn what_a_rotated_file_ends_with_is_a_line_when_it_rests() {
    let mut case = Case::new(Limits::default());
    case.append("app.log", "one\ntwo");
    assert_eq!(case.read(0), ["one"]);
    assert!(case.read(60 * SECOND_US).is_empty(), "it may still be written to");
    let (from, to) = (case.path("app.log"), case.path("app.log.1"));
    case.memory.rename(&from, &to);
    case.append("app.log", "three\n");
    assert_eq!(case.read(SECOND_US), ["three"]);
    // The look at which the rest is noticed, and one after it.
    let late = [case.read(6 * SECOND_US), case.read(SECOND_US)].concat();
    assert_eq!(late, ["two"]);
    assert!(case.read(60 * SECOND_US).is_empty());
}

#[test]
fn files_are_read_in_step() {
    let mut case = Case::new(Limits { events: 3, block: 16, ..Limits::default() });
    case.append("app.a", "10 a\n20 a\nwithout\n70 a\n");
    case.append("app.b", "15 b\n30 b\n40 b\n80 b\n");
    case.append("app.c", "35 c\n5 c\n");
    let expected = ["10 a", "15 b", "20 a", "without", "30 b", "35 c", "5 c", "40 b", "70 a", "80 b"];
    assert_eq!(case.read(0), expected);
}

#[test]
fn compressed_copies_are_not_read_and_long_lines_and_holes_are_none() {
    let mut case = Case::new(Limits { line: 8, ..Limits::default() });
    case.append("app.log.1.gz", "packed\n");
    case.append("app.log", "\0\0\0\0one\r\nfar too long\n\ntwo\n");
    assert_eq!(case.read(0), ["one\r", "too long", "", "two"]);
    assert_eq!(case.tailer.compressed().and_then(Path::file_name), Some("app.log.1.gz".as_ref()));
    assert_eq!(case.tailer.found(), 1);
}

#[test]
fn it_is_up_when_what_was_there_has_been_read() {
    let mut case = Case::new(Limits { events: 1, ..Limits::default() });
    assert_eq!(case.state(), InputState::CatchingUp);
    case.append("app.log", "1 a\n2 b\n3 c\n");
    case.tailer.look(case.now_us);
    case.gather();
    assert_eq!(case.state(), InputState::CatchingUp);
    assert_eq!(case.tailer.lag_us(case.now_us), Some(case.now_us - 2));
    case.gather();
    case.gather();
    assert_eq!((case.state(), case.tailer.lag_us(case.now_us)), (InputState::Up, Some(0)));
    // What was written is not read for a while.
    case.append("app.log", "4 d\n5 e\n");
    case.tailer.look(case.now_us);
    assert_eq!(case.state(), InputState::Up);
    case.now_us += 2 * SECOND_US;
    case.gather();
    assert_eq!(case.state(), InputState::CatchingUp);
    case.gather();
    assert_eq!(case.state(), InputState::CatchingUp, "it took too long to say that nothing has come since");
    case.read(0);
    assert_eq!(case.state(), InputState::Up);
}

#[test]
fn it_is_down_while_a_file_cannot_be_read() {
    let mut case = Case::new(Limits::default());
    case.append("app.log", "one\n");
    let path = case.path("app.log");
    case.memory.permit(&path, false);
    assert!(case.read(0).is_empty());
    assert_eq!(case.state(), InputState::Down);
    assert!(case.tailer.problem().unwrap().contains("/log/app.log"));
    case.memory.permit(&path, true);
    assert_eq!(case.read(SECOND_US), ["one"]);
    case.read(SECOND_US);
    assert_eq!((case.state(), case.tailer.problem()), (InputState::Up, None));
}

#[test]
fn more_files_than_may_be_are_said() {
    let mut case = Case::new(Limits { files: 2, ..Limits::default() });
    for name in ["app.a", "app.b", "app.c"] {
        case.append(name, "1 line\n");
    }
    assert_eq!(case.read(0).len(), 2);
    assert_eq!(case.state(), InputState::Down);
    assert_eq!(case.tailer.problem().unwrap(), "there are more than 2 files: 1 are not read");
}
