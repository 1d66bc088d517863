//! What a file of unknown format may be.

use std::fs::File;
use std::io::{Read, Write};

use megrez::dsp::SampleFormat;
use serde_json::json;

use crate::args::InputArgs;
use crate::error::CliError;

/// Bytes that are looked at.
const LOOK: u64 = 1 << 20;

/// A guess with its reason.
struct Guess {
    format: Option<SampleFormat>,
    why: String,
}

/// Reports a guess in place of `error`, if the error is that the input is not described fully.
pub fn report(args: &InputArgs, error: CliError, json: bool, out: &mut impl Write) -> Result<bool, CliError> {
    let [input] = args.inputs.as_slice() else { return Err(error) };
    if args.format.is_some() || args.config.is_some() || input == "-" {
        return Err(error);
    }
    let Ok(file) = File::open(input) else { return Err(error) };
    let mut bytes = Vec::new();
    if file.take(LOOK).read_to_end(&mut bytes).is_err() || bytes.len() < 4096 {
        return Err(error);
    }
    let guess = guess(&bytes);
    if json {
        let value = json!({ "guessed_format": guess.format.map(|f| f.to_string()), "why": guess.why });
        writeln!(out, "{value}")?;
    } else {
        match guess.format {
            Some(format) => writeln!(out, "format     probably {format}: {}", guess.why)?,
            None => writeln!(out, "format     not recognised: {}", guess.why)?,
        }
    }
    let mut given = String::new();
    if let Some(format) = guess.format {
        given = format!("--format {format} ");
    }
    Err(error
        .hint(format!("try again with {given}--rate R --center C, which no file of bare samples can tell")))
}

/// Share of `values` within 24 of the mode's centre, going round at 256.
fn share_near(histogram: &[u32; 256], center: u8) -> f64 {
    let total: u32 = histogram.iter().sum();
    let near: u32 = (0..=255u8)
        .zip(histogram)
        .filter(|(byte, _)| (byte.wrapping_sub(center) as i8).unsigned_abs() <= 24)
        .map(|(_, n)| n)
        .sum();
    f64::from(near) / f64::from(total.max(1))
}

/// Entropy in bits.
fn entropy(histogram: &[u32; 256]) -> f64 {
    let total = f64::from(histogram.iter().sum::<u32>().max(1));
    histogram
        .iter()
        .filter(|&&n| n > 0)
        .map(|&n| {
            let p = f64::from(n) / total;
            -p * p.log2()
        })
        .sum()
}

fn histogram(bytes: impl Iterator<Item = u8>) -> [u32; 256] {
    let mut histogram = [0; 256];
    for byte in bytes {
        histogram[usize::from(byte)] += 1;
    }
    histogram
}

fn guess(bytes: &[u8]) -> Guess {
    let floats = bytes.chunks_exact(4).map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]]));
    let plausible = floats.clone().filter(|x| *x == 0.0 || (1e-7..1e6).contains(&x.abs())).count();
    if plausible as f64 > 0.999 * (bytes.len() / 4) as f64 {
        return Guess {
            format: Some(SampleFormat::Cf32),
            why: "every four bytes are a float of ordinary size".into(),
        };
    }
    let even = histogram(bytes.iter().step_by(2).copied());
    let odd = histogram(bytes.iter().skip(1).step_by(2).copied());
    if entropy(&even) > entropy(&odd) + 1.5 {
        return Guess {
            format: Some(SampleFormat::Cs16),
            why: "every second byte varies little, as the high bytes of 16-bit samples do".into(),
        };
    }
    let all = histogram(bytes.iter().copied());
    let (around_zero, around_middle) = (share_near(&all, 0), share_near(&all, 128));
    let distinct = all.iter().filter(|&&n| n > 0).count();
    if around_zero > 0.5 && around_zero > 2.0 * around_middle {
        return Guess {
            format: Some(SampleFormat::Cs8),
            why: format!(
                "{:.0} % of the bytes lie around 0; s8 if the samples are real",
                around_zero * 100.0
            ),
        };
    }
    if around_middle > 0.5 && around_middle > 2.0 * around_zero {
        return Guess {
            format: Some(SampleFormat::Cu8),
            why: format!(
                "{:.0} % of the bytes lie around 128; u8 if the samples are real",
                around_middle * 100.0
            ),
        };
    }
    Guess {
        format: None,
        why: format!(
            "{distinct} different bytes; perhaps packed samples of 1, 2 or 4 bits, or 8 bits at a high level"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of a sum of uniform numbers, nearly Gaussian, with the given standard deviation.
    fn noise(sigma: f64, n: usize) -> Vec<f64> {
        let mut state = 1u64;
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / (1u64 << 24) as f64 - 0.5
        };
        (0..n).map(|_| (0..12).map(|_| uniform()).sum::<f64>() * sigma).collect()
    }

    #[test]
    fn common_formats_are_recognised() {
        let n = 20_000;
        let cs8: Vec<u8> = noise(12.0, n).iter().map(|x| *x as i8 as u8).collect();
        let cu8: Vec<u8> = noise(12.0, n).iter().map(|x| (x + 127.5) as u8).collect();
        let cs16: Vec<u8> = noise(900.0, n).iter().flat_map(|x| (*x as i16).to_le_bytes()).collect();
        let cf32: Vec<u8> = noise(0.1, n).iter().flat_map(|x| (*x as f32).to_le_bytes()).collect();
        let packed: Vec<u8> = noise(1e6, n).iter().map(|x| *x as i64 as u8).collect();
        assert_eq!(guess(&cs8).format, Some(SampleFormat::Cs8));
        assert_eq!(guess(&cu8).format, Some(SampleFormat::Cu8));
        assert_eq!(guess(&cs16).format, Some(SampleFormat::Cs16));
        assert_eq!(guess(&cf32).format, Some(SampleFormat::Cf32));
        assert_eq!(guess(&packed).format, None);
    }
}
