//! The real logrotate, under a writer of 50,000 lines a second.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use observatory::clock::{Clock, MonotonicClock};
use observatory::input::tail::{Cut, Folders, Limits, Tailer, Taken};

/// Lines a second, and for how many seconds.
const RATE: u64 = 50_000;
const SECONDS: u64 = 3;
/// The writer writes a bunch of lines this often.
const BUNCHES: u64 = 500;
const ROTATIONS: usize = 6;

/// Whether it can be had; without it a test is skipped, unless `OBSERVATORY_LOGROTATE=all` demands it.
fn there() -> bool {
    let there = Path::new("/usr/sbin/logrotate").exists();
    assert!(there || std::env::var_os("OBSERVATORY_LOGROTATE").is_none(), "logrotate is not installed");
    there
}

/// Waits; nobody unparks us.
fn pause(us: u64) {
    std::thread::park_timeout(Duration::from_micros(us));
}

/// Writes numbered lines, as a program does that opens its file again when it is told to.
fn write(folder: &Path, clock: &MonotonicClock) -> u64 {
    let open = || OpenOptions::new().create(true).append(true).open(folder.join("app.log")).unwrap();
    let (mut file, mut line, begun_us) = (open(), 0, clock.now_us());
    while line < RATE * SECONDS {
        let due = ((clock.now_us() - begun_us) * RATE / 1_000_000).min(RATE * SECONDS);
        let mut bunch = String::new();
        for line in line..due {
            bunch.push_str(&format!("{line:08} 2026-11-20T12:00:00Z GET /orders/{line} req=4bf92f35-{line:08}\n"));
        }
        line = line.max(due);
        file.write_all(bunch.as_bytes()).unwrap();
        if fs::remove_file(folder.join("reopen")).is_ok() {
            file = open();
        }
        pause(1_000_000 / BUNCHES);
    }
    line
}

/// What was read of each line, and how often a truncation was seen.
struct Told {
    written: u64,
    times: Vec<u8>,
    rotations: usize,
    truncations: u64,
}

/// Runs writer, logrotate and tailer until all has been written and read.
fn run(glob: &str, mode: &str) -> Told {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let (path, clock) = (folder.path(), MonotonicClock::start());
    let text = path.display();
    let settings = format!(
        "\"{text}/app.log\" {{\nrotate 20\nmissingok\n{mode}\npostrotate\ntouch {text}/reopen\nendscript\n}}\n"
    );
    fs::write(path.join("settings"), settings).unwrap();
    fs::write(path.join("app.log"), "").unwrap();
    let glob = path.join(glob);
    let mut tailer = Tailer::new(Folders::new(glob.to_str().unwrap()).unwrap(), Limits::default(), true, &[]);
    let (mut times, done) = (vec![0; (RATE * SECONDS) as usize], AtomicBool::new(false));
    let (written, rotations) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| write(path, &clock));
        let rotator = scope.spawn(|| rotate(path, &done));
        let mut last_us = None;
        // It looks as often as an input does whose files move.
        loop {
            let now_us = clock.now_us();
            tailer.look(now_us);
            while read(&mut tailer, &mut times) {}
            let finished = writer.is_finished();
            done.store(finished, Ordering::Relaxed);
            if finished && rotator.is_finished() {
                // What was begun then has been copied and truncated by now.
                let since_us = *last_us.get_or_insert(now_us);
                if now_us > since_us + 500_000 {
                    break;
                }
            }
            pause(100_000);
        }
        (writer.join().unwrap(), rotator.join().unwrap())
    });
    Told { written, times, rotations, truncations: tailer.counts().truncations }
}

fn rotate(path: &Path, done: &AtomicBool) -> usize {
    let mut rotations = 0;
    while rotations < ROTATIONS && !done.load(Ordering::Relaxed) {
        pause(300_000);
        let run = |command: &mut Command| command.output().unwrap();
        let (state, settings) = (path.join("state"), path.join("settings"));
        let output = run(Command::new("/usr/sbin/logrotate").arg("-f").arg("-s").args([&state, &settings]));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        rotations += 1;
    }
    rotations
}

fn read(tailer: &mut Tailer<Folders, usize>, times: &mut [u8]) -> bool {
    let gathered = tailer.gather(false, &mut |_, cut| {
        let Cut::Line(line) = cut else { return None };
        // The head of a line whose tail a truncation took is no number of a line, or stands alone.
        let line = std::str::from_utf8(line).ok()?;
        let number: usize = line.get(..8)?.parse().ok()?;
        line.ends_with(&line[..8]).then_some(Taken { stamp_us: Some(number as u64), item: number })
    });
    for number in gathered.items {
        times[number] += 1;
    }
    gathered.more
}

#[test]
fn logrotate_that_renames_loses_and_doubles_nothing() {
    for glob in ["app.log", "app.log*"] {
        if there() {
            let told = run(glob, "create");
            assert!(told.rotations >= 2, "{} rotations", told.rotations);
            let wrong: Vec<_> = (0..told.written).filter(|line| told.times[*line as usize] != 1).take(5).collect();
            assert!(wrong.is_empty(), "{glob}: {wrong:?}");
            assert_eq!(told.truncations, 0);
        }
    }
}

#[test]
fn logrotate_that_truncates_doubles_nothing_and_its_loss_is_bounded_and_counted() {
    for (glob, copies) in [("app.log", false), ("app.log*", true)] {
        if there() {
            let told = run(glob, "copytruncate");
            assert!(told.rotations >= 2, "{} rotations", told.rotations);
            let doubled = told.times.iter().filter(|times| **times > 1).count();
            let lost = told.times.iter().map(|times| usize::from(*times == 0)).sum::<usize>();
            println!("{glob}: {lost} of {} lines lost in {} truncations", told.written, told.truncations);
            assert_eq!(doubled, 0);
            // Two rotations between two looks are seen as one.
            assert!(told.truncations >= 1 && told.truncations <= told.rotations as u64, "{}", told.truncations);
            // What is lost was written between a look and the truncation, or, where the copy is read, while it
            // was made: at most some tenths of a second each time, however busy the machine is.
            let bound = told.rotations as u64 * RATE / if copies { 2 } else { 1 };
            assert!((lost as u64) < bound, "{glob}: {lost} lines are lost");
        }
    }
}
