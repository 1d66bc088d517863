//! D2 subframes 2 to 5: integrity, differential corrections and the ionospheric grid of the regional service
//! (BDS-SIS-ICD-B1I-3.0 sections 5.3.2 and 5.3.3).
//!
//! Six pages give what is known of up to 24 satellites: the satellites themselves by flags (BDID), for each an index
//! of its differential error (UDREI) on every page, and the index of its regional accuracy (RURAI) and a clock
//! correction on one page: satellites 3p - 2, 3p - 1 and 3p of those flagged among the first 30 on page p of
//! subframes 2 and 3, satellite 18 + p on page p of subframe 4.

use std::collections::BTreeMap;

use megrez_signal::Sat;

use crate::field::Field;

/// Pages of subframes 2 to 4.
const PAGES: u8 = 6;
/// Satellites of subframes 2 and 3.
const FIRST_SATS: usize = 18;
/// Points of the ionospheric grid, in two halves.
const GRID_POINTS: u16 = 320;
/// Points of a page.
const PAGE_POINTS: u16 = 13;

/// Page number of subframe 2.
pub(crate) const PNUM2: Field = Field::unsigned("Pnum2", &[(44, 4)], 1.0);
const SAT_H2: Field = Field::unsigned("SatH2", &[(48, 2)], 1.0);
/// BDID1 to BDID30, the first one most significant.
const BDID: Field = Field::unsigned("BDID", &[(50, 3), (61, 22), (91, 5)], 1.0);
/// UDREI1 to UDREI15.
#[rustfmt::skip]
const UDREI: Field = Field::unsigned("UDREI", &[(172, 1), (181, 22), (211, 22), (241, 15)], 1.0);
/// UDREI16 to UDREI18, which do not fit a number of 64 bits with the others.
const UDREI_END: Field = Field::unsigned("UDREI", &[(256, 7), (271, 5)], 1.0);
const RURAI1: Field = Field::unsigned("RURAI", &[(276, 4)], 1.0);
const CLOCK1: Field = Field::signed("dt", &[(280, 13)], 0.1);
const RURAI2: Field = Field::unsigned("RURAI", &[(44, 4)], 1.0);
const CLOCK2: Field = Field::signed("dt", &[(48, 5), (61, 8)], 0.1);
const RURAI3: Field = Field::unsigned("RURAI", &[(69, 4)], 1.0);
const CLOCK3: Field = Field::signed("dt", &[(73, 10), (91, 3)], 0.1);
/// Whether (3) subframe 4 says anything.
const BD_EP_ID: Field = Field::unsigned("BDEpID", &[(169, 2)], 1.0);
/// BDID31 to BDID63.
const BDID_END: Field = Field::unsigned("BDID", &[(171, 2), (181, 22), (211, 9)], 1.0);
/// UDREI19 to UDREI24.
const UDREI_4: Field = Field::unsigned("UDREI", &[(220, 13), (241, 11)], 1.0);
const RURAI4: Field = Field::unsigned("RURAI", &[(252, 4)], 1.0);
const CLOCK4: Field = Field::signed("dt", &[(256, 7), (271, 6)], 0.1);
/// Vertical delay (9 bits) and GIVEI (4 bits) of the points of a page.
#[rustfmt::skip]
const GRID: [Field; PAGE_POINTS as usize] = [
    Field::unsigned("Ion", &[(51, 2), (61, 11)], 1.0),
    Field::unsigned("Ion", &[(72, 11), (91, 2)], 1.0),
    Field::unsigned("Ion", &[(93, 13)], 1.0),
    Field::unsigned("Ion", &[(106, 7), (121, 6)], 1.0),
    Field::unsigned("Ion", &[(127, 13)], 1.0),
    Field::unsigned("Ion", &[(140, 3), (151, 10)], 1.0),
    Field::unsigned("Ion", &[(161, 12), (181, 1)], 1.0),
    Field::unsigned("Ion", &[(182, 13)], 1.0),
    Field::unsigned("Ion", &[(195, 8), (211, 5)], 1.0),
    Field::unsigned("Ion", &[(216, 13)], 1.0),
    Field::unsigned("Ion", &[(229, 4), (241, 9)], 1.0),
    Field::unsigned("Ion", &[(250, 13)], 1.0),
    Field::unsigned("Ion", &[(271, 13)], 1.0),
];

/// Accuracy and clock correction of one satellite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correction {
    /// Index of the regional user range accuracy, 0 to 15.
    pub rurai: u8,
    /// Equivalent clock correction in m; none if there is none.
    pub clock_m: Option<f64>,
}

/// A point of the ionospheric grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridPoint {
    /// Number, 1 to 320.
    pub number: u16,
    /// Vertical delay of B1I in m; none if the point is not monitored or has no figure.
    pub delay_m: Option<f64>,
    /// Index of the error of the delay, 0 to 15.
    pub givei: u8,
}

impl GridPoint {
    /// Latitude north and longitude east of the point in degrees: longitudes 70 to 145 in steps of 5, latitudes 10
    /// to 55 for the first 160 points and 7.5 to 52.5 for the others.
    pub fn place_deg(&self) -> (f64, f64) {
        let (half, index) = (self.number.saturating_sub(1) / 160, self.number.saturating_sub(1) % 160);
        let south = if half == 0 { 10.0 } else { 7.5 };
        (south + 5.0 * f64::from(index % 10), 70.0 + 5.0 * f64::from(index / 10))
    }
}

/// What one subframe says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum D2Page {
    /// Subframe 2.
    Integrity {
        /// Page, 1 to 6.
        page: u8,
        /// SatH2: whether the integrity and differential data of the sending satellite are good, as sent.
        health: u8,
        /// Satellites of which there are data, among the first 30, in order.
        sats: Vec<Sat>,
        /// UDREI of the first 18 of them.
        udrei: [u8; FIRST_SATS],
        /// Of satellite 3 · page - 2 of them.
        first: Correction,
    },
    /// Subframe 3: of satellites 3 · page - 1 and 3 · page.
    Corrections {
        /// Page, 1 to 6: that of subframe 2 of the same frame.
        page: u8,
        /// Corrections.
        corrections: [Correction; 2],
    },
    /// Subframe 4.
    Extension {
        /// Page, 1 to 6: that of subframe 2 of the same frame.
        page: u8,
        /// Satellites of which there are data, among 31 to 63.
        sats: Vec<Sat>,
        /// UDREI of the 19th to 24th satellite.
        udrei: [u8; PAGES as usize],
        /// Of satellite 18 + page.
        last: Correction,
    },
    /// Subframe 5, pages 1 to 13 and 61 to 73.
    Grid(Vec<GridPoint>),
}

/// Satellites whose flags are set in `len` bits, of which the most significant is satellite `first`.
fn flagged(flags: i64, len: u8, first: u8) -> Vec<Sat> {
    (0..len).filter(|i| flags >> (len - 1 - i) & 1 == 1).map(|i| Sat::bds(first + i)).collect()
}

/// The number `index` of four bits of `count` in an integer.
fn nibble(all: i64, count: usize, index: usize) -> u8 {
    (all >> (4 * (count - 1 - index)) & 15) as u8
}

fn correction(rurai: &Field, clock: &Field, words: &[u32]) -> Correction {
    // The most negative value means that there is none.
    let known = clock.raw(words) != -(1 << 12);
    Correction { rurai: rurai.raw(words) as u8, clock_m: known.then(|| clock.get(words)) }
}

impl D2Page {
    /// Reads subframe `id` of D2 with page number `page` (of subframe 2 for 2 to 4, its own for 5); none if it says
    /// nothing of this kind.
    pub(crate) fn read(id: u8, page: u8, words: &[u32]) -> Option<Self> {
        match (id, page) {
            (2, 1..=PAGES) => {
                let (start, end) = (UDREI.raw(words), UDREI_END.raw(words));
                let udrei =
                    std::array::from_fn(
                        |i| {
                            if i < 15 { nibble(start, 15, i) } else { nibble(end, 3, i - 15) }
                        },
                    );
                Some(Self::Integrity {
                    page,
                    health: SAT_H2.raw(words) as u8,
                    sats: flagged(BDID.raw(words), 30, 1),
                    udrei,
                    first: correction(&RURAI1, &CLOCK1, words),
                })
            }
            (3, 1..=PAGES) => Some(Self::Corrections {
                page,
                corrections: [correction(&RURAI2, &CLOCK2, words), correction(&RURAI3, &CLOCK3, words)],
            }),
            (4, 1..=PAGES) if BD_EP_ID.raw(words) == 3 => {
                let udrei = UDREI_4.raw(words);
                Some(Self::Extension {
                    page,
                    sats: flagged(BDID_END.raw(words), 33, 31),
                    udrei: std::array::from_fn(|i| nibble(udrei, PAGES.into(), i)),
                    last: correction(&RURAI4, &CLOCK4, words),
                })
            }
            (5, 1..=13 | 61..=73) => {
                let first = if page < 61 {
                    PAGE_POINTS * u16::from(page - 1)
                } else {
                    160 + PAGE_POINTS * u16::from(page - 61)
                };
                let last = if page < 61 { 160 } else { GRID_POINTS };
                let points = (first + 1..=last).zip(&GRID).map(|(number, field)| {
                    let raw = field.raw(words);
                    let delay = raw >> 4;
                    // 510: not monitored; 511: no figure.
                    let delay_m = (delay < 510).then_some(delay as f64 * 0.125);
                    GridPoint { number, delay_m, givei: (raw & 15) as u8 }
                });
                Some(Self::Grid(points.collect()))
            }
            _ => None,
        }
    }
}

/// What the pages say together.
#[derive(Debug, Clone, Default)]
pub struct D2Corrections {
    sats: Vec<Sat>,
    more_sats: Vec<Sat>,
    udrei: BTreeMap<usize, u8>,
    corrections: BTreeMap<usize, Correction>,
    grid: BTreeMap<u16, GridPoint>,
}

impl D2Corrections {
    /// Nothing known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a page. If the satellites are others than before, what was known of the old ones is dropped.
    pub fn push(&mut self, page: &D2Page) {
        let place = |page: u8, n: usize| 3 * (usize::from(page) - 1) + n;
        match page {
            D2Page::Integrity { page, sats, udrei, first, .. } => {
                if self.sats != *sats {
                    (self.udrei, self.corrections) = Default::default();
                    self.sats.clone_from(sats);
                }
                self.udrei.extend(udrei.iter().copied().enumerate());
                self.corrections.insert(place(*page, 0), *first);
            }
            D2Page::Corrections { page, corrections: [second, third] } => {
                self.corrections.insert(place(*page, 1), *second);
                self.corrections.insert(place(*page, 2), *third);
            }
            D2Page::Extension { page, sats, udrei, last } => {
                if self.more_sats != *sats {
                    self.udrei.retain(|&place, _| place < FIRST_SATS);
                    self.corrections.retain(|&place, _| place < FIRST_SATS);
                    self.more_sats.clone_from(sats);
                }
                self.udrei.extend((FIRST_SATS..).zip(udrei.iter().copied()));
                self.corrections.insert(FIRST_SATS + usize::from(*page) - 1, *last);
            }
            D2Page::Grid(points) => self.grid.extend(points.iter().map(|point| (point.number, *point))),
        }
    }

    /// UDREI (0 to 15) and correction of a satellite.
    pub fn of(&self, sat: Sat) -> Option<(u8, Correction)> {
        let place = self.sats.iter().chain(&self.more_sats).position(|&s| s == sat)?;
        Some((*self.udrei.get(&place)?, *self.corrections.get(&place)?))
    }

    /// The points of the grid received, by number.
    pub fn grid(&self) -> impl Iterator<Item = &GridPoint> {
        self.grid.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words with bits set: (first bit of 300, length, value).
    fn words(parts: &[(usize, usize, u64)]) -> Vec<u32> {
        let mut words = vec![0u32; 10];
        for &(first, len, value) in parts {
            for i in 0..len {
                let bit = first - 1 + i;
                words[bit / 30] |= ((value >> (len - 1 - i) & 1) as u32) << (29 - bit % 30);
            }
        }
        words
    }

    #[test]
    fn pages_say_what_stands_in_their_bits() {
        // Satellites 1, 3, 4 and 30; UDREI 1 is 9, UDREI 6 (over a gap) 10, UDREI 17 (over a gap) 5, UDREI 18 is 3.
        let second = words(&[
            (48, 2, 2),
            (50, 3, 0b101),
            (61, 1, 1),
            (95, 1, 1),
            (172, 1, 1),
            (181, 3, 1),
            (200, 3, 0b101),
            (211, 1, 0),
            (260, 3, 0b010),
            (271, 1, 1),
            (272, 4, 3),
            (276, 4, 7),
            (280, 13, (1 << 13) - 25),
        ]);
        let Some(D2Page::Integrity { page, health, sats, udrei, first }) = D2Page::read(2, 2, &second) else {
            panic!("subframe 2")
        };
        assert_eq!((page, health), (2, 2));
        assert_eq!(sats, [1, 3, 4, 30].map(Sat::bds));
        assert_eq!((udrei[0], udrei[5], udrei[16], udrei[17]), (9, 10, 5, 3));
        assert_eq!(udrei.iter().filter(|&&u| u == 0).count(), 14);
        assert_eq!(first, Correction { rurai: 7, clock_m: Some(-2.5) });

        let third = words(&[(44, 4, 1), (48, 5, 0b00001), (61, 8, 4), (69, 4, 15), (73, 1, 1)]);
        let none = Correction { rurai: 15, clock_m: None };
        let some = Correction { rurai: 1, clock_m: Some(26.0) };
        let read = D2Page::read(3, 2, &third);
        assert_eq!(read, Some(D2Page::Corrections { page: 2, corrections: [some, none] }));

        let fourth = words(&[
            (169, 2, 3),
            (171, 1, 1),
            (219, 1, 1),
            (220, 4, 8),
            (232, 1, 1),
            (241, 3, 1),
            (248, 4, 6),
            (252, 4, 4),
            (256, 7, 0),
            (271, 6, 33),
        ]);
        let last = Correction { rurai: 4, clock_m: Some(3.3000000000000003) };
        let sats = [31, 63].map(Sat::bds).to_vec();
        let extension = D2Page::Extension { page: 1, sats, udrei: [8, 0, 0, 9, 0, 6], last };
        assert_eq!(D2Page::read(4, 1, &fourth), Some(extension));
        assert_eq!(D2Page::read(4, 1, &words(&[])), None);

        let mut all = D2Corrections::new();
        let pages = [(2, 1, &second), (3, 1, &third), (2, 2, &second)];
        pages.iter().for_each(|&(id, page, words)| all.push(&D2Page::read(id, page, words).unwrap()));
        assert_eq!(all.of(Sat::bds(1)), Some((9, first)));
        assert_eq!(all.of(Sat::bds(3)), Some((0, some)));
        assert_eq!(all.of(Sat::bds(4)), Some((0, none)));
        assert_eq!(all.of(Sat::bds(30)), Some((0, first)));
        assert_eq!(all.of(Sat::bds(2)), None);
    }

    #[test]
    fn the_grid_has_its_points() {
        let page =
            words(&[(51, 2, 3), (61, 7, 0b111_1110), (68, 4, 13), (72, 9, 80), (81, 2, 1), (91, 2, 1)]);
        let Some(D2Page::Grid(points)) = D2Page::read(5, 1, &page) else { panic!("grid") };
        assert_eq!(points.len(), 13);
        assert_eq!(points[0], GridPoint { number: 1, delay_m: None, givei: 13 });
        assert_eq!(points[1], GridPoint { number: 2, delay_m: Some(10.0), givei: 5 });
        let mut all = D2Corrections::new();
        for page in (1..=13).chain(61..=73) {
            all.push(&D2Page::read(5, page, &words(&[])).unwrap());
        }
        let numbers: Vec<u16> = all.grid().map(|point| point.number).collect();
        assert_eq!(numbers, (1..=320).collect::<Vec<u16>>());
        let place = |number| GridPoint { number, delay_m: None, givei: 0 }.place_deg();
        assert_eq!([1, 10, 11, 160].map(place), [(10.0, 70.0), (55.0, 70.0), (10.0, 75.0), (55.0, 145.0)]);
        assert_eq!([161, 320].map(place), [(7.5, 70.0), (52.5, 145.0)]);
        assert_eq!(D2Page::read(5, 14, &page), None);
    }
}
