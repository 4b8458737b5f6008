use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::input::rules::pattern::Pattern;

type Places = Found<Range<usize>>;

/// Where the fields stand by the plan, and by `regex`; the outer one is `None` where the plan gives up.
fn both(pattern: &str, line: &str) -> Option<(Option<Places>, Option<Places>)> {
    let pattern = Pattern::new(pattern).unwrap();
    let places = |found: Found<&[u8]>| {
        found.map(|text| {
            text.map(|text| {
                let start = text.as_ptr() as usize - line.as_ptr() as usize;
                start..start + text.len()
            })
        })
    };
    let plan = pattern.plan.as_ref()?;
    let mut found = Found::default();
    let by_plan = match plan.find(line.as_bytes(), &mut found) {
        Walked::Match => Some(places(found)),
        Walked::NoMatch => None,
        Walked::GaveUp => return None,
    };
    let by_regex = pattern.find_by_regex(line, &mut pattern.locations(), &mut found);
    Some((by_plan, by_regex.then(|| places(found))))
}

fn has_plan(pattern: &str) -> bool {
    Pattern::new(pattern).unwrap().plan.is_some()
}

#[test]
fn the_rules_that_people_write_have_a_plan() {
    for pattern in [
        r"^(?<timestamp>\S+) .* req=(?<token>[0-9a-f-]{36})",
        r#"^\S+ \S+ \S+ \[(?<timestamp>[^\]]+)\] "[^"]*" \d+ \d+ "[^"]*" "[^"]*" (?<duration>\S+) (?<token>\S+)$"#,
        r"req=(?<token>\S+)",
        r"^(?<timestamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) +(?<node>\w+) \[(?<token>[^\]]*)\]",
        r"^(?<timestamp>[0-9.]+) (?<token>.*)$",
        r"id=(?<token>.*?) took=(?<duration>\d+)ms",
        r"(?i)request-id: (?<token>[^,]+)$",
    ] {
        // The case of a first letter is open in the last one, so that nothing can be looked for.
        assert_eq!(has_plan(pattern), !pattern.starts_with("(?i)"), "{pattern}");
    }
    for pattern in
        [r"(?<token>\S+)", r"a(?:b|cd)(?<token>\d+)", r"^(?<token>\w+)\b", r"^(?<token>.*)\s+x", r"^x(?<token>\S+?)"]
    {
        assert!(!has_plan(pattern), "{pattern}");
    }
}

#[test]
fn a_line_that_would_be_walked_often_is_left_to_regex() {
    let line = format!("^{}", "a".repeat(1_000));
    assert_eq!(both("^.*a(?<token>[a-z]+)!", &line), None);
    // And where it is not, the last place counts, or the first.
    let line = "x req=1 req=2 req=";
    for (pattern, token) in
        [("^.* req=(?<token>\\d)", 12..13), ("^.*? req=(?<token>\\d)", 6..7), ("req=(?<token>\\d)", 6..7)]
    {
        let (by_plan, by_regex) = both(pattern, line).unwrap();
        assert_eq!(by_plan.as_ref().unwrap()[0], Some(token));
        assert_eq!(by_plan, by_regex);
    }
}

#[test]
fn literals_of_every_length_are_compared_to_their_ends() {
    let long = "0123456789abcdef";
    for length in 1..=long.len() {
        let literal = Literal::new(&long.as_bytes()[..length]);
        assert!(literal.begins(long.as_bytes()) && literal.begins(&long.as_bytes()[..length]), "{length}");
        assert!(!literal.begins(&long.as_bytes()[..length - 1]), "{length}");
        for place in 0..length {
            let mut other = long.as_bytes().to_vec();
            other[place] = b'x';
            assert!(!literal.begins(&other) && !literal.begins(&other[..length]), "{length} {place}");
        }
    }
}

/// A part of an expression; few characters, so that lines match by chance.
fn part() -> impl Strategy<Value = String> {
    let class =
        select(vec!["a", "[ab]", "[^a]", "[^ ]", ".", r"\S", r"\s", r"\d", r"\w", "[a-z]", "[^b]", "(?i:b)", "é"]);
    let often = select(vec!["", "", "*", "+", "?", "{2}", "{1,2}", "{2,}", "*?", "+?", "??"]);
    let field = (class, often).prop_map(|(class, often)| format!("{class}{often}"));
    let literal = select(vec!["a", "b", " ", "ab", "b ", "1", "aa", " =", "é"]).prop_map(str::to_owned);
    let simple = prop_oneof![3 => literal, 3 => field];
    (simple, select(vec!["", "", "", "timestamp", "node", "alias"]))
        .prop_map(|(part, name)| if name.is_empty() { part } else { format!("(?<{name}>{part})") })
}

/// An expression with a token, and no capture twice.
fn pattern() -> impl Strategy<Value = String> {
    let parts = prop::collection::vec(part(), 0..7);
    (parts, 0..7_usize, part(), any::<(bool, bool)>()).prop_map(|(mut parts, place, token, (start, end))| {
        let token = token.split_once('>').map_or(token.clone(), |(_, rest)| rest.trim_end_matches(')').to_owned());
        let token = if token.starts_with("(?i") { "b".to_owned() } else { token };
        parts.insert(place.min(parts.len()), format!("(?<token>{token})"));
        let mut seen = Vec::new();
        for part in &mut parts {
            if let Some((name, _)) = part.clone().strip_prefix("(?<").and_then(|part| part.split_once('>')) {
                if seen.contains(&name.to_owned()) {
                    *part = part.replacen(&format!("?<{name}>"), "?:", 1);
                }
                seen.push(name.to_owned());
            }
        }
        format!("{}{}{}", if start { "^" } else { "" }, parts.concat(), if end { "$" } else { "" })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_finds_what_the_expression_finds(
        pattern in pattern(), lines in prop::collection::vec("[ab1 =\t\n]{0,14}", 12),
    ) {
        prop_assume!(Pattern::new(&pattern).is_ok());
        for line in &lines {
            if let Some((by_plan, by_regex)) = both(&pattern, line) {
                prop_assert_eq!(by_plan, by_regex, "{} on {:?}", pattern, line);
            }
        }
    }
}
