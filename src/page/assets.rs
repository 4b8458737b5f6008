//! What is served under `/static/`, embedded in the binary.

/// A file under `/static/`.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its media type.
    pub content_type: &'static str,
    /// Its content.
    pub body: &'static str,
}

/// The file of this name under `/static/`: the style sheet, and a favicon for each status.
pub fn asset(name: &str) -> Option<Asset> {
    let svg = |body| Some(Asset { content_type: "image/svg+xml", body });
    match name {
        "observatory.css" => Some(Asset {
            content_type: "text/css; charset=utf-8",
            body: concat!(include_str!("../../static/observatory.css"), include_str!("../../static/graph.css")),
        }),
        "favicon-ok.svg" => svg(include_str!("../../static/favicon-ok.svg")),
        "favicon-warn.svg" => svg(include_str!("../../static/favicon-warn.svg")),
        "favicon-nok.svg" => svg(include_str!("../../static/favicon-nok.svg")),
        "favicon-grey.svg" => svg(include_str!("../../static/favicon-grey.svg")),
        _ => None,
    }
}
