//! From Keplerian elements to position, velocity and clock.

use megrez_signal::{Constellation, NavMessage, SPEED_OF_LIGHT};

use crate::{Ecef, GnssTime, KeplerEphemeris, SatState};

/// Gravitational constant and rotation rate of the earth that a system's messages are made with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Earth {
    /// In m³/s².
    pub mu: f64,
    /// In rad/s.
    pub rate: f64,
}

/// WGS 84 as IS-GPS-200 section 20.3.3.4.3.3 has it.
const EARTH_GPS: Earth = Earth { mu: 3.986_005e14, rate: 7.292_115_146_7e-5 };
/// GTRF, Galileo OS SIS ICD table 66.
const EARTH_GALILEO: Earth = Earth { mu: 3.986_004_418e14, rate: 7.292_115_146_7e-5 };
/// BDCS, BDS-SIS-ICD-B1I-3.0 section 3.2.
const EARTH_BDS: Earth = Earth { mu: 3.986_004_418e14, rate: 7.292_115_0e-5 };
/// Tilt of the frame in which the elements of BDS GEO satellites are given, rad.
const GEO_TILT: f64 = -5.0 * std::f64::consts::PI / 180.0;

impl Earth {
    pub(crate) fn of(constellation: Constellation) -> Self {
        match constellation {
            Constellation::Bds => EARTH_BDS,
            Constellation::Galileo => EARTH_GALILEO,
            _ => EARTH_GPS,
        }
    }
}

/// Eccentric anomaly of mean anomaly `m` (rad) at eccentricity `e`: Newton's method kept inside a bracket,
/// so that it converges for every 0 <= e < 1. The result is in the same turn as `m`.
pub(crate) fn eccentric_anomaly(m: f64, e: f64) -> f64 {
    use std::f64::consts::{PI, TAU};
    let turns = ((m + PI) / TAU).floor() * TAU;
    let m = m - turns;
    // f(x) = x - e sin x - m rises steadily and its root lies within e of m.
    let (mut low, mut high) = (m - e, m + e);
    let mut x = m + e * m.sin();
    for _ in 0..60 {
        let (s, c) = x.sin_cos();
        let f = x - e * s - m;
        if f > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let mut next = x - f / (1.0 - e * c);
        if !(low..=high).contains(&next) {
            next = 0.5 * (low + high);
        }
        let step = (next - x).abs();
        x = next;
        // The error left is half of e times the square of the step, over 1 - e cos x.
        if step * step <= 1e-17 * (1.0 - e) || step <= 1e-16 * x.abs().max(1.0) {
            break;
        }
    }
    x + turns
}

/// State of `k` at `t`; the tilt of GEO satellites applies to what came in D2.
pub(crate) fn state(k: &KeplerEphemeris, t: GnssTime) -> SatState {
    let earth = Earth::of(k.sat.constellation);
    let geo = k.message == NavMessage::D2;
    let tk = t - k.toe;
    let (_, toe_s) = k.toe.week_tow(k.scale());

    let n0 = (earth.mu / (k.a * k.a * k.a)).sqrt();
    let m = k.m0 + (n0 + k.delta_n + 0.5 * k.delta_n_dot * tk) * tk;
    let m_rate = n0 + k.delta_n + k.delta_n_dot * tk;
    let ea = eccentric_anomaly(m, k.e);
    let (sin_e, cos_e) = ea.sin_cos();
    let one_minus = 1.0 - k.e * cos_e;
    let e_rate = m_rate / one_minus;

    let root = (1.0 - k.e * k.e).sqrt();
    let phi = (root * sin_e).atan2(cos_e - k.e) + k.omega;
    let phi_rate = root * e_rate / one_minus;
    let (s2, c2) = (2.0 * phi).sin_cos();

    let a = k.a + k.a_dot * tk;
    let u = phi + k.cus * s2 + k.cuc * c2;
    let r = a * one_minus + k.crs * s2 + k.crc * c2;
    let i = k.i0 + k.i_dot * tk + k.cis * s2 + k.cic * c2;
    let u_rate = phi_rate * (1.0 + 2.0 * (k.cus * c2 - k.cuc * s2));
    let r_rate = k.a_dot * one_minus + a * k.e * sin_e * e_rate + 2.0 * phi_rate * (k.crs * c2 - k.crc * s2);
    let i_rate = k.i_dot + 2.0 * phi_rate * (k.cis * c2 - k.cic * s2);

    let (su, cu) = u.sin_cos();
    let (xp, yp) = (r * cu, r * su);
    let (xp_rate, yp_rate) = (r_rate * cu - yp * u_rate, r_rate * su + xp * u_rate);

    let node_rate = k.omega_dot - if geo { 0.0 } else { earth.rate };
    let node = k.omega0 + node_rate * tk - earth.rate * toe_s;
    let (sn, cn) = node.sin_cos();
    let (si, ci) = i.sin_cos();

    let mut position = Ecef { x: xp * cn - yp * ci * sn, y: xp * sn + yp * ci * cn, z: yp * si };
    // d(yp cos i)/dt
    let across_rate = yp_rate * ci - yp * si * i_rate;
    let mut velocity = Ecef {
        x: xp_rate * cn - across_rate * sn - position.y * node_rate,
        y: xp_rate * sn + across_rate * cn + position.x * node_rate,
        z: yp_rate * si + yp * ci * i_rate,
    };
    if geo {
        let (st, ct) = GEO_TILT.sin_cos();
        let tilt = |v: Ecef| Ecef { x: v.x, y: ct * v.y + st * v.z, z: ct * v.z - st * v.y };
        position = tilt(position).rotated_z(earth.rate * tk);
        velocity = tilt(velocity).rotated_z(earth.rate * tk);
        velocity.x += earth.rate * position.y;
        velocity.y -= earth.rate * position.x;
    }

    let dt = t - k.toc;
    let [a0, a1, a2] = k.clock;
    let relativity = -2.0 * (earth.mu * k.a).sqrt() / (SPEED_OF_LIGHT * SPEED_OF_LIGHT) * k.e;
    SatState {
        position,
        velocity,
        clock_s: a0 + (a1 + a2 * dt) * dt + relativity * sin_e,
        clock_drift: a1 + 2.0 * a2 * dt + relativity * cos_e * e_rate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keplers_equation_holds(m in -50.0..50.0f64, e in 0.0..0.999_999f64) {
            let ea = eccentric_anomaly(m, e);
            prop_assert!((ea - e * ea.sin() - m).abs() < 2e-14, "{}", ea - e * ea.sin() - m);
        }
    }

    #[test]
    fn keplers_equation_near_the_parabola() {
        for e in [0.0, 0.9, 0.999_999_999_999, 1.0 - f64::EPSILON] {
            for m in [0.0, 1e-300, 1e-12, 1e-3, 3.0, std::f64::consts::PI, -1e-9] {
                let ea = eccentric_anomaly(m, e);
                assert!((ea - e * ea.sin() - m).abs() < 1e-15, "{m} {e}: {ea}");
            }
        }
        assert!(eccentric_anomaly(f64::NAN, 0.1).is_nan());
    }
}
