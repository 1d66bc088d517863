use megrez_orbit::Ecef;

/// A natural cubic spline through timed points: position, velocity and acceleration are continuous.
/// Before the first and after the last point the position stays.
#[derive(Debug, Clone, PartialEq)]
pub struct Spline {
    knots: Vec<Knot>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Knot {
    t: f64,
    position: Ecef,
    acceleration: Ecef,
}

impl Spline {
    /// Through points in order of strictly increasing time.
    pub fn new(points: &[(f64, Ecef)]) -> Self {
        let accelerations = accelerations(points);
        let knots = points
            .iter()
            .zip(accelerations)
            .map(|(&(t, position), acceleration)| Knot { t, position, acceleration })
            .collect();
        Self { knots }
    }

    /// Position and velocity at `t`.
    pub fn at(&self, t: f64) -> (Ecef, Ecef) {
        let after = self.knots.partition_point(|k| k.t <= t);
        let (Some(a), Some(b)) =
            (after.checked_sub(1).and_then(|i| self.knots.get(i)), self.knots.get(after))
        else {
            let end = if after == 0 { self.knots.first() } else { self.knots.last() };
            return (end.map(|k| k.position).unwrap_or_default(), Ecef::default());
        };
        let h = b.t - a.t;
        let (u, w) = ((b.t - t) / h, (t - a.t) / h);
        let bend = h * h / 6.0;
        let position = a.position * u
            + b.position * w
            + a.acceleration * ((u * u * u - u) * bend)
            + b.acceleration * ((w * w * w - w) * bend);
        let velocity = (b.position - a.position) * (1.0 / h)
            + b.acceleration * ((3.0 * w * w - 1.0) * h / 6.0)
            + a.acceleration * ((1.0 - 3.0 * u * u) * h / 6.0);
        (position, velocity)
    }
}

/// Second derivatives at the knots: the tridiagonal system of the natural spline by elimination.
fn accelerations(points: &[(f64, Ecef)]) -> Vec<Ecef> {
    let n = points.len();
    let mut result = vec![Ecef::default(); n];
    let mut upper = Vec::with_capacity(n);
    let mut rhs = Vec::with_capacity(n);
    let (mut last_upper, mut last_rhs) = (0.0, Ecef::default());
    for triple in points.windows(3) {
        let &[(t0, p0), (t1, p1), (t2, p2)] = triple else { continue };
        let (h0, h1) = (t1 - t0, t2 - t1);
        let slope = ((p2 - p1) * (1.0 / h1) - (p1 - p0) * (1.0 / h0)) * 6.0;
        let pivot = 2.0 * (h0 + h1) - h0 * last_upper;
        last_upper = h1 / pivot;
        last_rhs = (slope - last_rhs * h0) * (1.0 / pivot);
        upper.push(last_upper);
        rhs.push(last_rhs);
    }
    let mut next = Ecef::default();
    for (slot, (c, d)) in result.iter_mut().skip(1).zip(upper.iter().zip(&rhs)).rev() {
        next = *d - next * *c;
        *slot = next;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> Vec<(f64, Ecef)> {
        let at = |t: f64| Ecef { x: 6e6 + 10.0 * t, y: 100.0 * (0.3 * t).sin(), z: 50.0 * (0.2 * t).cos() };
        [0.0, 1.0, 2.0, 2.5, 4.0, 5.0, 6.0, 8.0, 9.0, 10.0].map(|t| (t, at(t))).to_vec()
    }

    #[test]
    fn passes_through_the_points_smoothly() {
        let points = points();
        let spline = Spline::new(&points);
        for &(t, p) in &points {
            assert!((spline.at(t).0 - p).norm() < 1e-6);
        }
        let h = 1e-4;
        for &(t, _) in &points[1..points.len() - 1] {
            let (before, after) = (spline.at(t - 1e-9).1, spline.at(t + 1e-9).1);
            assert!((before - after).norm() < 1e-5, "velocity jumps at {t}");
            let bend = |t: f64| (spline.at(t + h).1 - spline.at(t - h).1) * (0.5 / h);
            assert!((bend(t - 2.0 * h) - bend(t + 2.0 * h)).norm() < 1e-1, "acceleration jumps at {t}");
        }
        let numeric = (spline.at(3.3 + h).0 - spline.at(3.3 - h).0) * (0.5 / h);
        assert!((numeric - spline.at(3.3).1).norm() < 1e-4);
        let want = 100.0 * (0.3f64 * 4.5).sin();
        assert!((spline.at(4.5).0.y - want).abs() < 0.3, "near the curve the points lie on");
    }

    #[test]
    fn ends_hold_and_short_tracks_work() {
        let spline = Spline::new(&points());
        assert_eq!(spline.at(-1.0), (points()[0].1, Ecef::default()));
        assert_eq!(spline.at(99.0).0, points()[9].1);
        let two = Spline::new(&points()[..2]);
        let mid = (points()[0].1 + points()[1].1) * 0.5;
        assert!((two.at(0.5).0 - mid).norm() < 1e-6);
        assert_eq!(Spline::new(&points()[..1]).at(0.0).0, points()[0].1);
        assert_eq!(Spline::new(&[]).at(0.0).0, Ecef::default());
    }
}
