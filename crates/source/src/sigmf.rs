use std::path::Path;

use megrez_dsp::format::{Code, Layout, SampleFormat};
use serde_json::Value;

use crate::error::SourceError;

/// What the metadata of a SigMF recording says of its samples (SigMF specification 1.2).
#[derive(Debug, Clone, PartialEq)]
pub struct SigmfMeta {
    /// Name of the metadata, for messages.
    pub name: String,
    /// `core:datatype` as written.
    pub datatype: String,
    /// Packing.
    pub layout: Layout,
    /// `core:sample_rate` in Hz.
    pub sample_rate_hz: Option<f64>,
    /// `core:frequency` of the first capture in Hz.
    pub center_hz: Option<f64>,
    /// `core:header_bytes` of the first capture.
    pub header_bytes: u64,
    /// `core:trailing_bytes`: bytes after the last sample.
    pub trailing_bytes: u64,
    /// `core:dataset`: name of the file of samples, if it is not the usual one.
    pub dataset: Option<String>,
    /// A remark, for example that only the first of several captures is described.
    pub remark: Option<String>,
}

impl SigmfMeta {
    /// Reads a `.sigmf-meta` file.
    pub fn read(path: &Path) -> Result<Self, SourceError> {
        let text = crate::reader::read_text(path)?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads the metadata `text`, called `name` in messages.
    pub fn parse(text: &str, name: &str) -> Result<Self, SourceError> {
        let error = |message: String| SourceError::Sigmf { name: name.to_string(), message };
        let root: Value = serde_json::from_str(text).map_err(|e| error(format!("no valid JSON: {e}")))?;
        let global = root
            .get("global")
            .filter(|v| v.is_object())
            .ok_or_else(|| error("no \"global\" object, so no SigMF metadata".to_string()))?;
        let number = |at: &Value, key: &str| match at.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                value.as_f64().map(Some).ok_or_else(|| error(format!("{key}: {value} is no number")))
            }
        };
        let count = |at: &Value, key: &str| match at.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                value.as_u64().map(Some).ok_or_else(|| error(format!("{key}: {value} is no whole number")))
            }
        };
        let datatype = global
            .get("core:datatype")
            .and_then(Value::as_str)
            .ok_or_else(|| error("core:datatype is missing".to_string()))?;
        let mut layout = layout_of(datatype).map_err(error)?;
        layout.channels = match count(global, "core:num_channels")? {
            None => 1,
            Some(n @ 1..=64) => n as usize,
            Some(n) => return Err(error(format!("core:num_channels: {n} is out of range (1 to 64)"))),
        };
        let captures = root.get("captures").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let first = captures.first().unwrap_or(&Value::Null);
        let remark = (captures.len() > 1)
            .then(|| format!("{} captures, all samples are read as described by the first", captures.len()));
        Ok(Self {
            name: name.to_string(),
            datatype: datatype.to_string(),
            layout,
            sample_rate_hz: number(global, "core:sample_rate")?,
            center_hz: number(first, "core:frequency")?,
            header_bytes: count(first, "core:header_bytes")?.unwrap_or(0),
            trailing_bytes: count(global, "core:trailing_bytes")?.unwrap_or(0),
            dataset: global.get("core:dataset").and_then(Value::as_str).map(str::to_string),
            remark,
        })
    }
}

/// The packing of a `core:datatype`; this program's own names of packed formats are understood too.
fn layout_of(datatype: &str) -> Result<Layout, String> {
    if let Ok(format @ (SampleFormat::Cs1 | SampleFormat::Cs2 | SampleFormat::Cs4)) = datatype.parse() {
        return Ok(format.into());
    }
    if let Ok(format @ (SampleFormat::S1 | SampleFormat::S2 | SampleFormat::S4)) = datatype.parse() {
        return Ok(format.into());
    }
    let unsupported = || {
        format!(
            "core:datatype \"{datatype}\" is not supported \
             (ci8 cu8 ci16_le ci16_be cf32_le cf32_be and ri8 ru8 ri16_le ri16_be rf32_le rf32_be are)"
        )
    };
    let complex = match datatype.chars().next() {
        Some('c') => true,
        Some('r') => false,
        _ => return Err(unsupported()),
    };
    let code = match datatype.get(1..).unwrap_or_default() {
        "i8" => Code::I8,
        "u8" => Code::U8,
        "i16_le" => Code::I16 { big_endian: false },
        "i16_be" => Code::I16 { big_endian: true },
        "f32_le" => Code::F32 { big_endian: false },
        "f32_be" => Code::F32 { big_endian: true },
        "i16" | "f32" => {
            return Err(format!(
                "core:datatype \"{datatype}\" lacks its byte order (\"{datatype}_le\" or \"{datatype}_be\")"
            ));
        }
        _ => return Err(unsupported()),
    };
    Ok(Layout { code, complex, ..Layout::from(SampleFormat::S8) })
}
