//! Front-end descriptions and SigMF metadata: what they mean, and what is said of mistakes.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::path::{Path, PathBuf};

use megrez_dsp::Samples;
use megrez_dsp::format::{BitOrder, Code, Layout, SampleFormat};
use megrez_source::{FrontEnd, InputOptions, SigmfMeta, Source, open};
use proptest::prelude::*;

fn front_end(text: &str) -> FrontEnd {
    FrontEnd::parse(text, "fe.toml").unwrap()
}

fn refusal(text: &str) -> String {
    FrontEnd::parse(text, "fe.toml").unwrap_err().to_string()
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/frontends").join(name)
}

#[test]
fn the_examples_say_what_they_mean() {
    let nt1065 = FrontEnd::read(&example("nt1065-ch1.toml")).unwrap();
    let layout = nt1065.layout(None).unwrap();
    assert_eq!(layout.code, Code::Packed { bits: 2, map: vec![-1, 1, -3, 3] });
    assert_eq!((layout.channels, layout.channel, layout.complex), (4, 0, false));
    assert_eq!(nt1065.sample_rate_hz, Some(79.5e6));
    assert_eq!((nt1065.center_hz(None), nt1065.center_hz(Some(4))), (Some(1590e6), Some(1200e6)));
    assert_eq!(nt1065.layout(Some(4)).unwrap().channel, 3);

    let l1 = FrontEnd::read(&example("pocketsdr-l1.toml")).unwrap();
    assert_eq!(l1.layout, Some(SampleFormat::S8.into()));
    assert_eq!(l1.center_hz(None), Some(1_572.42e6));
    let l6 = FrontEnd::read(&example("pocketsdr-l6.toml")).unwrap();
    assert_eq!(l6.layout, Some(Layout { conjugate: true, ..SampleFormat::Cs8.into() }));
    let soft = FrontEnd::read(&example("softgnss.toml")).unwrap();
    assert_eq!(soft.center_hz(None), Some(1_565.872e6));
    let cttc = FrontEnd::read(&example("gsoc-cttc.toml")).unwrap();
    assert_eq!((cttc.sample_rate_hz, cttc.layout), (Some(4e6), Some(SampleFormat::Cf32.into())));
    let snapper = FrontEnd::read(&example("snappergps.toml")).unwrap();
    let layout = snapper.layout(None).unwrap();
    assert_eq!(layout.bit_order, BitOrder::LsbFirst);
    assert_eq!(layout.code, Code::Packed { bits: 1, map: vec![1, -1] });
    assert!(snapper.remove_mean);
}

#[test]
fn sidebands_and_inversion() {
    let lower = front_end("carrier = '1575.42M'\nif = '4M'\nsideband = 'lower'\nformat = 's8'");
    assert_eq!(lower.center_hz(None), Some(1_579.42e6));
    let upper = front_end("carrier = '1575.42M'\nif = '4M'\nformat = 's8'");
    assert_eq!(upper.center_hz(None), Some(1_571.42e6));
    // Two inversions undo each other.
    let both = front_end("format = 'cs8'\nnegate_q = true\nspectral_inversion = true");
    assert!(!both.layout.unwrap().conjugate);
    assert!(front_end("format = 'cs8'\nspectral_inversion = true").layout.unwrap().conjugate);
}

#[test]
fn streams_are_laid_over_the_whole() {
    let text = "sample_rate = '8M'\nformat = 'cs8'\nchannels = 2\ncenter = '1.5G'\n\
                [[stream]]\n[[stream]]\ncenter = '1.2G'\nnegate_q = true";
    let whole = front_end(text);
    let [a, b] = whole.streams.as_slice() else { panic!("{whole:?}") };
    assert_eq!((a.center_hz(None), b.center_hz(None)), (Some(1.5e9), Some(1.2e9)));
    assert_eq!((a.sample_rate_hz, b.sample_rate_hz), (Some(8e6), Some(8e6)));
    let (a, b) = (a.layout(None).unwrap(), b.layout(None).unwrap());
    assert_eq!((a.channels, a.channel, a.conjugate), (2, 0, false));
    assert_eq!((b.channels, b.channel, b.conjugate), (2, 1, true));
    assert_eq!(
        refusal("format = 'cs8'\n[[stream]]\ncentre = 1e9"),
        "fe.toml:3: unknown key \"centre\", did you mean \"center\"?"
    );
    assert_eq!(refusal("stream = 4"), "fe.toml: stream: tables [[stream]] are needed");
    let second = refusal("format = 's8'\n[[stream]]\ncenter = 1e9\n[[stream]]\ncenter = true");
    assert!(second.starts_with("fe.toml, stream 2: "), "{second}");
}

#[test]
fn unknown_keys_get_a_suggestion() {
    assert_eq!(
        refusal("bits = 2\nsample_rat = 4e6"),
        "fe.toml:2: unknown key \"sample_rat\", did you mean \"sample_rate\"?"
    );
    assert_eq!(refusal("rate = 4e6"), "fe.toml:1: unknown key \"rate\", did you mean \"sample_rate\"?");
    assert_eq!(
        refusal("\nnegated_q = true\n"),
        "fe.toml:2: unknown key \"negated_q\", did you mean \"negate_q\"?"
    );
    assert_eq!(refusal("wibble = 1"), "fe.toml:1: unknown key \"wibble\"");
    assert_eq!(
        refusal("[channel_1]\nbits = 2"),
        "fe.toml:1: unknown key \"channel_1\", did you mean \"channel\"?"
    );
}

#[test]
fn values_out_of_range() {
    for (text, said) in [
        ("sample_rate = 0", "fe.toml: a sample rate of 0 Hz is out of range (1 kHz to 10 GHz)"),
        ("sample_rate = nan", "fe.toml: a sample rate of NaN Hz is out of range (1 kHz to 10 GHz)"),
        ("center = -1e6", "fe.toml: a centre frequency of -1000000 Hz is out of range (0 to 100 GHz)"),
        ("bits = 12", "fe.toml: bits of 12 is out of range (1 to 8, 16 or 32)"),
        ("bits = 2\nmap = [1, 2, 3, 400]", "fe.toml: map value of 400 is out of range (-127 to 127)"),
        ("bits = 2\nmap = [1, 2, 3]", "fe.toml: the map holds 3 values, but 2 bits have 4 codes"),
        ("bits = 2\nchannels = 100", "fe.toml: channels of 100 is out of range (1 to 64)"),
        ("bits = 2\nchannels = 4\nchannel = 0", "fe.toml: channel of 0 is out of range (1 to 64)"),
        ("bits = 2\nchannels = 4\nchannel = 5", "fe.toml: channel 5 of 4 does not exist"),
        ("bits = 2\nword_bits = 24", "fe.toml: word_bits of 24 is out of range (8, 16, 32 or 64)"),
        ("skip_bytes = -1", "fe.toml: skip_bytes of -1 is out of range (0 or more)"),
        (
            "format = 'cs9'",
            "fe.toml: unknown sample format \"cs9\" (known: cs1 cs2 cs4 cs8 cu8 cs16 cf32, and real s1 s2 s4 s8 u8 s16 f32)",
        ),
        ("format = 'cs8'\nbits = 2", "fe.toml: give format or bits, not both"),
        ("map = [1, -1]", "fe.toml: map needs bits or format"),
        (
            "format = 'cs8'\nsideband = 'lower'",
            "fe.toml: sideband describes real samples; use spectral_inversion",
        ),
        ("carrier = 1e9", "fe.toml: carrier needs if"),
        ("center = 1e9\ncarrier = 1e9\nif = 0", "fe.toml: give center, or carrier and if, not both"),
        ("center = [1e9, 2e9]", "fe.toml: center lists 2 frequencies for a number of channels of 1"),
        ("sample_rate = 'fast'", "fe.toml: sample_rate: \"fast\" is no frequency"),
        ("bits = 2\nbit_order = 'middle'", "fe.toml:2: unknown variant `middle`, expected `msb` or `lsb`"),
        ("bits = true", "fe.toml:1: invalid type: boolean `true`, expected i64"),
    ] {
        assert_eq!(refusal(text), said, "{text}");
    }
    assert!(refusal("sample_rate = \n").starts_with("fe.toml:1: "), "{}", refusal("sample_rate = \n"));
}

#[test]
fn sigmf_datatypes() {
    let layout = |datatype: &str| {
        SigmfMeta::parse(&format!(r#"{{"global": {{"core:datatype": "{datatype}"}}}}"#), "a.sigmf-meta")
            .map(|m| m.layout)
            .map_err(|e| e.to_string())
    };
    for (datatype, format) in [
        ("ci8", SampleFormat::Cs8),
        ("cu8", SampleFormat::Cu8),
        ("ci16_le", SampleFormat::Cs16),
        ("cf32_le", SampleFormat::Cf32),
        ("ri8", SampleFormat::S8),
        ("ru8", SampleFormat::U8),
        ("ri16_le", SampleFormat::S16),
        ("rf32_le", SampleFormat::F32),
        ("cs1", SampleFormat::Cs1),
        ("s2", SampleFormat::S2),
    ] {
        assert_eq!(layout(datatype), Ok(format.into()), "{datatype}");
    }
    assert_eq!(layout("ci16_be").unwrap().code, Code::I16 { big_endian: true });
    assert_eq!(layout("rf32_be").unwrap().code, Code::F32 { big_endian: true });
    assert_eq!(
        layout("cf32").unwrap_err(),
        "a.sigmf-meta: core:datatype \"cf32\" lacks its byte order (\"cf32_le\" or \"cf32_be\")"
    );
    assert_eq!(
        layout("cf64_le").unwrap_err(),
        "a.sigmf-meta: core:datatype \"cf64_le\" is not supported \
         (ci8 cu8 ci16_le ci16_be cf32_le cf32_be and ri8 ru8 ri16_le ri16_be rf32_le rf32_be are)"
    );
    let said = |text: &str| SigmfMeta::parse(text, "a.sigmf-meta").unwrap_err().to_string();
    assert_eq!(said("{}"), "a.sigmf-meta: no \"global\" object, so no SigMF metadata");
    assert_eq!(said(r#"{"global": {}}"#), "a.sigmf-meta: core:datatype is missing");
    assert_eq!(
        said(r#"{"global": {"core:datatype": "ci8", "core:sample_rate": "4M"}}"#),
        "a.sigmf-meta: core:sample_rate: \"4M\" is no number"
    );
    assert!(said("{").starts_with("a.sigmf-meta: no valid JSON: "));
}

/// A recording of 3 header bytes, 4 complex samples and 2 trailing bytes with its metadata.
fn write_sigmf(dir: &Path) -> PathBuf {
    let meta = dir.join("rec.sigmf-meta");
    std::fs::write(
        &meta,
        r#"{"global": {"core:datatype": "ci8", "core:sample_rate": 4000000, "core:version": "1.2.0",
             "core:dataset": "samples.raw", "core:trailing_bytes": 2},
            "captures": [{"core:sample_start": 0, "core:frequency": 1561098000, "core:header_bytes": 3}],
            "annotations": []}"#,
    )
    .unwrap();
    std::fs::write(dir.join("samples.raw"), [9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]).unwrap();
    meta
}

#[test]
fn sigmf_recording() {
    let dir = tempfile::tempdir().unwrap();
    let meta = write_sigmf(dir.path());
    let mut source = open(meta.to_str().unwrap(), &InputOptions::default()).unwrap();
    assert_eq!((source.info().sample_rate_hz, source.info().center_hz), (4e6, 1_561.098e6));
    assert_eq!(source.total_samples(), Some(4));
    let block = source.next_block().unwrap().unwrap();
    let Samples::Complex(v) = block.samples else { panic!("complex samples expected") };
    assert_eq!(v.iter().flat_map(|z| [z.re, z.im]).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(source.next_block().unwrap().is_none());
    assert!(source.warnings().is_empty());
}

#[test]
fn a_rate_that_disagrees_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let meta = write_sigmf(dir.path());
    let options = InputOptions { rate_hz: Some(5e6), center_hz: Some(1_575.42e6), ..InputOptions::default() };
    let mut source = open(meta.to_str().unwrap(), &options).unwrap();
    assert_eq!((source.info().sample_rate_hz, source.info().center_hz), (5e6, 1_575.42e6));
    let warnings: Vec<String> = source.warnings().iter().map(ToString::to_string).collect();
    let data = dir.path().join("samples.raw").display().to_string();
    let meta = meta.display();
    assert_eq!(
        warnings,
        [
            format!(
                "{data}: the sample rate is 5000000 Hz by --rate, but 4000000 Hz by {meta}; the former is used"
            ),
            format!(
                "{data}: the centre frequency is 1575420000 Hz by --center, but 1561098000 Hz by {meta}; \
                 the former is used"
            ),
        ]
    );
}

#[test]
fn flags_then_config_then_sigmf_then_extension() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("rec.cu8");
    std::fs::write(&data, [1; 64]).unwrap();
    let path = data.to_str().unwrap();
    let config = dir.path().join("fe.toml");
    std::fs::write(&config, "sample_rate = 2e6\nformat = 's8'").unwrap();
    std::fs::write(
        dir.path().join("rec.sigmf-meta"),
        r#"{"global": {"core:datatype": "ri16_le", "core:sample_rate": 3e6},
            "captures": [{"core:frequency": 1.5e9}]}"#,
    )
    .unwrap();
    let with = |format: Option<SampleFormat>, config: Option<PathBuf>| {
        let mut source = open(path, &InputOptions { format, config, ..InputOptions::default() }).unwrap();
        let warnings: Vec<String> = source.warnings().iter().map(ToString::to_string).collect();
        (source.info().sample_rate_hz, source.total_samples().unwrap(), warnings)
    };
    // SigMF before the extension: 16-bit samples.
    assert_eq!(with(None, None), (3e6, 32, vec![]));
    let (rate, samples, warnings) = with(None, Some(config.clone()));
    assert_eq!((rate, samples), (2e6, 64));
    assert!(warnings[0].contains("the sample format is s8 by "), "{warnings:?}");
    assert!(warnings[0].contains("but s16 by "), "{warnings:?}");
    let (rate, samples, warnings) = with(Some(SampleFormat::S4), Some(config));
    assert_eq!((rate, samples, warnings.len()), (2e6, 128, 3));
}

#[test]
fn channels_that_do_not_exist() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("rec.bin");
    std::fs::write(&data, [1; 10]).unwrap();
    let said = |options: &InputOptions| open(data.to_str().unwrap(), options).err().unwrap().to_string();
    let config = Some(example("nt1065-ch1.toml"));
    for channel in [0, 5] {
        let options = InputOptions { config: config.clone(), channel: Some(channel), ..Default::default() };
        assert_eq!(said(&options), format!("{}: channel {channel} of 4 does not exist", data.display()));
    }
    let options = InputOptions {
        format: Some(SampleFormat::Cs8),
        rate_hz: Some(1e6),
        center_hz: Some(1e9),
        channel: Some(2),
        ..Default::default()
    };
    assert_eq!(said(&options), format!("{}: channel 2 of 1 does not exist", data.display()));
}

#[test]
fn metadata_with_several_captures_is_remarked() {
    let text = r#"{"global": {"core:datatype": "ci8"}, "captures": [{"core:frequency": 1e9}, {}]}"#;
    let meta = SigmfMeta::parse(text, "a").unwrap();
    assert_eq!(meta.remark.as_deref(), Some("2 captures, all samples are read as described by the first"));
    assert_eq!(meta.center_hz, Some(1e9));
}

#[test]
fn skipping_past_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("rec.s8");
    std::fs::write(&data, [1; 10]).unwrap();
    let config = dir.path().join("fe.toml");
    std::fs::write(&config, "sample_rate = 1e6\ncenter = 1e9\nskip_bytes = 10").unwrap();
    let options = InputOptions { config: Some(config), ..InputOptions::default() };
    let error = open(data.to_str().unwrap(), &options).err().unwrap().to_string();
    assert_eq!(error, format!("{}: no samples: all 10 bytes of the file are to be skipped", data.display()));
}

#[test]
fn mean_of_one_bit_samples_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("snap.bin");
    // A quarter of the bits are 1, which is negative: a mean of +0.5.
    std::fs::write(&data, vec![0b0001_0001u8; 2000]).unwrap();
    let options = InputOptions { config: Some(example("snappergps.toml")), ..InputOptions::default() };
    let mut source = open(data.to_str().unwrap(), &options).unwrap();
    let block = source.next_block().unwrap().unwrap();
    let Samples::Real(v) = block.samples else { panic!("real samples expected") };
    // Of +-100, the mean is 50.
    assert_eq!(v[..8], [-127, 50, 50, 50, -127, 50, 50, 50]);
}

/// The grabber file's bytes, decoded here by the words of its description.
#[test]
fn nt1065_recording() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/iq/ugsdr/nt1065_grabber.bin");
    if !path.exists() {
        eprintln!("SKIPPED: {} is absent", path.display());
        return;
    }
    let bytes = std::fs::read(&path).unwrap();
    for channel in 1..=4usize {
        let options = InputOptions {
            config: Some(example("nt1065-ch1.toml")),
            channel: Some(channel),
            ..InputOptions::default()
        };
        let mut source = open(path.to_str().unwrap(), &options).unwrap();
        assert_eq!(source.info().sample_rate_hz, 79.5e6);
        assert_eq!(source.info().center_hz, if channel <= 2 { 1590e6 } else { 1200e6 });
        assert!(!source.info().complex);
        let mut samples = Vec::new();
        while let Some(block) = source.next_block().unwrap() {
            let Samples::Real(v) = block.samples else { panic!("real samples expected") };
            samples.extend(v);
        }
        assert!(source.warnings().is_empty());
        assert_eq!(samples.len(), bytes.len());
        let shift = 8 - 2 * channel;
        assert!(samples.iter().zip(&bytes).all(|(&s, b)| s == [-1, 1, -3, 3][usize::from(b >> shift & 3)]));
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_or_understood(text in "\\PC*") {
        let _ = FrontEnd::parse(&text, "x");
        let _ = SigmfMeta::parse(&text, "x");
    }

    #[test]
    fn any_keys_and_values(
        keys in prop::collection::vec((
            prop::sample::select(vec!["sample_rate", "center", "carrier", "if", "sideband", "format", "bits",
                "map", "complex", "bit_order", "word_bits", "big_endian", "iq_order", "channels", "channel",
                "negate_q", "spectral_inversion", "skip_bytes", "remove_mean", "description", "other"]),
            prop::sample::select(vec!["0", "1", "-1", "2", "8", "16", "64", "9223372036854775807",
                "-9223372036854775808", "1e300", "nan", "inf", "true", "false", "'lower'", "'lsb'", "'qi'",
                "'cs8'", "'1G'", "'é'", "[]", "[1, -1]", "[1e9, '2M']", "[0, 1, 2, -128]", "{ a = 1 }"]),
        ), 0..8),
        channel in prop::option::of(any::<usize>()),
    ) {
        let text: String = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        if let Ok(front_end) = FrontEnd::parse(&text, "x") {
            let _ = front_end.center_hz(channel);
            if let Some(layout) = front_end.layout(channel) {
                let _ = megrez_dsp::Unpacker::new(layout, 10);
            }
        }
    }

    #[test]
    fn any_metadata_values(
        datatype in prop::sample::select(vec!["\"ci8\"", "\"cf32_le\"", "\"\"", "\"é\"", "\"c\"", "1", "null"]),
        values in prop::collection::vec(prop::sample::select(vec!["0", "-1", "1e400", "18446744073709551615",
            "\"x\"", "null", "[]", "{}", "1.5"]), 5),
    ) {
        let text = format!(
            r#"{{"global": {{"core:datatype": {datatype}, "core:sample_rate": {}, "core:num_channels": {},
                "core:trailing_bytes": {}}}, "captures": [{{"core:frequency": {}, "core:header_bytes": {}}}]}}"#,
            values[0], values[1], values[2], values[3], values[4]
        );
        let _ = SigmfMeta::parse(&text, "x");
    }
}
