//! What is kept of each stream.

use megrez_dsp::{Level, LevelStats, SampleBlock, Stream, StreamInfo};

use crate::search::Search;

/// Blocks whose levels are taken in at the start; later one in as many.
const LEVEL_BLOCKS: u64 = 50;
/// Block that is kept for a look at the spectrum.
const SPECIMEN_BLOCK: u64 = 20;

/// One stream, as far as it has come.
pub(crate) struct Feed {
    pub(crate) info: StreamInfo,
    /// Its samples for each of the first stream's.
    pub(crate) ratio: f64,
    /// The sample after its last block.
    pub(crate) end: u64,
    pub(crate) search: Search,
    pub(crate) levels: LevelStats,
    /// One block, for a look at the spectrum.
    pub(crate) specimen: Option<SampleBlock>,
    blocks: u64,
}

impl Feed {
    pub(crate) fn new(stream: &Stream, first_rate_hz: f64, oscillator_error_ppm: f64, level: Level) -> Self {
        let info = stream.info.clone();
        Self {
            ratio: info.sample_rate_hz / first_rate_hz,
            end: 0,
            search: Search::new(info.clone(), oscillator_error_ppm, level),
            levels: LevelStats::default(),
            specimen: None,
            blocks: 0,
            info,
        }
    }

    /// Samples in so many seconds.
    pub(crate) fn samples(&self, seconds: f64) -> u64 {
        (seconds * self.info.sample_rate_hz) as u64
    }

    /// Samples of the first stream that are missing before `block`.
    pub(crate) fn missing(&self, block: &SampleBlock) -> Option<u64> {
        let gap = self.blocks > 0 && block.first_sample != self.end;
        gap.then(|| (block.first_sample.saturating_sub(self.end) as f64 / self.ratio).round() as u64)
    }

    /// Looks at the next block.
    pub(crate) fn take(&mut self, block: &SampleBlock) {
        self.blocks += 1;
        self.end = block.first_sample + block.samples.len() as u64;
        // Front ends settle at first.
        if self.blocks == SPECIMEN_BLOCK || self.specimen.is_none() {
            self.specimen = Some(block.clone());
        }
        if self.blocks <= LEVEL_BLOCKS || self.blocks.is_multiple_of(LEVEL_BLOCKS) {
            self.levels.add(block);
        }
    }
}
