use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use megrez_dsp::format::{Code, Unpacker};
use megrez_dsp::{SampleBlock, Samples, Stream, StreamInfo};
use num_complex::Complex;

use crate::Source;
use crate::error::{SourceError, Warning};
use crate::resolve::{InputOptions, Resolved};

/// Descriptions longer than this are none.
const MAX_TEXT_BYTES: u64 = 16 << 20;
/// Most bytes asked for at once.
const MAX_READ_BYTES: usize = 4 << 20;

/// Blocks of samples from a stream of bytes: of one stream of samples, or of several in its channels.
pub struct ReadSource<R> {
    reader: R,
    name: String,
    info: StreamInfo,
    streams: Vec<Stream>,
    lanes: Vec<Lane>,
    /// Bytes still to be dropped before the first sample.
    skip: u64,
    /// Bytes still to be read, if the stream's end is known.
    remaining: Option<u64>,
    total_samples: Option<u64>,
    /// Bytes read.
    offset: u64,
    buffer: Vec<u8>,
    next_sample: u64,
    ended: bool,
    failure: Option<SourceError>,
    warnings: Vec<Warning>,
}

/// What makes one stream of the bytes.
struct Lane {
    unpacker: Unpacker,
    remove_mean: bool,
    pending: Samples,
    spare: Option<Samples>,
}

impl Lane {
    fn new(description: Resolved) -> Result<Self, SourceError> {
        let Resolved { name, mut layout, info, remove_mean, .. } = description;
        if remove_mean && let Code::Packed { map, .. } = &mut layout.code {
            // A mean is a fraction of the step of few-bit samples: spread them over the range of 8 bits.
            let largest = map.iter().map(|v| v.unsigned_abs()).max().unwrap_or(0).max(1);
            let factor = (100 / largest).max(1) as i8;
            map.iter_mut().for_each(|v| *v = v.saturating_mul(factor));
        }
        let unpacker =
            Unpacker::new(layout, info.block_len()).map_err(|source| SourceError::Layout { name, source })?;
        Ok(Self { remove_mean, pending: unpacker.empty(), unpacker, spare: None })
    }

    /// Takes one block's samples from those pending.
    fn take(&mut self, block_len: usize) -> Samples {
        let mut rest = self.spare.take().unwrap_or_else(|| self.unpacker.empty());
        match (&mut self.pending, &mut rest) {
            (Samples::Real(from), Samples::Real(to)) => {
                to.clear();
                to.extend(from.drain(block_len.min(from.len())..));
            }
            (Samples::Complex(from), Samples::Complex(to)) => {
                to.clear();
                to.extend(from.drain(block_len.min(from.len())..));
            }
            _ => rest = self.unpacker.empty(),
        }
        let mut samples = std::mem::replace(&mut self.pending, rest);
        if self.remove_mean {
            remove_mean(&mut samples);
        }
        samples
    }
}

impl<R: Read> ReadSource<R> {
    /// Reads `reader` as described.
    pub fn new(reader: R, description: Resolved) -> Result<Self, SourceError> {
        Self::with_channels(reader, vec![description])
    }

    /// Reads the streams that lie in the channels of `reader`, described as [`Resolved::of_streams`] does.
    pub fn with_channels(reader: R, descriptions: Vec<Resolved>) -> Result<Self, SourceError> {
        let Some(first) = descriptions.first() else {
            let message = "no stream is described".to_string();
            return Err(SourceError::Streams { name: "input".to_string(), message });
        };
        let mut warnings = Vec::new();
        for warning in descriptions.iter().flat_map(|d| &d.warnings) {
            if !warnings.contains(warning) {
                warnings.push(warning.clone());
            }
        }
        Ok(Self {
            reader,
            name: first.name.clone(),
            info: first.info.clone(),
            skip: first.skip_bytes,
            streams: descriptions.iter().map(Resolved::stream).collect(),
            lanes: descriptions.into_iter().map(Lane::new).collect::<Result<_, _>>()?,
            remaining: None,
            total_samples: None,
            offset: 0,
            buffer: Vec::new(),
            next_sample: 0,
            ended: false,
            failure: None,
            warnings,
        })
    }

    /// Name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads once, at most `wanted` bytes; 0 at the end.
    fn read_some(&mut self, wanted: usize) -> usize {
        let mut wanted = wanted.clamp(1, MAX_READ_BYTES);
        if let Some(remaining) = self.remaining {
            wanted = wanted.min(usize::try_from(remaining).unwrap_or(wanted));
        }
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let Some(space) = self.buffer.get_mut(..wanted) else { return 0 };
        loop {
            match self.reader.read(space) {
                Ok(n) => {
                    let n = n.min(wanted);
                    self.offset += n as u64;
                    if let Some(remaining) = &mut self.remaining {
                        *remaining -= n as u64;
                    }
                    return n;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(source) => {
                    self.failure =
                        Some(SourceError::Read { name: self.name.clone(), offset: self.offset, source });
                    return 0;
                }
            }
        }
    }

    /// Samples pending, of every stream as many.
    fn pending(&self) -> usize {
        self.lanes.first().map_or(0, |lane| lane.pending.len())
    }

    /// Reads until a block is pending or the stream ends.
    fn fill(&mut self) {
        while self.skip > 0 && !self.ended {
            let n = self.read_some(usize::try_from(self.skip).unwrap_or(MAX_READ_BYTES));
            self.skip -= n as u64;
            self.ended = n == 0;
        }
        let block_len = self.info.block_len();
        while self.pending() < block_len && !self.ended {
            let missing = block_len - self.pending();
            let n = self.read_some(self.lanes.first().map_or(0, |lane| lane.unpacker.bytes_for(missing)));
            if n == 0 {
                self.end();
                return;
            }
            let bytes = self.buffer.get(..n).unwrap_or_default();
            for lane in &mut self.lanes {
                lane.unpacker.unpack(bytes, &mut lane.pending);
            }
        }
    }

    fn end(&mut self) {
        self.ended = true;
        for (place, lane) in self.lanes.iter_mut().enumerate() {
            let left = lane.unpacker.finish(&mut lane.pending) as u64;
            if left > 0 && place == 0 {
                self.warnings.push(Warning::Truncated {
                    name: self.name.clone(),
                    offset: self.offset - left,
                    bytes: left,
                    frame_bits: lane.unpacker.layout().frame_bits(),
                });
            }
            if let Some(bad) = lane.unpacker.bad_values() {
                self.warnings.push(Warning::BadValues {
                    name: self.name.clone(),
                    count: bad.count,
                    first_sample: bad.first_sample,
                });
            }
        }
    }

    /// Makes a block pending and returns the index of its first sample; none at the end.
    fn prepare(&mut self) -> Result<Option<u64>, SourceError> {
        self.fill();
        let pending = self.pending();
        if pending == 0 {
            if let Some(failure) = self.failure.take() {
                self.next_sample = self.next_sample.max(1);
                return Err(failure);
            }
            if self.next_sample == 0 {
                // Said once.
                self.next_sample = 1;
                let reason = match self.offset {
                    0 => "the input is empty".to_string(),
                    n => format!("its {n} bytes hold no whole sample"),
                };
                return Err(SourceError::Empty { name: self.name.clone(), reason });
            }
            return Ok(None);
        }
        let first_sample = self.next_sample;
        self.next_sample += pending.min(self.info.block_len()) as u64;
        Ok(Some(first_sample))
    }
}

impl<R: Read> Source for ReadSource<R> {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn streams(&self) -> Vec<Stream> {
        self.streams.clone()
    }

    fn next_block(&mut self) -> Result<Option<SampleBlock>, SourceError> {
        let Some(first_sample) = self.prepare()? else { return Ok(None) };
        let block_len = self.info.block_len();
        let mut taken = self.lanes.iter_mut().map(|lane| lane.take(block_len));
        let first = taken.next();
        taken.for_each(drop);
        Ok(first.map(|samples| SampleBlock { first_sample, samples }))
    }

    fn next_blocks(&mut self, blocks: &mut Vec<SampleBlock>) -> Result<bool, SourceError> {
        for (lane, spent) in self.lanes.iter_mut().zip(blocks.drain(..)) {
            lane.spare = Some(spent.samples);
        }
        let Some(first_sample) = self.prepare()? else { return Ok(false) };
        let block_len = self.info.block_len();
        let taken = self.lanes.iter_mut().map(|lane| lane.take(block_len));
        blocks.extend(taken.map(|samples| SampleBlock { first_sample, samples }));
        Ok(true)
    }

    fn warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    fn total_samples(&self) -> Option<u64> {
        self.total_samples
    }

    fn recycle(&mut self, block: SampleBlock) {
        if let Some(lane) = self.lanes.first_mut() {
            lane.spare = Some(block.samples);
        }
    }
}

/// Subtracts the mean, rounded to whole steps.
fn remove_mean(samples: &mut Samples) {
    let subtract = |x: i8, mean: f64| (f64::from(x) - mean).round().clamp(-127.0, 127.0) as i8;
    match samples {
        Samples::Real(v) => {
            let mean = v.iter().map(|&x| i64::from(x)).sum::<i64>() as f64 / v.len().max(1) as f64;
            v.iter_mut().for_each(|x| *x = subtract(*x, mean));
        }
        Samples::Complex(v) => {
            let sum = v.iter().fold(Complex::new(0i64, 0), |sum, z| {
                Complex::new(sum.re + i64::from(z.re), sum.im + i64::from(z.im))
            });
            let n = v.len().max(1) as f64;
            let (re, im) = (sum.re as f64 / n, sum.im as f64 / n);
            v.iter_mut().for_each(|z| *z = Complex::new(subtract(z.re, re), subtract(z.im, im)));
        }
    }
}

/// Opens a file of samples or the metadata of one.
pub(crate) fn open_file(path: &Path, options: &InputOptions) -> Result<ReadSource<File>, SourceError> {
    // What is wrong with the path itself is said before what is missing in its description.
    check_path(path)?;
    let (data, mut descriptions) = Resolved::all_of_file(path, options)?;
    check_path(&data)?;
    let open_error = |source| SourceError::Open { path: data.clone(), source };
    let mut file = File::open(&data).map_err(open_error)?;
    let metadata = file.metadata().map_err(open_error)?;
    let (skip, trailing) = descriptions.first().map_or((0, 0), |d| (d.skip_bytes, d.trailing_bytes));
    let mut remaining = None;
    if metadata.is_file() {
        let empty = |reason: String| SourceError::Empty { name: data.display().to_string(), reason };
        let bytes = metadata.len();
        if bytes == 0 {
            return Err(empty("the file is empty".to_string()));
        }
        let held = bytes.saturating_sub(skip).saturating_sub(trailing);
        if held == 0 {
            return Err(empty(format!("all {bytes} bytes of the file are to be skipped")));
        }
        file.seek(SeekFrom::Start(skip)).map_err(open_error)?;
        descriptions.iter_mut().for_each(|d| d.skip_bytes = 0);
        remaining = Some(held);
    }
    let mut source = ReadSource::with_channels(file, descriptions)?;
    if let Some(held) = remaining {
        source.offset = skip;
        // A file that grows while it is read is read to its end, unless something follows the samples.
        source.remaining = (trailing > 0).then_some(held);
        let frame_bits = source.lanes.first().map(|lane| lane.unpacker.layout().frame_bits() as u64);
        source.total_samples = frame_bits.map(|bits| held.saturating_mul(8) / bits);
    }
    Ok(source)
}

fn check_path(path: &Path) -> Result<(), SourceError> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(SourceError::Directory { path: path.to_path_buf() }),
        Ok(_) => Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound => Err(SourceError::NotFound { path: path.to_path_buf() }),
        Err(source) => Err(SourceError::Open { path: path.to_path_buf(), source }),
    }
}

/// The text of a description.
pub(crate) fn read_text(path: &Path) -> Result<String, SourceError> {
    check_path(path)?;
    let open_error = |source| SourceError::Open { path: path.to_path_buf(), source };
    let mut text = String::new();
    File::open(path)
        .map_err(open_error)?
        .take(MAX_TEXT_BYTES)
        .read_to_string(&mut text)
        .map_err(open_error)?;
    Ok(text)
}
