//! The convolutional code of SBAS decoded bit by bit as symbols come.

use crate::convolution::symbols;

/// States: the latest six bits, the newest most significant.
const STATES: usize = 64;
/// Bits from the newest one to the one that is decided: nine constraint lengths, beyond which nothing is gained.
pub(super) const DELAY: usize = 63;

/// The symbols that lead into every state from its two predecessors, as signs.
const fn branches() -> [[[f32; 2]; 2]; STATES] {
    let mut out = [[[0.0; 2]; 2]; STATES];
    let mut state = 0;
    while state < STATES {
        let mut oldest = 0;
        while oldest < 2 {
            let before = (state << 1 & 63) as u8 | oldest as u8;
            let pair = symbols(before, (state >> 5) as u8);
            out[state][oldest] = [1.0 - 2.0 * pair[0] as f32, 1.0 - 2.0 * pair[1] as f32];
            oldest += 1;
        }
        state += 1;
    }
    out
}

static BRANCHES: [[[f32; 2]; 2]; STATES] = branches();

/// A decoder of a stream of symbol pairs.
#[derive(Debug, Clone)]
pub(super) struct Viterbi {
    metrics: [f32; STATES],
    /// By bit, a ring: for each state the bit that its best path lost when it entered.
    decisions: [u64; DELAY + 1],
    position: usize,
    count: usize,
}

impl Viterbi {
    pub(super) fn new() -> Self {
        Self { metrics: [0.0; STATES], decisions: [0; DELAY + 1], position: 0, count: 0 }
    }

    /// Takes the two symbols of a bit, positive for 0, and returns the bit [`DELAY`] before it.
    pub(super) fn push(&mut self, first: f32, second: f32) -> Option<u8> {
        let mut metrics = [0.0; STATES];
        let mut decisions = 0;
        for (state, (metric, branch)) in metrics.iter_mut().zip(&BRANCHES).enumerate() {
            let path = |oldest: usize| {
                let [a, b] = branch[oldest];
                self.metrics[state << 1 & 63 | oldest] + a * first + b * second
            };
            let (zero, one) = (path(0), path(1));
            *metric = zero.max(one);
            decisions |= u64::from(one > zero) << state;
        }
        let best = metrics.iter().copied().fold(f32::MIN, f32::max);
        self.metrics = metrics.map(|metric| metric - best);
        self.position = (self.position + 1) % self.decisions.len();
        self.decisions[self.position] = decisions;
        self.count += 1;
        (self.count > DELAY).then(|| self.trace())
    }

    /// The oldest bit on the best path.
    fn trace(&self) -> u8 {
        let mut state = self.metrics.iter().position(|&metric| metric == 0.0).unwrap_or(0);
        let length = self.decisions.len();
        for back in 0..DELAY {
            let decisions = self.decisions[(self.position + length - back) % length];
            state = state << 1 & 63 | (decisions >> state & 1) as usize;
        }
        (state >> 5) as u8
    }
}
