//! The noise against what is known of independent normal numbers: every bound is five standard errors.

#![allow(clippy::unwrap_used)]

use megrez_sim::{Scene, Simulation};

/// I and Q of a second in which the signals are 80 dB down.
fn components(format: &str) -> [Vec<f64>; 2] {
    let text = format!(
        "duration_s = 1\nseed = 7\n[cn0]\nconstant_dbhz = -40\n\
         [front_end]\nsample_rate_hz = \"4M\"\nif_hz = \"0.5M\"\ncenter_hz = \"1561.098M\"\nformat = \"{format}\""
    );
    let sim = Simulation::new(Scene::from_toml(&text).unwrap()).unwrap();
    let samples: Vec<_> = sim.blocks().flatten().collect();
    assert_eq!(samples.len(), 4_000_000);
    [samples.iter().map(|z| f64::from(z.re)).collect(), samples.iter().map(|z| f64::from(z.im)).collect()]
}

fn mean(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    values.sum::<f64>() / count as f64
}

#[test]
fn moments_and_tails_are_those_of_a_normal_distribution() {
    for (format, rows) in [("cs8", 2), ("s8", 1)] {
        for x in &components(format)[..rows] {
            let n = x.len();
            let error = |variance: f64| 5.0 * (variance / n as f64).sqrt();
            // Moments with their variances: E x^2k - (E x^k)^2.
            for (power, expected, variance) in
                [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0), (6, 15.0, 10_170.0)]
            {
                let moment = mean(x.iter().map(|x| x.powi(power)), n);
                assert!((moment - expected).abs() < error(variance), "{format}: moment {power}: {moment}");
            }
            for (sigmas, expected) in
                [(1.0, 0.158_655_3), (2.0, 0.022_750_1), (3.0, 1.349_9e-3), (4.0, 3.167e-5)]
            {
                for sign in [-1.0, 1.0] {
                    let share = x.iter().filter(|&&x| sign * x > sigmas).count() as f64 / n as f64;
                    assert!((share - expected).abs() < error(expected), "{format}: beyond {sigmas}: {share}");
                }
            }
            let most = x.iter().fold(0f64, |most, x| most.max(x.abs()));
            assert!((4.8..6.7).contains(&most), "{most}");
        }
    }
}

/// Neighbours, the same lane of the next group, the next run, the next block: products of the numbers and
/// of their squares have mean zero.
#[test]
fn samples_and_components_are_independent() {
    let [i, q] = components("cs8");
    let pairs = [("I I", &i, &i), ("Q Q", &q, &q), ("I Q", &i, &q), ("Q I", &q, &i)];
    for lag in [0, 1, 2, 8, 15, 16, 17, 32, 64, 1024, 2048, 40_000, 80_000] {
        for (name, a, b) in pairs {
            if lag == 0 && name != "I Q" {
                continue;
            }
            let count = a.len() - lag;
            let both = || a.iter().zip(&b[lag..]);
            let error = 5.0 / (count as f64).sqrt();
            let product = mean(both().map(|(a, b)| a * b), count);
            assert!(product.abs() < error, "{name} at {lag}: {product}");
            let squares = mean(both().map(|(a, b)| (a * a - 1.0) * (b * b - 1.0)), count);
            assert!(squares.abs() < 2.0 * error, "{name} at {lag}: squares {squares}");
        }
    }
    let [row, _] = components("s8");
    for lag in [1, 2, 16, 544, 1024, 2048, 40_000] {
        let count = row.len() - lag;
        let product = mean(row.iter().zip(&row[lag..]).map(|(a, b)| a * b), count);
        assert!(product.abs() < 5.0 / (count as f64).sqrt(), "real at {lag}: {product}");
    }
}
