//! Parity of the GPS LNAV message: an extended Hamming code (32,26) that runs on from word to word
//! (IS-GPS-200 section 20.3.5.2, table 20-XIV).

/// Bits that enter D25 to D30: D29*, D30*, d1 to d24, most significant first.
const MASKS: [u32; 6] = [0x2EC_7CD2, 0x176_3E69, 0x2BB_1F34, 0x15D_8F9A, 0x1AE_C7CD, 0x22D_EA27];

/// D25 to D30 of 24 data bits `data` (before the inversion by D30*) that follow a word ending in `previous`
/// (D29* D30*).
pub(crate) fn parity(previous: u32, data: u32) -> u32 {
    let window = (previous & 3) << 24 | data & 0xff_ffff;
    MASKS.iter().fold(0, |out, mask| out << 1 | (window & mask).count_ones() & 1)
}

/// A transmitted word (30 bits) with the inversion by D30* undone in its data bits.
pub(crate) fn uninvert(previous: u32, word: u32) -> u32 {
    if previous & 1 == 1 { word ^ 0x3fff_ffc0 } else { word }
}

/// Syndrome of a transmitted word; 0 if its parity is right.
pub(crate) fn syndrome(previous: u32, word: u32) -> u32 {
    parity(previous, uninvert(previous, word) >> 6) ^ word & 0x3f
}

/// The bit (0 = D30, 29 = D1) whose inversion in a transmitted word makes its parity right, if one does.
pub(crate) fn single_error(previous: u32, word: u32) -> Option<u32> {
    let wanted = syndrome(previous, word);
    (0..30).find(|&bit| syndrome(previous, word ^ 1 << bit) == 0 && wanted != 0)
}

/// The transmitted word of 24 data bits.
pub(crate) fn transmit(previous: u32, data: u32) -> u32 {
    let word = (data & 0xff_ffff) << 6 | parity(previous, data);
    uninvert(previous, word)
}

/// `data` with its last two bits (d23, d24) chosen so that D29 and D30 are 0, as words 2 and 10 have them.
pub(crate) fn solve_tail(previous: u32, data: u32) -> u32 {
    let data = data & 0xff_fffc;
    (0..4).map(|tail| data | tail).find(|&d| parity(previous, d) & 3 == 0).unwrap_or(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_pass_and_errors_show(previous in 0u32..4, data in 0u32..1 << 24, bit in 0u32..30) {
            let word = transmit(previous, data);
            prop_assert_eq!(syndrome(previous, word), 0);
            prop_assert_eq!(uninvert(previous, word) >> 6, data);
            prop_assert!(syndrome(previous, word ^ 1 << bit) != 0);
            prop_assert_eq!(single_error(previous, word ^ 1 << bit), Some(bit));
            // An overall inversion of the stream does not show.
            prop_assert_eq!(syndrome(previous ^ 3, word ^ 0x3fff_ffff), 0);
            prop_assert_eq!(parity(previous, solve_tail(previous, data)) & 3, 0);
        }
    }
}
