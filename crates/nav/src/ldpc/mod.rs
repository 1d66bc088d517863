//! 64-ary LDPC codes of B-CNAV and PPP-B2b.
//!
//! Rate 1/2 over GF(64), each check on four symbols, each symbol in two checks; a symbol is six bits, the first
//! one most significant; the information comes first, then the parity.
//!
//! [`LdpcDecoder`] is a q-ary sum-product decoder: check nodes by Walsh-Hadamard transform, checks one after the
//! other, each using what the ones before it found. That is belief propagation without approximation, which the
//! published extended min-sum decoders approach from below. Frame error rates and times per frame:
//! `cargo run --release -p megrez-nav --example ldpc_curve`.

mod decode;
mod encode;
mod gf64;
mod matrices;

pub use decode::LdpcDecoder;

/// One of the four codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LdpcCode {
    /// (200, 100), B-CNAV1 subframe 2 (BDS-SIS-ICD-B1C-1.0 section 6.2.2.2).
    Cnav1Subframe2,
    /// (88, 44), B-CNAV1 subframe 3.
    Cnav1Subframe3,
    /// (96, 48), B-CNAV2 (BDS-SIS-ICD-B2a-1.0 section 6.2.2).
    Cnav2,
    /// (162, 81), B-CNAV3 (BDS-SIS-ICD-B2b-1.0 section 6.2.2) and PPP-B2b.
    Cnav3,
}

impl LdpcCode {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Cnav1Subframe2, Self::Cnav1Subframe3, Self::Cnav2, Self::Cnav3];

    fn rows(self) -> &'static [matrices::Row] {
        match self {
            Self::Cnav1Subframe2 => &matrices::SUBFRAME2,
            Self::Cnav1Subframe3 => &matrices::SUBFRAME3,
            Self::Cnav2 => &matrices::CNAV2,
            Self::Cnav3 => &matrices::CNAV3,
        }
    }

    /// Information symbols of a codeword, of six bits; there are as many parity symbols.
    pub fn information(self) -> usize {
        self.rows().len()
    }

    /// Symbols of a codeword, of six bits.
    pub fn length(self) -> usize {
        2 * self.rows().len()
    }

    /// Bits of a codeword.
    pub fn bits(self) -> usize {
        6 * self.length()
    }

    /// Whether `symbols` is a codeword.
    pub fn is_codeword(self, symbols: &[u8]) -> bool {
        let checks = |row: &matrices::Row| {
            row.iter().try_fold(0, |sum, &(column, element)| {
                Some(sum ^ gf64::multiply(element, *symbols.get(usize::from(column))?))
            })
        };
        symbols.len() == self.length() && self.rows().iter().all(|row| checks(row) == Some(0))
    }

    /// The codeword of [`LdpcCode::information`] symbols of six bits; missing ones count as 0.
    pub fn encode(self, information: &[u8]) -> Vec<u8> {
        encode::encode(self, information)
    }
}
