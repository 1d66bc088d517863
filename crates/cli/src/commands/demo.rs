//! `megrez demo`: simulate, receive, compare. Needs no input.

use std::io::Write;

use megrez::dsp::SampleFormat;
use megrez::prelude::*;
use megrez_sim::{Cn0, FrontEnd, Satellites, Scene, Simulation};
use megrez_source::{InputOptions, ReadSource, Resolved, Source};

use crate::args::DemoArgs;
use crate::commands::run::{Session, print_fix, satellites};
use crate::error::CliError;
use crate::progress;
use crate::truth::Truth;

const SIGNALS: [SignalId; 2] = [SignalId::B1I, SignalId::L1CA];
/// Holds B1I and L1 C/A with their main lobes.
const RATE_HZ: f64 = 18e6;
const CENTER_HZ: f64 = 1_568.0e6;
/// Making signals takes most of the time, so the low satellites are left out.
const ELEVATION_MASK_DEG: f64 = 25.0;

pub fn run(args: &DemoArgs) -> Result<bool, CliError> {
    let scene = Scene {
        duration_s: args.duration,
        seed: args.seed,
        signals: SIGNALS.to_vec(),
        satellites: Satellites { elevation_mask_deg: ELEVATION_MASK_DEG, ..Satellites::default() },
        cn0: Cn0 { zenith_dbhz: Some(48.0), horizon_dbhz: Some(38.0), ..Cn0::default() },
        front_end: FrontEnd {
            sample_rate_hz: Some(RATE_HZ),
            center_hz: Some(CENTER_HZ),
            format: SampleFormat::Cs8,
            ..FrontEnd::default()
        },
        ..Scene::default()
    };
    let place = scene.place().ok_or_else(|| CliError::new("the demo's scene has no fixed place"))?;
    let simulation = Simulation::new(scene)?;
    let info = simulation.info();
    eprintln!(
        "{:.0} s of BeiDou B1I and GPS L1 C/A, made and received at {} Msps around {:.3} MHz",
        args.duration,
        info.sample_rate_hz / 1e6,
        info.center_hz / 1e6
    );
    let receiver = Receiver::builder(info.clone()).signals(SIGNALS).build()?;
    let mut session = Session::new(receiver, Some(Truth::Fixed(place)), false);
    let bar = progress::bar(Some((args.duration * 100.0) as u64), false);
    // Through a pipe and the reader, as any recording would come.
    let (reading, mut writing) = std::io::pipe()?;
    let options = InputOptions {
        format: Some(SampleFormat::Cs8),
        rate_hz: Some(info.sample_rate_hz),
        center_hz: Some(info.center_hz),
        ..InputOptions::default()
    };
    let outcome = std::thread::scope(|scope| {
        let maker = scope.spawn(|| {
            let result = simulation.write(&mut writing, |_| ());
            // Closing the pipe ends the recording.
            drop(writing);
            result
        });
        let received = (|| {
            let mut source = ReadSource::new(reading, Resolved::of_stream("demo", &options)?)?;
            let mut blocks = Vec::new();
            while source.next_blocks(&mut blocks)? {
                session.push(&blocks)?;
                bar.inc(1);
            }
            Ok::<(), CliError>(())
        })();
        let made = maker.join().unwrap_or_else(|_| Err(std::io::Error::other("the maker failed").into()));
        received.and(made.map_err(CliError::from))
    });
    bar.finish_and_clear();
    outcome?;
    let diagnosis = session.receiver.diagnose();
    let summary = session.summary("demo", &diagnosis);
    let mut out = std::io::stdout().lock();
    if args.json {
        summary.write(&mut out).map_err(CliError::new)?;
        return Ok(summary.fixes > 0);
    }
    write!(out, "{}", satellites(&session))?;
    print_fix(&mut out, &summary, session.last.as_ref())?;
    writeln!(out, "truth      {:.7} {:.7}  height {:.2} m", place.lat_deg, place.lon_deg, place.height_m)?;
    if summary.fixes == 0 {
        eprint!("{diagnosis}");
    }
    Ok(summary.fixes > 0)
}
