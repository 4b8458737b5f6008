//! The page that says what went wrong.

use askama::Template;

use super::rendered;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    code: u16,
    title: &'a str,
    detail: &'a str,
}

/// Renders an error page: an HTTP status, what is wrong, and what to do about it.
pub fn problem(code: u16, title: &str, detail: &str) -> String {
    let detail = crate::picture::text::visible(detail);
    rendered(&ErrorPage { code, title, detail: &detail })
}
