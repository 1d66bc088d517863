//! How soon the first ephemeris is there, wherever the reception begins.

#![allow(clippy::expect_used)]

mod first;

/// At 45 dB-Hz: mean and longest wait in s. What the messages' own rhythm asks for, and nothing beyond it.
#[test]
fn no_time_is_wasted() {
    for (case, (mean_s, most_s)) in first::CASES.iter().zip([
        (30.0, 36.0),
        (29.5, 30.6),
        (13.0, 19.0),
        (13.0, 18.0),
        (3.2, 4.0),
        (30.0, 36.0),
    ]) {
        let waits = case.waits_s(45.0, case.cycle_s / 24.0);
        let mean = waits.iter().sum::<f64>() / waits.len() as f64;
        println!("{}: {:.1} to {:.1} s, mean {mean:.1} s", case.name, waits[0], waits[23]);
        assert!(mean < mean_s && waits[23] < most_s, "{}: {waits:?}", case.name);
    }
}
