//! The life of a channel: start, pull-in, hand-over to the loops, loss.

mod follow;

use megrez_dsp::{BandView, Correlation, Correlator, Level, Taps};
use megrez_signal::SPEED_OF_LIGHT;

use crate::carrier::{CarrierFilter, CarrierSigma, CarrierState};
use crate::code::CodeFilter;
use crate::config::TrackConfig;
use crate::event::{ChannelEvent, ChannelState, LossReason, Measurement};
use crate::peak::PeakMonitor;
use crate::plan::Plan;
use crate::pullin::{CellTaps, Found, Outcome, PullIn, PullInSetup};
use crate::quality::Quality;
use crate::start::ChannelStart;
use crate::walk::{Motion, Walk};
use follow::{Pilot, Symbols, Update};

/// A measurement is given up to this long before or after the last update of the loops, s.
const MEASUREMENT_REACH_S: f64 = 0.25;
/// Uncertainty of the frequency rate at the start: 3 m/s^2 at L1, Hz/s.
const RATE_SIGMA: f64 = 15.0;

/// The machine in a channel.
pub(crate) struct Tracker {
    plan: Plan,
    correlator: Correlator,
    config: TrackConfig,
    start: ChannelStart,
    started: bool,
    state: ChannelState,
    walk: Walk,
    carrier: CarrierFilter,
    code: CodeFilter,
    quality: Quality,
    pull_in: PullIn,
    pull_in_since: u64,
    ever_locked: bool,

    /// The narrowest taps, and those in use.
    min_spacing: f64,
    spacing: f64,
    symbols: Symbols,
    pilot: Pilot,
    peak: PeakMonitor,
    update: Update,
    phase_locked: bool,
    large_errors: u32,
    slips: u32,
    lock_since: u64,
}

impl Tracker {
    pub fn new(
        plan: Plan,
        sample_rate_hz: f64,
        level: Level,
        start: ChannelStart,
        config: &TrackConfig,
    ) -> Self {
        let signal = plan.signal;
        let pull_in = PullIn::new(PullInSetup {
            cell_s: plan.cell_s,
            cells: plan.cells,
            signs: plan.signs.clone(),
            range_hz: config.pull_in_range_hz.clamp(0.0, 0.5 / plan.cell_s),
            shape: plan.shape,
            cycles_per_chip: signal.carrier_hz / signal.chip_rate_hz,
        });
        // The narrowest taps that the bandwidth can feed: half a sample each side.
        let min_spacing = (0.5 * signal.chip_rate_hz / sample_rate_hz).clamp(0.1, 0.25);
        Self {
            correlator: Correlator::new(sample_rate_hz, level),
            config: config.clone(),
            start,
            started: false,
            state: ChannelState::PullIn,
            walk: Walk::new(&plan, sample_rate_hz),
            carrier: CarrierFilter::new(config.carrier_bandwidth_hz),
            code: CodeFilter::new(config.code_bandwidth_hz, SPEED_OF_LIGHT / signal.chip_rate_hz),
            quality: Quality::new(plan.signs.len(), plan.cell_s),
            pull_in,
            pull_in_since: 0,
            ever_locked: false,
            min_spacing,
            spacing: plan.shape.spacing,
            symbols: Symbols::default(),
            pilot: Pilot::new(&plan),
            peak: PeakMonitor::default(),
            update: Update::default(),
            phase_locked: false,
            large_errors: 0,
            slips: 0,
            lock_since: 0,
            plan,
        }
    }

    pub fn state(&self) -> ChannelState {
        self.state
    }

    pub fn next_sample(&self) -> u64 {
        self.walk.sample
    }

    pub fn cn0_dbhz(&self) -> Option<f64> {
        // What the replica does not match is there all the same.
        self.tracking().then(|| self.quality.cn0_dbhz() - 10.0 * self.plan.efficiency.log10())
    }

    pub fn process(&mut self, view: &BandView<'_>, events: &mut Vec<ChannelEvent>) {
        if self.state == ChannelState::Lost {
            return;
        }
        let first = view.range().start;
        if !self.started {
            self.begin(first);
        }
        if self.walk.sample < first && !self.skip_to(first, events) {
            return;
        }
        while self.state != ChannelState::Lost {
            let done = if self.tracking() { self.follow(view, events) } else { self.search(view, events) };
            if done.is_none() {
                return;
            }
        }
    }

    pub fn measurement(&self, sample: u64) -> Option<Measurement> {
        let cn0_dbhz = self.cn0_dbhz()?;
        let dt = self.walk.since_base(sample);
        if dt.abs() > MEASUREMENT_REACH_S {
            return None;
        }
        let now = self.carrier.state.at(dt);
        let (period, code_phase_chips) = self.walk.code_at(&self.motion(), dt)?;
        Some(Measurement {
            period,
            code_phase_chips,
            carrier_phase_cycles: self.pilot.phase_cycles(&self.plan) - now.phase,
            half_cycle_known: self.pilot.is_known(),
            secondary_chip: self.pilot.chip(period).and_then(|chip| u32::try_from(chip).ok()),
            doppler_hz: now.freq,
            cn0_dbhz,
            phase_locked: self.phase_locked,
            slips: self.slips,
            lock_s: self.walk.between(self.lock_since, sample).max(0.0),
        })
    }

    fn tracking(&self) -> bool {
        self.state == ChannelState::Synchronised
    }

    fn motion(&self) -> Motion {
        Motion { carrier: self.carrier.state, divergence: self.code.divergence }
    }

    /// Takes up the acquisition.
    fn begin(&mut self, first: u64) {
        self.started = true;
        self.carrier.state = CarrierState { phase: 0.0, freq: self.start.doppler_hz, rate: 0.0 };
        self.walk.begin(&self.motion(), self.start.sample, self.start.code_phase_chips, first);
        self.rebase();
        self.pull_in_since = self.walk.sample;
    }

    /// Makes the next cell's first sample the one at which the carrier state holds.
    fn rebase(&mut self) {
        self.carrier.state = self.carrier.state.at(self.walk.since_base(self.walk.sample));
        self.walk.mark_base();
    }

    /// Crosses a gap in the stream. False if it is too large.
    fn skip_to(&mut self, first: u64, events: &mut Vec<ChannelEvent>) -> bool {
        if self.walk.between(self.walk.sample, first) > self.config.reacquire_s {
            self.lose(first, LossReason::SamplesMissing, events);
            return false;
        }
        if self.tracking() {
            self.unlock(events);
        }
        self.walk.skip_to(&self.motion(), first);
        self.rebase();
        self.pull_in.clear();
        true
    }

    /// One cell of pull-in; none if the view does not hold all of it.
    fn search(&mut self, view: &BandView<'_>, events: &mut Vec<ChannelEvent>) -> Option<()> {
        let motion = self.motion();
        let shape = &self.plan.shape;
        let c = self.walk.correlation(&motion, shape.spacing);
        let replica = match &self.plan.message {
            Some(message) if self.plan.starts_on_message => &message.replica,
            _ => &self.plan.replica,
        };
        let mut cell = CellTaps::default();
        for (group, slots) in cell.chunks_exact_mut(3).take(shape.taps / 3).enumerate() {
            let code_phase_chips = c.code_phase_chips + shape.offset(3 * group + 1);
            let shifted = Correlation { code_phase_chips, ..c };
            let Taps { early, prompt, late } = self.correlator.correlate(view, replica, &shifted)?;
            slots.copy_from_slice(&[early, prompt, late]);
        }
        let in_period = self.walk.in_period() as usize;
        self.walk.advance(&motion, c.len);
        match self.pull_in.push(in_period, &cell) {
            Outcome::Undecided => {}
            Outcome::Detected => self.state = ChannelState::Tracking,
            Outcome::Recentre { freq_hz, code_chips } => {
                self.rebase();
                self.carrier.state.freq += freq_hz;
                self.walk.code_phase += code_chips;
                self.walk.mark_base();
            }
            Outcome::Found(found) => {
                self.hand_over(&found, events);
                return Some(());
            }
        }
        let (limit, reason) = match (self.ever_locked, self.state) {
            (true, _) => (self.config.reacquire_s, LossReason::CarrierLost),
            (false, ChannelState::Tracking) => (self.config.pull_in_s, LossReason::NoSymbolEdges),
            (false, _) => (self.config.pull_in_s, LossReason::NoSignal),
        };
        if self.walk.between(self.pull_in_since, self.walk.sample) >= limit {
            self.lose(self.walk.sample, reason, events);
        }
        Some(())
    }

    fn hand_over(&mut self, found: &Found, events: &mut Vec<ChannelEvent>) {
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
        self.walk.code_phase += found.code_chips;
        self.quality.reset(found.signal, found.noise, found.coherence);
        self.walk.mark_base();
        self.choose_spacing();

        self.state = ChannelState::Synchronised;
        self.symbols = Symbols::starting(found.into_symbol);
        self.update = Update::default();
        self.pilot.clear();
        self.peak.clear();
        self.phase_locked = true;
        self.large_errors = 0;
        self.lock_since = self.walk.sample;
        self.ever_locked = true;
        let sample = self.walk.sample;
        let cn0_dbhz = self.cn0_dbhz().unwrap_or_default();
        events.push(ChannelEvent::Locked { sample, doppler_hz: self.carrier.state.freq, cn0_dbhz });
        let m = self.plan.signs.len();
        let cell = self.walk.cell + ((m - found.into_symbol) % m) as u64;
        events.push(ChannelEvent::Synchronised { sample, period: cell / self.plan.cells as u64 });
    }

    /// Taps as narrow as the uncertainty of the code phase allows.
    fn choose_spacing(&mut self) {
        let reach = 4.0 * self.code.sigma();
        let narrow = [self.min_spacing, 0.25].into_iter().find(|&d| reach < d);
        self.spacing = narrow.unwrap_or(self.plan.shape.spacing);
    }

    /// Back to pull-in around the present state.
    fn unlock(&mut self, events: &mut Vec<ChannelEvent>) {
        self.state = ChannelState::PullIn;
        self.rebase();
        self.carrier.state.rate = 0.0;
        self.code.divergence = 0.0;
        self.phase_locked = false;
        self.slips += 1;
        self.pilot.clear();
        self.pull_in.clear();
        self.pull_in_since = self.walk.sample;
        events.push(ChannelEvent::Unlocked { sample: self.walk.sample });
    }

    fn lose(&mut self, sample: u64, reason: LossReason, events: &mut Vec<ChannelEvent>) {
        self.state = ChannelState::Lost;
        self.phase_locked = false;
        events.push(ChannelEvent::Lost { sample, reason });
    }
}
