//! W3C Trace Context: the header `traceparent`, `00-<trace id>-<span id>-<flags>`.

/// The trace id of a traceparent, which is the token of the message; `None` where the text is no traceparent.
///
/// Of a version that came later only the part that every version must have is read.
pub(super) fn trace_id(text: &[u8]) -> Option<&[u8]> {
    let (head, rest) = text.split_first_chunk::<55>()?;
    let [_, _, b'-', trace @ .., b'-', _, _] = head else { return None };
    let (trace, span) = trace.split_at(32);
    let [b'-', span @ ..] = span else { return None };
    let is_hex = |digits: &[u8]| digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let is_zero = |digits: &[u8]| digits.iter().all(|digit| *digit == b'0');
    let whole = match &head[..2] {
        b"00" => rest.is_empty(),
        b"ff" => false,
        version => is_hex(version) && rest.first().is_none_or(|byte| *byte == b'-'),
    };
    let good = whole && is_hex(trace) && is_hex(span) && is_hex(&head[53..]) && !is_zero(trace) && !is_zero(span);
    good.then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_id_of_what_is_a_traceparent() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let good = format!("00-{id}-00f067aa0ba902b7-01");
        for (text, is) in [
            (good.clone(), true),
            (format!("cc-{id}-00f067aa0ba902b7-01"), true),
            (format!("cc-{id}-00f067aa0ba902b7-01-what-comes"), true),
            (format!("cc-{id}-00f067aa0ba902b7-01x"), false),
            (format!("{good}-more"), false),
            (format!("ff-{id}-00f067aa0ba902b7-01"), false),
            (format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()), false),
            (format!("00-{id}-0000000000000000-01"), false),
            (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), false),
            (format!("00_{id}-00f067aa0ba902b7-01"), false),
            (format!("00-{id}-00f067aa0ba902b701"), false),
            (format!("00-{id}x00f067aa0ba902b7-01"), false),
            (id.to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(trace_id(text.as_bytes()), is.then_some(id.as_bytes()), "{text}");
        }
    }
}
