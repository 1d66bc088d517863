//! Soft symbols of unknown scale to log-likelihood ratios.

/// Share of the power of the symbols that is signal: between these (Es/N0 of -6.7 dB and 20 dB).
const SIGNAL_SHARE: (f64, f64) = (0.3, 0.995);

/// What to multiply symbols by to make them log-likelihood ratios: twice amplitude over noise variance, both told
/// from second and fourth moments. Zeros are erasures and not counted.
pub(super) fn llr_scale(symbols: impl Iterator<Item = f32>) -> f32 {
    let (mut count, mut second, mut fourth) = (0.0f64, 0.0f64, 0.0f64);
    for symbol in symbols.filter(|&s| s != 0.0) {
        let power = f64::from(symbol) * f64::from(symbol);
        count += 1.0;
        second += power;
        fourth += power * power;
    }
    if count == 0.0 {
        return 0.0;
    }
    let (second, fourth) = (second / count, fourth / count);
    // Of amplitude A in noise of variance v: second = A² + v, fourth = A⁴ + 6 A² v + 3 v².
    let signal = (0.5 * (3.0 * second * second - fourth)).max(0.0).sqrt();
    let share = (signal / second).clamp(SIGNAL_SHARE.0, SIGNAL_SHARE.1);
    (2.0 * share.sqrt() / ((1.0 - share) * second.sqrt())) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn the_scale_follows_amplitude_and_noise() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (amplitude, deviation) in [(1.0f32, 0.8f32), (250.0, 250.0), (0.01, 0.003)] {
            let symbols: Vec<f32> = (0..4000)
                .map(|i| {
                    let noise: f32 = StandardNormal.sample(&mut rng);
                    if i % 3 == 0 { amplitude } else { -amplitude }.mul_add(1.0, deviation * noise)
                })
                .collect();
            let want = 2.0 * amplitude / (deviation * deviation);
            let found = llr_scale(symbols.into_iter());
            assert!((found / want - 1.0).abs() < 0.25, "{found} {want}");
        }
        assert_eq!(llr_scale([0.0; 5].into_iter()), 0.0);
    }
}
