//! Velocity and clock drift from Dopplers of one epoch.

use megrez_orbit::Ecef;
use megrez_signal::{SPEED_OF_LIGHT, Sat};

use crate::lsq::{CLOCK, Normal, Row, huber};
use crate::model::{Ranging, cn0_ratio, doppler_hz, line_of_sight};
use crate::spp::direction;

/// Velocity and clock drift.
#[derive(Debug, Clone)]
pub(crate) struct Motion {
    /// Velocity in the earth-fixed frame, m/s.
    pub velocity: Ecef,
    /// Rate of the receiver clock's bias, s/s.
    pub clock_drift: f64,
}

/// Standard deviation of a range rate in m/s: thermal noise of a frequency estimate over some 100 ms, and a
/// floor for multipath and orbit errors.
pub(crate) fn rate_sigma_m_s(carrier_hz: f64, cn0_dbhz: Option<f64>) -> f64 {
    let cn0 = cn0_ratio(cn0_dbhz);
    let wavelength = SPEED_OF_LIGHT / carrier_hz;
    (0.02f64.powi(2) + (wavelength * 15.0).powi(2) / cn0).sqrt()
}

/// Velocity and drift at `position`; none with fewer than four satellites' Dopplers or when they contradict
/// each other.
pub(crate) fn solve(rangings: &[&Ranging], position: Ecef) -> Option<Motion> {
    let mut with_doppler: Vec<(&Ranging, f64)> =
        rangings.iter().filter_map(|&r| r.doppler_hz.map(|d| (r, d))).collect();
    let mut velocity = Ecef::default();
    let mut clock_drift = 0.0;
    loop {
        let mut sats: Vec<Sat> = with_doppler.iter().map(|(r, _)| r.sat).collect();
        sats.sort_unstable();
        sats.dedup();
        if sats.len() < 4 {
            return None;
        }
        let mut rows: Vec<(usize, Row)> = Vec::new();
        for iteration in 0..8 {
            rows.clear();
            for (index, &(r, measured_hz)) in with_doppler.iter().enumerate() {
                let line = line_of_sight(position, &r.state);
                let rate = line.rate_m_s - line.unit.dot(velocity);
                let computed_hz = doppler_hz(r.carrier_hz, rate, r.state.clock_drift, clock_drift);
                let metres = -SPEED_OF_LIGHT / r.carrier_hz;
                let v = (measured_hz - computed_hz) * metres;
                let sigma = rate_sigma_m_s(r.carrier_hz, r.cn0_dbhz);
                rows.push((index, Row { h: direction(line.unit), v, w: 1.0 / (sigma * sigma) }));
            }
            let mut normal = Normal::new();
            for (_, row) in &rows {
                // The first iterations only see how far off the start was.
                let scale = if iteration < 2 { 1.0 } else { huber(row.v * row.w.sqrt(), 1.5) };
                normal.add(row, scale);
            }
            let (x, _) = normal.solve()?;
            velocity += Ecef { x: x[0], y: x[1], z: x[2] };
            clock_drift += x[CLOCK] / SPEED_OF_LIGHT;
        }
        let worst = rows
            .iter()
            .map(|(index, row)| (*index, row.v.abs() * row.w.sqrt()))
            .max_by(|a, b| a.1.total_cmp(&b.1))?;
        if worst.1 < 8.0 {
            return Some(Motion { velocity, clock_drift });
        }
        if with_doppler.len() < 6 {
            return None;
        }
        with_doppler.remove(worst.0);
    }
}
