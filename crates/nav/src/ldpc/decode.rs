//! Sum-product decoder.

use super::LdpcCode;
use super::gf64::{self, PRODUCT};

/// Probabilities of the 64 values of a symbol.
type Distribution = [f32; 64];

/// Least probability of a value that a check hands on: below that the transforms of `f32` hold only rounding.
const FLOOR: f32 = 1e-8;
/// Log-likelihood ratios are limited to this.
const MAX_LLR: f32 = 25.0;

/// Soft decoder of one code. All memory is taken when it is made.
#[derive(Debug, Clone)]
pub struct LdpcDecoder {
    code: LdpcCode,
    /// What the channel says of each symbol.
    channel: Vec<Distribution>,
    /// What each check says of each of its four symbols.
    messages: Vec<[Distribution; 4]>,
    /// By check and edge: the symbol's other check and the edge there.
    partner: Vec<[(usize, usize); 4]>,
    /// By symbol: its two checks and edges.
    edges: Vec<[(usize, usize); 2]>,
    symbols: Vec<u8>,
}

impl LdpcDecoder {
    /// A decoder for `code`.
    pub fn new(code: LdpcCode) -> Self {
        let mut edges = vec![[(0, 0); 2]; code.length()];
        let mut seen = vec![0; code.length()];
        for (check, row) in code.rows().iter().enumerate() {
            for (edge, &(column, _)) in row.iter().enumerate() {
                let column = usize::from(column);
                edges[column][seen[column]] = (check, edge);
                seen[column] += 1;
            }
        }
        let partner = code
            .rows()
            .iter()
            .enumerate()
            .map(|(check, row)| {
                std::array::from_fn(|edge| {
                    let [first, second] = edges[usize::from(row[edge].0)];
                    if first == (check, edge) { second } else { first }
                })
            })
            .collect();
        Self {
            code,
            channel: vec![[0.0; 64]; code.length()],
            messages: vec![[[0.0; 64]; 4]; code.information()],
            partner,
            edges,
            symbols: vec![0; code.length()],
        }
    }

    /// The code.
    pub fn code(&self) -> LdpcCode {
        self.code
    }

    /// Decodes the log-likelihood ratios ln(P(0) / P(1)) of all bits of a codeword, first bit first; 0 is an
    /// erasure. Returns the iterations taken (0 if the hard decisions were a codeword), or none if there was no
    /// codeword after `max_iterations`. The result is in [`LdpcDecoder::symbols`] either way.
    pub fn decode(&mut self, llrs: &[f32], max_iterations: u32) -> Option<u32> {
        for (index, channel) in self.channel.iter_mut().enumerate() {
            let bits = llrs.get(6 * index..6 * index + 6).unwrap_or(&[]);
            *channel = distribution(bits);
            self.symbols[index] = largest(channel);
        }
        if self.code.is_codeword(&self.symbols) {
            return Some(0);
        }
        for message in self.messages.iter_mut().flatten() {
            *message = [1.0 / 64.0; 64];
        }
        for iteration in 1..=max_iterations {
            self.iterate();
            self.decide();
            if self.code.is_codeword(&self.symbols) {
                return Some(iteration);
            }
        }
        None
    }

    /// The symbols of the codeword decoded last, six bits each; the information comes first.
    pub fn symbols(&self) -> &[u8] {
        &self.symbols
    }

    /// Every check once.
    fn iterate(&mut self) {
        for (check, row) in self.code.rows().iter().enumerate() {
            // By value of element times symbol, the four symbols side by side.
            let mut lanes = [[0.0f32; 4]; 64];
            for (edge, &(column, element)) in row.iter().enumerate() {
                let (other, other_edge) = self.partner[check][edge];
                let belief = product(&self.channel[usize::from(column)], &self.messages[other][other_edge]);
                let scale = 1.0 / belief.iter().sum::<f32>().max(f32::MIN_POSITIVE);
                let back = &PRODUCT[usize::from(gf64::inverse(element))];
                for (lane, &value) in lanes.iter_mut().zip(back) {
                    lane[edge] = belief[usize::from(value & 63)] * scale;
                }
            }
            transform(&mut lanes);
            for [a, b, c, d] in &mut lanes {
                let (ab, cd) = (*a * *b, *c * *d);
                (*a, *b, *c, *d) = (*b * cd, *a * cd, *d * ab, *c * ab);
            }
            transform(&mut lanes);
            for (edge, &(_, element)) in row.iter().enumerate() {
                let forth = &PRODUCT[usize::from(element & 63)];
                let message = &mut self.messages[check][edge];
                for (to, &value) in message.iter_mut().zip(forth) {
                    *to = (lanes[usize::from(value & 63)][edge] * (1.0 / 64.0)).max(FLOOR);
                }
            }
        }
    }

    /// Hard decisions from everything known.
    fn decide(&mut self) {
        for ((symbol, channel), [a, b]) in self.symbols.iter_mut().zip(&self.channel).zip(&self.edges) {
            let checks = product(&self.messages[a.0][a.1], &self.messages[b.0][b.1]);
            *symbol = largest(&product(channel, &checks));
        }
    }
}

/// The distribution of a symbol of independent bits, first bit most significant.
fn distribution(llrs: &[f32]) -> Distribution {
    let mut out = [1.0; 64];
    let mut filled = 1;
    for bit in 0..6 {
        let llr = llrs.get(bit).copied().unwrap_or(0.0).clamp(-MAX_LLR, MAX_LLR);
        let one = 1.0 / (1.0 + llr.exp());
        for index in (0..filled).rev() {
            let joint = out[index];
            out[2 * index + 1] = joint * one;
            out[2 * index] = joint * (1.0 - one).max(1e-11);
        }
        filled *= 2;
    }
    out
}

fn product(a: &Distribution, b: &Distribution) -> Distribution {
    std::array::from_fn(|i| a[i] * b[i])
}

/// The most probable value.
fn largest(distribution: &Distribution) -> u8 {
    let (mut best, mut at) = (distribution[0], 0);
    for (index, &value) in distribution.iter().enumerate() {
        if value > best {
            (best, at) = (value, index);
        }
    }
    at as u8
}

/// Walsh-Hadamard transform of four vectors side by side; its own inverse but for a factor of 64.
fn transform(lanes: &mut [[f32; 4]; 64]) {
    let mut half = 1;
    while half < 64 {
        for block in lanes.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                for lane in 0..4 {
                    (a[lane], b[lane]) = (a[lane] + b[lane], a[lane] - b[lane]);
                }
            }
        }
        half *= 2;
    }
}
