//! The marks: beside colour, a shape for every tone, and one for what must not be overlooked.

use crate::board::Tone;

/// The tones that have a mark of their own, and its name; pale green has the mark of green.
const MARKS: [(&str, &str); 4] = [
    (
        "ok",
        "<circle cx=\"8\" cy=\"8\" r=\"7.5\" fill=\"currentColor\"/>\
         <path class=\"cut\" d=\"M4.4 8.4 7 11l4.8-5.6\" fill=\"none\" stroke-width=\"2\" stroke-linecap=\"round\" \
         stroke-linejoin=\"round\"/>",
    ),
    (
        "warn",
        "<path d=\"M8 1.4 15 14.2H1z\" fill=\"currentColor\" stroke=\"currentColor\" stroke-width=\"1.6\" \
         stroke-linejoin=\"round\"/>\
         <path class=\"cut-dark\" d=\"M8 6v4M8 12.2v.1\" fill=\"none\" stroke-width=\"1.9\" stroke-linecap=\"round\"/>",
    ),
    (
        "nok",
        "<path d=\"M4.9.5h6.2l4.4 4.4v6.2l-4.4 4.4H4.9L.5 11.1V4.9z\" fill=\"currentColor\"/>\
         <path class=\"cut\" d=\"m5 5 6 6m0-6-6 6\" fill=\"none\" stroke-width=\"2.1\" stroke-linecap=\"round\"/>",
    ),
    (
        "grey",
        "<circle cx=\"8\" cy=\"8\" r=\"6.8\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.4\" \
         stroke-dasharray=\"2.6 1.9\"/>\
         <path d=\"M6 6.4a2 2 0 1 1 2.9 1.8c-.6.3-.9.6-.9 1.3M8 11.8v.1\" fill=\"none\" stroke=\"currentColor\" \
         stroke-width=\"1.6\" stroke-linecap=\"round\"/>",
    ),
];

/// The definitions of the marks, for a document that refers to them by `#mark-ok` and so on.
pub fn marks() -> String {
    let one =
        |(name, shape): (&str, &str)| format!("<symbol id=\"mark-{name}\" viewBox=\"0 0 16 16\">{shape}</symbol>");
    format!("<defs>{}</defs>", MARKS.map(one).concat())
}

/// All marks at one place; the style sheet shows the one of the group's tone.
pub(super) fn every_mark(x: f64, y: f64, size: f64) -> String {
    let (x, y) = (super::svg::number(x), super::svg::number(y));
    let one = |(name, _): (&str, &str)| {
        format!(
            "<use class=\"mark mark-{name}\" href=\"#mark-{name}\" x=\"{x}\" y=\"{y}\" width=\"{size}\" height=\"{size}\"/>"
        )
    };
    MARKS.map(one).concat()
}

/// The name of a tone's mark.
pub(crate) fn mark_of(tone: Tone) -> &'static str {
    match tone {
        Tone::Ok | Tone::OkIdle => "ok",
        Tone::Warn => "warn",
        Tone::Nok => "nok",
        Tone::Grey => "grey",
    }
}
