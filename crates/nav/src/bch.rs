//! BCH(15,11,1) and interleaving of the BeiDou D1 and D2 messages (BDS-SIS-ICD-B1I-3.0 section 5.1.3).
//!
//! g(x) = x^4 + x + 1, systematic. The code is perfect: every 15 bits lie within one bit of a codeword, so it
//! corrects one error and detects nothing more. Whether a correction is to be believed must be told by other
//! means; the decoder asks whether the bit it flipped was an unreliable one.

/// Parity of 11 information bits (right aligned): the remainder of x^4 times the information.
pub(crate) fn parity(info: u32) -> u32 {
    remainder((info & 0x7ff) << 4)
}

/// Remainder of 15 bits modulo g(x).
fn remainder(mut block: u32) -> u32 {
    for bit in (4..15).rev() {
        if block >> bit & 1 == 1 {
            block ^= 0b10011 << (bit - 4);
        }
    }
    block & 0xf
}

/// Bit number (0 = least significant) of the single error that leaves each syndrome; syndrome 0 is unused.
/// An error in bit k leaves x^k mod g(x).
const ERROR_BIT: [u32; 16] = [0, 0, 1, 4, 2, 8, 5, 10, 3, 14, 9, 7, 6, 13, 11, 12];

/// A block of 15 bits with its single error corrected, and the number of the bit that was flipped (0 = least
/// significant).
pub(crate) fn correct(block: u32) -> (u32, Option<u32>) {
    match remainder(block & 0x7fff) {
        0 => (block & 0x7fff, None),
        syndrome => {
            let bit = ERROR_BIT[syndrome as usize];
            ((block ^ 1 << bit) & 0x7fff, Some(bit))
        }
    }
}

/// The two blocks of a transmitted word 2 to 10: its odd and its even bits, information before parity.
pub(crate) fn deinterleave(word: u32) -> [u32; 2] {
    let mut blocks = [0; 2];
    for i in 0..15 {
        blocks[0] = blocks[0] << 1 | word >> (29 - 2 * i) & 1;
        blocks[1] = blocks[1] << 1 | word >> (28 - 2 * i) & 1;
    }
    blocks
}

/// A word in the order of the interface document: 22 information bits, parity of the first block, of the second.
pub(crate) fn join([first, second]: [u32; 2]) -> u32 {
    (first >> 4) << 19 | (second >> 4) << 8 | (first & 0xf) << 4 | second & 0xf
}

/// Opposite of [`join`].
fn split(word: u32) -> [u32; 2] {
    [(word >> 19 & 0x7ff) << 4 | word >> 4 & 0xf, (word >> 8 & 0x7ff) << 4 | word & 0xf]
}

/// A word in document order as it is transmitted: bits of the two blocks alternate.
pub(crate) fn interleave(word: u32) -> u32 {
    let [first, second] = split(word);
    (0..15).fold(0, |out, i| out << 2 | (first >> (14 - i) & 1) << 1 | second >> (14 - i) & 1)
}

/// Fills in the parity of a word of a subframe (`index` 0 is the first word, whose first 15 bits are not coded).
pub(crate) fn with_parity(index: usize, word: u32) -> u32 {
    if index == 0 {
        word & !0xf | parity(word >> 4)
    } else {
        let [first, second] = split(word);
        join([first & !0xf | parity(first >> 4), second & !0xf | parity(second >> 4)])
    }
}

/// Whether the parity of a word in document order is right.
pub(crate) fn parity_ok(index: usize, word: u32) -> bool {
    with_parity(index, word) == word
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_single_error_is_corrected() {
        for info in 0..1 << 11 {
            let code = info << 4 | parity(info);
            assert_eq!(correct(code), (code, None));
            for bit in 0..15 {
                assert_eq!(correct(code ^ 1 << bit), (code, Some(bit)));
            }
        }
    }

    proptest! {
        #[test]
        fn interleaving_round_trips(word in 0u32..1 << 30, index in 0usize..10) {
            prop_assert_eq!(join(deinterleave(interleave(word))), word);
            let coded = with_parity(index, word);
            prop_assert!(parity_ok(index, coded));
            prop_assert!(!parity_ok(index, coded ^ 1));
        }
    }
}
