//! Passing over what nobody reads, and over what is known beforehand.

use super::Scanner;

impl<const LINE: bool> Scanner<'_, '_, LINE> {
    /// A value that nobody reads: a plain string, a number or a word.
    #[inline(never)]
    pub(super) fn skip_value(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            b'-' | b'0'..=b'9' => self.skip_number(),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn word(&mut self, word: &str) -> Option<()> {
        let matches = self.bytes[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        matches.then_some(())
    }

    /// A number without an exponent.
    fn skip_number(&mut self) -> Option<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        if self.skip_digits()? > 1 && leading_zero {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.skip_digits()?;
        }
        Some(())
    }

    /// At least one digit; gives their number.
    fn skip_digits(&mut self) -> Option<usize> {
        let digits = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        (digits > 0).then_some(digits)
    }
}
