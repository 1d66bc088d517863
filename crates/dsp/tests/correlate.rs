//! The correlator at every level against the definition evaluated sample by sample in f64.
//!
//! Without a residual carrier the only freedom is f32 rounding and a sample that lies on a chip edge to
//! within 1e-6 chips, or 1/2000 chip where samples are correlated directly; with one, the bound of the held
//! or rounded carrier is checked too. A signal in noise shows the loss, a clean one the code phase.

#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;

use megrez_dsp::{
    Band, Correlation, Correlator, Kernel, Level, Replica, SampleBlock, Samples, StreamInfo, Subcarrier, Taps,
};
use num_complex::Complex;
use proptest::prelude::*;

const CARRIER_HZ: f64 = 1575.42e6;

/// Small deterministic generator, so that failures shrink and repeat.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn gauss(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }
}

fn chips(len: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    (0..len).map(|_| (random.next() >> 40) as u8 & 1).collect()
}

fn band(rate: f64, first: u64, samples: &[Complex<i8>], level: Level) -> Band {
    let info = StreamInfo { sample_rate_hz: rate, center_hz: CARRIER_HZ, complex: true };
    let mut band = Band::new(&info, CARRIER_HZ, 0.1, level);
    let mut at = first;
    for part in samples.chunks(info.block_len().max(1)) {
        band.push(&SampleBlock { first_sample: at, samples: Samples::Complex(part.to_vec()) });
        at += part.len() as u64;
    }
    band
}

/// Value of the code at `phase` chips.
fn value(chips: &[u8], subcarrier: Subcarrier, phase: f64) -> f64 {
    let chip = chips[(phase.floor().rem_euclid(chips.len() as f64)) as usize];
    let sign = if chip == 0 { 1.0 } else { -1.0 };
    let second_half = subcarrier == Subcarrier::BocSine && phase - phase.floor() >= 0.5;
    if second_half { -sign } else { sign }
}

/// The definition; and for each tap the weight of samples within `edge` chips of an edge, which may go
/// either way.
fn reference(
    samples: &[Complex<i8>],
    rate: f64,
    chips: &[u8],
    subcarrier: Subcarrier,
    c: &Correlation,
    edge: f64,
) -> [(Complex<f64>, f64); 3] {
    [c.tap_spacing_chips, 0.0, -c.tap_spacing_chips].map(|offset| {
        let mut sum = Complex::new(0.0, 0.0);
        let mut on_edge = 0.0;
        for (n, x) in samples.iter().enumerate() {
            let n = n as f64;
            let (sin, cos) = (-TAU * (c.carrier_phase_cycles + n * c.carrier_freq_hz / rate)).sin_cos();
            let y = Complex::new(f64::from(x.re), f64::from(x.im)) * Complex::new(cos, sin);
            let phase = c.code_phase_chips + n * c.code_rate_hz / rate + offset;
            sum += y * value(chips, subcarrier, phase);
            if (2.0 * phase - (2.0 * phase).round()).abs() < 2.0 * edge {
                on_edge += 2.0 * y.norm();
            }
        }
        (sum, on_edge)
    })
}

fn list(taps: Taps) -> [Complex<f64>; 3] {
    [taps.early, taps.prompt, taps.late].map(|t| Complex::new(f64::from(t.re), f64::from(t.im)))
}

/// R.m.s. error of a carrier whose components are rounded to 1/63 by a random threshold.
const ROUNDED: f64 = 0.5774 / 63.0;

/// Checks every level; `held` is the r.m.s. phase error in radians that holding the carrier may cause.
fn check(
    samples: &[Complex<i8>],
    rate: f64,
    chips: &[u8],
    subcarrier: Subcarrier,
    c: &Correlation,
    held: f64,
) -> Result<(), TestCaseError> {
    let first = 1_000_003;
    let c = Correlation { start: first + c.start, ..*c };
    let from = (c.start - first) as usize;
    let part = &samples[from..from + c.len];
    let replica = Replica::new(chips, subcarrier);
    let want = reference(part, rate, chips, subcarrier, &c, 5e-7);
    let want_direct = reference(part, rate, chips, subcarrier, &c, 5e-4);
    // With that many samples to a value of the code, running sums are always taken, but with AVX-512.
    let per_chip = if subcarrier == Subcarrier::BocSine { 2.0 } else { 1.0 };
    let only_sums = |level| {
        level != Level::Avx512 && held == 0.0 && (20.0..250.0).contains(&(rate / (c.code_rate_hz * per_chip)))
    };
    let rounded = if c.carrier_freq_hz == 0.0 { 0.0 } else { ROUNDED };
    let energy = part.iter().map(|x| f64::from(x.re).powi(2) + f64::from(x.im).powi(2)).sum::<f64>().sqrt();
    let mut portable = None;
    for level in Level::all_available() {
        let band = band(rate, first, samples, level);
        let taps = Correlator::new(rate, level).correlate(&band.view(), &replica, &c);
        let Some(taps) = taps else { return Err(TestCaseError::fail("no result")) };
        let exact = only_sums(level) || level == Level::Portable;
        let (want, error) = if exact { (want, held) } else { (want_direct, held.max(rounded)) };
        for (got, (want, on_edge)) in list(taps).iter().zip(want) {
            let bound = energy * (2e-5 + 6.0 * error) + on_edge + 1e-3;
            let error = (got - want).norm();
            prop_assert!(error <= bound, "{level}: {got} for {want}: off by {error}, bound {bound}");
        }
        let portable = *portable.get_or_insert(taps);
        for (a, b) in list(taps).iter().zip(list(portable)).filter(|_| exact) {
            prop_assert!((a - b).norm() <= 1e-5 * energy + 1e-3, "{level} and portable differ: {a} {b}");
        }
    }
    Ok(())
}

fn noise(len: usize, seed: u64) -> Vec<Complex<i8>> {
    let mut random = Random(seed);
    (0..len).map(|_| Complex::new((random.next() >> 20) as i8, (random.next() >> 20) as i8)).collect()
}

fn spacing() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.5), Just(0.25), Just(0.1), Just(1.0), Just(0.0), 0.01..1.0f64]
}

fn code_phase() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.0..1023.0f64, Just(-0.0001), Just(1022.9999999), -1e9..1e9f64]
}

/// How far the early-minus-late discriminator is off, in chips.
fn discriminator(taps: [Complex<f64>; 3], spacing: f64, subcarrier: Subcarrier) -> f64 {
    let [early, _, late] = taps.map(Complex::norm);
    let slope = if subcarrier == Subcarrier::BocSine { 3.0 } else { 1.0 };
    (1.0 - slope * spacing) / slope * (early - late) / (early + late)
}

/// A clean signal: the code phase and the carrier phase of every level against those of the definition.
#[test]
fn code_and_carrier_phase_are_not_biased() {
    const TRIALS: u32 = 40;
    let code = chips(1023, 9);
    let mut random = Random(31);
    for rate in [2.5e6, 4.0e6, 4.092e6, 10.0e6] {
        for doppler in [0.0, 0.3, 40.0, 977.0, -3.0e3, 5.0e3, 63.0e3, -100.0e3] {
            for (spacing, subcarrier) in [
                (0.25, Subcarrier::None),
                (0.1, Subcarrier::None),
                (0.5, Subcarrier::None),
                (0.1, Subcarrier::BocSine),
            ] {
                if subcarrier == Subcarrier::BocSine && rate < 4.0e6 {
                    continue;
                }
                let levels = Level::all_available();
                let mut code_bias = vec![0.0; levels.len()];
                let mut carrier_bias = vec![Complex::new(0.0, 0.0); levels.len()];
                for trial in 0..TRIALS {
                    let (phase, turns) = (1023.0 * random.uniform(), random.uniform());
                    let code_rate = 1.023e6 * (1.0 + doppler / CARRIER_HZ);
                    let samples: Vec<_> = (0..(rate * 1e-3) as usize)
                        .map(|n| {
                            let n = n as f64;
                            let (sin, cos) = (TAU * (turns + n * doppler / rate)).sin_cos();
                            let a = 90.0 * value(&code, subcarrier, phase + n * code_rate / rate);
                            // Rounded by chance, so that this adds no bias of its own.
                            let mut component = |v: f64| (v + random.uniform()).floor() as i8;
                            Complex::new(component(a * cos), component(a * sin))
                        })
                        .collect();
                    let first = u64::from(trial);
                    let c = Correlation {
                        start: first,
                        len: samples.len(),
                        code_phase_chips: phase,
                        code_rate_hz: code_rate,
                        carrier_phase_cycles: turns,
                        carrier_freq_hz: doppler,
                        tap_spacing_chips: spacing,
                    };
                    let replica = Replica::new(&code, subcarrier);
                    let want = reference(&samples, rate, &code, subcarrier, &c, 0.0).map(|w| w.0);
                    for (l, &level) in levels.iter().enumerate() {
                        let band = band(rate, first, &samples, level);
                        let got = Correlator::new(rate, level).correlate(&band.view(), &replica, &c);
                        let got = list(got.unwrap());
                        let off = discriminator(got, spacing, subcarrier)
                            - discriminator(want, spacing, subcarrier);
                        // At four samples a chip all lie at the same four places of it, and what the
                        // definition itself says jumps by a quarter chip when these pass an edge.
                        assert!(
                            off.abs() < 0.01 || rate == 4.092e6,
                            "{level} {rate} {doppler} {spacing} {subcarrier:?}: {off} chips"
                        );
                        code_bias[l] += off / f64::from(TRIALS);
                        carrier_bias[l] += got[1] / want[1];
                    }
                }
                for (l, level) in levels.iter().enumerate() {
                    let (code, carrier) = (code_bias[l], carrier_bias[l].arg() / TAU);
                    let case = format!("{level} {rate} {doppler} {spacing} {subcarrier:?}");
                    assert!(code.abs() < 0.0005, "{case}: {code} chips");
                    assert!(carrier.abs() < 5e-4, "{case}: {carrier} cycles");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn matches_the_definition_without_a_carrier(
        rate in prop_oneof![Just(4.0e6), Just(4.092e6), Just(25.0e6), 1.0e6..60.0e6f64],
        code_rate in prop_oneof![Just(1.023e6), Just(2.046e6), 0.9e6..2.2e6f64],
        len in prop_oneof![0usize..70, 3000usize..5000, Just(1usize)],
        start in 0u64..100,
        phase in code_phase(), carrier_phase in -3.0..3.0f64, spacing in spacing(),
        boc in any::<bool>(), code_len in prop_oneof![Just(1usize), Just(7), Just(1023), Just(2046), 2usize..40],
        seed in any::<u64>(),
    ) {
        let c = Correlation { start, len, code_phase_chips: phase, code_rate_hz: code_rate,
            carrier_phase_cycles: carrier_phase, carrier_freq_hz: 0.0, tap_spacing_chips: spacing };
        let subcarrier = if boc { Subcarrier::BocSine } else { Subcarrier::None };
        check(&noise(5100, seed), rate, &chips(code_len, seed ^ 1), subcarrier, &c, 0.0)?;
    }

    #[test]
    fn any_code_rate_is_served(
        code_rate in prop_oneof![Just(1e-9), Just(50.0), Just(1e4), Just(3.9e6), Just(1e8), Just(1e12)],
        len in 0usize..400, phase in code_phase(), spacing in prop_oneof![spacing(), Just(-0.5), Just(7.0)],
        seed in any::<u64>(),
    ) {
        let c = Correlation { start: 3, len, code_phase_chips: phase.rem_euclid(1023.0), code_rate_hz: code_rate,
            carrier_phase_cycles: 0.3, carrier_freq_hz: 0.0, tap_spacing_chips: spacing };
        // Beyond 1e8 chips/s an edge is anywhere to within the rounding of f64.
        prop_assume!(code_rate <= 1e8 || len == 0);
        check(&noise(403, seed), 4.0e6, &chips(1023, seed), Subcarrier::None, &c, 0.0)?;
    }

    #[test]
    fn matches_the_definition_with_a_carrier(
        rate in prop_oneof![Just(4.0e6), Just(10.0e6), Just(25.0e6), 2.5e6..60.0e6f64],
        freq in prop_oneof![-1.0e5..1.0e5f64, -5e3..5e3f64, -1.0e6..1.0e6f64],
        len in 3000usize..9000, phase in code_phase(), carrier_phase in -3.0..3.0f64, spacing in spacing(),
        boc in any::<bool>(), seed in any::<u64>(),
    ) {
        let c = Correlation { start: 1, len, code_phase_chips: phase, code_rate_hz: 1.023e6,
            carrier_phase_cycles: carrier_phase, carrier_freq_hz: freq, tap_spacing_chips: spacing };
        let subcarrier = if boc { Subcarrier::BocSine } else { Subcarrier::None };
        // A bin turns by up to 0.05 cycles; its samples lie up to one apart from where they should.
        let held = TAU * (0.05 / 12f64.sqrt() + freq.abs().min(1.2e5) / rate);
        check(&noise(9001, seed), rate, &chips(1023, seed), subcarrier, &c, held)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Two codes at once give what two calls give.
    #[test]
    fn a_pair_is_two_correlations(
        rate in prop_oneof![Just(4.0e6), Just(10.0e6), Just(25.0e6), 2.5e6..60.0e6f64],
        freq in prop_oneof![Just(0.0), -5e3..5e3f64, -1.0e5..1.0e5f64, Just(1.0e6)],
        len in prop_oneof![0usize..70, 3000usize..9000], phase in code_phase(), spacing in spacing(),
        boc in any::<bool>(), code_len in prop_oneof![Just(1usize), Just(1023), Just(10230), 2usize..40],
        seed in any::<u64>(),
    ) {
        let samples = noise(9001, seed);
        let c = Correlation { start: 8, len, code_phase_chips: phase, code_rate_hz: 1.023e6,
            carrier_phase_cycles: 0.3, carrier_freq_hz: freq, tap_spacing_chips: spacing };
        let subcarrier = if boc { Subcarrier::BocSine } else { Subcarrier::None };
        let codes = [1, 2].map(|k| Replica::new(&chips(code_len, seed ^ k), subcarrier));
        let energy = (len as f64).sqrt() * 128.0;
        for level in Level::all_available() {
            let band = band(rate, 7, &samples, level);
            let correlator = Correlator::new(rate, level);
            let both = correlator.correlate_pair(&band.view(), [&codes[0], &codes[1]], &c).unwrap();
            for (pair, code) in both.into_iter().zip(&codes) {
                let alone = correlator.correlate(&band.view(), code, &c).unwrap();
                for (a, b) in list(pair).iter().zip(list(alone)) {
                    prop_assert!((a - b).norm() <= 1e-6 * energy, "{level}: {a} in a pair, {b} alone");
                }
            }
        }
    }
}

#[test]
fn a_pair_is_of_one_shape() {
    let band = band(4.0e6, 0, &noise(4000, 1), Level::Portable);
    let c = Correlation {
        start: 0,
        len: 4000,
        code_phase_chips: 0.0,
        code_rate_hz: 1.023e6,
        carrier_phase_cycles: 0.0,
        carrier_freq_hz: 0.0,
        tap_spacing_chips: 0.5,
    };
    let plain = Replica::new(&chips(1022, 2), Subcarrier::None);
    let boc = Replica::new(&chips(511, 2), Subcarrier::BocSine);
    let short = Replica::new(&chips(511, 2), Subcarrier::None);
    let correlator = Correlator::new(4.0e6, Level::Portable);
    let pair = |other| correlator.correlate_pair(&band.view(), [&plain, other], &c);
    assert!(pair(&plain).is_some());
    assert_eq!(pair(&boc), None);
    assert_eq!(pair(&short), None);
}

/// The kernels agree where they serve, and say so where they do not.
#[test]
fn a_kernel_can_be_chosen() {
    let samples = noise(4000, 4);
    let replica = Replica::new(&chips(1023, 2), Subcarrier::None);
    let c = Correlation {
        start: 0,
        len: 4000,
        code_phase_chips: 3.3,
        code_rate_hz: 1.023e6,
        carrier_phase_cycles: 0.4,
        carrier_freq_hz: 100.0,
        tap_spacing_chips: 0.3,
    };
    let want = reference(&samples, 4.0e6, &chips(1023, 2), Subcarrier::None, &c, 5e-4);
    let energy =
        samples.iter().map(|x| f64::from(x.re).powi(2) + f64::from(x.im).powi(2)).sum::<f64>().sqrt();
    for level in Level::all_available() {
        let band = band(4.0e6, 0, &samples, level);
        let run = |kernel, c: &Correlation| {
            Correlator::with_kernel(4.0e6, level, kernel).correlate(&band.view(), &replica, c)
        };
        for kernel in [Kernel::RunningSums, Kernel::Direct, Kernel::Definition] {
            let Some(got) = run(kernel, &c) else {
                assert!(kernel == Kernel::Direct && matches!(level, Level::Portable | Level::Neon));
                continue;
            };
            for (got, (want, on_edge)) in list(got).iter().zip(want) {
                assert!(
                    (got - want).norm() < 0.05 * energy + on_edge,
                    "{level} {kernel:?}: {got} for {want}"
                );
            }
        }
        let fast_carrier = Correlation { carrier_freq_hz: 1.0e6, ..c };
        assert_eq!(run(Kernel::RunningSums, &fast_carrier), None);
        let fast_code = Correlation { code_rate_hz: 8.0e6, ..c };
        assert_eq!(run(Kernel::Direct, &fast_code), None);
        assert!(run(Kernel::Definition, &fast_code).is_some());
    }
}

#[test]
fn nothing_outside_the_view() {
    let band = band(4.0e6, 500, &noise(4000, 1), Level::Portable);
    let replica = Replica::new(&chips(1023, 2), Subcarrier::None);
    let c = Correlation {
        start: 500,
        len: 4000,
        code_phase_chips: 0.0,
        code_rate_hz: 1.023e6,
        carrier_phase_cycles: 0.0,
        carrier_freq_hz: 0.0,
        tap_spacing_chips: 0.5,
    };
    let correlator = Correlator::new(4.0e6, Level::Portable);
    let run = |c: Correlation| correlator.correlate(&band.view(), &replica, &c);
    assert!(run(c).is_some());
    assert_eq!(run(Correlation { len: 0, start: 4500, ..c }), Some(Taps::default()));
    assert_eq!(run(Correlation { start: 499, ..c }), None);
    assert_eq!(run(Correlation { start: 501, ..c }), None);
    assert_eq!(run(Correlation { len: usize::MAX, ..c }), None);
    assert_eq!(run(Correlation { start: u64::MAX, ..c }), None);
    for bad in [0.0, -1.0e6, f64::NAN, f64::INFINITY] {
        assert_eq!(run(Correlation { code_rate_hz: bad, ..c }), None);
        assert_eq!(run(Correlation { carrier_freq_hz: f64::NAN * bad, ..c }), None);
    }
    let empty = Replica::new(&[], Subcarrier::None);
    assert_eq!(correlator.correlate(&band.view(), &empty, &c), Some(Taps::default()));
}

/// Full-scale samples of one sign fill the running sums as far as they may be filled.
#[test]
fn full_scale_does_not_overflow() {
    for (rate, value) in [(4.0e6, -128i8), (25.0e6, 127), (99.0e6, -128), (400.0e6, -128)] {
        let len = (rate * 1e-3) as usize;
        let samples = vec![Complex::new(value, value); len];
        let c = Correlation {
            start: 0,
            len,
            code_phase_chips: 0.3,
            code_rate_hz: 1.023e6,
            carrier_phase_cycles: 0.0,
            carrier_freq_hz: 0.0,
            tap_spacing_chips: 0.5,
        };
        check(&samples, rate, &chips(1023, 3), Subcarrier::None, &c, 0.0).unwrap();
    }
}

/// Twenty milliseconds, many code periods.
#[test]
fn long_correlations() {
    for rate in [4.0e6, 25.0e6] {
        let len = (rate * 20e-3) as usize;
        let c = Correlation {
            start: 0,
            len,
            code_phase_chips: 1000.77,
            code_rate_hz: 1.023e6 * (1.0 + 3.3e-6),
            carrier_phase_cycles: 0.2,
            carrier_freq_hz: 0.0,
            tap_spacing_chips: 0.25,
        };
        check(&noise(len, 11), rate, &chips(1023, 3), Subcarrier::None, &c, 0.0).unwrap();
        check(&noise(len, 12), rate, &chips(10230, 3), Subcarrier::BocSine, &c, 0.0).unwrap();
    }
}

/// Amplitude lost against the definition for a strong signal in noise, in dB.
fn loss_db(rate: f64, freq: f64, spacing: f64, subcarrier: Subcarrier, level: Level) -> f64 {
    let code = chips(1023, 5);
    let len = (rate * 1e-3) as usize;
    let mut random = Random(77);
    let (mut got, mut want) = (0.0, 0.0);
    for trial in 0..8 {
        let phase = 100.0 * random.uniform();
        let samples: Vec<_> = (0..len)
            .map(|n| {
                let n = n as f64;
                let (sin, cos) = (TAU * (0.1 + n * freq / rate)).sin_cos();
                let a = 10.0 * value(&code, subcarrier, phase + n * 1.023e6 / rate);
                let component = |v: f64| v.round().clamp(-127.0, 127.0) as i8;
                Complex::new(
                    component(a * cos + 25.0 * random.gauss()),
                    component(a * sin + 25.0 * random.gauss()),
                )
            })
            .collect();
        let band = band(rate, trial, &samples, level);
        let c = Correlation {
            start: trial,
            len,
            code_phase_chips: phase,
            code_rate_hz: 1.023e6,
            carrier_phase_cycles: 0.1,
            carrier_freq_hz: freq,
            tap_spacing_chips: spacing,
        };
        let replica = Replica::new(&code, subcarrier);
        let taps = Correlator::new(rate, level).correlate(&band.view(), &replica, &c).unwrap();
        got += f64::from(taps.prompt.re);
        want += reference(&samples, rate, &code, subcarrier, &c, 0.0)[1].0.re;
    }
    20.0 * (want / got).log10()
}

#[test]
fn loses_at_most_a_twentieth_of_a_decibel() {
    for level in Level::all_available() {
        for rate in [2.5e6, 4.0e6, 10.0e6, 25.0e6] {
            for freq in [0.0, 3.0e3, -63.0e3, 100.0e3] {
                for spacing in [0.1, 0.25, 0.5] {
                    for subcarrier in [Subcarrier::None, Subcarrier::BocSine] {
                        let loss = loss_db(rate, freq, spacing, subcarrier, level);
                        assert!(
                            loss.abs() <= 0.05,
                            "{level} {rate} {freq} {spacing} {subcarrier:?}: {loss:.4} dB"
                        );
                    }
                }
            }
        }
    }
}
