//! Rewrites an observation file (Hatanaka-compressed, gzip, any version) as plain RINEX 3.05:
//! `cargo run --release -p megrez-rinex --example convert -- station.crx.gz station.rnx`.

use std::fs::File;
use std::io::BufWriter;

use megrez_rinex::{ObsEpoch, ObsWriter, read_obs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(from), Some(to)) = (args.next(), args.next()) else {
        return Err("the names of two files are needed".into());
    };
    let mut reader = read_obs(from.as_ref())?;
    let mut header = reader.header().clone();
    header.version = 3.05;
    let mut writer = ObsWriter::new(BufWriter::new(File::create(to)?), &header)?;
    let mut record = ObsEpoch::default();
    while reader.read(&mut record) {
        writer.write(&record.epoch)?;
    }
    writer.finish()?;
    for warning in reader.warnings() {
        eprintln!("warning: {warning}");
    }
    Ok(())
}
