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
