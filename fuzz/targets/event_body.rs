//! Any bytes as the body of `POST /events`: no panic, and the scanner and serde agree.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use observatory::graph::{NodeIndex, System};
use observatory::input::body::{Format, parse, parse_by_serde_alone};

static NODES: LazyLock<NodeIndex> = LazyLock::new(|| {
    let nodes = ["web-server", "event-processor", "database", "journal", "a"];
    NodeIndex::new(&System { nodes: nodes.map(str::to_owned).to_vec(), ..System::default() })
});

fuzz_target!(|body: &[u8]| {
    for format in [Format::Json, Format::Ndjson] {
        for accept_unknown in [false, true] {
            let parsed = parse(body, format, &NODES, accept_unknown);
            assert_eq!(parsed, parse_by_serde_alone(body, format, &NODES, accept_unknown));
            let Ok(parsed) = parsed else { continue };
            for rejected in parsed.rejected {
                assert!(rejected.error.chars().count() < 400, "{}", rejected.error);
                assert!(!rejected.error.contains(char::is_control), "{}", rejected.error);
            }
        }
    }
});
