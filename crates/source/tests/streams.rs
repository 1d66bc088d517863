//! Several streams of one clock: channels of one input, or one input each.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::fs;
use std::path::Path;

use megrez_dsp::{SampleBlock, Samples};
use megrez_source::{InputOptions, ReadSource, Resolved, Source, open, open_together};
use num_complex::Complex;
use tempfile::TempDir;

/// Bytes of `count` cs8 samples with I = k, Q = `mark`.
fn cs8(count: usize, mark: u8) -> Vec<u8> {
    (0..count).flat_map(|k| [k as u8, mark]).collect()
}

fn interleave(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.chunks(2).zip(b.chunks(2)).flat_map(|(a, b)| [a, b].concat()).collect()
}

fn file(dir: &TempDir, name: &str, bytes: &[u8]) -> String {
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_string()
}

/// Every sample of every stream, the blocks' numbers checked.
fn drain(source: &mut dyn Source) -> Vec<Vec<Complex<i8>>> {
    let mut all: Vec<Vec<Complex<i8>>> = vec![Vec::new(); source.streams().len()];
    let mut blocks: Vec<SampleBlock> = Vec::new();
    while source.next_blocks(&mut blocks).unwrap() {
        assert_eq!(blocks.len(), all.len());
        for (stream, block) in all.iter_mut().zip(&blocks) {
            assert_eq!(block.first_sample, stream.len() as u64);
            match &block.samples {
                Samples::Complex(some) => stream.extend(some),
                Samples::Real(_) => panic!("complex samples are expected"),
            }
        }
    }
    all
}

fn samples(bytes: &[u8]) -> Vec<Complex<i8>> {
    bytes.chunks(2).map(|z| Complex::new(z[0] as i8, z[1] as i8)).collect()
}

fn options(centers_hz: &[f64]) -> InputOptions {
    InputOptions {
        format: Some("cs8".parse().unwrap()),
        rate_hz: Some(1e6),
        center_hz: centers_hz.first().copied(),
        further_centers_hz: centers_hz.get(1..).unwrap_or_default().to_vec(),
        ..InputOptions::default()
    }
}

#[test]
fn interleaved_channels_come_apart() {
    let (a, b) = (cs8(25_000, 1), cs8(25_000, 2));
    let bytes = interleave(&a, &b);
    let descriptions = Resolved::of_streams("test", &options(&[1.5e9, 1.2e9])).unwrap();
    let mut source = ReadSource::with_channels(bytes.as_slice(), descriptions).unwrap();
    let centers: Vec<f64> = source.streams().iter().map(|s| s.info.center_hz).collect();
    assert_eq!(centers, [1.5e9, 1.2e9]);
    assert_eq!(drain(&mut source), [samples(&a), samples(&b)]);
}

#[test]
fn interleaved_sigmf_channels_come_apart_or_alone() {
    let dir = TempDir::new().unwrap();
    let (a, b) = (cs8(12_345, 1), cs8(12_345, 2));
    let data = file(&dir, "two.sigmf-data", &interleave(&a, &b));
    let meta = r#"{"global": {"core:datatype": "ci8", "core:sample_rate": 1e6, "core:num_channels": 2}, "captures": []}"#;
    file(&dir, "two.sigmf-meta", meta.as_bytes());
    let both = InputOptions { format: None, rate_hz: None, ..options(&[1.5e9, 1.2e9]) };
    assert_eq!(drain(&mut *open(&data, &both).unwrap()), [samples(&a), samples(&b)]);
    let second = InputOptions {
        channel: Some(2),
        ..InputOptions { center_hz: Some(1.2e9), ..InputOptions::default() }
    };
    assert_eq!(drain(&mut *open(&data, &second).unwrap()), [samples(&b)]);
    let three = InputOptions { further_centers_hz: vec![1.2e9, 1.1e9], ..both };
    let said = open(&data, &three).err().unwrap().to_string();
    assert!(said.contains("channel 3 of 2 does not exist"), "{said}");
}

#[test]
fn inputs_side_by_side_end_with_the_shortest() {
    let dir = TempDir::new().unwrap();
    // 25 and 23 ms.
    let (a, b) = (cs8(25_000, 1), cs8(23_000, 2));
    let inputs = [file(&dir, "a.cs8", &a), file(&dir, "b.cs8", &b)];
    let mut source = open_together(&inputs, &options(&[1.5e9, 1.2e9])).unwrap();
    assert_eq!(source.total_samples(), Some(23_000));
    assert_eq!(drain(&mut *source), [samples(&a[..46_000]), samples(&b)]);
    let said = open_together(&inputs, &options(&[1.5e9])).err().unwrap().to_string();
    assert_eq!(said, "inputs: there are 2 of them, but 1 centre frequencies");
}

#[test]
fn inputs_of_different_rates_span_the_same_time() {
    let dir = TempDir::new().unwrap();
    let (a, b) = (cs8(25_000, 1), cs8(100_000, 2));
    let inputs = [file(&dir, "a.cs8", &a), file(&dir, "b.cs8", &b)];
    let streams = |second: &str| {
        let text = format!(
            "format = 'cs8'\n[[stream]]\nsample_rate = '1M'\ncenter = '1.5G'\n\
             [[stream]]\nsample_rate = '{second}'\ncenter = '1.2G'"
        );
        let config = Some(Path::new(&file(&dir, "fe.toml", text.as_bytes())).to_path_buf());
        open_together(&inputs, &InputOptions { config, ..InputOptions::default() })
    };
    let mut source = streams("4M").unwrap();
    assert_eq!(drain(&mut *source), [samples(&a), samples(&b)]);
    let said = streams("3999999").err().unwrap().to_string();
    assert_eq!(said, "inputs: sample rates that differ must be multiples of 100 Hz");
}

#[test]
fn descriptions_that_do_not_fit_the_input_are_refused() {
    let dir = TempDir::new().unwrap();
    let input = file(&dir, "a.cs8", &cs8(1000, 1));
    let said = |text: &str, centers_hz: &[f64]| {
        let config = Some(Path::new(&file(&dir, "fe.toml", text.as_bytes())).to_path_buf());
        let options = InputOptions { config, format: None, rate_hz: None, ..options(centers_hz) };
        open(&input, &options).err().unwrap().to_string()
    };
    let two = "sample_rate = 1e6\nformat = 'cs8'\ncenter = 1e9\n[[stream]]\n[[stream]]\n";
    let text = said(two, &[]);
    assert!(
        text.ends_with(
            "2 streams are described, but it has 1 channel; give channels, or one input for each stream"
        ),
        "{text}"
    );
    let text = said(two, &[1e9]);
    assert!(text.ends_with("give the centres by --center or by [[stream]], not both"), "{text}");
    let rates = "sample_rate = 1e6\nformat = 'cs8'\ncenter = 1e9\nchannels = 2\n[[stream]]\n[[stream]]\nsample_rate = 2e6\n";
    let text = said(rates, &[]);
    assert!(text.contains("one packing, sample rate"), "{text}");
}
