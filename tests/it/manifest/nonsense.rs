//! No text makes the reader panic, overflow its stack, or think for long.

use std::time::{Duration, Instant};

use observatory::manifest::{Manifest, Problem, render};
use proptest::prelude::*;

use super::{read, with_edge, with_top};

const GOOD: [&str; 4] = [
    include_str!("../../../manifests/intro.toml"),
    include_str!("../../../manifests/minimal.toml"),
    include_str!("../../../manifests/shop.toml"),
    include_str!("../../../manifests/reference.toml"),
];

/// What a good manifest holds to, whatever its text was.
fn check_invariants(manifest: &Manifest) {
    let system = &manifest.system;
    assert!(!system.streams.is_empty());
    for stream in &system.streams {
        assert!(!stream.nodes.is_empty() && stream.nodes.len() <= 4096);
        assert!(stream.nodes.iter().all(|node| (node.id.0 as usize) < system.nodes.len()));
        let mut ends: Vec<_> = stream.edges.iter().map(|edge| (edge.from, edge.to)).collect();
        assert!(ends.iter().all(|&(from, to)| from != to && from < stream.nodes.len() && to < stream.nodes.len()));
        ends.sort_unstable();
        assert!(ends.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(observatory::graph::Topology::new(stream).order.len(), stream.nodes.len());
    }
}

/// `${SECRET}` is one of the pieces that texts are mutated with.
fn check_secrets(problems: &[Problem]) {
    assert!(!format!("{problems:?}").contains("hunter2"), "{}", render(problems, false));
}

fn read_and_check(text: &str) {
    match read(text) {
        Ok(manifest) => {
            check_invariants(&manifest);
            check_secrets(&manifest.warnings);
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            check_secrets(&problems);
            let lines = text.lines().count().max(1);
            for problem in &problems {
                assert!(problem.line <= lines, "{}", problem.rendered);
                assert!(problem.rendered.contains(&problem.file));
            }
            let in_order = problems.windows(2).all(|pair| pair[0].line <= pair[1].line || pair[1].line == 0);
            assert!(in_order, "{}", render(&problems, false));
        }
    }
}

/// A cut, a doubling, a swap or a foreign piece, at some place of a text.
fn mutate(text: &str, what: u8, at: usize, len: usize, piece: &str) -> String {
    let from = text.floor_char_boundary(at % (text.len() + 1));
    let to = text.ceil_char_boundary((from + len).min(text.len()));
    let (before, middle, after) = (&text[..from], &text[from..to], &text[to..]);
    match what % 4 {
        0 => format!("{before}{after}"),
        1 => format!("{before}{middle}{middle}{after}"),
        2 => format!("{after}{middle}{before}"),
        _ => format!("{before}{piece}{after}"),
    }
}

fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "\"",
        "'",
        "\"\"\"",
        "[[stream]]",
        "[[stream.edge]]\n",
        "[server]\n",
        "{",
        "}",
        "[",
        "]",
        "=",
        ",",
        "\n",
        "\r",
        "\0",
        "#",
        "${",
        "${SECRET}",
        "://a:b@",
        "\u{202e}",
        "\u{1b}[31m",
        "\u{feff}",
        "ü",
        "-1",
        "1e9",
        "99999999999999999999",
        "\"1%\"",
        "\"0s\"",
        "within",
        "nodes = [",
        "a.b.c = 1\n",
        "check",
        "true",
        "1979-05-27",
        "nan",
        "from = \"database\"\n",
        "to = \"web-server\"\n",
    ];
    prop_oneof![prop::sample::select(pieces.to_vec()).prop_map(str::to_owned), ".{0,12}"]
}

proptest! {
    #[test]
    fn mutations_of_good_manifests_never_panic(
        base in 0..GOOD.len(),
        mutations in prop::collection::vec((any::<u8>(), any::<usize>(), 0..40_usize, piece()), 1..6),
    ) {
        let text = mutations.iter().fold(GOOD[base].to_owned(), |text, (what, at, len, piece)| mutate(&text, *what, *at, *len, piece));
        read_and_check(&text);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "(?s).{0,200}") {
        read_and_check(&text);
    }

    #[test]
    fn good_manifests_may_end_anywhere(base in 0..GOOD.len(), at in any::<usize>()) {
        let text = GOOD[base];
        read_and_check(&text[..text.floor_char_boundary(at % text.len())]);
    }
}

#[test]
fn much_nonsense_is_read_soon() {
    let fill = |piece: &str| piece.repeat(100_000 / piece.len());
    let list = |count: usize, text: &dyn Fn(usize) -> String| (0..count).map(text).collect::<String>();
    let long = |index: usize| format!("{index:05}{}", "n".repeat(120));
    let texts = [
        fill("["),
        fill("a."),
        fill("x = {a="),
        fill("a = 1\n"),
        fill("= ! \""),
        fill("[[stream]]\n"),
        fill("[[stream.edge]]\n"),
        fill("${"),
        fill("\""),
        format!("x = [{}]", fill("1,")),
        format!("name = {}", fill("\\u")),
        list(10_000, &|index| format!("k{index} = 1\n")),
        format!("x = {{ {} }}", list(10_000, &|index| format!("k{index}=1,"))),
        with_top(&format!("[server]\n{}", list(8_000, &|index| format!("lis{index} = 1\n")))),
        format!("[[stream]]\nname=\"a\"\nnodes=[{}]\n", list(15_000, &|index| format!("\"n{index}\","))),
        // Many unknown names near many known ones.
        format!(
            "[[stream]]\nname=\"a\"\nnodes=[{}]\n{}",
            list(350, &|index| format!("\"{}\",", long(index))),
            list(300, &|index| format!("[[stream.edge]]\nfrom=\"{}\"\nto=\"x{}\"\n", long(index), long(index)))
        ),
        // One great circle, and many small ones.
        format!(
            "[[stream]]\nname=\"a\"\n{}",
            list(3_000, &|index| format!("[[stream.edge]]\nfrom=\"{index}\"\nto=\"{}\"\n", (index + 1) % 3_000))
        ),
        format!(
            "[[stream]]\nname=\"a\"\n{}",
            list(3_000, &|index| format!(
                "[[stream.edge]]\nfrom=\"{}\"\nto=\"{}\"\n",
                index / 2 * 2 + index % 2,
                index / 2 * 2 + 1 - index % 2
            ))
        ),
        list(1_000, &|index| {
            with_edge("check={within=\"1s\",warn=\"50.0001%\",fail=\"50.0002%\",window=\"1d\"}")
                .replace("orders", &format!("s{index}"))
        }),
    ];
    for text in texts {
        let started = started();
        read_and_check(&text);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(3), "{took:?} for {}", &text[..60]);
    }
}

#[expect(clippy::disallowed_methods, reason = "the test is about the time that reading takes")]
fn started() -> Instant {
    Instant::now()
}
