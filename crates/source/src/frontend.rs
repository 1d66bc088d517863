use std::path::Path;

use megrez_dsp::format::{BitOrder, Code, Layout, SampleFormat};
use serde::Deserialize;

use crate::error::SourceError;
use crate::quantity::parse_quantity;
use crate::resolve::{check_center, check_rate};

/// A front end described in TOML.
///
/// ```toml
/// # First channel of an NT1065: 2-bit real samples of four channels in a byte.
/// sample_rate = "79.5M"
/// center = "1590M"         # the local oscillator; a signal at f sits at f - 1590 MHz
/// bits = 2
/// map = [-1, 1, -3, 3]     # value of code 0, 1, 2, 3
/// channels = 4             # interleaved, the first in the most significant bits
/// channel = 1
/// ```
///
/// | key | meaning | default |
/// |---|---|---|
/// | `description` | free text | |
/// | `sample_rate` | samples a second of one channel | |
/// | `center` | frequency that appears at 0 Hz (a real stream: the oscillator); one number, or one a channel | |
/// | `carrier`, `if` | instead of `center`: a radio frequency and where it appears | |
/// | `sideband` | of a real stream: `"upper"`, or `"lower"` if the oscillator is above the carriers | with `if`: `"upper"`; else both are there |
/// | `format` | a common format such as `"cs8"`; or: | |
/// | `bits` | bits of a component, 1 to 8, 16 (integer) or 32 (float) | |
/// | `map` | value of each code, -127 to 127 | as the common formats |
/// | `complex` | two components a sample | `false` |
/// | `bit_order` | `"msb"` or `"lsb"`: which end of a word is earliest | `"msb"` |
/// | `word_bits` | size of the little-endian word in which bits are counted: 8, 16, 32, 64 | 8 |
/// | `big_endian` | byte order of 16- and 32-bit components | `false` |
/// | `iq_order` | `"iq"` or `"qi"` | `"iq"` |
/// | `channels`, `channel` | interleaved channels, and the one wanted, from 1 | 1 |
/// | `negate_q` | Q is stored with the wrong sign | `false` |
/// | `spectral_inversion` | the spectrum of a complex stream is mirrored | `false` |
/// | `skip_bytes` | bytes before the first sample | 0 |
/// | `remove_mean` | subtract the mean of each block (1-bit samples of a biased comparator) | `false` |
///
/// Frequencies are numbers in Hz or text with a suffix, `"1561.098M"`.
///
/// Tables `[[stream]]` describe several streams of one clock that are received together. Each has keys as above, which
/// go before those of the whole file. They are the `channels` of one input, of which the first table takes the first
/// unless it names its `channel`, or, without `channels`, one input each:
///
/// ```toml
/// sample_rate = "79.5M"
/// bits = 2
/// channels = 4
/// [[stream]]
/// center = "1590M"
/// sideband = "lower"
/// [[stream]]
/// channel = 3
/// center = "1200M"
/// sideband = "lower"
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FrontEnd {
    /// Name of the description, for messages.
    pub name: String,
    /// Packing with its channel, if described.
    pub layout: Option<Layout>,
    /// Samples a second, if described.
    pub sample_rate_hz: Option<f64>,
    /// Centre frequency of each channel in Hz, or one for all; empty if not described.
    pub centers_hz: Vec<f64>,
    /// Bytes before the first sample.
    pub skip_bytes: u64,
    /// The mean of each block is to be subtracted.
    pub remove_mean: bool,
    /// The side of the centre on which a real stream holds signals, if it holds but one.
    pub sideband: Option<Sideband>,
    /// The streams, each whole in itself; empty if there is but one.
    pub streams: Vec<FrontEnd>,
}

/// A side of a real stream's centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sideband {
    /// Above the centre.
    Upper,
    /// Below it.
    Lower,
}

/// Key of the tables of streams.
const STREAM: &str = "stream";

/// Keys of a description, as in the table above.
const KEYS: [&str; 20] = [
    "description",
    "sample_rate",
    "center",
    "carrier",
    "if",
    "sideband",
    "format",
    "bits",
    "map",
    "complex",
    "bit_order",
    "word_bits",
    "big_endian",
    "iq_order",
    "channels",
    "channel",
    "negate_q",
    "spectral_inversion",
    "skip_bytes",
    "remove_mean",
];

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "description")]
    _description: Option<String>,
    sample_rate: Option<Quantity>,
    center: Option<OneOrMany>,
    carrier: Option<Quantity>,
    #[serde(rename = "if")]
    intermediate: Option<Quantity>,
    sideband: Option<Sideband>,
    format: Option<String>,
    bits: Option<i64>,
    map: Option<Vec<i64>>,
    complex: Option<bool>,
    bit_order: Option<Bits>,
    word_bits: Option<i64>,
    big_endian: Option<bool>,
    iq_order: Option<IqOrder>,
    channels: Option<i64>,
    channel: Option<i64>,
    #[serde(default)]
    negate_q: bool,
    #[serde(default)]
    spectral_inversion: bool,
    #[serde(default)]
    skip_bytes: i64,
    #[serde(default)]
    remove_mean: bool,
}

#[derive(Deserialize, Clone)]
#[serde(untagged, expecting = "expected a frequency in Hz, or text such as \"4M\"")]
enum Quantity {
    Integer(i64),
    Number(f64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a frequency, or a list of one for each channel")]
enum OneOrMany {
    One(Quantity),
    Many(Vec<Quantity>),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Bits {
    Msb,
    Lsb,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum IqOrder {
    Iq,
    Qi,
}

impl FrontEnd {
    /// Reads the description in a file.
    pub fn read(path: &Path) -> Result<Self, SourceError> {
        let text = crate::reader::read_text(path)?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads the description `text`, called `name` in messages.
    pub fn parse(text: &str, name: &str) -> Result<Self, SourceError> {
        let config = |message: String| SourceError::Config { name: name.to_string(), message };
        let syntax = |e: toml::de::Error| {
            let line = e.span().map_or(1, |span| line_of(text, span.start));
            SourceError::Config { name: format!("{name}:{line}"), message: e.message().replace('\n', " ") }
        };
        let mut table: toml::Table = toml::from_str(text).map_err(syntax)?;
        let tables = match table.remove(STREAM) {
            None => Vec::new(),
            Some(value) => {
                let tables: Result<Vec<toml::Table>, _> = value.try_into();
                tables.map_err(|_| config("stream: tables [[stream]] are needed".to_string()))?
            }
        };
        for key in table.keys().chain(tables.iter().flat_map(toml::Table::keys)) {
            if !KEYS.contains(&key.as_str()) {
                return Err(SourceError::UnknownKey {
                    name: name.to_string(),
                    line: line_of_key(text, key),
                    key: key.clone(),
                    hint: nearest(key),
                });
            }
        }
        let mut front_end = Self::of(toml::from_str(text).map_err(syntax)?, name)?;
        for (place, own) in (1..).zip(tables) {
            let name = format!("{name}, stream {place}");
            let mut whole = table.clone();
            if whole.contains_key("channels") || own.contains_key("channels") {
                whole.insert("channel".to_string(), toml::Value::Integer(place));
            }
            whole.extend(own);
            let raw = toml::Value::Table(whole).try_into().map_err(|e: toml::de::Error| {
                SourceError::Config { name: name.clone(), message: e.message().replace('\n', " ") }
            })?;
            front_end.streams.push(Self::of(raw, &name)?);
        }
        Ok(front_end)
    }

    fn of(raw: Raw, name: &str) -> Result<Self, SourceError> {
        let config = |message: String| SourceError::Config { name: name.to_string(), message };
        let hertz = |q: &Quantity, what: &str| match q {
            Quantity::Integer(n) => Ok(*n as f64),
            Quantity::Number(x) => Ok(*x),
            Quantity::Text(t) => {
                parse_quantity(t).ok_or_else(|| config(format!("{what}: \"{t}\" is no frequency")))
            }
        };

        let layout = raw.layout(name)?;
        let channels = layout.as_ref().map_or(1, |l| l.channels);
        let sample_rate_hz = raw.sample_rate.as_ref().map(|q| hertz(q, "sample_rate")).transpose()?;
        if let Some(rate) = sample_rate_hz {
            check_rate(name, rate)?;
        }
        let mut centers_hz = match &raw.center {
            None => Vec::new(),
            Some(OneOrMany::One(q)) => vec![hertz(q, "center")?],
            Some(OneOrMany::Many(list)) => {
                list.iter().map(|q| hertz(q, "center")).collect::<Result<Vec<_>, _>>()?
            }
        };
        if centers_hz.len() > 1 && centers_hz.len() != channels
            || matches!(&raw.center, Some(OneOrMany::Many(list)) if list.is_empty())
        {
            return Err(config(format!(
                "center lists {} frequencies for a number of channels of {channels}",
                centers_hz.len()
            )));
        }
        let complex = layout.as_ref().is_some_and(|l| l.complex);
        if raw.sideband.is_some() && complex {
            return Err(config("sideband describes real samples; use spectral_inversion".to_string()));
        }
        match (&raw.carrier, &raw.intermediate) {
            (Some(_), Some(_)) if !centers_hz.is_empty() => {
                return Err(config("give center, or carrier and if, not both".to_string()));
            }
            (Some(carrier), Some(intermediate)) => {
                let (carrier, intermediate) = (hertz(carrier, "carrier")?, hertz(intermediate, "if")?);
                let below = raw.sideband != Some(Sideband::Lower);
                centers_hz.push(if below { carrier - intermediate } else { carrier + intermediate });
            }
            (None, None) => {}
            (Some(_), None) => return Err(config("carrier needs if".to_string())),
            (None, Some(_)) => return Err(config("if needs carrier".to_string())),
        }
        for &center in &centers_hz {
            check_center(name, center)?;
        }
        let skip_bytes = u64::try_from(raw.skip_bytes)
            .map_err(|_| out_of_range(name, "skip_bytes", raw.skip_bytes, "0 or more"))?;
        Ok(Self {
            name: name.to_string(),
            layout,
            sample_rate_hz,
            centers_hz,
            skip_bytes,
            remove_mean: raw.remove_mean,
            sideband: raw.sideband,
            streams: Vec::new(),
        })
    }

    /// The packing with the channel `channel` (from 1) instead of the described one.
    pub fn layout(&self, channel: Option<usize>) -> Option<Layout> {
        let mut layout = self.layout.clone()?;
        if let Some(channel) = channel {
            // Channel 0 does not exist; the check of the layout says so.
            layout.channel = channel.checked_sub(1).unwrap_or(usize::MAX);
        }
        Some(layout)
    }

    /// The centre frequency of channel `channel` (from 1; the described one if none) in Hz.
    pub fn center_hz(&self, channel: Option<usize>) -> Option<f64> {
        let index = match channel {
            Some(channel) => channel.checked_sub(1)?,
            None => self.layout.as_ref().map_or(0, |l| l.channel),
        };
        match self.centers_hz.as_slice() {
            [] => None,
            [one] => Some(*one),
            many => many.get(index).copied(),
        }
    }
}

impl Raw {
    fn layout(&self, name: &str) -> Result<Option<Layout>, SourceError> {
        let config =
            |message: &str| SourceError::Config { name: name.to_string(), message: message.to_string() };
        let mut layout = match (&self.format, self.bits) {
            (Some(_), Some(_)) => return Err(config("give format or bits, not both")),
            (Some(_), None) if self.complex.is_some() => {
                return Err(config("format says whether samples are complex; leave complex out"));
            }
            (Some(format), None) => {
                let format: SampleFormat =
                    format.parse().map_err(|e: megrez_dsp::format::UnknownFormat| SourceError::Config {
                        name: name.to_string(),
                        message: e.to_string(),
                    })?;
                Layout::from(format)
            }
            (None, Some(bits)) => {
                let allowed = "1 to 8, 16 or 32";
                let code = match bits {
                    16 => Code::I16 { big_endian: false },
                    32 => Code::F32 { big_endian: false },
                    8 if self.map.is_none() => Code::I8,
                    1..=8 => Code::packed(bits as u8)
                        .map_err(|source| SourceError::Layout { name: name.to_string(), source })?,
                    _ => return Err(out_of_range(name, "bits", bits, allowed)),
                };
                Layout { code, complex: self.complex.unwrap_or(false), ..Layout::from(SampleFormat::S8) }
            }
            (None, None) => {
                let orphan = [
                    (self.map.is_some(), "map"),
                    (self.complex.is_some(), "complex"),
                    (self.channels.is_some(), "channels"),
                    (self.channel.is_some(), "channel"),
                    (self.bit_order.is_some(), "bit_order"),
                    (self.word_bits.is_some(), "word_bits"),
                    (self.big_endian.is_some(), "big_endian"),
                    (self.iq_order.is_some(), "iq_order"),
                    (self.negate_q, "negate_q"),
                    (self.spectral_inversion, "spectral_inversion"),
                ];
                return match orphan.iter().find(|(given, _)| *given) {
                    Some((_, key)) => Err(config(&format!("{key} needs bits or format"))),
                    None => Ok(None),
                };
            }
        };
        if let Some(map) = &self.map {
            let Code::Packed { map: values, .. } = &mut layout.code else {
                return Err(config("a map needs components of 1 to 8 bits, given by bits"));
            };
            *values = map
                .iter()
                .map(|&value| {
                    i8::try_from(value)
                        .ok()
                        .filter(|v| *v >= -127)
                        .ok_or_else(|| out_of_range(name, "map value", value, "-127 to 127"))
                })
                .collect::<Result<_, _>>()?;
        }
        if let (Some(big), Code::I16 { big_endian } | Code::F32 { big_endian }) =
            (self.big_endian, &mut layout.code)
        {
            *big_endian = big;
        }
        let count = |value: Option<i64>, what| match value {
            None => Ok(1),
            Some(n) if (1..=64).contains(&n) => Ok(n as usize),
            Some(n) => Err(out_of_range(name, what, n, "1 to 64")),
        };
        layout.channels = count(self.channels, "channels")?;
        layout.channel = count(self.channel, "channel")? - 1;
        layout.word_bytes = match self.word_bits {
            None => 1,
            Some(bits @ (8 | 16 | 32 | 64)) => bits as usize / 8,
            Some(bits) => return Err(out_of_range(name, "word_bits", bits, "8, 16, 32 or 64")),
        };
        layout.bit_order = match self.bit_order {
            Some(Bits::Lsb) => BitOrder::LsbFirst,
            Some(Bits::Msb) | None => BitOrder::MsbFirst,
        };
        layout.q_first = matches!(self.iq_order, Some(IqOrder::Qi));
        layout.conjugate = self.negate_q != self.spectral_inversion;
        layout.check().map_err(|source| SourceError::Layout { name: name.to_string(), source })?;
        Ok(Some(layout))
    }
}

fn out_of_range(name: &str, what: &'static str, value: i64, allowed: &'static str) -> SourceError {
    SourceError::OutOfRange { name: name.to_string(), what, value: value.to_string(), allowed }
}

/// The known key most like `key`, if any is like it.
fn nearest(key: &str) -> Option<String> {
    let key = key.to_ascii_lowercase().replace('-', "_");
    // Words people use for the same thing.
    let synonym = match key.as_str() {
        "rate" | "fs" | "sampling_rate" | "samplerate" => Some("sample_rate"),
        "lo" | "frequency" | "freq" | "local_oscillator" | "centre" => Some("center"),
        "offset" | "byte_offset" | "header_bytes" => Some("skip_bytes"),
        "intermediate_frequency" => Some("if"),
        _ => None,
    };
    synonym
        .or_else(|| {
            KEYS.into_iter()
                .map(|known| (strsim::normalized_damerau_levenshtein(&key, known), known))
                .filter(|(likeness, _)| *likeness >= 0.5)
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, known)| known)
        })
        .map(str::to_string)
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&b| b == b'\n').count()
}

fn line_of_key(text: &str, key: &str) -> usize {
    text.lines()
        .position(|line| {
            line.trim_start_matches([' ', '\t', '[', '"', '\''])
                .strip_prefix(key)
                .is_some_and(|rest| rest.starts_with([' ', '\t', '=', ']', '"', '\'', '.']))
        })
        .map_or(1, |index| index + 1)
}
