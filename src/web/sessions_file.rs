//! Sessions outlast a restart where there is a folder to keep them in.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::access::{Login, NoRandomness, Roster, Secret, Sessions};

/// The file in the data folder. It holds no cookie, only what tells one when it is shown.
const FILE: &str = "sessions.json";

/// The sessions, and where they are kept; written when somebody logs in or out.
#[derive(Default)]
pub struct SessionsFile {
    sessions: Sessions,
    path: Option<PathBuf>,
}

impl SessionsFile {
    /// The sessions that are kept in this folder; none at first. Without a folder they end with the server.
    pub fn open(data_dir: Option<&Path>) -> Self {
        let Some(path) = data_dir.map(|folder| folder.join(FILE)) else { return Self::default() };
        let read = fs::read(&path).and_then(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::from));
        let sessions = read.unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                let file = path.display();
                tracing::warn!(subsystem = "server", %file, %error, "failed to read the sessions: all must log in again");
            }
            Sessions::default()
        });
        Self { sessions, path: Some(path) }
    }

    /// Begins a session; gives the cookie.
    pub(super) fn begin(&mut self, login: &Login, now_us: u64) -> Result<Secret, NoRandomness> {
        let cookie = self.sessions.begin(login, now_us);
        self.keep();
        cookie
    }

    /// Who has logged in with this cookie.
    pub(super) fn find<'r>(&self, cookie: &str, roster: &'r Roster, now_us: u64) -> Option<&'r Login> {
        self.sessions.find(cookie, roster, now_us)
    }

    /// Ends a session.
    pub(super) fn end(&mut self, cookie: &str) {
        self.sessions.end(cookie);
        self.keep();
    }

    fn keep(&self) {
        let Some(path) = &self.path else { return };
        if let Err(error) = write(path, &self.sessions) {
            let file = path.display();
            tracing::warn!(subsystem = "server", %file, %error, "failed to keep the sessions: they end with the server");
        }
    }
}

/// All or nothing, and for nobody else's eyes.
fn write(path: &Path, sessions: &Sessions) -> io::Result<()> {
    let draft = path.with_extension("tmp");
    let bytes = serde_json::to_vec(sessions)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Hashed;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn sessions_outlast_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let ada = Login { name: "ada".to_owned(), password: Hashed::new(&Secret::new("one")).unwrap() };
        let roster = Roster { keys: Vec::new(), logins: vec![ada.clone()] };
        let open = || SessionsFile::open(Some(folder.path()));
        let (stays, goes) = {
            let mut sessions = open();
            let cookies = (sessions.begin(&ada, 0).unwrap(), sessions.begin(&ada, 0).unwrap());
            sessions.end(cookies.1.expose());
            cookies
        };
        assert!(open().find(stays.expose(), &roster, 1).is_some());
        assert!(open().find(goes.expose(), &roster, 1).is_none());
        let path = folder.path().join(FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!fs::read_to_string(&path).unwrap().contains(stays.expose()));
        fs::write(&path, "{\"half").unwrap();
        assert!(open().find(stays.expose(), &roster, 1).is_none());
    }
}
