//! Signals of BeiDou-3 and of long codes: pilots with their partners, BOC, symbols of one code period, 10.23 Mcps.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Scene, count_spread, errors, mean_std, run, run_with, symbol_errors, worst};
use megrez_signal::{SPEED_OF_LIGHT, SignalId};
use megrez_track::{ChannelEvent, ChannelStart, LossReason, TrackConfig};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A signal under test: a PRN, a sample rate a little above twice its chip rate (B1C: three times that of its BOC),
/// share of the power in the component tracked, energy of a symbol over all energy sent meanwhile.
struct Case {
    name: &'static str,
    id: SignalId,
    prn: u8,
    rate: f64,
    share: f64,
    symbol_s: f64,
    symbol_share: f64,
}

const fn case(
    name: &'static str,
    (id, prn): (SignalId, u8),
    rate: f64,
    share: f64,
    (symbol_s, symbol_share): (f64, f64),
) -> Case {
    Case { name, id, prn, rate, share, symbol_s, symbol_share }
}

const CASES: [Case; 6] = [
    case("B1C", (SignalId::B1CP, 26), 6.3e6, 0.75, (0.01, 0.25)),
    case("B2a", (SignalId::B2AP, 26), 21.0e6, 0.5, (0.005, 0.5)),
    case("B2b", (SignalId::B2BI, 26), 21.0e6, 1.0, (0.001, 1.0)),
    case("PPP-B2b", (SignalId::B2BI, 59), 21.0e6, 1.0, (0.001, 1.0)),
    case("B3I D1", (SignalId::B3I, 26), 21.0e6, 1.0, (0.02, 1.0)),
    case("B3I D2", (SignalId::B3I, 3), 21.0e6, 1.0, (0.002, 1.0)),
];

/// Upper tail of the normal distribution (Abramowitz and Stegun 26.2.17, good to 1e-7 of 1; far out the bound
/// exp(-x^2/2) / (x sqrt(2 pi)), which is close there).
fn tail(x: f64) -> f64 {
    let density = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    if x > 4.0 {
        return density / x;
    }
    let t = 1.0 / (1.0 + 0.231_641_9 * x);
    let terms = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    density * terms.iter().rev().fold(0.0, |sum, c| (sum + c) * t)
}

/// From acquisitions up to half a chip and 100 Hz off, on a circle (4 m/s^2): every channel locks, on the main peak,
/// all symbols have the right sign and as many are wrong as noise makes wrong.
fn locks(case: &Case, trials: u64) {
    let chip_m = SPEED_OF_LIGHT / case.id.def().chip_rate_hz;
    for cn0 in [45.0, 38.0] {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let (mut times, mut symbols, mut wrong, mut worst_code) = (vec![], 0, 0, 0.0f64);
        for trial in 0..trials {
            let mut scene = Scene::new(case.id, case.prn, case.rate, cn0, 500 + trial);
            scene.circle = (21.0 / 0.2, 0.2);
            let start = scene.start(0.0, random.random_range(-0.5..0.5), random.random_range(-100.0..100.0));
            let samples = scene.samples(0, 1.5);
            let result = run(&scene, &samples, 0, start, (case.rate * 0.01) as usize, 0.1);
            let (n, bad, misaligned) = symbol_errors(&scene, &result);
            assert_eq!((result.unlocks(), misaligned), (0, 0), "{} at {cn0} dB-Hz, trial {trial}", case.name);
            (symbols, wrong) = (symbols + n, wrong + bad);
            times.extend(result.locked().map(|s| s as f64 / case.rate));
            let code = worst(&errors(&scene, &result, 0.9).code);
            worst_code = worst_code.max(code);
            let last =
                result.measurements.last().map(|(sample, m)| (*sample as f64 / case.rate, *m)).unwrap();
            assert_eq!(last.1.half_cycle_known, scene.has_pilot(), "trial {trial}");
            if scene.has_pilot() {
                assert_eq!(last.1.secondary_chip, Some(scene.place(last.0) as u32), "trial {trial}");
            }
        }
        times.sort_by(f64::total_cmp);
        let energy = 10f64.powf(cn0 / 10.0) * case.symbol_s * case.symbol_share;
        let expected = symbols as f64 * tail((2.0 * energy).sqrt());
        println!(
            "{} at {cn0} dB-Hz: {} of {trials} locked, median {:.3} s, slowest {:.3} s; {symbols} symbols, {wrong} \
             wrong, {expected:.2} in theory; code error at most {worst_code:.3} chips, {:.2} m",
            case.name,
            times.len(),
            times[times.len() / 2],
            times[times.len() - 1],
            worst_code * chip_m,
        );
        assert_eq!(times.len() as u64, trials);
        // Half as many again, and five standard deviations.
        assert!(wrong as f64 <= 1.5 * expected + 5.0 * expected.sqrt());
        assert!(worst_code < 0.15, "a side peak is half a chip off");
    }
}

/// Mean errors over several signals against what the scatter between them allows, and the scatter of each against
/// theory.
fn is_unbiased(case: &Case, seeds: u64) {
    let signal = case.id.def();
    let (mut code, mut phase, mut doppler, mut cn0) = (vec![], vec![], vec![], vec![]);
    for seed in 0..seeds {
        let scene = Scene::new(case.id, case.prn, case.rate, 45.0, 70 + seed);
        let samples = scene.samples(0, 2.0);
        let start = scene.start(0.0, 0.3, 50.0);
        let result = run(&scene, &samples, 0, start, (case.rate * 0.01) as usize, 0.05);
        let e = errors(&scene, &result, 1.0);
        code.push(mean_std(&e.code).0 * SPEED_OF_LIGHT / signal.chip_rate_hz);
        phase.push(mean_std(&e.phase).0);
        doppler.push(mean_std(&e.doppler).0);
        cn0.push(mean_std(&e.cn0).0 - 45.0 - 10.0 * case.share.log10());
    }
    for (what, values, floor) in
        // What sampling leaves of the code: a hundredth of a sample.
        [
            ("code", &code, 0.01 * SPEED_OF_LIGHT / case.rate),
            ("phase", &phase, 0.0),
            ("Doppler", &doppler, 0.0),
        ]
    {
        let (mean, std) = mean_std(values);
        println!("{} {what}: mean {mean:.5}, standard deviation between runs {std:.5}", case.name);
        assert!(mean.abs() < 4.0 * std / (seeds as f64).sqrt() + floor, "{} {what}", case.name);
    }
    let (mean, std) = mean_std(&cn0);
    println!("{} C/N0: error {mean:.2} dB, standard deviation {std:.2}", case.name);
    assert!(mean.abs() < 0.3 && std < 0.5);
    // Phase noise of a loop of 14 Hz at 40 dB-Hz: 0.006 cycles.
    assert!(worst(&phase) < 0.01);
}

fn ends(case: &Case) {
    let mut scene = Scene::new(case.id, case.prn, case.rate, 42.0, 3);
    scene.outage = (1.0, 100.0);
    let samples = scene.samples(0, 5.6);
    let result = run(&scene, &samples, 0, scene.start(0.0, 0.2, -50.0), (case.rate * 0.01) as usize, 0.1);
    let (sample, reason) = result.lost().unwrap();
    assert_eq!((result.unlocks(), reason), (1, LossReason::CarrierLost), "{}", case.name);
    assert!((5.0..5.6).contains(&(sample as f64 / case.rate)));
    let gone = result.symbols().filter(|s| s.sample as f64 / case.rate > 1.3).count();
    assert_eq!(gone, 0, "{}: symbols from noise", case.name);
}

#[test]
fn b1c() {
    locks(&CASES[0], 12);
    is_unbiased(&CASES[0], 12);
    ends(&CASES[0]);
}

#[test]
fn b2a() {
    locks(&CASES[1], 4);
    is_unbiased(&CASES[1], 6);
    ends(&CASES[1]);
}

#[test]
fn b2b() {
    locks(&CASES[2], 4);
    is_unbiased(&CASES[2], 6);
    ends(&CASES[2]);
}

#[test]
fn ppp_b2b_and_b3i() {
    for case in &CASES[3..] {
        locks(case, 2);
    }
    is_unbiased(&CASES[4], 6);
    ends(&CASES[5]);
}

/// A data component that is tracked alone finds back from a side peak: the sign of the prompt tells nothing there.
#[test]
fn side_peaks_are_left() {
    for step in [0.5, -0.5] {
        let mut scene = Scene::new(SignalId::B1CD, 26, 6.3e6, 42.0, 5);
        scene.code_step = (1.0, step);
        let samples = scene.samples(0, 3.5);
        let result = run(&scene, &samples, 0, scene.start(0.0, 0.1, 20.0), 63_000, 0.1);
        let code = errors(&scene, &result, 2.8).code;
        assert!(!code.is_empty() && worst(&code) < 0.1, "{step}: {code:?}");
        assert_eq!(result.unlocks(), 1);
        let back = result.events.iter().rev().find_map(|e| match e {
            ChannelEvent::Locked { sample, .. } => Some(*sample as f64 / scene.rate),
            _ => None,
        });
        println!("code stepped by {step} chips at 1 s: back on the main peak at {:.2} s", back.unwrap());
    }
}

/// The channel's results depend on the samples alone, for components as for single signals.
#[test]
fn components_do_not_depend_on_block_lengths() {
    for (case, seconds) in [(&CASES[0], 1.0), (&CASES[1], 0.5), (&CASES[2], 0.5), (&CASES[5], 0.5)] {
        let scene = Scene::new(case.id, case.prn, case.rate, 42.0, 8);
        let samples = scene.samples(0, seconds);
        let start = scene.start(0.0, 0.2, 40.0);
        let whole = run(&scene, &samples, 0, start, (case.rate * 0.01) as usize, 5.0);
        assert!(whole.symbols().count() > 20, "{}", case.name);
        for block in [9_973, (case.rate * 0.03) as usize] {
            let other = run(&scene, &samples, 0, start, block, 5.0);
            assert_eq!(whole.events, other.events, "{} in blocks of {block}", case.name);
        }
    }
}

/// A short fade is ridden out; after a long one the signal is found again, and neither periods nor places in the
/// secondary code are miscounted.
#[test]
fn fades_do_no_harm() {
    for (case, seconds) in [(&CASES[0], 4.5), (&CASES[1], 3.0), (&CASES[2], 3.0)] {
        for (outage, unlocks) in [((1.0, 1.1), 0), ((1.0, 2.0), 1)] {
            let mut scene = Scene::new(case.id, case.prn, case.rate, 42.0, 3);
            scene.outage = outage;
            let samples = scene.samples(0, seconds);
            let start = scene.start(0.0, 0.2, -50.0);
            let result = run(&scene, &samples, 0, start, (case.rate * 0.01) as usize, 0.1);
            let (sample, last) = result.measurements.last().unwrap();
            assert_eq!(result.unlocks(), unlocks, "{} gone for {outage:?}", case.name);
            let (_, before) =
                result.measurements.iter().rfind(|m| (m.0 as f64) < outage.0 * case.rate).unwrap();
            assert_eq!(unlocks > 0, last.slips > before.slips, "{}: {last:?}", case.name);
            assert!(count_spread(&scene, &result) < 1.0, "{}: a period was miscounted", case.name);
            if scene.has_pilot() {
                let place = scene.place(*sample as f64 / case.rate) as u32;
                assert_eq!(last.secondary_chip, Some(place), "{}", case.name);
                let e = errors(&scene, &result, outage.1 + 0.7);
                assert!(!e.phase.is_empty() && worst(&e.phase) < 0.1, "{}: {:?}", case.name, e.phase);
            }
        }
    }
}

/// Symbols of a millisecond at Es/N0 = 4 dB.
#[test]
fn b2b_symbol_errors_are_near_theory() {
    let (cn0, rate) = (34.0, 21e6);
    let scene = Scene::new(SignalId::B2BI, 26, rate, cn0, 9);
    let samples = scene.samples(0, 4.0);
    let result = run(&scene, &samples, 0, scene.start(0.0, 0.1, 30.0), 210_000, 1.0);
    let (n, wrong, misaligned) = symbol_errors(&scene, &result);
    let expected = n as f64 * tail((2.0 * 10f64.powf(cn0 / 10.0) * 1e-3).sqrt());
    println!("B2b at {cn0} dB-Hz: {wrong} of {n} symbols wrong, {expected:.1} in theory");
    assert_eq!((result.unlocks(), misaligned), (0, 0));
    // Three standard deviations; the loop's phase noise, 0.02 cycles, costs another tenth.
    assert!((wrong as f64 - 1.05 * expected).abs() < 0.05 * expected + 3.0 * expected.sqrt());
}

/// What a channel measures on one signal starts another at once, three chips of group delay apart.
#[test]
fn one_signal_starts_another() {
    let (sat, seconds) = (26, 0.5);
    let from = Scene::new(SignalId::B1I, sat, 4.3e6, 45.0, 21);
    let samples = from.samples(0, seconds);
    let source = run(&from, &samples, 0, from.start(0.0, 0.1, 30.0), 43_000, 0.1);
    let (sample, measured) = source.measurements.last().unwrap();
    let at_s = *sample as f64 / from.rate;
    for (id, delay_chips) in [(SignalId::B3I, 3.0), (SignalId::B2AP, -3.0), (SignalId::B2BI, 0.0)] {
        // The same satellite on another front end, at its own rate: one code phase in time, one relative Doppler.
        let mut to = Scene::new(id, sat, 21e6, 45.0, 22);
        let ratio = to.signal.carrier_hz / from.signal.carrier_hz;
        to.doppler_hz = from.doppler_hz * ratio;
        let (a, b) = (from.signal, to.signal);
        to.code_phase = (from.code_phase / a.chip_rate_hz * b.chip_rate_hz + delay_chips)
            .rem_euclid(b.code_length as f64);
        let first = (at_s * to.rate).round() as u64;
        let start = ChannelStart::from_measurement(first, measured, a, b).unwrap();
        let samples = to.samples(first, 0.4);
        let config = TrackConfig::default().aided();
        let result = run_with(&config, &to, &samples, first, start, 210_000, 0.1);
        let locked_s = (result.locked().unwrap() - first) as f64 / to.rate;
        let code = worst(&errors(&to, &result, at_s + 0.2).code);
        println!(
            "{id} from B1I, {delay_chips} chips apart: locked after {locked_s:.3} s, code error {code:.3} chips"
        );
        assert!(locked_s < 0.15 && code < 0.1, "{id}");
    }
}
