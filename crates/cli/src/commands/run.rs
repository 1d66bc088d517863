//! `megrez run`: samples in, positions, observations and messages out.

mod sinks;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use megrez::orbit::TimeScale;
use megrez::prelude::*;
use megrez::{Diagnosis, HotStart, LossReason};
use megrez_output::{Summary, SummaryBuilder};

use crate::args::RunArgs;
use crate::commands::snapshot::read_nav;
use crate::error::CliError;
use crate::input::Input;
use crate::progress;
use crate::table::table;
use crate::truth::Truth;
use sinks::Sinks;

/// Blocks that the reading thread may be ahead.
const AHEAD: usize = 16;
/// How often a silent input is left to look for an interrupt.
const POLL: Duration = Duration::from_millis(200);

pub fn run(args: &RunArgs) -> Result<bool, CliError> {
    let input = Input::open(&args.input)?;
    let receiver = build(args, input.streams())?;
    let mut session = Session::new(receiver, args.truth.clone(), args.quiet);
    if let Some(dir) = &args.out {
        session.sinks = Some(Sinks::create(dir, args.talker, session.receiver.signals(), args.interval)?);
    }
    if !args.quiet {
        let names: Vec<String> = session.receiver.signals().iter().map(ToString::to_string).collect();
        let streams: Vec<String> = input
            .streams()
            .iter()
            .map(|s| format!("{} Msps around {:.3} MHz", s.info.sample_rate_hz / 1e6, s.info.center_hz / 1e6))
            .collect();
        eprintln!("receiving {} from {}", names.join(", "), streams.join(" and "));
    }
    finish_on_interrupt();
    let bar = progress::bar(input.expected(), args.quiet);
    // On a thread of the pool, so that no block is handed over between threads.
    let outcome = rayon::scope(|_| feed(input, &mut session, &bar));
    session.finish();
    bar.finish_and_clear();
    let diagnosis = session.receiver.diagnose();
    // What was good before an error is written all the same, and no failure hides an earlier one.
    let summary = session.summary(&args.input.inputs.join(" "), &diagnosis);
    let written = session.sinks.take().map_or(Ok(()), |sinks| sinks.finish(&session.receiver));
    let summarised = args.out.as_deref().map_or(Ok(()), |dir| {
        write_file(&dir.join("summary.json"), |out| summary.write(out).map_err(CliError::new))
    });
    let kept = keep_state(args, &session.receiver);
    let reported = report(&summary, &session, args.json);
    if summary.fixes == 0 && !args.quiet {
        eprintln!("no position");
        eprint!("{diagnosis}");
    }
    outcome.and(written).and(summarised).and(kept).and(reported)?;
    Ok(summary.fixes > 0)
}

/// Leaves what the next run can start from.
fn keep_state(args: &RunArgs, receiver: &Receiver) -> Result<(), CliError> {
    let (Some(path), Some(state)) = (&args.state, receiver.hot_start()) else { return Ok(()) };
    let text = state.to_json().map_err(CliError::new)?;
    // Whole or not at all: a state cut short would stop the next run.
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, text)
        .and_then(|()| std::fs::rename(&fresh, path))
        .map_err(|error| CliError::file(path, &error))?;
    if !args.quiet {
        eprintln!("state kept in {}", path.display());
    }
    Ok(())
}

/// Set by the first Ctrl-C: the stream ends, and everything is written.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn finish_on_interrupt() {
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    // Without a handler an interrupt ends the program at once, as it does by default.
    if ctrlc::set_handler(handler).is_err() {
        eprintln!("warning: an interrupt will lose what is not yet written");
    }
}

fn build(args: &RunArgs, streams: &[Stream]) -> Result<Receiver, CliError> {
    let mut builder = Receiver::builder_of(streams);
    if !args.signals.signals.is_empty() {
        builder = builder.signals(args.signals.signals.iter().copied());
    }
    if let Some(state) = args.state.as_deref().filter(|path| path.exists()) {
        let text = std::fs::read_to_string(state).map_err(|error| CliError::file(state, &error))?;
        let hot = HotStart::from_json(&text).map_err(|error| {
            CliError::new(format!("{}: {error}", state.display())).hint("delete the file to start cold")
        })?;
        eprintln!(
            "hot start from {}: {} satellites' ephemerides, oscillator {:+.2} ppm, position of {} UTC",
            state.display(),
            hot.nav.sats().count(),
            hot.oscillator_ppm,
            hot.time.civil(TimeScale::Utc)
        );
        builder = builder.hot_start(hot);
    }
    if !args.nav.is_empty() {
        builder = builder.nav(read_nav(&args.nav)?);
    }
    let builder = builder.interval_s(args.interval).configure(|config| {
        config.dynamics = args.dynamics.into();
        config.oscillator_error_ppm = args.signals.oscillator;
        config.solver.elevation_mask_deg = args.elevation_mask;
        config.near_time = args.time.or(config.near_time);
    });
    Ok(builder.build()?)
}

/// Reads on one thread, receives on this one. An error ends the stream; what came before it is received.
fn feed(mut input: Input, session: &mut Session, bar: &indicatif::ProgressBar) -> Result<(), CliError> {
    let (to_receiver, blocks) = mpsc::sync_channel::<Vec<SampleBlock>>(AHEAD);
    let (to_reader, spent) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let outcome = loop {
            let mut blocks = spent.try_recv().unwrap_or_default();
            match input.next_blocks(&mut blocks) {
                Ok(true) => {
                    if to_receiver.send(blocks).is_err() {
                        break Ok(());
                    }
                }
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        input.warn();
        outcome
    });
    let mut received = Ok(());
    while let Some(block) = next(&blocks) {
        received = session.push(&block);
        if received.is_err() {
            break;
        }
        bar.set_position(session.end);
        if session.blocks.is_multiple_of(20) {
            bar.set_message(session.line());
        }
        // The reader may have ended already.
        let _ = to_reader.send(block);
    }
    drop(blocks);
    // After an interrupt the reader may wait for an input that stays silent; nothing of it is needed then.
    if INTERRUPTED.load(Ordering::Relaxed) && !reader.is_finished() {
        return received;
    }
    let read = reader.join().unwrap_or_else(|_| Err(CliError::new("the reading thread failed")));
    received.and(read)
}

/// The next block; none at the end or after an interrupt, even while a live input is silent.
fn next(blocks: &mpsc::Receiver<Vec<SampleBlock>>) -> Option<Vec<SampleBlock>> {
    while !INTERRUPTED.load(Ordering::Relaxed) {
        match blocks.recv_timeout(POLL) {
            Ok(block) => return Some(block),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return None,
        }
    }
    None
}

/// A receiver with what is kept of its events. `demo` uses it too.
pub struct Session {
    pub receiver: Receiver,
    sinks: Option<Sinks>,
    truth: Option<Truth>,
    summary: SummaryBuilder,
    pub last: Option<Solution>,
    cn0: BTreeMap<(SignalId, Sat), f64>,
    quiet: bool,
    end: u64,
    blocks: u64,
}

impl Session {
    pub fn new(receiver: Receiver, truth: Option<Truth>, quiet: bool) -> Self {
        Self {
            receiver,
            sinks: None,
            truth,
            summary: SummaryBuilder::new(),
            last: None,
            cn0: BTreeMap::new(),
            quiet,
            end: 0,
            blocks: 0,
        }
    }

    /// Takes the next block of each stream.
    pub fn push(&mut self, blocks: &[SampleBlock]) -> Result<(), CliError> {
        let events = self.receiver.push(blocks);
        if let Some(first) = blocks.first() {
            self.end = first.first_sample + first.samples.len() as u64;
        }
        self.blocks += 1;
        for event in &events {
            self.event(event)?;
        }
        Ok(())
    }

    fn finish(&mut self) {
        for event in self.receiver.finish() {
            if let Event::Acquired(a) = &event {
                self.cn0.insert((a.signal, a.sat), a.cn0_dbhz);
            }
        }
    }

    fn event(&mut self, event: &Event) -> Result<(), CliError> {
        let rate_hz = self.receiver.sample_rate_hz();
        match event {
            Event::Acquired(a) => {
                self.cn0.insert((a.signal, a.sat), a.cn0_dbhz);
                let own_hz = self.receiver.stream_of(a.signal).map_or(rate_hz, |info| info.sample_rate_hz);
                self.say((a.sample as f64 * rate_hz / own_hz) as u64, || {
                    format!(
                        "{} {} found, Doppler {:+.0} Hz, {:.0} dB-Hz",
                        a.sat, a.signal, a.doppler_hz, a.cn0_dbhz
                    )
                });
            }
            Event::HandedOver { sample, sat, signal, from } => self.say(*sample, || match from {
                Some(from) => format!("{sat} {signal} taken up from {from}"),
                None => format!("{sat} {signal} taken up as predicted"),
            }),
            Event::Lost { sample, sat, signal, reason } => {
                let why = match reason {
                    LossReason::Signal(why) => why.clone(),
                    LossReason::CrossCorrelation(other) => format!("a cross-correlation of {other}"),
                    LossReason::Disagreement => "not where the satellite's other signals are".to_string(),
                    LossReason::Gap => "samples missing".to_string(),
                    _ => String::new(),
                };
                self.say(*sample, || format!("{sat} {signal} lost: {why}"));
            }
            Event::Gap { sample, missing } => self.say(*sample, || format!("{missing} samples missing")),
            Event::Ephemeris { sample, ephemeris, .. } => {
                self.say(*sample, || format!("{} ephemeris complete", ephemeris.sat()));
            }
            Event::Observations { epoch, .. } => self.summary.epoch(epoch),
            Event::Solution(fix) => {
                let sample = self.receiver.first_fix_sample().unwrap_or(0);
                if self.last.is_none() {
                    let at = fix.geodetic();
                    self.say(sample, || {
                        format!("first fix {:.6} {:.6} {:.1} m", at.lat_deg, at.lon_deg, at.height_m)
                    });
                }
                let truth = self.truth.as_ref().and_then(|t| t.at(fix.time));
                self.summary.solution(fix, sample as f64 / rate_hz, truth.map(Geodetic::to_ecef));
                self.last = Some(fix.as_ref().clone());
            }
            _ => {}
        }
        match &mut self.sinks {
            Some(sinks) => sinks.event(event, &self.receiver),
            None => Ok(()),
        }
    }

    /// A line of talk, with the time in the recording.
    fn say(&self, sample: u64, text: impl FnOnce() -> String) {
        if !self.quiet {
            eprintln!("{:8.2} s  {}", sample as f64 / self.receiver.sample_rate_hz(), text());
        }
    }

    /// The state in a line, for the progress bar.
    fn line(&self) -> String {
        let tracked = self.receiver.satellites().iter().filter(|s| s.tracked).count();
        match &self.last {
            Some(fix) => {
                let at = fix.geodetic();
                format!("{tracked} satellites  {:.6} {:.6} {:.1} m", at.lat_deg, at.lon_deg, at.height_m)
            }
            None => format!("{tracked} satellites, no position yet"),
        }
    }

    pub fn summary(&self, name: &str, diagnosis: &Diagnosis) -> Summary {
        let mut builder = self.summary.clone();
        for sat in self.receiver.satellites() {
            builder.seen(sat.sat, sat.signal, sat.cn0_dbhz);
        }
        for (&(signal, sat), &cn0) in &self.cn0 {
            builder.seen(sat, signal, cn0);
        }
        let mut summary = builder.finish();
        summary.megrez = env!("CARGO_PKG_VERSION").to_string();
        let [first, further @ ..] = self.receiver.streams() else { return summary };
        summary.input = megrez_output::InputSummary {
            name: name.to_string(),
            sample_rate_hz: first.info.sample_rate_hz,
            center_hz: first.info.center_hz,
            complex: first.info.complex,
            samples: self.end,
            further_streams: further
                .iter()
                .map(|s| megrez_output::StreamSummary {
                    sample_rate_hz: s.info.sample_rate_hz,
                    center_hz: s.info.center_hz,
                    complex: s.info.complex,
                })
                .collect(),
        };
        summary.duration_s = self.end as f64 / first.info.sample_rate_hz;
        summary.oscillator_ppm = self.receiver.oscillator_ppm();
        summary.diagnosis = diagnosis.findings.iter().map(|f| f.what.clone()).collect();
        summary
    }
}

/// Prints the outcome.
fn report(summary: &Summary, session: &Session, json: bool) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    if json {
        return summary.write(&mut out).map_err(CliError::new);
    }
    write!(out, "{}", satellites(session))?;
    print_fix(&mut out, summary, session.last.as_ref())?;
    Ok(())
}

/// The satellites as a table.
pub fn satellites(session: &Session) -> String {
    let used: Vec<Sat> =
        session.last.iter().flat_map(|fix| &fix.sats).filter(|s| s.used).map(|s| s.sat).collect();
    let rows: Vec<Vec<String>> = session
        .receiver
        .satellites()
        .iter()
        .map(|s| {
            vec![
                s.sat.to_string(),
                s.signal.to_string(),
                format!("{:.1}", s.cn0_dbhz),
                format!("{:.0}", s.doppler_hz),
                s.subframes.to_string(),
                match (used.contains(&s.sat), s.tracked, s.subframes) {
                    (true, ..) => "used".to_string(),
                    (_, false, _) => "lost".to_string(),
                    (_, _, 0) => "tracked".to_string(),
                    _ if !s.missing.is_empty() => format!("lacks {}", s.missing),
                    _ => "not used".to_string(),
                },
            ]
        })
        .collect();
    table(&["sat", "signal", "C/N0 dB-Hz", "Doppler Hz", "subframes", "state"], &rows)
}

/// The position and its error.
pub fn print_fix(out: &mut impl Write, summary: &Summary, last: Option<&Solution>) -> Result<(), CliError> {
    let Some(fix) = last else { return Ok(()) };
    let at = fix.geodetic();
    writeln!(out)?;
    if let Some(s) = summary.first_fix_s {
        writeln!(out, "first fix  after {s:.1} s; {} positions", summary.fixes)?;
    }
    writeln!(out, "UTC        {}", fix.time.civil(TimeScale::Utc))?;
    writeln!(
        out,
        "position   {:.7} {:.7}  height {:.2} m  (last of them; {} satellites, HDOP {:.1})",
        at.lat_deg,
        at.lon_deg,
        at.height_m,
        fix.sats_used(),
        fix.dop.h
    )?;
    if let Some(mean) = &summary.mean_position {
        writeln!(out, "mean       {:.7} {:.7}  height {:.2} m", mean.lat_deg, mean.lon_deg, mean.height_m)?;
    }
    if let Some(ppm) = summary.oscillator_ppm {
        writeln!(out, "oscillator {ppm:+.3} ppm")?;
    }
    if let Some(error) = &summary.error {
        writeln!(
            out,
            "error      rms {:.2} m horizontally, {:.2} m vertically, {:.2} m in space; mean {:.2} m",
            error.rms_horizontal_m, error.rms_vertical_m, error.rms_3d_m, error.mean_3d_m
        )?;
    }
    Ok(())
}

/// Writes a file through a buffer.
pub fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let file = std::fs::File::create(path).map_err(|error| CliError::file(path, &error))?;
    let mut out = std::io::BufWriter::new(file);
    write(&mut out)?;
    out.flush().map_err(|error| CliError::file(path, &error))
}
