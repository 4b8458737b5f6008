//! A badge: a name and a status on one small flat plate.

use super::text::{escape, shorten, visible, width_em};
use super::words::tone_class;
use crate::board::{EdgeBoard, StreamBoard, Tone};
use crate::outcome::Freshness;

/// The size of the text, in pixels.
const TEXT_PX: f64 = 11.0;
/// Beside each of the two texts.
const PAD_PX: f64 = 7.0;
/// How tall the plate is.
const HEIGHT_PX: u32 = 20;
/// The most columns of a name.
const NAME_COLUMNS: usize = 32;

/// The badge of a stream: its status.
pub fn stream_badge(stream: &StreamBoard) -> String {
    let tone = super::words::status_tone(stream.status);
    let mut says = stream.status.to_string();
    if stream.unobserved > 0 {
        says += &format!(", {} of {} not observed", stream.unobserved, stream.edges.len());
    }
    plate(&shown(&stream.name), &says, tone)
}

/// The badge of an edge: its held status, and its freshness where that is not `live`.
pub fn edge_badge(edge: &EdgeBoard) -> String {
    let mut says = edge.held.to_string();
    if edge.freshness != Freshness::Live {
        says += &format!(", {}", edge.freshness.name());
    }
    plate(&format!("{} → {}", shown(&edge.from), shown(&edge.to)), &says, Tone::of(edge))
}

fn shown(name: &str) -> String {
    shorten(&visible(name), NAME_COLUMNS)
}

/// The ground and the text of what is said: each pair has a contrast of 4.5 or more.
fn colours(tone: Tone) -> (&'static str, &'static str) {
    match tone {
        Tone::Ok => ("#007a00", "#fff"),
        Tone::OkIdle => ("#a9d8a9", "#143214"),
        Tone::Warn => ("#aaaa00", "#111"),
        Tone::Nok => ("#aa0000", "#fff"),
        Tone::Grey => ("#6a6a6a", "#fff"),
    }
}

fn plate(name: &str, says: &str, tone: Tone) -> String {
    let width = |text: &str| (width_em(text) * TEXT_PX).ceil();
    let (name_px, says_px) = (width(name), width(says));
    let (left, right) = (name_px + 2.0 * PAD_PX, says_px + 2.0 * PAD_PX);
    let (ground, ink) = colours(tone);
    let (all, class) = (left + right, tone_class(tone));
    let (name, says) = (escape(name), escape(says));
    let text = |x: f64, px: f64, ink: &str, text: &str| {
        // The reader's font may be wider or narrower: the length is what there is room for.
        format!(
            "<text x=\"{x}\" y=\"14\" fill=\"{ink}\" textLength=\"{px}\" lengthAdjust=\"spacingAndGlyphs\">{text}</text>"
        )
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"{HEIGHT_PX}\" viewBox=\"0 0 {all} {HEIGHT_PX}\" \
         role=\"img\" class=\"{class}\" aria-label=\"{name}: {says}\"><title>{name}: {says}</title>\
         <g font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"{TEXT_PX}\">\
         <rect width=\"{left}\" height=\"{HEIGHT_PX}\" fill=\"#3d434a\"/>\
         <rect x=\"{left}\" width=\"{right}\" height=\"{HEIGHT_PX}\" fill=\"{ground}\"/>{}{}</g></svg>\n",
        text(PAD_PX, name_px, "#fff", &name),
        text(left + PAD_PX, says_px, ink, &says),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Status;
    use crate::picture::fixtures::{HOSTILE, demo, edge};

    fn texts(svg: &str) -> Vec<String> {
        let parsed = roxmltree::Document::parse(svg).unwrap();
        let texts = parsed.descendants().filter(|node| node.has_tag_name("text"));
        texts.map(|node| node.text().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_badge_says_who_and_how() {
        let mut stream = demo();
        (stream.status, stream.unobserved) = (Status::Nok, 0);
        assert_eq!(texts(&stream_badge(&stream)), [stream.name.as_str(), "NOK"]);
        stream.unobserved = 1;
        assert_eq!(texts(&stream_badge(&stream))[1], format!("NOK, 1 of {} not observed", stream.edges.len()));
        let mut edge = edge("web", "worker", Status::Ok, 3, 3);
        edge.freshness = Freshness::Live;
        assert_eq!(texts(&edge_badge(&edge)), ["web → worker", "OK"]);
        edge.freshness = Freshness::Silent;
        assert!(edge_badge(&edge).contains("#aa0000"));
        assert_eq!(texts(&edge_badge(&edge))[1], "OK, silent");
    }

    #[test]
    fn hostile_names_stay_text() {
        for name in HOSTILE {
            let svg = edge_badge(&edge(name, name, Status::Warn, 1, 2));
            let parsed = roxmltree::Document::parse(&svg).unwrap();
            let elements = parsed.descendants().filter(roxmltree::Node::is_element);
            assert_eq!(elements.count(), 7, "{name:?}");
            assert!(!svg.contains('\u{202e}') && !svg.contains('\u{1b}'), "{name:?}");
        }
    }
}
