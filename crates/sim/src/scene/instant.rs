use megrez_orbit::{CivilTime, GnssTime, TimeScale};

/// A text that is no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no time such as 2026-03-01T06:00:00 UTC (or GPST, BDT)")]
pub struct InstantError(pub String);

/// Reads "2026-03-01T06:00:00.5 GPST": the date, `T` or a space, the time of day, and the scale (GPST, BDT,
/// UTC or Z; UTC if none is given).
pub fn parse_instant(text: &str) -> Result<GnssTime, InstantError> {
    parse(text).ok_or_else(|| InstantError(text.to_string()))
}

fn parse(text: &str) -> Option<GnssTime> {
    let text = text.trim();
    let upper = text.to_ascii_uppercase();
    let scales = [
        ("GPST", TimeScale::Gpst),
        ("GPS", TimeScale::Gpst),
        ("BDT", TimeScale::Bdt),
        ("UTC", TimeScale::Utc),
        ("Z", TimeScale::Utc),
    ];
    let (rest, scale) = scales
        .iter()
        .find_map(|(name, scale)| upper.strip_suffix(name).map(|rest| (rest, *scale)))
        .unwrap_or((&upper, TimeScale::Utc));
    let (date, clock) = rest.trim_end().split_once(['T', ' '])?;
    let mut date = date.split('-').map(whole);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut fields = clock.trim().splitn(3, ':');
    let (hour, minute) = (whole(fields.next()?)?, whole(fields.next()?)?);
    let second = match fields.next() {
        Some(s) if s.bytes().all(|b| b.is_ascii_digit() || b == b'.') => s.parse::<f64>().ok()?,
        Some(_) => return None,
        None => 0.0,
    };
    let leap = matches!(month, 2) && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 31,
    };
    let ranges = (1980..=2200).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61.0;
    if date.next().is_some() || !ranges {
        return None;
    }
    let civil = CivilTime {
        year: year as i32,
        month: month as u8,
        day: day as u8,
        hour: hour as u8,
        minute: minute as u8,
        second,
    };
    Some(GnssTime::from_civil(scale, civil))
}

fn whole(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scales() {
        let utc = parse_instant("2026-03-01T06:00:00").unwrap();
        assert_eq!(utc, parse_instant("2026-03-01 06:00:00 UTC").unwrap());
        assert_eq!(utc, parse_instant("2026-03-01T06:00Z").unwrap());
        assert_eq!(utc - parse_instant("2026-03-01T06:00:00 GPST").unwrap(), 18.0);
        assert_eq!(utc - parse_instant("2026-03-01T06:00:00.5bdt").unwrap(), 3.5);
    }

    #[test]
    fn refused() {
        for text in ["", "now", "2026-02-30T00:00", "2026-03-01", "2026-03-01T25:00", "1970-01-01T00:00:00"] {
            assert!(parse_instant(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_no_panic(text in "\\PC*") {
            let _ = parse_instant(&text);
        }

        #[test]
        fn any_digits_are_no_panic(text in "[0-9]{1,5}-[0-9]{0,3}-[0-9]{0,3}[T ][0-9]{0,3}:[0-9:.Z]{0,8}") {
            let _ = parse_instant(&text);
        }
    }
}
