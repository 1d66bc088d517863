//! The correlator over [runs](crate::runs) compiled for each instruction set.

use super::Available;
use crate::Level;
use crate::kernel::Sums;
use crate::runs::{self, Job};

impl Available {
    /// [`runs::correlate`] at this level.
    pub(crate) fn correlate_runs(self, job: &Job<'_>) -> Sums {
        match self.0 {
            // SAFETY: an `Available` holds only levels whose instructions this machine has.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { correlate_avx512(job) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { correlate_avx2(job) },
            // Fused operations belong to the baseline of 64-bit ARM.
            Level::Neon => runs::correlate::<4, true>(job),
            _ => runs::correlate::<4, false>(job),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi2")]
fn correlate_avx2(job: &Job<'_>) -> Sums {
    runs::correlate::<8, true>(job)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
fn correlate_avx512(job: &Job<'_>) -> Sums {
    runs::correlate::<16, true>(job)
}
