//! Where everything stands in the streams' pictures: made when it is first asked for, and again when a graph is
//! another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use serde::Serialize;

use super::problem::Problem;
use crate::board::{Board, StreamBoard};
use crate::graphviz::Graphviz;
use crate::picture::{Layout, lay_out, lay_out_by};

/// The layouts of all streams.
#[derive(Default)]
pub(super) struct Layouts {
    /// Graphviz, where the manifest asks for it.
    graphviz: ArcSwapOption<Graphviz>,
    /// By the stream's name.
    slots: Mutex<HashMap<String, Slot>>,
}

/// A layout that one makes while the others wait for it.
type Slot = Arc<tokio::sync::Mutex<Option<Arc<Layout>>>>;

/// Who lays out, as `/status` tells it.
#[derive(Debug, Serialize)]
pub(super) struct LaidOutBy {
    /// What the manifest asks for.
    pub(super) asked: &'static str,
    /// Who did it the last time.
    pub(super) used: &'static str,
    /// Why that is another.
    pub(super) error: Option<String>,
}

impl Layouts {
    /// Whether Graphviz lays out from now on. What was laid out by another is laid out again.
    pub(super) fn by_graphviz(&self, asked: bool) {
        if self.graphviz.load().is_some() == asked {
            return;
        }
        self.graphviz.store(asked.then(Arc::default));
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn laid_out_by(&self) -> LaidOutBy {
        match &*self.graphviz.load() {
            None => LaidOutBy { asked: "builtin", used: "builtin", error: None },
            Some(graphviz) => {
                let error = graphviz.trouble();
                LaidOutBy { asked: "dot", used: if error.is_some() { "builtin" } else { "dot" }, error }
            }
        }
    }

    /// The layout of a stream of this board. It is made beside the workers: that of a large graph takes a while.
    pub(super) async fn of(&self, board: &Board, stream: &Arc<StreamBoard>) -> Result<Arc<Layout>, Problem> {
        let slot = self.slot(board, &stream.name);
        let mut made = slot.lock().await;
        if let Some(layout) = made.as_ref().filter(|layout| layout.fits(stream)) {
            return Ok(Arc::clone(layout));
        }
        let (graphviz, stream) = (self.graphviz.load_full(), Arc::clone(stream));
        let work = move || graphviz.map_or_else(|| lay_out(&stream), |graphviz| lay_out_by(&*graphviz, &stream));
        let lost = |_| Problem::try_later("the picture could not be laid out now");
        let layout = actix_web::web::block(work).await.map_err(lost)?;
        Ok(Arc::clone(made.insert(layout)))
    }

    /// Where the layout of this stream is kept. Those of streams that are gone are dropped when one comes.
    fn slot(&self, board: &Board, stream: &str) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(stream) {
            return Arc::clone(slot);
        }
        slots.retain(|name, _| board.streams.iter().any(|stream| stream.name == *name));
        Arc::clone(slots.entry(stream.to_owned()).or_default())
    }
}
