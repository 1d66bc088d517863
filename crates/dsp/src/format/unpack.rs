use num_complex::Complex;

use super::scale::{Scaler, append};
use super::{BitOrder, Code, Layout, LayoutError};
use crate::Samples;
use crate::arch::Available;

/// Float values that were no numbers and became zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BadValues {
    /// How many components were infinite or not a number.
    pub count: u64,
    /// Index of the first sample that held one.
    pub first_sample: u64,
}

/// Turns bytes into samples, in any portions: what is left of a sample waits for the next call.
///
/// 16-bit and float input is scaled to 8 bits by a gain fixed over blocks of `block_len` samples, so that the
/// result does not depend on the portions; such samples appear a block at a time.
pub struct Unpacker {
    layout: Layout,
    kernel: Kernel,
    unit_bytes: usize,
    /// Bytes of an incomplete unit.
    carry: Vec<u8>,
    /// Whole words in stream order.
    swapped: Vec<u8>,
    /// Components of a scaled block.
    block_components: usize,
    scaler: Scaler,
    bad: BadValues,
    /// Samples decoded, scaled ones counted when read.
    decoded: u64,
}

/// Samples of scaled input that are read at a time.
const PIECE_SAMPLES: usize = 4096;

/// The loop that fits a layout.
enum Kernel {
    /// One byte a component, `offset` is xored (0x80 for offset binary).
    Bytes { offset: u8 },
    /// A table from a byte to all its components; the layout holds nothing else.
    Table { table: Box<[[i8; 8]; 256]>, components: usize },
    /// The wanted sample lies within one byte of a frame of several.
    ByteOfFrame { table: Box<[[i8; 2]; 256]>, byte: usize },
    /// Any packed layout.
    Bits { map: Box<[i8; 256]> },
    /// Scaled input.
    Scaled,
}

impl Unpacker {
    /// An unpacker of `layout` whose scaled blocks have `block_len` samples (at least 1).
    pub fn new(layout: impl Into<Layout>, block_len: usize) -> Result<Self, LayoutError> {
        let layout = layout.into();
        layout.check()?;
        let kernel = Kernel::of(&layout);
        let block_components = block_len.max(1) * layout.components();
        Ok(Self {
            unit_bytes: layout.unit_bytes(),
            kernel,
            carry: Vec::new(),
            swapped: Vec::new(),
            block_components,
            scaler: Scaler::new(Available::best()),
            bad: BadValues::default(),
            decoded: 0,
            layout,
        })
    }

    /// The layout.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// An empty buffer of the right kind.
    pub fn empty(&self) -> Samples {
        if self.layout.complex { Samples::Complex(Vec::new()) } else { Samples::Real(Vec::new()) }
    }

    /// Infinite or undefined floats met so far.
    pub fn bad_values(&self) -> Option<BadValues> {
        (self.bad.count > 0).then_some(self.bad)
    }

    /// Bytes from which at least `samples` more samples will be complete.
    pub fn bytes_for(&self, samples: usize) -> usize {
        let held = self.scaler.filled() / self.layout.components();
        (samples.saturating_sub(held).saturating_mul(self.layout.frame_bits()).div_ceil(8))
            .div_ceil(self.unit_bytes)
            .saturating_mul(self.unit_bytes)
            .saturating_sub(self.carry.len())
    }

    /// Appends the samples that `bytes` complete to `out`, which becomes the right kind if it is not.
    pub fn unpack(&mut self, mut bytes: &[u8], out: &mut Samples) {
        if self.layout.complex != matches!(out, Samples::Complex(_)) {
            *out = self.empty();
        }
        if !self.carry.is_empty() {
            let missing = (self.unit_bytes - self.carry.len()).min(bytes.len());
            let (head, rest) = bytes.split_at(missing);
            self.carry.extend_from_slice(head);
            bytes = rest;
            if self.carry.len() == self.unit_bytes {
                let mut unit = std::mem::take(&mut self.carry);
                self.units(&unit, out);
                unit.clear();
                self.carry = unit;
            }
        }
        let whole = bytes.len() / self.unit_bytes * self.unit_bytes;
        let (units, tail) = bytes.split_at(whole);
        self.units(units, out);
        self.carry.extend_from_slice(tail);
    }

    /// Appends what is complete at the end of the stream: the last frames of an incomplete unit and the
    /// last scaled block. Returns the number of bytes that make no whole sample.
    pub fn finish(&mut self, out: &mut Samples) -> usize {
        if self.layout.complex != matches!(out, Samples::Complex(_)) {
            *out = self.empty();
        }
        let carry = std::mem::take(&mut self.carry);
        // Without its other bytes the order within a word is unknown.
        let words = carry.len() / self.layout.word_bytes * self.layout.word_bytes;
        let frames = 8 * words / self.layout.frame_bits();
        let used = (frames * self.layout.frame_bits()).div_ceil(8);
        if frames > 0 {
            let mut unit = carry.clone();
            unit.resize(self.unit_bytes, 0);
            let before = out.len();
            self.units(&unit, out);
            let keep = before + frames;
            match out {
                Samples::Real(v) => v.truncate(keep),
                Samples::Complex(v) => v.truncate(keep),
            }
        }
        self.scaler.flush(self.layout.conjugate, out);
        carry.len() - used
    }

    /// Decodes whole units.
    fn units(&mut self, bytes: &[u8], out: &mut Samples) {
        let word = self.layout.word_bytes;
        if word > 1
            && self.layout.bit_order == BitOrder::MsbFirst
            && matches!(self.layout.code, Code::Packed { .. })
        {
            let mut swapped = std::mem::take(&mut self.swapped);
            swapped.clear();
            swapped.extend_from_slice(bytes);
            swapped.chunks_exact_mut(word).for_each(<[u8]>::reverse);
            self.decode(&swapped, out);
            self.swapped = swapped;
        } else {
            self.decode(bytes, out);
        }
    }

    /// Decodes units whose words are in stream order.
    fn decode(&mut self, bytes: &[u8], out: &mut Samples) {
        let start = out.len();
        match &self.kernel {
            Kernel::Bytes { offset } => unpack_bytes(bytes, *offset, &self.layout, out),
            Kernel::Table { table, components } => match components {
                1 => unpack_table::<1>(bytes, table, out),
                2 => unpack_table::<2>(bytes, table, out),
                4 => unpack_table::<4>(bytes, table, out),
                _ => unpack_table::<8>(bytes, table, out),
            },
            Kernel::ByteOfFrame { table, byte } => {
                let frames = bytes
                    .chunks_exact(self.layout.frame_bits() / 8)
                    .filter_map(|frame| frame.get(*byte))
                    .map(|&b| table[usize::from(b)]);
                match out {
                    Samples::Real(v) => v.extend(frames.map(|[i, _]| i)),
                    Samples::Complex(v) => v.extend(frames.map(|[i, q]| Complex::new(i, q))),
                }
            }
            Kernel::Bits { map } => unpack_bits(bytes, map, &self.layout, out),
            Kernel::Scaled => {
                self.scaled(bytes, out);
                return;
            }
        }
        // The bytes kernel leaves the sign of Q to this loop; tables hold it already.
        if self.layout.conjugate
            && matches!(self.kernel, Kernel::Bytes { .. } | Kernel::Bits { .. })
            && let Samples::Complex(v) = out
        {
            v.iter_mut().skip(start).for_each(|z| z.im = z.im.saturating_neg());
        }
        self.decoded += (out.len() - start) as u64;
    }

    /// Reads 16-bit and float components into the scaler.
    fn scaled(&mut self, mut bytes: &[u8], out: &mut Samples) {
        let frame_bytes = self.layout.frame_bits() / 8;
        let components = self.layout.components();
        while bytes.len() >= frame_bytes {
            let room = (self.block_components - self.scaler.filled()) / components;
            // Short enough for the nearest cache to hold what is looked at again.
            let frames = room.min(bytes.len() / frame_bytes).min(PIECE_SAMPLES);
            let (head, tail) = bytes.split_at(frames * frame_bytes);
            bytes = tail;
            match self.layout.code {
                Code::I16 { big_endian: false } => self.read(head, |b| f32::from(i16::from_le_bytes(b))),
                Code::I16 { big_endian: true } => self.read(head, |b| f32::from(i16::from_be_bytes(b))),
                Code::F32 { big_endian: true } => self.read(head, f32::from_be_bytes),
                _ => self.read(head, f32::from_le_bytes),
            }
            self.decoded += frames as u64;
            self.scaler.add_up();
            if self.scaler.filled() >= self.block_components {
                self.scaler.flush(self.layout.conjugate, out);
            }
        }
    }

    /// Reads the wanted components, of `N` bytes each, of whole frames; what is no number becomes zero.
    fn read<const N: usize>(&mut self, bytes: &[u8], value: impl Fn([u8; N]) -> f32) {
        let Self { layout, scaler, bad, decoded, block_components, .. } = self;
        let components = layout.components();
        let input = bytes.as_chunks::<N>().0;
        let new = if layout.channels == 1 && !layout.q_first {
            scaler.read(input, value, *block_components)
        } else {
            let (first, second) = layout.positions();
            let (first, second) = (first / (8 * N), second / (8 * N));
            let frames = input.chunks_exact(components * layout.channels);
            let len = frames.len() * components;
            let pick = |frame: &[[u8; N]], at: usize| frame.get(at).map_or(0.0, |&b| value(b));
            if layout.complex {
                let values = frames.flat_map(|frame| [pick(frame, first), pick(frame, second)]);
                scaler.take(values, len, *block_components)
            } else {
                scaler.take(frames.map(|frame| pick(frame, first)), len, *block_components)
            }
        };
        for (k, x) in new.into_iter().flatten().enumerate().filter(|(_, x)| !x.is_finite()) {
            *x = 0.0;
            if bad.count == 0 {
                bad.first_sample = *decoded + (k / components) as u64;
            }
            bad.count += 1;
        }
    }
}

impl Kernel {
    fn of(layout: &Layout) -> Self {
        let (bits, map) = match &layout.code {
            Code::I8 => return Self::Bytes { offset: 0 },
            Code::U8 => return Self::Bytes { offset: 0x80 },
            Code::I16 { .. } | Code::F32 { .. } => return Self::Scaled,
            Code::Packed { bits, map } => (usize::from(*bits), map),
        };
        let mut full = Box::new([0i8; 256]);
        full.iter_mut().zip(map).for_each(|(slot, &value)| *slot = value);
        let frame = layout.frame_bits();
        let (first, second) = layout.positions();
        let msb = layout.bit_order == BitOrder::MsbFirst;
        let sign = |value: i8| if layout.conjugate { value.saturating_neg() } else { value };
        let code = |byte: usize, at: usize| -> i8 {
            let shift = if msb { 8 - bits - at } else { at };
            full[(byte >> shift) & ((1 << bits) - 1)]
        };
        if 8 % frame == 0 {
            let mut table = Box::new([[0i8; 8]; 256]);
            let components = 8 / frame * layout.components();
            for (byte, row) in table.iter_mut().enumerate() {
                let values = (0..8 / frame).flat_map(|k| {
                    let i = code(byte, k * frame + first);
                    let q = layout.complex.then(|| sign(code(byte, k * frame + second)));
                    std::iter::once(i).chain(q)
                });
                row.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
            }
            return Self::Table { table, components };
        }
        let byte = first / 8;
        if frame.is_multiple_of(8)
            && (first + bits - 1) / 8 == byte
            && second / 8 == byte
            && (second + bits - 1) / 8 == byte
        {
            let mut table = Box::new([[0i8; 2]; 256]);
            for (value, row) in table.iter_mut().enumerate() {
                *row = [code(value, first % 8), sign(code(value, second % 8))];
            }
            return Self::ByteOfFrame { table, byte };
        }
        Self::Bits { map: full }
    }
}

/// One byte a component.
fn unpack_bytes(bytes: &[u8], offset: u8, layout: &Layout, out: &mut Samples) {
    let value = |b: u8| (b ^ offset).cast_signed();
    if layout.channels == 1 && !layout.q_first {
        append(out, bytes.len()).iter_mut().zip(bytes).for_each(|(slot, &b)| *slot = value(b));
        return;
    }
    let (first, second) = layout.positions();
    let (first, second) = (first / 8, second / 8);
    let frames = bytes.chunks_exact(layout.components() * layout.channels);
    match out {
        Samples::Real(v) => v.extend(frames.map(|frame| value(frame[first]))),
        Samples::Complex(v) => {
            v.extend(frames.map(|frame| Complex::new(value(frame[first]), value(frame[second]))));
        }
    }
}

/// `N` components in every byte.
fn unpack_table<const N: usize>(bytes: &[u8], table: &[[i8; 8]; 256], out: &mut Samples) {
    let new = append(out, N * bytes.len()).as_chunks_mut::<N>().0;
    for (slot, &byte) in new.iter_mut().zip(bytes) {
        if let Some(row) = table[usize::from(byte)].first_chunk() {
            *slot = *row;
        }
    }
}

/// Any packed layout, a component at a time.
fn unpack_bits(bytes: &[u8], map: &[i8; 256], layout: &Layout, out: &mut Samples) {
    let bits = layout.code.bits();
    let mask = (1usize << bits) - 1;
    let msb = layout.bit_order == BitOrder::MsbFirst;
    let component = |at: usize| -> i8 {
        let byte = |k: usize| bytes.get(k).map_or(0, |&b| usize::from(b));
        let (low, shift) = (at / 8, at % 8);
        let code = if msb {
            ((byte(low) << 8) | byte(low + 1)) >> (16 - bits - shift)
        } else {
            (byte(low) | (byte(low + 1) << 8)) >> shift
        };
        map[code & mask]
    };
    let (first, second) = layout.positions();
    let frame = layout.frame_bits();
    let frames = 8 * bytes.len() / frame;
    match out {
        Samples::Real(v) => v.extend((0..frames).map(|k| component(k * frame + first))),
        Samples::Complex(v) => v.extend(
            (0..frames).map(|k| Complex::new(component(k * frame + first), component(k * frame + second))),
        ),
    }
}
