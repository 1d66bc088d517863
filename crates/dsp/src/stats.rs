use num_complex::Complex;
use rustfft::FftPlanner;

use crate::{SampleBlock, Samples, StreamInfo};

/// How the components of samples are spread: mean, rms, clipping, histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelStats {
    /// Occurrences of each value from -128 to 127, I and Q apart.
    counts: [Vec<u64>; 2],
}

impl Default for LevelStats {
    fn default() -> Self {
        Self { counts: [vec![0; 256], vec![0; 256]] }
    }
}

impl LevelStats {
    /// Adds the samples of a block.
    pub fn add(&mut self, block: &SampleBlock) {
        let [i, q] = &mut self.counts;
        let count = |component: &mut Vec<u64>, value: i8| {
            if let Some(n) = component.get_mut(slot(value)) {
                *n += 1;
            }
        };
        match &block.samples {
            Samples::Real(all) => all.iter().for_each(|&v| count(i, v)),
            Samples::Complex(all) => all.iter().for_each(|v| {
                count(i, v.re);
                count(q, v.im);
            }),
        }
    }

    /// Number of samples.
    pub fn count(&self) -> u64 {
        self.counts[0].iter().sum()
    }

    /// Mean of I (of the samples themselves if they are real).
    pub fn mean_i(&self) -> f64 {
        mean(&self.counts[0])
    }

    /// Mean of Q; zero for real samples.
    pub fn mean_q(&self) -> f64 {
        mean(&self.counts[1])
    }

    /// Root mean square of a component, 0 to 128.
    pub fn rms(&self) -> f64 {
        let (sum, count) = self
            .histogram()
            .fold((0.0, 0u64), |(sum, count), (v, n)| (sum + f64::from(v).powi(2) * n as f64, count + n));
        if count == 0 { 0.0 } else { (sum / count as f64).sqrt() }
    }

    /// Share of components at full scale: the highest or lowest value of 8 bits (127, -127, -128).
    pub fn clipped(&self) -> f64 {
        let (full, count) = self.histogram().fold((0, 0u64), |(full, count), (v, n)| {
            (if v == i8::MAX || v <= -i8::MAX { full + n } else { full }, count + n)
        });
        if count == 0 { 0.0 } else { full as f64 / count as f64 }
    }

    /// Number of different values that occur.
    pub fn distinct(&self) -> usize {
        self.histogram().filter(|&(_, n)| n > 0).count()
    }

    /// Every value in rising order with the number of components that have it.
    pub fn histogram(&self) -> impl Iterator<Item = (i8, u64)> + '_ {
        let [i, q] = &self.counts;
        (i8::MIN..=i8::MAX).zip(i.iter().zip(q).map(|(i, q)| i + q))
    }
}

/// Where a value is counted.
fn slot(value: i8) -> usize {
    usize::from(value.cast_unsigned() ^ 0x80)
}

fn mean(counts: &[u64]) -> f64 {
    let (sum, count) = (i8::MIN..=i8::MAX)
        .zip(counts)
        .fold((0.0, 0u64), |(sum, count), (v, &n)| (sum + f64::from(v) * n as f64, count + n));
    if count == 0 { 0.0 } else { sum / count as f64 }
}

/// Power spectral density in dB relative to full scale (rms 128) per Hz, by Welch's method (Hann window, half overlap).
///
/// `nfft` values (at least 2), the lowest frequency first: value k is at `center_hz + (k/nfft - 1/2) *
/// sample_rate_hz`. A real stream gives both its sides. Fewer than `nfft` samples are padded with zeros;
/// no samples give an empty result.
pub fn spectrum(samples: &Samples, info: &StreamInfo, nfft: usize) -> Vec<f32> {
    if samples.is_empty() || nfft < 2 {
        return Vec::new();
    }
    let window: Vec<f32> = (0..nfft)
        .map(|k| {
            let (sin, _) = (std::f64::consts::PI * k as f64 / nfft as f64).sin_cos();
            (sin * sin) as f32
        })
        .collect();
    let fft = FftPlanner::new().plan_fft_forward(nfft);
    let mut scratch = vec![Complex::default(); fft.get_inplace_scratch_len()];
    let mut segment = vec![Complex::<f32>::default(); nfft];
    let mut power = vec![0.0f64; nfft];
    let mut weight = 0.0f64;
    let segments = (samples.len().saturating_sub(nfft) / (nfft / 2)) + 1;
    for start in (0..segments).map(|s| s * (nfft / 2)) {
        segment.fill(Complex::default());
        match samples {
            Samples::Real(all) => {
                for ((to, &v), w) in segment.iter_mut().zip(all.iter().skip(start)).zip(&window) {
                    *to = Complex::new(f32::from(v) * w, 0.0);
                }
            }
            Samples::Complex(all) => {
                for ((to, v), w) in segment.iter_mut().zip(all.iter().skip(start)).zip(&window) {
                    *to = Complex::new(f32::from(v.re), f32::from(v.im)) * w;
                }
            }
        }
        let held = samples.len() - start;
        weight += window.iter().take(held).map(|w| f64::from(w * w)).sum::<f64>();
        fft.process_with_scratch(&mut segment, &mut scratch);
        power.iter_mut().zip(&segment).for_each(|(p, x)| *p += f64::from(x.norm_sqr()));
    }
    power.rotate_right(nfft / 2);
    let scale = 1.0 / (weight.max(f64::MIN_POSITIVE) * info.sample_rate_hz * 128.0 * 128.0);
    power.iter().map(|p| (10.0 * (p * scale).max(1e-30).log10()) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_known_samples() {
        let mut stats = LevelStats::default();
        assert_eq!((stats.count(), stats.rms(), stats.clipped(), stats.distinct()), (0, 0.0, 0.0, 0));
        let samples =
            vec![Complex::new(3, -1), Complex::new(-1, -1), Complex::new(127, -128), Complex::new(-1, 2)];
        stats.add(&SampleBlock { first_sample: 0, samples: Samples::Complex(samples) });
        assert_eq!(stats.count(), 4);
        assert_eq!(stats.mean_i(), 32.0);
        assert_eq!(stats.mean_q(), -32.0);
        assert_eq!(stats.clipped(), 0.25);
        assert_eq!(stats.distinct(), 5);
        let squares = 9.0 + 1.0 + 1.0 + 1.0 + 16129.0 + 16384.0 + 1.0 + 4.0;
        assert!((stats.rms() - f64::sqrt(squares / 8.0)).abs() < 1e-12);
        assert_eq!(stats.histogram().find(|h| h.0 == -1), Some((-1, 4)));
    }

    #[test]
    fn real_samples_have_no_q() {
        let mut stats = LevelStats::default();
        stats.add(&SampleBlock { first_sample: 0, samples: Samples::Real(vec![5; 10]) });
        assert_eq!((stats.count(), stats.mean_i(), stats.mean_q(), stats.rms()), (10, 5.0, 0.0, 5.0));
    }

    /// The density adds up to the power of the samples, and a tone shows where it is.
    #[test]
    fn spectrum_holds_the_power_in_its_place() {
        let info = StreamInfo { sample_rate_hz: 4.0e6, center_hz: 1.5e9, complex: true };
        let nfft = 256;
        let tone: Vec<_> = (0..20_000)
            .map(|n| {
                let (sin, cos) = (std::f64::consts::TAU * 0.1875 * f64::from(n)).sin_cos();
                Complex::new((100.0 * cos).round() as i8, (100.0 * sin).round() as i8)
            })
            .collect();
        let density = spectrum(&Samples::Complex(tone), &info, nfft);
        assert_eq!(density.len(), nfft);
        let top = density.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
        assert_eq!(top, nfft / 2 + nfft * 3 / 16);
        let step = info.sample_rate_hz / nfft as f64;
        let total: f64 = density.iter().map(|&d| 10f64.powf(f64::from(d) / 10.0) * step).sum();
        assert!((total - (100.0f64 / 128.0).powi(2)).abs() < 0.005, "{total}");
        assert!(spectrum(&Samples::Real(Vec::new()), &info, nfft).is_empty());
        assert_eq!(spectrum(&Samples::Real(vec![1; 10]), &info, nfft).len(), nfft);
    }
}
