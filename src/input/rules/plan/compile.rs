//! From an expression to a plan, where it has one.
//!
//! A field takes all bytes of its class that stand in a row. That is what the expression does, too, where the first byte
//! of what must come next is none of the class, or where nothing must come: a field that took less could not go on. Where
//! that byte is of the class, what comes next must be a literal: then its places are tried in the order of the
//! expression, the last one first where it is greedy, the first one first where it is lazy.

use memchr::memmem::{Finder, FinderRev};
use regex_syntax::hir::{Hir, HirKind, Look, Repetition};

use super::class::Class;
use super::{Literal, Next, Plan, Step};
use crate::input::rules::text::{Field, Found};

/// A part of an expression.
enum Part {
    Literal(Vec<u8>),
    Field { class: Class, min: usize, max: usize, greedy: bool },
    Open(Field),
    Close(Field),
    End,
}

/// What may come after a place.
struct After {
    /// The bytes that it may begin with.
    first: Class,
    /// Whether it may be nothing at all, the end of the line or not.
    nothing: bool,
    /// The literal that comes next.
    literal: Option<Vec<u8>>,
}

/// The plan of an expression, where it has one. `groups`: the captures that are fields.
pub(in crate::input::rules) fn compile(hir: &Hir, groups: &Found<usize>) -> Option<Plan> {
    let mut parts = Vec::new();
    let anchored = parse(hir, groups, &mut parts)?;
    let nothing = Class::of(|_| false);
    let mut after = After { first: nothing, nothing: true, literal: None };
    let mut steps = Vec::with_capacity(parts.len() + 1);
    for part in parts.into_iter().rev() {
        steps.push(step(part, &mut after)?);
    }
    if !anchored {
        // It may begin anywhere, and the first place is the one that counts.
        let finder = Finder::new(&after.literal?).into_owned();
        steps.push(Step::Gap { class: Class::of(|_| true), min: 0, next: Next::First(Box::new(finder)) });
    }
    steps.reverse();
    Some(Plan { steps })
}

/// Takes an expression apart, where it is a sequence; whether it must begin where the line does.
fn parse(hir: &Hir, groups: &Found<usize>, parts: &mut Vec<Part>) -> Option<bool> {
    let whole = std::slice::from_ref(hir);
    let sequence = if let HirKind::Concat(sequence) = hir.kind() { sequence } else { whole };
    let (anchored, sequence) = match sequence.split_first() {
        Some((first, rest)) if matches!(first.kind(), HirKind::Look(Look::Start)) => (true, rest),
        _ => (false, sequence),
    };
    let (ended, sequence) = match sequence.split_last() {
        Some((last, rest)) if matches!(last.kind(), HirKind::Look(Look::End)) => (true, rest),
        _ => (false, sequence),
    };
    sequence.iter().try_for_each(|hir| take(hir, groups, parts))?;
    if ended {
        parts.push(Part::End);
    }
    Some(anchored)
}

fn take(hir: &Hir, groups: &Found<usize>, parts: &mut Vec<Part>) -> Option<()> {
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => match parts.last_mut() {
            Some(Part::Literal(before)) => before.extend_from_slice(&literal.0),
            _ => parts.push(Part::Literal(literal.0.to_vec())),
        },
        HirKind::Class(class) => {
            parts.push(Part::Field { class: Class::from_hir(class), min: 1, max: 1, greedy: true });
        }
        HirKind::Repetition(repetition) => parts.push(field(repetition)?),
        HirKind::Capture(capture) => {
            let is = |field: &Field| groups[*field as usize] == Some(capture.index as usize);
            let field = Field::ALL.into_iter().find(is);
            parts.extend(field.map(Part::Open));
            take(&capture.sub, groups, parts)?;
            parts.extend(field.map(Part::Close));
        }
        HirKind::Concat(sequence) => sequence.iter().try_for_each(|hir| take(hir, groups, parts))?,
        HirKind::Look(_) | HirKind::Alternation(_) => return None,
    }
    Some(())
}

fn field(Repetition { min, max, greedy, sub }: &Repetition) -> Option<Part> {
    let class = match sub.kind() {
        HirKind::Class(class) => Class::from_hir(class),
        HirKind::Literal(literal) if let [one] = *literal.0 => Class::of(|byte| byte == one),
        _ => return None,
    };
    Some(Part::Field { class, min: *min as usize, max: max.map_or(usize::MAX, |max| max as usize), greedy: *greedy })
}

/// The step of a part; `after` is what comes after it, and becomes what comes from it on.
fn step(part: Part, after: &mut After) -> Option<Step> {
    Some(match part {
        Part::Open(field) => Step::Open(field),
        Part::Close(field) => Step::Close(field),
        Part::End => {
            // Nothing may come, but it must: so a field in front of it must reach the end.
            after.nothing = false;
            Step::End
        }
        Part::Literal(literal) => {
            let first = *literal.first()?;
            let step = Step::Literal(Literal::new(&literal));
            *after = After { first: Class::of(|byte| byte == first), nothing: false, literal: Some(literal) };
            step
        }
        Part::Field { class, min, max, greedy } => {
            let all = min == max || (greedy && after.nothing) || (!after.nothing && class.is_disjoint(&after.first));
            let before = After {
                first: if min == 0 { class.or(&after.first) } else { class.clone() },
                nothing: min == 0 && after.nothing,
                literal: None,
            };
            let literal = std::mem::replace(after, before).literal;
            if all {
                return Some(Step::Run { class, min, max });
            }
            let literal = literal.filter(|_| max == usize::MAX)?;
            let next = if greedy {
                Next::Last(Box::new(FinderRev::new(&literal).into_owned()))
            } else {
                Next::First(Box::new(Finder::new(&literal).into_owned()))
            };
            Step::Gap { class, min, next }
        }
    })
}
