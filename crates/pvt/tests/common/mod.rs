//! What the tests share: a constellation made of elements, a simulator of measurements written apart from
//! the library's models (light time in an inertial frame, rates by differences), and real observations.
#![allow(dead_code, clippy::unwrap_used)]

pub mod sets;

#[allow(unused_imports)]
pub use sets::shared;

use megrez_orbit::{
    Ecef, Ephemeris, Geodetic, GnssTime, GroupDelays, Iono, KeplerEphemeris, Klobuchar, MessageDetails,
    NavData, Observation, ObservationEpoch, look_angles, troposphere_delay_m,
};
use megrez_signal::{NavMessage, SPEED_OF_LIGHT, Sat, SignalId};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const EARTH_RATE: f64 = 7.292_115e-5;

/// Reference time of the made constellation.
pub fn t0() -> GnssTime {
    GnssTime::from_gpst(2320, 115_200.0)
}

fn elements(sat: Sat, a: f64, e: f64, i0_deg: f64, node_deg: f64, anomaly_deg: f64) -> Ephemeris {
    let k = f64::from(sat.prn);
    let bds = sat.constellation == megrez_signal::Constellation::Bds;
    let message = if !bds {
        NavMessage::Lnav
    } else if sat.is_bds_geo() {
        NavMessage::D2
    } else {
        NavMessage::D1
    };
    let delays = if bds {
        GroupDelays {
            tgd1: Some((k - 20.0) * 0.5e-9),
            tgd_b1cp: Some((k - 25.0) * 0.3e-9),
            ..GroupDelays::default()
        }
    } else {
        GroupDelays { tgd: Some((k - 15.0) * 0.7e-9), ..GroupDelays::default() }
    };
    Ephemeris::Kepler(KeplerEphemeris {
        sat,
        message,
        toe: t0(),
        toc: t0(),
        transmit: Some(t0()),
        clock: [(k - 20.0) * 1.7e-5, (k - 15.0) * 3e-12, 0.0],
        a,
        a_dot: 0.0,
        e,
        i0: i0_deg.to_radians(),
        i_dot: 1e-10,
        omega0: node_deg.to_radians(),
        omega_dot: -8e-9,
        omega: 0.7,
        m0: anomaly_deg.to_radians() - 0.7,
        delta_n: 4e-9,
        delta_n_dot: 0.0,
        cuc: 1e-6,
        cus: 5e-6,
        crc: 200.0,
        crs: -50.0,
        cic: 1e-8,
        cis: -5e-8,
        delays,
        iode: 1,
        iodc: 1,
        ura_m: Some(2.0),
        health: 0,
        details: MessageDetails::default(),
    })
}

/// BeiDou (24 MEO, 3 IGSO, 3 GEO) and 24 GPS satellites with atmosphere.
pub fn constellation() -> NavData {
    let mut nav = NavData::default();
    for plane in 0..3u8 {
        for slot in 0..8u8 {
            let anomaly = f64::from(slot) * 45.0 + f64::from(plane) * 15.0 + 11.0;
            let node = f64::from(plane) * 120.0 + 20.0;
            let ok = nav.insert(elements(
                Sat::bds(19 + plane * 8 + slot),
                27_906_100.0,
                0.001,
                55.0,
                node,
                anomaly,
            ));
            assert!(ok);
        }
        let k = f64::from(plane);
        assert!(nav.insert(elements(
            Sat::bds(6 + plane),
            42_164_200.0,
            0.004,
            55.0,
            30.0 + k * 120.0,
            100.0 - k * 120.0
        )));
        assert!(nav.insert(elements(Sat::bds(1 + plane), 42_164_200.0, 0.0003, 1.0, 20.0 + k * 40.0, 40.0)));
    }
    for plane in 0..6u8 {
        for slot in 0..4u8 {
            let anomaly = f64::from(slot) * 90.0 + f64::from(plane) * 35.0;
            let node = f64::from(plane) * 60.0 + 5.0;
            assert!(nav.insert(elements(
                Sat::gps(1 + plane * 4 + slot),
                26_560_000.0,
                0.008,
                55.0,
                node,
                anomaly
            )));
        }
    }
    nav.gps_iono = Some(Klobuchar {
        alpha: [1.8626e-8, 2.2352e-8, -1.1921e-7, -5.9605e-8],
        beta: [1.2902e5, 1.6384e5, -1.9661e5, -2.6214e5],
    });
    nav.bds_iono = nav.gps_iono;
    nav
}

/// What to simulate.
#[derive(Clone)]
pub struct Scene {
    pub signals: Vec<SignalId>,
    pub mask_deg: f64,
    pub cn0_dbhz: f64,
    /// Standard deviation of pseudoranges in metres, of Dopplers in Hz, of phases in cycles.
    pub code_sigma_m: f64,
    pub doppler_sigma_hz: f64,
    pub phase_sigma: f64,
    /// Receiver clock at `t0`, s, and its drift, s/s.
    pub clock_s: f64,
    pub clock_drift: f64,
    /// Added to GPS pseudoranges, metres.
    pub gps_bias_m: f64,
    /// Ionosphere that no model knows: metres of zenith delay at 1575.42 MHz.
    pub storm_m: f64,
    /// The receiver's delay of B3I, metres.
    pub b3i_delay_m: f64,
    pub atmosphere: bool,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            signals: vec![SignalId::B1I, SignalId::L1CA],
            mask_deg: 10.0,
            cn0_dbhz: 45.0,
            code_sigma_m: 0.0,
            doppler_sigma_hz: 0.0,
            phase_sigma: 0.0,
            clock_s: 1.3e-4,
            clock_drift: 2e-7,
            gps_bias_m: 0.0,
            storm_m: 0.0,
            b3i_delay_m: 0.0,
            atmosphere: true,
        }
    }
}

pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

pub fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// One line of sight.
pub struct Flight {
    pub range_m: f64,
    pub elevation: f64,
    /// Satellite clock less group delay, s.
    pub clock_s: f64,
    /// Ionosphere and troposphere, m.
    pub iono_m: f64,
    pub tropo_m: f64,
}

/// The flight of a signal received at `t` by an antenna at `position`.
pub fn flight(nav: &NavData, sat: Sat, signal: SignalId, t: GnssTime, position: Ecef) -> Flight {
    let ephemeris = nav.ephemerides_of(sat).first().unwrap();
    let mut tau = 0.08;
    let mut out = None;
    for _ in 0..6 {
        let state = ephemeris.state(t - tau);
        let there = state.position.rotated_z(EARTH_RATE * tau);
        let range_m = there.distance(position);
        tau = range_m / SPEED_OF_LIGHT;
        out = Some((range_m, there, state.clock_s));
    }
    let (range_m, there, clock_s) = out.unwrap();
    let azel = look_angles(position, there);
    let rx = position.to_geodetic();
    let carrier = signal.def().carrier_hz;
    let up = azel.elevation > 0.03;
    let model = match signal {
        SignalId::L1CA => Iono::GpsKlobuchar(nav.gps_iono.unwrap()),
        _ => Iono::BdsKlobuchar(nav.bds_iono.unwrap()),
    };
    Flight {
        range_m,
        elevation: azel.elevation,
        clock_s: clock_s - ephemeris.group_delay_s(signal).unwrap_or(0.0),
        iono_m: if up { model.delay_m(t, rx, azel, carrier) } else { 0.0 },
        tropo_m: if up { troposphere_delay_m(rx, azel.elevation, t) } else { 0.0 },
    }
}

impl Scene {
    pub fn clock_at(&self, t: GnssTime) -> f64 {
        self.clock_s + self.clock_drift * (t - t0())
    }

    /// Pseudorange and carrier range in metres at true time `t`.
    fn ranges(&self, nav: &NavData, sat: Sat, signal: SignalId, t: GnssTime, position: Ecef) -> (f64, f64) {
        let f = flight(nav, sat, signal, t, position);
        let bias = match signal {
            SignalId::L1CA => self.gps_bias_m,
            SignalId::B3I => self.b3i_delay_m,
            _ => 0.0,
        };
        // A layer at 350 km, seen under an angle.
        let shell = 6371.0 / (6371.0 + 350.0) * f.elevation.cos();
        let slant = 1.0 / (1.0 - shell * shell).sqrt();
        let storm = self.storm_m * slant * (1575.42e6 / signal.def().carrier_hz).powi(2);
        let plain = f.range_m + SPEED_OF_LIGHT * (self.clock_at(t) - f.clock_s) + bias;
        let (iono, tropo) = if self.atmosphere { (f.iono_m, f.tropo_m) } else { (0.0, 0.0) };
        (plain + iono + storm + tropo, plain - iono - storm + tropo)
    }

    /// Measurements at true time `t` of a receiver moving along `path`.
    pub fn epoch(
        &self,
        nav: &NavData,
        t: GnssTime,
        path: &dyn Fn(GnssTime) -> Ecef,
        rng: &mut ChaCha8Rng,
    ) -> ObservationEpoch {
        let mut observations = Vec::new();
        let mut sats: Vec<Sat> = nav.sats().collect();
        sats.sort_unstable();
        for sat in sats {
            for &signal in &self.signals {
                if signal.def().constellation != sat.constellation {
                    continue;
                }
                if flight(nav, sat, signal, t, path(t)).elevation < self.mask_deg.to_radians() {
                    continue;
                }
                let (code, carrier) = self.ranges(nav, sat, signal, t, path(t));
                let h = 0.05;
                let (_, before) = self.ranges(nav, sat, signal, t - h, path(t - h));
                let (_, after) = self.ranges(nav, sat, signal, t + h, path(t + h));
                let def = signal.def();
                // By the receiver's own seconds.
                let rate = (after - before) / (2.0 * h * (1.0 + self.clock_drift));
                let doppler = -rate / def.wavelength_m() + self.doppler_sigma_hz * normal(rng);
                observations.push(Observation {
                    sat,
                    code: signal.into(),
                    pseudorange_m: Some(code + self.code_sigma_m * normal(rng)),
                    carrier_phase_cycles: Some(
                        carrier / def.wavelength_m() + 1000.0 + self.phase_sigma * normal(rng),
                    ),
                    doppler_hz: Some(doppler),
                    cn0_dbhz: Some(self.cn0_dbhz),
                    slip: false,
                    half_cycle: false,
                    lock_s: 100.0,
                });
            }
        }
        ObservationEpoch { time: t + self.clock_at(t), observations }
    }
}

/// Error of `found` against `truth`: horizontal, up and whole, metres.
pub fn error_m(found: Ecef, truth: Ecef) -> (f64, f64, f64) {
    let enu = found.enu_from(truth);
    (enu.horizontal(), enu.u, enu.norm())
}

pub fn beijing() -> Geodetic {
    Geodetic::new(39.9, 116.4, 60.0)
}
