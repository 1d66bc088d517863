//! One signal of one satellite: its channel, its message, and its place in time.

use megrez_dsp::{BandView, Level};
use megrez_nav::{Decoder, Subframe};
use megrez_orbit::{GnssTime, Observation, TimeScale};
use megrez_signal::{NavMessage, SPEED_OF_LIGHT, Sat, Signal, SignalId};
use megrez_track::{Channel, ChannelEvent, ChannelStart, ChannelState, Measurement, TrackConfig};

use crate::config::message_of;

/// A channel is steady so many seconds after its lock.
const STEADY_S: f64 = 0.2;
/// Most that the codes of one satellite's signals may arrive apart, in seconds: group delays and ionosphere together
/// stay below.
const APART_S: f64 = 1e-6;
/// Seconds of a week: a multiple of every code period.
const WEEK_S: f64 = 604_800.0;

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

/// Where a channel gets its samples, and how these count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Index of the band.
    pub(crate) band: usize,
    /// Its sample rate.
    pub(crate) rate_hz: f64,
    /// Its samples for each of the first stream's, in which the receiver counts.
    pub(crate) ratio: f64,
}

/// What tells a channel of the time at which its satellite sent what arrives at an instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clue {
    /// Seconds of the week of the satellite's system, modulo the next.
    pub(crate) transmit_s: f64,
    /// A multiple of the code period, or a week if the time is known.
    pub(crate) modulus_s: f64,
    /// Doppler over carrier frequency.
    pub(crate) doppler: f64,
    pub(crate) cn0_dbhz: f64,
    /// The signal it is measured on; none if it is predicted.
    pub(crate) from: Option<SignalId>,
}

impl Clue {
    /// Whether it tells where in its code `to` is.
    pub(crate) fn tells(&self, to: &Signal) -> bool {
        let periods = self.modulus_s / to.code_period_s();
        periods > 0.5 && (periods - periods.round()).abs() < 1e-6
    }

    /// Whether it fits what another signal of the satellite tells, as far as both do; `own` is the signal of this one.
    pub(crate) fn agrees(&self, other: &Self, own: &Signal) -> bool {
        let period_s = self.modulus_s.min(other.modulus_s).min(own.code_period_s());
        let apart_s = (self.transmit_s - other.transmit_s).rem_euclid(period_s);
        apart_s.min(period_s - apart_s) < APART_S
    }
}

pub(crate) struct Slot {
    pub(crate) sat: Sat,
    pub(crate) signal: &'static Signal,
    pub(crate) place: Place,
    channel: Channel,
    /// Code period in which a symbol begins.
    symbol_period: Option<u64>,
    /// Symbols were read at some time.
    pub(crate) synchronised: bool,
    /// Started by another signal of the satellite, or by a prediction, and not yet seen to agree with it.
    pub(crate) on_trial: bool,
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
        place: Place,
        level: Level,
        start: ChannelStart,
        config: &TrackConfig,
    ) -> Self {
        Self {
            sat,
            signal,
            place,
            symbol_period: None,
            synchronised: false,
            on_trial: false,
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
            channel: Channel::new(signal, sat, place.rate_hz, level, start, config),
        }
    }

    /// The message that is read: the signal's own, or that of a pilot's partner.
    pub(crate) fn message(&self) -> Option<NavMessage> {
        message_of(self.signal, self.sat)
    }

    pub(crate) fn state(&self) -> ChannelState {
        self.channel.state()
    }

    /// Own sample at or before the first stream's sample `at`, and the seconds from it to `at`.
    fn own(&self, at: f64) -> (u64, f64) {
        let exact = at * self.place.ratio;
        let sample = exact.floor().max(0.0);
        (sample as u64, (exact - sample) / self.place.rate_hz)
    }

    /// Sample of the first stream for an own one.
    fn common(&self, sample: u64) -> u64 {
        (sample as f64 / self.place.ratio).round() as u64
    }

    /// Tracks everything the view holds. Runs in parallel with the other slots.
    pub(crate) fn process(&mut self, view: &BandView<'_>) {
        self.channel.process(view, &mut self.raw);
    }

    /// What the last call of `process` yielded, messages decoded, in samples of the first stream.
    pub(crate) fn drain(&mut self, events: &mut Vec<SlotEvent>) {
        let mut raw = std::mem::take(&mut self.raw);
        for event in raw.drain(..) {
            match event {
                ChannelEvent::Symbol(symbol) => {
                    let Some(decoder) = &mut self.decoder else { continue };
                    if let Some(subframe) = decoder.push(symbol.soft, symbol.period) {
                        events.push(SlotEvent::Subframe {
                            sample: self.common(symbol.sample),
                            subframe: Box::new(subframe),
                        });
                    }
                }
                ChannelEvent::Synchronised { sample, period } => {
                    self.symbol_period = Some(period);
                    self.synchronised = true;
                    events.push(SlotEvent::Synchronised { sample: self.common(sample) });
                }
                ChannelEvent::Lost { sample, reason } => {
                    let sample = self.common(sample);
                    events.push(SlotEvent::Lost { sample, reason: reason.to_string() });
                }
                ChannelEvent::Unlocked { .. } => {
                    // What is found again may be the other way up.
                    self.inverted = None;
                    self.symbol_period = None;
                }
                _ => {}
            }
        }
        self.raw = raw;
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
    pub(crate) fn predict(&mut self, at: f64, transmit: GnssTime) {
        if self.anchor.is_some_and(|a| a.read) {
            return;
        }
        let (sample, late_s) = self.own(at);
        let transmit = transmit - late_s;
        let Some(m) = self.channel.measurement(sample) else { return };
        let period_s = self.signal.code_period_s();
        let started = transmit - m.code_phase_chips / self.signal.chip_rate_hz;
        // Where symbols begin is known less well than the transmit time.
        let known = m.secondary_chip.is_some();
        let (place_s, step_s) = if known { self.period_start(&m) } else { (0.0, period_s) };
        let scale = TimeScale::of(self.sat.constellation);
        let (week, tow) = (started - place_s).week_tow(scale);
        let time = GnssTime::from_week_tow(scale, week, (tow / step_s).round() * step_s) + place_s;
        self.anchor = Some(Anchor { period: m.period, time, read: false });
    }

    /// When the running code period began, modulo the second number: it began a whole number of periods into the
    /// system time, a pilot's secondary code a whole number of times its duration, and a symbol likewise.
    fn period_start(&self, m: &Measurement) -> (f64, f64) {
        let period_s = self.signal.code_period_s();
        if let Some(chip) = m.secondary_chip {
            let chips = self.signal.secondary(self.sat.prn).map_or(1, |code| code.chips.len());
            return (f64::from(chip) * period_s, chips as f64 * period_s);
        }
        let rate_hz = self.message().map(NavMessage::symbol_rate_hz);
        let periods = rate_hz.map_or(1, |rate| (1.0 / rate / period_s).round().max(1.0) as i64);
        match self.symbol_period {
            Some(first) => {
                let into = (m.period as i64 - first as i64).rem_euclid(periods);
                (into as f64 * period_s, periods as f64 * period_s)
            }
            None => (0.0, period_s),
        }
    }

    /// What a channel that is locked steadily tells of the transmit time at the first stream's sample `at`.
    pub(crate) fn clue(&self, at: f64) -> Option<Clue> {
        if self.state() != ChannelState::Synchronised {
            return None;
        }
        let (sample, late_s) = self.own(at);
        let m = self.channel.measurement(sample).filter(|m| m.phase_locked && m.lock_s >= STEADY_S)?;
        let (start_s, modulus_s) = match self.transmit_own(sample) {
            Some((time, _)) => (time.week_tow(TimeScale::of(self.sat.constellation)).1, WEEK_S),
            None => {
                let (start_s, modulus_s) = self.period_start(&m);
                (start_s + m.code_phase_chips / self.signal.chip_rate_hz, modulus_s)
            }
        };
        Some(Clue {
            transmit_s: start_s + late_s,
            modulus_s,
            doppler: m.doppler_hz / self.signal.carrier_hz,
            cn0_dbhz: m.cn0_dbhz,
            from: Some(self.signal.id),
        })
    }

    /// Transmit time at the first stream's sample `at`.
    pub(crate) fn transmit(&self, at: f64) -> Option<GnssTime> {
        let (sample, late_s) = self.own(at);
        self.transmit_own(sample).map(|(time, _)| time + late_s)
    }

    /// Transmit time at an own sample, with the measurement it came from.
    fn transmit_own(&self, sample: u64) -> Option<(GnssTime, Measurement)> {
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

    /// The channel's measurement at the first stream's sample `at`, whether or not the transmit time is known.
    pub(crate) fn refresh(&mut self, at: f64) {
        let (sample, _) = self.own(at);
        if let Some(m) = self.channel.measurement(sample) {
            self.last_cn0_dbhz = m.cn0_dbhz;
            self.last_doppler_hz = m.doppler_hz;
        }
    }

    /// Observation at the first stream's sample `at`, when the clock reads `time`.
    pub(crate) fn observe(&mut self, at: f64, time: GnssTime) -> Option<Observation> {
        if self.on_trial {
            return None;
        }
        let (sample, late_s) = self.own(at);
        let (transmit, m) = self.transmit_own(sample)?;
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
