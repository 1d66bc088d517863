//! The kernels compiled for each instruction set: the only unsafe code of the crate.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
pub(crate) mod complex;
pub(crate) mod edges;
mod fft;
mod mix;
mod runs;
mod sums_build;
pub(crate) mod synth;
mod tiles;
mod unpack;

use crate::direct::Job as DirectJob;
use crate::kernel::{self, Job, Sums};
use crate::{Level, Replica};

/// A level that this machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Available(Level);

impl Available {
    /// `level` if this machine has it, else the portable one.
    pub(crate) fn new(level: Level) -> Self {
        Self(if level.is_available() { level } else { Level::Portable })
    }

    /// [`kernel::correlate`] at this level.
    pub(crate) fn correlate<const N: usize, const M: usize>(self, job: &Job<'_, N, M>) -> [Sums; N] {
        match self.0 {
            // SAFETY: an `Available` holds only levels whose instructions this machine has.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { correlate_avx512(job) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { correlate_avx2(job) },
            // Fused operations belong to the baseline of 64-bit ARM.
            Level::Neon => kernel::correlate::<N, M, 4, true>(job),
            _ => kernel::correlate::<N, M, 4, false>(job),
        }
    }

    /// Up to how many samples to a code value the [direct](crate::direct) kernel of this level is the faster
    /// one, with two and with three sequences of edges; none where there is no such kernel.
    ///
    /// The first goes for codes without a subcarrier at every spacing, as they are correlated by runs.
    ///
    /// Measured on Zen 4 for a millisecond of L1 C/A: direct 0.12 µs and 0.24 ns a sample; by runs 1.45 to 1.6 µs with AVX-512, 1.55 to 1.75 with AVX2; from edge
    /// to edge 1.9 (two sequences) and 2.4 µs (three). B1I, of twice as many values, crosses at about the same
    /// number of samples to a value.
    pub(crate) fn direct(self) -> Option<[f64; 2]> {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Avx2 => Some([6.0, 7.5]),
            _ => None,
        }
    }

    /// Correlates with replicas of one period without running sums; none where [`Self::direct`] is none.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(crate) fn correlate_direct<const N: usize>(
        self,
        job: &DirectJob<'_>,
        replicas: [&Replica; N],
    ) -> Option<[Sums; N]> {
        match self.0 {
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Avx2 => {
                Some(unsafe { avx2::correlate(job, replicas.map(Replica::bytes)) })
            }
            _ => None,
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi2")]
fn correlate_avx2<const N: usize, const M: usize>(job: &Job<'_, N, M>) -> [Sums; N] {
    kernel::correlate::<N, M, 8, true>(job)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
fn correlate_avx512<const N: usize, const M: usize>(job: &Job<'_, N, M>) -> [Sums; N] {
    kernel::correlate::<N, M, 16, true>(job)
}
