//! Whatever the samples and the plan: an answer or an error, and answers within their ranges.

use megrez_acquire::{SearchPlan, SignChanges, search};
use megrez_dsp::{Samples, StreamInfo};
use megrez_signal::SignalId;
use num_complex::Complex;
use proptest::prelude::*;

fn plan() -> impl Strategy<Value = SearchPlan> {
    let signal = prop_oneof![Just(SignalId::L1CA), Just(SignalId::B1I), Just(SignalId::B1CP)];
    let signs = prop_oneof![Just(SignChanges::Ignored), Just(SignChanges::Tried), Just(SignChanges::Avoided)];
    let prns = prop_oneof![
        8 => proptest::collection::vec(19u8..33, 0..4),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ];
    let window = (-8000.0..8000.0, prop_oneof![8 => 0.0..2000.0, 1 => Just(f64::NAN), 1 => -1.0..0.0]);
    let one = proptest::option::of((19u8..33, -9000.0..9000.0, 0.0..500.0));
    (signal, prns, window, 1usize..5, 1usize..7, signs, 0.0..1.05, one).prop_map(
        |(signal, prns, (low, width), coherent_periods, noncoherent, sign_changes, false_alarm, one)| {
            SearchPlan {
                signal,
                prns,
                doppler_hz: (low, low + width),
                references: Vec::new(),
                windows_hz: one.into_iter().map(|(prn, low, width)| (prn, (low, low + width))).collect(),
                coherent_periods,
                noncoherent,
                sign_changes,
                doppler_interpolated: coherent_periods.is_multiple_of(2),
                false_alarm,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn anything_is_searched_or_refused(
        plan in plan(),
        (bytes, tail) in (proptest::collection::vec(any::<i8>(), 0..600), 0usize..60_000),
        rate in prop_oneof![4 => Just(2.048e6), 4 => 2.0e6..5.0e6, 1 => prop_oneof![Just(0.0), Just(f64::NAN), Just(-1.0)]],
        offset in -1.0e6..1.0e6,
        complex in any::<bool>(),
        first in prop_oneof![Just(0), Just(u64::MAX - 100_000)],
    ) {
        let carrier_hz = plan.signal.def().carrier_hz;
        let info = StreamInfo { sample_rate_hz: rate, center_hz: carrier_hz + offset, complex };
        // Random bytes again and again, so that long inputs are cheap to make.
        let bytes = bytes.iter().copied().cycle().take(if bytes.is_empty() { 0 } else { tail });
        let samples = if complex {
            Samples::Complex(bytes.map(|b| Complex::new(b, b.wrapping_mul(7))).collect())
        } else {
            Samples::Real(bytes.collect())
        };
        if let Ok(found) = search(&samples, first, &info, &plan) {
            prop_assert!(found.len() <= plan.prns.len());
            for a in found {
                prop_assert!(plan.prns.contains(&a.sat.prn) && a.signal == plan.signal && a.sample == first);
                prop_assert!((0.0..=plan.signal.def().code_length as f64).contains(&a.code_phase_chips));
                prop_assert!(a.doppler_hz.is_finite() && a.cn0_dbhz.is_finite() && a.doppler_sigma_hz >= 0.0);
            }
        }
    }
}
