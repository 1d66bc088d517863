//! Recorded and streamed IQ samples.
//!
//! ```
//! use megrez_source::{InputOptions, ReadSource, Resolved, Source};
//!
//! let options = InputOptions {
//!     format: Some("cs8".parse()?),
//!     rate_hz: Some(4.0e6),
//!     center_hz: Some(1_575.42e6),
//!     ..InputOptions::default()
//! };
//! let recording = vec![1u8; 100_000]; // anything that implements `Read`; files open by `open`
//! let description = Resolved::of_stream("example", &options)?;
//! let mut source = ReadSource::new(recording.as_slice(), description)?;
//! let block = source.next_block()?.expect("the first of two blocks");
//! assert_eq!(block.samples.len(), source.info().block_len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! * [`open`]: a file, SigMF recording, standard input or rtl_tcp server by name; [`open_together`]: several that
//!   one front end recorded with one clock.
//! * [`InputOptions`], [`FrontEnd`], [`SigmfMeta`]: the descriptions an input can have, joined to a
//!   [`Resolved`] one in the order flags, configuration, SigMF metadata, file extension.
//! * [`ReadSource`]: blocks from any byte stream, whatever the sizes in which it delivers.
//! * [`RtlTcp`]: blocks from a receiver on the network.

mod error;
mod frontend;
mod quantity;
mod reader;
mod resolve;
mod rtl_tcp;
mod sigmf;
mod together;

use megrez_dsp::{SampleBlock, Stream, StreamInfo};

pub use error::{SourceError, Warning};
pub use frontend::{FrontEnd, Sideband};
pub use quantity::parse_quantity;
pub use reader::ReadSource;
pub use resolve::{InputOptions, Resolved};
pub use rtl_tcp::{RtlTcp, RtlTcpOptions};
pub use sigmf::SigmfMeta;
pub use together::{Together, open_together};

/// Samples in blocks: of one stream, or of several that begin together and run on one clock.
pub trait Source {
    /// Rate, centre and kind of the samples, of the first stream if there are several.
    fn info(&self) -> &StreamInfo;

    /// Every stream.
    fn streams(&self) -> Vec<Stream> {
        vec![self.info().clone().into()]
    }

    /// The next block, of the first stream if there are several; none at the end. Every block but the last has `info().block_len()` samples, whatever
    /// the sizes in which the input delivers. After an error the samples before it have been delivered, and
    /// the stream is at its end.
    fn next_block(&mut self) -> Result<Option<SampleBlock>, SourceError>;

    /// Puts the next block of every stream into `blocks`, all of the same span; false at the end. What `blocks` held
    /// is overwritten, so that its memory serves again.
    fn next_blocks(&mut self, blocks: &mut Vec<SampleBlock>) -> Result<bool, SourceError> {
        blocks.drain(..).for_each(|spent| self.recycle(spent));
        blocks.extend(self.next_block()?);
        Ok(!blocks.is_empty())
    }

    /// Warnings since the last call.
    fn warnings(&mut self) -> Vec<Warning>;

    /// Samples of the whole stream, the first if there are several, if known.
    fn total_samples(&self) -> Option<u64> {
        None
    }

    /// Takes back a block that is no longer needed, so that its memory serves the next one.
    fn recycle(&mut self, _block: SampleBlock) {}
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn info(&self) -> &StreamInfo {
        (**self).info()
    }

    fn streams(&self) -> Vec<Stream> {
        (**self).streams()
    }

    fn next_block(&mut self) -> Result<Option<SampleBlock>, SourceError> {
        (**self).next_block()
    }

    fn next_blocks(&mut self, blocks: &mut Vec<SampleBlock>) -> Result<bool, SourceError> {
        (**self).next_blocks(blocks)
    }

    fn warnings(&mut self) -> Vec<Warning> {
        (**self).warnings()
    }

    fn total_samples(&self) -> Option<u64> {
        (**self).total_samples()
    }

    fn recycle(&mut self, block: SampleBlock) {
        (**self).recycle(block);
    }
}

/// Opens `input`: a file of samples, a `.sigmf-meta` file, `-` for standard input, or
/// `rtl_tcp://host[:port]`.
pub fn open(input: &str, options: &InputOptions) -> Result<Box<dyn Source + Send>, SourceError> {
    if let Some(address) = input.strip_prefix("rtl_tcp://") {
        return Ok(Box::new(RtlTcp::connect(address, options, &RtlTcpOptions::default())?));
    }
    if input == "-" {
        let descriptions = Resolved::of_streams("standard input", options)?;
        return Ok(Box::new(ReadSource::with_channels(std::io::stdin(), descriptions)?));
    }
    Ok(Box::new(reader::open_file(input.as_ref(), options)?))
}
