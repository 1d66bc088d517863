//! How long a receiver that has found a signal waits for the first ephemeris.

use megrez_nav::{Assembler, Decoder, NavEvent, encode_subframe, subframe_duration_s};
use megrez_orbit::{Ephemeris, GnssTime, KeplerEphemeris, NavData, TimeScale};
use megrez_signal::{NavMessage, Sat, SignalId};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

/// A message on a signal.
pub struct Case {
    pub name: &'static str,
    pub signal: SignalId,
    pub sat: Sat,
    /// After so many seconds the message repeats itself, as far as ephemerides go.
    pub cycle_s: f64,
}

const fn case(name: &'static str, signal: SignalId, sat: Sat, cycle_s: f64) -> Case {
    Case { name, signal, sat, cycle_s }
}

pub const CASES: [Case; 6] = [
    case("D1", SignalId::B1I, Sat::bds(24), 30.0),
    case("D2", SignalId::B1I, Sat::bds(3), 30.0),
    case("B-CNAV1", SignalId::B1CD, Sat::bds(24), 18.0),
    case("B-CNAV2", SignalId::B2AD, Sat::bds(24), 48.0),
    case("B-CNAV3", SignalId::B2BI, Sat::bds(24), 3.0),
    case("LNAV", SignalId::L1CA, Sat::gps(5), 30.0),
];

impl Case {
    /// Seconds to the first ephemeris at `cn0_dbhz` of the whole signal, from instants `step_s` apart, sorted.
    pub fn waits_s(&self, cn0_dbhz: f64, step_s: f64) -> Vec<f64> {
        let count = (self.cycle_s / step_s).round() as usize;
        let mut waits: Vec<f64> =
            (0..count).map(|k| self.wait_s(cn0_dbhz, k as f64 * step_s, k as u64)).collect();
        waits.sort_by(f64::total_cmp);
        waits
    }

    /// Symbols are received from `from_s` after a quarter past an hour.
    fn wait_s(&self, cn0_dbhz: f64, from_s: f64, seed: u64) -> f64 {
        let (sat, signal) = (self.sat, self.signal.def());
        let message = signal.nav_message(sat.prn).expect("a message");
        let scale = TimeScale::of(sat.constellation);
        let toe = GnssTime::from_week_tow(scale, 1052, 7200.0);
        let start = toe + 720.0;
        let mut nav = NavData::default();
        nav.insert(Ephemeris::Kepler(orbit(sat, message, toe)));
        let symbol_s = 1.0 / message.symbol_rate_hz();
        let energy = 10f64.powf(cn0_dbhz / 10.0) * signal.power_share * symbol_s;
        let sigma = (0.5 / energy).sqrt();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut decoder = Decoder::new(sat, message).expect("a decoder");
        let mut assembler = Assembler::new(sat, message);
        let length_s = subframe_duration_s(message);
        let symbols = (0..).flat_map(|k| {
            encode_subframe(message, sat, &nav, start + f64::from(k) * length_s).expect("the data are good")
        });
        let skipped = (from_s / symbol_s).round() as usize;
        for (number, bit) in symbols.skip(skipped).take((120.0 / symbol_s) as usize).enumerate() {
            let noise: f64 = StandardNormal.sample(&mut random);
            let soft = 1.0 - 2.0 * f64::from(bit) + sigma * noise;
            let Some(subframe) = decoder.push(soft as f32, number as u64) else { continue };
            let events = assembler.push(&subframe, None);
            if events.iter().any(|e| matches!(e, NavEvent::Ephemeris(_))) {
                return (number + 1) as f64 * symbol_s;
            }
        }
        f64::INFINITY
    }
}

/// Some orbit.
fn orbit(sat: Sat, message: NavMessage, toe: GnssTime) -> KeplerEphemeris {
    KeplerEphemeris {
        sat,
        message,
        toe,
        toc: toe,
        transmit: None,
        clock: [1e-4, 1e-12, 0.0],
        a: if sat.is_bds_geo() { 42_164_000.0 } else { 27_906_000.0 },
        a_dot: 0.0,
        e: 0.002,
        i0: if sat.is_bds_geo() { 0.09 } else { 0.96 },
        i_dot: 1e-10,
        omega0: 1.0,
        omega_dot: -7e-9,
        omega: 0.5,
        m0: 2.0,
        delta_n: 4e-9,
        delta_n_dot: 0.0,
        cuc: 1e-6,
        cus: 2e-6,
        crc: 100.0,
        crs: 50.0,
        cic: 1e-8,
        cis: 2e-8,
        delays: Default::default(),
        iode: 5,
        iodc: 5,
        ura_m: Some(2.0),
        health: 0,
        details: Default::default(),
    }
}
