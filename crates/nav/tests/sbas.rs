//! SBAS messages through the convolutional code and a noisy channel.
//!
//! The recorded messages stand beside the project, in `../shared/icd/vectors`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use megrez_nav::{Decoder, Subframe};
use megrez_signal::{Constellation, NavMessage, Sat};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

const SAT: Sat = Sat { constellation: Constellation::Sbas, prn: 130 };

/// The code written as sums of bits: 1 + x + x^2 + x^3 + x^6 and 1 + x^2 + x^3 + x^5 + x^6.
fn convolve(bits: &[u8]) -> Vec<u8> {
    let at = |n: usize, back: usize| n.checked_sub(back).map_or(0, |n| bits[n]);
    let sum = |n: usize, taps: &[usize]| taps.iter().fold(0, |sum, &back| sum ^ at(n, back));
    (0..bits.len()).flat_map(|n| [sum(n, &[0, 1, 2, 3, 6]), sum(n, &[0, 2, 3, 5, 6])]).collect()
}

fn words(bits: &[u8]) -> Vec<u32> {
    bits.chunks(30)
        .map(|c| (0..30).fold(0, |w, i| w << 1 | u32::from(c.get(i).copied().unwrap_or(0))))
        .collect()
}

/// 226 bits with their CRC.
fn sealed(mut bits: Vec<u8>) -> Vec<u8> {
    let crc = bits.iter().fold(0u32, |state, &bit| {
        let out = (state >> 23 ^ u32::from(bit)) & 1;
        (state << 1 & 0xff_ffff) ^ if out == 1 { 0x86_4cfb } else { 0 }
    });
    bits.extend((0..24).rev().map(|i| (crc >> i & 1) as u8));
    bits
}

fn receive(message: NavMessage, bits: &[u8], skip: usize, gain: f32, sigma: f32) -> Vec<Subframe> {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut decoder = Decoder::new(SAT, message).unwrap();
    let soft = convolve(bits).into_iter().map(|bit| {
        let noise: f32 = StandardNormal.sample(&mut rng);
        gain * (1.0 - 2.0 * f32::from(bit) + sigma * noise)
    });
    (0..).zip(soft).skip(skip).filter_map(|(tag, soft)| decoder.push(soft, tag)).collect()
}

#[test]
fn recorded_messages_come_through() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/icd/vectors/sbas_l1.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} is absent", path.display());
        return;
    };
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut messages = Vec::new();
    for message in all["messages"].as_array().unwrap() {
        let digits = message["hex"].as_str().unwrap().chars().map(|c| c.to_digit(16).unwrap() as u8);
        let bits: Vec<u8> = digits.flat_map(|d| (0..4).rev().map(move |i| d >> i & 1)).take(250).collect();
        messages.push((message["type"].as_u64().unwrap() as u8, bits));
    }
    assert!(messages.len() > 10);
    let mut bits: Vec<u8> = messages.iter().flat_map(|(_, bits)| bits.clone()).collect();
    // The decoder decides some bits after the last one.
    bits.extend([0; 64]);
    // From the start or an odd symbol, either way up; noise of Eb/N0 = 5 dB.
    for (skip, gain) in [(0, 1.0), (0, -30.0), (31, 1.0)] {
        for sigma in [0.0, 0.56] {
            let got = receive(NavMessage::Sbas, &bits, skip, gain, sigma);
            let first = messages.len() - got.len();
            assert_eq!(first, usize::from(skip > 0), "{skip} {gain} {sigma}");
            for (subframe, (n, (kind, bits))) in got.iter().zip(messages.iter().enumerate().skip(first)) {
                assert_eq!((subframe.id, subframe.tag), (*kind, 500 * n as u64));
                assert_eq!((&subframe.words, subframe.tow_s), (&words(bits), None));
                assert_eq!(subframe.inverted, gain < 0.0);
            }
        }
    }
}

#[test]
fn messages_of_l5_come_through() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let preambles = [0x5u8, 0xc, 0x6, 0x9, 0x3, 0xa];
    let messages: Vec<Vec<u8>> = (0..12usize)
        .map(|n| {
            let head = (0..4).rev().map(|i| preambles[n % 6] >> i & 1);
            let kind = (0..6).rev().map(|i| (n as u8 + 30) >> i & 1);
            let data: Vec<u8> = (0..216).map(|_| (rng.next_u32() & 1) as u8).collect();
            sealed(head.chain(kind).chain(data).collect())
        })
        .collect();
    let mut bits = messages.concat();
    bits.extend([0; 64]);
    for gain in [1.0, -1.0] {
        let got = receive(NavMessage::SbasDfmc, &bits, 0, gain, 0.5);
        // The first one serves to tell that the second one is one.
        assert_eq!(got.len(), 11);
        for (subframe, (n, bits)) in got.iter().zip(messages.iter().enumerate().skip(1)) {
            assert_eq!((subframe.id, subframe.tag), (n as u8 + 30, 500 * n as u64));
            assert_eq!((&subframe.words, subframe.inverted), (&words(bits), gain < 0.0));
        }
    }
}
