use megrez_dsp::SampleFormat;
use megrez_orbit::TimeScale;
use serde_json::json;

use crate::simulation::Simulation;

impl Simulation {
    /// The SigMF metadata (specification 1.2) of the recording. Packed formats, for which SigMF has no name,
    /// go by this program's.
    pub fn sigmf_meta(&self) -> String {
        let info = self.info();
        let format = self.format();
        let datetime = format!("{}Z", self.scene().start.civil(TimeScale::Utc));
        let meta = json!({
            "global": {
                "core:version": "1.2.0",
                "core:datatype": datatype(format),
                "core:sample_rate": info.sample_rate_hz,
                "core:description": "simulated GNSS signals",
                "core:recorder": concat!("megrez ", env!("CARGO_PKG_VERSION")),
                "core:extensions": [{ "name": "megrez", "version": "1.0.0", "optional": true }],
                "megrez:format": format.name(),
            },
            "captures": [{
                "core:sample_start": 0,
                "core:frequency": info.center_hz,
                "core:datetime": datetime,
            }],
            "annotations": [],
        });
        format!("{meta:#}\n")
    }
}

fn datatype(format: SampleFormat) -> &'static str {
    match format {
        SampleFormat::Cs8 => "ci8",
        SampleFormat::Cs16 => "ci16_le",
        SampleFormat::Cf32 => "cf32_le",
        SampleFormat::S8 => "ri8",
        SampleFormat::U8 => "ru8",
        SampleFormat::S16 => "ri16_le",
        SampleFormat::F32 => "rf32_le",
        other => other.name(),
    }
}
