//! Precise orbits: SP3-c and SP3-d.

use std::io::{BufRead, Read};
use std::path::Path;

use megrez_orbit::{Ecef, GnssTime, PreciseOrbits, TimeScale};
use megrez_signal::Sat;

use crate::RinexError;
use crate::field::{self, Number};
use crate::input::{self, Lines};

/// Bytes kept of one line.
const MAX_LINE: usize = 160;
/// Clocks from here up mean "unknown" (999999.999999 µs).
const UNKNOWN_CLOCK_US: f64 = 999_999.0;

/// A file of products and what could not be read of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Products<T> {
    /// The contents.
    pub data: T,
    /// Warnings with line numbers, the first ones.
    pub warnings: Vec<String>,
}

impl<T> Products<T> {
    pub(crate) fn warn(&mut self, warning: String) {
        if self.warnings.len() < 100 {
            self.warnings.push(warning);
        }
    }

    /// Goes to the next line; false at the end of the file, with a warning where it breaks off.
    pub(crate) fn advance<R: BufRead>(&mut self, lines: &mut Lines<R>) -> bool {
        match lines.next() {
            Ok(line) => line.is_some(),
            Err(error) => {
                self.warn(format!("line {}: the file breaks off: {error}", lines.count));
                false
            }
        }
    }
}

/// Reads an SP3-c or SP3-d file, plain or gzip: positions and clocks. Velocities, accuracies and events are left out;
/// positions of zero and clocks of 999999.999999 are unknown.
pub fn read_sp3(path: &Path) -> Result<Products<PreciseOrbits>, RinexError> {
    read_sp3_from(input::open(path)?)
}

/// As [`read_sp3`], from `input`.
pub fn read_sp3_from(input: impl Read) -> Result<Products<PreciseOrbits>, RinexError> {
    let mut lines = Lines::unpack(input, MAX_LINE)?;
    let mut file = Products::<PreciseOrbits>::default();
    let first = input::first(&mut lines)?;
    if !matches!(first, [b'#', b'c' | b'd', b'P' | b'V', ..]) {
        return Err(RinexError::NotProducts { expected: "an SP3-c or SP3-d file" });
    }
    let mut scale = None;
    let mut time: Option<GnssTime> = None;
    while file.advance(&mut lines) {
        let (line, number) = (lines.line(), lines.count);
        match line {
            // The first of two such lines names the time system.
            [b'%', b'c', ..] if scale.is_none() => {
                scale = Some(match field::text(line, 9, 12) {
                    "BDT" | "BDS" => TimeScale::Bdt,
                    "UTC" | "GLO" => TimeScale::Utc,
                    _ => TimeScale::Gpst,
                });
            }
            [b'*', ..] => {
                time = field::date(line, 2, 31, scale.unwrap_or(TimeScale::Gpst));
                if time.is_none() {
                    file.warn(format!("line {number}: no date and time; its positions are skipped"));
                }
            }
            [b'P', ..] => {
                if let Some(t) = time
                    && position(line, t, &mut file.data).is_none()
                {
                    file.warn(format!("line {number}: no satellite and position"));
                }
            }
            [b'E', b'O', b'F'] => break,
            _ => {}
        }
    }
    Ok(file)
}

/// "P" A1,I2 4F14.6: km and µs.
fn position(line: &[u8], t: GnssTime, orbits: &mut PreciseOrbits) -> Option<()> {
    let sat: Sat = field::text(line, 1, 4).parse().ok()?;
    let value = |i: usize| match field::number(line, 4 + 14 * i, 18 + 14 * i) {
        Number::Is(v) => Some(v),
        _ => None,
    };
    let position = Ecef::new(value(0)?, value(1)?, value(2)?) * 1000.0;
    if position.norm() > 1e6 {
        orbits.insert_position(sat, t, position);
    }
    match value(3) {
        Some(clock) if clock.abs() < UNKNOWN_CLOCK_US => orbits.insert_coarse_clock(sat, t, clock * 1e-6),
        _ => {}
    }
    Some(())
}
