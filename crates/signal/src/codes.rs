//! Code generators: Fibonacci shift registers and Weil sequences.
//!
//! Stage 1 is the input stage; at each clock, stage k moves to stage k + 1 and the sum of the feedback
//! stages enters stage 1. A chip is the output before the shift.

/// Output of a shift register of `stages` stages, `length` chips.
///
/// `init` holds stage 1 in bit 0; `feedback` and `output` are masks in the same order, and the chip is the
/// modulo-2 sum of the stages in `output`.
pub fn shift_register(stages: u32, feedback: u32, init: u32, output: u32, length: usize) -> Vec<u8> {
    let mask = (1 << stages) - 1;
    let mut state = init & mask;
    (0..length)
        .map(|_| {
            let chip = ((state & output).count_ones() & 1) as u8;
            state = ((state << 1) | ((state & feedback).count_ones() & 1)) & mask;
            chip
        })
        .collect()
}

/// Gold code of two registers of 13 stages, whose last stages are added: the first register starts from ones
/// and again after 8190 chips, one chip short of its natural period; the second starts from `second`.
///
/// The feedbacks are masks as in [`shift_register`]; `second` is written as in the interface documents, stage 1
/// first, in bit 12.
pub fn gold13(feedback_1: u32, feedback_2: u32, second: u16, length: usize) -> Vec<u8> {
    let last = stages(&[13]);
    let first = shift_register(13, feedback_1, (1 << 13) - 1, last, 8190);
    let init = u32::from(second.reverse_bits() >> 3);
    let second = shift_register(13, feedback_2, init, last, length);
    first.iter().cycle().zip(second).map(|(a, b)| a ^ b).collect()
}

/// Register 2 of B2a and B2b at the start of a period, for [`gold13`]: the same on each component but for PRN 61
/// to 63, whose values are `last`. `prn` is from 1 to 63.
pub fn register_2(prn: u8, last: [u16; 3]) -> u16 {
    let index = usize::from(prn) - 1;
    REGISTER_2.get(index).copied().unwrap_or_else(|| last[index - REGISTER_2.len()])
}

/// Register 2 of PRN 1 to 60, stage 1 first (BDS-SIS-ICD-B2a-1.0 section 5.2 for both components,
/// BDS-SIS-ICD-B2b-1.0 section 5 for PRN 6 to 58, BDS-SIS-ICD-PPP-B2b-1.0 section 5 for the others).
#[rustfmt::skip]
const REGISTER_2: [u16; 60] = [
    0b1000000100101, 0b1000000110100, 0b1000010101101, 0b1000101001111, 0b1000101010101, 0b1000110101110,
    0b1000111101110, 0b1000111111011, 0b1001100101001, 0b1001111011010, 0b1010000110101, 0b1010001000100,
    0b1010001010101, 0b1010001011011, 0b1010001011100, 0b1010010100011, 0b1010011110111, 0b1010100000001,
    0b1010100111110, 0b1010110101011, 0b1010110110001, 0b1011001010011, 0b1011001100010, 0b1011010011000,
    0b1011010110110, 0b1011011110010, 0b1011011111111, 0b1011100010010, 0b1011100111100, 0b1011110100001,
    0b1011111001000, 0b1011111010100, 0b1011111101011, 0b1011111110011, 0b1100001010001, 0b1100010010100,
    0b1100010110111, 0b1100100010001, 0b1100100011001, 0b1100110101011, 0b1100110110001, 0b1100111010010,
    0b1101001010101, 0b1101001110100, 0b1101011001011, 0b1101101010111, 0b1110000110100, 0b1110010000011,
    0b1110010001011, 0b1110010100011, 0b1110010101000, 0b1110100111011, 0b1110110010111, 0b1111001001000,
    0b1111010010100, 0b1111010011001, 0b1111011011010, 0b1111011111000, 0b1111011111111, 0b1111110110101,
];

/// Mask of the listed stages, for [`shift_register`].
pub const fn stages(list: &[u8]) -> u32 {
    let mut mask = 0;
    let mut i = 0;
    while i < list.len() {
        mask |= 1 << (list[i] - 1);
        i += 1;
    }
    mask
}

/// Legendre sequence of prime length: 1 at the quadratic residues, 0 elsewhere and at index 0.
fn legendre(prime: usize) -> Vec<u8> {
    let mut l = vec![0; prime];
    for i in 1..prime {
        l[i * i % prime] = 1;
    }
    l
}

/// Truncated Weil code: chip n = W((n + point - 1) mod prime), W(k) = L(k) xor L((k + w) mod prime).
///
/// `point` counts from 1, as the tables of the BDS interface documents do.
pub fn weil(prime: usize, w: usize, point: usize, length: usize) -> Vec<u8> {
    let l = legendre(prime);
    (0..length)
        .map(|n| {
            let k = (n + point - 1) % prime;
            l[k] ^ l[(k + w) % prime]
        })
        .collect()
}
