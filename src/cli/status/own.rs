//! What the server says of itself that makes its verdicts worth less.

use serde::Deserialize;

use super::paint::Ink;
use crate::board::Writable;
use crate::cli::text::printable;
use crate::clock::Moment;
use crate::graph::InputState;

/// `GET /status`, as far as it is needed.
#[derive(Deserialize)]
pub(super) struct Own {
    inputs: Vec<Input>,
    journal: Option<Journal>,
}

#[derive(Deserialize)]
struct Input {
    name: String,
    state: InputState,
    last_error: Option<InputError>,
}

#[derive(Deserialize)]
struct InputError {
    at: Moment,
    error: String,
}

#[derive(Deserialize)]
struct Journal {
    state: Writable,
    error: Option<String>,
}

impl Own {
    /// What keeps the server from knowing how things are, one a line.
    pub(super) fn troubles(&self) -> Vec<String> {
        let why = |error: Option<&str>| error.map_or_else(String::new, |error| format!(": {error}"));
        let inputs = self.inputs.iter().filter_map(|input| {
            let error = input.last_error.as_ref().map(|last| last.error.as_str());
            match input.state {
                InputState::Up => None,
                InputState::CatchingUp => Some(format!("input {} is catching up", input.name)),
                InputState::Down => Some(format!("input {} is down{}", input.name, why(error))),
            }
        });
        let journal = self.journal.as_ref().filter(|journal| journal.state != Writable::Ok);
        let journal = journal.map(|journal| {
            format!("the journal cannot be written{}: no events are taken", why(journal.error.as_deref()))
        });
        inputs.chain(journal).collect()
    }

    /// What went wrong last with inputs that are not down: what they bring is judged all the same.
    pub(super) fn errors(&self, colour: bool) -> String {
        let running = self.inputs.iter().filter(|input| input.state != InputState::Down);
        let lines = running.filter_map(|input| {
            let InputError { at, error } = input.last_error.as_ref()?;
            Some(format!("{at}  input {}  {}\n", printable(&input.name), printable(error)))
        });
        let lines: String = lines.collect();
        if lines.is_empty() { lines } else { format!("\n{}\n{lines}", Ink::Faint.paint("LAST ERRORS", colour)) }
    }
}
