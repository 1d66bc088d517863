//! Which of a satellite's signals to use.

use megrez_signal::{Constellation, ObsCode, Sat};

use crate::SolverConfig;

/// Codes from the best to the worst for a position from one frequency: first those to which the broadcast clock
/// refers or whose group delay every message gives, of these the ones most receivers have; signals whose group
/// delay may be unknown last.
fn order(constellation: Constellation) -> &'static [&'static [u8; 2]] {
    match constellation {
        Constellation::Bds => &[
            b"2I", b"1I", b"2X", b"2Q", b"1Q", b"1P", b"1X", b"1D", b"6I", b"6X", b"6Q", b"5P", b"5X", b"5D",
            b"7D", b"7Z", b"7P", b"7I", b"7X", b"7Q",
        ],
        Constellation::Gps => &[
            b"1W", b"1P", b"1Y", b"1C", b"1X", b"1L", b"1S", b"2W", b"2P", b"2Y", b"2L", b"2X", b"2S", b"2C",
            b"2D", b"5Q", b"5X", b"5I",
        ],
        Constellation::Galileo => {
            &[b"1C", b"1X", b"1B", b"5Q", b"5X", b"5I", b"7Q", b"7X", b"7I", b"8Q", b"8X", b"8I"]
        }
        Constellation::Glonass => &[b"1C", b"1P", b"2C", b"2P"],
        Constellation::Qzss => &[b"1C", b"1X", b"1Z", b"1L", b"1S", b"2L", b"2X", b"2S", b"5Q", b"5X", b"5I"],
        _ => &[],
    }
}

/// Bands to pair, the best pair first. B1I is band 2 and B1C band 1; band 7 of BeiDou-2 is B2I, of BeiDou-3 B2b.
/// BeiDou-3 has no B2I, whatever a file may call its band 7.
fn pairs(sat: Sat) -> &'static [&'static [u8; 2]] {
    match sat.constellation {
        Constellation::Bds if sat.is_bds2() => &[b"26", b"27"],
        Constellation::Bds => &[b"26", b"15", b"17"],
        Constellation::Galileo => &[b"15", b"17", b"18"],
        Constellation::Gps | Constellation::Qzss => &[b"12", b"15"],
        Constellation::Glonass => &[b"12"],
        _ => &[],
    }
}

/// Place of a code in the order of preference, the best first; none of codes that are not used.
pub(crate) fn rank(constellation: Constellation, code: ObsCode, config: &SolverConfig) -> Option<u8> {
    let preferred = config.preferred.iter().position(|&p| p == (constellation, code));
    let builtin = || {
        order(constellation).iter().position(|&&[band, kind]| (band, kind) == (code.band(), code.attribute()))
    };
    match preferred {
        Some(place) => Some(place.min(99) as u8),
        None => builtin().map(|place| 100 + place as u8),
    }
}

/// The band of a code as [`pairs`] has it: 2 for B1I by any name.
pub(crate) fn band(constellation: Constellation, code: ObsCode) -> u8 {
    match (constellation, code.band(), code.attribute()) {
        (Constellation::Bds, b'1', b'I' | b'Q') => b'2',
        (_, band, _) => band,
    }
}

/// Which two of a satellite's signals to combine to be free of the ionosphere: the best of each band of the best
/// pair. `signals` are codes with their ranks; the answer is indices into them.
pub(crate) fn pair(sat: Sat, signals: impl Iterator<Item = (ObsCode, u8)> + Clone) -> Option<[usize; 2]> {
    let best = |wanted: u8| {
        signals
            .clone()
            .enumerate()
            .filter(|(_, (code, _))| {
                band(sat.constellation, *code) == wanted && (wanted != b'7' || may_use_band_7(sat, *code))
            })
            .min_by_key(|(_, (_, rank))| *rank)
            .map(|(index, (_, rank))| (index, rank))
    };
    // A pair of codes that the user prefers comes before one that is better in general.
    let mut found: Option<([usize; 2], bool)> = None;
    for &&[a, b] in pairs(sat) {
        if let (Some((first, rank_a)), Some((second, rank_b))) = (best(a), best(b)) {
            let preferred = rank_a < 100 && rank_b < 100;
            if found.is_none_or(|(_, was)| preferred && !was) {
                found = Some(([first, second], preferred));
            }
        }
    }
    found.map(|(pair, _)| pair)
}

/// B2b of BeiDou-3 is 7D, 7P or 7Z; B2I, of BeiDou-2 only, is 7I, 7Q or 7X.
fn may_use_band_7(sat: Sat, code: ObsCode) -> bool {
    sat.constellation != Constellation::Bds || sat.is_bds2() == matches!(code.attribute(), b'I' | b'Q' | b'X')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(sat: Sat, codes: &[&str], config: &SolverConfig) -> Option<[String; 2]> {
        let signals: Vec<(ObsCode, u8)> = codes
            .iter()
            .map(|c| c.parse().unwrap())
            .filter_map(|c| Some((c, rank(sat.constellation, c, config)?)))
            .collect();
        pair(sat, signals.iter().copied()).map(|pair| pair.map(|i| signals[i].0.to_string()))
    }

    #[test]
    fn pairs_are_those_that_the_systems_have() {
        let config = SolverConfig::default();
        let of = |sat, codes: &[&str]| names(sat, codes, &config).map(|[a, b]| format!("{a}+{b}"));
        let galileo = Sat { constellation: Constellation::Galileo, prn: 3 };
        assert_eq!(of(Sat::bds(8), &["2I", "7I", "6I"]).as_deref(), Some("2I+6I"));
        assert_eq!(of(Sat::bds(8), &["2I", "7I"]).as_deref(), Some("2I+7I"));
        assert_eq!(of(Sat::bds(30), &["2I", "7I"]), None);
        assert_eq!(of(Sat::bds(30), &["1P", "7D"]).as_deref(), Some("1P+7D"));
        assert_eq!(of(Sat::bds(30), &["1P", "2I", "5P"]).as_deref(), Some("1P+5P"));
        assert_eq!(of(Sat::gps(3), &["1C", "1W", "2L", "2W", "5Q"]).as_deref(), Some("1W+2W"));
        assert_eq!(of(Sat::gps(3), &["1C", "5Q"]).as_deref(), Some("1C+5Q"));
        assert_eq!(of(galileo, &["1C", "5Q", "7Q"]).as_deref(), Some("1C+5Q"));
        assert_eq!(of(galileo, &["1C"]), None);
    }

    #[test]
    fn what_a_user_prefers_comes_first() {
        let code = |c: &str| c.parse::<ObsCode>().unwrap();
        let gps = Constellation::Gps;
        let config =
            SolverConfig { preferred: vec![(gps, code("1W")), (gps, code("5Q"))], ..SolverConfig::default() };
        let found = names(Sat::gps(3), &["1C", "1W", "2W", "5Q"], &config).unwrap();
        assert_eq!(found, ["1W", "5Q"]);
        assert_eq!(rank(gps, code("1W"), &config), Some(0));
        assert_eq!(rank(gps, code("1C"), &config), Some(103));
        assert_eq!(rank(gps, code("9C"), &config), None);
    }
}
