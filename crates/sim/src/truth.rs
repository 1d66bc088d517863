//! What an ideal receiver would measure.

use std::io::Write;

use megrez_orbit::{Azel, Ecef, Geodetic, GnssTime};
use megrez_signal::{Sat, SignalId};
use serde::Serialize;

use crate::SimError;
use crate::path::Ray;
use crate::simulation::{C, Simulation};

/// The truth at one reading of the receiver clock.
#[derive(Debug, Clone, PartialEq)]
pub struct TruthEpoch {
    /// Seconds of receiver time since the first sample: sample index over nominal rate.
    pub receiver_s: f64,
    /// True time.
    pub time: GnssTime,
    /// Position of the antenna in m.
    pub position: Ecef,
    /// Its velocity in m/s.
    pub velocity: Ecef,
    /// Reading of the receiver clock minus true time in s.
    pub clock_offset_s: f64,
    /// Relative frequency error of the oscillator in s/s.
    pub clock_drift: f64,
    /// Signals that are heard, by satellite, then signal.
    pub signals: Vec<TruthSignal>,
}

/// The truth of one signal.
#[derive(Debug, Clone, PartialEq)]
pub struct TruthSignal {
    /// Satellite.
    pub sat: Sat,
    /// Signal.
    pub signal: SignalId,
    /// Direction.
    pub azel: Azel,
    /// C/N0 of the whole signal (data and pilot together) in dB-Hz.
    pub cn0_dbhz: f64,
    /// Distance from the satellite at transmission to the receiver at reception in m.
    pub range_m: f64,
    /// Its rate in m/s.
    pub range_rate_m_s: f64,
    /// Satellite clock offset in s, with the relativistic term, without group delay.
    pub sat_clock_s: f64,
    /// Group delay in s: the clock of the signal is the satellite clock minus this.
    pub group_delay_s: f64,
    /// Delay of the troposphere in m.
    pub troposphere_m: f64,
    /// Delay of the code by the ionosphere in m; the carrier is advanced by as much.
    pub ionosphere_m: f64,
    /// (Receiver clock reading - signal clock reading at transmission) times the speed of light, in m.
    pub pseudorange_m: f64,
    /// Carrier phase in cycles as in RINEX, increasing with the range: (receiver clock reading - satellite
    /// clock reading at transmission) times the carrier frequency, without group delay. A receiver's differs
    /// by a constant.
    pub carrier_phase_cycles: f64,
    /// Received minus nominal frequency in Hz, measured with the receiver's oscillator.
    pub doppler_hz: f64,
    /// Phase of the primary code at this instant, 0 to its length.
    pub code_phase_chips: f64,
}

impl Simulation {
    /// The truth at receiver time `receiver_s`, seconds from the first sample.
    pub fn truth(&self, receiver_s: f64) -> TruthEpoch {
        let t_s = self.true_s(receiver_s);
        let time = self.scene.start + t_s;
        let receiver = self.receiver(t_s);
        let clock_offset_s = self.scene.clock.offset_s + self.drift * t_s;
        let mut signals = Vec::new();
        for transmitter in &self.transmitters {
            let ray = Ray::new(&transmitter.eph, time, receiver);
            if !self.heard(&ray) {
                continue;
            }
            for sender in &transmitter.signals {
                let signal = sender.emission.signal;
                let air = sender.air.at(t_s);
                let code_delay = ray.delay_s() + sender.group_delay_s + air.code_s();
                let carrier_delay = ray.delay_s() + air.carrier_s();
                let carrier_rate = ray.delay_rate() + air.carrier_rate();
                let chips =
                    (self.scene.start - sender.emission.epoch + t_s - code_delay) * signal.chip_rate_hz;
                signals.push(TruthSignal {
                    sat: transmitter.sat,
                    signal: signal.id,
                    azel: ray.azel,
                    cn0_dbhz: self.scene.cn0.of(transmitter.sat, ray.azel),
                    range_m: ray.range_m,
                    range_rate_m_s: ray.range_rate,
                    sat_clock_s: ray.sat.clock_s,
                    group_delay_s: sender.group_delay_s,
                    troposphere_m: air.troposphere_m,
                    ionosphere_m: air.ionosphere_m,
                    pseudorange_m: C * (clock_offset_s + code_delay),
                    carrier_phase_cycles: signal.carrier_hz * (clock_offset_s + carrier_delay),
                    doppler_hz: signal.carrier_hz * ((1.0 - carrier_rate) / (1.0 + self.drift) - 1.0),
                    code_phase_chips: chips.rem_euclid(signal.code_length as f64),
                });
            }
        }
        TruthEpoch {
            receiver_s,
            time,
            position: receiver.0,
            velocity: receiver.1,
            clock_offset_s,
            clock_drift: self.drift,
            signals,
        }
    }

    /// Writes the truth as JSON lines: a first line on the recording, then one line an epoch, every
    /// `truth.interval_s` of receiver time, named as the fields of [`TruthEpoch`] and [`TruthSignal`].
    pub fn write_truth(&self, out: &mut dyn Write) -> Result<(), SimError> {
        let info = self.info();
        let head = Head {
            truth_version: 1,
            sample_rate_hz: info.sample_rate_hz,
            center_hz: info.center_hz,
            format: self.format().to_string(),
            samples: self.sample_count(),
            seed: self.scene().seed,
            notes: self.warnings(),
        };
        line(out, &head)?;
        let interval = self.scene().truth.interval_s;
        let count = (self.scene().duration_s / interval + 1e-9).floor() as u64;
        for k in 0..=count {
            line(out, &Line::from(&self.truth(k as f64 * interval)))?;
        }
        out.flush()?;
        Ok(())
    }
}

fn line(out: &mut dyn Write, value: &impl Serialize) -> Result<(), SimError> {
    serde_json::to_writer(&mut *out, value).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(())
}

#[derive(Serialize)]
struct Head<'a> {
    truth_version: u32,
    sample_rate_hz: f64,
    center_hz: f64,
    format: String,
    samples: u64,
    seed: u64,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Line {
    receiver_s: f64,
    gps_week: i64,
    gps_tow_s: f64,
    position_m: [f64; 3],
    velocity_m_s: [f64; 3],
    lat_deg: f64,
    lon_deg: f64,
    height_m: f64,
    clock_offset_s: f64,
    clock_drift: f64,
    signals: Vec<SignalLine>,
}

#[derive(Serialize)]
struct SignalLine {
    sat: String,
    signal: String,
    azimuth_deg: f64,
    elevation_deg: f64,
    cn0_dbhz: f64,
    range_m: f64,
    range_rate_m_s: f64,
    sat_clock_s: f64,
    group_delay_s: f64,
    troposphere_m: f64,
    ionosphere_m: f64,
    pseudorange_m: f64,
    carrier_phase_cycles: f64,
    doppler_hz: f64,
    code_phase_chips: f64,
}

impl From<&TruthEpoch> for Line {
    fn from(epoch: &TruthEpoch) -> Self {
        let (gps_week, gps_tow_s) = epoch.time.gpst();
        let Geodetic { lat_deg, lon_deg, height_m } = epoch.position.to_geodetic();
        let array = |v: Ecef| [v.x, v.y, v.z];
        Self {
            receiver_s: epoch.receiver_s,
            gps_week,
            gps_tow_s,
            position_m: array(epoch.position),
            velocity_m_s: array(epoch.velocity),
            lat_deg,
            lon_deg,
            height_m,
            clock_offset_s: epoch.clock_offset_s,
            clock_drift: epoch.clock_drift,
            signals: epoch.signals.iter().map(SignalLine::from).collect(),
        }
    }
}

impl From<&TruthSignal> for SignalLine {
    fn from(s: &TruthSignal) -> Self {
        Self {
            sat: s.sat.to_string(),
            signal: s.signal.to_string(),
            azimuth_deg: s.azel.azimuth_deg(),
            elevation_deg: s.azel.elevation_deg(),
            cn0_dbhz: s.cn0_dbhz,
            range_m: s.range_m,
            range_rate_m_s: s.range_rate_m_s,
            sat_clock_s: s.sat_clock_s,
            group_delay_s: s.group_delay_s,
            troposphere_m: s.troposphere_m,
            ionosphere_m: s.ionosphere_m,
            pseudorange_m: s.pseudorange_m,
            carrier_phase_cycles: s.carrier_phase_cycles,
            doppler_hz: s.doppler_hz,
            code_phase_chips: s.code_phase_chips,
        }
    }
}
