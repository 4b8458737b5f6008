//! From the fields of an event to a [`Report`]: the checks that both ways of reading share.

use crate::event::{NODE_MAX_BYTES, Report, TextError, Token, check_text};
use crate::graph::{NodeId, NodeIndex};

use super::body::Reason;
use super::fields::{Fields, Key, NODE, Stamp, TOKEN};
use super::refusal::{EXAMPLE, Miss, Refusal, quote};
use super::timestamp;
use super::traceparent;

/// For how many unknown nodes the nearest known name is looked for: each look-up reads all names,
/// and a flood of unknown names must not keep us busy.
const HINTS_MAX: u32 = 8;

/// Checks fields and finds the node.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    nodes: &'a NodeIndex,
    accept_unknown: bool,
    /// The nodes whose events the sender may report, where it may not report those of all.
    bounds: Option<&'a [NodeId]>,
    hints_left: u32,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(nodes: &'a NodeIndex, accept_unknown: bool) -> Self {
        Self { nodes, accept_unknown, bounds: None, hints_left: HINTS_MAX }
    }

    /// The same, for a sender that may report events of these nodes alone.
    pub(super) fn bound_to(self, bounds: &'a [NodeId]) -> Self {
        Self { bounds: Some(bounds), ..self }
    }

    /// The event that has these fields.
    #[inline]
    pub(super) fn resolve<T: AsRef<[u8]>>(&mut self, fields: &Fields<T>) -> Result<Report, Box<Miss>> {
        self.resolve_with(fields, |report| report)
    }

    /// Adds the event to `reports`: a value that is handed on through memory is slow to move so soon.
    #[inline]
    pub(super) fn resolve_into<T: AsRef<[u8]>>(
        &mut self,
        fields: &Fields<T>,
        reports: &mut Vec<Report>,
    ) -> Result<(), Box<Miss>> {
        self.resolve_with(fields, |report| reports.push(report))
    }

    #[inline]
    fn resolve_with<T: AsRef<[u8]>, U>(
        &mut self,
        fields: &Fields<T>,
        take: impl FnOnce(Report) -> U,
    ) -> Result<U, Box<Miss>> {
        let (node_key, name) = fields.node.as_ref().ok_or_else(|| missing(NODE))?;
        let (token_key, token) = fields.token.as_ref().ok_or_else(|| missing(TOKEN))?;
        let name = name.as_ref();
        let node = fields.known_node.or_else(|| self.nodes.find_bytes(name));
        if node.is_none() {
            check_text(text_of(name), NODE_MAX_BYTES).map_err(|error| bad_text(*node_key, error))?;
        }
        if let (Some(bounds), Some(node)) = (self.bounds, &node)
            && !bounds.contains(node)
        {
            return Err(forbidden(text_of(name)).into());
        }
        let token = match fields.trace_id {
            Some(words) => Token::of_trace_id(words),
            None => token_of(token.as_ref()).map_err(|error| bad_text(*token_key, error))?,
        };
        let timestamp_us = match &fields.timestamp {
            None => None,
            Some(Stamp::Known(us)) => Some(Ok(*us)),
            Some(Stamp::Integer(value)) => Some(timestamp::from_integer(*value)),
            Some(Stamp::Text(text)) => Some(timestamp::from_text(text.as_ref())),
        };
        let timestamp_us = timestamp_us.transpose().map_err(|error| Refusal::new(Reason::Timestamp, error))?;
        let parent = match &fields.parent {
            None => None,
            Some(parent) => self.parent(parent.as_ref())?,
        };
        let alias = fields.alias.as_ref().map(|alias| token_of(alias.as_ref()));
        let alias = alias.transpose().map_err(|error| bad_text(Key::Alias, error))?.map(Box::new);
        let Some(node) = node else { return Err(Box::new(self.unknown(text_of(name), timestamp_us))) };
        Ok(take(Report { node, token, timestamp_us, parent, alias }))
    }

    #[cold]
    fn unknown(&mut self, name: &str, timestamp_us: Option<u64>) -> Miss {
        if self.accept_unknown {
            return Miss::Unknown { name: name.to_owned(), timestamp_us };
        }
        Miss::Refused(self.nowhere("node", name))
    }

    /// The node of that name. Where unknown nodes are accepted, an unknown one says nothing.
    fn parent(&mut self, name: &[u8]) -> Result<Option<NodeId>, Refusal> {
        let parent = self.nodes.find_bytes(name);
        if parent.is_none() {
            let name = text_of(name);
            check_text(name, NODE_MAX_BYTES).map_err(|error| bad_text(Key::Parent, error))?;
            if !self.accept_unknown {
                return Err(self.nowhere("parent", name));
            }
        }
        Ok(parent)
    }

    #[cold]
    fn nowhere(&mut self, what: &str, name: &str) -> Refusal {
        let mut error = format!("no stream has a {what} {}", quote(name));
        if self.hints_left > 0 {
            self.hints_left -= 1;
            if let Some(nearest) = self.nodes.nearest(name) {
                error += &format!("; did you mean {}?", quote(nearest));
            }
        }
        Refusal::new(Reason::UnknownNode, error)
    }
}

/// The token that a field gives: its text, or the trace id of a traceparent.
#[inline]
fn token_of(text: &[u8]) -> Result<Token, TextError> {
    match Token::trace_id(text) {
        Some(token) => Ok(token),
        None => Token::new(text_of(traceparent::trace_id(text).unwrap_or(text))),
    }
}

/// The text that bytes of a field write. Whoever has read them has checked that they are UTF-8.
#[inline]
pub(super) fn text_of(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default()
}

#[cold]
fn forbidden(name: &str) -> Refusal {
    let error =
        format!("this key may not report events of {}; use one that is bound to it, or to no node", quote(name));
    Refusal::new(Reason::Forbidden, error)
}

#[cold]
fn missing(keys: [Key; 3]) -> Refusal {
    Refusal::new(Reason::Field, format!("\"{}\" is missing; send {EXAMPLE}", keys[0].name()))
}

#[cold]
fn bad_text(key: Key, error: TextError) -> Refusal {
    Refusal::new(Reason::Field, format!("\"{}\" {error}", key.name()))
}
