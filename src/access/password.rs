//! Passwords of people: kept as Argon2id, which is slow on purpose.

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params, PasswordHash};

use super::Secret;
use super::key::{Digest, NoRandomness, random};

/// The fewest characters of a password.
pub const PASSWORD_MIN_CHARS: usize = 8;
/// The most bytes of a password.
pub const PASSWORD_MAX_BYTES: usize = 1024;
/// The most memory that checking a password may take, in KiB.
const MEMORY_MAX_KIB: u32 = 256 * 1024;
/// The most passes over that memory.
const PASSES_MAX: u32 = 16;
/// The most lanes of that memory.
const LANES_MAX: u32 = 16;

/// A password, hashed: `$argon2id$v=19$m=19456,t=2,p=1$...`. It has no Display, Debug or Serialize either:
/// who has it can guess at leisure.
#[derive(Clone, PartialEq, Eq)]
pub struct Hashed(PasswordHash);

impl Hashed {
    /// Hashes a password: 19 MiB, two passes, as OWASP recommends for Argon2id.
    pub fn new(password: &Secret) -> Result<Self, NoRandomness> {
        let salt = random::<16>()?;
        let hashed = Argon2::default().hash_password_with_salt(password.expose().as_bytes(), &salt);
        // The parameters are the crate's own, and the salt has the length that it recommends.
        hashed.map(Self).or(Err(NoRandomness))
    }

    /// Reads what [`Self::text`] wrote; `None` where it is something else, or too slow to be checked.
    pub fn parse(text: &str) -> Option<Self> {
        let hash = PasswordHash::new(text).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let bounded =
            params.m_cost() <= MEMORY_MAX_KIB && params.t_cost() <= PASSES_MAX && params.p_cost() <= LANES_MAX;
        let whole = hash.salt.is_some() && hash.hash.is_some();
        (hash.algorithm.as_str() == "argon2id" && bounded && whole).then_some(Self(hash))
    }

    /// As the manifest has it.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// Whether this is the password. Slow on purpose: tens of milliseconds and 19 MiB.
    pub fn is(&self, password: &Secret) -> bool {
        let bytes = password.expose().as_bytes();
        bytes.len() <= PASSWORD_MAX_BYTES && Argon2::default().verify_password(bytes, &self.0).is_ok()
    }

    /// Tells this hash from that of any other password, and is no help in guessing it.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_fits() {
        let hashed = Hashed::new(&Secret::new("correct horse")).unwrap();
        let again = Hashed::parse(&hashed.text()).unwrap();
        assert!(again.is(&Secret::new("correct horse")));
        assert!(!again.is(&Secret::new("correct horse ")));
        assert!(!again.is(&Secret::new("")));
        let other = Hashed::new(&Secret::new("correct horse")).unwrap();
        assert!(other != hashed, "the salt differs");
    }

    #[test]
    fn what_is_no_hash_or_too_slow_is_not_taken() {
        let good = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$VAeCcOEZwFFVMwUyGVyzrQOz4q8ozFGK1ELBcY1qvhc";
        assert!(Hashed::parse(good).is_some());
        let wrong = [
            "hunter2".to_owned(),
            good.replace("argon2id", "argon2i"),
            good.replace("argon2id", "scrypt"),
            good.replace("m=19456", "m=4000000"),
            good.replace("t=2", "t=1000"),
            good.rsplit_once('$').unwrap().0.to_owned(),
        ];
        for text in wrong {
            assert!(Hashed::parse(&text).is_none(), "{text}");
        }
    }
}
