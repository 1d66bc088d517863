//! Signal biases: SINEX BIAS 1.00, absolute biases (OSB).

use std::io::Read;
use std::path::Path;

use megrez_orbit::{CivilTime, GnssTime, SignalBias, TimeScale};
use megrez_signal::{ObsCode, Sat};

use crate::RinexError;
use crate::field::{self, Number};
use crate::input::{self, Lines};
use crate::sp3::Products;

/// Bytes kept of one line.
const MAX_LINE: usize = 200;

/// Reads the absolute biases (OSB) of satellites from a SINEX BIAS file of version 1.00, plain or gzip. Differential
/// biases and those of stations are left out.
pub fn read_bias(path: &Path) -> Result<Products<Vec<SignalBias>>, RinexError> {
    read_bias_from(input::open(path)?)
}

/// As [`read_bias`], from `input`.
pub fn read_bias_from(input: impl Read) -> Result<Products<Vec<SignalBias>>, RinexError> {
    let mut lines = Lines::unpack(input, MAX_LINE)?;
    let mut file = Products::<Vec<SignalBias>>::default();
    if !input::first(&mut lines)?.starts_with(b"%=BIA") {
        return Err(RinexError::NotProducts { expected: "a SINEX BIAS file" });
    }
    let (mut inside, mut scale) = (false, TimeScale::Gpst);
    while file.advance(&mut lines) {
        let (line, number) = (lines.line(), lines.count);
        match line {
            [b'+', rest @ ..] => inside = rest == b"BIAS/SOLUTION",
            [b'-', ..] => inside = false,
            [b'*', ..] => {}
            // Other kinds of biases, and those of stations.
            _ if inside && (field::text(line, 1, 5) != "OSB" || !field::text(line, 15, 24).is_empty()) => {}
            _ if inside => match bias(line, scale) {
                Some(bias) => file.data.push(bias),
                None => file.warn(format!("line {number}: not a bias of a signal of a satellite")),
            },
            _ if field::text(line, 1, 40) == "TIME_SYSTEM" => {
                scale = match field::text(line, 41, 60) {
                    "C" => TimeScale::Bdt,
                    "R" | "UTC" => TimeScale::Utc,
                    _ => TimeScale::Gpst,
                };
            }
            _ => {}
        }
    }
    Ok(file)
}

fn bias(line: &[u8], scale: TimeScale) -> Option<SignalBias> {
    let sat: Sat = field::text(line, 11, 14).parse().ok()?;
    let observable = field::text(line, 25, 29);
    let phase = match observable.as_bytes().first()? {
        b'C' => false,
        b'L' => true,
        _ => return None,
    };
    let code: ObsCode = observable.get(1..)?.parse().ok()?;
    let value = |from: usize, to: usize| match field::number(line, from, to) {
        Number::Is(v) => Some(v),
        _ => None,
    };
    let unit = match field::text(line, 65, 69) {
        "ns" => 1e-9,
        // Phases may be in cycles of their own carrier; GLONASS would need its channel.
        "cyc" => 1.0 / code.carrier_hz(sat.constellation, 0)?,
        _ => return None,
    };
    Some(SignalBias {
        sat,
        code,
        phase,
        from: date(field::text(line, 35, 49), scale)??,
        until: date(field::text(line, 50, 64), scale)?,
        bias_s: value(70, 91)? * unit,
        deviation_s: value(92, 103).map(|v| v * unit),
    })
}

/// "yyyy:ddd:sssss"; all zeros mean an open end.
fn date(text: &str, scale: TimeScale) -> Option<Option<GnssTime>> {
    let mut parts = text.split(':').map(|part| part.parse::<u32>().ok());
    let (year, day, second) = (parts.next()??, parts.next()??, parts.next()??);
    if (year, day, second) == (0, 0, 0) {
        return Some(None);
    }
    if !(1980..=2200).contains(&year) || !(1..=366).contains(&day) || second > 86_400 {
        return None;
    }
    let first = CivilTime { year: year as i32, month: 1, day: 1, hour: 0, minute: 0, second: 0.0 };
    let days = f64::from(day - 1) * 86_400.0;
    Some(Some(GnssTime::from_civil(scale, first) + days + f64::from(second)))
}
