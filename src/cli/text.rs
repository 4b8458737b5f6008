//! Text from elsewhere, on a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// A name, token or message that others chose, so that a terminal shows it and does not obey it.
///
/// Control characters (ESC, CR, LF) and those that turn the direction of text or cannot be seen are
/// shown as `\u{...}`; a backslash is doubled, so that no two texts look the same.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c == '\\' || is_hidden(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c == '\\' {
            shown.push_str("\\\\");
        } else if is_hidden(c) {
            // Writing to a String cannot fail.
            write!(shown, "\\u{{{:x}}}", u32::from(c)).unwrap_or_default();
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Controls, line and paragraph separators, and what Unicode calls format characters.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_commanded() {
        assert_eq!(printable("web-server ünï ツ"), "web-server ünï ツ");
        assert_eq!(printable("a\u{1b}[2Jb\r\n"), "a\\u{1b}[2Jb\\u{d}\\u{a}");
        assert_eq!(printable("\u{202e}evil\u{2066}"), "\\u{202e}evil\\u{2066}");
        assert_eq!(printable("\\u{1b}"), "\\\\u{1b}");
    }
}
