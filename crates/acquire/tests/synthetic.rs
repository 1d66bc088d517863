//! Searches of generated signals whose truth is known.
//!
//! The generator evaluates the signal definitions at each sample's instant; it shares nothing with the
//! search but the code tables.

mod common;

use common::{Sent, centred, generate};
use megrez_acquire::{Acquisition, SearchPlan, Searcher, search};
use megrez_dsp::StreamInfo;
use megrez_signal::SignalId;

fn sent(signal: SignalId, prn: u8, cn0_dbhz: f64, doppler_hz: f64, code_phase_chips: f64) -> Sent {
    Sent { signal, prn, cn0_dbhz, doppler_hz, code_phase_chips, first_sign: usize::from(prn) }
}

/// Difference of code phases in chips.
fn chips_off(a: &Acquisition, s: &Sent) -> f64 {
    let length = s.signal.def().code_length as f64;
    (a.code_phase_chips - s.code_phase_chips + length / 2.0).rem_euclid(length) - length / 2.0
}

/// The listed satellites are found, no others, and they are where they should be.
#[track_caller]
fn assert_found(found: &[Acquisition], sent: &[Sent], hz: f64, chips: f64, db: f64) {
    let prns: Vec<u8> = found.iter().map(|a| a.sat.prn).collect();
    assert_eq!(prns, sent.iter().map(|s| s.prn).collect::<Vec<_>>());
    for (a, s) in found.iter().zip(sent) {
        eprintln!(
            "{} {}: {:+.1} Hz (sigma {:.1}) {:+.3} chips {:+.2} dB of {}, peak/mean {:.1}",
            a.signal,
            a.sat,
            a.doppler_hz - s.doppler_hz,
            a.doppler_sigma_hz,
            chips_off(a, s),
            a.cn0_dbhz - s.cn0_dbhz,
            s.cn0_dbhz,
            a.peak_to_mean
        );
    }
    for (a, s) in found.iter().zip(sent) {
        assert!((a.doppler_hz - s.doppler_hz).abs() < hz, "{}: {} Hz", a.sat, a.doppler_hz);
        assert!(chips_off(a, s).abs() < chips, "{}: {} chips", a.sat, a.code_phase_chips);
        assert!((a.cn0_dbhz - s.cn0_dbhz).abs() < db, "{}: {} dB-Hz", a.sat, a.cn0_dbhz);
    }
}

#[test]
fn l1ca_cold_search_is_complete_and_accurate() {
    let l1 = SignalId::L1CA;
    let sent = [
        sent(l1, 2, 42.0, 1234.0, 17.3),
        sent(l1, 7, 44.0, -4210.0, 1022.9),
        sent(l1, 13, 46.0, 249.0, 511.5),
        sent(l1, 21, 48.0, 4876.0, 700.125),
        sent(l1, 32, 50.0, -1750.0, 0.0),
    ];
    for (rate, intermediate, complex) in
        [(2.6e6, 0.0, true), (8.0e6, 0.0, true), (12.0e6, 3.0e6, false), (38.192e6, -9.548e6, false)]
    {
        let info = StreamInfo { sample_rate_hz: rate, center_hz: 1575.42e6 - intermediate, complex };
        let samples = generate(&info, 0.0101, &sent, None, 1);
        let found = search(&samples, 0, &info, &SearchPlan::cold(l1, 0.0)).unwrap();
        // The others together are noise too: they lower the C/N0 by up to 1 dB.
        assert_found(&found, &sent, 25.0, 0.1, 2.5);
    }
}

/// Each estimate within 1.5 dB, and no bias of more than half a decibel.
#[test]
fn cn0_is_calibrated() {
    for (signal, rate) in [(SignalId::L1CA, 9.0e6), (SignalId::B1I, 9.0e6), (SignalId::B1CP, 9.0e6)] {
        let info = centred(signal, rate);
        let mut searcher = Searcher::new(&info);
        let mut bias = 0.0;
        for (k, cn0_dbhz) in [35.0, 38.0, 41.0, 44.0, 47.0, 50.0].into_iter().enumerate() {
            let s = sent(signal, 21 + k as u8, cn0_dbhz, 33.3 * k as f64, 99.7 * k as f64);
            let samples = generate(&info, 0.1001, &[s], None, 30 + k as u64);
            let mut plan = SearchPlan::for_available(signal, 0.1, 0.0);
            plan.doppler_hz = (-300.0, 300.0);
            plan.prns = vec![s.prn];
            let found = searcher.search(&samples, 0, &plan).unwrap();
            assert_found(&found, &[s], 10.0, 0.1, 1.5);
            bias += (found[0].cn0_dbhz - cn0_dbhz) / 6.0;
        }
        eprintln!("{signal}: bias {bias:.2} dB");
        assert!(bias.abs() < 0.5, "{signal}: {bias}");
    }
}

#[test]
fn b1i_cold_search_is_complete_and_accurate() {
    let b1i = SignalId::B1I;
    let sent = [
        sent(b1i, 3, 42.0, 20.0, 1800.0),
        sent(b1i, 8, 44.0, -3000.0, 1023.25),
        sent(b1i, 26, 46.0, -1500.0, 2.0),
        sent(b1i, 45, 50.0, 4100.0, 2045.9),
    ];
    let info = centred(b1i, 10.0e6);
    let samples = generate(&info, 0.0111, &sent, None, 2);
    let found = search(&samples, 0, &info, &SearchPlan::cold(b1i, 0.0)).unwrap();
    assert_found(&found, &sent, 25.0, 0.1, 1.5);
}

#[test]
fn b1c_pilot_is_found_from_one_period_and_from_more() {
    let b1c = SignalId::B1CP;
    let sent = [sent(b1c, 20, 42.0, 333.0, 5000.3), sent(b1c, 37, 45.0, -127.0, 10_229.5)];
    let info = centred(b1c, 10.0e6);
    for duration_s in [0.010, 0.0201, 0.0501] {
        let samples = generate(&info, duration_s, &sent, None, 3);
        let mut plan = SearchPlan::for_available(b1c, duration_s, 0.0);
        plan.doppler_hz = (-500.0, 500.0);
        plan.prns = vec![19, 20, 21, 37, 46];
        let found = search(&samples, 0, &info, &plan).unwrap();
        assert_found(&found, &sent, 20.0, 0.05, 1.5);
    }
}

#[test]
fn an_oscillator_60_khz_off_is_covered() {
    for (signal, offset_hz) in
        [(SignalId::L1CA, 60_000.0), (SignalId::L1CA, -60_000.0), (SignalId::B1I, 61_700.0)]
    {
        let sent = [
            sent(signal, 5, 41.0, offset_hz - 4000.0, 100.0),
            sent(signal, 16, 43.0, offset_hz + 380.0, 600.6),
            sent(signal, 30, 46.0, offset_hz + 2222.0, 900.9),
        ];
        let info = centred(signal, 4.1e6);
        let samples = generate(&info, 0.0411, &sent, None, 4);
        let mut plan = SearchPlan::cold(signal, 65e3 / signal.def().carrier_hz);
        plan.noncoherent = 40;
        plan.prns = vec![5, 6, 7, 16, 30];
        let found = search(&samples, 0, &info, &plan).unwrap();
        assert_found(&found, &sent, 20.0, 0.1, 1.5);
    }
}

#[test]
fn weak_satellites_are_found_by_the_deep_search() {
    for (signal, rate) in [(SignalId::L1CA, 2.6e6), (SignalId::B1I, 4.1e6)] {
        let sent = [
            sent(signal, 9, 30.0, -640.0, 123.4),
            sent(signal, 11, 33.0, 1510.0, 876.5),
            sent(signal, 24, 35.0, 90.0, 555.0),
        ];
        let info = centred(signal, rate);
        let samples = generate(&info, 0.2520, &sent, None, 5);
        let mut plan = SearchPlan::deep(signal, 0.0);
        plan.doppler_hz = (-2000.0, 2000.0);
        plan.prns = vec![1, 9, 11, 20, 24];
        let found = search(&samples, 0, &info, &plan).unwrap();
        assert_found(&found, &sent, 10.0, 0.15, 1.7);
    }
}

/// With a false-alarm probability of 1/4 a search of noise finds something in at most that share of cases,
/// and not in far fewer (the threshold would be needlessly high).
#[test]
fn false_alarms_are_as_rare_as_stated() {
    let signal = SignalId::L1CA;
    let info = centred(signal, 4.0e6);
    let mut searcher = Searcher::new(&info);
    let trials = 120;
    for (coherent, blocks) in [(1, 10), (5, 2)] {
        let mut alarms = 0;
        for seed in 0..trials {
            let samples = generate(&info, 0.0101, &[], None, 1000 + seed);
            let mut plan = SearchPlan::cold(signal, 0.0);
            (plan.coherent_periods, plan.noncoherent) = (coherent, blocks);
            plan.doppler_hz = (-1500.0, 1500.0);
            plan.false_alarm = 0.25;
            alarms += usize::from(!searcher.search(&samples, 0, &plan).unwrap().is_empty());
        }
        eprintln!("{coherent} x {blocks}: {alarms} false alarms in {trials} searches, at most 30 expected");
        // Three standard deviations above, and a quarter of the stated rate.
        assert!((7..=44).contains(&alarms), "{alarms}");
    }
}

/// At the C/N0 where a cold search should find nine of ten.
#[test]
fn detection_probability() {
    for (signal, rate, cn0_dbhz, least) in
        [(SignalId::L1CA, 4.0e6, 39.5, 36), (SignalId::B1I, 5.0e6, 39.5, 36)]
    {
        let info = centred(signal, rate);
        let mut searcher = Searcher::new(&info);
        let mut detected = 0;
        for trial in 0..40u8 {
            let s = Sent {
                signal,
                prn: 1 + trial % 32,
                cn0_dbhz,
                doppler_hz: -970.0 + 51.3 * f64::from(trial),
                code_phase_chips: 25.37 * f64::from(trial),
                first_sign: usize::from(trial),
            };
            let samples = generate(&info, 0.0111, &[s], None, 2000 + u64::from(trial));
            let mut plan = SearchPlan::cold(signal, 0.0);
            // The threshold of the whole search at the cost of one satellite.
            plan.false_alarm /= plan.prns.len() as f64;
            plan.prns = vec![s.prn];
            let found = searcher.search(&samples, 0, &plan).unwrap();
            detected += usize::from(
                found
                    .iter()
                    .any(|a| chips_off(a, &s).abs() < 0.3 && (a.doppler_hz - s.doppler_hz).abs() < 60.0),
            );
        }
        eprintln!("{signal} at {cn0_dbhz} dB-Hz, cold: {detected} of 40");
        assert!(detected >= least);
    }
}

/// What [`SearchPlan::weak`] states, with its threshold for all satellites and the whole window at the cost of
/// one satellite in a narrow one.
#[test]
fn satellites_of_30_dbhz_are_found_by_the_weak_search() {
    for (signal, rate, cn0_dbhz, trials, least) in [
        (SignalId::L1CA, 2.6e6, 30.0, 6u8, 6),
        (SignalId::L1CA, 2.6e6, 27.0, 20, 16),
        (SignalId::B1I, 4.1e6, 30.0, 6, 6),
    ] {
        let info = centred(signal, rate);
        let mut searcher = Searcher::new(&info);
        let mut detected = 0;
        for trial in 0..trials {
            // The code moves by up to 3.2 chips against the nominal rate within the second.
            let doppler_hz = [-4870.0, 4410.0, 333.3][usize::from(trial) % 3] + 21.7 * f64::from(trial);
            let s = sent(signal, 1 + trial, cn0_dbhz, doppler_hz, 48.37 * f64::from(trial));
            let samples = generate(&info, 1.0025, &[s], None, 3000 + u64::from(trial));
            let mut plan = SearchPlan::weak(signal, 0.0);
            let whole = plan.extent_hz();
            plan.restrict([(s.prn, (doppler_hz - 130.0, doppler_hz + 110.0))].into());
            plan.false_alarm *= plan.extent_hz() / whole;
            let found = searcher.search(&samples, 0, &plan).unwrap();
            detected += i32::from(
                found
                    .iter()
                    .any(|a| chips_off(a, &s).abs() < 0.4 && (a.doppler_hz - doppler_hz).abs() < 50.0),
            );
        }
        eprintln!("{signal} at {cn0_dbhz} dB-Hz, weak: {detected} of {trials}");
        assert!(detected >= least);
    }
}

/// At most the stated share of weak searches finds something in noise.
#[test]
fn weak_searches_of_noise_find_no_more_than_stated() {
    let signal = SignalId::L1CA;
    let info = centred(signal, 2.0e6);
    let mut searcher = Searcher::new(&info);
    let (trials, mut alarms) = (24, 0);
    for seed in 0..trials {
        let samples = generate(&info, 1.0025, &[], None, 4000 + seed);
        let mut plan = SearchPlan::weak(signal, 0.0);
        plan.doppler_hz = (-300.0, 300.0);
        plan.prns = vec![3, 17, 30];
        plan.false_alarm = 0.25;
        alarms += usize::from(!searcher.search(&samples, 0, &plan).unwrap().is_empty());
    }
    eprintln!("{alarms} false alarms in {trials} weak searches, at most 6 expected");
    // More than 12 of 24 have a probability of 0.2 % at one in four.
    assert!(alarms <= 12, "{alarms}");
}

/// Each satellite in its own window: the same are found in the right windows, none in wrong ones.
#[test]
fn windows_of_single_satellites_are_kept() {
    let signal = SignalId::L1CA;
    let info = centred(signal, 4.0e6);
    let both = [sent(signal, 4, 45.0, 3210.0, 400.4), sent(signal, 9, 45.0, -2800.0, 77.0)];
    let samples = generate(&info, 0.0101, &both, None, 10);
    let mut plan = SearchPlan::cold(signal, 0.0);
    let everywhere = search(&samples, 0, &info, &plan).unwrap();
    assert_found(&everywhere, &both, 25.0, 0.1, 2.0);
    let whole = plan.extent_hz();
    plan.restrict([(4, (3000.0, 3400.0)), (9, (-2900.0, -2700.0)), (20, (0.0, 100.0))].into());
    assert_eq!(plan.prns, [4, 9, 20]);
    assert!(plan.extent_hz() < 0.01 * whole);
    assert_found(&search(&samples, 0, &info, &plan).unwrap(), &both, 25.0, 0.1, 2.0);
    plan.windows_hz.insert(9, (1000.0, 1200.0));
    assert_found(&search(&samples, 0, &info, &plan).unwrap(), &both[..1], 25.0, 0.1, 2.0);
}

#[test]
fn tones_are_no_satellites() {
    for (signal, tone_hz, power) in [
        (SignalId::L1CA, 1575.42e6 + 2345.6, 10.0),
        (SignalId::L1CA, 1575.42e6 - 400_123.4, 1.0),
        (SignalId::L1CA, 1575.42e6, 4.0),
        (SignalId::L1CA, 1575.42e6 + 77_000.0, 0.01),
        (SignalId::B1I, 1561.098e6 + 500_250.0, 4.0),
    ] {
        let info = centred(signal, 4.1e6);
        let s = sent(signal, 14, 45.0, 777.0, 321.0);
        let samples = generate(&info, 0.0511, &[s], Some((tone_hz, power)), 6);
        let mut plan = SearchPlan::for_available(signal, 0.050, 0.0);
        plan.doppler_hz = (-3000.0, 3000.0);
        let found = search(&samples, 0, &info, &plan).unwrap();
        // A tone ten times as strong as the noise leaves 8-bit samples clipped.
        assert_found(&found, &[s], 10.0, 0.1, 3.0);
    }
}

#[test]
fn a_very_strong_satellite_hides_behind_no_other() {
    let signal = SignalId::L1CA;
    let info = centred(signal, 4.0e6);
    let strong = [sent(signal, 6, 60.0, 1200.0, 400.4), sent(signal, 19, 45.0, -800.0, 77.0)];
    let samples = generate(&info, 0.1001, &strong, None, 7);
    let plan = SearchPlan::for_available(signal, 0.1, 0.0);
    let found = search(&samples, 0, &info, &plan).unwrap();
    assert_found(&found, &strong, 10.0, 0.1, 2.0);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let signal = SignalId::B1I;
    let info = centred(signal, 4.1e6);
    let samples = generate(&info, 0.0111, &[sent(signal, 14, 45.0, 777.0, 321.0)], None, 8);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| search(&samples, 5000, &info, &SearchPlan::cold(signal, 0.0)).unwrap())
    };
    let one = with(1);
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].sample, 5000);
    assert_eq!(one, with(2));
    assert_eq!(one, with(5));
}

#[test]
fn impossible_searches_are_refused() {
    let info = centred(SignalId::L1CA, 4.0e6);
    let samples = generate(&info, 0.0005, &[], None, 9);
    let plan = SearchPlan::cold(SignalId::L1CA, 0.0);
    let error = search(&samples, 0, &info, &plan).unwrap_err().to_string();
    assert_eq!(error, "L1CA needs at least 0.001 s of samples for a search, 0.0005 s are there");
    assert!(search(&samples, 0, &info, &SearchPlan::cold(SignalId::B1I, 0.0)).is_err());
    let real = StreamInfo { complex: false, ..info };
    assert!(search(&samples, 0, &real, &plan).is_err());
}
