//! Everybody who may do something: the keys of programs and the logins of people.

use std::fmt;

use super::key::{Digest, Key};
use super::password::Hashed;
use super::{NoRandomness, Secret};

/// A person who may look at the pages.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub name: String,
    /// The password.
    pub password: Hashed,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The keys and the logins that a manifest names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// The keys of programs.
    pub keys: Vec<Key>,
    /// The people who may look at the pages.
    pub logins: Vec<Login>,
}

impl Roster {
    /// The key that a program shows. All are compared, each in constant time.
    pub fn key(&self, shown: &str) -> Option<&Key> {
        let digest = Digest::of(shown);
        self.keys.iter().fold(None, |found, key| if key.sha256 == digest { Some(key) } else { found })
    }

    /// The login of this name.
    pub fn login(&self, name: &str) -> Option<&Login> {
        self.logins.iter().find(|login| login.name == name)
    }
}

/// Checks passwords so that it takes as long for a name that there is not.
pub struct Doorman {
    stranger: Hashed,
}

impl Doorman {
    /// A new one.
    pub fn new() -> Result<Self, NoRandomness> {
        Ok(Self { stranger: Hashed::new(&super::new_secret("")?)? })
    }

    /// The login of this name, where this is its password. Slow on purpose.
    pub fn check<'r>(&self, roster: &'r Roster, name: &str, password: &Secret) -> Option<&'r Login> {
        let login = roster.login(name);
        let good = login.map_or(&self.stranger, |login| &login.password).is(password);
        login.filter(|_| good)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KEY_PREFIX, May, new_secret};
    use super::*;

    #[test]
    fn a_key_is_found_by_what_a_program_shows() {
        let secrets = [0, 1, 2].map(|_| new_secret(KEY_PREFIX).unwrap());
        let key = |(number, secret): (usize, &Secret)| Key {
            name: format!("key {number}"),
            sha256: Digest::of(secret.expose()),
            may: May::Report,
            nodes: None,
        };
        let roster = Roster { keys: secrets.iter().enumerate().map(key).collect(), logins: Vec::new() };
        for (number, secret) in secrets.iter().enumerate() {
            assert_eq!(roster.key(secret.expose()).unwrap().name, format!("key {number}"));
        }
        assert_eq!(roster.key("obs_"), None);
        assert_eq!(roster.key(&roster.keys[0].sha256.to_hex()), None);
    }

    #[test]
    fn a_login_shows_its_name_alone() {
        let password = Hashed::new(&Secret::new("marked-password")).unwrap();
        let hash = password.text();
        let roster = Roster { keys: Vec::new(), logins: vec![Login { name: "ada".to_owned(), password }] };
        let shown = format!("{roster:?}");
        assert!(shown.contains("ada") && !shown.contains("argon2") && !shown.contains(&hash), "{shown}");
        let doorman = Doorman::new().unwrap();
        assert!(doorman.check(&roster, "ada", &Secret::new("marked-password")).is_some());
        assert!(doorman.check(&roster, "ada", &Secret::new("other")).is_none());
        assert!(doorman.check(&roster, "bob", &Secret::new("marked-password")).is_none());
    }
}
