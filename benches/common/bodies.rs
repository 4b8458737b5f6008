//! Events as senders send them, many at once.

/// The size of the bodies in which events come.
const BODY_BYTES: usize = 64 * 1024;

/// The lines in bodies of about [`BODY_BYTES`], cut between lines.
pub(crate) fn bodies(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = lines;
    std::iter::from_fn(move || {
        let cut = memchr::memrchr(b'\n', &rest[..rest.len().min(BODY_BYTES)])? + 1;
        let body;
        (body, rest) = rest.split_at(cut);
        Some(body)
    })
}
