//! Each signal from samples to positions by its own message alone.
//!
//! Scenes are short and hold few satellites, so that all signals fit into one run. They begin one or two seconds
//! before a message that starts an ephemeris; how long a receiver waits from any other instant is told in
//! docs/signals.md.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests fail by panicking

mod common;

use common::{receive, scene};
use megrez::dsp::SampleFormat;
use megrez::prelude::*;
use megrez::signal::NavMessage;
use megrez_sim::Receiver as Motion;

/// Error of the oscillator, known to the receiver to within what an ordinary TCXO adds.
const DRIFT_PPM: f64 = 0.3;

struct Case {
    /// The signal asked for; a pilot brings its partner.
    signal: SignalId,
    /// Messages that ephemerides may come in.
    messages: &'static [NavMessage],
    sats: &'static [&'static str],
    rate_hz: f64,
    /// Seconds into BDT week 1052, day 3, at 6:00.
    start_s: f64,
    duration_s: f64,
    /// Latest first fix, in s.
    first_s: f64,
    /// Largest error in space, root mean square, in m.
    most_m: f64,
}

const BDS3: &[&str] = &["C21", "C23", "C24", "C26", "C32", "C38", "C39"];
const BDS2: &[&str] = &["C06", "C07", "C08", "C09", "C13", "C14", "C16"];

const B1I_D1: Case = Case {
    signal: SignalId::B1I,
    messages: &[NavMessage::D1],
    sats: BDS3,
    rate_hz: 4.3e6,
    start_s: 28.5,
    duration_s: 25.0,
    first_s: 20.0,
    most_m: 1.0,
};
/// Geostationary satellites see a receiver from one plane, so a satellite out of it joins them, by its D1.
const B1I_D2: Case = Case {
    messages: &[NavMessage::D1, NavMessage::D2],
    sats: &["C01", "C02", "C03", "C04", "C05", "C06"],
    start_s: 28.0,
    duration_s: 38.0,
    first_s: 33.0,
    most_m: 2.0,
    ..B1I_D1
};
/// A metre of it is the receiver's correction for a code bias of BDS-2 satellites, which the simulated ones lack.
const B2I: Case = Case { signal: SignalId::B2I, sats: BDS2, most_m: 2.0, ..B1I_D1 };
const B3I: Case = Case { signal: SignalId::B3I, rate_hz: 12e6, ..B1I_D1 };
/// The ionosphere's coefficients come after the first fix, in one of four frames.
const B1C: Case = Case {
    signal: SignalId::B1CP,
    messages: &[NavMessage::Cnav1],
    rate_hz: 4.3e6,
    start_s: 13.0,
    duration_s: 19.0,
    first_s: 14.0,
    most_m: 4.0,
    ..B1I_D1
};
const B2A: Case = Case {
    signal: SignalId::B2AP,
    messages: &[NavMessage::Cnav2],
    rate_hz: 12e6,
    start_s: 11.0,
    duration_s: 16.0,
    first_s: 11.0,
    ..B1I_D1
};
const B2B: Case = Case {
    signal: SignalId::B2BI,
    messages: &[NavMessage::Cnav3],
    rate_hz: 12e6,
    start_s: 0.4,
    duration_s: 10.0,
    first_s: 5.0,
    ..B1I_D1
};

impl Case {
    /// At rest and on a circle.
    fn fixes(&self) {
        self.check(false);
        self.check(true);
    }

    fn check(&self, moving: bool) {
        let signal = self.signal.def();
        let sent: Vec<SignalId> = [Some(self.signal), signal.partner].into_iter().flatten().collect();
        let mut scene = scene(&sent, self.rate_hz, signal.carrier_hz, SampleFormat::Cs8);
        scene.start = GnssTime::from_bdt(1052, 3.0 * 86_400.0 + 6.0 * 3600.0 + self.start_s);
        scene.duration_s = self.duration_s;
        scene.clock.drift_ppm = DRIFT_PPM;
        scene.satellites.include = self.sats.iter().map(|sat| sat.parse().unwrap()).collect();
        if moving {
            scene.receiver = Motion::Circle {
                lat_deg: 30.5,
                lon_deg: 114.4,
                height_m: 40.0,
                radius_m: 100.0,
                speed_mps: 20.0,
            };
        }
        let outcome = receive(scene, |b| {
            b.signals([self.signal]).interval_s(0.5).configure(|c| {
                c.known_oscillator_ppm = Some(DRIFT_PPM);
                // No search for others once all are tracked.
                c.max_channels = self.sats.len();
            })
        });
        let (rms_m, fixes) = outcome.position_rms_m();
        let diagnosis = || format!("{}: {}", signal.name, outcome.receiver.diagnose());
        let first_s = outcome.first_fix_s().unwrap_or_else(|| panic!("no fix; {}", diagnosis()));
        let errors = outcome.observation_errors(first_s + 1.5);
        let last = outcome.solutions().last().unwrap();
        println!(
            "{} by {:?}, {}: first fix {first_s:.1} s, {fixes} fixes, 3D rms {rms_m:.2} m with {} satellites, PDOP {:.1}; {errors:?}",
            signal.name,
            self.messages,
            if moving { "moving" } else { "static" },
            last.sats_used(),
            last.dop.p,
        );
        assert!(first_s < self.first_s && fixes >= 8 && rms_m < self.most_m, "{}", diagnosis());
        assert!(
            errors.count > 25 && errors.phase_cycles < 0.05 && errors.pseudorange_m < 0.5,
            "{}",
            diagnosis()
        );
        // Nothing but this signal was used, and no ephemeris but those of its messages.
        let uses = || outcome.solutions().flat_map(|fix| &fix.sats);
        assert!(uses().all(|used| used.code == self.signal.into()));
        let nav = outcome.receiver.nav();
        assert!(nav.ephemerides().all(|e| self.messages.contains(&e.message())));
        for message in self.messages {
            let by_it = |sat| nav.ephemerides_of(sat).iter().any(|e| e.message() == *message);
            assert!(last.sats.iter().any(|used| used.used && by_it(used.sat)), "{message:?}");
        }
        // A pilot tells half cycles before any message does.
        let unsure = outcome.epochs().flat_map(|(_, epoch)| &epoch.observations).any(|o| o.half_cycle);
        assert!(!(signal.is_pilot() && unsure));
    }
}

#[test]
fn b1i_d1() {
    B1I_D1.fixes();
}

#[test]
fn b1i_d2() {
    B1I_D2.fixes();
}

#[test]
fn b2i() {
    B2I.fixes();
}

#[test]
fn b3i() {
    B3I.fixes();
}

#[test]
fn b1c() {
    B1C.fixes();
}

#[test]
fn b2a() {
    B2A.fixes();
}

#[test]
fn b2b() {
    B2B.fixes();
}
