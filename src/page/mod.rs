//! The page: every stream, worst first; one stream's graph, losses and numbers. A board in, HTML out.
//!
//! It works without a script and without anything from another host, under a policy of
//! `default-src 'none'` with `style-src 'self'` and `img-src 'self'`.

mod assets;
mod edges;
mod error;
mod inputs;
mod overview;
mod stream;
#[cfg(test)]
mod tests;
mod view;

pub use assets::{Asset, asset};
pub use error::problem;
pub use overview::overview;
pub use stream::stream;

/// What a page needs to know beside the board.
#[derive(Clone, Debug)]
pub struct PageSettings {
    /// How often the browser loads the page again, in microseconds; whole seconds, one at least.
    pub refresh_us: u64,
    /// What concerns the server and must not be overlooked.
    pub notices: Vec<String>,
    /// Whether a stream's page brings the graph: a page that is open has it already.
    pub graph: bool,
}

/// Renders a template; into a string that cannot fail, so what is left is a fault of ours.
fn rendered(template: &impl askama::Template) -> String {
    template.render().unwrap_or_else(|error| format!("failed to render the page: {error}"))
}
