//! Running sums of samples.

use num_complex::Complex;

/// Writes the running sums of `samples`, which go on from `sum`, and returns the last.
///
/// I is added to the low half of a 32-bit word and Q to its high half, wrapping; the low half borrows
/// from the high one, so a difference of two words gives I as its signed low half and, that subtracted,
/// Q as its high half. Both are exact up to 255 samples.
#[inline(always)]
pub(crate) fn running_sums(samples: &[Complex<i8>], mut sum: u32, sums: &mut [u32]) -> u32 {
    for (slot, x) in sums.iter_mut().zip(samples) {
        let word = i32::from(x.re).wrapping_add(i32::from(x.im) << 16);
        sum = sum.wrapping_add(word.cast_unsigned());
        *slot = sum;
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Level;
    use crate::arch::Available;

    fn component() -> impl Strategy<Value = i8> {
        prop_oneof![any::<i8>(), Just(i8::MIN), Just(i8::MAX), Just(0)]
    }

    proptest! {
        /// Every level against plain addition, at any length and place in memory.
        #[test]
        fn every_level_adds_up(
            x in prop::collection::vec((component(), component()), 0..300),
            skip in 0usize..40, sum in any::<u32>(), spare in 0usize..3,
        ) {
            let x: Vec<_> = x.into_iter().skip(skip).map(|(i, q)| Complex::new(i, q)).collect();
            let mut want = vec![77; x.len() + spare];
            let (mut i, mut q) = (0i64, 0i64);
            for (slot, x) in want.iter_mut().zip(&x) {
                (i, q) = (i + i64::from(x.re), q + i64::from(x.im));
                *slot = sum.wrapping_add((i + (q << 16)) as u32);
            }
            let last = if x.is_empty() { sum } else { want[x.len() - 1] };
            for level in Level::all_available() {
                let mut sums = vec![77; x.len() + spare];
                let end = Available::new(level).running_sums(&x, sum, &mut sums);
                prop_assert!(sums == want, "{level}");
                prop_assert_eq!(end, last);
            }
        }
    }

    #[test]
    fn differences_of_long_runs_are_exact() {
        for x in [Complex::new(-128i8, -128), Complex::new(127, -128), Complex::new(-128, 127)] {
            for level in Level::all_available() {
                let mut sums = [0; 255];
                let d = Available::new(level).running_sums(&[x; 255], 0, &mut sums).cast_signed();
                let i = d << 16 >> 16;
                assert_eq!(i, 255 * i32::from(x.re));
                assert_eq!((d - i) >> 16, 255 * i32::from(x.im));
            }
        }
    }
}
