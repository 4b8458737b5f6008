//! Text from outside: made visible, shortened, measured, escaped.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// How wide one character of a monospaced font is, in parts of its size. The widest in common use.
const MONO: f64 = 0.605;

/// The text with what a reader cannot see, or what turns the direction of what follows, spelt out
/// as `[U+202E]`. What XML forbids is among it.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            out += &format!("[U+{:04X}]", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Control characters, marks and overrides of direction, fillers, tags, noncharacters.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
        || !xml_allows(c)
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Whether XML 1.0 allows the character.
fn xml_allows(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// At most so many columns: the middle gives way to `…`, since names often differ at their ends.
pub(crate) fn shorten(text: &str, columns: usize) -> String {
    let all: usize = text.chars().map(columns_of).sum();
    if all <= columns {
        return text.to_owned();
    }
    let tail_columns = columns.saturating_sub(1) / 3;
    let head = taken(text.chars(), columns.saturating_sub(1 + tail_columns));
    let mut tail: Vec<char> = taken(text.chars().rev(), tail_columns);
    // What combines with a character that was cut off would combine with the ellipsis.
    while tail.last().is_some_and(|&c| columns_of(c) == 0) {
        tail.pop();
    }
    head.into_iter().chain(['…']).chain(tail.into_iter().rev()).collect()
}

/// The first characters, as many as fit into so many columns.
fn taken(chars: impl Iterator<Item = char>, columns: usize) -> Vec<char> {
    let mut used = 0;
    let fits = |c: &char| {
        used += columns_of(*c);
        used <= columns
    };
    chars.take_while(fits).collect()
}

/// 0, 1 or 2.
fn columns_of(c: char) -> usize {
    c.width().unwrap_or(1)
}

/// How wide a text in the half-bold system font is at most, in parts of its size.
///
/// The fonts of the reader are not known here: these are the widths of the widest in common use.
pub(crate) fn width_em(text: &str) -> f64 {
    let one = |c: char| match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.38,
        '-' | ' ' | 'f' | 'r' | 't' | '(' | ')' | '/' | '\\' => 0.46,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 1.04,
        'A'..='Z' => 0.8,
        _ if c.is_ascii() => 0.69,
        _ => 1.05 * columns_of(c).max(usize::from(!c.is_ascii() && columns_of(c) > 0)) as f64 * 0.8,
    };
    text.chars().map(one).sum()
}

/// How wide so many characters of the monospaced font are.
pub(crate) fn mono_width(columns: usize, size: f64) -> f64 {
    columns as f64 * size * MONO
}

/// Escapes text for XML, in an attribute or between tags.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\t' | '\n' | '\r' => out += &format!("&#{};", u32::from(c)),
            _ if c.is_control() || !xml_allows(c) => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

/// Made visible, then escaped: for text that a reader sees.
pub(crate) fn shown(text: &str) -> String {
    escape(&visible(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_spelt_out() {
        assert_eq!(visible("plain ünï 漢字"), "plain ünï 漢字");
        assert_eq!(visible("a\u{202e}b\u{1b}[31m"), "a[U+202E]b[U+001B][31m");
        assert_eq!(visible("\u{ffff}\u{feff}\u{0}"), "[U+FFFF][U+FEFF][U+0000]");
    }

    #[test]
    fn the_middle_of_a_long_name_gives_way() {
        assert_eq!(shorten("event-processor", 20), "event-processor");
        assert_eq!(shorten("abcdefghijklmnopqrstuvwxyz", 10), "abcdef…xyz");
        assert_eq!(shorten("漢字漢字漢字漢字", 8), "漢字…字");
        assert_eq!(shorten(&"e\u{301}".repeat(40), 9).chars().filter(|&c| c == 'e').count(), 8);
    }

    #[test]
    fn escaped_text_is_text() {
        assert_eq!(escape("</text>\"'&]]>\u{ffff}"), "&lt;/text&gt;&quot;&#39;&amp;]]&gt;\u{fffd}");
    }
}
