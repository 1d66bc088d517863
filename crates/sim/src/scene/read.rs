//! Values of a scene file, and errors that help.

use std::collections::BTreeMap;
use std::fmt;

use megrez_dsp::SampleFormat;
use megrez_orbit::GnssTime;
use megrez_signal::{Sat, SignalId};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::SimError;

/// The error of a scene text, with the line, and the nearest known key for an unknown one.
pub(super) fn scene_error(text: &str, error: &toml::de::Error) -> SimError {
    let line = error.span().map(|span| text.bytes().take(span.start).filter(|&b| b == b'\n').count() + 1);
    SimError::Scene { line, message: explain(error.message()) }
}

/// Serde says "unknown field `a`, expected one of `b`, `c`"; this adds which of them is meant.
fn explain(message: &str) -> String {
    if !message.starts_with("unknown field") && !message.starts_with("unknown variant") {
        return message.to_string();
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next().unwrap_or_default();
    let known: Vec<&str> = names.collect();
    let what = if message.starts_with("unknown field") { "key" } else { "value" };
    let mut text = format!("unknown {what} \"{unknown}\"");
    let nearest = known
        .iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(unknown, name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((_, name)) = nearest.filter(|(likeness, _)| *likeness > 0.4) {
        text += &format!("; did you mean \"{name}\"?");
    }
    if !known.is_empty() {
        text += &format!(" (known: {})", known.join(", "));
    }
    text
}

pub(super) fn instant<'de, D: Deserializer<'de>>(d: D) -> Result<GnssTime, D::Error> {
    super::parse_instant(&String::deserialize(d)?).map_err(D::Error::custom)
}

pub(super) fn format<'de, D: Deserializer<'de>>(d: D) -> Result<SampleFormat, D::Error> {
    String::deserialize(d)?.parse().map_err(D::Error::custom)
}

pub(super) fn signals<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<SignalId>, D::Error> {
    Vec::<String>::deserialize(d)?.iter().map(|name| name.parse().map_err(D::Error::custom)).collect()
}

pub(super) fn sats<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Sat>, D::Error> {
    Vec::<String>::deserialize(d)?.iter().map(|name| name.parse().map_err(D::Error::custom)).collect()
}

pub(super) fn sat<'de, D: Deserializer<'de>>(d: D) -> Result<Sat, D::Error> {
    String::deserialize(d)?.parse().map_err(D::Error::custom)
}

pub(super) fn by_sat<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<Sat, f64>, D::Error> {
    BTreeMap::<String, f64>::deserialize(d)?
        .iter()
        .map(|(name, &value)| Ok((name.parse().map_err(D::Error::custom)?, value)))
        .collect()
}

pub(super) fn quantity<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
    d.deserialize_any(Quantity)
}

pub(super) fn some_quantity<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
    quantity(d).map(Some)
}

/// A number, or a text such as "4M" or "1575.42M".
struct Quantity;

impl Visitor<'_> for Quantity {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a text such as \"4M\"")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        if value.is_finite() { Ok(value) } else { Err(E::custom(format!("{value} is no quantity"))) }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        let trimmed = text.trim();
        let powers = [("k", "e3"), ("K", "e3"), ("M", "e6"), ("G", "e9")];
        // The power of ten is read with the digits: a product would be a rounding away from it.
        powers
            .iter()
            .find_map(|(suffix, power)| Some(format!("{}{power}", trimmed.strip_suffix(suffix)?.trim_end())))
            .unwrap_or_else(|| trimmed.to_string())
            .parse::<f64>()
            .ok()
            .filter(|value| value.is_finite())
            .ok_or_else(|| E::custom(format!("\"{text}\" is no quantity such as 4M or 2.4e6")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{Receiver, Scene};

    #[test]
    fn a_full_scene() {
        let scene = Scene::from_toml(
            r#"
            start = "2026-03-01T06:00:00 BDT"
            duration_s = 12
            signals = ["B1I", "L1CA"]
            [receiver]
            motion = "circle"
            lat_deg = 30.0
            lon_deg = 114.0
            radius_m = 100
            speed_mps = 20.0
            [satellites]
            exclude = ["C59"]
            [cn0]
            constant_dbhz = 44
            satellites = { C26 = 38.5 }
            [front_end]
            sample_rate_hz = "20M"
            center_hz = "1568M"
            format = "cs16"
            "#,
        )
        .unwrap();
        assert_eq!(scene.duration_s, 12.0);
        assert_eq!(scene.front_end.sample_rate_hz, Some(20e6));
        assert_eq!(scene.cn0.satellites.get(&"C26".parse().unwrap()), Some(&38.5));
        assert!(matches!(scene.receiver, Receiver::Circle { height_m: 0.0, .. }));
    }

    #[test]
    fn a_misspelt_key_names_the_nearest() {
        let error = Scene::from_toml("seed = 1\ndurationn_s = 3\n").unwrap_err().to_string();
        assert!(
            error.starts_with("scene, line 2: unknown key \"durationn_s\"; did you mean \"duration_s\"?"),
            "{error}"
        );
        assert!(error.contains("known: start, duration_s"), "{error}");
        let error = Scene::from_toml("[front_end]\nsample_rate = 4e6\n").unwrap_err().to_string();
        assert!(error.contains("did you mean \"sample_rate_hz\"?"), "{error}");
        let error =
            Scene::from_toml("[receiver]\nmotion = \"circle\"\nlat_deg=1\nlon_deg=2\nradius=3\nspeed_mps=1")
                .unwrap_err()
                .to_string();
        assert!(error.contains("did you mean \"radius_m\"?"), "{error}");
        let error = Scene::from_toml("[receiver]\nmotion = \"cirkle\"").unwrap_err().to_string();
        assert!(error.contains("did you mean \"circle\"?"), "{error}");
    }

    #[test]
    fn wrong_values_are_named() {
        for (text, part) in [
            ("duration_s = -1", "duration_s: -1 is out of range"),
            ("start = \"tomorrow\"", "\"tomorrow\" is no time such as"),
            ("signals = [\"B9\"]", "\"B9\" is not a known signal"),
            ("signals = []", "no signal is named"),
            ("[front_end]\nformat = \"cs9\"", "unknown sample format \"cs9\""),
            ("[front_end]\nsample_rate_hz = \"4X\"", "\"4X\" is no quantity"),
            (
                "[front_end]\ncenter_hz = \"1575.42M\"\nsample_rate_hz = \"4M\"",
                "B1I at 1561.098 MHz lies outside",
            ),
            ("[satellites]\ninclude = [\"X1\"]", "\"X1\" is not a satellite"),
            (
                "[receiver]\nmotion = \"static\"\nlat_deg = 99\nlon_deg = 0",
                "receiver.lat_deg: 99 is out of range",
            ),
        ] {
            let error = Scene::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
    proptest! {
        #[test]
        fn no_text_panics(text in "([a-z_]{1,12}|[-0-9.=\\[\\]\"\n ]|nan|inf|duration_s|\\[cn0\\]|dc){0,30}") {
            let _ = Scene::from_toml(&text);
        }

        #[test]
        fn no_number_panics(key in "duration_s|clock.drift_ppm|truth.interval_s|front_end.center_hz|front_end.if_hz|front_end.sample_rate_hz|front_end.bandwidth_hz", value in any::<f64>()) {
            let _ = Scene::from_toml(&format!("{key} = {value:?}"));
        }
    }
}
