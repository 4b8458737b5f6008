//! Sizes: `"512MiB"`, `"10GiB"`.

use super::item::{Item, Said};
use super::problem::quote;

const UNITS: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// A size in bytes; none where the text is no whole number with a unit.
fn parse(text: &str) -> Option<u64> {
    let (unit, bytes) = UNITS.into_iter().find(|(unit, _)| text.ends_with(unit))?;
    let number = text.strip_suffix(unit)?.trim_end();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(bytes)
}

impl Item<'_> {
    /// A size of at least `least` bytes, which the manifest would write as `least_text`.
    pub(super) fn size(&self, (least, least_text): (u64, &str)) -> Option<Said<u64>> {
        let text = self.text("1GiB")?;
        let Some(bytes) = parse(&text.value) else {
            let message = format!("{} is no size", text.shown());
            self.wrong(message, "write a whole number and a unit (KiB, MiB, GiB, TiB), like \"512MiB\" or \"10GiB\"");
            return None;
        };
        if bytes < least {
            self.wrong(format!("{} is too small", text.shown()), format!("write at least {}", quote(least_text)));
            return None;
        }
        Some(self.said(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [("1GiB", 1 << 30), ("512 MiB", 512 << 20), ("3kB", 3_000), ("0TB", 0)] {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
        for text in ["", "1", "GiB", "1.5GiB", "-1MB", "1gib", "99999999999TiB"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
