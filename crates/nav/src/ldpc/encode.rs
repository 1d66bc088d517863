//! Encoder: parity symbols by the inverse of the right half of the check matrix.

use std::sync::OnceLock;

use super::{LdpcCode, gf64};

/// The parity part of the generator: row `i` gives parity symbol `i` from the information.
fn generator(code: LdpcCode) -> &'static [Vec<u8>] {
    static CACHE: [OnceLock<Vec<Vec<u8>>>; 4] = [const { OnceLock::new() }; 4];
    CACHE[code as usize].get_or_init(|| solve(code))
}

/// Gauss-Jordan elimination of the check matrix, parity columns first.
fn solve(code: LdpcCode) -> Vec<Vec<u8>> {
    let half = code.information();
    let mut rows: Vec<Vec<u8>> = code
        .rows()
        .iter()
        .map(|row| {
            let mut dense = vec![0; 2 * half];
            for &(column, element) in row {
                dense[(usize::from(column) + half) % (2 * half)] = element;
            }
            dense
        })
        .collect();
    for pivot in 0..half {
        if let Some(found) = (pivot..half).find(|&row| rows[row][pivot] != 0) {
            rows.swap(pivot, found);
        }
        let scale = gf64::inverse(rows[pivot][pivot]);
        let source: Vec<u8> = rows[pivot].iter().map(|&v| gf64::multiply(scale, v)).collect();
        for (index, row) in rows.iter_mut().enumerate() {
            let factor = row[pivot];
            if index != pivot && factor != 0 {
                for (to, &from) in row.iter_mut().zip(&source) {
                    *to ^= gf64::multiply(factor, from);
                }
            }
        }
        rows[pivot] = source;
    }
    rows.into_iter().map(|row| row[half..].to_vec()).collect()
}

pub(super) fn encode(code: LdpcCode, information: &[u8]) -> Vec<u8> {
    let mut word: Vec<u8> = information.iter().map(|&symbol| symbol & 63).collect();
    word.resize(code.information(), 0);
    let parity: Vec<u8> = generator(code)
        .iter()
        .map(|row| row.iter().zip(&word).fold(0, |sum, (&a, &b)| sum ^ gf64::multiply(a, b)))
        .collect();
    word.extend(parity);
    word
}
