//! Positions from a recording, as a terminal maker would link the receiver.
//!
//! `cargo run --release --example receive -- capture.cs8 4M 1575.42M`

use std::error::Error;

use megrez::prelude::*;
use megrez_source::{InputOptions, Source, open, parse_quantity};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, rate, center] = arguments.as_slice() else {
        return Err("usage: receive FILE RATE CENTER".into());
    };
    let options = InputOptions {
        rate_hz: parse_quantity(rate),
        center_hz: parse_quantity(center),
        ..InputOptions::default()
    };
    let mut source = open(file, &options)?;
    let mut receiver = Receiver::builder(source.info().clone()).build()?;
    while let Some(block) = source.next_block()? {
        for event in receiver.push(&block) {
            if let Event::Solution(fix) = event {
                let at = fix.geodetic();
                println!("{:.7} {:.7} {:.2}", at.lat_deg, at.lon_deg, at.height_m);
            }
        }
        source.recycle(block);
    }
    eprint!("{}", receiver.diagnose());
    Ok(())
}
