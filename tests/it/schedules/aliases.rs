//! Which events of a random schedule carry an alias, and which come under one.

use observatory::event::{Event, Token};

use super::rng::Rng;

/// In how many of a hundred schedules there are aliases.
const SCHEDULES: u64 = 40;

/// The aliases of a schedule. They have numbers of their own: all else is as without them.
pub(super) struct Aliases {
    rng: Rng,
    /// In how many of a hundred events there is one.
    often: u64,
    /// Tokens that were said to be of one message.
    pairs: Vec<(Token, Token)>,
}

impl Aliases {
    /// Those of a seed; most schedules have none.
    pub(super) fn of(seed: u64) -> Option<Self> {
        let mut rng = Rng::new(!seed);
        let often = rng.pick(&[5, 15, 40]);
        rng.percent(SCHEDULES).then(|| Self { rng, often, pairs: Vec::new() })
    }

    /// Lets an event come under another name of its message, or carry one.
    pub(super) fn put(&mut self, event: &mut Event, tokens: &[Token], past: &[(Event, u64)]) {
        if self.rng.percent(40) {
            self.swap(event);
        }
        if self.rng.percent(self.often) {
            let alias = self.alias(event, tokens, past);
            self.pairs.push((event.token.clone(), alias.clone()));
            event.alias = Some(Box::new(alias));
        }
    }

    /// The event comes under another name.
    fn swap(&mut self, event: &mut Event) {
        let other = |(one, two): &(Token, Token)| match &event.token {
            token if token == one => Some(two.clone()),
            token if token == two => Some(one.clone()),
            _ => None,
        };
        let others: Vec<Token> = self.pairs.iter().rev().filter_map(other).take(4).collect();
        if !others.is_empty() {
            event.token = others[self.rng.below(others.len() as u64) as usize].clone();
        }
    }

    /// Any name, one that was used of late, one that nobody used, a name of a name, or the token itself.
    fn alias(&mut self, event: &Event, tokens: &[Token], past: &[(Event, u64)]) -> Token {
        let recent = past.len().min(10) as u64;
        match self.rng.below(100) {
            30..65 if recent > 0 => past[past.len() - 1 - self.rng.below(recent) as usize].0.token.clone(),
            65..85 => Token::new(&format!("a{}", self.rng.below(6))).expect("it is short"),
            85..97 if !self.pairs.is_empty() => self.pairs[self.rng.below(self.pairs.len() as u64) as usize].1.clone(),
            97.. => event.token.clone(),
            _ => tokens[self.rng.below(tokens.len() as u64) as usize].clone(),
        }
    }
}
