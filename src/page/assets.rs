//! What is served under `/static/`, embedded in the binary.

/// A file under `/static/`.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its media type.
    pub content_type: &'static str,
    /// Its content.
    pub body: &'static str,
}

/// The file of this name under `/static/`: the style sheet, the scripts, and a favicon for each status.
pub fn asset(name: &str) -> Option<Asset> {
    let svg = |body| Some(Asset { content_type: "image/svg+xml", body });
    let script = |body| Some(Asset { content_type: "text/javascript; charset=utf-8", body });
    match name {
        "observatory.css" => Some(Asset {
            content_type: "text/css; charset=utf-8",
            body: concat!(
                include_str!("../../static/observatory.css"),
                include_str!("../../static/live.css"),
                include_str!("../../static/graph.css")
            ),
        }),
        "live.js" => script(include_str!("../../static/live.js")),
        "link.js" => script(include_str!("../../static/link.js")),
        "morph.js" => script(include_str!("../../static/morph.js")),
        "words.js" => script(include_str!("../../static/words.js")),
        "graph.js" => script(include_str!("../../static/graph.js")),
        "focus.js" => script(include_str!("../../static/focus.js")),
        "strip.js" => script(include_str!("../../static/strip.js")),
        "view.js" => script(include_str!("../../static/view.js")),
        "wall.js" => script(include_str!("../../static/wall.js")),
        "favicon-ok.svg" => svg(include_str!("../../static/favicon-ok.svg")),
        "favicon-warn.svg" => svg(include_str!("../../static/favicon-warn.svg")),
        "favicon-nok.svg" => svg(include_str!("../../static/favicon-nok.svg")),
        "favicon-grey.svg" => svg(include_str!("../../static/favicon-grey.svg")),
        _ => None,
    }
}
