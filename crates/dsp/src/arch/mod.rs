//! The kernels compiled for each instruction set: the only unsafe code of the crate.
#![allow(unsafe_code)]

pub(crate) mod complex;
pub(crate) mod synth;
#[cfg(target_arch = "x86_64")]
mod avx2;
mod fft;
mod mix;
mod sums_build;
mod unpack;
#[cfg(target_arch = "x86_64")]
mod vnni;

use crate::direct::{self, Job as DirectJob};
use crate::kernel::{self, Bin, BinSums, Job};
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
    pub(crate) fn correlate<const M: usize, const EARLY: usize, const LATE: usize>(
        self,
        job: &Job<'_>,
        bins: &[Bin; M],
    ) -> [BinSums; M] {
        match self.0 {
            // SAFETY: an `Available` holds only levels whose instructions this machine has.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { correlate_avx512::<M, EARLY, LATE>(job, bins) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { correlate_avx2::<M, EARLY, LATE>(job, bins) },
            // Fused operations belong to the baseline of 64-bit ARM.
            Level::Neon => kernel::correlate::<M, EARLY, LATE, true>(job, bins),
            _ => kernel::correlate::<M, EARLY, LATE, false>(job, bins),
        }
    }

    /// Whether there is a [direct](crate::direct) kernel at this level, and up to how many samples to a bin
    /// of the running sums it is the faster one (measured on Zen 4).
    pub(crate) fn direct(self) -> Option<f64> {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 if byte_products() => Some(4.6),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Avx2 => Some(3.5),
            _ => None,
        }
    }

    /// Correlates with replicas of one period without running sums; none where [`Self::direct`] is none.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(crate) fn correlate_direct<const N: usize>(
        self,
        job: &DirectJob<'_>,
        replicas: [&Replica; N],
    ) -> Option<[direct::Sums; N]> {
        match self.0 {
            // SAFETY: as above, and the extensions beyond the level have been looked for.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 if byte_products() => {
                Some(unsafe { vnni::correlate(job, replicas.map(Replica::bits)) })
            }
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Avx2 => {
                Some(unsafe { avx2::correlate(job, replicas.map(Replica::bytes)) })
            }
            _ => None,
        }
    }
}

/// Whether this machine has what [`vnni`] needs beyond its level.
#[cfg(target_arch = "x86_64")]
fn byte_products() -> bool {
    is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512bitalg")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi2")]
fn correlate_avx2<const M: usize, const EARLY: usize, const LATE: usize>(
    job: &Job<'_>,
    bins: &[Bin; M],
) -> [BinSums; M] {
    kernel::correlate::<M, EARLY, LATE, true>(job, bins)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
fn correlate_avx512<const M: usize, const EARLY: usize, const LATE: usize>(
    job: &Job<'_>,
    bins: &[Bin; M],
) -> [BinSums; M] {
    kernel::correlate::<M, EARLY, LATE, true>(job, bins)
}
