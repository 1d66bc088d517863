//! Frame error rate of the LDPC codes against Eb/N0, and time per frame:
//! `cargo run --release -p megrez-nav --example ldpc_curve [frames] [iterations]`.

#![allow(clippy::print_stdout)]

use std::time::Instant;

use megrez_nav::ldpc::{LdpcCode, LdpcDecoder};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|a| a.parse().ok());
    let (frames, iterations) = (arguments.next().unwrap_or(2000), arguments.next().unwrap_or(50));
    for code in LdpcCode::ALL {
        println!("{code:?} ({}, {}), {iterations} iterations at most", code.length(), code.information());
        println!(
            "{:>8} {:>10} {:>10} {:>8} {:>10} {:>10}",
            "Eb/N0 dB", "FER", "undetected", "mean it", "mean us", "us/it min"
        );
        for step in 0..=10 {
            let ebn0_db = 0.4 + 0.2 * f64::from(step);
            point(code, ebn0_db, frames, iterations);
        }
        // As strong as 45 dB-Hz.
        point(code, 12.0, frames, iterations);
    }
}

fn point(code: LdpcCode, ebn0_db: f64, frames: u32, iterations: u32) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut decoder = LdpcDecoder::new(code);
    // Rate 1/2: Es/N0 is half of Eb/N0; noise of a real symbol of amplitude 1.
    let variance = 1.0 / (2.0 * 0.5 * 10f64.powf(ebn0_db / 10.0));
    let (mut errors, mut undetected, mut sum_it) = (0u32, 0u32, 0u64);
    let (mut total, mut iteration) = (0.0f64, f64::INFINITY);
    for _ in 0..frames {
        let information: Vec<u8> = (0..code.information()).map(|_| (rng.next_u32() & 63) as u8).collect();
        let word = code.encode(&information);
        let llrs: Vec<f32> = word
            .iter()
            .flat_map(|symbol| (0..6).rev().map(move |bit| symbol >> bit & 1))
            .map(|bit| {
                let noise: f64 = StandardNormal.sample(&mut rng);
                let received = 1.0 - 2.0 * f64::from(bit) + noise * variance.sqrt();
                (2.0 * received / variance) as f32
            })
            .collect();
        let start = Instant::now();
        let result = decoder.decode(&llrs, iterations);
        let taken = start.elapsed().as_secs_f64() * 1e6;
        total += taken;
        let used = result.unwrap_or(iterations);
        if used > 0 {
            iteration = iteration.min(taken / f64::from(used));
        }
        sum_it += u64::from(used);
        let wrong = decoder.symbols() != word.as_slice();
        errors += u32::from(wrong);
        undetected += u32::from(wrong && result.is_some());
    }
    let n = f64::from(frames);
    println!(
        "{ebn0_db:8.1} {:10.2e} {:10.2e} {:8.2} {:10.1} {:10.1}",
        f64::from(errors) / n,
        f64::from(undetected) / n,
        sum_it as f64 / n,
        total / n,
        iteration
    );
}
