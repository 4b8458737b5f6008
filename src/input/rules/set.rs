//! The rules of an input, compiled.

use std::borrow::Cow;

use regex::CaptureLocations;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::json::Pointers;
use super::pattern::Pattern;
use super::stamp::Stamps;
use super::text::{Field, Found, Lines, RuleError, RuleKey, RuleText, Unit};

/// The rules of an input: the first that takes a line gives its event.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    pub(super) rules: Vec<Rule>,
}

/// One rule, compiled.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) text: RuleText,
    pub(super) shape: Shape,
    pub(super) stamps: Stamps,
}

/// How a rule reads a line.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Match(Box<Pattern>),
    Json(Pointers),
}

/// Rules are the same where they say the same.
impl PartialEq for RuleSet {
    fn eq(&self, other: &Self) -> bool {
        self.rules.iter().map(|rule| &rule.text).eq(other.rules.iter().map(|rule| &rule.text))
    }
}

impl Eq for RuleSet {}

impl RuleSet {
    /// Compiles rules; all that is wrong with them, each with the index of its rule.
    pub fn compile(texts: &[RuleText]) -> Result<Self, Vec<(usize, RuleError)>> {
        let (mut set, mut errors) = (Self::default(), Vec::new());
        for (place, text) in texts.iter().enumerate() {
            if let Err(wrong) = set.add(text) {
                errors.extend(wrong.into_iter().map(|error| (place, error)));
            }
        }
        if errors.is_empty() { Ok(set) } else { Err(errors) }
    }

    /// Compiles one more rule.
    pub fn add(&mut self, text: &RuleText) -> Result<(), Vec<RuleError>> {
        self.rules.push(Rule::compile(text)?);
        Ok(())
    }

    /// What the rules say, in their order.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &RuleText> {
        self.rules.iter().map(|rule| &rule.text)
    }

    /// The nodes that rules name themselves.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.texts().filter_map(|text| text.node.as_deref())
    }

    /// For each rule whose stamps say no fraction of a second: the node that it names, `None` where lines name it.
    pub fn whole_seconds(&self) -> impl Iterator<Item = Option<&str>> {
        let rules = self.rules.iter().filter(|rule| rule.whole_seconds());
        rules.flat_map(|rule| {
            let by_line = rule.gives(Field::Node).then_some(None);
            by_line.into_iter().chain(rule.text.node.as_deref().map(Some))
        })
    }
}

impl Rule {
    fn compile(text: &RuleText) -> Result<Self, Vec<RuleError>> {
        let mut errors = Vec::new();
        let mut take = |wrong: Vec<RuleError>| errors.extend(wrong);
        let shape = match &text.lines {
            Lines::Match(pattern) => Pattern::new(pattern).map(|pattern| Shape::Match(Box::new(pattern))),
            Lines::Json(pointers) => Pointers::new(pointers).map(Shape::Json),
        };
        let shape = shape.map_err(&mut take).ok();
        let stamps = Stamps::new(text).map_err(&mut take).ok();
        let (Some(shape), Some(stamps)) = (shape, stamps) else { return Err(errors) };
        let rule = Self { text: text.clone(), shape, stamps };
        errors.extend(rule.misfits());
        if errors.is_empty() { Ok(rule) } else { Err(errors) }
    }

    /// What does not fit together.
    fn misfits(&self) -> Vec<RuleError> {
        let lines = if matches!(self.shape, Shape::Match(_)) { RuleKey::Match } else { RuleKey::Json };
        let (stamped, mut errors) = (self.gives(Field::Timestamp), Vec::new());
        if self.text.node.is_none() && !self.gives(Field::Node) {
            let part =
                if lines == RuleKey::Match { "a capture `(?<node>...)`" } else { "`node = \"/service\"` to `json`" };
            let help = format!("add `node = \"web-server\"`, or {part}");
            errors.push(RuleError::new(lines, "the rule does not say which node its lines are of", help));
        }
        if self.gives(Field::Duration) && !stamped {
            let help = "capture the `timestamp`, too, or take the duration out";
            errors.push(RuleError::new(lines, "a duration is taken off a timestamp, and the rule has none", help));
        }
        for (key, said) in
            [(RuleKey::Timestamp, self.text.timestamp.is_some()), (RuleKey::Timezone, self.text.timezone.is_some())]
        {
            if said && !stamped {
                let help = "capture the `timestamp` of the line, or take this out";
                errors.push(RuleError::new(key, "this is for a timestamp, and the rule takes none", help));
                break;
            }
        }
        errors
    }

    /// Whether lines may give this field.
    pub(super) fn gives(&self, field: Field) -> bool {
        match (&self.shape, &self.text.lines) {
            (Shape::Match(pattern), _) => pattern.captures(field),
            (_, Lines::Json(pointers)) => pointers.iter().any(|(known, _)| *known == field),
            _ => false,
        }
    }

    /// Whether its stamps can say nothing finer than a second.
    fn whole_seconds(&self) -> bool {
        let fraction = match (&self.shape, &self.stamps) {
            (Shape::Match(pattern), _) => capture(&pattern.hir, Field::Timestamp.name()).is_none_or(holds_point),
            // A number of seconds in JSON is a whole one; RFC 3339 may be anything.
            (Shape::Json(_), stamps) => !matches!(stamps, Stamps::Epoch(Unit::Seconds)),
        };
        self.gives(Field::Timestamp) && self.stamps.whole_seconds(fraction)
    }

    /// Room to read captures into.
    pub(super) fn locations(&self) -> Option<CaptureLocations> {
        match &self.shape {
            Shape::Match(pattern) => Some(pattern.locations()),
            Shape::Json(_) => None,
        }
    }

    /// What a line of JSON has for each field.
    pub(super) fn find_json<'l>(&self, line: &'l str) -> Option<Found<Cow<'l, str>>> {
        match &self.shape {
            Shape::Match(_) => None,
            Shape::Json(pointers) => pointers.find(line),
        }
    }
}

/// What a capture of this name holds.
fn capture<'h>(hir: &'h Hir, name: &str) -> Option<&'h Hir> {
    match hir.kind() {
        HirKind::Capture(capture) if capture.name.as_deref() == Some(name) => Some(&capture.sub),
        HirKind::Capture(inner) => self::capture(&inner.sub, name),
        HirKind::Repetition(inner) => self::capture(&inner.sub, name),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().find_map(|part| self::capture(part, name)),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => None,
    }
}

/// Whether a decimal point can be in what an expression matches.
fn holds_point(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.iter().any(|byte| matches!(byte, b'.' | b',')),
        HirKind::Class(Class::Unicode(class)) => {
            class.iter().any(|range| ['.', ','].iter().any(|point| (range.start()..=range.end()).contains(point)))
        }
        HirKind::Class(Class::Bytes(class)) => {
            class.iter().any(|range| [b'.', b','].iter().any(|point| (range.start()..=range.end()).contains(point)))
        }
        HirKind::Repetition(inner) => holds_point(&inner.sub),
        HirKind::Capture(inner) => holds_point(&inner.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(holds_point),
        HirKind::Empty | HirKind::Look(_) => false,
    }
}
