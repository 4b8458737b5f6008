//! The inputs that are not up, as loud as what is broken: without them nothing can be judged.

use super::view::When;
use crate::board::{Board, InputBoard};
use crate::clock::Moment;
use crate::graph::InputState;
use crate::picture::text::visible;
use crate::picture::words::{latency, rate};

/// An input that is down, or has not yet brought all that waited.
pub(super) struct InputLine {
    pub(super) name: String,
    pub(super) class: &'static str,
    pub(super) state: &'static str,
    pub(super) since: When,
    /// How far it is, or when it brought its last event.
    pub(super) progress: String,
    /// What went wrong last, where it is down.
    pub(super) error: Option<String>,
}

/// The inputs that are not up; those that are down first.
pub(super) fn inputs(board: &Board) -> Vec<InputLine> {
    let being = |state| board.inputs.iter().filter(move |input| input.state == state);
    being(InputState::Down).chain(being(InputState::CatchingUp)).map(|input| line(input, board.at)).collect()
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
        progress,
        error: input.last_error.as_ref().filter(|_| down).map(|last| visible(&last.error).into_owned()),
    }
}
