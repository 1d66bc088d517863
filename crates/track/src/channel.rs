use megrez_dsp::{BandView, Correlation, Correlator, Level, Replica, Subcarrier, Taps};
use megrez_signal::{Modulation, SPEED_OF_LIGHT, Sat, Signal};
use num_complex::Complex;

use crate::carrier::{CarrierFilter, CarrierSigma, CarrierState, phase_variance};
use crate::code::{CodeFilter, code_variance};
use crate::config::TrackConfig;
use crate::event::{ChannelEvent, ChannelState, LossReason, Measurement, Symbol};
use crate::pullin::{Found, Outcome, PullIn, PullInSetup};
use crate::quality::{Quality, SymbolSums};

/// Early-to-prompt spacing of pull-in, chips.
const PULL_IN_SPACING: f64 = 0.5;
/// Mean of cos 2 phi at which the phase counts as locked, as no longer locked, and as lost.
const PHASE_LOCKED: f64 = 0.5;
const PHASE_UNLOCKED: f64 = 0.4;
const PHASE_LOST: f64 = 0.3;
/// C/N0 below which the signal is lost, dB-Hz.
const LOST_CN0_DBHZ: f64 = 20.0;
/// Phase error of a symbol, in cycles, that noise does not explain: twice in a row it may be a slip.
const SLIP_CYCLES: f64 = 0.2;
/// A measurement is given up to this long before or after the last symbol edge, s.
const MEASUREMENT_REACH_S: f64 = 0.25;
/// Uncertainty of the frequency rate at the start: 3 m/s^2 at L1, Hz/s.
const RATE_SIGMA: f64 = 15.0;

/// Where a channel begins: the result of an acquisition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChannelStart {
    /// Sample at which the code phase and Doppler hold; the channel extrapolates from it.
    pub sample: u64,
    /// Phase of the primary code in chips, right to about one chip.
    pub code_phase_chips: f64,
    /// Doppler in Hz, right to [`TrackConfig::pull_in_range_hz`].
    pub doppler_hz: f64,
    /// C/N0 in dB-Hz.
    pub cn0_dbhz: f64,
}

/// Follows one signal of one satellite: samples in, symbols and observables out.
///
/// The channel works in whole code periods, in order, whatever the lengths of the views it is given; its
/// results depend on the samples alone. It allocates nothing after [`Channel::new`].
pub struct Channel {
    signal: &'static Signal,
    sat: Sat,
    sample_rate_hz: f64,
    config: TrackConfig,
    start: ChannelStart,
    started: bool,
    state: ChannelState,
    replica: Option<Replica>,
    correlator: Correlator,
    /// Sign of the secondary code in each period of a symbol.
    signs: Vec<f32>,
    min_spacing: f64,
    spacing: f64,

    /// First sample of the next period, its number, and the code phase there (near 0).
    sample: u64,
    period: u64,
    code_phase: f64,
    /// Sample, period and code phase at which the state of the carrier filter holds.
    base: u64,
    base_period: u64,
    base_phase: f64,
    carrier: CarrierFilter,
    code: CodeFilter,
    quality: Quality,
    pull_in: PullIn,
    pull_in_since: u64,
    ever_locked: bool,

    /// Period within the symbol that comes next.
    index: usize,
    symbol_period: u64,
    symbol_sample: u64,
    sums: SymbolSums,
    symbols_in_lock: u64,
    phase_locked: bool,
    large_errors: u32,
    slips: u32,
    lock_since: u64,
}

impl Channel {
    /// A channel for `signal` of `sat`. One that cannot be tracked reports [`LossReason::Unsupported`] at the
    /// first call of [`Channel::process`].
    pub fn new(
        signal: &'static Signal,
        sat: Sat,
        sample_rate_hz: f64,
        level: Level,
        start: ChannelStart,
        config: &TrackConfig,
    ) -> Self {
        let period_s = signal.code_period_s();
        let usable = sample_rate_hz.is_finite()
            && sample_rate_hz > 0.1 * signal.chip_rate_hz
            && start.code_phase_chips.is_finite()
            && start.doppler_hz.abs() < 0.01 * signal.carrier_hz
            && sat.constellation == signal.constellation;
        let signs = if usable { symbol_signs(signal, sat.prn) } else { None };
        let replica = match (&signs, signal.code(sat.prn)) {
            (Some(_), Some(chips)) => Some(Replica::new(&chips, Subcarrier::None)),
            _ => None,
        };
        let signs = signs.unwrap_or_else(|| vec![1.0]);
        let pull_in = PullIn::new(PullInSetup {
            period_s,
            signs: signs.clone(),
            range_hz: config.pull_in_range_hz.clamp(0.0, 0.5 / period_s),
            spacing: PULL_IN_SPACING,
            cycles_per_chip: signal.carrier_hz / signal.chip_rate_hz,
        });
        // The narrowest taps that the bandwidth can feed: half a sample each side.
        let min_spacing = (0.5 * signal.chip_rate_hz / sample_rate_hz).clamp(0.1, 0.25);
        Self {
            signal,
            sat,
            sample_rate_hz,
            config: config.clone(),
            start,
            started: false,
            state: ChannelState::PullIn,
            replica,
            correlator: Correlator::new(sample_rate_hz, level),
            min_spacing,
            spacing: PULL_IN_SPACING,
            sample: 0,
            period: 0,
            code_phase: 0.0,
            base: 0,
            base_period: 0,
            base_phase: 0.0,
            carrier: CarrierFilter::new(config.carrier_bandwidth_hz),
            code: CodeFilter::new(config.code_bandwidth_hz, SPEED_OF_LIGHT / signal.chip_rate_hz),
            quality: Quality::new(signs.len(), period_s),
            signs,
            pull_in,
            pull_in_since: 0,
            ever_locked: false,
            index: 0,
            symbol_period: 0,
            symbol_sample: 0,
            sums: SymbolSums::default(),
            symbols_in_lock: 0,
            phase_locked: false,
            large_errors: 0,
            slips: 0,
            lock_since: 0,
        }
    }

    /// The satellite.
    pub fn sat(&self) -> Sat {
        self.sat
    }

    /// The signal.
    pub fn signal(&self) -> &'static Signal {
        self.signal
    }

    /// What the channel is doing.
    pub fn state(&self) -> ChannelState {
        self.state
    }

    /// First sample that the channel has not processed yet.
    pub fn next_sample(&self) -> u64 {
        self.sample
    }

    /// C/N0 in dB-Hz; none while the carrier is not tracked.
    pub fn cn0_dbhz(&self) -> Option<f64> {
        self.tracking().then(|| self.quality.cn0_dbhz())
    }

    /// Processes all whole code periods that `view` holds and appends what happened to `events`.
    pub fn process(&mut self, view: &BandView<'_>, events: &mut Vec<ChannelEvent>) {
        if self.state == ChannelState::Lost {
            return;
        }
        let range = view.range();
        if range.is_empty() {
            return;
        }
        if self.replica.is_none() {
            self.lose(range.start, LossReason::Unsupported, events);
            return;
        }
        if !self.started {
            self.begin(range.start);
        }
        if self.sample < range.start && !self.skip_to(range.start, events) {
            return;
        }
        while self.state != ChannelState::Lost {
            let Some((taps, len)) = self.correlate(view) else { return };
            self.advance(len);
            if self.tracking() {
                self.track(taps, events);
            } else {
                self.search(taps, events);
            }
        }
    }

    /// Observables at exactly `sample`, from the state of the filters; none while the carrier is not tracked
    /// or when `sample` is more than a quarter of a second from what was processed.
    pub fn measurement(&self, sample: u64) -> Option<Measurement> {
        if !self.tracking() {
            return None;
        }
        let dt = seconds(self.base, sample, self.sample_rate_hz);
        if dt.abs() > MEASUREMENT_REACH_S {
            return None;
        }
        let now = self.carrier.state.at(dt);
        let (period, code_phase_chips) = self.code_at(&now, dt)?;
        Some(Measurement {
            period,
            code_phase_chips,
            carrier_phase_cycles: -now.phase,
            doppler_hz: now.freq,
            cn0_dbhz: self.quality.cn0_dbhz(),
            phase_locked: self.phase_locked,
            slips: self.slips,
            lock_s: seconds(self.lock_since, sample, self.sample_rate_hz).max(0.0),
        })
    }

    fn tracking(&self) -> bool {
        self.state == ChannelState::Synchronised
    }

    /// Period and code phase `dt` seconds from the base, the carrier being `now` there.
    fn code_at(&self, now: &CarrierState, dt: f64) -> Option<(u64, f64)> {
        let chips_per_cycle = self.signal.chip_rate_hz / self.signal.carrier_hz;
        let chips = self.base_phase
            + (self.signal.chip_rate_hz + self.code.divergence) * dt
            + (now.phase - self.carrier.state.phase) * chips_per_cycle;
        let length = self.signal.code_length as f64;
        let turns = (chips / length).floor();
        let period = self.base_period.checked_add_signed(turns as i64)?;
        Some((period, chips - turns * length))
    }

    /// Takes up the acquisition: sets the replica running at its sample and goes to the first code period
    /// that begins there or, when that is no longer held, at `first`.
    fn begin(&mut self, first: u64) {
        self.started = true;
        let length = self.signal.code_length as f64;
        self.base = self.start.sample;
        self.base_period = 0;
        self.base_phase = self.start.code_phase_chips.rem_euclid(length);
        self.carrier.state = CarrierState { phase: 0.0, freq: self.start.doppler_hz, rate: 0.0 };
        self.go_to(first.max(self.start.sample));
        // Periods count from the first one processed.
        self.period = 0;
        self.rebase();
        self.pull_in_since = self.sample;
    }

    /// Moves the replica to the first code period that begins at or after `sample`.
    fn go_to(&mut self, sample: u64) {
        let dt = seconds(self.base, sample, self.sample_rate_hz);
        let now = self.carrier.state.at(dt);
        let Some((period, phase)) = self.code_at(&now, dt) else { return };
        let step = self.chip_rate(now.freq) / self.sample_rate_hz;
        // A period begins with the first sample at or after its start.
        let (rest, skipped) =
            if phase < step { (-phase, 0) } else { (self.signal.code_length as f64 - phase, 1) };
        let samples = (rest / step).ceil();
        self.sample = sample.saturating_add(samples as u64);
        self.period = period + skipped;
        self.code_phase = samples * step - rest;
    }

    /// Makes the next period's first sample the one at which the carrier state holds.
    fn rebase(&mut self) {
        let dt = seconds(self.base, self.sample, self.sample_rate_hz);
        self.carrier.state = self.carrier.state.at(dt);
        self.mark_base();
    }

    fn mark_base(&mut self) {
        self.base = self.sample;
        self.base_period = self.period;
        self.base_phase = self.code_phase;
    }

    /// Crosses a gap in the stream. False if it is too large.
    fn skip_to(&mut self, first: u64, events: &mut Vec<ChannelEvent>) -> bool {
        if seconds(self.sample, first, self.sample_rate_hz) > self.config.reacquire_s {
            self.lose(first, LossReason::SamplesMissing, events);
            return false;
        }
        if self.tracking() {
            self.unlock(events);
        }
        self.go_to(first);
        self.rebase();
        self.pull_in.clear();
        true
    }

    fn chip_rate(&self, freq: f64) -> f64 {
        self.signal.chip_rate_hz * (1.0 + freq / self.signal.carrier_hz) + self.code.divergence
    }

    /// Correlates the next code period; none if the view does not hold all of it.
    fn correlate(&self, view: &BandView<'_>) -> Option<(Taps, usize)> {
        let replica = self.replica.as_ref()?;
        let length = self.signal.code_length as f64;
        let now = self.carrier.state.at(seconds(self.base, self.sample, self.sample_rate_hz));
        // The frequency at the middle of the period joins the phases at its ends.
        let freq = now.freq + 0.5 * self.signal.code_period_s() * now.rate;
        let code_rate_hz = self.chip_rate(freq);
        let len = ((length - self.code_phase) * self.sample_rate_hz / code_rate_hz).ceil().max(1.0) as usize;
        let taps = self.correlator.correlate(
            view,
            replica,
            &Correlation {
                start: self.sample,
                len,
                code_phase_chips: self.code_phase.rem_euclid(length),
                code_rate_hz,
                carrier_phase_cycles: now.phase - now.phase.floor(),
                carrier_freq_hz: freq,
                tap_spacing_chips: self.spacing,
            },
        )?;
        Some((taps, len))
    }

    /// Goes on to the next period, `len` samples on.
    fn advance(&mut self, len: usize) {
        self.sample += len as u64;
        self.period += 1;
        let dt = seconds(self.base, self.sample, self.sample_rate_hz);
        let now = self.carrier.state.at(dt);
        let chips_per_cycle = self.signal.chip_rate_hz / self.signal.carrier_hz;
        let periods = (self.period - self.base_period) as f64;
        // From the base each time, so that no rounding adds up.
        self.code_phase = self.base_phase
            + ((self.signal.chip_rate_hz + self.code.divergence) * dt
                - periods * self.signal.code_length as f64)
            + (now.phase - self.carrier.state.phase) * chips_per_cycle;
    }

    fn search(&mut self, taps: Taps, events: &mut Vec<ChannelEvent>) {
        match self.pull_in.push([taps.early, taps.prompt, taps.late]) {
            Outcome::Undecided => {}
            Outcome::Detected => self.state = ChannelState::Tracking,
            Outcome::Recentre { freq_hz, code_chips } => {
                self.rebase();
                self.carrier.state.freq += freq_hz;
                self.code_phase += code_chips;
                self.mark_base();
            }
            Outcome::Found(found) => return self.hand_over(&found, events),
        }
        let (limit, reason) = match (self.ever_locked, self.state) {
            (true, _) => (self.config.reacquire_s, LossReason::CarrierLost),
            (false, ChannelState::Tracking) => (self.config.pull_in_s, LossReason::NoSymbolEdges),
            (false, _) => (self.config.pull_in_s, LossReason::NoSignal),
        };
        if seconds(self.pull_in_since, self.sample, self.sample_rate_hz) >= limit {
            self.lose(self.sample, reason, events);
        }
    }

    fn hand_over(&mut self, found: &Found, events: &mut Vec<ChannelEvent>) {
        let m = self.signs.len();
        self.rebase();
        let centre = CarrierState {
            phase: self.carrier.state.phase - self.carrier.state.freq * found.age_s + found.phase_cycles,
            freq: self.carrier.state.freq + found.freq_hz,
            rate: 0.0,
        };
        let sigma = CarrierSigma { phase: found.phase_sigma, freq: found.freq_sigma, rate: RATE_SIGMA };
        self.carrier.reset(centre, sigma);
        self.carrier.predict(found.age_s);
        self.code.reset(found.code_sigma);
        self.code_phase += found.code_chips;
        self.quality.reset(found.signal, found.noise, found.coherence);
        self.mark_base();
        self.choose_spacing();

        self.state = ChannelState::Synchronised;
        self.index = found.into_symbol;
        self.sums = SymbolSums::default();
        self.symbols_in_lock = 0;
        self.phase_locked = true;
        self.large_errors = 0;
        self.lock_since = self.sample;
        self.ever_locked = true;
        events.push(ChannelEvent::Locked {
            sample: self.sample,
            doppler_hz: self.carrier.state.freq,
            cn0_dbhz: self.quality.cn0_dbhz(),
        });
        let period = self.period + ((m - self.index) % m) as u64;
        events.push(ChannelEvent::Synchronised { sample: self.sample, period });
    }

    /// Taps as narrow as the uncertainty of the code phase allows.
    fn choose_spacing(&mut self) {
        let reach = 4.0 * self.code.sigma();
        self.spacing = [self.min_spacing, 0.25].into_iter().find(|&d| reach < d).unwrap_or(PULL_IN_SPACING);
    }

    fn track(&mut self, taps: Taps, events: &mut Vec<ChannelEvent>) {
        let m = self.signs.len();
        let sign = self.signs.get(self.index).copied().unwrap_or(1.0);
        let [early, prompt, late] = [taps.early, taps.prompt, taps.late].map(|t| widen(t * sign));
        let sums = &mut self.sums;
        if self.index == 0 {
            // advance() has already moved on to the next period.
            self.symbol_period = self.period - 1;
            self.symbol_sample = self.base;
            sums.first = prompt;
        }
        sums.early += early;
        sums.prompt += prompt;
        sums.late += late;
        sums.power += prompt.norm_sqr();
        sums.last = prompt;
        if self.index < m / 2 {
            sums.first_half += prompt;
        }
        sums.count += 1;
        self.index += 1;
        if self.index == m {
            self.index = 0;
            self.finish_symbol(events);
        }
    }

    fn finish_symbol(&mut self, events: &mut Vec<ChannelEvent>) {
        let sums = std::mem::take(&mut self.sums);
        let whole = sums.count == self.signs.len();
        let dt = seconds(self.base, self.sample, self.sample_rate_hz);
        let snr = self.quality.snr(sums.count);
        let full = self.quality.signal() * (sums.count * sums.count) as f64;
        let prompt = sums.prompt;

        // In a fade the symbol says little; its weight goes down with its power.
        let weight = (prompt.norm_sqr() / (0.25 * full)).clamp(1e-3, 1.0);
        let turned = if prompt.re < 0.0 { -prompt } else { prompt };
        let phase_error = turned.im.atan2(turned.re) / std::f64::consts::TAU;
        self.carrier.predict(dt);
        self.carrier.update(phase_error, phase_variance(snr) / weight, dt);

        // Dot product: (E - L) P = 2 delta A^2 on the triangle. No noise is common to E - L and P.
        let difference = sums.early - sums.late;
        let dot = difference.re * prompt.re + difference.im * prompt.im;
        let code_error = (0.5 * dot / full).clamp(-PULL_IN_SPACING, PULL_IN_SPACING);
        self.code_phase += self.code.update(code_error, code_variance(self.spacing, snr), dt);
        self.mark_base();
        self.choose_spacing();
        if !whole {
            return;
        }

        events.push(ChannelEvent::Symbol(Symbol {
            period: self.symbol_period,
            sample: self.symbol_sample,
            soft: (prompt.re / full.sqrt()) as f32,
        }));
        self.quality.update(&sums);
        self.symbols_in_lock += 1;
        self.judge(phase_error, snr, events);
    }

    /// Lock detectors, after each whole symbol.
    fn judge(&mut self, phase_error: f64, snr: f64, events: &mut Vec<ChannelEvent>) {
        let large = phase_error.abs() > SLIP_CYCLES && 4.0 * phase_variance(snr).sqrt() < SLIP_CYCLES;
        self.large_errors = if large { self.large_errors + 1 } else { 0 };
        if self.large_errors == 2 {
            self.slip();
        }

        let lock = self.quality.lock();
        if self.phase_locked && lock < PHASE_UNLOCKED {
            self.phase_locked = false;
        } else if !self.phase_locked && lock > PHASE_LOCKED {
            self.phase_locked = true;
            self.slip();
        }

        let symbol_s = self.signs.len() as f64 * self.signal.code_period_s();
        let locked_s = self.symbols_in_lock as f64 * symbol_s;
        let lost = lock < PHASE_LOST || self.quality.cn0_dbhz() < LOST_CN0_DBHZ;
        // A lock to a side line is half a cycle a symbol off.
        let beside = locked_s > 1.0 && self.quality.frequency_error_hz().abs() > 0.3 / symbol_s;
        let misaligned = locked_s > 3.0 && !self.quality.edges_agree();
        if lost || beside || misaligned {
            if beside {
                self.carrier.state.freq += self.quality.frequency_error_hz();
            }
            self.unlock(events);
        }
    }

    fn slip(&mut self) {
        self.slips += 1;
        self.lock_since = self.sample;
    }

    /// Back to pull-in around the present state.
    fn unlock(&mut self, events: &mut Vec<ChannelEvent>) {
        self.state = ChannelState::PullIn;
        self.rebase();
        self.carrier.state.rate = 0.0;
        self.code.divergence = 0.0;
        self.phase_locked = false;
        self.slips += 1;
        self.spacing = PULL_IN_SPACING;
        self.sums = SymbolSums::default();
        self.pull_in.clear();
        self.pull_in_since = self.sample;
        events.push(ChannelEvent::Unlocked { sample: self.sample });
    }

    fn lose(&mut self, sample: u64, reason: LossReason, events: &mut Vec<ChannelEvent>) {
        self.state = ChannelState::Lost;
        self.phase_locked = false;
        events.push(ChannelEvent::Lost { sample, reason });
    }
}

/// Sign of each code period in a symbol; none if this kind of signal is not tracked.
fn symbol_signs(signal: &Signal, prn: u8) -> Option<Vec<f32>> {
    if signal.modulation != Modulation::Bpsk || !signal.has_prn(prn) {
        return None;
    }
    let symbol_s = 1.0 / signal.symbol_rate_hz(prn)?;
    let periods = (symbol_s / signal.code_period_s()).round() as usize;
    if periods < 2 {
        return None;
    }
    match signal.secondary(prn) {
        None => Some(vec![1.0; periods]),
        Some(code) if code.chips.len() == periods => {
            Some(code.chips.iter().map(|&c| if c == 0 { 1.0 } else { -1.0 }).collect())
        }
        Some(_) => None,
    }
}

/// Seconds from one sample to another.
fn seconds(from: u64, to: u64, rate: f64) -> f64 {
    to.wrapping_sub(from) as i64 as f64 / rate
}

fn widen(z: Complex<f32>) -> Complex<f64> {
    Complex::new(f64::from(z.re), f64::from(z.im))
}
