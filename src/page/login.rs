//! The page at which people log in.

use askama::Template;

use super::rendered;
use crate::picture::text::visible;

/// What the form shows.
#[derive(Clone, Debug)]
pub struct LoginForm<'a> {
    /// The page that is gone to afterwards.
    pub to: &'a str,
    /// The name that was typed the last time.
    pub name: &'a str,
    /// Why that did not do.
    pub error: Option<String>,
    /// Whether the browser asks once more by itself.
    pub again: bool,
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    system: &'a str,
    form: &'a LoginForm<'a>,
}

/// Renders the page; `system` is the name of what is observed.
pub fn login(system: &str, form: &LoginForm<'_>) -> String {
    rendered(&LoginPage { system: &visible(system), form })
}
