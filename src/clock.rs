//! Time: moments as microseconds since the Unix epoch, and where the arrival clock comes from.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds in a second.
pub const SECOND_US: u64 = 1_000_000;

/// A moment in microseconds since the Unix epoch, written as RFC 3339 in UTC with microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = i64::try_from(self.0).ok().and_then(|us| jiff::Timestamp::from_microsecond(us).ok());
        match at {
            Some(at) => write!(f, "{at:.6}"),
            None => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let at: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        u64::try_from(at.as_microsecond()).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A duration as the manifest writes it, in the largest unit that divides it: `500ms`, `5m`.
pub fn duration_text(us: u64) -> String {
    const UNITS: [(u64, &str); 6] = [
        (86_400 * SECOND_US, "d"),
        (3_600 * SECOND_US, "h"),
        (60 * SECOND_US, "m"),
        (SECOND_US, "s"),
        (1_000, "ms"),
        (1, "us"),
    ];
    let fits = UNITS.iter().find(|(unit, _)| us >= *unit && us.is_multiple_of(*unit));
    fits.map_or_else(|| "0s".to_owned(), |(unit, name)| format!("{}{name}", us / unit))
}

/// Where `now` comes from. Shells ask it; the core is told.
pub trait Clock: Send + Sync {
    /// Now on the arrival clock, in microseconds since the Unix epoch; never goes back.
    fn now_us(&self) -> u64;

    /// How far that is ahead of the wall clock's time, in microseconds: where the wall clock was set back while we were
    /// down, ours goes on, slower, until it is not.
    fn ahead_us(&self) -> u64 {
        0
    }
}

/// A clock that never steps, and goes on while the machine sleeps: so a suspend is a time in which we did not run, and
/// the senders' clocks are not ahead of ours after it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const STEADY: ClockId = ClockId::Boottime;
/// A clock that never steps. Whether it goes on while the machine sleeps is the system's business.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const STEADY: ClockId = ClockId::Monotonic;

/// The arrival clock of a live server: reads the wall clock once, then only one that never steps, so that a step of
/// the wall clock judges nothing.
#[derive(Debug)]
pub struct MonotonicClock {
    /// What the wall clock was ahead when we started.
    ahead_us: u64,
}

fn steady_us() -> u64 {
    let time = clock_gettime(STEADY);
    time.tv_sec.cast_unsigned() * SECOND_US + time.tv_nsec.cast_unsigned() / 1_000
}

impl MonotonicClock {
    /// Starts at the wall clock's time of now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else asks")]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { ahead_us: (since_epoch.as_micros() as u64).saturating_sub(steady_us()) }
    }
}

impl Clock for MonotonicClock {
    fn now_us(&self) -> u64 {
        self.ahead_us + steady_us()
    }
}
