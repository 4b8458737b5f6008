//! What must not be shown.

/// A key or a password. It has no Display, Debug or Serialize, so that no log line, error or answer can hold
/// it by mistake; where it is really needed it says so.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
