//! Opening the input that the command line names.

use megrez::dsp::{BLOCK_S, stream_of};
use megrez::prelude::*;
use megrez::signal::ALL;
use megrez_source::{InputOptions, Source, open_together};

use crate::args::InputArgs;
use crate::error::CliError;

/// A source cut to the part that the command line asks for.
pub struct Input {
    source: Box<dyn Source + Send>,
    streams: Vec<Stream>,
    /// Of each stream, the samples still to skip and those left to deliver.
    parts: Vec<Part>,
}

struct Part {
    skip: u64,
    left: Option<u64>,
}

impl Input {
    pub fn open(args: &InputArgs) -> Result<Self, CliError> {
        let options = InputOptions {
            format: args.format,
            rate_hz: args.rate,
            center_hz: args.center.first().copied(),
            further_centers_hz: args.center.get(1..).unwrap_or_default().to_vec(),
            config: args.config.clone(),
            channel: args.channel,
            stream: None,
        };
        let source = open_together(&args.inputs, &options)?;
        let streams = source.streams();
        if !(0.0..1e9).contains(&args.skip) {
            return Err(CliError::new("--skip must be a number of seconds, 0 or more"));
        }
        // Streams of different rates have an instant in common every 10 ms.
        let whole = |seconds: f64| match streams.as_slice() {
            [first, rest @ ..] if rest.iter().any(|s| s.info.sample_rate_hz != first.info.sample_rate_hz) => {
                (seconds / BLOCK_S).round() * BLOCK_S
            }
            _ => seconds,
        };
        let part = |stream: &Stream| {
            let samples =
                |seconds: f64| (whole(seconds.max(0.0)) * stream.info.sample_rate_hz).round() as u64;
            Part { skip: samples(args.skip), left: args.duration.map(samples) }
        };
        let parts = streams.iter().map(part).collect();
        Ok(Self { source, streams, parts })
    }

    /// Every stream.
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// The only stream, for commands that look at one.
    pub fn only_stream(&self) -> Result<&StreamInfo, CliError> {
        match self.streams.as_slice() {
            [stream] => Ok(&stream.info),
            all => Err(CliError::new(format!(
                "the input has {} streams, and this command looks at one",
                all.len()
            ))
            .hint("choose one with --channel")),
        }
    }

    /// Samples of the first stream that will come, if known.
    pub fn expected(&self) -> Option<u64> {
        let part = self.parts.first()?;
        let all = self.source.total_samples().map(|n| n.saturating_sub(part.skip));
        match (all, part.left) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// The next block of every stream, numbered from the first sample not skipped; false at the end. What `blocks`
    /// held is overwritten.
    pub fn next_blocks(&mut self, blocks: &mut Vec<SampleBlock>) -> Result<bool, CliError> {
        loop {
            if self.parts.iter().any(|part| part.left == Some(0)) || !self.source.next_blocks(blocks)? {
                return Ok(false);
            }
            for (part, block) in self.parts.iter_mut().zip(blocks.iter_mut()) {
                part.cut(block);
            }
            if blocks.iter().all(|block| !block.samples.is_empty()) {
                return Ok(true);
            }
        }
    }

    /// Prints warnings that have come up.
    pub fn warn(&mut self) {
        for warning in self.source.warnings() {
            eprintln!("warning: {warning}");
        }
    }

    /// The first `seconds` of samples of every stream, or as many as there are.
    pub fn collect(&mut self, seconds: f64) -> Result<Vec<Samples>, CliError> {
        let wanted = |stream: &Stream| (seconds * stream.info.sample_rate_hz).round() as usize;
        let mut all: Vec<Samples> = self.streams.iter().map(|s| Samples::new(s.info.complex)).collect();
        let mut blocks = Vec::new();
        while all.iter().zip(&self.streams).any(|(some, stream)| some.len() < wanted(stream)) {
            match self.next_blocks(&mut blocks) {
                Ok(true) => {}
                Ok(false) => break,
                // What was good before the error still counts.
                Err(error) if all.iter().all(|some| !some.is_empty()) => {
                    eprintln!("warning: {}", error.message);
                    break;
                }
                Err(error) => return Err(error),
            }
            if !all.iter_mut().zip(&blocks).all(|(some, block)| some.append(&block.samples)) {
                return Err(CliError::new("the input changed between real and complex samples"));
            }
        }
        for (some, stream) in all.iter_mut().zip(&self.streams) {
            some.truncate(wanted(stream));
        }
        self.warn();
        if all.iter().any(Samples::is_empty) {
            return Err(CliError::new("no samples in the part asked for").hint("see --skip and --duration"));
        }
        Ok(all)
    }
}

impl Part {
    /// Cuts a block to what is in the part.
    fn cut(&mut self, block: &mut SampleBlock) {
        let cut = self.skip.saturating_sub(block.first_sample).min(block.samples.len() as u64);
        match &mut block.samples {
            Samples::Real(all) => drop(all.drain(..cut as usize)),
            Samples::Complex(all) => drop(all.drain(..cut as usize)),
        }
        block.first_sample = (block.first_sample + cut).saturating_sub(self.skip);
        if let Some(left) = &mut self.left {
            let keep = (*left).min(block.samples.len() as u64);
            block.samples.truncate(keep as usize);
            *left -= keep;
        }
    }
}

/// The signals asked for, or all that lie in a stream but SBAS (its codes find traces of GPS satellites), each with the
/// index of its stream.
pub fn signals(wanted: &[SignalId], streams: &[Stream]) -> Result<Vec<(usize, SignalId)>, CliError> {
    let unasked = ALL.iter().filter(|s| s.leads() && s.constellation != Constellation::Sbas);
    let all: Vec<SignalId> = unasked.map(|s| s.id).collect();
    let candidates = if wanted.is_empty() { &all[..] } else { wanted };
    let home = |id: &SignalId| {
        let signal = id.def();
        Some((stream_of(streams, signal.carrier_hz, signal.chip_rate_hz)?, *id))
    };
    let mut found: Vec<(usize, SignalId)> = candidates.iter().filter_map(home).collect();
    found.sort();
    found.dedup();
    if found.is_empty() {
        let names: Vec<String> =
            candidates.iter().map(|s| format!("{s} at {:.3} MHz", s.def().carrier_hz / 1e6)).collect();
        let covered: Vec<String> = streams
            .iter()
            .map(|s| format!("{:.3} to {:.3} MHz", s.covers_hz.0 / 1e6, s.covers_hz.1 / 1e6))
            .collect();
        return Err(CliError::new(format!(
            "the samples cover {}: outside are {}",
            covered.join(" and "),
            names.join(", ")
        ))
        .hint("check --center and --rate"));
    }
    Ok(found)
}
