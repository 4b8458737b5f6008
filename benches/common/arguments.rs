//! What the command line asks for.

/// The first number among the arguments, else `default`: how much to do.
pub(crate) fn size(default: usize) -> usize {
    std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(default)
}
