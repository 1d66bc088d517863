//! Precise clocks: RINEX clock files.

use std::io::Read;
use std::path::Path;

use megrez_orbit::{CivilTime, GnssTime, PreciseOrbits, TimeScale};
use megrez_signal::Sat;

use crate::RinexError;
use crate::field::{self, Number};
use crate::input::{self, Lines};
use crate::sp3::Products;

/// Bytes kept of one line.
const MAX_LINE: usize = 200;

/// Reads the satellite clocks of a RINEX clock file of version 2.00 to 3.04, plain or gzip. Merge them into the orbits
/// of an SP3 file by [`PreciseOrbits::merge`].
pub fn read_clk(path: &Path) -> Result<Products<PreciseOrbits>, RinexError> {
    read_clk_from(input::open(path)?)
}

/// As [`read_clk`], from `input`.
pub fn read_clk_from(input: impl Read) -> Result<Products<PreciseOrbits>, RinexError> {
    let mut lines = Lines::unpack(input, MAX_LINE)?;
    let mut file = Products::<PreciseOrbits>::default();
    let first = input::first(&mut lines)?;
    // Version 3.04 has its labels five columns to the right.
    let labelled = [60, 65].map(|from| field::text(first, from, from + 20)).contains(&"RINEX VERSION / TYPE");
    if !labelled || ![20, 21].iter().any(|&at| field::columns(first, at, at + 1) == b"C") {
        return Err(RinexError::NotProducts { expected: "a RINEX clock file" });
    }
    let mut scale = TimeScale::Gpst;
    while file.advance(&mut lines) {
        let (line, number) = (lines.line(), lines.count);
        if let [b'A', b'S', b' ', rest @ ..] = line {
            match clock(rest, scale) {
                Some((sat, t, clock_s)) => file.data.insert_clock(sat, t, clock_s),
                None => file.warn(format!("line {number}: no satellite, time and clock")),
            }
        } else if field::columns(line, 60, 85).windows(14).any(|w| w == b"TIME SYSTEM ID") {
            scale = match field::text(line, 0, 10) {
                "BDT" | "BDS" => TimeScale::Bdt,
                "UTC" | "GLO" => TimeScale::Utc,
                _ => TimeScale::Gpst,
            };
        }
    }
    Ok(file)
}

/// Name, date and time, number of values, values. The columns of 3.04 are wider than those before, the words are the
/// same.
fn clock(line: &[u8], scale: TimeScale) -> Option<(Sat, GnssTime, f64)> {
    let mut words = line.split(|&b| b == b' ').filter(|word| !word.is_empty());
    let sat: Sat = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    let mut number = || match field::decimal(words.next()?) {
        Number::Is(v) => Some(v),
        _ => None,
    };
    let mut within = |least: f64, most: f64| number().filter(|v| (least..=most).contains(v));
    let civil = CivilTime {
        year: within(1980.0, 2200.0)? as i32,
        month: within(1.0, 12.0)? as u8,
        day: within(1.0, 31.0)? as u8,
        hour: within(0.0, 24.0)? as u8,
        minute: within(0.0, 59.0)? as u8,
        second: within(0.0, 61.0)?,
    };
    within(1.0, 6.0)?;
    Some((sat, GnssTime::from_civil(scale, civil), within(-1.0, 1.0)?))
}
