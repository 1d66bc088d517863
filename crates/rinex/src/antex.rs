//! Antenna phase centres: ANTEX 1.4.

use std::io::Read;
use std::path::Path;

use megrez_orbit::{Antenna, AntennaFrequency, GnssTime, TimeScale, Variations};
use megrez_signal::Constellation;

use crate::RinexError;
use crate::field::{self, Number};
use crate::input::{self, Lines};
use crate::sp3::Products;

/// Bytes kept of one line: azimuth and up to some hundred zenith angles.
const MAX_LINE: usize = 4096;
/// Millimetres to metres.
const MM: f64 = 1e-3;

/// Reads an ANTEX file of version 1.3 or 1.4, plain or gzip. An antenna with a value that cannot be read is left out,
/// with a warning.
pub fn read_antex(path: &Path) -> Result<Products<Vec<Antenna>>, RinexError> {
    read_antex_from(input::open(path)?)
}

/// The antenna being read.
#[derive(Default)]
struct Reading {
    antenna: Antenna,
    frequency: Option<AntennaFrequency>,
    table: Variations,
    /// Within the block of root mean squares, which is left out.
    rms: bool,
}

/// As [`read_antex`], from `input`.
pub fn read_antex_from(input: impl Read) -> Result<Products<Vec<Antenna>>, RinexError> {
    let mut lines = Lines::unpack(input, MAX_LINE)?;
    let mut file = Products::<Vec<Antenna>>::default();
    if field::text(input::first(&mut lines)?, 60, 80) != "ANTEX VERSION / SYST" {
        return Err(RinexError::NotProducts { expected: "an ANTEX file" });
    }
    let mut reading: Option<Reading> = None;
    while file.advance(&mut lines) {
        let (line, number) = (lines.line(), lines.count);
        match field::text(line, 60, 80) {
            "START OF ANTENNA" => reading = Some(Reading::default()),
            "END OF ANTENNA" => file.data.extend(reading.take().map(|r| r.antenna)),
            label => {
                if let Some(r) = &mut reading
                    && r.line(line, label).is_none()
                {
                    let kind = &r.antenna.kind;
                    file.warn(format!(
                        "line {number}: antenna \"{kind}\" is left out: a value cannot be read"
                    ));
                    reading = None;
                }
            }
        }
    }
    Ok(file)
}

impl Reading {
    fn line(&mut self, line: &[u8], label: &str) -> Option<()> {
        let number = |from: usize, to: usize| match field::number(line, from, to) {
            Number::Is(v) => Some(v),
            _ => None,
        };
        let (a, frequency) = (&mut self.antenna, &mut self.frequency);
        match label {
            "TYPE / SERIAL NO" => {
                a.kind = field::text(line, 0, 20).to_string();
                a.serial = field::text(line, 20, 40).to_string();
                // Satellites have a number such as G050 in the next field.
                if !field::text(line, 40, 50).is_empty() {
                    a.sat = a.serial.parse().ok();
                }
            }
            "DAZI" => self.table.azimuth_step_deg = number(2, 8).filter(|v| (0.0..=360.0).contains(v))?,
            "ZEN1 / ZEN2 / DZEN" => {
                self.table.zenith_deg = (number(2, 8)?, number(14, 20).filter(|v| *v > 0.0)?);
            }
            "VALID FROM" => a.valid_from = Some(date(line)?),
            "VALID UNTIL" => a.valid_until = Some(date(line)?),
            "START OF FREQUENCY" => {
                let (&letter, &band) = (line.get(3)?, line.get(5)?);
                let letter = if letter == b' ' { 'G' } else { char::from(letter) };
                *frequency = Some(AntennaFrequency {
                    constellation: Constellation::from_letter(letter)?,
                    band,
                    offset_m: [0.0; 3],
                    variations: self.table.clone(),
                });
            }
            "NORTH / EAST / UP" if !self.rms => {
                let offset = [number(0, 10)?, number(10, 20)?, number(20, 30)?];
                frequency.as_mut()?.offset_m = offset.map(|v| v * MM);
            }
            "END OF FREQUENCY" => a.frequencies.extend(frequency.take()),
            "START OF FREQ RMS" => self.rms = true,
            "END OF FREQ RMS" => self.rms = false,
            // A row of variations has no label.
            _ if !self.rms => {
                if let Some(f) = frequency {
                    let v = &mut f.variations;
                    let row = if field::text(line, 3, 8) == "NOAZI" {
                        &mut v.mean_m
                    } else {
                        v.by_azimuth_m.push(Vec::new());
                        v.by_azimuth_m.last_mut()?
                    };
                    row.clear();
                    for value in line.get(8..)?.chunks(8) {
                        let Number::Is(mm) = field::decimal(value) else { return None };
                        row.push(mm * MM);
                    }
                }
            }
            _ => {}
        }
        Some(())
    }
}

/// "5I6,F13.7".
fn date(line: &[u8]) -> Option<GnssTime> {
    field::date(line, 0, 43, TimeScale::Gpst)
}
