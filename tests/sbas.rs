//! SBAS, BDSBAS among it, through channels: found, followed, messages passed on as they are.

#![allow(clippy::unwrap_used)] // helpers of tests fail by panicking

mod common;

use common::{Outcome, receive, scene};
use megrez::dsp::SampleFormat;
use megrez::nav::Subframe;
use megrez::prelude::*;
use megrez::signal::NavMessage;

const PRNS: [u8; 3] = [30, 43, 44];

fn sbas(prn: u8) -> Sat {
    Sat { constellation: Constellation::Sbas, prn }
}

fn messages(outcome: &Outcome) -> impl Iterator<Item = (SignalId, &Subframe)> {
    outcome.events.iter().filter_map(|event| match event {
        Event::Message { signal, subframe, .. } => Some((*signal, subframe.as_ref())),
        _ => None,
    })
}

/// Remainder of the division by the polynomial of CRC-24Q, bit by bit: 0 for a message with its check bits.
fn remainder(words: &[u32]) -> u32 {
    let bit = |n: usize| words[n / 30] >> (29 - n % 30) & 1;
    (0..250).fold(0, |state, n| {
        let out = state >> 23 ^ bit(n);
        (state << 1 & 0xff_ffff) ^ (out * 0x86_4cfb)
    })
}

/// Every satellite sends a message a second; those of the first one and a half may be lost to the search, the way to
/// pair symbols and the decoder's delay.
fn check(signal: SignalId, message: NavMessage, rate_hz: f64, seconds: usize) {
    let mut some = scene(&[signal], rate_hz, signal.def().carrier_hz, SampleFormat::Cs8);
    some.duration_s = seconds as f64;
    some.clock.drift_ppm = 0.3;
    let outcome = receive(some, |b| {
        b.signals([signal]).configure(|c| {
            c.known_oscillator_ppm = Some(0.3);
            c.max_channels = PRNS.len();
        })
    });
    for prn in PRNS {
        let sat = sbas(prn);
        let status = outcome.receiver.satellites().into_iter().find(|s| s.sat == sat).unwrap();
        let tracked = outcome.simulation.truth(seconds as f64);
        let truth = tracked.signals.iter().find(|t| t.sat == sat).unwrap();
        println!("{sat} {signal}: {:.1} dB-Hz, {} messages", status.cn0_dbhz, status.subframes);
        assert!(status.tracked && (status.cn0_dbhz - 45.0).abs() < 1.0, "{status:?}");
        assert!((status.doppler_hz - truth.doppler_hz).abs() < 1.0, "{status:?}");
        let got: Vec<&Subframe> = messages(&outcome).filter(|m| m.1.sat == sat).map(|m| m.1).collect();
        assert!((seconds - 2..=seconds).contains(&got.len()), "{sat}: {} messages in {seconds} s", got.len());
        for subframe in got {
            // The simulated ones are null messages.
            assert_eq!((subframe.message, subframe.id, subframe.complete()), (message, 63, true));
            assert_eq!(remainder(&subframe.words), 0);
        }
    }
    assert!(messages(&outcome).all(|m| m.0 == signal));
    assert!(outcome.solutions().next().is_none() && outcome.receiver.nav().ephemerides().next().is_none());
}

#[test]
fn l1() {
    check(SignalId::SBASL1, NavMessage::Sbas, 2.2e6, 6);
}

#[test]
fn dual_frequency_on_l5() {
    check(SignalId::SBASL5, NavMessage::SbasDfmc, 12e6, 6);
}
