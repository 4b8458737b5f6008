//! Any text as a manifest: it is loaded or refused with problems, never with a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use observatory::manifest::{Source, load};

fuzz_target!(|text: &str| {
    if let Err(problems) = load(&Source::Text("fuzz.toml".to_owned(), text.to_owned())) {
        assert!(!problems.is_empty(), "a refusal says why");
    }
});
