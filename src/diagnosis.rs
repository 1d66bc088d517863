//! Why there is no position, in words a person can act on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use megrez_dsp::{LevelStats, SampleBlock, StreamInfo, spectrum};

use megrez_signal::Sat;

use crate::SatStatus;
use crate::feed::Feed;

/// Share of samples at full scale above which a stream counts as clipping.
const CLIPPING: f64 = 0.02;
/// Mean relative to rms above which a stream has an offset worth naming.
const DC: f64 = 0.5;
/// Bins of the spectrum in which spurs are looked for.
const BINS: usize = 2048;
/// A bin so many dB above the median is a spur. Noise averaged over a block stays within a few dB.
const SPUR_DB: f32 = 15.0;
/// Satellites that a position in one system needs.
const NEEDED: usize = 4;

/// One thing that was noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was seen.
    pub what: String,
    /// What a person can do about it; empty if nothing.
    pub hint: String,
}

/// Everything noticed about a run, the most telling first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnosis {
    /// The findings.
    pub findings: Vec<Finding>,
}

/// What a run knows of itself.
pub(crate) struct Evidence<'a> {
    pub(crate) feeds: &'a [Feed],
    /// A rate other than the stated one at which satellites appear in the first stream.
    pub(crate) suspected_rate_hz: Option<f64>,
    pub(crate) satellites: &'a [SatStatus],
    pub(crate) oscillator_ppm: Option<f64>,
    pub(crate) duration_s: f64,
    pub(crate) fixed: bool,
    /// Why the last attempt at a position failed.
    pub(crate) refusal: Option<&'a str>,
}

impl Diagnosis {
    pub(crate) fn of(evidence: &Evidence<'_>) -> Self {
        let mut d = Self::default();
        for (place, feed) in (1..).zip(evidence.feeds) {
            let before = d.findings.len();
            d.levels(&feed.levels);
            if let Some(block) = &feed.specimen {
                d.spurs(&feed.info, block);
            }
            if evidence.feeds.len() > 1 {
                let own = d.findings.iter_mut().skip(before);
                own.for_each(|finding| finding.what = format!("stream {place}: {}", finding.what));
            }
        }
        let stated_hz = evidence.feeds.first().map_or(0.0, |feed| feed.info.sample_rate_hz);
        if let Some(rate_hz) = evidence.suspected_rate_hz {
            d.add(
                format!(
                    "satellites appear when the samples are taken as {} Msps, not {}",
                    rate_hz / 1e6,
                    stated_hz / 1e6
                ),
                format!("try --rate {}M", rate_hz / 1e6),
            );
        }
        if !evidence.fixed {
            d.satellites(evidence.feeds, evidence.satellites, evidence.duration_s);
            if let Some(refusal) = evidence.refusal {
                d.add(format!("the last attempt at a position failed: {refusal}"), "");
            }
        }
        if let Some(ppm) = evidence.oscillator_ppm.filter(|ppm| ppm.abs() > 5.0) {
            d.add(
                format!("the oscillator is off by about {ppm:+.1} ppm"),
                "normal for an RTL-SDR or HackRF; --state keeps it for a faster start next time",
            );
        }
        d
    }

    fn add(&mut self, what: impl Into<String>, hint: impl Into<String>) {
        self.findings.push(Finding { what: what.into(), hint: hint.into() });
    }

    fn levels(&mut self, levels: &LevelStats) {
        if levels.count() == 0 {
            return self.add("the stream holds no samples", "");
        }
        let rms = levels.rms();
        if rms < 1e-6 {
            return self.add("every sample is zero", "check the antenna, the front end and the file");
        }
        if levels.clipped() > CLIPPING && levels.distinct() > 16 {
            self.add(
                format!("{:.0} % of the samples are at full scale", levels.clipped() * 100.0),
                "lower the front end's gain",
            );
        }
        // Fewer values are a front end of one or two bits.
        if levels.distinct() > 4 && rms < 2.0 {
            self.add(
                format!("the level is low: rms {rms:.1} of 128"),
                "raise the front end's gain; check that the antenna has power",
            );
        }
        let dc = levels.mean_i().hypot(levels.mean_q()) / rms;
        if dc > DC {
            self.add(
                format!("a constant offset makes up {:.0} % of the level", dc * 100.0),
                "tune the front end some 100 kHz off the carrier, or check the sample format (cs8 or cu8?)",
            );
        }
    }

    /// Narrow lines in the spectrum, the constant offset aside.
    fn spurs(&mut self, info: &StreamInfo, block: &SampleBlock) {
        let density = spectrum(&block.samples, info, BINS);
        let mut sorted = density.clone();
        sorted.sort_by(f32::total_cmp);
        let Some(&median) = sorted.get(sorted.len() / 2) else { return };
        let step_hz = info.sample_rate_hz / density.len() as f64;
        let at_hz = |bin: usize| (bin as f64 - density.len() as f64 / 2.0) * step_hz;
        let strongest = density
            .iter()
            .enumerate()
            .filter(|&(bin, _)| at_hz(bin).abs() > 4.0 * step_hz)
            .max_by(|a, b| a.1.total_cmp(b.1));
        if let Some((bin, &db)) = strongest.filter(|&(_, &db)| db > median + SPUR_DB) {
            self.add(
                format!(
                    "a carrier near {:.3} MHz stands {:.0} dB above the rest of the spectrum",
                    (info.center_hz + at_hz(bin)) / 1e6,
                    db - median
                ),
                "interference, or a spur of the front end: try another gain, USB port or antenna place",
            );
        }
    }

    fn satellites(&mut self, feeds: &[Feed], satellites: &[SatStatus], duration_s: f64) {
        if satellites.is_empty() {
            let at = |StreamInfo { sample_rate_hz, center_hz, .. }: &StreamInfo| {
                format!("{} Msps around {:.3} MHz", sample_rate_hz / 1e6, center_hz / 1e6)
            };
            let streams: Vec<String> = feeds.iter().map(|feed| at(&feed.info)).collect();
            self.add(
                format!("no satellite was found in {duration_s:.1} s at {}", streams.join(" and ")),
                "check --rate, --center and --format (`megrez info` draws the spectrum); check that the antenna \
                 sees the sky",
            );
            return;
        }
        let count = |wanted: &dyn Fn(&SatStatus) -> bool| {
            let sats = satellites.iter().filter(|s| s.subframes > 0 && wanted(s)).map(|s| s.sat);
            sats.collect::<BTreeSet<Sat>>().len()
        };
        let synchronised = count(&|_| true);
        // Of several signals of a satellite the strongest.
        let mut strengths: BTreeMap<Sat, f64> = BTreeMap::new();
        for s in satellites {
            let cn0_dbhz = strengths.entry(s.sat).or_insert(s.cn0_dbhz);
            *cn0_dbhz = cn0_dbhz.max(s.cn0_dbhz);
        }
        let list: Vec<String> =
            strengths.iter().map(|(sat, cn0_dbhz)| format!("{sat} {cn0_dbhz:.0} dB-Hz")).collect();
        let strongest = satellites.iter().map(|s| s.cn0_dbhz).fold(0.0, f64::max);
        self.add(
            format!("{} satellites found: {}", strengths.len(), list.join(", ")),
            if strongest < 35.0 { "all are weak: better antenna, clear sky, or an amplifier" } else { "" },
        );
        if satellites.iter().all(|s| s.subframes == 0) {
            let hint = if duration_s < 12.0 {
                "messages take 6 s to start; give a longer recording, or use `megrez snapshot` with --nav"
            } else {
                "the rate may be slightly wrong, or the signals too weak to read their messages"
            };
            self.add("no satellite's message could be read", hint);
            return;
        }
        let complete = count(&|s| s.missing.is_empty());
        if complete < NEEDED {
            let missing: Vec<String> = satellites
                .iter()
                .filter(|s| s.subframes > 0 && !s.missing.is_empty())
                .map(|s| format!("{} ({})", s.sat, s.missing))
                .collect();
            let hint = if duration_s < 40.0 {
                "an ephemeris takes up to 36 s (D2: 30 s); give a longer recording, or known ephemerides with --nav or --state"
            } else {
                "give known ephemerides with --nav or --state"
            };
            self.add(
                format!(
                    "{complete} of {synchronised} satellites have a complete ephemeris, {NEEDED} are needed; missing: {}",
                    missing.join(", ")
                ),
                hint,
            );
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "- {}", finding.what)?;
            if !finding.hint.is_empty() {
                writeln!(f, "  hint: {}", finding.hint)?;
            }
        }
        Ok(())
    }
}
