//! Bit fields of messages: one definition serves decoder and encoder.
//!
//! Messages are slices of 30-bit words, right aligned in a `u32`. Bit 1 is the first bit of the first word,
//! as in the interface documents; a D2 ephemeris is its ten pages one after the other, so that bit `n` of
//! page `p` is bit `300 * (p - 1) + n`.

use std::f64::consts::PI;

use crate::EncodeError;

/// A number in a message.
#[derive(Debug)]
pub(crate) struct Field {
    name: &'static str,
    /// First bit and length of each part, most significant part first.
    parts: &'static [(u16, u8)],
    signed: bool,
    /// Value of the least significant bit.
    scale: f64,
}

/// A power of two, exact.
pub(crate) const fn pow2(exponent: i32) -> f64 {
    let mut value = 1.0;
    let mut n = exponent.abs();
    while n > 0 {
        value *= if exponent < 0 { 0.5 } else { 2.0 };
        n -= 1;
    }
    value
}

impl Field {
    /// A field without sign.
    pub(crate) const fn unsigned(name: &'static str, parts: &'static [(u16, u8)], scale: f64) -> Self {
        Self { name, parts, signed: false, scale }
    }

    /// A field in two's complement.
    pub(crate) const fn signed(name: &'static str, parts: &'static [(u16, u8)], scale: f64) -> Self {
        Self { name, parts, signed: true, scale }
    }

    fn width(&self) -> u32 {
        self.parts.iter().map(|&(_, len)| u32::from(len)).sum()
    }

    /// The integer in the field. Bits beyond the words count as 0.
    pub(crate) fn raw(&self, words: &[u32]) -> i64 {
        self.raw_at(words, 0)
    }

    /// As [`Field::raw`], for a field of a block that begins after `before` bits.
    pub(crate) fn raw_at(&self, words: &[u32], before: usize) -> i64 {
        let mut value = 0i64;
        for &(start, len) in self.parts {
            let first = before + usize::from(start) - 1;
            for bit in first..first + usize::from(len) {
                let word = words.get(bit / 30).copied().unwrap_or(0);
                value = value << 1 | i64::from(word >> (29 - bit % 30) & 1);
            }
        }
        let width = self.width();
        if self.signed && value >> (width - 1) & 1 == 1 { value - (1 << width) } else { value }
    }

    /// The value in its unit.
    pub(crate) fn get(&self, words: &[u32]) -> f64 {
        self.get_at(words, 0)
    }

    /// As [`Field::get`], in a block that begins after `before` bits.
    pub(crate) fn get_at(&self, words: &[u32], before: usize) -> f64 {
        self.raw_at(words, before) as f64 * self.scale
    }

    /// Writes an integer; excess high bits are dropped (which is what counters modulo a power of two need).
    pub(crate) fn put_raw(&self, words: &mut [u32], value: i64) {
        self.put_raw_at(words, 0, value);
    }

    /// As [`Field::put_raw`], in a block that begins after `before` bits.
    pub(crate) fn put_raw_at(&self, words: &mut [u32], before: usize, value: i64) {
        let mut left = self.width();
        for &(start, len) in self.parts {
            let first = before + usize::from(start) - 1;
            for bit in first..first + usize::from(len) {
                left -= 1;
                let mask = 1 << (29 - bit % 30);
                if let Some(word) = words.get_mut(bit / 30) {
                    *word = if value >> left & 1 == 1 { *word | mask } else { *word & !mask };
                }
            }
        }
    }

    /// Writes a value, rounded to the nearest step; an error if it does not fit.
    pub(crate) fn put(&self, words: &mut [u32], value: f64) -> Result<(), EncodeError> {
        self.put_at(words, 0, value)
    }

    /// As [`Field::put`], in a block that begins after `before` bits.
    pub(crate) fn put_at(&self, words: &mut [u32], before: usize, value: f64) -> Result<(), EncodeError> {
        let raw = (value / self.scale).round();
        let width = self.width() as i32 - i32::from(self.signed);
        let (low, high) = (if self.signed { -pow2(width) } else { 0.0 }, pow2(width) - 1.0);
        // Rounding up at the top of the range costs one step at most.
        let raw = if raw == high + 1.0 { high } else { raw };
        if !(low..=high).contains(&raw) {
            return Err(self.range(value));
        }
        self.put_raw_at(words, before, raw as i64);
        Ok(())
    }

    #[cfg(test)]
    fn put_angle(&self, words: &mut [u32], angle: f64) -> Result<(), EncodeError> {
        self.put_angle_at(words, 0, angle)
    }

    /// The error of a value that does not fit.
    pub(crate) fn range(&self, value: f64) -> EncodeError {
        EncodeError::Range { field: self.name, value }
    }

    /// Writes an angle in radians, brought to the half-open circle from -pi to pi first, in a block that begins
    /// after `before` bits.
    pub(crate) fn put_angle_at(
        &self,
        words: &mut [u32],
        before: usize,
        angle: f64,
    ) -> Result<(), EncodeError> {
        let turns = angle / (2.0 * PI);
        let wrapped = (turns - turns.round()) * 2.0 * PI;
        let half_circle = (PI / self.scale).round();
        let raw = (wrapped / self.scale).round();
        self.put_at(words, before, if raw >= half_circle { -PI } else { wrapped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPLIT: Field = Field::signed("split", &[(26, 5), (31, 7)], 0.5);

    #[test]
    fn parts_join_across_words() {
        let mut words = [0; 2];
        SPLIT.put(&mut words, -1.0).unwrap();
        assert_eq!(words, [0b11111, 0b1111110 << 23]);
        assert_eq!(SPLIT.get(&words), -1.0);
        assert!(SPLIT.put(&mut words, 1024.5).is_err());
        assert!(SPLIT.put(&mut words, f64::NAN).is_err());
        assert_eq!(pow2(-66) * pow2(66), 1.0);
    }

    proptest! {
        #[test]
        fn values_round_trip_within_half_a_step(value in -1024.0..1023.5f64, noise: [u32; 2]) {
            let mut words = noise.map(|w| w & 0x3fff_ffff);
            SPLIT.put(&mut words, value).unwrap();
            prop_assert!((SPLIT.get(&words) - value).abs() <= 0.25);
        }

        #[test]
        fn angles_round_trip(angle in -20.0..20.0f64) {
            const ANGLE: Field = Field::signed("angle", &[(3, 24)], pow2(-23) * PI);
            let mut words = [0; 1];
            ANGLE.put_angle(&mut words, angle).unwrap();
            let error = (ANGLE.get(&words) - angle) / (2.0 * PI);
            prop_assert!((error - error.round()).abs() * 2.0 * PI <= 0.5001 * pow2(-23) * PI);
        }
    }
}
