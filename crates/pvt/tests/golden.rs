//! Statistics of positions from real observations, kept: accuracy that drops by more than a twentieth fails.
//!
//! The day at Esbjerg is taken every 4th epoch; `MEGREZ_FULL=1` takes all. Beside our figures stand RTKLIB's best on
//! the same files (H95, V95, 3D rms in metres; single frequency but for Galileo and what is called ionosphere-free), on
//! the epochs that it solved. Its BDS ionosphere-free 3D rms of 17.1 m is replaced by our goal of 2 m.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "common/sets.rs"]
mod sets;

use megrez_pvt::IonoMode::{self, Broadcast, Combined, IonosphereFree};
use megrez_pvt::Solution;
use megrez_signal::Constellation::{Bds, Galileo, Glonass, Gps, Qzss};
use sets::{Set, Take, figures, run};

const GPS: Take = Take::Systems(&[Gps]);
const BDS: Take = Take::Systems(&[Bds]);
const GAL: Take = Take::Systems(&[Galileo]);
const GLO: Take = Take::Systems(&[Glonass]);
const THREE: Take = Take::Systems(&[Gps, Galileo, Bds]);
const ALL: Take = Take::Systems(&[Gps, Galileo, Bds, Glonass, Qzss]);

struct Case {
    name: &'static str,
    take: Take,
    mode: IonoMode,
    /// H95, V95, 3D rms in metres.
    kept: [f64; 3],
    /// RTKLIB's.
    theirs: Option<[f64; 3]>,
}

const fn case(
    name: &'static str,
    take: Take,
    mode: IonoMode,
    kept: [f64; 3],
    theirs: Option<[f64; 3]>,
) -> Case {
    Case { name, take, mode, kept, theirs }
}

fn check(place: &str, set: &Set, cases: &[Case]) {
    let mut worse = Vec::new();
    for c in cases {
        let epochs = c.take.of(&set.epochs);
        let solutions = run(&epochs, &set.nav, &sets::config(c.mode, 5.0));
        // RTKLIB gives no position from satellites that stand like this; ours count as solved.
        let sound: Vec<Solution> = solutions.iter().filter(|s| s.dop.p < 30.0).cloned().collect();
        let f = figures(&sound, set.truth);
        let poor = solutions.len() - sound.len();
        eprintln!("{place} {} {:?}: {f} poor {poor}; RTKLIB {:?}", c.name, c.mode, c.theirs);
        let found = [f.h95, f.v95, f.rms];
        let above = |bounds: [f64; 3]| found.iter().zip(bounds).any(|(found, bound)| *found > bound);
        let unsolved = solutions.len() < epochs.len();
        // With one fault in a thousand epochs or so, none is to be above its protection levels.
        if above(c.kept.map(|v| 1.05 * v)) || c.theirs.is_some_and(above) || unsolved || f.above > 0 {
            worse.push(format!("{} {:?}", c.name, c.mode));
        }
        // Standing antennas stand.
        if f.speed95.is_nan() || f.speed95 >= 0.05 {
            worse.push(format!("{} {:?}: speed {:.3}", c.name, c.mode, f.speed95));
        }
    }
    assert!(worse.is_empty(), "{place}: worse than before, or than RTKLIB: {worse:?}");
}

#[test]
fn esbjerg() {
    let step = if std::env::var("MEGREZ_FULL").is_ok() { 1 } else { 4 };
    let Some(set) = sets::esbc(step) else { return };
    let cases = [
        case("GPS", GPS, Broadcast, [1.99, 2.88, 1.58], Some([2.23, 3.19, 1.76])),
        case("GPS", GPS, Combined, [1.86, 2.66, 1.49], Some([2.23, 3.19, 1.76])),
        case("BDS", BDS, Broadcast, [1.32, 2.24, 1.41], Some([1.81, 2.98, 1.78])),
        case("BDS", BDS, Combined, [1.35, 2.17, 1.40], Some([1.81, 2.98, 1.78])),
        case("BDS", BDS, IonosphereFree, [1.66, 2.59, 1.62], Some([25.4, 25.8, 2.0])),
        case("BDS-3", Take::Bds3, Combined, [1.37, 2.88, 1.70], Some([1.43, 3.29, 2.05])),
        case("Galileo", GAL, Combined, [0.73, 1.23, 0.73], None),
        case("Galileo", GAL, IonosphereFree, [0.91, 1.53, 0.93], Some([1.17, 1.79, 1.12])),
        case("GLONASS", GLO, Broadcast, [3.01, 4.63, 2.98], None),
        case("GPS+GAL+BDS", THREE, Broadcast, [0.90, 1.70, 0.95], None),
        case("GPS+GAL+BDS", THREE, Combined, [0.85, 1.33, 0.78], Some([1.30, 1.53, 1.06])),
        case("GPS+GAL+BDS", THREE, IonosphereFree, [0.79, 1.05, 0.70], Some([1.30, 1.53, 1.06])),
        case("all", ALL, Combined, [0.88, 1.34, 0.80], None),
    ];
    check("Esbjerg", &set, &cases);
}

#[test]
fn nagoya() {
    let Some(set) = sets::nagoya() else { return };
    let cases = [
        case("BDS", BDS, Broadcast, [3.09, 1.27, 3.08], Some([3.25, 1.85, 3.24])),
        case("BDS", BDS, Combined, [1.31, 2.54, 1.81], None),
        case("GPS+GAL+BDS", THREE, Broadcast, [3.02, 1.97, 3.31], None),
        case("GPS+GAL+BDS", THREE, Combined, [0.89, 1.18, 0.86], Some([3.11, 1.88, 3.22])),
        case("GPS+GAL+BDS", THREE, IonosphereFree, [0.66, 1.59, 1.02], Some([1.45, 4.52, 2.42])),
        case("all", ALL, Combined, [0.90, 1.09, 0.84], None),
    ];
    check("Nagoya", &set, &cases);
}

#[test]
fn wettzell() {
    let Some(set) = sets::wettzell() else { return };
    let cases = [
        case("BDS", BDS, Combined, [2.03, 2.32, 2.26], None),
        case("GPS+GAL+BDS", THREE, Combined, [1.37, 0.86, 1.09], None),
        case("all", ALL, Combined, [1.46, 0.87, 1.21], None),
    ];
    check("Wettzell", &set, &cases);
}
