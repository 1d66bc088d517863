//! BCH(21,6) and BCH(51,8) of B-CNAV1 subframe 1: satellite and frame of the hour (BDS-SIS-ICD-B1C-1.0 section
//! 6.2.2.1). Both are maximal-length registers started with the information.

/// Symbols of subframe 1.
pub(crate) const SUBFRAME1: usize = 72;
/// Symbols of its first part.
pub(crate) const PRN_SYMBOLS: usize = 21;
/// Frames of an hour.
pub(crate) const FRAMES: u8 = 200;

/// `len` symbols, the first one most significant, of a recurrence that starts with `order` bits: each symbol is
/// the sum of those that `taps` says, counted from `order` symbols before it.
fn register(start: u64, order: u32, taps: &[u32], len: u32) -> u64 {
    (order..len).fold(start, |word, n| {
        let at = |i: u32| word >> (n - 1 - i) & 1;
        let next = taps.iter().fold(0, |sum, &tap| sum ^ at(n - order + tap));
        word << 1 | next
    })
}

/// The 21 symbols of a satellite number of six bits.
pub(crate) fn prn_word(prn: u8) -> u64 {
    register(u64::from(prn & 63), 6, &[0, 1, 2, 4], 21)
}

/// The 51 symbols of a frame of the hour.
pub(crate) fn soh_word(soh: u8) -> u64 {
    register(u64::from(soh), 8, &[0, 1, 2, 3, 4, 7], 51)
}

/// The frame of the hour that 72 symbols right aligned say, if they are subframe 1 of a satellite.
pub(crate) fn read(prn: u8, symbols: u128) -> Option<u8> {
    (0..FRAMES).find(|&soh| subframe1(prn, soh) == symbols)
}

/// The 72 symbols of subframe 1.
pub(crate) fn subframe1(prn: u8, soh: u8) -> u128 {
    u128::from(prn_word(prn)) << (SUBFRAME1 - PRN_SYMBOLS) | u128::from(soh_word(soh))
}
