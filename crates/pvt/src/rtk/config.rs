//! What relative positioning is told.

use megrez_orbit::Ecef;
use megrez_signal::Constellation;

/// How the rover moves, and what is carried from epoch to epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RtkMode {
    /// Every epoch for itself.
    Instantaneous,
    /// The rover moves freely; ambiguities are constant between slips.
    #[default]
    Kinematic,
    /// The rover stands still: every epoch adds to one position.
    Static,
}

/// Settings of [`Rtk`](super::Rtk).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RtkConfig {
    /// How the rover moves.
    pub mode: RtkMode,
    /// Position of the base's antenna; without it, each base epoch is positioned by itself (moving base): then
    /// only the baseline is precise.
    pub base: Option<Ecef>,
    /// Frequency bands to use of each system, by their RINEX digit ([`RtkConfig::bands_of`]). The ambiguities of
    /// GLONASS stay real numbers.
    pub bands: Vec<(Constellation, u8)>,
    /// Satellites below this elevation are not used, degrees.
    pub elevation_mask_deg: f64,
    /// Signals weaker than this at either receiver are not used, dB-Hz.
    pub min_cn0_dbhz: f64,
    /// Standard deviation of a code measurement at the zenith, m; 1.6 times that at 30°, 4 times at 10°.
    pub code_sigma_m: f64,
    /// Standard deviation of a carrier phase at the zenith, m, growing like that of code.
    pub phase_sigma_m: f64,
    /// Seconds by which a base epoch may be older than the rover's, or beyond the last one.
    pub max_age_s: f64,
    /// Seconds over which errors are alike (multipath, above all): epochs that follow each other sooner add no
    /// more than one such time's worth of knowledge to what is carried from epoch to epoch.
    pub correlation_s: f64,
    /// Time constant in s with which a moving rover's ambiguities lose their weight.
    pub memory_s: f64,
    /// Length of a baseline in m from which on the atmosphere's differences are estimated.
    pub long_baseline_m: f64,
    /// Least bootstrapped success rate of the ambiguities that are fixed; those that spoil it stay real numbers.
    pub min_success_rate: f64,
    /// Ratio of the second-best to the best candidate that a fix of many ambiguities must have however precise the
    /// float solution is: a guard against errors that are no noise. Few ambiguities must have a higher one.
    pub min_ratio: f64,
    /// Whether BeiDou-2 and BeiDou-3 share reference satellites. Receivers of different makes may treat them
    /// differently; those of one make do not.
    pub mix_bds_generations: bool,
}

impl RtkConfig {
    /// The usual bands of BDS, GPS, Galileo and QZSS for one to three frequencies: B1I, B3I, B2I or B2b; L1, L2,
    /// L5; E1, E5a, E5b.
    pub fn bands_of(frequencies: usize) -> Vec<(Constellation, u8)> {
        const BANDS: [(Constellation, [u8; 3]); 4] = [
            (Constellation::Bds, *b"267"),
            (Constellation::Gps, *b"125"),
            (Constellation::Galileo, *b"157"),
            (Constellation::Qzss, *b"125"),
        ];
        let of = |&(constellation, bands): &(Constellation, [u8; 3])| {
            bands.into_iter().take(frequencies).map(move |band| (constellation, band))
        };
        BANDS.iter().flat_map(of).collect()
    }

    /// Only the bands of these systems.
    pub fn only(mut self, constellations: &[Constellation]) -> Self {
        self.bands.retain(|(constellation, _)| constellations.contains(constellation));
        self
    }
}

impl Default for RtkConfig {
    fn default() -> Self {
        Self {
            mode: RtkMode::Kinematic,
            base: None,
            bands: Self::bands_of(2),
            elevation_mask_deg: 10.0,
            min_cn0_dbhz: 20.0,
            code_sigma_m: 0.3,
            phase_sigma_m: 0.002,
            max_age_s: 30.0,
            correlation_s: 100.0,
            memory_s: 1800.0,
            long_baseline_m: 5000.0,
            min_success_rate: 0.99,
            min_ratio: 3.0,
            mix_bds_generations: true,
        }
    }
}
