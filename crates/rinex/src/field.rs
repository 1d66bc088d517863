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
    let Ok(text) = std::str::from_utf8(columns(line, from, to)) else { return Number::Bad };
    parse_number(text)
}

/// As [`number`], of a piece of text.
pub(crate) fn parse_number(text: &str) -> Number {
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
    let text = std::str::from_utf8(columns(line, from, to)).ok()?;
    let mut parts = text.split_ascii_whitespace();
    let year: i32 = parts.next()?.parse().ok().filter(|y| (1980..=2200).contains(y))?;
    let mut small =
        |range: std::ops::RangeInclusive<u8>| parts.next()?.parse::<u8>().ok().filter(|v| range.contains(v));
    let (month, day, hour, minute) = (small(1..=12)?, small(1..=31)?, small(0..=24)?, small(0..=59)?);
    let second: f64 = parts.next()?.parse().ok().filter(|s| (0.0..61.0).contains(s))?;
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

    #[test]
    fn numbers_in_every_spelling() {
        for text in ["-1.5E-05", "-1.5D-05", "-1.5e-05", " -.15d-04 ", "-0.000015"] {
            assert_eq!(parse_number(text), Number::Is(-1.5e-5), "{text}");
        }
        assert_eq!(parse_number("   "), Number::Blank);
        for text in ["*****", "inf", "NaN", "1.0.0", "1 2", "1e999"] {
            assert_eq!(parse_number(text), Number::Bad, "{text}");
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
}
