//! The gate: who may read, and who may report what.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use super::problem::Problem;
use super::sessions_file::SessionsFile;
use crate::access::{Doorman, Login, NoRandomness, Roster, Secret, Throttle};

/// Passwords that are checked at once: each takes a core for a while, and memory.
const CHECKS_MAX: usize = 2;
/// How long somebody who logs in waits for his turn.
const CHECK_PATIENCE: Duration = Duration::from_secs(5);
/// What is asked for where a key is.
pub(super) const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"Observatory\"");

/// Who may read and report.
pub struct Gate {
    /// None where everybody may.
    guarded: Option<Guarded>,
    /// Whether browsers reach us by TLS alone.
    pub(super) tls: bool,
}

/// What is needed where not everybody may.
struct Guarded {
    roster: ArcSwap<Roster>,
    doorman: Arc<Doorman>,
    sessions: Mutex<SessionsFile>,
    throttle: Mutex<Throttle>,
    checks: Semaphore,
}

/// Why nobody is let in.
pub(super) enum Denied {
    /// Try again in so many seconds.
    TooOften(u64),
    /// The name, the password, or both.
    Wrong,
    /// Not our visitor's fault.
    Failed(Problem),
}

/// The nodes whose events a sender may report; `None`: of all.
pub(super) type Bounds = Option<Arc<[String]>>;

impl Gate {
    /// Lets in everybody.
    pub fn open() -> Self {
        Self { guarded: None, tls: false }
    }

    /// Lets in those on the roster. `sessions`: those of the last time.
    pub fn guarded(roster: Arc<Roster>, sessions: SessionsFile) -> Result<Self, NoRandomness> {
        let guarded = Guarded {
            roster: ArcSwap::new(roster),
            doorman: Arc::new(Doorman::new()?),
            sessions: Mutex::new(sessions),
            throttle: Mutex::default(),
            checks: Semaphore::new(CHECKS_MAX),
        };
        Ok(Self { guarded: Some(guarded), tls: false })
    }

    /// The same, reached by TLS or not.
    #[must_use]
    pub fn with_tls(self, tls: bool) -> Self {
        Self { tls, ..self }
    }

    /// Another roster is in force.
    pub fn set_roster(&self, roster: Arc<Roster>) {
        if let Some(guarded) = &self.guarded {
            guarded.roster.store(roster);
        }
    }

    /// Whether not everybody is let in.
    pub(super) fn is_guarded(&self) -> bool {
        self.guarded.is_some()
    }

    /// Whether whoever sends this may read.
    pub(super) fn may_read(&self, headers: &HeaderMap, now_us: u64) -> Result<(), Problem> {
        let Some(guarded) = &self.guarded else { return Ok(()) };
        if let Some(shown) = bearer(headers) {
            return match guarded.roster.load().key(shown) {
                Some(key) if key.may.read() => Ok(()),
                Some(_) => Err(forbidden("this key is for reporting alone; reading needs one with `may = \"read\"`")),
                None => Err(unauthorized("this key is not known here")),
            };
        }
        if self.login(headers, now_us).is_some() {
            return Ok(());
        }
        Err(unauthorized("reading needs a login, or a key: send `Authorization: Bearer KEY`"))
    }

    /// The nodes whose events whoever sends this may report.
    pub(super) fn may_report(&self, headers: &HeaderMap) -> Result<Bounds, Problem> {
        let Some(guarded) = &self.guarded else { return Ok(None) };
        let Some(shown) = bearer(headers) else {
            return Err(unauthorized("reporting needs a key: send `Authorization: Bearer KEY`").closing());
        };
        match guarded.roster.load().key(shown) {
            Some(key) if key.may.report() => Ok(key.nodes.clone()),
            Some(_) => {
                Err(forbidden("this key is for reading alone; reporting needs one with `may = \"report\"`").closing())
            }
            None => Err(unauthorized("this key is not known here").closing()),
        }
    }

    /// The name of the person who has logged in.
    pub(super) fn login(&self, headers: &HeaderMap, now_us: u64) -> Option<String> {
        let guarded = self.guarded.as_ref()?;
        let cookie = self.cookie(headers)?;
        let roster = guarded.roster.load();
        guarded.sessions().find(cookie, &roster, now_us).map(|login| login.name.clone())
    }

    /// Checks a password; gives the cookie of the session that begins.
    pub(super) async fn log_in(
        &self,
        peer: Option<IpAddr>,
        name: String,
        password: Secret,
        now_us: u64,
    ) -> Result<Secret, Denied> {
        let later = || Denied::Failed(Problem::try_later("too many log in at once; try again"));
        let Some(guarded) = &self.guarded else { return Err(Denied::Wrong) };
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        guarded.throttle().take(peer, &name, now_us).map_err(Denied::TooOften)?;
        let turn = tokio::time::timeout(CHECK_PATIENCE, guarded.checks.acquire()).await;
        let (Ok(Ok(_turn)), roster) = (turn, guarded.roster.load_full()) else { return Err(later()) };
        let (doorman, tried) = (Arc::clone(&guarded.doorman), name.clone());
        let check = move || doorman.check(&roster, &tried, &password).cloned();
        // A thread of its own: nobody else waits for it, least of all those who report.
        let checked: Result<Option<Login>, _> = actix_web::web::block(check).await;
        let Ok(login) = checked else { return Err(later()) };
        let login = login.ok_or(Denied::Wrong)?;
        guarded.throttle().give_back(peer, &name);
        let failed = |_| Denied::Failed(Problem::try_later("the system has no random numbers to give; try again"));
        guarded.sessions().begin(&login, now_us).map_err(failed)
    }

    /// Ends the session of whoever sends this.
    pub(super) fn log_out(&self, headers: &HeaderMap) {
        if let (Some(guarded), Some(cookie)) = (&self.guarded, self.cookie(headers)) {
            guarded.sessions().end(cookie);
        }
    }

    /// The cookie's name. By TLS, only we ourselves can have set one with this prefix.
    pub(super) fn cookie_name(&self) -> &'static str {
        if self.tls { "__Host-observatory" } else { "observatory" }
    }

    fn cookie<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let lines = headers.get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie_name()).map(|(_, value)| value)
    }
}

impl Guarded {
    fn sessions(&self) -> MutexGuard<'_, SessionsFile> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key that the headers show.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail).with(header::WWW_AUTHENTICATE, CHALLENGE)
}

fn forbidden(detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, detail)
}

/// Whether another site has made a browser send this: such a request must change nothing.
pub(super) fn is_cross_site(headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = said("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    // Older browsers say where the page came from; programs say nothing.
    let Some(origin) = said("origin") else { return false };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_none() || host != said("host")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs =
            pairs.iter().map(|&(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)));
        pairs.collect()
    }

    #[test]
    fn keys_are_read_from_the_header() {
        let read = |value| bearer(&headers(&[("authorization", value)])).map(str::to_owned);
        assert_eq!(read("Bearer obs_1").as_deref(), Some("obs_1"));
        assert_eq!(read("bearer   obs_1 ").as_deref(), Some("obs_1"));
        assert_eq!(read("Basic obs_1"), None);
        assert_eq!(read("obs_1"), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn cookies_are_found_among_others() {
        let read = |gate: &Gate, value| gate.cookie(&headers(&[("cookie", value)])).map(str::to_owned);
        let (plain, tls) = (Gate::open(), Gate::open().with_tls(true));
        assert_eq!(read(&plain, "a=b; observatory=c; d=e").as_deref(), Some("c"));
        assert_eq!(read(&plain, "xobservatory=c; __Host-observatory=d"), None);
        assert_eq!(read(&tls, "observatory=c; __Host-observatory=d").as_deref(), Some("d"));
    }

    #[test]
    fn other_sites_are_told_apart() {
        for (pairs, cross) in [
            (&[("sec-fetch-site", "same-origin"), ("origin", "http://a"), ("host", "b")][..], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("origin", "http://a:8700"), ("host", "a:8700")], false),
            (&[("origin", "http://evil"), ("host", "a:8700")], true),
            (&[("origin", "null"), ("host", "a:8700")], true),
            (&[("host", "a:8700")], false),
        ] {
            assert_eq!(is_cross_site(&headers(pairs)), cross, "{pairs:?}");
        }
    }
}
