//! The search for the point that most code phases agree with.

use megrez_orbit::{Ecef, Geodetic};

use super::{AGREE, BIAS, DISTINCT_COST, HEIGHTS_M, Phase, Point, Sight, Snapshot, TIME, Vector};
use crate::code_bias::code_bias_m;
use crate::lsq::{CLOCK, Normal, Row};
use crate::ranging::IONO_CARRIER_HZ;
use crate::sight::Air;

/// Distance of the times tried, seconds: 800 m/s over half of it is little against a code period.
const TIME_STEP_S: f64 = 20.0;
/// Cost of a measurement that disagrees.
const OUTLIER_COST: f64 = AGREE * AGREE;
/// Surplus of agreeing measurements that ends the search at once.
const CERTAIN_SURPLUS: usize = 3;

/// Residuals in metres that count in full, step after step of the iteration from a guess.
const SCALES_M: [f64; 10] = [30e3, 10e3, 3e3, 1e3, 300.0, 100.0, 100.0, 50.0, 50.0, 50.0];
/// How loosely the iteration is held to its guess, metres.
const GUESS_SIGMA_M: f64 = 300e3;

/// A position and time to start from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guess {
    pub position: Ecef,
    pub time_s: f64,
    /// Distance from the first guess, metres, in which order they are tried.
    pub off_m: f64,
}

/// A point and what agrees with it.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub point: Point,
    pub agrees: Vec<bool>,
    pub residuals_m: Vec<f64>,
    /// Atmospheric delays, metres.
    pub delays_m: Vec<f64>,
    cost: f64,
    /// Another position of like cost.
    pub rival: Option<Ecef>,
}

impl Candidate {
    pub fn agreeing(&self) -> usize {
        self.agrees.iter().filter(|&&a| a).count()
    }
}

/// Times to try: within `uncertainty_s` of `approx_s`, the nearest first.
pub(super) fn times(approx_s: f64, uncertainty_s: f64) -> Vec<f64> {
    let side = (uncertainty_s / TIME_STEP_S - 0.5).ceil().max(0.0) as i32;
    let mut steps: Vec<i32> = (-side..=side).collect();
    steps.sort_by_key(|s| s.abs());
    steps.into_iter().map(|s| approx_s + f64::from(s) * TIME_STEP_S).collect()
}

/// Points on rings around each centre out to its radius, at every time.
pub(super) fn around(centres: &[(Ecef, f64)], times: &[f64], spacing_m: f64) -> Vec<Guess> {
    let mut guesses = Vec::new();
    for &(centre, radius_m) in centres {
        let origin = centre.to_geodetic();
        let rings = (radius_m / spacing_m).ceil() as usize;
        for ring in 0..=rings {
            let off_m = (ring as f64 * spacing_m).min(radius_m.max(spacing_m));
            let count = (6 * ring).max(1);
            for k in 0..count {
                let angle = std::f64::consts::TAU * (k as f64 + 0.5 * (ring % 2) as f64) / count as f64;
                let position = moved(origin, off_m * angle.sin(), off_m * angle.cos());
                guesses.extend(times.iter().map(|&time_s| Guess { position, time_s, off_m }));
            }
        }
    }
    guesses.sort_by(|a, b| a.off_m.total_cmp(&b.off_m));
    guesses
}

/// The point `east_m` and `north_m` along the surface from `origin`.
pub(super) fn moved(origin: Geodetic, east_m: f64, north_m: f64) -> Ecef {
    let start = origin.to_ecef();
    let step = megrez_orbit::Enu { e: east_m, n: north_m, u: 0.0 }.to_ecef(origin);
    let mut there = (start + step).to_geodetic();
    there.height_m = origin.height_m;
    there.to_ecef()
}

/// Points all over the earth.
pub(super) fn everywhere(times: &[f64], spacing_m: f64) -> Vec<Guess> {
    let mut guesses = Vec::new();
    let degrees = (spacing_m / 111_000.0).clamp(1.0, 30.0);
    let rows = (180.0 / degrees).ceil() as usize;
    for row in 0..rows {
        let lat_deg = -90.0 + 180.0 * (row as f64 + 0.5) / rows as f64;
        let columns = ((360.0 * lat_deg.to_radians().cos() / degrees).ceil() as usize).max(1);
        for column in 0..columns {
            let lon_deg = -180.0 + 360.0 * column as f64 / columns as f64;
            let position = Geodetic { lat_deg, lon_deg, height_m: 0.0 }.to_ecef();
            guesses.extend(times.iter().map(|&time_s| Guess { position, time_s, off_m: 0.0 }));
        }
    }
    guesses
}

impl Snapshot<'_> {
    /// The candidate of least cost that is verified; else the most measurements that agreed with any.
    pub(super) fn search(&self, guesses: &[Guess]) -> Result<Candidate, usize> {
        let mut best: Option<Candidate> = None;
        let mut most = 0;
        for guess in guesses {
            let Some(candidate) = self.try_guess(guess) else { continue };
            let distinct = self.distinct(&candidate.agrees);
            most = most.max(distinct);
            if distinct < self.needed {
                continue;
            }
            let certain = distinct >= self.needed + CERTAIN_SURPLUS && 2 * distinct > self.phases.len();
            best = Some(match best {
                None => candidate,
                Some(best) => better(best, candidate),
            });
            if certain {
                break;
            }
        }
        best.ok_or(most)
    }

    fn sights(&self, point: &Point) -> Vec<Sight> {
        self.phases.iter().map(|p| self.sight(p, point, 0.0)).collect()
    }

    /// Converges from a guess, or not.
    fn try_guess(&self, guess: &Guess) -> Option<Candidate> {
        let mut point = Point { position: guess.position, time_s: guess.time_s, ..Point::default() };
        // Whole satellites below the horizon: not here.
        let sights = self.sights(&point);
        let risen = sights.iter().filter(|s| s.elevation > -0.1).count();
        if risen < self.needed {
            return None;
        }
        point.clock_m = self.first_clock(&sights);
        for scale_m in SCALES_M {
            let mut normal = Normal::sum(&self.knowledge(&point));
            // The guess is not known to better than the spacing of guesses.
            let offset = guess.position - point.position;
            for (axis, v) in [offset.x, offset.y, offset.z].into_iter().enumerate() {
                let mut h = Vector::zeros();
                h[axis] = 1.0;
                normal.add(&Row { h, v, w: 1.0 / (GUESS_SIGMA_M * GUESS_SIGMA_M) }, 1.0);
            }
            for (phase, sight) in self.phases.iter().zip(self.sights(&point)) {
                let scale = scale_m.max(phase.sigma_m);
                let bound = scale / sight.residual_m.abs().max(scale);
                // Beyond three scales the pull falls faster, so that false acquisitions let go.
                let bound = if bound < 0.33 { 3.0 * bound * bound } else { bound };
                normal.add(&Row { h: sight.h, v: sight.residual_m, w: bound / (scale * scale) }, 1.0);
            }
            let (x, _) = normal.solve()?;
            if !advance(&mut point, &x) {
                return None;
            }
        }
        let limit = self.uncertainty_s * 1.5 + 5.0;
        if (point.time_s - self.approx_s).abs() > limit {
            return None;
        }
        self.settle(point)
    }

    /// The clock that leaves most of the measurements with small residuals, modulo the longest period.
    fn first_clock(&self, sights: &[Sight]) -> f64 {
        let shortest = self.phases.iter().map(|p| p.period_m).fold(f64::INFINITY, f64::min);
        let longest = self.phases.iter().map(|p| p.period_m).fold(0.0, f64::max);
        let wrap = |v: f64, period: f64| v - period * (v / period).round();
        let cost = |clock: f64, period: &dyn Fn(&Phase) -> f64| -> f64 {
            let off =
                |(s, p): (&Sight, &Phase)| wrap(s.residual_m - clock, period(p)).abs().min(0.25 * shortest);
            sights.iter().zip(self.phases).map(off).sum()
        };
        let lowest = |clocks: &mut dyn Iterator<Item = f64>, period: &dyn Fn(&Phase) -> f64| -> f64 {
            clocks
                .map(|clock| (clock, cost(clock, period)))
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .map_or(0.0, |(clock, _)| clock)
        };
        let fine = lowest(&mut sights.iter().map(|s| s.residual_m), &|_| shortest);
        let periods = (longest / shortest).round().clamp(1.0, 100.0) as usize;
        lowest(&mut (0..periods).map(|k| fine + k as f64 * shortest), &|p| p.period_m)
    }

    /// Plain least squares of the measurements that agree, with atmosphere, until the same ones agree.
    fn settle(&self, mut point: Point) -> Option<Candidate> {
        let n = self.phases.len();
        let mut agrees = vec![false; n];
        let mut delays_m = vec![0.0; n];
        let mut residuals_m = vec![0.0; n];
        // At first with room for the atmosphere.
        for round in 0..8 {
            let limit = if round == 0 { 2.0 * AGREE } else { AGREE };
            let known_height = HEIGHTS_M.contains(&point.position.to_geodetic().height_m);
            let mut normal = Normal::sum(&self.knowledge(&point));
            for (i, phase) in self.phases.iter().enumerate() {
                let delay_m = if known_height && round > 0 { self.delay_m(phase, &point) } else { 0.0 };
                let sight = self.sight(phase, &point, delay_m);
                let agree = sight.residual_m.abs() < limit * phase.sigma_m && sight.elevation > -0.02;
                if agree {
                    let w = 1.0 / (phase.sigma_m * phase.sigma_m);
                    normal.add(&Row { h: sight.h, v: sight.residual_m, w }, 1.0);
                }
                (agrees[i], delays_m[i], residuals_m[i]) = (agree, delay_m, sight.residual_m);
            }
            if self.distinct(&agrees) + 1 < self.needed {
                return None;
            }
            let (x, _) = normal.solve()?;
            if !advance(&mut point, &x) {
                return None;
            }
        }
        if !HEIGHTS_M.contains(&point.position.to_geodetic().height_m) {
            return None;
        }
        let mut cost = 0.0;
        let mut statistic = 0.0;
        for (i, phase) in self.phases.iter().enumerate() {
            let sight = self.sight(phase, &point, delays_m[i]);
            residuals_m[i] = sight.residual_m;
            let t = sight.residual_m / phase.sigma_m;
            agrees[i] = t.abs() < AGREE && sight.elevation > -0.02;
            cost += (t * t).min(OUTLIER_COST);
            statistic += if agrees[i] { t * t } else { 0.0 };
        }
        let candidate = Candidate { point, agrees, residuals_m, delays_m, cost, rival: None };
        let agreeing = candidate.agreeing();
        (statistic <= self.threshold(agreeing)).then_some(candidate)
    }

    fn delay_m(&self, phase: &Phase, point: &Point) -> f64 {
        let (line, ..) = phase.table.line(point.position, point.time_s);
        let air = Air::at(point.position, self.reference + point.time_s);
        let azel = air.azel(line.unit);
        let (tropo_m, iono_m, _) = air.delays_m(&air.ionosphere(&phase.iono), azel, self.config);
        let gamma = (IONO_CARRIER_HZ / phase.carrier_hz).powi(2);
        tropo_m + gamma * iono_m - code_bias_m(phase.sat, phase.code, azel.elevation)
    }
}

/// Applies a step; false if it leads nowhere.
fn advance(point: &mut Point, x: &Vector) -> bool {
    point.position += Ecef { x: x[0], y: x[1], z: x[2] };
    point.clock_m += x[CLOCK];
    point.bias_m += x[BIAS];
    point.time_s += x[TIME];
    (5.5e6..8e6).contains(&point.position.norm()) && point.time_s.abs() < 2000.0
}

/// The better of two, remembering the other if it is elsewhere and nearly as good.
fn better(a: Candidate, b: Candidate) -> Candidate {
    let (mut winner, loser) = if b.cost < a.cost { (b, a) } else { (a, b) };
    let elsewhere = |p: Ecef| p.distance(winner.point.position) > 2000.0;
    let mut rival = winner.rival.filter(|&p| elsewhere(p));
    if loser.cost - winner.cost < DISTINCT_COST {
        if elsewhere(loser.point.position) {
            rival = Some(loser.point.position);
        } else if rival.is_none() {
            rival = loser.rival.filter(|&p| elsewhere(p));
        }
    }
    winner.rival = rival;
    winner
}
