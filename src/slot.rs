//! One signal of one satellite: its channel, its message, and its place in time.

use megrez_dsp::{BandView, Level};
use megrez_nav::{Decoder, Subframe};
use megrez_orbit::{GnssTime, Observation, TimeScale};
use megrez_signal::{NavMessage, SPEED_OF_LIGHT, Sat, Signal};
use megrez_track::{Channel, ChannelEvent, ChannelStart, ChannelState, Measurement, TrackConfig};

use crate::config::message_of;

/// Transmit time of the start of one code period.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    period: u64,
    time: GnssTime,
    /// Read from a message, not predicted.
    read: bool,
}

/// What a channel yielded in one block.
pub(crate) enum SlotEvent {
    Synchronised { sample: u64 },
    Subframe { sample: u64, subframe: Box<Subframe> },
    Lost { sample: u64, reason: String },
}

pub(crate) struct Slot {
    pub(crate) sat: Sat,
    pub(crate) signal: &'static Signal,
    pub(crate) band: usize,
    channel: Channel,
    decoder: Option<Decoder>,
    raw: Vec<ChannelEvent>,
    anchor: Option<Anchor>,
    /// A subframe that disagreed with the anchor.
    doubt: Option<Anchor>,
    /// Sign of the symbols is known to be inverted (true) or not (false).
    inverted: Option<bool>,
    /// Whole cycles added to the channel's phase.
    phase_shift_cycles: Option<f64>,
    reported_slips: u32,
    pub(crate) last_cn0_dbhz: f64,
    pub(crate) last_doppler_hz: f64,
    pub(crate) subframes: u32,
}

impl Slot {
    pub(crate) fn new(
        sat: Sat,
        signal: &'static Signal,
        band: usize,
        rate_hz: f64,
        level: Level,
        start: ChannelStart,
        config: &TrackConfig,
    ) -> Self {
        Self {
            sat,
            signal,
            band,
            decoder: message_of(signal, sat).and_then(|message| Decoder::new(sat, message)),
            raw: Vec::new(),
            anchor: None,
            doubt: None,
            inverted: None,
            phase_shift_cycles: None,
            reported_slips: 0,
            last_cn0_dbhz: start.cn0_dbhz,
            last_doppler_hz: start.doppler_hz,
            subframes: 0,
            channel: Channel::new(signal, sat, rate_hz, level, start, config),
        }
    }

    /// The message that is read: the signal's own, or that of a pilot's partner.
    pub(crate) fn message(&self) -> Option<NavMessage> {
        message_of(self.signal, self.sat)
    }

    pub(crate) fn state(&self) -> ChannelState {
        self.channel.state()
    }

    /// Tracks everything the view holds. Runs in parallel with the other slots.
    pub(crate) fn process(&mut self, view: &BandView<'_>) {
        self.channel.process(view, &mut self.raw);
    }

    /// What the last call of `process` yielded, messages decoded.
    pub(crate) fn drain(&mut self, events: &mut Vec<SlotEvent>) {
        for event in self.raw.drain(..) {
            match event {
                ChannelEvent::Symbol(symbol) => {
                    let Some(decoder) = &mut self.decoder else { continue };
                    if let Some(subframe) = decoder.push(symbol.soft, symbol.period) {
                        events.push(SlotEvent::Subframe {
                            sample: symbol.sample,
                            subframe: Box::new(subframe),
                        });
                    }
                }
                ChannelEvent::Synchronised { sample, .. } => events.push(SlotEvent::Synchronised { sample }),
                ChannelEvent::Lost { sample, reason } => {
                    events.push(SlotEvent::Lost { sample, reason: reason.to_string() });
                }
                // What is found again may be the other way up.
                ChannelEvent::Unlocked { .. } => self.inverted = None,
                _ => {}
            }
        }
    }

    /// Notes that a subframe that began at `time` started at code period `subframe.tag`.
    pub(crate) fn note_subframe(&mut self, subframe: &Subframe, time: Option<GnssTime>) {
        self.subframes += 1;
        // The loop slipped by half a cycle between two subframes, or the phase is only now known to be inverted.
        if self.inverted.unwrap_or(false) != subframe.inverted {
            self.reported_slips = self.reported_slips.wrapping_sub(1);
        }
        self.inverted = Some(subframe.inverted);
        let Some(time) = time else { return };
        let fresh = Anchor { period: subframe.tag, time, read: true };
        let period_s = self.signal.code_period_s();
        let agrees = |old: Anchor| {
            let periods = fresh.period as f64 - old.period as f64;
            (fresh.time - old.time - periods * period_s).abs() < 0.5 * period_s
        };
        // One subframe that contradicts the ones before does not move a satellite by seconds; two do.
        let known = self.anchor.filter(|anchor| anchor.read);
        if known.is_none_or(agrees) || self.doubt.is_some_and(agrees) {
            self.anchor = Some(fresh);
            self.doubt = None;
        } else {
            self.doubt = Some(fresh);
        }
    }

    /// Whether the transmit time is known.
    pub(crate) fn is_anchored(&self) -> bool {
        self.anchor.is_some()
    }

    /// Sets the transmit time from a prediction good to a fraction of a code period, or of a pilot's secondary code.
    pub(crate) fn predict(&mut self, sample: u64, transmit: GnssTime) {
        if self.anchor.is_some_and(|a| a.read) {
            return;
        }
        let Some(m) = self.channel.measurement(sample) else { return };
        let period_s = self.signal.code_period_s();
        let started = transmit - m.code_phase_chips / self.signal.chip_rate_hz;
        // The running code period began a whole number of periods into the system time, the secondary code a whole
        // number of times its duration.
        let chips = self.signal.secondary(self.sat.prn).map_or(1, |code| code.chips.len());
        let (place_s, step_s) = match m.secondary_chip {
            Some(chip) => (f64::from(chip) * period_s, chips as f64 * period_s),
            None => (0.0, period_s),
        };
        let scale = TimeScale::of(self.sat.constellation);
        let (week, tow) = (started - place_s).week_tow(scale);
        let time = GnssTime::from_week_tow(scale, week, (tow / step_s).round() * step_s) + place_s;
        self.anchor = Some(Anchor { period: m.period, time, read: false });
    }

    /// Transmit time at a sample, with the measurement it came from.
    pub(crate) fn transmit(&self, sample: u64) -> Option<(GnssTime, Measurement)> {
        let m = self.channel.measurement(sample)?;
        let anchor = self.anchor?;
        let periods_per_s = (1.0 / self.signal.code_period_s()).round() as i64;
        let periods = m.period as i64 - anchor.period as i64;
        // Whole seconds apart, so that hours of tracking cost no digits.
        let whole = periods.div_euclid(periods_per_s);
        let part = periods.rem_euclid(periods_per_s) as f64 * self.signal.code_period_s();
        let time = anchor.time + whole as f64 + (part + m.code_phase_chips / self.signal.chip_rate_hz);
        Some((time, m))
    }

    /// The channel's measurement at a sample, whether or not the transmit time is known.
    pub(crate) fn refresh(&mut self, sample: u64) {
        if let Some(m) = self.channel.measurement(sample) {
            self.last_cn0_dbhz = m.cn0_dbhz;
            self.last_doppler_hz = m.doppler_hz;
        }
    }

    /// Observation at clock reading `time`, which falls `late_s` after `sample`.
    pub(crate) fn observe(&mut self, sample: u64, late_s: f64, time: GnssTime) -> Option<Observation> {
        let (transmit, m) = self.transmit(sample)?;
        let wavelength_m = self.signal.wavelength_m();
        // Between the sample and the epoch the range changes by -wavelength * doppler * late.
        let at_sample_m = (time - late_s - transmit) * SPEED_OF_LIGHT;
        let pseudorange_m = at_sample_m - wavelength_m * m.doppler_hz * late_s;
        let carrier_phase_cycles = m.phase_locked.then(|| {
            let phase = m.carrier_phase_cycles - m.doppler_hz * late_s;
            let shift = *self
                .phase_shift_cycles
                .get_or_insert_with(|| (pseudorange_m / wavelength_m - phase).round());
            let inverted = !m.half_cycle_known && self.inverted == Some(true);
            phase + shift + if inverted { 0.5 } else { 0.0 }
        });
        let slip = m.slips != self.reported_slips;
        self.reported_slips = m.slips;
        Some(Observation {
            sat: self.sat,
            code: self.signal.rinex_code,
            pseudorange_m: Some(pseudorange_m),
            carrier_phase_cycles,
            doppler_hz: Some(m.doppler_hz),
            cn0_dbhz: Some(m.cn0_dbhz),
            slip,
            half_cycle: !m.half_cycle_known && self.inverted.is_none(),
            lock_s: m.lock_s,
        })
    }

    /// Observations made while the clock was not aligned leave no trace in those that follow.
    pub(crate) fn forget_attempts(&mut self) {
        self.phase_shift_cycles = None;
    }

    /// The receiver clock was moved by `step_s`: phases follow, as pseudoranges do.
    pub(crate) fn step_clock(&mut self, step_s: f64) {
        if let Some(shift) = &mut self.phase_shift_cycles {
            *shift += (step_s * self.signal.carrier_hz).round();
        }
    }
}
