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
//! * [`open`]: a file, SigMF recording, standard input or rtl_tcp server by name.
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

use megrez_dsp::{SampleBlock, StreamInfo};

pub use error::{SourceError, Warning};
pub use frontend::FrontEnd;
pub use quantity::parse_quantity;
pub use reader::ReadSource;
pub use resolve::{InputOptions, Resolved};
pub use rtl_tcp::{RtlTcp, RtlTcpOptions};
pub use sigmf::SigmfMeta;

/// A stream of samples in blocks.
pub trait Source {
    /// Rate, centre and kind of the samples.
    fn info(&self) -> &StreamInfo;

    /// The next block; none at the end. Every block but the last has `info().block_len()` samples, whatever
    /// the sizes in which the input delivers. After an error the samples before it have been delivered, and
    /// the stream is at its end.
    fn next_block(&mut self) -> Result<Option<SampleBlock>, SourceError>;

    /// Warnings since the last call.
    fn warnings(&mut self) -> Vec<Warning>;

    /// Samples of the whole stream, if known.
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

    fn next_block(&mut self) -> Result<Option<SampleBlock>, SourceError> {
        (**self).next_block()
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
        let description = Resolved::of_stream("standard input", options)?;
        return Ok(Box::new(ReadSource::new(std::io::stdin(), description)?));
    }
    Ok(Box::new(reader::open_file(input.as_ref(), options)?))
}
