//! The code filter: code phase beside the carrier, and its slow divergence from it.
//!
//! The carrier aids the code, so only what the two do not share is left: noise, the ionosphere (a few mm/s)
//! and a front end whose carrier and sample clock do not agree (a synthesiser that is a few hertz off its
//! stated frequency moves the carrier, not the code). The filter averages over all that was seen, as a Hatch
//! filter does, until its bandwidth is down to the floor. Innovations that keep to one side open it again. Those
//! that swing must not: at a sample rate that is a multiple of the chip rate the code's edges move over the
//! samples in step, and the discriminator swings by up to half a sample as they do.

/// Seconds over which innovations are averaged, and number of averages that are judged together.
const JUDGE_S: f64 = 0.5;
const JUDGE_BLOCKS: usize = 4;
/// Standard deviations of the mean innovation beyond which the filter opens, and the least share of the mean
/// that each average must reach.
const JUDGE_SIGMAS: f64 = 5.0;
const JUDGE_SHARE: f64 = 0.25;
/// Divergence expected at the start, m/s.
const DIVERGENCE_M_S: f64 = 0.01;
/// Random walk of the divergence, m/s per square root of a second.
const DIVERGENCE_WALK: f64 = 2e-4;

#[derive(Debug, Clone)]
pub(crate) struct CodeFilter {
    /// Divergence of the code rate from the carrier's, chips/s.
    pub divergence: f64,
    /// Covariance: phase, cross, divergence.
    p: [f64; 3],
    floor_hz: f64,
    chip_m: f64,
    sum: f64,
    sum_variance: f64,
    sum_s: f64,
    /// The newest means of innovations, newest first, and their variances.
    means: [(f64, f64); JUDGE_BLOCKS],
}

/// Variance in chips^2 of the dot-product discriminator with taps `spacing` chips from the prompt on a peak of
/// slope `slope`, at a signal to noise ratio (power) of all prompt sums together; `squared` is that of one of them.
pub(crate) fn code_variance(spacing: f64, slope: f64, snr: f64, squared: f64) -> f64 {
    let (snr, squared) = (snr.max(0.05), squared.max(0.05));
    spacing / (2.0 * slope * snr) * (1.0 + 1.0 / squared)
}

impl CodeFilter {
    pub fn new(floor_hz: f64, chip_m: f64) -> Self {
        Self {
            divergence: 0.0,
            p: [0.0; 3],
            floor_hz,
            chip_m,
            sum: 0.0,
            sum_variance: 0.0,
            sum_s: 0.0,
            means: [(0.0, 0.0); JUDGE_BLOCKS],
        }
    }

    /// Starts with a code phase known to `sigma` chips.
    pub fn reset(&mut self, sigma: f64) {
        self.divergence = 0.0;
        self.p = [sigma * sigma, 0.0, (DIVERGENCE_M_S / self.chip_m).powi(2)];
        (self.sum, self.sum_variance, self.sum_s) = (0.0, 0.0, 0.0);
        self.means.fill((0.0, 0.0));
    }

    /// Standard deviation of the code phase, chips.
    pub fn sigma(&self) -> f64 {
        self.p[0].max(0.0).sqrt()
    }

    /// Moves `dt` seconds on and takes in the code error (received minus predicted, chips). Returns the
    /// correction of the code phase.
    pub fn update(&mut self, error: f64, variance: f64, dt: f64) -> f64 {
        let [cc, cd, dd] = self.p;
        // This process noise makes 4 B dt the smallest gain.
        let walk = (4.0 * self.floor_hz * dt).powi(2) * variance;
        let cc = cc + 2.0 * dt * cd + dt * dt * dd + walk;
        let cd = cd + dt * dd;
        let dd = dd + (DIVERGENCE_WALK / self.chip_m).powi(2) * dt;
        let s = cc + variance;
        let (kc, kd) = (cc / s, cd / s);
        self.p = [cc - kc * cc, cd - kc * cd, dd - kd * cd];
        self.divergence += kd * error;

        self.sum += error;
        self.sum_variance += s;
        self.sum_s += dt;
        if self.sum_s >= JUDGE_S {
            let count = self.sum_s / dt;
            self.means.rotate_right(1);
            self.means[0] = (self.sum / count, self.sum_variance / (count * count));
            (self.sum, self.sum_variance, self.sum_s) = (0.0, 0.0, 0.0);
            self.judge();
        }
        kc * error
    }

    /// Opens the filter if the last means of the innovations agree that it lags.
    fn judge(&mut self) {
        let blocks = JUDGE_BLOCKS as f64;
        let mean = self.means.iter().map(|m| m.0).sum::<f64>() / blocks;
        let variance = self.means.iter().map(|m| m.1).sum::<f64>() / (blocks * blocks);
        let one_sided = self.means.iter().all(|m| m.0 * mean > JUDGE_SHARE * mean * mean);
        if one_sided && mean * mean > JUDGE_SIGMAS * JUDGE_SIGMAS * variance {
            // A lag of `mean` built up over the time judged or longer.
            let rate = 2.0 * mean / (JUDGE_S * blocks);
            self.p[2] = self.p[2].max(rate * rate);
            self.p[0] = self.p[0].max(mean * mean);
            self.means.fill((0.0, 0.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gain_narrows_to_the_floor() {
        let mut filter = CodeFilter::new(0.03, 293.0);
        filter.reset(0.05);
        let (dt, variance) = (0.02, 1e-4);
        let early = filter.update(1e-9, variance, dt) / 1e-9;
        assert!(early > 0.5);
        let mut gain = 0.0;
        for _ in 0..5_000 {
            gain = filter.update(1e-9, variance, dt) / 1e-9;
        }
        let floor = 4.0 * 0.03 * dt;
        assert!((0.9..1.6).contains(&(gain / floor)), "{gain} against {floor}");
    }

    /// A synthesiser 60 Hz off (11 m/s at L1) must not carry the code away.
    #[test]
    fn opens_for_a_divergence() {
        let mut filter = CodeFilter::new(0.03, 293.0);
        filter.reset(0.02);
        let (dt, slope) = (0.02, 11.4 / 293.0);
        let (mut truth, mut code, mut worst) = (0.0, 0.0, 0.0f64);
        for n in 0..1_500 {
            truth += slope * dt;
            code += filter.divergence * dt;
            code += filter.update(truth - code, code_variance(0.125, 1.0, 200.0, 200.0), dt);
            if n > 300 {
                worst = worst.max((truth - code).abs());
            }
        }
        assert!(worst < 0.04, "{worst}");
        assert!((filter.divergence - slope).abs() < 0.02 * slope, "{} for {slope}", filter.divergence);
    }
}
