//! Almanacs to send: those known, or else made of ephemerides.

use std::f64::consts::TAU;

use megrez_orbit::{Almanac, Ecef, GnssTime, KeplerEphemeris, NavData};
use megrez_signal::{Constellation, NavMessage, Sat};

use crate::element;

/// Step of toa in s.
const TOA_STEP_S: f64 = 4096.0;
/// Gravitational constant in m³/s² and rotation of the earth in rad/s (BDS-SIS-ICD-B1I-3.0 section 3.2); those
/// of GPS do not differ by anything an almanac shows.
const MU: f64 = 3.986_004_418e14;
const EARTH_RATE: f64 = 7.292_115e-5;

/// The almanac of `sat` to send at `t`.
pub(super) fn almanac(sat: Sat, nav: &NavData, t: GnssTime) -> Option<Almanac> {
    let known = nav.almanacs.get(&sat).filter(|almanac| on_step(almanac));
    known.cloned().or_else(|| {
        let all = nav.ephemerides_of(sat).iter().filter_map(|e| e.kepler());
        let nearest = all.min_by(|a, b| (a.toe - t).abs().total_cmp(&(b.toe - t).abs()))?;
        Some(derive(nearest))
    })
}

/// The circular orbit that passes the place of an almanac at `toa`: node and argument of latitude (as the mean
/// anomaly) for then, nothing else.
pub(super) fn circular(almanac: &Almanac, toa: GnssTime) -> KeplerEphemeris {
    let eph = element::from_almanac(almanac);
    let dt = toa - almanac.toa;
    let mean = almanac.m0 + (MU / almanac.a.powi(3)).sqrt() * dt;
    // The true anomaly to the second order of the eccentricity.
    let truth = mean + 2.0 * almanac.e * mean.sin() + 1.25 * almanac.e.powi(2) * (2.0 * mean).sin();
    // Nodes count from the start of the week of their reference time.
    let weeks = (toa.bdt().0 - almanac.toa.bdt().0) as f64;
    let omega0 = almanac.omega0 + almanac.omega_dot * dt - EARTH_RATE * 604_800.0 * weeks;
    KeplerEphemeris {
        a: almanac.a,
        omega0: omega0.rem_euclid(TAU),
        m0: truth + almanac.omega,
        ..KeplerEphemeris::blank(eph.sat, NavMessage::D1, toa, toa)
    }
}

/// Reference time of the almanacs sent at `t`: that of the first satellite that has one.
pub(super) fn reference(constellation: Constellation, nav: &NavData, t: GnssTime) -> GnssTime {
    let sats = (1..=63).map(|prn| Sat { constellation, prn });
    sats.filter_map(|sat| almanac(sat, nav, t)).map(|almanac| almanac.toa).next().unwrap_or(t)
}

/// Whether the reference time can be written.
fn on_step(almanac: &Almanac) -> bool {
    let scale = element::from_almanac(almanac).scale();
    almanac.toa.week_tow(scale).1 % TOA_STEP_S == 0.0
}

/// The almanac at the step of toa at or before the `toe` of an ephemeris, which is in the same week.
fn derive(eph: &KeplerEphemeris) -> Almanac {
    let (week, toe) = eph.toe.week_tow(eph.scale());
    let toa = GnssTime::from_week_tow(eph.scale(), week, (toe / TOA_STEP_S).floor() * TOA_STEP_S);
    let dt = toa - eph.toe;
    let clock = [eph.clock[0] + eph.clock[1] * (toa - eph.toc), eph.clock[1], 0.0];
    let elements = if eph.message == NavMessage::D2 {
        osculating(eph, toa)
    } else {
        let motion = (MU / eph.a.powi(3)).sqrt() + eph.delta_n;
        KeplerEphemeris {
            m0: eph.m0 + motion * dt,
            omega0: eph.omega0 + eph.omega_dot * dt,
            i0: eph.i0 + eph.i_dot * dt,
            ..eph.clone()
        }
    };
    let elements = KeplerEphemeris { clock, ..elements };
    let health = (eph.sat.constellation == Constellation::Gps).then_some(eph.health);
    element::to_almanac(&elements, toa, elements.i0, health)
}

/// Elements of a geostationary satellite from its state at `toa`, because those of D2 are in a tilted frame.
fn osculating(eph: &KeplerEphemeris, toa: GnssTime) -> KeplerEphemeris {
    let state = eph.state(toa);
    let r = state.position;
    // Velocity in the frame that does not rotate and coincides with the earth's at toa.
    let v = Ecef {
        x: state.velocity.x - EARTH_RATE * r.y,
        y: state.velocity.y + EARTH_RATE * r.x,
        z: state.velocity.z,
    };
    let dot = |a: Ecef, b: Ecef| a.x * b.x + a.y * b.y + a.z * b.z;
    let (radius, speed2) = (dot(r, r).sqrt(), dot(v, v));
    let h = Ecef { x: r.y * v.z - r.z * v.y, y: r.z * v.x - r.x * v.z, z: r.x * v.y - r.y * v.x };
    let across = h.x.hypot(h.y);
    let a = 1.0 / (2.0 / radius - speed2 / MU);
    let node = h.x.atan2(-h.y);
    let (sin_node, cos_node) = node.sin_cos();
    let i0 = across.atan2(h.z);
    // Argument of latitude and eccentric anomaly.
    let along = r.x * cos_node + r.y * sin_node;
    let beyond = (r.y * cos_node - r.x * sin_node) * i0.cos() + r.z * i0.sin();
    let latitude = beyond.atan2(along);
    let (e_cos, e_sin) = (1.0 - radius / a, dot(r, v) / (MU * a).sqrt());
    let (e, anomaly) = (e_cos.hypot(e_sin), e_sin.atan2(e_cos));
    let truth = ((1.0 - e * e).sqrt() * anomaly.sin()).atan2(anomaly.cos() - e);
    let (_, toa_s) = toa.week_tow(eph.scale());
    KeplerEphemeris {
        a,
        e,
        i0,
        omega0: (node + EARTH_RATE * toa_s).rem_euclid(TAU),
        omega_dot: 0.0,
        omega: latitude - truth,
        m0: anomaly - e * anomaly.sin(),
        ..KeplerEphemeris::blank(eph.sat, NavMessage::D1, toa, toa)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ephemeris(sat: Sat, message: NavMessage, a: f64, i0: f64) -> KeplerEphemeris {
        let toe = GnssTime::from_bdt(800, 345_600.0);
        KeplerEphemeris {
            clock: [1e-4, 1e-11, 0.0],
            a,
            e: 1e-3,
            i0,
            omega0: 2.5,
            omega_dot: -7e-9,
            omega: -1.0,
            m0: 0.7,
            delta_n: 2e-9,
            ..KeplerEphemeris::blank(sat, message, toe, toe)
        }
    }

    #[test]
    fn derived_almanacs_follow_the_orbit() {
        let cases = [
            (Sat::bds(3), NavMessage::D2, 42_164_200.0, 0.1),
            (Sat::bds(10), NavMessage::D1, 42_164_200.0, 0.95),
            (Sat::bds(24), NavMessage::D1, 27_906_100.0, 0.96),
            (Sat::gps(5), NavMessage::Lnav, 26_560_000.0, 0.96),
        ];
        for (sat, message, a, i0) in cases {
            let eph = ephemeris(sat, message, a, i0);
            let almanac = derive(&eph);
            for hours in [-1.0, 0.0, 2.0] {
                let t = eph.toe + hours * 3600.0;
                let (p, q) = (eph.state(t), almanac.state(t));
                let off = (p.position.x - q.position.x)
                    .hypot(p.position.y - q.position.y)
                    .hypot(p.position.z - q.position.z);
                assert!(off < 2_000.0, "{sat} {hours} h: {off} m");
                assert!((p.clock_s - q.clock_s).abs() < 1e-8);
            }
        }
    }
}
