//! `GET /api/openapi.json`: all this, described.

use actix_web::{HttpRequest, HttpResponse};

use super::answer::fixed;

/// The description; a test compares it with the routes and with real answers.
pub const DESCRIPTION: &str = include_str!("openapi.json");

/// `GET /api/openapi.json`
pub(super) async fn openapi(request: HttpRequest) -> HttpResponse {
    fixed(&request, "application/json", DESCRIPTION.to_owned())
}
