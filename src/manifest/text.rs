//! Strings of the manifest, with the environment's variables put in.

use super::context::Context;
use super::problem::{Finding, Place, quote};

/// A string as it is used, and as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// With the variables' values: not for people's eyes.
    pub(super) value: String,
    /// As the manifest writes it.
    written: String,
    /// Where.
    pub(super) place: Place,
}

impl Text {
    /// Puts the variables in; an unset one is a problem.
    pub(super) fn expand(context: &Context<'_>, written: &str, place: &Place) -> Option<Self> {
        let mut value = String::with_capacity(written.len());
        let mut rest = written;
        let mut good = true;
        while let Some(at) = rest.find("${") {
            value.push_str(&rest[..at]);
            let after = &rest[at + 2..];
            let Some(end) = after.find('}').filter(|&end| is_variable(&after[..end])) else {
                let finding = Finding::error(place, "a variable of the environment is written `${NAME}`");
                context.report(finding.help("write the name in letters, digits and `_`, in braces: `\"${PASSWORD}\"`"));
                return None;
            };
            let name = &after[..end];
            if let Some(text) = (context.environment)(name) {
                value.push_str(&text);
            } else {
                let message = format!("the environment variable {name} is not set");
                let help = format!("set it where the server is started: `export {name}=...`");
                context.report(Finding::error(place, message).help(help));
                good = false;
            }
            rest = &after[end + 1..];
        }
        value.push_str(rest);
        good.then(|| Self { value, written: written.to_owned(), place: place.clone() })
    }

    /// In quotes, for people: a variable by its name.
    pub(super) fn shown(&self) -> String {
        quote(&self.written)
    }

    /// Whether nothing of it comes from the environment.
    pub(super) fn is_plain(&self) -> bool {
        self.value == self.written
    }
}

fn is_variable(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
