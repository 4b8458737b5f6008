//! A terminal that is drawn on again and again, in place.

use std::io::{self, Write};

use super::picture;
use super::watch::Watched;
use crate::cli::output;
use crate::cli::text::printable;

/// An own page of the terminal, without a cursor; and back.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";
/// To the top left; clear to the end of the line; clear all below; lines are cut, not wrapped.
const HOME: &str = "\u{1b}[H";
const LINE_END: &str = "\u{1b}[K\r\n";
const BELOW: &str = "\u{1b}[J";
const CUT: &str = "\u{1b}[?7l";
const WRAP: &str = "\u{1b}[?7h";

/// Where the picture is drawn.
pub(super) struct Screen {
    in_place: bool,
    /// What is on it.
    text: String,
}

impl Screen {
    /// On a terminal the picture is drawn in place; elsewhere each is printed after the last.
    pub(super) fn open(in_place: bool) -> io::Result<Self> {
        if in_place {
            write(&format!("{ENTER}{CUT}"))?;
        }
        Ok(Self { in_place, text: String::new() })
    }

    /// Draws what is known.
    pub(super) fn draw(&mut self, watched: &[Watched]) -> io::Result<()> {
        let streams: Vec<_> = watched
            .iter()
            .filter_map(|watched| if self.in_place { watched.now() } else { watched.shown.clone() })
            .collect();
        let mut text = picture(&streams, super::columns(), output::stdout_colour());
        for watched in watched {
            if let Some(why) = &watched.lost {
                let (name, why) = (printable(&watched.name), printable(why));
                text += &format!("\nNOT LIVE: {name}: {why}; trying again\n");
            }
        }
        if text == self.text {
            return Ok(());
        }
        if self.in_place {
            let rows = terminal_size::terminal_size().map_or(usize::MAX, |(_, height)| usize::from(height.0));
            let lines: Vec<_> = text.lines().take(rows.saturating_sub(1)).collect();
            write(&format!("{HOME}{}{LINE_END}{BELOW}", lines.join(LINE_END)))?;
        } else if !text.is_empty() {
            write(&format!("{text}\n"))?;
        }
        self.text = text;
        Ok(())
    }

    /// Gives the terminal back, and leaves the last picture on it.
    pub(super) fn close(self) -> io::Result<()> {
        if self.in_place { write(&format!("{WRAP}{LEAVE}{}", self.text)) } else { Ok(()) }
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
