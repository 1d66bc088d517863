//! Opening the input that the command line names.

use megrez::prelude::*;
use megrez::signal::ALL;
use megrez_source::{InputOptions, Source, open};

use crate::args::InputArgs;
use crate::error::CliError;

/// A source cut to the part that the command line asks for.
pub struct Input {
    source: Box<dyn Source + Send>,
    info: StreamInfo,
    skip: u64,
    left: Option<u64>,
}

impl Input {
    pub fn open(args: &InputArgs) -> Result<Self, CliError> {
        let options = InputOptions {
            format: args.format,
            rate_hz: args.rate,
            center_hz: args.center,
            config: args.config.clone(),
            channel: args.channel,
        };
        let source = open(&args.input, &options)?;
        let info = source.info().clone();
        let skip = (args.skip * info.sample_rate_hz).round();
        if !(0.0..1e18).contains(&skip) {
            return Err(CliError::new("--skip must be a number of seconds, 0 or more"));
        }
        let skip = skip as u64;
        let left = args.duration.map(|s| (s.max(0.0) * info.sample_rate_hz).round() as u64);
        Ok(Self { source, info, skip, left })
    }

    pub fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// Samples that will come, if known.
    pub fn expected(&self) -> Option<u64> {
        let all = self.source.total_samples().map(|n| n.saturating_sub(self.skip));
        match (all, self.left) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// The next block, numbered from the first one not skipped.
    pub fn next_block(&mut self) -> Result<Option<SampleBlock>, CliError> {
        loop {
            if self.left == Some(0) {
                return Ok(None);
            }
            let Some(mut block) = self.source.next_block()? else { return Ok(None) };
            let cut = self.skip.saturating_sub(block.first_sample).min(block.samples.len() as u64);
            if cut == block.samples.len() as u64 {
                continue;
            }
            match &mut block.samples {
                Samples::Real(all) => drop(all.drain(..cut as usize)),
                Samples::Complex(all) => drop(all.drain(..cut as usize)),
            }
            block.first_sample = (block.first_sample + cut) - self.skip;
            if let Some(left) = &mut self.left {
                let keep = (*left).min(block.samples.len() as u64);
                block.samples.truncate(keep as usize);
                *left -= keep;
            }
            return Ok(Some(block));
        }
    }

    /// Gives back a block for its memory.
    pub fn recycle(&mut self, block: SampleBlock) {
        self.source.recycle(block);
    }

    /// Prints warnings that have come up.
    pub fn warn(&mut self) {
        for warning in self.source.warnings() {
            eprintln!("warning: {warning}");
        }
    }

    /// The first `seconds` of samples, or as many as there are.
    pub fn collect(&mut self, seconds: f64) -> Result<Samples, CliError> {
        let wanted = (seconds * self.info.sample_rate_hz).round() as usize;
        let mut all = Samples::new(self.info.complex);
        while all.len() < wanted {
            let block = match self.next_block() {
                Ok(Some(block)) => block,
                Ok(None) => break,
                // What was good before the error still counts.
                Err(error) if !all.is_empty() => {
                    eprintln!("warning: {}", error.message);
                    break;
                }
                Err(error) => return Err(error),
            };
            if !all.append(&block.samples) {
                return Err(CliError::new("the input changed between real and complex samples"));
            }
            self.recycle(block);
        }
        all.truncate(wanted);
        self.warn();
        if all.is_empty() {
            return Err(CliError::new("no samples in the part asked for").hint("see --skip and --duration"));
        }
        Ok(all)
    }
}

/// The signals asked for, or all that lie in the stream but SBAS: its codes find traces of GPS satellites.
pub fn signals(wanted: &[SignalId], info: &StreamInfo) -> Result<Vec<SignalId>, CliError> {
    let (low, high) = info.coverage_hz();
    let inside = |s: &SignalId| (low..=high).contains(&s.def().carrier_hz);
    let unasked = ALL.iter().filter(|s| s.leads() && s.constellation != Constellation::Sbas);
    let all: Vec<SignalId> = unasked.map(|s| s.id).collect();
    let candidates = if wanted.is_empty() { &all[..] } else { wanted };
    let mut found: Vec<SignalId> = candidates.iter().copied().filter(inside).collect();
    found.sort();
    found.dedup();
    if found.is_empty() {
        let names: Vec<String> =
            candidates.iter().map(|s| format!("{s} at {:.3} MHz", s.def().carrier_hz / 1e6)).collect();
        return Err(CliError::new(format!(
            "the stream covers {:.3} to {:.3} MHz: outside are {}",
            low / 1e6,
            high / 1e6,
            names.join(", ")
        ))
        .hint("check --center and --rate"));
    }
    Ok(found)
}
