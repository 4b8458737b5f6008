//! The inputs that are not up, as loud as what is broken: without them nothing can be judged. And those that have
//! had trouble lately.

use super::view::When;
use crate::board::{Board, InputBoard};
use crate::clock::{Moment, SECOND_US};
use crate::graph::InputState;
use crate::picture::text::visible;
use crate::picture::words::{latency, rate};

/// For this long the pages say what went wrong with an input that is up.
const TROUBLE_US: u64 = 120 * SECOND_US;

/// An input that is down, or has not yet brought all that waited.
pub(super) struct InputLine {
    pub(super) name: String,
    pub(super) class: &'static str,
    pub(super) state: &'static str,
    pub(super) since: When,
    /// How far it is, or when it brought its last event; nothing where it is up.
    pub(super) progress: Option<String>,
    /// What went wrong last, where it is not just catching up.
    pub(super) error: Option<String>,
}

/// The inputs that are not up, those that are down first; then those with which something went wrong a moment ago.
pub(super) fn inputs(board: &Board) -> Vec<InputLine> {
    let being = |state| board.inputs.iter().filter(move |input| input.state == state);
    let unwell = being(InputState::Down).chain(being(InputState::CatchingUp)).map(|input| line(input, board.at));
    unwell.chain(being(InputState::Up).filter_map(|input| trouble(input, board.at))).collect()
}

/// What went wrong lately with an input that is up.
fn trouble(input: &InputBoard, at: Moment) -> Option<InputLine> {
    let last = input.last_error.as_ref().filter(|last| at.0 < last.at.0 + TROUBLE_US)?;
    Some(InputLine {
        name: visible(&input.name).into_owned(),
        class: "troubled",
        state: "had trouble",
        since: When::new(at, last.at),
        progress: None,
        error: Some(visible(&last.error).into_owned()),
    })
}

fn line(input: &InputBoard, at: Moment) -> InputLine {
    let down = input.state == InputState::Down;
    let progress = match (down, input.lag_ms, input.last) {
        (false, Some(lag_ms), _) => format!("{} behind, {}", latency(lag_ms), rate(input.rate)),
        (false, None, _) => rate(input.rate),
        (true, _, Some(last)) => format!("last event {}", When::new(at, last).ago),
        (true, _, None) => "no event yet".to_owned(),
    };
    InputLine {
        name: visible(&input.name).into_owned(),
        class: if down { "down" } else { "catching-up" },
        state: if down { "is down" } else { "is catching up" },
        since: When::new(at, input.since),
        progress: Some(progress),
        error: input.last_error.as_ref().filter(|_| down).map(|last| visible(&last.error).into_owned()),
    }
}
