//! The block interleaver of B-CNAV1 (BDS-SIS-ICD-B1C-1.0 section 6.2.2.3): 36 rows of 48 columns, written row by
//! row and read column by column. Rows come in threes, two of subframe 2 and one of subframe 3, eleven times; the
//! last three are of subframe 2.

/// Symbols of subframes 2 and 3.
pub(crate) const INTERLEAVED: usize = 1728;
/// Coded symbols of subframe 2.
pub(crate) const SUBFRAME2: usize = 1200;
const ROWS: usize = 36;
const COLUMNS: usize = 48;

/// Where the symbol `index` of the interleaved stream belongs: in subframe 2 if below 1200, else in subframe 3
/// after these.
pub(crate) fn source(index: usize) -> usize {
    let (row, column) = (index % ROWS, index / ROWS);
    let of_subframe3 = row < 33 && row % 3 == 2;
    let row = if of_subframe3 { SUBFRAME2 / COLUMNS + row / 3 } else { row - row.min(33) / 3 };
    row * COLUMNS + column
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_has_its_place() {
        let mut seen = vec![false; INTERLEAVED];
        for index in 0..INTERLEAVED {
            seen[source(index)] = true;
        }
        assert!(seen.iter().all(|&s| s));
        // Rows 0, 1, 2 (first of subframe 3), 3, and the last.
        let first: Vec<usize> = [0, 1, 2, 3, 33, 35].map(source).into();
        assert_eq!(first, [0, 48, 1200, 96, 22 * 48, 24 * 48]);
    }
}
