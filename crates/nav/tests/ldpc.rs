//! The LDPC codes: check matrices and decoder.
//!
//! That the parity is the right one is shown on frames in `cnav_vectors.rs`; the matrices are compared here with
//! those beside the project, in `../shared/icd/nav`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use megrez_nav::ldpc::{LdpcCode, LdpcDecoder};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

fn random_word(code: LdpcCode, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let information: Vec<u8> = (0..code.information()).map(|_| (rng.next_u32() & 63) as u8).collect();
    let word = code.encode(&information);
    assert_eq!(word[..code.information()], information);
    word
}

/// Signs of the bits, 1 for 0.
fn levels(word: &[u8]) -> Vec<f32> {
    let bits = word.iter().flat_map(|symbol| (0..6).rev().map(move |bit| symbol >> bit & 1));
    bits.map(|bit| 1.0 - 2.0 * f32::from(bit)).collect()
}

#[test]
fn codewords_satisfy_the_published_checks_and_others_do_not() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/icd/nav/bds_ldpc_gf64.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} is absent", path.display());
        return;
    };
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    // The product of two elements by long multiplication modulo x^6 + x + 1.
    let multiply = |a: u64, b: u64| {
        let wide = (0..6).filter(|i| b >> i & 1 == 1).fold(0, |sum, i| sum ^ a << i);
        (6..11).rev().fold(wide, |wide, i| if wide >> i & 1 == 1 { wide ^ 0x43 << (i - 6) } else { wide })
    };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (code, name) in LdpcCode::ALL.into_iter().zip(["BCNV1_SF2", "BCNV1_SF3", "BCNV2", "BCNV3"]) {
        let matrix = &all["codes"][name];
        let rows = |key: &str| matrix[key].as_array().unwrap().clone();
        for _ in 0..20 {
            let mut word = random_word(code, &mut rng);
            assert!(code.is_codeword(&word));
            for (columns, elements) in rows("idx").iter().zip(rows("ele")) {
                let terms = columns.as_array().unwrap().iter().zip(elements.as_array().unwrap());
                let sum = terms.fold(0, |sum, (column, element)| {
                    sum ^ multiply(element.as_u64().unwrap(), word[column.as_u64().unwrap() as usize].into())
                });
                assert_eq!(sum, 0, "{name}");
            }
            let at = rng.next_u32() as usize % word.len();
            word[at] ^= 1 << (rng.next_u32() % 6);
            assert!(!code.is_codeword(&word));
        }
        assert!(!code.is_codeword(&[]));
    }
}

#[test]
fn erased_symbols_are_filled_in() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for code in LdpcCode::ALL {
        let mut decoder = LdpcDecoder::new(code);
        for _ in 0..20 {
            let word = random_word(code, &mut rng);
            // Three in ten bits erased.
            let llrs: Vec<f32> =
                levels(&word).iter().map(|s| if rng.next_u32() % 10 < 3 { 0.0 } else { 8.0 * s }).collect();
            assert!(decoder.decode(&llrs, 50).is_some(), "{code:?}");
            assert_eq!(decoder.symbols(), word);
        }
    }
}

#[test]
fn frames_come_through_noise_where_belief_propagation_passes_them() {
    // Least share of 200 frames; the curve of the example has 99.9, 98.4, 98.5 and 99.9 % there.
    let cases = [0.985, 0.95, 0.95, 0.985];
    for (code, least) in LdpcCode::ALL.into_iter().zip(cases) {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut decoder = LdpcDecoder::new(code);
        let variance = 10f32.powf(-1.6 / 10.0);
        let right = (0..200)
            .filter(|_| {
                let word = random_word(code, &mut rng);
                let noisy = levels(&word).into_iter().map(|level| {
                    let noise: f32 = StandardNormal.sample(&mut rng);
                    2.0 * (level + noise * variance.sqrt()) / variance
                });
                let llrs: Vec<f32> = noisy.collect();
                decoder.decode(&llrs, 50).is_some() && decoder.symbols() == word
            })
            .count();
        assert!(right as f32 >= 200.0 * least, "{code:?}: {right} of 200");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_input_is_survived(
        llrs in prop::collection::vec(prop::num::f32::ANY, 0..1300),
        information in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        for code in LdpcCode::ALL {
            let mut decoder = LdpcDecoder::new(code);
            if decoder.decode(&llrs, 3).is_some() {
                prop_assert!(code.is_codeword(decoder.symbols()));
            }
            prop_assert_eq!(decoder.symbols().len(), code.length());
            prop_assert!(code.is_codeword(&code.encode(&information)));
        }
    }
}
