//! Fields of fixed columns, as a Fortran program would read and write them.

use megrez_orbit::{CivilTime, GnssTime, TimeScale};

/// Columns `from..to` of a line, as far as the line reaches.
pub(crate) fn columns(line: &[u8], from: usize, to: usize) -> &[u8] {
    line.get(from.min(line.len())..to.min(line.len())).unwrap_or_default()
}

/// Text in columns `from..to` without blanks around it; empty if it is no ASCII text.
pub(crate) fn text(line: &[u8], from: usize, to: usize) -> &str {
    std::str::from_utf8(columns(line, from, to)).map(str::trim).unwrap_or_default()
}

/// What a numeric field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// Nothing but blanks.
    Blank,
    /// Not a number.
    Bad,
    /// A finite number.
    Is(f64),
}

/// The number in columns `from..to`; its exponent may be written E, e, D or d.
pub(crate) fn number(line: &[u8], from: usize, to: usize) -> Number {
    decimal(columns(line, from, to))
}

/// Powers of ten that are exact.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// As [`parse_number`], faster for numbers of up to 15 digits, and as exact: both the digits and the power of ten are
/// then exact numbers, so that their product or quotient is the nearest one.
pub(crate) fn decimal(field: &[u8]) -> Number {
    let Some(start) = field.iter().position(|&b| b != b' ') else { return Number::Blank };
    let text = field.get(start..).unwrap_or_default();
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (mut mantissa, mut count, mut decimals, mut point) = (0u64, 0usize, 0i32, false);
    while let [b, after @ ..] = rest {
        match b {
            b'0'..=b'9' if count < 15 => {
                mantissa = mantissa * 10 + u64::from(b - b'0');
                count += 1;
                decimals += i32::from(point);
            }
            b'.' if !point => point = true,
            _ => break,
        }
        rest = after;
    }
    let exponent = match rest {
        [
            b'E' | b'e' | b'D' | b'd',
            sign @ (b'+' | b'-'),
            tens @ b'0'..=b'9',
            ones @ b'0'..=b'9',
            after @ ..,
        ] => {
            rest = after;
            let size = i32::from(tens - b'0') * 10 + i32::from(ones - b'0');
            if *sign == b'-' { -size } else { size }
        }
        _ => 0,
    };
    let power = exponent - decimals;
    match POWERS.get(power.unsigned_abs() as usize) {
        Some(&ten) if count > 0 && rest.iter().all(|&b| b == b' ') => {
            let mantissa = if negative { -(mantissa as f64) } else { mantissa as f64 };
            Number::Is(if power < 0 { mantissa / ten } else { mantissa * ten })
        }
        _ => std::str::from_utf8(text).map_or(Number::Bad, parse_number),
    }
}

/// The number in a piece of text, by the standard library.
#[cold]
fn parse_number(text: &str) -> Number {
    let text = text.trim();
    if text.is_empty() {
        return Number::Blank;
    }
    // Rust also takes "inf" and "nan", which no field may hold.
    match text.replace(['D', 'd'], "E").parse::<f64>() {
        Ok(value) if value.is_finite() => Number::Is(value),
        _ => Number::Bad,
    }
}

/// "yyyy mm dd hh mm ss" in columns `from..to` as an instant of `scale`.
pub(crate) fn date(line: &[u8], from: usize, to: usize, scale: TimeScale) -> Option<GnssTime> {
    read_date(line, from, to, scale, |year| (1980..=2200).contains(&year).then_some(year))
}

/// As [`date`], with two digits of the year, of which 80 to 99 are of the last century (RINEX 2.11 section 5.4).
pub(crate) fn date2(line: &[u8], from: usize, to: usize, scale: TimeScale) -> Option<GnssTime> {
    read_date(line, from, to, scale, |year| match year {
        0..80 => Some(2000 + year),
        80..100 => Some(1900 + year),
        _ => None,
    })
}

fn read_date(
    line: &[u8],
    from: usize,
    to: usize,
    scale: TimeScale,
    year: impl Fn(i32) -> Option<i32>,
) -> Option<GnssTime> {
    let text = std::str::from_utf8(columns(line, from, to)).ok()?;
    let mut parts = text.split_ascii_whitespace();
    let year = year(parts.next()?.parse().ok()?)?;
    let mut small =
        |range: std::ops::RangeInclusive<u8>| parts.next()?.parse::<u8>().ok().filter(|v| range.contains(v));
    let (month, day, hour, minute) = (small(1..=12)?, small(1..=31)?, small(0..=24)?, small(0..=59)?);
    let Number::Is(second @ 0.0..61.0) = decimal(parts.next()?.as_bytes()) else { return None };
    Some(GnssTime::from_civil(scale, CivilTime { year, month, day, hour, minute, second }))
}

/// `value` in `width` columns with `digits` decimals and a two-digit exponent: "-1.234567890123E-05".
pub(crate) fn scientific(value: f64, width: usize, digits: usize) -> String {
    let value = if value.is_finite() && value.abs() >= 1e-99 { value } else { 0.0 };
    let text = format!("{value:.digits$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{:>width$}", format!("{mantissa}E{sign}{:02}", exponent.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_in_every_spelling() {
        for text in ["-1.5E-05", "-1.5D-05", "-1.5e-05", " -.15d-04 ", "-0.000015"] {
            assert_eq!(decimal(text.as_bytes()), Number::Is(-1.5e-5), "{text}");
        }
        assert_eq!(decimal(b"   "), Number::Blank);
        for text in ["*****", "inf", "NaN", "1.0.0", "1 2", "1e999"] {
            assert_eq!(decimal(text.as_bytes()), Number::Bad, "{text}");
        }
    }

    #[test]
    fn scientific_fields_keep_their_width() {
        assert_eq!(scientific(-1.234_567_890_123_4e-5, 19, 12), "-1.234567890123E-05");
        assert_eq!(scientific(0.0, 19, 12), " 0.000000000000E+00");
        assert_eq!(scientific(1e-120, 19, 12), " 0.000000000000E+00");
        assert_eq!(scientific(5153.6, 12, 4), "  5.1536E+03");
    }

    #[test]
    fn columns_beyond_the_line_are_empty() {
        assert_eq!(columns(b"abc", 1, 9), b"bc");
        assert_eq!(columns(b"abc", 5, 9), b"");
        assert_eq!(number(b"abc", 5, 9), Number::Blank);
    }

    proptest! {
        #[test]
        fn numbers_as_the_library_reads_them(
            text in " {0,3}-?[0-9]{0,9}\\.?[0-9]{0,12}([EeDd][-+]?[0-9]{1,3})? {0,2}",
        ) {
            prop_assert_eq!(decimal(text.as_bytes()), parse_number(&text));
        }

        #[test]
        fn any_bytes_as_the_library_reads_them(bytes in proptest::collection::vec(any::<u8>(), 0..16)) {
            let expected = std::str::from_utf8(&bytes).map_or(Number::Bad, parse_number);
            prop_assert_eq!(decimal(&bytes), expected);
        }
    }
}
