//! Integer least squares, trusted because it finds what trying all integers finds, and what was published.
#![allow(clippy::unwrap_used)]

use megrez_pvt::rtk::{Candidate, Lambda, LambdaError};
use proptest::prelude::*;

/// Squared distance of `a` from `b` in the metric of a covariance, by Gauss elimination.
fn squared_norm(q: &[f64], a: &[f64], b: &[f64]) -> f64 {
    let n = a.len();
    let mut m = q.to_vec();
    let d: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let mut x = d.clone();
    for p in 0..n {
        for i in p + 1..n {
            let f = m[i * n + p] / m[p * n + p];
            for j in p..n {
                m[i * n + j] -= f * m[p * n + j];
            }
            x[i] -= f * x[p];
        }
    }
    for i in (0..n).rev() {
        for j in i + 1..n {
            x[i] -= m[i * n + j] * x[j];
        }
        x[i] /= m[i * n + i];
    }
    x.iter().zip(&d).map(|(x, d)| x * d).sum()
}

/// The two nearest integer vectors of all within `reach` of the rounded ones.
fn brute_force(q: &[f64], a: &[f64], reach: i32) -> [(Vec<f64>, f64); 2] {
    let n = a.len();
    let side = (2 * reach + 1) as usize;
    let mut all: Vec<(Vec<f64>, f64)> = (0..side.pow(n as u32))
        .map(|code| {
            let candidate: Vec<f64> = (0..n)
                .map(|i| a[i].round() + (code / side.pow(i as u32) % side) as f64 - f64::from(reach))
                .collect();
            let norm = squared_norm(q, a, &candidate);
            (candidate, norm)
        })
        .collect();
    all.sort_by(|x, y| x.1.total_cmp(&y.1));
    [all[0].clone(), all[1].clone()]
}

fn nearest(lambda: &mut Lambda) -> Vec<(Vec<f64>, f64)> {
    let found: Vec<Candidate> = lambda.search(lambda.len(), 2).unwrap();
    found.iter().map(|c| (lambda.to_ambiguities(&c.values).unwrap(), c.squared_norm)).collect()
}

fn inverse(q: &[f64], n: usize) -> Vec<f64> {
    let zero = vec![0.0; n];
    let unit = |i: usize| (0..n).map(|j| f64::from(u8::from(i == j))).collect::<Vec<f64>>();
    // Polarisation: the metric of a sum less those of its parts.
    let metric = |v: &[f64]| squared_norm(q, v, &zero);
    (0..n * n)
        .map(|at| {
            let (a, b) = (unit(at / n), unit(at % n));
            let sum: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
            0.5 * (metric(&sum) - metric(&a) - metric(&b))
        })
        .collect()
}

#[test]
fn example_of_de_jonge_and_tiberius() {
    let q = [6.290, 5.978, 0.544, 5.978, 6.292, 2.340, 0.544, 2.340, 6.288];
    let a = [5.450, 3.100, 2.970];
    let mut lambda = Lambda::default();
    lambda.decompose(&a, &q).unwrap();
    let found = nearest(&mut lambda);
    assert_eq!(found[0].0, [5.0, 3.0, 4.0]);
    assert!((found[0].1 - 0.2183).abs() < 1e-4, "{}", found[0].1);
    assert_eq!(found[1].0, [6.0, 4.0, 4.0]);
    assert!((found[1].1 - 0.3073).abs() < 1e-4, "{}", found[1].1);
    // The same from the information matrix, and once more with the transformation at hand.
    let n = inverse(&q, 3);
    let vector: Vec<f64> =
        n.chunks_exact(3).map(|row| row.iter().zip(&a).map(|(n, a)| n * a).sum()).collect();
    for again in [false, true, true] {
        lambda.decompose_information(&n, &vector, again).unwrap();
        let same = nearest(&mut lambda);
        assert_eq!(same[0].0, found[0].0);
        assert!((same[1].1 - found[1].1).abs() < 1e-9);
    }
}

#[test]
fn conditional_variances_and_success_of_the_example() {
    // No unimodular transformation changes the determinant, which is the product of the conditional variances.
    let q = [6.290, 5.978, 0.544, 5.978, 6.292, 2.340, 0.544, 2.340, 6.288];
    let mut lambda = Lambda::default();
    lambda.decompose(&[0.0; 3], &q).unwrap();
    let det = q[0] * (q[4] * q[8] - q[5] * q[7]) - q[1] * (q[3] * q[8] - q[5] * q[6])
        + q[2] * (q[3] * q[7] - q[4] * q[6]);
    let product: f64 = lambda.conditional_variances().iter().product();
    assert!((product / det - 1.0).abs() < 1e-9, "{product} {det}");
    assert!(
        lambda.success_rate(3) < lambda.success_rate(2) && lambda.success_rate(2) < lambda.success_rate(1)
    );
    // One ambiguity of a tenth of a cycle: rounding is right within 5 standard deviations.
    lambda.decompose(&[0.0], &[0.01]).unwrap();
    assert!((1.0 - lambda.success_rate(1) - 5.733_03e-7).abs() < 1e-11, "{}", 1.0 - lambda.success_rate(1));
}

#[test]
fn what_is_no_covariance_is_refused() {
    let mut lambda = Lambda::default();
    assert_eq!(lambda.decompose(&[0.0, 0.0], &[1.0, 2.0, 2.0, 1.0]), Err(LambdaError::NotPositive(2)));
    assert_eq!(lambda.decompose(&[0.0], &[f64::NAN]), Err(LambdaError::NotPositive(1)));
    assert_eq!(lambda.decompose(&[0.0], &[1.0, 2.0]), Err(LambdaError::Shape { expected: 1, found: 2 }));
    assert_eq!(
        lambda.decompose_information(&[1.0, 2.0, 2.0, 1.0], &[0.0, 0.0], false),
        Err(LambdaError::NotPositive(2))
    );
    lambda.decompose(&[0.3], &[1.0]).unwrap();
    assert!(lambda.search(2, 1).is_err() && lambda.to_ambiguities(&[0.0, 1.0]).is_err());
}

/// A covariance as epochs with few measurements have: some directions known a hundred times worse than others.
fn problem() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    (2usize..5).prop_flat_map(|n| {
        let values = prop::collection::vec(-1.0..1.0f64, n * 2);
        let floats = prop::collection::vec(-20.0..20.0f64, n);
        (values, floats).prop_map(move |(g, a)| {
            let q = (0..n * n)
                .map(|at| {
                    let (i, j) = (at / n, at % n);
                    0.02 * f64::from(u8::from(i == j)) + 0.5 * (g[i] * g[j] + g[n + i] * g[n + j])
                })
                .collect();
            (q, a)
        })
    })
}

proptest! {
    #[test]
    fn agrees_with_trying_all((q, a) in problem()) {
        let mut lambda = Lambda::default();
        lambda.decompose(&a, &q).unwrap();
        let found = nearest(&mut lambda);
        // The variance of an ambiguity is at most 1.02, so a vector farther off than five integers has a squared
        // distance of at least 5.5² / 1.02.
        let tried = brute_force(&q, &a, 5);
        prop_assume!(tried[1].1 < 29.0);
        for (found, tried) in found.iter().zip(&tried) {
            prop_assert!((found.1 - tried.1).abs() < 1e-7 * (1.0 + tried.1), "{found:?} {tried:?}");
            prop_assert!((squared_norm(&q, &a, &found.0) - found.1).abs() < 1e-7 * (1.0 + found.1));
        }
        prop_assert_eq!(&found[0].0, &tried[0].0);
        // From the information matrix.
        let n = a.len();
        let information = inverse(&q, n);
        let vector: Vec<f64> =
            information.chunks_exact(n).map(|row| row.iter().zip(&a).map(|(n, a)| n * a).sum()).collect();
        let mut other = Lambda::default();
        for again in [false, true] {
            other.decompose_information(&information, &vector, again).unwrap();
            let same = nearest(&mut other);
            prop_assert_eq!(&same[0].0, &found[0].0);
            prop_assert!((same[1].1 - found[1].1).abs() < 1e-6 * (1.0 + found[1].1));
        }
    }

    #[test]
    fn fixing_a_part_conditions_the_rest((q, a) in problem(), keep in 0usize..4) {
        let n = a.len();
        let k = keep.min(n);
        let mut lambda = Lambda::default();
        lambda.decompose(&a, &q).unwrap();
        let part = lambda.search(k, 1).unwrap().first().map_or(vec![], |c| c.values.clone());
        let conditioned = lambda.to_ambiguities(&part).unwrap();
        // Its distance from the float solution is that of the fixed part alone: the rest adds nothing.
        let norm = squared_norm(&q, &a, &conditioned);
        let expected = lambda.search(k, 1).unwrap().first().map_or(0.0, |c| c.squared_norm);
        prop_assert!((norm - expected).abs() < 1e-6 * (1.0 + norm), "{norm} {expected}");
        // What remains of the covariance: all of it for none, nothing for all fixed.
        let root = lambda.remaining_root(k);
        prop_assert_eq!(root.len(), n * (n - k));
        let trace: f64 = root.iter().map(|v| v * v).sum();
        let full: f64 = (0..n).map(|i| q[i * n + i]).sum();
        prop_assert!(trace <= full * (1.0 + 1e-9));
        if k == 0 {
            prop_assert!((trace / full - 1.0).abs() < 1e-9);
        }
    }
}
