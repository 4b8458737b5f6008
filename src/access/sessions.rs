//! Who has logged in: bounded, and ended by time, by logging out, and by another password.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::Secret;
use super::key::{Digest, NoRandomness, new_secret};
use super::roster::{Login, Roster};
use crate::clock::SECOND_US;

/// How long a session lasts, from the login on.
pub const SESSION_US: u64 = 30 * 86_400 * SECOND_US;
/// The most sessions; beyond that the oldest of the person who has the most of them ends.
pub const SESSIONS_MAX: usize = 1_000;

/// One session. The cookie itself is not in it, only its SHA-256: who reads the file cannot use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Session {
    login: String,
    /// Of the password's hash: another password ends the sessions of the one before.
    password: String,
    ends_us: u64,
}

/// All sessions, by the SHA-256 of their cookies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    sessions: HashMap<String, Session>,
}

impl Sessions {
    /// Begins a session; gives the cookie.
    pub fn begin(&mut self, login: &Login, now_us: u64) -> Result<Secret, NoRandomness> {
        let cookie = new_secret("")?;
        self.sessions.retain(|_, session| session.ends_us > now_us);
        if self.sessions.len() >= SESSIONS_MAX {
            self.drop_one();
        }
        let session = Session {
            login: login.name.clone(),
            password: login.password.digest().to_hex(),
            ends_us: now_us + SESSION_US,
        };
        self.sessions.insert(Digest::of(cookie.expose()).to_hex(), session);
        Ok(cookie)
    }

    /// Ends the oldest session of whoever has the most.
    fn drop_one(&mut self) {
        let mut held: HashMap<&str, usize> = HashMap::new();
        for session in self.sessions.values() {
            *held.entry(&session.login).or_default() += 1;
        }
        let most = self.sessions.iter().max_by_key(|(id, session)| {
            (held.get(session.login.as_str()).copied(), std::cmp::Reverse(session.ends_us), *id)
        });
        if let Some(id) = most.map(|(id, _)| id.clone()) {
            self.sessions.remove(&id);
        }
    }

    /// Who has logged in with this cookie. Looked up by its SHA-256: how long that takes says nothing of any cookie.
    pub fn find<'r>(&self, cookie: &str, roster: &'r Roster, now_us: u64) -> Option<&'r Login> {
        let session = self.sessions.get(&Digest::of(cookie).to_hex()).filter(|session| session.ends_us > now_us)?;
        roster.login(&session.login).filter(|login| login.password.digest().to_hex() == session.password)
    }

    /// Ends a session.
    pub fn end(&mut self, cookie: &str) {
        self.sessions.remove(&Digest::of(cookie).to_hex());
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Hashed;
    use super::*;

    fn login(name: &str, password: &str) -> Login {
        Login { name: name.to_owned(), password: Hashed::new(&Secret::new(password)).unwrap() }
    }

    #[test]
    fn a_session_ends_by_time_by_logging_out_and_by_another_password() {
        let ada = login("ada", "one");
        let mut roster = Roster { keys: Vec::new(), logins: vec![ada.clone()] };
        let mut sessions = Sessions::default();
        let [cookie, other] = [0, 1].map(|_| sessions.begin(&ada, 7).unwrap());
        let name = |sessions: &Sessions, roster: &Roster, cookie: &Secret, now_us| {
            sessions.find(cookie.expose(), roster, now_us).map(|login| login.name.clone())
        };
        assert_eq!(name(&sessions, &roster, &cookie, 7 + SESSION_US - 1).as_deref(), Some("ada"));
        assert_eq!(name(&sessions, &roster, &cookie, 7 + SESSION_US), None);
        assert_eq!(name(&sessions, &roster, &Secret::new("guessed"), 8), None);
        sessions.end(cookie.expose());
        assert_eq!(name(&sessions, &roster, &cookie, 8), None);
        assert_eq!(name(&sessions, &roster, &other, 8).as_deref(), Some("ada"));
        // Kept over a restart.
        let kept: Sessions = serde_json::from_str(&serde_json::to_string(&sessions).unwrap()).unwrap();
        assert_eq!(name(&kept, &roster, &other, 8).as_deref(), Some("ada"));
        assert!(!serde_json::to_string(&sessions).unwrap().contains(other.expose()));
        roster.logins = vec![login("ada", "two")];
        assert_eq!(name(&sessions, &roster, &other, 8), None);
        roster.logins.clear();
        assert_eq!(name(&sessions, &roster, &other, 8), None);
    }

    #[test]
    fn sessions_are_bounded_and_nobody_is_crowded_out_by_another() {
        let (ada, bob) = (login("ada", "one"), login("bob", "two"));
        let roster = Roster { keys: Vec::new(), logins: vec![ada.clone(), bob.clone()] };
        let mut sessions = Sessions::default();
        let first = sessions.begin(&ada, 0).unwrap();
        for now_us in 0..2 * SESSIONS_MAX as u64 {
            sessions.begin(&bob, now_us).unwrap();
        }
        assert_eq!(sessions.len(), SESSIONS_MAX);
        assert!(sessions.find(first.expose(), &roster, 1).is_some());
        sessions.begin(&ada, SESSION_US * 3).unwrap();
        assert_eq!(sessions.len(), 1, "what has run out makes room");
    }
}
