//! Readers: blocks independent of read sizes, errors and warnings by their words, good samples kept.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::io::{self, Read};
use std::path::Path;

use megrez_dsp::{SampleBlock, Samples};
use megrez_source::{InputOptions, ReadSource, Resolved, Source, SourceError, open};
use proptest::prelude::*;

fn options(format: &str) -> InputOptions {
    InputOptions {
        format: Some(format.parse().unwrap()),
        rate_hz: Some(10e3),
        center_hz: Some(1_575.42e6),
        ..InputOptions::default()
    }
}

/// Rate 10 kHz: blocks of 100 samples.
fn read(reader: impl Read, format: &str) -> Everything {
    drain(&mut ReadSource::new(reader, Resolved::of_stream("test", &options(format)).unwrap()).unwrap())
}

struct Everything {
    blocks: Vec<SampleBlock>,
    warnings: Vec<String>,
    error: Option<String>,
}

fn drain(source: &mut dyn Source) -> Everything {
    let (mut blocks, mut error) = (Vec::new(), None);
    loop {
        match source.next_block() {
            Ok(Some(block)) => blocks.push(block),
            Ok(None) => break,
            Err(e) => {
                error = Some(e.to_string());
                // After an error the stream is at its end.
                assert!(matches!(source.next_block(), Ok(None)));
                break;
            }
        }
    }
    let warnings = source.warnings().iter().map(ToString::to_string).collect();
    assert!(source.warnings().is_empty());
    Everything { blocks, warnings, error }
}

impl Everything {
    fn samples(&self) -> usize {
        self.blocks.iter().map(|b| b.samples.len()).sum()
    }
}

/// Delivers bytes in portions, as a pipe does, with an interruption now and then.
struct Pipe<'a> {
    rest: &'a [u8],
    sizes: std::iter::Cycle<std::slice::Iter<'a, usize>>,
}

impl Read for Pipe<'_> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let size = *self.sizes.next().unwrap();
        if size == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let n = size.min(space.len()).min(self.rest.len());
        let (head, tail) = self.rest.split_at(n);
        space[..n].copy_from_slice(head);
        self.rest = tail;
        Ok(n)
    }
}

proptest! {
    #[test]
    fn blocks_do_not_depend_on_read_sizes(
        format in prop::sample::select(vec!["s1", "cs2", "s8", "cu8", "cs16", "cf32"]),
        bytes in prop::collection::vec(any::<u8>(), 1..5000),
        sizes in prop::collection::vec(0usize..900, 1..9),
    ) {
        let mut sizes = sizes;
        sizes.push(1);
        let whole = read(bytes.as_slice(), format);
        let piped = read(Pipe { rest: &bytes, sizes: sizes.iter().cycle() }, format);
        prop_assert_eq!(&piped.blocks, &whole.blocks);
        prop_assert_eq!(piped.warnings, whole.warnings);
        prop_assert_eq!(piped.error, whole.error);
        // Every block but the last is full, and they follow one another.
        let mut next = 0;
        for (k, block) in whole.blocks.iter().enumerate() {
            prop_assert_eq!(block.first_sample, next);
            prop_assert!(block.samples.len() == 100 || k + 1 == whole.blocks.len());
            next += block.samples.len() as u64;
        }
    }
}

#[test]
fn recycled_blocks_make_no_difference() {
    let bytes: Vec<u8> = (0..2050u32).map(|k| (k * 7) as u8).collect();
    let plain = read(bytes.as_slice(), "cs8");
    let description = Resolved::of_stream("test", &options("cs8")).unwrap();
    let mut source = ReadSource::new(bytes.as_slice(), description).unwrap();
    let mut count = 0;
    while let Some(block) = source.next_block().unwrap() {
        assert_eq!(block, plain.blocks[count]);
        count += 1;
        source.recycle(block);
    }
    assert_eq!(count, 11);
}

#[test]
fn truncated_last_sample_and_odd_byte_count() {
    let r = read([1u8; 407].as_slice(), "cs8");
    assert_eq!(r.samples(), 203);
    assert_eq!(
        r.warnings,
        ["test: the last 1 byte, at byte offset 406, was ignored: not a whole sample of 16 bits"]
    );
    let r = read([1u8; 407].as_slice(), "cf32");
    assert_eq!(r.samples(), 50);
    assert_eq!(
        r.warnings,
        ["test: the last 7 bytes, at byte offset 400, were ignored: not a whole sample of 64 bits"]
    );
    assert!(r.error.is_none());
}

#[test]
fn empty_input() {
    let r = read([].as_slice(), "cs8");
    assert_eq!(r.error.as_deref(), Some("test: no samples: the input is empty"));
    let r = read([1u8; 3].as_slice(), "cf32");
    assert_eq!(r.error.as_deref(), Some("test: no samples: its 3 bytes hold no whole sample"));
}

/// Fails after some bytes.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::other("the medium is gone"));
        }
        let n = self.0.min(space.len());
        space[..n].fill(1);
        self.0 -= n;
        Ok(n)
    }
}

#[test]
fn what_was_read_before_a_failure_is_delivered() {
    let r = read(Broken(505), "cs8");
    assert_eq!(r.samples(), 252);
    assert_eq!(r.error.as_deref(), Some("test: reading failed at byte offset 505: the medium is gone"));
    let r = read(Broken(0), "cs8");
    assert_eq!(r.samples(), 0);
    assert_eq!(r.error.as_deref(), Some("test: reading failed at byte offset 0: the medium is gone"));
}

#[test]
fn floats_that_are_no_numbers() {
    let mut values = [0.5f32; 300];
    values[150] = f32::NAN;
    values[220] = f32::NEG_INFINITY;
    let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
    let r = read(bytes.as_slice(), "f32");
    assert_eq!(
        r.warnings,
        ["test: 2 values were infinite or not a number and became zero, the first in sample 150"]
    );
    let Samples::Real(second) = &r.blocks[1].samples else { panic!("real samples expected") };
    assert_eq!((second[49], second[50], second[51]), (24, 0, 24));
}

fn open_error(path: &Path, options: &InputOptions) -> String {
    match open(path.to_str().unwrap(), options) {
        Ok(_) => panic!("{} should not open", path.display()),
        Err(e) => e.to_string(),
    }
}

#[test]
fn files_that_do_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let shown = |name: &str| dir.path().join(name).display().to_string();
    let missing = dir.path().join("missing.cs8");
    assert_eq!(open_error(&missing, &options("cs8")), format!("{}: no such file", shown("missing.cs8")));
    assert_eq!(
        open_error(dir.path(), &options("cs8")),
        format!("{}: is a directory, a file of samples is needed", dir.path().display())
    );
    let empty = dir.path().join("empty.cs8");
    std::fs::write(&empty, []).unwrap();
    assert_eq!(
        open_error(&empty, &options("cs8")),
        format!("{}: no samples: the file is empty", shown("empty.cs8"))
    );
    let config = dir.path().join("no.toml");
    let with_config = InputOptions { config: Some(config), ..options("cs8") };
    std::fs::write(&empty, [1; 100]).unwrap();
    assert_eq!(open_error(&empty, &with_config), format!("{}: no such file", shown("no.toml")));
    let zero = InputOptions { rate_hz: Some(0.0), ..options("cs8") };
    assert_eq!(open_error(&empty, &zero), "--rate: a sample rate of 0 Hz is out of range (1 kHz to 10 GHz)");
    let nan = InputOptions { center_hz: Some(f64::NAN), ..options("cs8") };
    assert_eq!(
        open_error(&empty, &nan),
        "--center: a centre frequency of NaN Hz is out of range (0 to 100 GHz)"
    );
}

#[test]
fn missing_metadata() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recording.bin");
    std::fs::write(&path, [1; 100]).unwrap();
    let shown = path.display();
    let full = options("cs8");
    assert_eq!(
        open_error(&path, &InputOptions { format: None, ..full.clone() }),
        format!(
            "{shown}: sample format unknown: give --format (such as cu8 for an RTL-SDR, cs8 for a HackRF), \
             a --config file, or SigMF metadata"
        )
    );
    assert_eq!(
        open_error(&path, &InputOptions { rate_hz: None, ..full.clone() }),
        format!("{shown}: sample rate unknown: give --rate (such as 4M), a --config file, or SigMF metadata")
    );
    assert_eq!(
        open_error(&path, &InputOptions { center_hz: None, ..full }),
        format!(
            "{shown}: centre frequency unknown: give --center (such as 1575.42M), a --config file, or SigMF metadata"
        )
    );
}

#[test]
fn the_extension_is_the_last_resort() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recording.CU8");
    std::fs::write(&path, [129, 127, 130, 126]).unwrap();
    let options = InputOptions { format: None, ..options("cs8") };
    let mut source = open(path.to_str().unwrap(), &options).unwrap();
    assert_eq!(source.total_samples(), Some(2));
    let r = drain(source.as_mut());
    let Samples::Complex(v) = &r.blocks[0].samples else { panic!("complex samples expected") };
    assert_eq!((v[0].re, v[0].im, v[1].re, v[1].im), (1, -1, 2, -2));
}

#[test]
fn errors_are_typed() {
    let options = InputOptions::default();
    assert!(matches!(Resolved::of_stream("x", &options), Err(SourceError::MissingFormat { .. })));
}
