//! The carrier filter: a Kalman filter of phase, frequency and frequency rate.
//!
//! Driven by white jerk it settles to a third-order loop with Butterworth poles, whose noise bandwidth is
//! 5/6 of its natural frequency w0 = (q / r)^(1/6); q is the spectral density of the jerk, r that of the phase
//! measurement. Unlike a loop with fixed gains it stays stable when the update interval is a large part of
//! the loop's time constant, and it starts with gains that fit what pull-in left open.

use std::f64::consts::PI;

/// Phase in cycles, frequency in Hz and its rate in Hz/s of the received carrier at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct CarrierState {
    pub phase: f64,
    pub freq: f64,
    pub rate: f64,
}

impl CarrierState {
    /// The state `dt` seconds later.
    pub fn at(&self, dt: f64) -> Self {
        Self {
            phase: self.phase + dt * (self.freq + 0.5 * dt * self.rate),
            freq: self.freq + dt * self.rate,
            rate: self.rate,
        }
    }
}

/// Standard deviations of the three states.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CarrierSigma {
    pub phase: f64,
    pub freq: f64,
    pub rate: f64,
}

#[derive(Debug, Clone)]
pub(crate) struct CarrierFilter {
    pub state: CarrierState,
    /// Upper triangle of the covariance: pp, pf, pr, ff, fr, rr.
    p: [f64; 6],
    /// Spectral density of the jerk, Hz^2/s^3.
    q: f64,
}

/// Variance in cycles^2 of an arctangent phase discriminator at a signal to noise ratio (power) of all that it was
/// fed with; `squared` is that ratio of the parts whose unknown signs were squared away, infinite if all are known.
pub(crate) fn phase_variance(snr: f64, squared: f64) -> f64 {
    let (snr, squared) = (snr.max(0.05), squared.max(0.05));
    ((1.0 + 0.5 / squared) / (2.0 * snr)).min(PI * PI / 12.0) / (4.0 * PI * PI)
}

impl CarrierFilter {
    /// A filter with the noise bandwidth `bandwidth_hz` at 45 dB-Hz.
    pub fn new(bandwidth_hz: f64) -> Self {
        let w0 = bandwidth_hz / (5.0 / 6.0);
        let r = 1.0 / (2.0 * 10f64.powf(4.5) * 4.0 * PI * PI);
        Self { state: CarrierState::default(), p: [0.0; 6], q: w0.powi(6) * r }
    }

    /// Sets the state, with independent errors.
    pub fn reset(&mut self, state: CarrierState, sigma: CarrierSigma) {
        self.state = state;
        self.p = [sigma.phase.powi(2), 0.0, 0.0, sigma.freq.powi(2), 0.0, sigma.rate.powi(2)];
    }

    /// Moves state and covariance on by `dt` seconds.
    pub fn predict(&mut self, dt: f64) {
        self.state = self.state.at(dt);
        let [pp, pf, pr, ff, fr, rr] = self.p;
        let h = 0.5 * dt * dt;
        let (d2, q) = (dt * dt, self.q);
        let d3 = d2 * dt;
        self.p = [
            pp + 2.0 * dt * pf + 2.0 * h * pr + d2 * ff + 2.0 * dt * h * fr + h * h * rr + q * d3 * d2 / 20.0,
            pf + dt * (pr + ff) + (h + d2) * fr + dt * h * rr + q * d2 * d2 / 8.0,
            pr + dt * fr + h * rr + q * d3 / 6.0,
            ff + 2.0 * dt * fr + d2 * rr + q * d3 / 3.0,
            fr + dt * rr + q * d2 / 2.0,
            rr + q * dt,
        ];
    }

    /// Takes in the mean phase error (received minus predicted, cycles) over the last `dt` seconds, the
    /// state being that at their end.
    pub fn update(&mut self, error: f64, variance: f64, dt: f64) {
        let (h1, h2) = (-0.5 * dt, dt * dt / 6.0);
        let [pp, pf, pr, ff, fr, rr] = self.p;
        let a = pp + h1 * pf + h2 * pr;
        let b = pf + h1 * ff + h2 * fr;
        let c = pr + h1 * fr + h2 * rr;
        let s = a + h1 * b + h2 * c + variance;
        let (ka, kb, kc) = (a / s, b / s, c / s);
        self.state.phase += ka * error;
        self.state.freq += kb * error;
        self.state.rate += kc * error;
        self.p = [pp - ka * a, pf - ka * b, pr - ka * c, ff - kb * b, fr - kb * c, rr - kc * c];
    }

    /// Standard deviation of the frequency, Hz.
    #[cfg(test)]
    pub fn freq_sigma(&self) -> f64 {
        self.p[3].max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steady-state bandwidth and frequency noise against the continuous-time solution of the Riccati
    /// equation (P11 = 2 w0 r, P22 = 3 w0^3 r).
    #[test]
    fn settles_to_the_butterworth_loop() {
        let cn0 = 10f64.powf(4.5);
        for dt in [0.002, 0.020] {
            let mut filter = CarrierFilter::new(10.0);
            filter.reset(CarrierState::default(), CarrierSigma { phase: 0.1, freq: 3.0, rate: 15.0 });
            for _ in 0..(5.0 / dt) as usize {
                filter.predict(dt);
                filter.update(0.0, phase_variance(cn0 * dt, cn0 * dt), dt);
            }
            let r = 1.0 / (2.0 * cn0 * 4.0 * PI * PI);
            let want = (3.0 * 12f64.powi(3) * r).sqrt();
            let ratio = filter.freq_sigma() / want;
            assert!((0.9..1.25).contains(&ratio), "dt {dt}: {ratio}");
        }
    }

    #[test]
    fn follows_constant_acceleration_without_lag() {
        let truth = CarrierState { phase: 0.2, freq: 1.5, rate: 21.0 };
        let mut filter = CarrierFilter::new(10.0);
        filter.reset(CarrierState::default(), CarrierSigma { phase: 0.1, freq: 3.0, rate: 15.0 });
        let dt = 0.02;
        for n in 1..200 {
            filter.predict(dt);
            let end = f64::from(n) * dt;
            let mean = |s: &CarrierState, t: f64| {
                let x = s.at(t);
                x.phase - 0.5 * dt * x.freq + dt * dt / 6.0 * x.rate
            };
            filter.update(mean(&truth, end) - mean(&filter.state, 0.0), 1e-4, dt);
        }
        let want = truth.at(199.0 * dt);
        assert!((filter.state.phase - want.phase).abs() < 1e-4);
        assert!((filter.state.freq - want.freq).abs() < 1e-3);
    }
}
