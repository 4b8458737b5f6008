//! Aliases: a second token by which the same message is known.

use observatory::event::Token;

use super::stream::StreamModel;

impl StreamModel {
    /// A new event of `token` carried an alias.
    pub(super) fn join(&mut self, token: &Token, alias: &Token, now_us: u64) {
        // It may have been forgotten to make room for its own alias.
        let Some(message) = self.place_of_message(token) else { return };
        match self.place_of_message(alias) {
            None => {
                self.happened.push("alias: named");
                self.messages[message].names.push(alias.clone());
                for edge in &mut self.edges {
                    edge.join_tokens(&self.messages[message].names[0], alias, now_us);
                }
            }
            Some(other) if other == message => self.happened.push("alias: known"),
            Some(other) => {
                let seen = |node| [message, other].iter().all(|&it| self.messages[it].seen_at(node).is_some());
                if (0..self.nodes.len()).any(seen) {
                    self.happened.push("alias: conflict");
                    self.alias_conflicts += 1;
                } else {
                    self.happened.push("alias: joined");
                    self.unite(message, other, now_us);
                }
            }
        }
    }

    /// Makes one message of two; it goes by the first token of the one at `message`.
    fn unite(&mut self, message: usize, other: usize, now_us: u64) {
        let token = self.messages[message].names[0].clone();
        let (number, gone) = (self.messages[message].number, self.messages[other].number);
        for edge in 0..self.edges.len() {
            let ends = (self.edges[edge].spec.from, self.edges[edge].spec.to);
            let across = [(message, other), (other, message)].into_iter().find_map(|(up, down)| {
                self.messages[up].seen_at(ends.0)?;
                self.messages[down].seen_at(ends.1)
            });
            let requests = &mut self.edges[edge].records;
            for request in requests.iter_mut().filter(|request| request.message == Some(gone)) {
                request.message = Some(number);
            }
            // What is decided from now on shows the joined message's token.
            let open =
                |request: &&mut super::edge::Record| request.message == Some(number) && request.outcome.is_none();
            for request in requests.iter_mut().filter(open) {
                request.token = Some(token.clone());
            }
            let edge = &mut self.edges[edge];
            edge.join_tokens(&token, &self.messages[other].names[0], now_us);
            if let (Some(downstream_us), Some(request)) = (across, edge.request_of(number)) {
                let judged = edge.records[request].outcome.is_some();
                self.happened.push(if judged { "alias: revised across" } else { "alias: matched across" });
                edge.meet(request, &token, downstream_us, now_us);
            }
        }
        let gone = self.messages.remove(other);
        let message = self.place_of_message(&token).expect("it is still there");
        let known = &mut self.messages[message];
        known.names.extend(gone.names);
        known.found.extend(gone.found);
        known.seen.extend(gone.seen);
        known.seen.sort_by_key(|seen| seen.arrival_us);
        for edge in 0..self.edges.len() {
            let seen_beyond = self.beyond[edge].iter().any(|&node| self.messages[message].seen_at(node).is_some());
            if seen_beyond && self.take_beyond(edge, message, now_us) {
                self.happened.push("alias: unreported across");
            }
        }
        self.messages[message].until_us = self.forget_us(&self.messages[message]);
    }
}
