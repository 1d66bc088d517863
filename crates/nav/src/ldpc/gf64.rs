//! The field of 64 elements, x^6 + x + 1.

/// Powers of x, then the logarithms that undo them.
const fn tables() -> ([u8; 63], [u8; 64]) {
    let (mut exp, mut log) = ([0; 63], [0; 64]);
    let (mut value, mut power) = (1u8, 0);
    while power < 63 {
        exp[power] = value;
        log[value as usize] = power as u8;
        value <<= 1;
        if value & 64 != 0 {
            value ^= 0x43;
        }
        power += 1;
    }
    (exp, log)
}

/// Products of all pairs, and inverses (0 of 0).
const fn products() -> ([[u8; 64]; 64], [u8; 64]) {
    let (exp, log) = tables();
    let (mut product, mut inverse) = ([[0; 64]; 64], [0; 64]);
    let mut a = 1;
    while a < 64 {
        inverse[a] = exp[(63 - log[a] as usize) % 63];
        let mut b = 1;
        while b < 64 {
            product[a][b] = exp[(log[a] as usize + log[b] as usize) % 63];
            b += 1;
        }
        a += 1;
    }
    (product, inverse)
}

/// `PRODUCT[a][b]` is `a * b`.
pub(super) static PRODUCT: [[u8; 64]; 64] = products().0;
static INVERSE: [u8; 64] = products().1;

/// The product of two elements; bits above the sixth are ignored.
pub(super) fn multiply(a: u8, b: u8) -> u8 {
    PRODUCT[usize::from(a & 63)][usize::from(b & 63)]
}

/// The inverse of an element; 0 of 0.
pub(super) fn inverse(a: u8) -> u8 {
    INVERSE[usize::from(a & 63)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_polynomials() {
        for a in 0..64u8 {
            for b in 0..64u8 {
                // Long multiplication and reduction.
                let mut wide =
                    (0..6).filter(|i| b >> i & 1 == 1).fold(0u16, |sum, i| sum ^ u16::from(a) << i);
                for i in (6..11).rev() {
                    if wide >> i & 1 == 1 {
                        wide ^= 0x43 << (i - 6);
                    }
                }
                assert_eq!(u16::from(multiply(a, b)), wide, "{a} {b}");
            }
            assert_eq!(multiply(a, inverse(a)), u8::from(a != 0));
        }
    }
}
