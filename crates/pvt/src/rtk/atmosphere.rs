//! Differences of the atmosphere over long baselines.

use megrez_signal::Sat;

use super::information::{Information, Unknown};
use super::single::Single;

/// Wavelength to which delays of the ionosphere refer, m: that of L1 and E1.
pub(crate) const IONOSPHERE_WAVELENGTH_M: f64 = 0.190_293_672_798_364_9;
/// Difference of the ionosphere's delay at the zenith, m for each m of baseline.
const IONOSPHERE_GRADIENT: f64 = 2e-6;
/// Wandering of that difference, m for each m of baseline and the square root of a second.
const IONOSPHERE_WALK: f64 = 2e-8;
/// Difference of the troposphere at the zenith from the model, m, and m for each m of baseline.
const ZENITH_M: f64 = 0.01;
const ZENITH_GRADIENT: f64 = 1e-6;
/// Wandering of that difference, m for the square root of a second.
const ZENITH_WALK_M: f64 = 1e-4;

/// How much longer the path through a shell of 350 km is than at the zenith.
fn slant(sine: f64) -> f64 {
    let cosine = 0.948 * (1.0 - sine * sine).max(0.0).sqrt();
    1.0 / (1.0 - cosine * cosine).sqrt()
}

/// The unknowns of the atmosphere.
pub(crate) struct Atmosphere {
    /// Length of the baseline, m.
    pub length_m: f64,
}

impl Atmosphere {
    /// Adds the unknowns of the satellites of an epoch, drops those of others, and lets the rest wander for
    /// `elapsed_s`.
    pub fn predict(&self, information: &mut Information, singles: &[Single], elapsed_s: f64) {
        let present = |sat: Sat| singles.iter().any(|s| s.link.sat == sat);
        information.retain(|u| !matches!(u, Unknown::Ionosphere(sat) if !present(sat)));
        for i in 0..information.unknowns().len() {
            let walk_m = match information.unknowns().get(i) {
                Some(Unknown::Ionosphere(_)) => IONOSPHERE_WALK * self.length_m,
                Some(Unknown::Zenith) => ZENITH_WALK_M,
                _ => continue,
            };
            if elapsed_s > 0.0 {
                information.loosen(super::information::POSITION + i, walk_m * walk_m * elapsed_s);
            }
        }
        let mut expect = |unknown: Unknown, sigma_m: f64| {
            if information.index(unknown).is_none() {
                information.append(&[unknown]);
                if let Some(i) = information.index(unknown) {
                    information.expect_zero(i, sigma_m * sigma_m);
                }
            }
        };
        expect(Unknown::Zenith, ZENITH_M + ZENITH_GRADIENT * self.length_m);
        for s in singles {
            let sigma_m = IONOSPHERE_GRADIENT * self.length_m * slant(s.azel.elevation.sin());
            expect(Unknown::Ionosphere(s.link.sat), sigma_m);
        }
    }

    /// Drops all unknowns of the atmosphere.
    pub fn forget(information: &mut Information) {
        information.retain(|u| matches!(u, Unknown::Ambiguity(_)));
    }

    /// What a measurement has of the atmosphere, where it is unknown: `sign` is +1 for a code and -1 for a phase.
    pub fn terms(information: &Information, s: &Single, sign: f64) -> [Option<(usize, f64)>; 2] {
        let Some(zenith) = information.zenith() else { return [None, None] };
        let dispersion = (s.wavelength_m / IONOSPHERE_WAVELENGTH_M).powi(2);
        let ionosphere = information.index(Unknown::Ionosphere(s.link.sat));
        let mapping = super::single::troposphere_mapping(s.azel.elevation.sin());
        [ionosphere.map(|i| (i, sign * dispersion)), Some((zenith, mapping))]
    }
}
