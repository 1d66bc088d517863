//! Hatanaka's compressed observation format, versions 1 (of RINEX 2) and 3 (of RINEX 3 and 4).
//!
//! Y. Hatanaka, "A Compression Format and Tools for GNSS Observation Data", Bulletin of the GSI 55, 2008. Numbers are
//! differences of an order up to that of their arc against the same column of the same satellite at the epoch before;
//! texts are differences by character. The numbers are undone here without making text of them.

use megrez_orbit::{GnssTime, TimeScale};
use megrez_signal::Sat;

use crate::obs_text::{Cell, Head};

/// The highest order of differences that is read; RNX2CRX writes at most 5.
const MAX_ORDER: usize = 5;

/// The state of one column.
#[derive(Debug, Clone, Copy, Default)]
struct Arc {
    /// Order of differences of the arc plus one; 0 while there is no arc.
    order: u8,
    /// Order reached so far.
    reached: u8,
    /// The last value and its differences.
    differences: [i64; MAX_ORDER + 1],
}

impl Arc {
    /// Takes the next field of the column; the value, or none if it is damaged.
    fn next(&mut self, field: &[u8]) -> Option<i64> {
        if let [order @ b'0'..=b'9', b'&', digits @ ..] = field {
            let order = order - b'0';
            let value = integer(digits)?;
            *self = Self { order: order + 1, ..Self::default() };
            if usize::from(order) > MAX_ORDER {
                self.order = 0;
                return None;
            }
            self.differences = [value, 0, 0, 0, 0, 0];
            return Some(value);
        }
        if self.order == 0 {
            return None;
        }
        let Some(difference) = integer(field) else {
            self.order = 0;
            return None;
        };
        if self.reached + 1 < self.order {
            self.reached += 1;
        }
        let mut sum = difference;
        // Damage may overflow; the value is then wrong anyway.
        let list = self.differences.get_mut(..=usize::from(self.reached));
        if let Some((last, lower)) = list.and_then(<[i64]>::split_last_mut) {
            *last = sum;
            for value in lower.iter_mut().rev() {
                sum = sum.wrapping_add(*value);
                *value = sum;
            }
        }
        Some(sum)
    }
}

/// What is known of one satellite.
#[derive(Debug, Clone, Default)]
struct SatState {
    /// Number of the epoch it was last in.
    epoch: u32,
    arcs: Vec<Arc>,
    /// Loss-of-lock indicator and strength of each column.
    flags: Vec<u8>,
}

/// The decoder of one file's body.
#[derive(Debug)]
pub(crate) struct Crinex {
    /// Version of the compressed format: 1 or 3.
    pub(crate) version: u8,
    /// The epoch line, restored.
    pub(crate) head: Vec<u8>,
    /// Nothing can be restored before the next line that starts anew.
    pub(crate) lost: bool,
    /// Time of the epoch line.
    pub(crate) time: Option<GnssTime>,
    /// The epoch line after it, looked at in advance.
    next: Vec<u8>,
    epoch: u32,
    clock: Arc,
    /// By satellite.
    sats: Vec<SatState>,
}

impl Crinex {
    pub(crate) fn new(version: u8) -> Self {
        let sats = vec![SatState::default(); SAT_INDICES];
        Self {
            version,
            head: Vec::new(),
            lost: true,
            time: None,
            next: Vec::new(),
            epoch: 1,
            clock: Arc::default(),
            sats,
        }
    }

    /// Whether `line` is the full line of an epoch, which starts anew.
    pub(crate) fn starts_anew(line: &[u8], rinex2: bool) -> bool {
        line.first() == Some(if rinex2 { &b'&' } else { &b'>' })
    }

    /// Restores [`Crinex::head`] from the next epoch line.
    pub(crate) fn take_head(&mut self, line: &[u8], rinex2: bool) {
        if Self::starts_anew(line, rinex2) {
            self.head.clear();
            self.head.extend_from_slice(line);
            if let (true, Some(first)) = (rinex2, self.head.first_mut()) {
                *first = b' ';
            }
            self.lost = false;
            // No satellite goes on.
            self.epoch = self.epoch.wrapping_add(2).max(2);
            self.clock = Arc::default();
        } else {
            repair(&mut self.head, line);
            self.epoch = self.epoch.wrapping_add(1).max(2);
        }
    }

    /// Whether `head`, restored by differences, can follow [`Crinex::time`]: a line that is none of an epoch, after one
    /// that is lost, repeats the time.
    pub(crate) fn goes_on(&self, head: &Head) -> bool {
        let later = |time| self.time.is_none_or(|last| time - last > 0.0);
        head.time.is_none_or(later)
    }

    /// Whether `line` can be the one after a complete epoch.
    pub(crate) fn precedes(&mut self, line: &[u8], rinex2: bool, scale: TimeScale) -> bool {
        if Self::starts_anew(line, rinex2) || self.version == 3 && line.first() == Some(&b'&') {
            return true;
        }
        self.next.clone_from(&self.head);
        repair(&mut self.next, line);
        Head::parse(&self.next, rinex2, scale).is_some_and(|head| self.goes_on(&head))
    }

    /// The receiver clock offset in s from its line.
    pub(crate) fn clock(&mut self, line: &[u8], rinex2: bool) -> Option<f64> {
        if line.is_empty() {
            self.clock = Arc::default();
            return None;
        }
        self.clock.next(line).map(|value| value as f64 / if rinex2 { 1e9 } else { 1e12 })
    }

    /// Appends the cells of a satellite with `columns` columns from its line. False if fields of it are damaged.
    pub(crate) fn row(&mut self, line: &[u8], sat: Sat, columns: usize, cells: &mut Vec<Cell>) -> bool {
        let Some(state) = self.sats.get_mut(sat_index(sat)) else { return false };
        if state.epoch.wrapping_add(1) != self.epoch || state.arcs.len() != columns {
            state.arcs.clear();
            state.arcs.resize(columns, Arc::default());
            state.flags.clear();
            state.flags.resize(2 * columns, b' ');
        }
        state.epoch = self.epoch;
        let mut good = true;
        let first = cells.len();
        let mut rest = line;
        for arc in &mut state.arcs {
            let end = rest.iter().position(|&b| b == b' ').unwrap_or(rest.len());
            let (field, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            let value = if field.is_empty() {
                arc.order = 0;
                f64::NAN
            } else if let Some(value) = arc.next(field) {
                value as f64 / 1000.0
            } else {
                good = false;
                f64::NAN
            };
            cells.push(Cell { value, lli: b' ' });
        }
        rest.iter().zip(&mut state.flags).for_each(|(&difference, flag)| apply(flag, difference));
        let cells = cells.get_mut(first..).unwrap_or_default();
        for (cell, flags) in cells.iter_mut().zip(state.flags.chunks_exact_mut(2)) {
            if self.version == 1 && cell.value.is_nan() {
                // Version 1 has no flags without a value.
                flags.fill(b' ');
            }
            cell.lli = flags.first().copied().unwrap_or(b' ');
        }
        good
    }
}

/// Applies a difference of one character.
fn apply(character: &mut u8, difference: u8) {
    match difference {
        b' ' => {}
        b'&' => *character = b' ',
        other => *character = other,
    }
}

/// Applies a difference to a text, which may grow.
fn repair(text: &mut Vec<u8>, difference: &[u8]) {
    if text.len() < difference.len() {
        text.resize(difference.len(), b' ');
    }
    text.iter_mut().zip(difference).for_each(|(character, &d)| apply(character, d));
}

/// A whole number of at most 18 digits.
fn integer(digits: &[u8]) -> Option<i64> {
    let (negative, digits) = match digits {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0i64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some(if negative { -value } else { value })
}

/// Number of values of [`sat_index`].
pub(crate) const SAT_INDICES: usize = 8 * 256;

/// A small number for each satellite.
pub(crate) fn sat_index(sat: Sat) -> usize {
    (sat.constellation as usize % 8) * 256 + usize::from(sat.prn)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The sequences of the format's description: an arc of order 3.
    #[test]
    fn differences_are_summed() {
        let values = [1000i64, 1010, 1030, 1070, 1100, 900, 901];
        let mut arc = Arc::default();
        for (i, &value) in values.iter().enumerate() {
            // The difference of order min(i, 3), from the values themselves.
            let mut d = values.get(i.saturating_sub(3)..=i).unwrap().to_vec();
            while d.len() > 1 {
                d = d.windows(2).map(|w| w[1] - w[0]).collect();
            }
            let field = if i == 0 { format!("3&{value}") } else { d[0].to_string() };
            assert_eq!(arc.next(field.as_bytes()), Some(value));
        }
        assert_eq!(arc.next(b"1x"), None);
        assert_eq!(arc.next(b"1"), None, "the arc is broken");
        assert_eq!(arc.next(b"0&-7"), Some(-7));
        assert_eq!(arc.next(b"9"), Some(9), "order 0 sends values");
    }

    #[test]
    fn texts_change_by_character() {
        let mut text = b"ab d".to_vec();
        repair(&mut text, b" &c  e");
        assert_eq!(text, b"a cd e");
    }

    #[test]
    fn a_satellite_that_was_away_starts_anew() {
        let mut c = Crinex::new(3);
        let mut cells = Vec::new();
        c.take_head(b"> 2020", false);
        assert!(c.row(b"3&5000  17", Sat::bds(5), 2, &mut cells));
        c.take_head(b"", false);
        assert!(c.row(b"10", Sat::bds(5), 2, &mut cells));
        c.take_head(b"", false);
        c.take_head(b"", false);
        assert!(!c.row(b"10", Sat::bds(5), 2, &mut cells));
        let values: Vec<_> = cells.iter().map(|c| (c.value, c.lli)).collect();
        assert_eq!(values[0], (5.0, b'1'));
        assert_eq!(values[2], (5.01, b'1'));
        assert!(values[4].0.is_nan());
        assert_eq!(values[4].1, b' ');
    }
}
