//! The kernels compiled for each instruction set: the only unsafe code of the crate.
#![allow(unsafe_code)]

pub(crate) mod complex;

use num_complex::Complex;

use crate::Level;
use crate::kernel::{self, Bin, BinSums, Job, TURN};

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

    /// [`kernel::turn`] at this level.
    pub(crate) fn turn<const SHIFT: u32>(
        self,
        samples: &[[i16; TURN]; 2],
        oscillator: &[[i16; TURN]; 2],
        out: &mut [Complex<i8>; TURN],
    ) {
        match self.0 {
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Avx2 => unsafe { turn_avx2::<SHIFT>(samples, oscillator, out) },
            _ => kernel::turn::<SHIFT>(samples, oscillator, out),
        }
    }
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

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi2")]
fn turn_avx2<const SHIFT: u32>(
    samples: &[[i16; TURN]; 2],
    oscillator: &[[i16; TURN]; 2],
    out: &mut [Complex<i8>; TURN],
) {
    kernel::turn::<SHIFT>(samples, oscillator, out);
}
