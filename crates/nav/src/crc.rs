//! CRC-24Q, x^24 + x^23 + x^18 + x^17 + x^14 + x^11 + x^10 + x^7 + x^6 + x^5 + x^4 + x^3 + x + 1
//! (BDS-SIS-ICD-B1C-1.0 section 6.1.2, RTCA DO-229 section A.4.3.3), and messages as 30-bit words.

/// The bit `index`, from 0, of words of 30 bits; 0 beyond them.
pub(crate) fn bit(words: &[u32], index: usize) -> u32 {
    words.get(index / 30).map_or(0, |word| word >> (29 - index % 30) & 1)
}

/// Remainder of the first `len` bits.
fn remainder(words: &[u32], len: usize) -> u32 {
    (0..len).fold(0, |state, index| {
        let out = (state >> 23 ^ bit(words, index)) & 1;
        (state << 1 & 0xff_ffff) ^ if out == 1 { 0x86_4cfb } else { 0 }
    })
}

/// Whether the last 24 of `len` bits are the CRC of those before. Nothing but zeros, which would be one by itself,
/// is not: no message is like that, but erasures decode to it.
pub(crate) fn holds(words: &[u32], len: usize) -> bool {
    remainder(words, len) == 0 && words.iter().any(|&word| word != 0)
}

/// Writes the CRC into the last 24 of `len` bits.
pub(crate) fn write(words: &mut [u32], len: usize) {
    let crc = remainder(words, len - 24);
    for (index, shift) in (len - 24..len).zip((0..24).rev()) {
        if let Some(word) = words.get_mut(index / 30) {
            let mask = 1 << (29 - index % 30);
            *word = if crc >> shift & 1 == 1 { *word | mask } else { *word & !mask };
        }
    }
}

/// Symbols of six bits as words, five a word, the last one filled up with zeros.
pub(crate) fn words(symbols: &[u8]) -> Vec<u32> {
    let word = |chunk: &[u8]| {
        (0..5).fold(0, |word, i| word << 6 | u32::from(chunk.get(i).copied().unwrap_or(0) & 63))
    };
    symbols.chunks(5).map(word).collect()
}

/// The first `bits` bits of words of 32 bits as words of 30; none if they are fewer.
pub(crate) fn from_32_bits(words: &[u32], bits: usize) -> Option<Vec<u32>> {
    let at = |index: usize| words.get(index / 32).map_or(0, |word| word >> (31 - index % 32) & 1);
    let inside = |index: usize| if index < bits { at(index) } else { 0 };
    let word = |n: usize| (30 * n..30 * n + 30).fold(0, |word, index| word << 1 | inside(index));
    (32 * words.len() >= bits).then(|| (0..bits.div_ceil(30)).map(word).collect())
}

/// The first `count` symbols of six bits in words.
pub(crate) fn symbols(words: &[u32], count: usize) -> Vec<u8> {
    let symbol = |i: usize| words.get(i / 5).map_or(0, |word| (word >> (24 - 6 * (i % 5)) & 63) as u8);
    (0..count).map(symbol).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remainder_of_a_known_text() {
        // CRC-24Q without start value of "123456789" (the check value of CRC-24/LTE-A, whose polynomial it is).
        let bytes = b"123456789";
        let bits: Vec<u32> =
            bytes.iter().flat_map(|b| (0..8).rev().map(move |i| u32::from(b >> i & 1))).collect();
        let packed: Vec<u32> = bits
            .chunks(30)
            .map(|c| (0..30).fold(0, |w, i| w << 1 | c.get(i).copied().unwrap_or(0)))
            .collect();
        assert_eq!(remainder(&packed, 72), 0xcd_e703);
        let mut with = packed.clone();
        with.resize(4, 0);
        write(&mut with, 96);
        assert!(holds(&with, 96));
        with[1] ^= 1 << 7;
        assert!(!holds(&with, 96) && !holds(&[0; 4], 96));
    }

    #[test]
    fn symbols_and_words_go_both_ways() {
        let all: Vec<u8> = (0..44).map(|i| (i * 7 % 64) as u8).collect();
        let packed = words(&all);
        assert_eq!((packed.len(), packed[0] >> 24, packed[8] & 0x3f), (9, 0, 0));
        assert_eq!(symbols(&packed, 44), all);
    }
}
