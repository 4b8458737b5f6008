//! Timestamps by a format of strptime, read by jiff.
//!
//! - A stamp without a year has the latest one that does not put it more than a day ahead of the time at which the line
//!   was written, as far as that is known: now, or when a recording was last changed.
//! - Local times that a clock showed twice, when it was put back, are read as the one that is nearest to the stamp
//!   before; those that it never showed, when it was put forward, by the offset before that.

use jiff::civil::DateTime;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use super::text::{RuleError, RuleKey};

/// A format that gives a time.
#[derive(Clone, Debug)]
pub(super) struct Format {
    text: String,
    zone: TimeZone,
    /// Whether it says the year.
    year: bool,
    /// Whether it says anything finer than a second.
    pub(super) fraction: bool,
}

/// What a stamp is read beside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside {
    /// About when the line was written, or later.
    pub(super) written_us: u64,
    /// The last stamp of the same file, where there is one.
    pub(super) last_us: Option<u64>,
}

const AHEAD_MAX_US: i64 = 24 * 3_600 * 1_000_000;

impl Format {
    /// Checks a format: one by which a moment can be told.
    pub(super) fn new(format: &str, zone: TimeZone) -> Result<Self, RuleError> {
        let known = |error: jiff::Error| {
            RuleError::new(
                RuleKey::Timestamp,
                format!("this format cannot be read: {error}"),
                "known are %Y %y %m %b %B %d %e %j %H %I %p %M %S %f %.f %T %F %s %z %:z %a %A and %%",
            )
        };
        // What the format tells is seen from what it makes of a moment, and makes of that again.
        let moment =
            DateTime::constant(2024, 11, 20, 13, 14, 15, 123_456_789).to_zoned(TimeZone::UTC).map_err(known)?;
        let text = strtime::format(format, &moment).map_err(known)?;
        let mut told = strtime::parse(format, &text).map_err(known)?;
        let epoch = told.timestamp().is_some();
        let needs = |what: &str, add: &str| {
            let message = format!("a stamp of this format has no {what}");
            RuleError::new(RuleKey::Timestamp, message, format!("add {add}, as strptime has it"))
        };
        if !epoch {
            if told.hour().is_none() {
                return Err(needs("hour", "`%H`"));
            }
            if told.minute().is_none() {
                return Err(needs("minute", "`%M`"));
            }
            if told.second().is_none() {
                return Err(needs("second", "`%S`"));
            }
        }
        let year = epoch || told.year().is_some() || told.iso_week_year().is_some();
        if !year {
            told.set_year(Some(2024)).map_err(known)?;
        }
        if !epoch && told.to_date().is_err() {
            return Err(needs("date", "the day and the month, such as `%Y-%m-%d` or `%b %e`"));
        }
        let fraction = told.subsec_nanosecond().is_some_and(|nanos| nanos != 0);
        Ok(Self { text: format.to_owned(), zone, year, fraction })
    }

    /// Reads a stamp as microseconds since the epoch; `None` where it is none of this format.
    pub(super) fn read(&self, text: &str, beside: Beside) -> Option<i64> {
        let mut told = strtime::parse(&self.text, text).ok()?;
        if let Some(timestamp) = told.timestamp() {
            let nanos = told.subsec_nanosecond().unwrap_or(0);
            return Some(timestamp.as_microsecond() + i64::from(nanos / 1_000));
        }
        if self.year {
            return self.moment(&told, beside);
        }
        let written = i64::try_from(beside.written_us).ok()?;
        let year = Timestamp::from_microsecond(written).ok()?.to_zoned(TimeZone::UTC).year();
        // A leap day may lie eight years back.
        for year in (year - 8..=year + 1).rev() {
            told.set_year(Some(year)).ok()?;
            if let Some(us) = self.moment(&told, beside)
                && us <= written + AHEAD_MAX_US
            {
                return Some(us);
            }
        }
        None
    }

    fn moment(&self, told: &BrokenDownTime, beside: Beside) -> Option<i64> {
        let local = told.to_datetime().ok()?;
        if let Some(offset) = told.offset() {
            return at(local, offset);
        }
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Gap { before: offset, .. } => at(local, offset),
            AmbiguousOffset::Fold { before, after } => {
                let (first, second) = (at(local, before)?, at(local, after)?);
                let near = beside.last_us.unwrap_or(beside.written_us) as i64;
                Some(if near.abs_diff(second) < near.abs_diff(first) { second } else { first })
            }
        }
    }
}

fn at(local: DateTime, offset: Offset) -> Option<i64> {
    offset.to_timestamp(local).ok().map(Timestamp::as_microsecond)
}

/// The time zone of a name of the IANA database, or of an offset such as `+02:00`. Zones are read from the
/// database that is part of this program, so that they are the same on every machine.
pub(super) fn zone(name: &str) -> Result<TimeZone, RuleError> {
    if let Ok(zone) = TimeZoneDatabase::bundled().get(name) {
        return Ok(zone);
    }
    if let Some(offset) = offset(name) {
        return Ok(TimeZone::fixed(offset));
    }
    let database = TimeZoneDatabase::bundled();
    let names: Vec<_> = database.available().map(|name| name.as_str().to_owned()).collect();
    // A city alone is meant as that of its continent.
    let city = |full: &&String| full.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(name));
    let near = names.iter().find(city).map(String::as_str);
    let near = near.or_else(|| crate::graph::nearest(name, names.iter().map(String::as_str)));
    let help = match near {
        Some(near) => format!("write \"{near}\""),
        None => "write a name like \"Europe/Helsinki\", an offset like \"+02:00\", or \"UTC\"".to_owned(),
    };
    let error = RuleError::new(RuleKey::Timezone, "unknown time zone", help);
    Err(match near {
        Some(near) => error.label(format!("did you mean \"{near}\"?")),
        None => error,
    })
}

/// An offset from UTC: `+02:00`, `-0330`, `Z`.
fn offset(text: &str) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let told = strtime::parse("%:z", text).or_else(|_| strtime::parse("%z", text)).ok()?;
    told.offset().filter(|offset| offset.duration_since(Offset::UTC).abs() < SignedDuration::from_hours(24))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc_us(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn read(format: &str, zone_name: &str, text: &str, written: &str, last: Option<&str>) -> Option<String> {
        let format = Format::new(format, zone(zone_name).unwrap()).unwrap();
        let beside = Beside { written_us: utc_us(written) as u64, last_us: last.map(|last| utc_us(last) as u64) };
        format.read(text, beside).map(|us| Timestamp::from_microsecond(us).unwrap().to_string())
    }

    #[test]
    fn the_formats_that_programs_use() {
        for (format, zone, text, moment) in [
            ("%d/%b/%Y:%H:%M:%S %z", "UTC", "20/Nov/2026:14:00:00 +0200", "2026-11-20T12:00:00Z"),
            ("%Y-%m-%d %H:%M:%S,%f", "Europe/Helsinki", "2026-11-20 14:00:00,123", "2026-11-20T12:00:00.123Z"),
            ("%Y-%m-%d %H:%M:%S,%f", "Europe/Helsinki", "2026-07-20 15:00:00,123", "2026-07-20T12:00:00.123Z"),
            ("%Y-%m-%d %H:%M:%S%.f", "+02:00", "2026-11-20 14:00:00.5", "2026-11-20T12:00:00.5Z"),
            ("%Y-%m-%d %H:%M:%S%.f", "UTC", "2026-11-20 12:00:00", "2026-11-20T12:00:00Z"),
            ("%y%m%d %H%M%S", "UTC", "081109 203615", "2008-11-09T20:36:15Z"),
            ("%d/%b/%Y:%H:%M:%S%.f", "UTC", "20/Nov/2026:12:00:00.042", "2026-11-20T12:00:00.042Z"),
            ("%b %e %H:%M:%S", "UTC", "Nov 20 12:00:00", "2026-11-20T12:00:00Z"),
            ("%b %e %H:%M:%S", "UTC", "Nov  5 12:00:00", "2026-11-05T12:00:00Z"),
            ("%b %d %H:%M:%S", "UTC", "Nov  5 12:00:00", "2026-11-05T12:00:00Z"),
            ("%I:%M:%S %p %m/%d/%Y", "UTC", "12:00:00 PM 11/20/2026", "2026-11-20T12:00:00Z"),
            ("%Y-%jT%T", "UTC", "2026-324T12:00:00", "2026-11-20T12:00:00Z"),
            ("%s", "UTC", "1795176000", "2026-11-20T12:00:00Z"),
        ] {
            let read = read(format, zone, text, "2026-11-20T13:00:00Z", None);
            assert_eq!(read.as_deref(), Some(moment), "{format} {text}");
        }
        assert_eq!(read("%Y-%m-%d %H:%M:%S", "UTC", "2026-02-30 12:00:00", "2026-11-20T13:00:00Z", None), None);
    }

    #[test]
    fn a_year_is_found_across_new_year_and_for_leap_days() {
        for (text, written, moment) in [
            ("Dec 31 23:59:59", "2027-01-01T00:00:10Z", Some("2026-12-31T23:59:59Z")),
            ("Jan 1 00:00:00", "2026-12-31T23:59:59Z", Some("2027-01-01T00:00:00Z")),
            ("Jan 5 00:00:00", "2026-11-20T00:00:00Z", Some("2026-01-05T00:00:00Z")),
            ("Nov 21 00:00:00", "2026-11-20T00:00:00Z", Some("2026-11-21T00:00:00Z")),
            ("Nov 21 00:00:01", "2026-11-20T00:00:00Z", Some("2025-11-21T00:00:01Z")),
            ("Feb 29 12:00:00", "2027-03-01T00:00:00Z", Some("2024-02-29T12:00:00Z")),
            ("Feb 30 12:00:00", "2027-03-01T00:00:00Z", None),
        ] {
            assert_eq!(read("%b %e %H:%M:%S", "UTC", text, written, None).as_deref(), moment, "{text} at {written}");
        }
    }

    #[test]
    fn an_hour_that_came_twice_is_read_by_what_came_before() {
        let at = |text, last| read("%F %T", "Europe/Helsinki", text, "2026-11-20T00:00:00Z", last);
        // On 2026-10-25 the clocks of Helsinki went from 04:00 back to 03:00.
        let (first, second) = ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
        assert_eq!(at("2026-10-25 03:30:00", Some("2026-10-25T00:29:59Z")).as_deref(), Some(first));
        assert_eq!(at("2026-10-25 03:30:00", Some("2026-10-25T01:29:59Z")).as_deref(), Some(second));
        assert_eq!(at("2026-10-25 03:00:00", Some("2026-10-25T00:59:59Z")).as_deref(), Some("2026-10-25T01:00:00Z"));
        // And on 2026-03-29 from 03:00 on to 04:00.
        assert_eq!(at("2026-03-29 03:30:00", None).as_deref(), Some("2026-03-29T01:30:00Z"));
    }

    #[test]
    fn what_can_give_no_time_is_refused() {
        for (format, missing) in [
            ("%H:%M:%S", "date"),
            ("%Y-%m-%d", "hour"),
            ("%Y-%m-%d %H", "minute"),
            ("%Y-%m-%d %H:%M", "second"),
            ("%d %H:%M:%S", "date"),
            ("%Y %H:%M:%S", "date"),
            ("", "hour"),
            ("nothing", "hour"),
            ("%Y-%m-%d %H:%M:%S %Z", "cannot be read"),
            ("%Y-%m-%d %H:%M:%S %Ö", "cannot be read"),
            ("%", "cannot be read"),
        ] {
            let error = Format::new(format, TimeZone::UTC).unwrap_err();
            assert!(error.message.contains(missing), "{format}: {}", error.message);
        }
        let format = |format| Format::new(format, TimeZone::UTC).unwrap();
        assert!(format("%F %T%.f").fraction && !format("%F %T").fraction);
    }

    #[test]
    fn zones_are_known_by_name_and_offset() {
        for name in ["UTC", "Europe/Helsinki", "europe/helsinki", "+02:00", "-0330", "Z", "America/New_York"] {
            assert!(zone(name).is_ok(), "{name}");
        }
        for (name, help) in [
            ("Europe/Helsinky", "Europe/Helsinki"),
            ("Helsinki", "Europe/Helsinki"),
            ("nowhere at all", "+02:00"),
            ("+99:00", "+02:00"),
        ] {
            let error = zone(name).unwrap_err();
            assert!(error.help.contains(help), "{name}: {}", error.help);
        }
    }
}
