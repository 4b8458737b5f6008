//! Who waits: for what is listed, or until something can be written again.

use super::intake::{Batch, Refused};
use super::mailbox::Came;
use super::query::Query;

/// Who waits for what is listed.
#[derive(Default)]
pub(super) struct Asked {
    /// Batches, with the places of what was not taken.
    pub(super) batches: Vec<(Batch, Vec<usize>)>,
    /// All other, in order.
    pub(super) queries: Vec<Query>,
    /// When the first batch arrived.
    pub(super) since_us: Option<u64>,
}

impl Asked {
    /// A batch was listed then, but for what was not taken of it.
    pub(super) fn list_batch(&mut self, batch: Batch, gone: Vec<usize>, at_us: u64) {
        self.since_us.get_or_insert(at_us);
        self.batches.push((batch, gone));
    }

    /// A query was listed.
    pub(super) fn list_query(&mut self, query: Query) {
        push_last(&mut self.queries, query);
    }
}

/// What waits until something can be written again: batches whose inputs keep them, which took room for that; and queries,
/// one an input at most.
#[derive(Default)]
pub(super) struct Waiting {
    batches: Vec<Batch>,
    queries: Vec<Query>,
}

impl Waiting {
    /// Keeps what came; a batch that its input does not keep is refused.
    pub(super) fn keep(&mut self, came: Came) {
        match came {
            Came::Batch(Batch { positions: None, room, done, .. }) => {
                drop(room);
                // The sender may have gone away.
                drop(done.send(Err(Refused::Unwritable)));
            }
            Came::Batch(batch) => self.batches.push(batch),
            Came::Query(query) => push_last(&mut self.queries, query),
        }
    }

    /// Keeps what was listed, and is not known to be written.
    pub(super) fn keep_all(&mut self, Asked { batches, queries, .. }: Asked) {
        let batches = batches.into_iter().map(|(batch, _)| Came::Batch(batch));
        for came in batches.chain(queries.into_iter().map(Came::Query)) {
            self.keep(came);
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty() && self.queries.is_empty()
    }

    /// All that waits, for one moment: what inputs have pushed in their order, then what they told of themselves.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Came> + use<> {
        let Self { batches, queries } = std::mem::take(self);
        batches.into_iter().map(Came::Batch).chain(queries.into_iter().map(Came::Query))
    }
}

/// Adds a query. What an input tells stands for all that it told before, however long that waits; but what went wrong last
/// is not forgotten.
fn push_last(queries: &mut Vec<Query>, mut query: Query) {
    if let Query::Input { name, news, .. } = &mut query {
        let before = |other: &Query| matches!(other, Query::Input { name: other, .. } if other == name);
        if let Some(at) = queries.iter().position(before)
            && let Query::Input { news: told, .. } = queries.remove(at)
        {
            news.follow(told);
        }
    }
    queries.push(query);
}
