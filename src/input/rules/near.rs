//! How near a rule came to taking a line: for who writes the rule.

use std::borrow::Cow;

use regex::Regex;
use regex_syntax::ast::{Ast, parse::Parser};

use super::set::{Rule, RuleSet, Shape};
use super::text::{Field, Found, Lines};
use crate::input::refusal::quote;
use crate::input::resolve::text_of;

/// Says how near rules came.
#[derive(Debug)]
pub struct Nearness<'a> {
    rules: Vec<Near<'a>>,
}

#[derive(Debug)]
struct Near<'a> {
    rule: &'a Rule,
    /// For each part of the expression: what comes before it, and how it is written.
    parts: Vec<(Regex, &'a str)>,
}

impl<'a> Nearness<'a> {
    /// Takes the rules' expressions apart.
    pub fn new(set: &'a RuleSet) -> Self {
        let near = |rule: &'a Rule| {
            let parts = if let Lines::Match(pattern) = &rule.text.lines { parts(pattern) } else { Vec::new() };
            Near { rule, parts }
        };
        Self { rules: set.rules.iter().map(near).collect() }
    }

    /// Why no rule took a line, by the rule that came nearest; `None` where none of them came near at all.
    pub fn of(&self, line: &str) -> Option<String> {
        let near = self.rules.iter().enumerate().filter_map(|(place, near)| Some((place, near.of(line)?)));
        // Of those that came as far, the first.
        let (place, (_, why)) = near.rev().max_by_key(|(_, (column, _))| *column)?;
        Some(format!("rule {} {why}", place + 1))
    }
}

impl Near<'_> {
    /// How many bytes it went along, and what it missed there; one more than all where it matches.
    fn of(&self, line: &str) -> Option<(usize, String)> {
        match &self.rule.shape {
            Shape::Json(pointers) => {
                let found = pointers.find(line)?;
                Some((line.len() + 1, self.not_given(&found.map(|text| text.map(Cow::into_owned)))?))
            }
            Shape::Match(pattern) => {
                let mut found = Found::default();
                if !pattern.find_by_regex(line, &mut pattern.locations(), &mut found) {
                    return self.halted(line);
                }
                Some((line.len() + 1, self.not_given(&found.map(|text| text.map(text_of)))?))
            }
        }
    }

    /// What a rule that matches did not find.
    fn not_given<T: AsRef<str>>(&self, found: &[Option<T>; Field::ALL.len()]) -> Option<String> {
        let given = |field: Field| found[field as usize].as_ref().filter(|text| !matches!(text.as_ref(), "" | "-"));
        let missing = [Field::Token, Field::Node].into_iter().find(|field| given(*field).is_none())?;
        Some(match (&self.rule.text.lines, &found[missing as usize]) {
            (_, Some(text)) => format!("matches, but its {} is {}", missing.name(), quote(text.as_ref())),
            (Lines::Json(pointers), None) => {
                let pointer = pointers.iter().find(|(field, _)| *field == missing).map_or("", |(_, pointer)| pointer);
                format!("finds no text and no number at {}", quote(pointer))
            }
            (Lines::Match(_), None) => format!("matches, but without its {}", missing.name()),
        })
    }

    /// Where the longest beginning of the expression that matches ends.
    fn halted(&self, line: &str) -> Option<(usize, String)> {
        // Each beginning contains the one before it.
        let matching = self.parts.partition_point(|(before, _)| before.is_match(line));
        let (before, missing) = self.parts.get(matching.checked_sub(1)?)?;
        let end = before.find(line)?.end();
        // That nothing at all stands anywhere says nothing.
        (end > 0).then(|| {
            let column = line[..end].chars().count() + 1;
            (end, format!("goes as far as column {column}, and misses `{missing}` from there on"))
        })
    }
}

/// The parts of an expression, each with what comes before it.
fn parts(pattern: &str) -> Vec<(Regex, &str)> {
    let Ok(Ast::Concat(ref concat)) = Parser::new().parse(pattern) else { return Vec::new() };
    let mut starts = Vec::new();
    let mut in_literal = false;
    for ast in &concat.asts {
        let literal = matches!(ast, Ast::Literal(_));
        // Literals are single characters: together they are one part.
        if !(literal && in_literal) {
            starts.push(ast.span().start.offset);
        }
        in_literal = literal;
    }
    let ends = starts.iter().copied().skip(1).chain([pattern.len()]);
    let part = |(start, end): (&usize, usize)| Some((Regex::new(&pattern[..*start]).ok()?, &pattern[*start..end]));
    starts.iter().zip(ends).map_while(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::rules::{RuleText, Unit};

    fn rule(lines: Lines) -> RuleText {
        RuleText { node: Some("a".to_owned()), lines, timestamp: None, timezone: None, unit: Unit::Seconds }
    }

    #[test]
    fn the_rule_that_came_nearest_is_named() {
        let set = RuleSet::compile(&[
            rule(Lines::Match(r"^(?<timestamp>\S+) .* req=(?<token>[0-9a-f]{4})".to_owned())),
            rule(Lines::Match(r"^GET (?<token>\d+) (?:ok|good)".to_owned())),
            rule(Lines::Json(vec![(Field::Token, "/id".to_owned())])),
        ])
        .unwrap();
        let near = Nearness::new(&set);
        for (line, says) in [
            ("12:00 x req=12g4", Some("rule 1 goes as far as column 13, and misses `(?<token>[0-9a-f]{4})`")),
            ("12:00 x", Some("rule 1 goes as far as column 8, and misses ` req=`")),
            ("GET 123 bad", Some("rule 1 goes as far as column 12")),
            ("GET", None),
            ("{\"id\":null}", Some("rule 3 finds no text and no number at \"/id\"")),
            ("{\"id\":\"\"}", Some("rule 3 matches, but its token is \"\"")),
            ("", None),
        ] {
            let said = near.of(line);
            match says {
                Some(says) => assert!(said.as_ref().is_some_and(|said| said.starts_with(says)), "{line}: {said:?}"),
                None => assert!(
                    said.is_none() || said.as_ref().is_some_and(|said| said.contains("column")),
                    "{line}: {said:?}"
                ),
            }
        }
    }
}
