use std::ffi::OsString;
use std::path::{Path, PathBuf};

use megrez_dsp::format::{Layout, LayoutError, SampleFormat};
use megrez_dsp::{Stream, StreamInfo};

use crate::error::{SourceError, Warning};
use crate::frontend::{FrontEnd, Sideband};
use crate::sigmf::SigmfMeta;

/// What a person says of an input on the command line; it goes before every other description.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InputOptions {
    /// Sample format.
    pub format: Option<SampleFormat>,
    /// Sample rate in Hz.
    pub rate_hz: Option<f64>,
    /// Centre frequency in Hz, of the first stream if there are several.
    pub center_hz: Option<f64>,
    /// Centre frequencies in Hz of the further streams: of the further inputs, or of the further channels of one
    /// input, which are interleaved sample by sample.
    pub further_centers_hz: Vec<f64>,
    /// A front-end description ([`FrontEnd`]).
    pub config: Option<PathBuf>,
    /// The channel wanted of several, from 1; alone, even if the description has several streams.
    pub channel: Option<usize>,
    /// Which of the description's streams, from 1, this input is, if it describes several inputs.
    pub stream: Option<usize>,
}

impl InputOptions {
    /// The centres given, the first stream's first.
    fn centers_hz(&self) -> impl Iterator<Item = f64> {
        self.center_hz.into_iter().chain(self.further_centers_hz.iter().copied())
    }
}

/// Everything needed to read an input.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// Name for messages.
    pub name: String,
    /// Packing.
    pub layout: Layout,
    /// Rate, centre and kind.
    pub info: StreamInfo,
    /// The side of the centre on which it holds signals, if it is real and holds but one.
    pub sideband: Option<Sideband>,
    /// Bytes before the first sample.
    pub skip_bytes: u64,
    /// Bytes after the last sample.
    pub trailing_bytes: u64,
    /// The mean of each block is to be subtracted.
    pub remove_mean: bool,
    /// Disagreements between the descriptions.
    pub warnings: Vec<Warning>,
}

/// A value and the description it is from.
type Claim<T> = (String, Option<T>);

impl Resolved {
    /// The description of a stream without a file name; the first, if there are several.
    pub fn of_stream(name: &str, options: &InputOptions) -> Result<Self, SourceError> {
        first(name, Self::of_streams(name, options)?)
    }

    /// The descriptions of all streams of an input without a file name.
    pub fn of_streams(name: &str, options: &InputOptions) -> Result<Vec<Self>, SourceError> {
        Self::join_all(name, options, None, None)
    }

    /// The description of the file `path`, and the file that holds its samples (not `path` if that is the
    /// metadata of a SigMF recording); that of the first stream, if there are several.
    pub fn of_file(path: &Path, options: &InputOptions) -> Result<(PathBuf, Self), SourceError> {
        let (data, all) = Self::all_of_file(path, options)?;
        Ok((data, first(&path.display().to_string(), all)?))
    }

    /// As [`of_file`](Self::of_file), for all streams of the file.
    pub fn all_of_file(path: &Path, options: &InputOptions) -> Result<(PathBuf, Vec<Self>), SourceError> {
        let (data, meta) = find_sigmf(path)?;
        let extension = data.extension().and_then(|e| e.to_str()).and_then(SampleFormat::from_extension);
        let all = Self::join_all(&data.display().to_string(), options, meta, extension)?;
        Ok((data, all))
    }

    /// The frequencies that the stream covers.
    pub fn stream(&self) -> Stream {
        let (low, high) = self.info.coverage_hz();
        let center = self.info.center_hz;
        let covers_hz = match self.sideband.filter(|_| !self.info.complex) {
            Some(Sideband::Upper) => (center, high),
            Some(Sideband::Lower) => (low, center),
            None => (low, high),
        };
        Stream { info: self.info.clone(), covers_hz }
    }

    fn join_all(
        name: &str,
        options: &InputOptions,
        meta: Option<SigmfMeta>,
        extension: Option<SampleFormat>,
    ) -> Result<Vec<Self>, SourceError> {
        let mut config = options.config.as_deref().map(FrontEnd::read).transpose()?;
        if let (Some(place), Some(whole)) = (options.stream, &mut config)
            && !whole.streams.is_empty()
        {
            let count = whole.streams.len();
            let own = whole.streams.drain(..).nth(place.saturating_sub(1));
            config = Some(own.ok_or_else(|| SourceError::Streams {
                name: name.to_string(),
                message: format!("it is input {place}, but {} describes {count} streams", whole.name),
            })?);
        }
        let join = |options: &InputOptions, config: Option<&FrontEnd>| {
            Self::join(name, options, meta.clone(), extension, config)
        };
        let described = config.as_ref().map_or(&[][..], |c| &c.streams);
        let channel_of = |stream: &FrontEnd| stream.layout.as_ref().map_or(1, |l| l.channel + 1);
        let all = match options.channel {
            Some(channel) => {
                let stream = described.iter().find(|stream| channel_of(stream) == channel);
                vec![join(options, stream.or(config.as_ref()))?]
            }
            None if described.is_empty() => {
                let channels = 1 + options.further_centers_hz.len();
                let channel = |place: usize| (channels > 1).then_some(place);
                let centers = options.centers_hz().map(Some).chain(std::iter::repeat(None));
                (1..=channels)
                    .zip(centers)
                    .map(|(place, center_hz)| {
                        let own = InputOptions { center_hz, channel: channel(place), ..options.clone() };
                        join(&own, config.as_ref())
                    })
                    .collect::<Result<_, _>>()?
            }
            None if options.centers_hz().next().is_some() => {
                return Err(SourceError::Streams {
                    name: name.to_string(),
                    message: "give the centres by --center or by [[stream]], not both".to_string(),
                });
            }
            None => described.iter().map(|stream| join(options, Some(stream))).collect::<Result<_, _>>()?,
        };
        agree(name, &all)?;
        Ok(all)
    }

    fn join(
        name: &str,
        options: &InputOptions,
        meta: Option<SigmfMeta>,
        extension: Option<SampleFormat>,
        config: Option<&FrontEnd>,
    ) -> Result<Self, SourceError> {
        let name = name.to_string();
        let config_name = config.map(|c| c.name.clone()).unwrap_or_default();
        let meta_name = meta.as_ref().map(|m| m.name.clone()).unwrap_or_default();
        if let Some(rate) = options.rate_hz {
            check_rate("--rate", rate)?;
        }
        if let Some(center) = options.center_hz {
            check_center("--center", center)?;
        }
        let mut warnings = Vec::new();

        let meta_layout = meta.as_ref().map(|m| {
            let channel = options.channel.map_or(0, |c| c.checked_sub(1).unwrap_or(usize::MAX));
            Layout { channel, ..m.layout.clone() }
        });
        let layout = prefer(
            &name,
            "the sample format",
            [
                ("--format".to_string(), options.format.map(Layout::from)),
                (config_name.clone(), config.and_then(|c| c.layout(options.channel))),
                (meta_name.clone(), meta_layout),
            ],
            |a, b| a == b,
            describe,
            &mut warnings,
        )
        .or_else(|| extension.map(Layout::from))
        .ok_or_else(|| SourceError::MissingFormat { name: name.clone() })?;
        // A flag or an extension describes a single channel; several centres say that there are more.
        let channels = 1 + options.further_centers_hz.len();
        let layout = match options.channel {
            Some(channel @ 1..) if channels > 1 && layout.channels == 1 => {
                Layout { channels, channel: channel - 1, ..layout }
            }
            _ => layout,
        };
        let wanted = options.channel.unwrap_or(layout.channel.saturating_add(1));
        let found = if wanted == layout.channel.saturating_add(1) {
            layout.check()
        } else {
            Err(LayoutError::Channel { channel: wanted, channels: layout.channels })
        };
        found.map_err(|source| SourceError::Layout { name: name.clone(), source })?;

        let rate = prefer(
            &name,
            "the sample rate",
            [
                ("--rate".to_string(), options.rate_hz),
                (config_name.clone(), config.and_then(|c| c.sample_rate_hz)),
                (meta_name.clone(), meta.as_ref().and_then(|m| m.sample_rate_hz)),
            ],
            |a, b| (a - b).abs() <= 1e-9 * b.abs(),
            |rate| format!("{rate} Hz"),
            &mut warnings,
        )
        .ok_or_else(|| SourceError::MissingRate { name: name.clone() })?;
        check_rate(&name, rate)?;
        let center = prefer(
            &name,
            "the centre frequency",
            [
                ("--center".to_string(), options.center_hz),
                (config_name, config.and_then(|c| c.center_hz(options.channel))),
                (meta_name, meta.as_ref().and_then(|m| m.center_hz)),
            ],
            |a, b| (a - b).abs() <= 0.5,
            |center| format!("{center} Hz"),
            &mut warnings,
        )
        .ok_or_else(|| SourceError::MissingCenter { name: name.clone() })?;
        check_center(&name, center)?;
        if let Some(SigmfMeta { name, remark: Some(message), .. }) = &meta {
            warnings.push(Warning::Metadata { name: name.clone(), message: message.clone() });
        }

        let config_skip = config.map(|c| c.skip_bytes).filter(|&skip| skip > 0);
        Ok(Self {
            name,
            info: StreamInfo { sample_rate_hz: rate, center_hz: center, complex: layout.complex },
            layout,
            sideband: config.and_then(|c| c.sideband),
            skip_bytes: config_skip.or_else(|| meta.as_ref().map(|m| m.header_bytes)).unwrap_or(0),
            trailing_bytes: meta.as_ref().map_or(0, |m| m.trailing_bytes),
            remove_mean: config.is_some_and(|c| c.remove_mean),
            warnings,
        })
    }
}

/// The first of the streams.
fn first(name: &str, all: Vec<Resolved>) -> Result<Resolved, SourceError> {
    let message = "no stream is described".to_string();
    all.into_iter().next().ok_or_else(|| SourceError::Streams { name: name.to_string(), message })
}

/// Whether streams can be channels of one input.
fn agree(name: &str, all: &[Resolved]) -> Result<(), SourceError> {
    let refuse = |message: String| Err(SourceError::Streams { name: name.to_string(), message });
    let Some(first) = all.first() else { return Ok(()) };
    let alike = |a: &Resolved| {
        let layout =
            Layout { channel: first.layout.channel, conjugate: first.layout.conjugate, ..a.layout.clone() };
        layout == first.layout
            && a.skip_bytes == first.skip_bytes
            && a.info.sample_rate_hz == first.info.sample_rate_hz
    };
    if !all.iter().all(alike) {
        return refuse(
            "its streams must have one packing, sample rate and number of bytes to skip".to_string(),
        );
    }
    if all.len() > first.layout.channels {
        return refuse(format!(
            "{} streams are described, but it has {} channel{}; give channels, or one input for each stream",
            all.len(),
            first.layout.channels,
            if first.layout.channels == 1 { "" } else { "s" }
        ));
    }
    Ok(())
}

/// The first value claimed; a warning for each later one that differs.
fn prefer<T>(
    name: &str,
    what: &'static str,
    claims: [Claim<T>; 3],
    same: impl Fn(&T, &T) -> bool,
    show: impl Fn(&T) -> String,
    warnings: &mut Vec<Warning>,
) -> Option<T> {
    let mut given = claims.into_iter().filter_map(|(from, value)| value.map(|v| (from, v)));
    let (from, used) = given.next()?;
    for (other, value) in given.filter(|(_, value)| !same(&used, value)) {
        warnings.push(Warning::Disagreement {
            name: name.to_string(),
            what,
            used: format!("{} by {from}", show(&used)),
            ignored: format!("{} by {other}", show(&value)),
        });
    }
    Some(used)
}

/// A packing in words.
fn describe(layout: &Layout) -> String {
    let common = SampleFormat::ALL.into_iter().find(|&format| Layout::from(format) == *layout);
    common.map(|format| format.to_string()).unwrap_or_else(|| {
        let kind = if layout.complex { "complex" } else { "real" };
        format!("{}-bit {kind}, channel {} of {}", layout.code.bits(), layout.channel + 1, layout.channels)
    })
}

/// The file of samples that `path` stands for, and the metadata beside it.
fn find_sigmf(path: &Path) -> Result<(PathBuf, Option<SigmfMeta>), SourceError> {
    let is = |suffix: &str| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(suffix));
    if is("sigmf-meta") {
        let meta = SigmfMeta::read(path)?;
        let data = match &meta.dataset {
            // A dataset lies beside its metadata: only a file name is meant, not a path.
            Some(dataset) => match Path::new(dataset).file_name() {
                Some(file) => path.with_file_name(file),
                None => {
                    return Err(SourceError::Sigmf {
                        name: meta.name,
                        message: format!("core:dataset \"{dataset}\" is no file name"),
                    });
                }
            },
            None => path.with_extension("sigmf-data"),
        };
        return Ok((data, Some(meta)));
    }
    let mut appended = OsString::from(path.as_os_str());
    appended.push(".sigmf-meta");
    let beside = [PathBuf::from(appended), path.with_extension("sigmf-meta")];
    let meta = beside.iter().find(|p| p.is_file()).map(|p| SigmfMeta::read(p)).transpose()?;
    Ok((path.to_path_buf(), meta))
}

/// Whether a sample rate is one.
pub(crate) fn check_rate(name: &str, rate: f64) -> Result<(), SourceError> {
    if (1.0e3..=1.0e10).contains(&rate) {
        return Ok(());
    }
    Err(SourceError::OutOfRange {
        name: name.to_string(),
        what: "a sample rate",
        value: format!("{rate} Hz"),
        allowed: "1 kHz to 10 GHz",
    })
}

/// Whether a centre frequency is one; 0 means that carriers appear at their own frequencies.
pub(crate) fn check_center(name: &str, center: f64) -> Result<(), SourceError> {
    if (0.0..=1.0e11).contains(&center) {
        return Ok(());
    }
    Err(SourceError::OutOfRange {
        name: name.to_string(),
        what: "a centre frequency",
        value: format!("{center} Hz"),
        allowed: "0 to 100 GHz",
    })
}
