//! Several inputs of one front end.

use megrez_dsp::{SampleBlock, Stream, StreamInfo, rates_agree};

use crate::error::{SourceError, Warning};
use crate::resolve::InputOptions;
use crate::{Source, open};

/// Sources whose first samples were taken at the same instant and whose clocks are one, read side by side. It ends with
/// the shortest.
pub struct Together {
    inputs: Vec<Input>,
    streams: Vec<Stream>,
    info: StreamInfo,
}

struct Input {
    source: Box<dyn Source + Send>,
    streams: usize,
    blocks: Vec<SampleBlock>,
}

impl Together {
    /// Joins sources. Their streams follow each other in the order of the sources.
    ///
    /// # Errors
    /// When there is none, or their rates differ and are not such that 10 ms are whole samples.
    pub fn new(sources: Vec<Box<dyn Source + Send>>) -> Result<Self, SourceError> {
        let refuse =
            |message: &str| SourceError::Streams { name: "inputs".to_string(), message: message.to_string() };
        let info = sources.first().ok_or_else(|| refuse("none is given"))?.info().clone();
        let streams: Vec<Stream> = sources.iter().flat_map(|source| source.streams()).collect();
        if !rates_agree(streams.iter().map(|s| s.info.sample_rate_hz)) {
            return Err(refuse("sample rates that differ must be multiples of 100 Hz"));
        }
        let input = |source: Box<dyn Source + Send>| Input {
            streams: source.streams().len(),
            source,
            blocks: Vec::new(),
        };
        Ok(Self { inputs: sources.into_iter().map(input).collect(), streams, info })
    }
}

impl Source for Together {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn streams(&self) -> Vec<Stream> {
        self.streams.clone()
    }

    fn next_block(&mut self) -> Result<Option<SampleBlock>, SourceError> {
        let mut blocks = Vec::new();
        self.next_blocks(&mut blocks)?;
        Ok(blocks.into_iter().next())
    }

    fn next_blocks(&mut self, blocks: &mut Vec<SampleBlock>) -> Result<bool, SourceError> {
        let mut spent = blocks.drain(..);
        for input in &mut self.inputs {
            input.blocks.extend(spent.by_ref().take(input.streams));
        }
        drop(spent);
        for input in &mut self.inputs {
            if !input.source.next_blocks(&mut input.blocks)? {
                blocks.clear();
                return Ok(false);
            }
            blocks.append(&mut input.blocks);
        }
        // The last blocks of unequal inputs end with the shortest.
        let seconds = |(block, stream): (&SampleBlock, &Stream)| {
            block.samples.len() as f64 / stream.info.sample_rate_hz
        };
        let span_s = blocks.iter().zip(&self.streams).map(seconds).fold(f64::INFINITY, f64::min);
        for (block, stream) in blocks.iter_mut().zip(&self.streams) {
            block.samples.truncate((span_s * stream.info.sample_rate_hz).round() as usize);
        }
        Ok(true)
    }

    fn warnings(&mut self) -> Vec<Warning> {
        self.inputs.iter_mut().flat_map(|input| input.source.warnings()).collect()
    }

    fn total_samples(&self) -> Option<u64> {
        let seconds =
            |input: &Input| Some(input.source.total_samples()? as f64 / input.source.info().sample_rate_hz);
        let shortest_s = self.inputs.iter().filter_map(seconds).reduce(f64::min)?;
        Some((shortest_s * self.info.sample_rate_hz).round() as u64)
    }
}

/// Opens the inputs of one front end, each as [`open`] does, to be received together. Several centre frequencies, or
/// several `[[stream]]` of a description, belong to the inputs in turn; those of a single input to its channels.
pub fn open_together(
    inputs: &[String],
    options: &InputOptions,
) -> Result<Box<dyn Source + Send>, SourceError> {
    if let [input] = inputs {
        return open(input, options);
    }
    let centers: Vec<f64> =
        options.center_hz.into_iter().chain(options.further_centers_hz.iter().copied()).collect();
    if !centers.is_empty() && centers.len() != inputs.len() {
        return Err(SourceError::Streams {
            name: "inputs".to_string(),
            message: format!("there are {} of them, but {} centre frequencies", inputs.len(), centers.len()),
        });
    }
    if inputs.iter().filter(|input| *input == "-").count() > 1 {
        return Err(SourceError::Streams {
            name: "inputs".to_string(),
            message: "standard input can be read once only".to_string(),
        });
    }
    let sources = inputs.iter().enumerate().map(|(k, input)| {
        let own = InputOptions {
            center_hz: centers.get(k).copied(),
            further_centers_hz: Vec::new(),
            stream: Some(k + 1),
            ..options.clone()
        };
        open(input, &own)
    });
    Ok(Box::new(Together::new(sources.collect::<Result<_, _>>()?)?))
}
