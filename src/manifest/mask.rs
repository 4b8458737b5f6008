//! Secrets are never shown: `amqp://guest:***@localhost`, `password = "***"`.

use crate::access::KEY_PREFIX;

/// What stands for a password.
const MASK: &str = "***";

/// A text without its passwords, and where its parts have gone.
#[derive(Debug)]
pub(super) struct Masked {
    /// The text to show.
    pub(super) text: String,
    /// What was cut out of the original.
    cut: Option<(usize, usize)>,
}

impl Masked {
    /// Masks from the first `:` behind a `://` to the last `@` of the text, what a `password` is set to, and what
    /// looks like a key or a hash: rather too much than too little.
    pub(super) fn new(text: &str) -> Self {
        let cuts = [password(text), value_of_password(text), known(text, KEY_PREFIX), known(text, "$argon2")];
        let all = cuts.into_iter().flatten();
        Self::cut(text, all.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1))))
    }

    /// Masks all that is in quotes.
    pub(super) fn values(text: &str) -> Self {
        let masked = Self::new(text);
        let quotes = text.find(['"', '\'']).zip(text.rfind(['"', '\'']));
        match (quotes, masked.cut) {
            (Some((from, to)), cut) => {
                let (low, high) = cut.unwrap_or((from + 1, to));
                Self::cut(text, Some((low.min(from + 1), high.max(to))).filter(|(from, to)| from < to))
            }
            (None, _) => masked,
        }
    }

    fn cut(text: &str, cut: Option<(usize, usize)>) -> Self {
        match cut {
            Some((from, to)) => Self { text: format!("{}{MASK}{}", &text[..from], &text[to..]), cut },
            None => Self { text: text.to_owned(), cut },
        }
    }

    /// Where a place of the original text is in the masked one.
    pub(super) fn place(&self, at: usize) -> usize {
        match self.cut {
            Some((from, to)) if at >= to => at - (to - from) + MASK.len(),
            Some((from, _)) => at.min(from),
            None => at,
        }
    }
}

/// A text without its passwords.
pub(super) fn mask(text: &str) -> String {
    Masked::new(text).text
}

/// Where the password stands; to the end of the text where the `@` behind it is not there.
fn password(text: &str) -> Option<(usize, usize)> {
    let authority = text.find("://")? + 3;
    // The colons of an IPv6 address are not those before a password.
    let host = if text[authority..].starts_with('[') { text[authority..].find(']').unwrap_or(0) } else { 0 };
    let from = authority + host + text[authority + host..].find(':')? + 1;
    let to = match text.rfind('@') {
        Some(at) if at >= from => at,
        _ => {
            let end = text[from..].find(|char: char| "/\"'`,}".contains(char) || char.is_whitespace());
            let port = &text[from..end.map_or(text.len(), |end| from + end)];
            if port.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            text.len()
        }
    };
    // A variable's name is no secret, and its value is never here.
    (!is_variable(&text[from..to])).then_some((from, to))
}

/// What a key named `password` is set to, to the end of the line where there are no quotes.
fn value_of_password(text: &str) -> Option<(usize, usize)> {
    const KEY: &str = "password";
    let after = text.find(KEY)? + KEY.len();
    let rest = text[after..].trim_start_matches(['"', '\'']).trim_start().strip_prefix('=')?.trim_start();
    let rest = rest.trim_start_matches(['"', '\'']);
    let from = text.len() - rest.len();
    let to = text.rfind(['"', '\'']).filter(|&to| to > from).unwrap_or(text.len());
    (from < to && !is_variable(&text[from..to])).then_some((from, to))
}

/// From the first place where something begins that is known for a secret to the end of the last.
fn known(text: &str, beginning: &str) -> Option<(usize, usize)> {
    let from = text.find(beginning)? + beginning.len();
    let last = text.rfind(beginning)? + beginning.len();
    let length = text[last..].find(|char: char| !char.is_ascii_alphanumeric() && !"$=,+/.-_".contains(char));
    let to = length.map_or(text.len(), |length| last + length);
    (from < to).then_some((from, to))
}

/// Whether a text is `${NAME}` and nothing else.
fn is_variable(text: &str) -> bool {
    let name = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
    name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_masked() {
        assert_eq!(mask("amqp://guest:guest@localhost/%2f"), "amqp://guest:***@localhost/%2f");
        assert_eq!(mask("amqp://guest:a@b:c/d@localhost"), "amqp://guest:***@localhost");
        assert_eq!(mask("amqp://localhost:5672"), "amqp://localhost:5672");
        assert_eq!(mask("amqp://guest@localhost"), "amqp://guest@localhost");
        assert_eq!(mask("amqp://${USER}:${PASSWORD}@localhost"), "amqp://${USER}:${PASSWORD}@localhost");
        assert_eq!(mask("amqp://guest:${PASSWORD}x@localhost"), "amqp://guest:***@localhost");
        assert_eq!(mask("url = \"amqp://guest:sec\\"), "url = \"amqp://guest:***");
        assert_eq!(mask("url = \"amqp://localhost:5672\", q = 'a:b'"), "url = \"amqp://localhost:5672\", q = 'a:b'");
        assert_eq!(mask("amqp://[::1]:5672/%2f"), "amqp://[::1]:5672/%2f");
        assert_eq!(mask("nothing"), "nothing");
    }

    #[test]
    fn two_urls_on_a_line_are_both_masked() {
        assert_eq!(mask("a://u:one@h b://u:two@h"), "a://u:***@h");
    }

    #[test]
    fn passwords_hashes_and_keys_are_masked() {
        assert_eq!(mask("password = \"hunter2\""), "password = \"***\"");
        assert_eq!(mask("password = hunter2"), "password = ***");
        assert_eq!(mask("password = \"${PASSWORD}\""), "password = \"${PASSWORD}\"");
        assert_eq!(
            mask("login = [{ name = \"a\", password = 'hunter2' }]"),
            "login = [{ name = \"a\", password = '***' }]"
        );
        assert_eq!(mask("sha256 = \"obs_0123abc\", x"), "sha256 = \"obs_***\", x");
        assert_eq!(mask("pasword = \"$argon2id$v=19$m=1,t=2$c2FsdA$aGFzaA\""), "pasword = \"$argon2***\"");
        assert_eq!(mask("`password` must be a string"), "`password` must be a string");
        assert_eq!(Masked::values("pasword = \"hunter2\" # \"x\"").text, "pasword = \"***\"");
        assert_eq!(Masked::values("pasword = hunter2").text, "pasword = hunter2");
    }

    #[test]
    fn places_follow_the_text() {
        let text = "url = \"amqp://guest:secret@h\", queue = 1";
        let masked = Masked::new(text);
        let at = text.find("queue").unwrap();
        assert!(masked.text[masked.place(at)..].starts_with("queue"));
        assert!(masked.text[masked.place(8)..].starts_with("mqp"));
    }
}
