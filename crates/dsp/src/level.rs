use std::fmt;

/// An instruction set for the kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Plain Rust.
    Portable,
    /// x86-64 with AVX2, FMA and BMI2.
    Avx2,
    /// x86-64 with the above and AVX-512 F, BW, DQ and VL.
    Avx512,
    /// 64-bit ARM.
    Neon,
}

/// Why `MEGREZ_SIMD` cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// Not a name of a level.
    #[error("MEGREZ_SIMD={0}: must be portable, avx2, avx512 or neon")]
    Unknown(String),
    /// This machine lacks the instructions.
    #[error("MEGREZ_SIMD={0}: this machine lacks these instructions")]
    Unavailable(Level),
}

impl Level {
    /// The best level of this machine, or the one that the environment variable `MEGREZ_SIMD` names.
    pub fn detect() -> Result<Self, LevelError> {
        Self::named(&std::env::var("MEGREZ_SIMD").unwrap_or_default())
    }

    /// The level of that name in any case; the best one for no name.
    fn named(name: &str) -> Result<Self, LevelError> {
        let level = match name.to_ascii_lowercase().as_str() {
            "" => return Ok(Self::all_available().last().copied().unwrap_or(Self::Portable)),
            "portable" => Self::Portable,
            "avx2" => Self::Avx2,
            "avx512" => Self::Avx512,
            "neon" => Self::Neon,
            _ => return Err(LevelError::Unknown(name.to_string())),
        };
        if level.is_available() { Ok(level) } else { Err(LevelError::Unavailable(level)) }
    }

    /// Levels of this machine, the best last.
    pub fn all_available() -> Vec<Self> {
        [Self::Portable, Self::Avx2, Self::Avx512, Self::Neon]
            .into_iter()
            .filter(|l| l.is_available())
            .collect()
    }

    pub(crate) fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("bmi2")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon => true,
            _ => false,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(Level::named("Portable"), Ok(Level::Portable));
        assert_eq!(Level::named("").ok(), Level::all_available().last().copied());
        let wrong = Level::named("sse9").unwrap_err();
        assert_eq!(wrong.to_string(), "MEGREZ_SIMD=sse9: must be portable, avx2, avx512 or neon");
        for level in [Level::Portable, Level::Avx2, Level::Avx512, Level::Neon] {
            let want = if level.is_available() { Ok(level) } else { Err(LevelError::Unavailable(level)) };
            assert_eq!(Level::named(&level.to_string()), want);
        }
        // No machine has both.
        assert!(!(Level::Avx2.is_available() && Level::Neon.is_available()));
    }
}
