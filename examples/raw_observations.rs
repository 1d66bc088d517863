//! Observations of a simulated recording, as a timing terminal or a reference station would use them.
//!
//! `cargo run --release --example raw_observations`

use std::error::Error;

use megrez::dsp::Unpacker;
use megrez::prelude::*;
use megrez_sim::{Scene, Simulation};

fn main() -> Result<(), Box<dyn Error>> {
    let scene = Scene { duration_s: 35.0, signals: vec![SignalId::B1I], ..Scene::default() };
    let simulation = Simulation::new(scene)?;
    let info = simulation.info();
    let mut receiver = Receiver::builder(info.clone()).build()?;
    let mut unpacker = Unpacker::new(simulation.format(), info.block_len())?;
    let mut first_sample = 0;
    for bytes in simulation.packed_blocks() {
        let mut samples = unpacker.empty();
        unpacker.unpack(&bytes, &mut samples);
        let block = SampleBlock { first_sample, samples };
        first_sample += block.samples.len() as u64;
        for event in receiver.push(&block) {
            let Event::Observations { epoch, .. } = event else { continue };
            for o in &epoch.observations {
                println!(
                    "{} {} pseudorange {:.3} m, Doppler {:+.2} Hz, {:.1} dB-Hz",
                    o.sat,
                    o.code.name(o.sat.constellation),
                    o.pseudorange_m.unwrap_or(f64::NAN),
                    o.doppler_hz.unwrap_or(f64::NAN),
                    o.cn0_dbhz.unwrap_or(f64::NAN)
                );
            }
        }
    }
    Ok(())
}
