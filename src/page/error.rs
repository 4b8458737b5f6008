//! The page that says what went wrong.

use askama::Template;

use super::rendered;
use crate::picture::text::visible;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    code: u16,
    title: &'a str,
    detail: &'a str,
    notices: &'a [String],
}

/// Renders an error page: an HTTP status, what is wrong, and what to do about it; `notices` as on every page.
pub fn problem(code: u16, title: &str, detail: &str, notices: &[String]) -> String {
    let detail = visible(detail);
    let notices: Vec<_> = notices.iter().map(|notice| visible(notice).into_owned()).collect();
    rendered(&ErrorPage { code, title, detail: &detail, notices: &notices })
}
