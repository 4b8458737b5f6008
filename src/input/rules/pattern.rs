//! The fields of a line by a regular expression with named captures.
//!
//! A [`Plan`] reads them where the expression has one, else `regex`: both in a time that grows with the line and no
//! faster, whatever the expression. How large one may become is capped when it is compiled.

use regex::{CaptureLocations, Regex, RegexBuilder};
use regex_syntax::hir::Hir;

use super::plan::{self, Plan, Walked};
use super::read::Text;
use super::text::{Field, Found, RuleError, RuleKey};
use crate::graph;

/// The longest expression.
const PATTERN_MAX_BYTES: usize = 4_096;
/// How large an expression may become when it is compiled.
const COMPILED_MAX_BYTES: usize = 4 << 20;
/// How deep an expression may be nested.
const NESTED_MAX: u32 = 50;

/// A regular expression, and which of its captures are fields.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    regex: Regex,
    pub(super) plan: Option<Plan>,
    groups: Found<usize>,
    /// The expression as the engine understands it.
    pub(super) hir: Hir,
}

impl Pattern {
    /// Compiles an expression.
    pub(super) fn new(text: &str) -> Result<Self, Vec<RuleError>> {
        let one = |error: RuleError| vec![error];
        let hir = parse(text).map_err(one)?;
        let built = RegexBuilder::new(text).size_limit(COMPILED_MAX_BYTES).nest_limit(NESTED_MAX).build();
        let regex = built.map_err(|error| one(not_compiled(&error)))?;
        let mut groups = Found::default();
        let mut errors = Vec::new();
        for (place, name) in regex.capture_names().enumerate() {
            let Some(name) = name else { continue };
            match Field::of(name) {
                Some(field) => groups[field as usize] = Some(place),
                None => errors.push(unknown_capture(text, name)),
            }
        }
        if groups[Field::Token as usize].is_none() {
            let help = "name the part that is the token: `(?<token>[0-9a-f-]{36})`";
            // A misspelt name has been told of already.
            if errors.is_empty() {
                errors.push(RuleError::new(RuleKey::Match, "the expression has no capture named token", help));
            }
        }
        if errors.is_empty() {
            Ok(Self { plan: plan::compile(&hir, &groups), regex, groups, hir })
        } else {
            Err(errors)
        }
    }

    /// Whether a capture of this field is in it.
    pub(super) fn captures(&self, field: Field) -> bool {
        self.groups[field as usize].is_some()
    }

    /// Room to read captures into.
    pub(super) fn locations(&self) -> CaptureLocations {
        self.regex.capture_locations()
    }

    /// Finds what a line has for each field; `false` where it does not match.
    #[inline]
    pub(super) fn find<'l>(
        &self,
        line: &Text<'l>,
        locations: &mut CaptureLocations,
        found: &mut Found<&'l [u8]>,
    ) -> bool {
        if let Some(plan) = &self.plan
            && line.ascii
        {
            match plan.find(line.bytes, found) {
                Walked::Match => return true,
                Walked::NoMatch => return false,
                Walked::GaveUp => {}
            }
        }
        self.find_by_regex(line.str(), locations, found)
    }

    /// The same without a plan.
    pub(super) fn find_by_regex<'l>(
        &self,
        line: &'l str,
        locations: &mut CaptureLocations,
        found: &mut Found<&'l [u8]>,
    ) -> bool {
        if self.regex.captures_read(locations, line).is_none() {
            return false;
        }
        *found = self.groups.map(|group| locations.get(group?).map(|(start, end)| &line.as_bytes()[start..end]));
        true
    }
}

/// Parses an expression; the error says where it is wrong.
fn parse(text: &str) -> Result<Hir, RuleError> {
    if text.len() > PATTERN_MAX_BYTES {
        let message = format!("the expression is longer than {PATTERN_MAX_BYTES} bytes");
        return Err(RuleError::new(RuleKey::Match, message, "make several rules of it"));
    }
    let parsed = regex_syntax::ParserBuilder::new().nest_limit(NESTED_MAX).build().parse(text);
    parsed.map_err(|error| {
        let (span, what) = match &error {
            regex_syntax::Error::Parse(error) => (Some(error.span()), error.kind().to_string()),
            regex_syntax::Error::Translate(error) => (Some(error.span()), error.kind().to_string()),
            _ => (None, "it cannot be read".to_owned()),
        };
        let help = "parts are captured by `(?<token>...)`; a character that means something else, such as `[`, `(`, \
                    `?` or `.`, is written with a backslash before it";
        let error = RuleError::new(RuleKey::Match, "this is not a regular expression", help).label(what);
        match span {
            Some(span) => error.at(span.start.offset..span.end.offset),
            None => error,
        }
    })
}

fn not_compiled(error: &regex::Error) -> RuleError {
    let message = match error {
        regex::Error::CompiledTooBig(_) => "the expression becomes too large when it is compiled",
        _ => "the expression cannot be compiled",
    };
    RuleError::new(
        RuleKey::Match,
        message,
        "repeat less: `{1000}` makes a thousand copies; or make several rules of it",
    )
}

fn unknown_capture(text: &str, name: &str) -> RuleError {
    let known = Field::ALL.map(Field::name);
    let message = format!("unknown capture \"{name}\"");
    let error = if let Some(near) = graph::nearest(name, known.into_iter()) {
        let error = RuleError::new(RuleKey::Match, message, format!("write `(?<{near}>...)`"));
        error.label(format!("did you mean `{near}`?"))
    } else {
        let help = format!("captures are named {}; a group without a name is `(?:...)`", known.join(", "));
        RuleError::new(RuleKey::Match, message, help)
    };
    match text.find(&format!("<{name}>")) {
        Some(start) => error.at(start + 1..start + 1 + name.len()),
        None => error,
    }
}
