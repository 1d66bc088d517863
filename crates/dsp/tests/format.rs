//! Formats against hand-packed bytes, an obvious bit-by-bit reader, and each other.
//!
//! Trust: the expected samples of the small cases are written out from the format table; every layout is
//! read by a reference that takes one bit at a time from the description; the packer is trusted because
//! what it writes is read back to the quantised value computed here.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use megrez_dsp::Samples;
use megrez_dsp::format::{BitOrder, Code, Layout, LayoutError, Packer, SampleFormat, Unpacker};
use num_complex::Complex;
use proptest::prelude::*;

fn unpack(layout: impl Into<Layout>, bytes: &[u8]) -> Samples {
    let mut unpacker = Unpacker::new(layout, 1000).unwrap();
    let mut out = unpacker.empty();
    unpacker.unpack(bytes, &mut out);
    unpacker.finish(&mut out);
    out
}

fn real(values: &[i8]) -> Samples {
    Samples::Real(values.to_vec())
}

fn complex(values: &[(i8, i8)]) -> Samples {
    Samples::Complex(values.iter().map(|&(i, q)| Complex::new(i, q)).collect())
}

#[test]
fn common_formats_by_hand() {
    assert_eq!(unpack(SampleFormat::S1, &[0b1010_0011]), real(&[1, -1, 1, -1, -1, -1, 1, 1]));
    assert_eq!(unpack(SampleFormat::Cs1, &[0b1001_1100]), complex(&[(1, -1), (-1, 1), (1, 1), (-1, -1)]));
    assert_eq!(unpack(SampleFormat::S2, &[0b00_01_10_11]), real(&[1, 3, -3, -1]));
    assert_eq!(unpack(SampleFormat::Cs2, &[0b00_01_10_11]), complex(&[(1, 3), (-3, -1)]));
    assert_eq!(unpack(SampleFormat::S4, &[0x17, 0x8f]), real(&[1, 7, -8, -1]));
    assert_eq!(unpack(SampleFormat::Cs4, &[0x17, 0x8f]), complex(&[(1, 7), (-8, -1)]));
    assert_eq!(unpack(SampleFormat::S8, &[0, 127, 128, 255]), real(&[0, 127, -128, -1]));
    assert_eq!(unpack(SampleFormat::Cs8, &[1, 2, 254, 253]), complex(&[(1, 2), (-2, -3)]));
    assert_eq!(unpack(SampleFormat::U8, &[0, 127, 128, 255]), real(&[-128, -1, 0, 127]));
    assert_eq!(unpack(SampleFormat::Cu8, &[0, 255, 128, 129]), complex(&[(-128, 127), (0, 1)]));
}

/// ch1 = bits 7:6, code 0 -> -1, 1 -> +1, 2 -> -3, 3 -> +3.
fn nt1065(channel: usize) -> Layout {
    Layout {
        code: Code::Packed { bits: 2, map: vec![-1, 1, -3, 3] },
        channels: 4,
        channel,
        ..Layout::from(SampleFormat::S2)
    }
}

#[test]
fn channels_of_a_byte() {
    let bytes = [0b00_01_10_11, 0b11_10_01_00];
    assert_eq!(unpack(nt1065(0), &bytes), real(&[-1, 3]));
    assert_eq!(unpack(nt1065(1), &bytes), real(&[1, -3]));
    assert_eq!(unpack(nt1065(2), &bytes), real(&[-3, 1]));
    assert_eq!(unpack(nt1065(3), &bytes), real(&[3, -1]));
}

#[test]
fn bits_from_the_low_end_and_words() {
    let lsb = Layout {
        code: Code::Packed { bits: 1, map: vec![1, -1] },
        bit_order: BitOrder::LsbFirst,
        ..Layout::from(SampleFormat::S1)
    };
    assert_eq!(unpack(lsb, &[0b0000_0101]), real(&[-1, 1, -1, 1, 1, 1, 1, 1]));
    // Most significant bit of a little-endian 16-bit word first: the second byte comes first.
    let word = Layout { word_bytes: 2, ..Layout::from(SampleFormat::S4) };
    assert_eq!(unpack(word, &[0x34, 0x12]), real(&[1, 2, 3, 4]));
}

#[test]
fn sign_of_q_and_order() {
    let conjugate = |format: SampleFormat| Layout { conjugate: true, ..Layout::from(format) };
    assert_eq!(unpack(conjugate(SampleFormat::Cs8), &[1, 2, 3, 128]), complex(&[(1, -2), (3, 127)]));
    assert_eq!(unpack(conjugate(SampleFormat::Cs2), &[0b00_01_10_11]), complex(&[(1, -3), (-3, 1)]));
    let swapped = |format: SampleFormat| Layout { q_first: true, ..Layout::from(format) };
    assert_eq!(unpack(swapped(SampleFormat::Cs8), &[1, 2]), complex(&[(2, 1)]));
    assert_eq!(unpack(swapped(SampleFormat::Cs4), &[0x12]), complex(&[(2, 1)]));
    let second = Layout { channels: 2, channel: 1, ..Layout::from(SampleFormat::Cu8) };
    assert_eq!(unpack(second, &[0, 0, 129, 127, 0, 0, 130, 126]), complex(&[(1, -1), (2, -2)]));
}

#[test]
fn scaled_formats_keep_the_waveform() {
    // A ramp of amplitude 1000: scaled to a standard deviation of 24.
    let values: Vec<f32> = (0..1000).map(|k| ((k * 37) % 2001 - 1000) as f32).collect();
    let rms = (values.iter().map(|x| x * x).sum::<f32>() / values.len() as f32).sqrt();
    let expected: Vec<i8> = values.iter().map(|x| (x * 24.0 / rms).round() as i8).collect();
    let floats: Vec<u8> = values.iter().flat_map(|x| (x * 1e-5).to_le_bytes()).collect();
    let big: Vec<u8> = values.iter().flat_map(|x| x.to_be_bytes()).collect();
    let integers: Vec<u8> = values.iter().flat_map(|&x| (x as i16).to_le_bytes()).collect();
    let big_endian = Layout { code: Code::F32 { big_endian: true }, ..Layout::from(SampleFormat::F32) };
    let close = |layout: Layout, bytes: &[u8]| {
        let Samples::Real(got) = unpack(layout, bytes) else { panic!("real samples expected") };
        assert_eq!(got.len(), expected.len());
        // Rounding of ties may differ by the last bit of the gain.
        let worst = got.iter().zip(&expected).map(|(a, b)| (a - b).abs()).max().unwrap();
        assert!(worst <= 1, "{worst}");
        assert!(got.iter().zip(&expected).filter(|(a, b)| a != b).count() <= 5);
    };
    close(SampleFormat::F32.into(), &floats);
    close(SampleFormat::S16.into(), &integers);
    close(big_endian, &big);
}

#[test]
fn the_gain_follows_only_when_it_must() {
    let mut unpacker = Unpacker::new(SampleFormat::S16, 100).unwrap();
    let mut out = unpacker.empty();
    // Amplitudes of successive blocks: set, kept although 1.5 times larger, followed when 4 times larger.
    for amplitude in [1000i16, 1500, 4000] {
        let block: Vec<u8> =
            (0..100).flat_map(|k| if k % 2 == 0 { amplitude } else { -amplitude }.to_le_bytes()).collect();
        unpacker.unpack(&block, &mut out);
    }
    let Samples::Real(v) = out else { panic!("real samples expected") };
    assert_eq!([v[0], v[1], v[100], v[200]], [24, -24, 36, 24]);
}

#[test]
fn bad_floats_are_counted_and_located() {
    let values = [1.0, -1.0, f32::NAN, 1.0, 1.0, f32::INFINITY, -1.0, 1.0f32];
    let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
    let mut unpacker = Unpacker::new(SampleFormat::Cf32, 4).unwrap();
    let mut out = unpacker.empty();
    unpacker.unpack(&bytes, &mut out);
    let bad = unpacker.bad_values().unwrap();
    assert_eq!((bad.count, bad.first_sample), (2, 1));
    let Samples::Complex(v) = out else { panic!("complex samples expected") };
    assert_eq!((v[1].re, v[2].im), (0, 0));
    assert!(v[0].re > 0 && v[3].im > 0);
}

#[test]
fn what_is_left_over_is_counted() {
    for (format, bytes, samples, left) in [
        (SampleFormat::Cs8, 7, 3, 1),
        (SampleFormat::Cs16, 7, 1, 3),
        (SampleFormat::Cf32, 7, 0, 7),
        (SampleFormat::F32, 9, 2, 1),
        (SampleFormat::S8, 7, 7, 0),
        (SampleFormat::S1, 1, 8, 0),
    ] {
        let mut unpacker = Unpacker::new(format, 1000).unwrap();
        let mut out = unpacker.empty();
        unpacker.unpack(&vec![1; bytes], &mut out);
        assert_eq!(unpacker.finish(&mut out), left, "{format}");
        assert_eq!(out.len(), samples, "{format}");
    }
}

#[test]
fn impossible_layouts_are_refused() {
    let base = Layout::from(SampleFormat::S2);
    let error = |layout: Layout| Unpacker::new(layout, 10).err().unwrap();
    let map = Layout { code: Code::Packed { bits: 2, map: vec![1, 2, 3] }, ..base.clone() };
    assert_eq!(error(map).to_string(), "the map holds 3 values, but 2 bits have 4 codes");
    assert_eq!(
        error(Layout { channels: 2, channel: 2, ..base.clone() }).to_string(),
        "channel 3 of 2 does not exist"
    );
    assert_eq!(error(Layout { channels: 0, ..base.clone() }), LayoutError::Channels(0));
    assert_eq!(error(Layout { word_bytes: 3, ..base }), LayoutError::Word(3));
    assert_eq!(Code::packed(9), Err(LayoutError::Bits(9)));
}

/// Reads one bit after another as the description of [`Layout`] says.
fn reference(layout: &Layout, bytes: &[u8]) -> Vec<(i8, i8)> {
    let Code::Packed { bits, map } = &layout.code else { panic!("packed layouts only") };
    let bits = usize::from(*bits);
    let word_bits = 8 * layout.word_bytes;
    // Bit `n` of the stream.
    let bit = |n: usize| -> usize {
        let (word, at) = (n / word_bits, n % word_bits);
        let weight = if layout.bit_order == BitOrder::MsbFirst { word_bits - 1 - at } else { at };
        usize::from(bytes[word * layout.word_bytes + weight / 8] >> (weight % 8) & 1)
    };
    let component = |start: usize| -> i8 {
        let code = (0..bits).fold(0, |code, k| {
            if layout.bit_order == BitOrder::MsbFirst {
                code << 1 | bit(start + k)
            } else {
                code | bit(start + k) << k
            }
        });
        map[code]
    };
    let components = if layout.complex { 2 } else { 1 };
    let frame = bits * components * layout.channels;
    let usable = bytes.len() / layout.word_bytes * layout.word_bytes * 8;
    (0..usable / frame)
        .map(|k| {
            let start = k * frame + layout.channel * bits * components;
            let first = component(start);
            let second = if layout.complex { component(start + bits) } else { 0 };
            let (i, q) = if layout.complex && layout.q_first { (second, first) } else { (first, second) };
            (i, if layout.conjugate { -q } else { q })
        })
        .collect()
}

fn any_layout() -> impl Strategy<Value = Layout> {
    (1u8..=8, 1usize..=5, any::<[bool; 4]>(), 0u32..4, any::<u64>()).prop_flat_map(
        |(bits, channels, [complex, lsb, q_first, conjugate], word, seed)| {
            (0..channels).prop_map(move |channel| Layout {
                code: Code::Packed {
                    bits,
                    map: (0..1u64 << bits)
                        .map(|k| ((k * 2 + 1) * (seed | 1) % 255) as u8 as i8 | 1)
                        .collect(),
                },
                complex,
                channels,
                channel,
                bit_order: if lsb { BitOrder::LsbFirst } else { BitOrder::MsbFirst },
                word_bytes: 1 << word,
                q_first: q_first && complex,
                conjugate: conjugate && complex,
            })
        },
    )
}

/// Unpacks in portions of the given sizes, over and over.
fn in_portions(layout: Layout, bytes: &[u8], sizes: &[usize]) -> (Samples, usize) {
    let mut unpacker = Unpacker::new(layout, 50).unwrap();
    let mut out = unpacker.empty();
    let (mut rest, mut sizes) = (bytes, sizes.iter().cycle());
    while !rest.is_empty() {
        let (head, tail) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
        unpacker.unpack(head, &mut out);
        rest = tail;
    }
    let left = unpacker.finish(&mut out);
    (out, left)
}

proptest! {
    #[test]
    fn every_packed_layout_as_bit_by_bit(
        layout in any_layout(),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        sizes in prop::collection::vec(1usize..40, 1..8),
    ) {
        let expected = reference(&layout, &bytes);
        let got = match in_portions(layout, &bytes, &sizes).0 {
            Samples::Real(v) => v.into_iter().map(|i| (i, 0)).collect::<Vec<_>>(),
            Samples::Complex(v) => v.into_iter().map(|z| (z.re, z.im)).collect(),
        };
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn portions_do_not_matter(
        index in 0usize..SampleFormat::ALL.len(),
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        sizes in prop::collection::vec(1usize..700, 1..8),
    ) {
        let format = SampleFormat::ALL[index];
        let whole = in_portions(format.into(), &bytes, &[usize::MAX]);
        prop_assert_eq!(in_portions(format.into(), &bytes, &sizes), whole);
    }

    #[test]
    fn packer_and_unpacker_agree(
        index in 0usize..SampleFormat::ALL.len(),
        samples in prop::collection::vec((-4.0f32..4.0, -4.0f32..4.0), 1..200),
        split in 0usize..200,
    ) {
        let format = SampleFormat::ALL[index];
        let samples: Vec<Complex<f32>> = samples.iter().map(|&(re, im)| Complex::new(re, im)).collect();
        let (head, tail) = samples.split_at(split.min(samples.len()));
        let mut packer = Packer::new(format);
        let mut bytes = Vec::new();
        packer.pack(head, &mut bytes);
        packer.pack(tail, &mut bytes);
        packer.finish(&mut bytes);
        prop_assert_eq!(bytes.len(), (samples.len() * format.bits_per_sample()).div_ceil(8));
        let got: Vec<(i8, i8)> = match unpack(format, &bytes) {
            Samples::Real(v) => v.into_iter().map(|i| (i, 0)).collect(),
            Samples::Complex(v) => v.into_iter().map(|z| (z.re, z.im)).collect(),
        };
        // The step of the format, in standard deviations of the input, bounds the error of each value.
        for (sample, (i, q)) in samples.iter().zip(got) {
            let parts = [(sample.re, i), (sample.im, q)];
            for &(x, value) in parts.iter().take(if format.is_complex() { 2 } else { 1 }) {
                let value = f32::from(value);
                match format.bits() {
                    1 => prop_assert_eq!(value, if x >= 0.0 { 1.0 } else { -1.0 }),
                    2 => prop_assert_eq!(value, x.signum() * if x.abs() >= 0.98 { 3.0 } else { 1.0 }),
                    4 => prop_assert!((value - (x * 3.0).clamp(-8.0, 7.0)).abs() <= 0.5001),
                    8 if matches!(format, SampleFormat::U8 | SampleFormat::Cu8) => {
                        // Centred on 127.5: the value's own centre is half a step above it.
                        prop_assert!((value + 0.5 - x * 20.0).abs() <= 0.5001);
                    }
                    8 => prop_assert!((value - x * 20.0).abs() <= 0.5001),
                    // Scaled by a common gain: signs of what is not tiny stay.
                    _ => prop_assert!(x.abs() < 0.2 || value == 0.0 || value.signum() == x.signum()),
                }
            }
        }
    }

    #[test]
    fn packer_takes_anything(
        index in 0usize..SampleFormat::ALL.len(),
        re in any::<f32>(),
        im in any::<f32>(),
    ) {
        let mut packer = Packer::new(SampleFormat::ALL[index]);
        let mut bytes = Vec::new();
        packer.pack(&[Complex::new(re, im)], &mut bytes);
        packer.finish(&mut bytes);
        prop_assert_eq!(bytes.len(), SampleFormat::ALL[index].bits_per_sample().div_ceil(8));
    }
}
