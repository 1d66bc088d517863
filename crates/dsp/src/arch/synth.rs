//! Synthesis of samples: waveforms on carriers, Gaussian noise.

use std::f32::consts::{FRAC_PI_4, LN_2};
use std::f64::consts::TAU;

use num_complex::Complex;

use super::Available;
use crate::Level;

/// Samples side by side.
const LANES: usize = 16;

/// Loops that make samples, compiled for the best instructions of a level.
///
/// Results are the same at every level, to the bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SynthMath(Available);

/// A carrier, sample by sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Carrier {
    /// Phase at the first sample in cycles.
    pub phase_cycles: f64,
    /// Cycles a sample.
    pub step_cycles: f64,
    /// Amplitude.
    pub amplitude: f64,
}

/// A generator of Gaussian noise: in each lane a xoshiro128++ (Blackman and Vigna, 2019), whose numbers
/// become normal in pairs by the transform of Box and Muller.
#[derive(Debug, Clone)]
pub struct Noise {
    state: [[u32; LANES]; 4],
}

impl Noise {
    /// Numbers that [`Noise::new`] takes.
    pub const SEEDS: usize = 4 * LANES;

    /// A generator that starts from random numbers.
    pub fn new(mut seeds: impl FnMut() -> u32) -> Self {
        // A lane must not be all zero.
        Self { state: std::array::from_fn(|word| std::array::from_fn(|_| seeds() | u32::from(word == 3))) }
    }
}

impl SynthMath {
    /// Loops at `level`, or portable if this machine lacks it.
    pub fn new(level: Level) -> Self {
        Self(Available::new(level))
    }

    /// Adds `waveform` times a carrier to `re` and `im`, up to the end of the shortest slice.
    ///
    /// The carrier is kept by rotation in single precision: 1e-5 of the amplitude off after 2000 samples.
    pub fn add_carrier(self, re: &mut [f32], im: &mut [f32], waveform: &[f32], carrier: &Carrier) {
        match self.0 {
            // SAFETY: an `Available` holds only levels whose instructions this machine has.
            #[cfg(target_arch = "x86_64")]
            Available(Level::Avx512) => unsafe { add_carrier_avx512(re, im, waveform, carrier) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Available(Level::Avx2) => unsafe { add_carrier_avx2(re, im, waveform, carrier) },
            _ => add_carrier(re, im, waveform, carrier),
        }
    }

    /// Adds independent normal numbers of standard deviation 1, at most 6.6, to both slices, up to the end
    /// of the shorter one. The generator moves on by whole groups of 16 samples.
    pub fn add_noise(self, first: &mut [f32], second: &mut [f32], noise: &mut Noise) {
        match self.0 {
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Available(Level::Avx512) => unsafe { add_noise_avx512(first, second, noise) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Available(Level::Avx2) => unsafe { add_noise_avx2(first, second, noise) },
            _ => add_noise(first, second, noise),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl")]
fn add_carrier_avx512(re: &mut [f32], im: &mut [f32], waveform: &[f32], carrier: &Carrier) {
    add_carrier(re, im, waveform, carrier);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_carrier_avx2(re: &mut [f32], im: &mut [f32], waveform: &[f32], carrier: &Carrier) {
    add_carrier(re, im, waveform, carrier);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl")]
fn add_noise_avx512(first: &mut [f32], second: &mut [f32], noise: &mut Noise) {
    add_noise(first, second, noise);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_noise_avx2(first: &mut [f32], second: &mut [f32], noise: &mut Noise) {
    add_noise(first, second, noise);
}

/// The begin of a group, filled up with zeros.
#[inline(always)]
fn padded(rest: &[f32]) -> [f32; LANES] {
    let mut group = [0.0; LANES];
    group.iter_mut().zip(rest).for_each(|(x, &value)| *x = value);
    group
}

#[inline(always)]
fn add_carrier(re: &mut [f32], im: &mut [f32], waveform: &[f32], carrier: &Carrier) {
    let len = re.len().min(im.len()).min(waveform.len());
    let (re, im, waveform) = (&mut re[..len], &mut im[..len], &waveform[..len]);
    let unit = |cycles: f64| Complex::cis(TAU * (cycles - cycles.floor()));
    let mut lane = [unit(carrier.phase_cycles) * carrier.amplitude; LANES];
    let step = unit(carrier.step_cycles);
    for l in 1..LANES {
        lane[l] = lane[l - 1] * step;
    }
    let turn = step.powu(LANES as u32);
    let mut oscillator = Oscillator {
        cos: std::array::from_fn(|l| lane[l].re as f32),
        sin: std::array::from_fn(|l| lane[l].im as f32),
        turn: (turn.re as f32, turn.im as f32),
    };
    let (re, re_rest) = re.as_chunks_mut::<LANES>();
    let (im, im_rest) = im.as_chunks_mut::<LANES>();
    let (waveform, rest) = waveform.as_chunks::<LANES>();
    for ((re, im), waveform) in re.iter_mut().zip(im).zip(waveform) {
        oscillator.add(re, im, waveform);
    }
    if !rest.is_empty() {
        let (mut last_re, mut last_im) = (padded(re_rest), padded(im_rest));
        oscillator.add(&mut last_re, &mut last_im, &padded(rest));
        re_rest.iter_mut().zip(last_re).for_each(|(x, last)| *x = last);
        im_rest.iter_mut().zip(last_im).for_each(|(x, last)| *x = last);
    }
}

/// A carrier at the samples of a group.
struct Oscillator {
    cos: [f32; LANES],
    sin: [f32; LANES],
    /// Its rotation from one group to the next.
    turn: (f32, f32),
}

impl Oscillator {
    #[inline(always)]
    fn add(&mut self, re: &mut [f32; LANES], im: &mut [f32; LANES], waveform: &[f32; LANES]) {
        let (cos, sin, turn) = (self.cos, self.sin, self.turn);
        for l in 0..LANES {
            re[l] += waveform[l] * cos[l];
            im[l] += waveform[l] * sin[l];
            self.cos[l] = cos[l] * turn.0 - sin[l] * turn.1;
            self.sin[l] = cos[l] * turn.1 + sin[l] * turn.0;
        }
    }
}

#[inline(always)]
fn add_noise(first: &mut [f32], second: &mut [f32], noise: &mut Noise) {
    let len = first.len().min(second.len());
    let (first, first_rest) = first[..len].as_chunks_mut::<LANES>();
    let (second, second_rest) = second[..len].as_chunks_mut::<LANES>();
    for (first, second) in first.iter_mut().zip(second) {
        noise.add(first, second);
    }
    if !first_rest.is_empty() {
        let (mut last_first, mut last_second) = (padded(first_rest), padded(second_rest));
        noise.add(&mut last_first, &mut last_second);
        first_rest.iter_mut().zip(last_first).for_each(|(x, last)| *x = last);
        second_rest.iter_mut().zip(last_second).for_each(|(x, last)| *x = last);
    }
}

impl Noise {
    #[inline(always)]
    fn add(&mut self, first: &mut [f32; LANES], second: &mut [f32; LANES]) {
        let (u, v) = (self.uniform(), self.uniform());
        for l in 0..LANES {
            let (a, b) = normal_pair(u[l], v[l]);
            first[l] += a;
            second[l] += b;
        }
    }

    #[inline(always)]
    fn uniform(&mut self) -> [u32; LANES] {
        let [s0, s1, s2, s3] = &mut self.state;
        let mut out = [0; LANES];
        for l in 0..LANES {
            out[l] = s0[l].wrapping_add(s3[l]).rotate_left(7).wrapping_add(s0[l]);
            let shifted = s1[l] << 9;
            s2[l] ^= s0[l];
            s3[l] ^= s1[l];
            s1[l] ^= s2[l];
            s0[l] ^= s3[l];
            s2[l] ^= shifted;
            s3[l] = s3[l].rotate_left(11);
        }
        out
    }
}

/// Two independent normal numbers from two uniform ones.
///
/// No step is a fused one and none comes from a library, so that every level gives the same bits.
#[inline(always)]
fn normal_pair(u: u32, v: u32) -> (f32, f32) {
    // u as a number above 0, up to 1, is k / 2^31; k is m 2^e with m from sqrt(1/2) to sqrt(2).
    let k = (u >> 1) as i32 as f32 + 1.0;
    let bits = k.to_bits() as i32;
    let exponent = (bits - std::f32::consts::FRAC_1_SQRT_2.to_bits() as i32) >> 23;
    let m = f32::from_bits((bits - (exponent << 23)) as u32);
    // ln m = 2 artanh((m - 1) / (m + 1)): the series is cut off at 3e-8.
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let ln_m = 2.0 * s * (1.0 + s2 * (1.0 / 3.0 + s2 * (1.0 / 5.0 + s2 * (1.0 / 7.0))));
    let ln = (exponent - 31) as f32 * LN_2 + ln_m;
    let radius = (-2.0 * ln).sqrt();
    // v is an angle within an eighth of the circle, whether to mirror it into the next, and two signs.
    const ANGLE_BITS: u32 = 29;
    let angle =
        ((v & ((1 << ANGLE_BITS) - 1)) as i32 as f32 + 0.5) * (FRAC_PI_4 / (1u32 << ANGLE_BITS) as f32);
    let a2 = angle * angle;
    let cos = 1.0 - a2 * (1.0 / 2.0 - a2 * (1.0 / 24.0 - a2 * (1.0 / 720.0 - a2 * (1.0 / 40_320.0))));
    let sin = angle * (1.0 - a2 * (1.0 / 6.0 - a2 * (1.0 / 120.0 - a2 * (1.0 / 5_040.0))));
    let (a, b) = ((radius * cos).to_bits(), (radius * sin).to_bits());
    let mirror = (a ^ b) & (((v << 2) as i32 >> 31) as u32);
    const SIGN: u32 = 1 << 31;
    (f32::from_bits(a ^ mirror ^ (v & SIGN)), f32::from_bits(b ^ mirror ^ ((v << 1) & SIGN)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn noise(seed: u32) -> Noise {
        let mut x = u64::from(seed);
        Noise::new(|| {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (x >> 32) as u32
        })
    }

    fn values(len: usize) -> impl Strategy<Value = Vec<f32>> {
        proptest::collection::vec(-2.0f32..2.0, len)
    }

    proptest! {
        /// Every level against double precision, and equal to the others, at all kinds of lengths.
        #[test]
        fn carriers_at_every_level(
            (waveform, re, im) in (0usize..2100).prop_flat_map(|n| (values(n), values(n), values(n))),
            phase_cycles in -1e9f64..1e9,
            step_cycles in prop_oneof![-0.5f64..0.5, Just(0.0), Just(0.5), -1e-9f64..1e-9],
            amplitude in 0.0f64..2.0,
        ) {
            let carrier = Carrier { phase_cycles, step_cycles, amplitude };
            let run = |level| {
                let (mut re, mut im) = (re.clone(), im.clone());
                SynthMath::new(level).add_carrier(&mut re, &mut im, &waveform, &carrier);
                (re, im)
            };
            let portable = run(Level::Portable);
            for (n, &w) in waveform.iter().enumerate() {
                let cycles = phase_cycles.fract() + step_cycles * n as f64;
                let want = Complex::cis(TAU * cycles) * amplitude * f64::from(w);
                prop_assert!((f64::from(portable.0[n] - re[n]) - want.re).abs() < 1e-4);
                prop_assert!((f64::from(portable.1[n] - im[n]) - want.im).abs() < 1e-4);
            }
            for level in Level::all_available() {
                prop_assert_eq!(&run(level), &portable);
            }
        }

        #[test]
        fn noise_is_the_same_at_every_level(len in 0usize..100, seed: u32) {
            let run = |level| {
                let (mut a, mut b, mut noise) = (vec![0.5; len], vec![-0.5; len], noise(seed));
                SynthMath::new(level).add_noise(&mut a, &mut b, &mut noise);
                (a, b, noise.state)
            };
            for level in Level::all_available() {
                prop_assert_eq!(run(level), run(Level::Portable));
            }
        }

        /// The transform against its definition in double precision.
        #[test]
        fn pairs_follow_box_and_muller(u: u32, v: u32) {
            let (a, b) = normal_pair(u, v);
            let uniform = (f64::from(u >> 1) + 1.0) / 2f64.powi(31);
            let radius = (-2.0 * uniform.ln()).sqrt();
            let mut angle = (f64::from(v & 0x1fff_ffff) + 0.5) / 2f64.powi(29) * std::f64::consts::FRAC_PI_4;
            if v & 0x2000_0000 != 0 {
                angle = std::f64::consts::FRAC_PI_2 - angle;
            }
            let signs = [31, 30].map(|bit| if v >> bit & 1 == 1 { -1.0 } else { 1.0 });
            // Near u = 1 the radius is the root of a difference.
            let most = 2e-6 + 1e-6 / radius.max(1e-4);
            prop_assert!((f64::from(a) - signs[0] * radius * angle.cos()).abs() < most, "{} {}", a, radius);
            prop_assert!((f64::from(b) - signs[1] * radius * angle.sin()).abs() < most, "{} {}", b, radius);
        }
    }

    #[test]
    fn extremes() {
        for u in [0, 1, 2, 3, u32::MAX - 1, u32::MAX, 1 << 31, (1 << 31) - 1] {
            for v in [0, 1, u32::MAX, 1 << 31, 1 << 30, 1 << 29, (1 << 29) - 1] {
                let (a, b) = normal_pair(u, v);
                assert!(a.is_finite() && b.is_finite() && a.hypot(b) < 6.6, "{u:x} {v:x} {a} {b}");
            }
        }
        assert!(normal_pair(u32::MAX, 0).0.abs() < 1e-6);
    }
}
