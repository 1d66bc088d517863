use crate::direct::REACH;
use crate::kernel::CHUNK;
use crate::runs::Runs;

/// How chips are shaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subcarrier {
    /// Rectangular.
    None,
    /// Sine-phased square wave of one cycle a chip: the second half of each chip is inverted.
    BocSine,
}

/// One period of a code, ready to correlate with.
#[derive(Debug, Clone)]
pub struct Replica {
    /// 0 for +1 and -1 for -1, one a value, extended periodically by `CHUNK` behind.
    signs: Vec<i32>,
    /// ±1, extended periodically by `MARGIN` in front and `MARGIN + REACH` behind.
    bytes: Vec<i8>,
    /// A bit a value, set for -1, from the lowest bit on; extended periodically by `MARGIN` in front and
    /// `BITS_BEHIND` behind, and 0 from there on.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    bits: Vec<u64>,
    runs: Runs,
    len: usize,
    per_chip: usize,
}

/// Values on either side of a lane that a tap may reach.
pub(crate) const MARGIN: usize = 4;
/// Values behind the last that are read together with it in bits: those of a vector, and of the byte it begins in.
const BITS_BEHIND: usize = 64 * 8 + 64;

impl Replica {
    /// From the chips of one period: 0 becomes +1, anything else -1.
    pub fn new(chips: &[u8], subcarrier: Subcarrier) -> Self {
        let sign = |c: &u8| if *c == 0 { 1i8 } else { -1 };
        let (values, per_chip): (Vec<i8>, _) = match subcarrier {
            Subcarrier::None => (chips.iter().map(sign).collect(), 1),
            Subcarrier::BocSine => (chips.iter().flat_map(|c| [sign(c), -sign(c)]).collect(), 2),
        };
        let len = values.len();
        let extend = |before: usize, behind: usize| {
            let skip = (len - before % len.max(1)) % len.max(1);
            let all = if len == 0 { 0 } else { before + len + behind };
            values.iter().copied().cycle().skip(skip).take(all)
        };
        let signs = extend(0, CHUNK).map(|v| i32::from(v) >> 1).collect();
        let bytes: Vec<i8> = extend(MARGIN, MARGIN + REACH).collect();
        let word = |c: &[i8]| c.iter().rev().fold(0, |word, &v| word << 1 | u64::from(v < 0));
        let bits: Vec<i8> = extend(MARGIN, BITS_BEHIND).collect();
        let bits = bits.chunks(64).map(word).collect();
        let runs = Runs::new(&values);
        Self { signs, bytes, bits, runs, len, per_chip }
    }

    /// Number of values in a period: chips, or half chips of BOC.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Values a chip.
    pub(crate) fn per_chip(&self) -> usize {
        self.per_chip
    }

    /// Value `index` modulo the period.
    pub(crate) fn value(&self, index: i64) -> i8 {
        let wrapped = index.checked_rem_euclid(self.len as i64).map_or(0, |k| k as usize);
        self.bytes.get(MARGIN + wrapped).copied().unwrap_or(0)
    }

    /// One period and what follows: 0 for +1 and -1 for -1.
    pub(crate) fn signs(&self) -> &[i32] {
        &self.signs
    }

    /// Its runs of equal values.
    pub(crate) fn runs(&self) -> &Runs {
        &self.runs
    }

    /// One period as ±1, with the margins around it.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    pub(crate) fn bytes(&self) -> &[i8] {
        &self.bytes
    }

    /// The same in bits, 1 for -1.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    pub(crate) fn bits(&self) -> &[u64] {
        &self.bits
    }
}
