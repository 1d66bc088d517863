//! Seconds from the first symbol to the first ephemeris with its time, over all instants at which a reception may
//! begin: `cargo run --release -p megrez-nav --example first_ephemeris [dB-Hz]`.

#![allow(clippy::print_stdout, clippy::expect_used)]

#[path = "../tests/first/mod.rs"]
mod first;

fn main() {
    let cn0_dbhz = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(45.0);
    println!("{:12} {:>6} {:>6} {:>6} {:>6}  at {cn0_dbhz} dB-Hz", "", "least", "mean", "90 %", "most");
    for case in first::CASES {
        let waits = case.waits_s(cn0_dbhz, 0.25);
        let mean = waits.iter().sum::<f64>() / waits.len() as f64;
        let at = |share: f64| waits[((waits.len() - 1) as f64 * share).round() as usize];
        println!("{:12} {:6.1} {:6.1} {:6.1} {:6.1}", case.name, at(0.0), mean, at(0.9), at(1.0));
    }
}
