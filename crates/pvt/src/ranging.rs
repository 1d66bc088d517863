//! The measurements of an epoch with the states of their satellites.

use megrez_orbit::{GnssTime, Iono, NavData, Observation, ObservationEpoch, SatState};
use megrez_signal::{ObsCode, SPEED_OF_LIGHT, Sat};

use crate::choice;
use crate::groups::{GROUPS, Group};
use crate::model;
use crate::{IonoMode, Refusal, Refused, SolverConfig};

/// Ranges outside these bounds are none: reception up to 100 000 km from a satellite, and a receiver clock
/// within a minute.
const PSEUDORANGE_LIMIT_M: f64 = 60.0 * SPEED_OF_LIGHT;
/// Carrier to whose square ionospheric delays are scaled, Hz.
pub(crate) const IONO_CARRIER_HZ: f64 = 1_575.42e6;
/// Satellite clocks further off than this, in s, move the time of transmission by more than the first
/// derivative of the orbit can follow.
const FAR_CLOCK_S: f64 = 2e-3;
/// Shifts beyond this part of the carrier are none.
const SHIFT_LIMIT: f64 = 1e-3;
/// Signals of one satellite whose Dopplers differ by more do not see the same motion, m/s.
const DISAGREE_M_S: f64 = 1.0;

/// A carrier phase.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phase {
    pub cycles: f64,
    pub slip: bool,
    pub half_cycle: bool,
}

/// One signal of a satellite.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signal {
    pub code: ObsCode,
    pub carrier_hz: f64,
    /// Delay of the ionosphere relative to that at [`IONO_CARRIER_HZ`].
    pub gamma: f64,
    pub cn0_dbhz: Option<f64>,
    pub pseudorange_m: f64,
    pub phase: Option<Phase>,
    /// Clock of the signal (satellite clock less group delay), metres.
    pub clock_m: f64,
    /// Variance of thermal noise and group delay, m².
    pub variance: f64,
    /// Place in the order of preference.
    pub rank: u8,
    /// Band of the pair that its group's satellites have: 0, or 1 for the second, whose receiver delay differs.
    pub band: u8,
    /// Share in the satellite's measurement; the shares of all its signals sum to 1, those not used have 0.
    pub share: f64,
}

/// A frequency shift as a range rate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shift {
    /// Received over nominal frequency, less 1.
    pub ratio: f64,
    /// Standard deviation of the range rate, m/s.
    pub sigma_m_s: f64,
}

/// A satellite with the signals received from it.
#[derive(Debug, Clone)]
pub(crate) struct Ranging {
    pub sat: Sat,
    pub group: Group,
    /// State at the time of transmission.
    pub state: SatState,
    /// Variance of orbit and clock, m².
    pub broadcast_variance: f64,
    /// Where its signals are among [`Prepared::signals`].
    pub signals: (usize, usize),
    /// The most preferred of them: the one to use alone.
    pub best: usize,
    /// Two that may be combined.
    pub pair: Option<[usize; 2]>,
    pub shift: Option<Shift>,
}

/// An epoch ready for estimation.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub reading: GnssTime,
    pub rangings: Vec<Ranging>,
    pub signals: Vec<Signal>,
    pub refused: Vec<Refused>,
    /// The ionosphere model for each group.
    pub iono: [Iono; GROUPS],
}

impl Prepared {
    /// Splits an epoch into satellites whose state is known and measurements that are refused.
    pub fn new(epoch: &ObservationEpoch, nav: &NavData, config: &SolverConfig) -> Self {
        let count = epoch.observations.len();
        let mut prepared = Self {
            reading: epoch.time,
            rangings: Vec::with_capacity(count.min(80)),
            signals: Vec::with_capacity(count),
            refused: Vec::new(),
            iono: [Iono::None; GROUPS],
        };
        let mut known = [false; GROUPS];
        let mut seen_pairs = PairCount::default();
        let by_sat = |a: &Observation, b: &Observation| a.sat == b.sat;
        if epoch.observations.is_sorted_by_key(|o| o.sat) {
            for observations in epoch.observations.chunk_by(by_sat) {
                prepared.satellite(observations, nav, config, &mut known, &mut seen_pairs);
            }
        } else {
            let mut sorted = epoch.observations.clone();
            sorted.sort_by_key(|o| o.sat);
            for observations in sorted.chunk_by(by_sat) {
                prepared.satellite(observations, nav, config, &mut known, &mut seen_pairs);
            }
        }
        prepared.pair_up(&seen_pairs, config);
        prepared
    }

    /// The signals of a satellite.
    pub fn signals_of(&self, ranging: &Ranging) -> &[Signal] {
        self.signals.get(ranging.signals.0..ranging.signals.1).unwrap_or(&[])
    }

    /// Notes that a satellite was refused, under the name of its best signal.
    pub fn refuse(&mut self, index: usize, reason: Refusal) {
        if let Some(r) = self.rangings.get(index)
            && let Some(signal) = self.signals.get(r.best)
        {
            self.refused.push(Refused { sat: r.sat, code: signal.code, reason });
        }
    }

    /// Takes in what was received from one satellite.
    fn satellite(
        &mut self,
        observations: &[Observation],
        nav: &NavData,
        config: &SolverConfig,
        known: &mut [bool; GROUPS],
        seen_pairs: &mut PairCount,
    ) {
        let Some(sat) = observations.first().map(|o| o.sat) else { return };
        let mut refuse = |o: &Observation, reason| self.refused.push(Refused { sat, code: o.code, reason });
        let usable = |o: &Observation| match (o.pseudorange_m, o.cn0_dbhz) {
            (Some(range), _) if !(range.is_finite() && range.abs() <= PSEUDORANGE_LIMIT_M) => {
                Err(Refusal::Implausible)
            }
            (None, _) => Err(Refusal::Implausible),
            (_, Some(cn0_dbhz)) if cn0_dbhz < config.min_cn0_dbhz => Err(Refusal::Weak { cn0_dbhz }),
            (Some(range), _) => Ok(range),
        };
        // The best of the usable signals decides on the ephemeris.
        let mut best: Option<(u8, &Observation, f64)> = None;
        for o in observations {
            let Some(rank) = choice::rank(sat.constellation, o.code, config) else { continue };
            match usable(o) {
                Ok(range) if best.is_none_or(|(b, ..)| rank < b) => best = Some((rank, o, range)),
                Ok(_) => {}
                Err(reason) => refuse(o, reason),
            }
        }
        let Some((_, first, range)) = best else { return };
        let Some(group) = Group::of(sat) else { return refuse(first, Refusal::NoEphemeris) };
        // The satellite clock reading at transmission is what the code says, whatever the receiver clock shows.
        let sent = self.reading - range / SPEED_OF_LIGHT;
        let ephemeris = match model::ephemeris(nav, sat, first.code, sent) {
            Ok(ephemeris) => ephemeris,
            Err(reason) => return refuse(first, reason),
        };
        let mut state = ephemeris.state(sent);
        let transmit = sent - state.clock_s;
        if state.clock_s.abs() < FAR_CLOCK_S {
            state.position += state.velocity * -state.clock_s;
            state.clock_s -= state.clock_drift * state.clock_s;
        } else {
            state = ephemeris.state(transmit);
        }
        if !(state.position.norm().is_finite() && state.clock_s.is_finite()) {
            return refuse(first, Refusal::Implausible);
        }
        let start = self.signals.len();
        let mut shifts = Shifts::default();
        for o in observations {
            let Some(rank) = choice::rank(sat.constellation, o.code, config) else { continue };
            let Ok(pseudorange_m) = usable(o) else { continue };
            if !ephemeris.healthy_for(o.code) {
                refuse(o, Refusal::Unhealthy);
                continue;
            }
            let Some(carrier_hz) = model::carrier_hz(ephemeris, o.code) else {
                refuse(o, Refusal::Implausible);
                continue;
            };
            let (delay_s, delay_sigma_m) = model::group_delay(nav, ephemeris, o.code, transmit);
            let cn0 = model::cn0_ratio(o.cn0_dbhz);
            if let Some(doppler_hz) = o.doppler_hz {
                shifts.add(doppler_hz / carrier_hz, model::rate_variance(carrier_hz, cn0));
            }
            let phase = |cycles| Phase { cycles, slip: o.slip, half_cycle: o.half_cycle };
            self.signals.push(Signal {
                code: o.code,
                carrier_hz,
                gamma: (IONO_CARRIER_HZ / carrier_hz).powi(2),
                cn0_dbhz: o.cn0_dbhz,
                pseudorange_m,
                phase: o.carrier_phase_cycles.filter(|c| c.is_finite()).map(phase),
                clock_m: SPEED_OF_LIGHT * (state.clock_s - delay_s),
                variance: model::thermal_variance(sat.constellation, o.code, cn0)
                    + delay_sigma_m * delay_sigma_m,
                rank,
                band: choice::band(sat.constellation, o.code),
                share: 0.0,
            });
        }
        let signals = self.signals.get(start..).unwrap_or(&[]);
        let Some(offset) = (0..signals.len()).min_by_key(|&i| signals.get(i).map(|s| s.rank)) else { return };
        let mut pair = None;
        if matches!(config.ionosphere, IonoMode::Combined | IonoMode::IonosphereFree) {
            pair = choice::pair(sat, signals.iter().map(|s| (s.code, s.rank)));
            if let Some([a, b]) = pair
                && let (Some(a), Some(b)) = (signals.get(a), signals.get(b))
            {
                seen_pairs.add(group, [a.band, b.band]);
            }
        }
        if !known[group.index()] && config.ionosphere != IonoMode::Off {
            known[group.index()] = true;
            self.iono[group.index()] = nav.iono_at(sat.constellation, first.code, sent);
        }
        self.rangings.push(Ranging {
            sat,
            group,
            state,
            broadcast_variance: model::broadcast_variance(ephemeris),
            signals: (start, self.signals.len()),
            best: start + offset,
            pair: pair.map(|[a, b]| [start + a, start + b]),
            shift: shifts.mean(),
        });
    }
}

/// How many satellites of each group have which pair of bands.
#[derive(Debug, Default)]
struct PairCount {
    counts: [[([u8; 2], usize); 3]; GROUPS],
}

impl PairCount {
    fn add(&mut self, group: Group, bands: [u8; 2]) {
        for (known, count) in &mut self.counts[group.index()] {
            if *count == 0 || *known == bands {
                (*known, *count) = (bands, *count + 1);
                return;
            }
        }
    }

    /// The pair of most satellites, the first met of equals.
    fn most(&self, group: Group) -> Option<[u8; 2]> {
        let counts = self.counts[group.index()].iter().rev().filter(|(_, count)| *count > 0);
        counts.max_by_key(|(_, count)| *count).map(|(bands, _)| *bands)
    }
}

impl Prepared {
    /// Gives the signals their shares, as far as these do not depend on the direction. A receiver delays each band
    /// differently, so all satellites of a group are to have the same pair.
    fn pair_up(&mut self, seen: &PairCount, config: &SolverConfig) {
        for index in 0..self.rangings.len() {
            let Some(r) = self.rangings.get_mut(index) else { continue };
            let Some(signals) = self.signals.get_mut(r.signals.0..r.signals.1) else { continue };
            let bands = seen.most(r.group);
            for s in signals.iter_mut() {
                s.band = u8::from(bands.is_some_and(|[_, second]| s.band == second));
            }
            let place = |i: usize| i.wrapping_sub(r.signals.0);
            r.pair = r.pair.filter(|&[a, b]| {
                let band = |i: usize| signals.get(place(i)).map(|s| s.band);
                band(a) == Some(0) && band(b) == Some(1)
            });
            if let Some([a, b]) = r.pair {
                r.best = a;
                if config.ionosphere == IonoMode::IonosphereFree
                    && let (Some(first), Some(second)) = (signals.get(place(a)), signals.get(place(b)))
                {
                    let (near, far) = (first.gamma, second.gamma);
                    for (i, share) in [(a, far / (far - near)), (b, -near / (far - near))] {
                        if let Some(s) = signals.get_mut(place(i)) {
                            s.share = share;
                        }
                    }
                    continue;
                }
            }
            if let Some(s) = signals.get_mut(place(r.best)) {
                s.share = 1.0;
            }
        }
        if config.ionosphere == IonoMode::IonosphereFree && config.pairs_only {
            let rangings = std::mem::take(&mut self.rangings);
            for r in rangings {
                if r.pair.is_some() {
                    self.rangings.push(r);
                } else if let Some(s) = self.signals.get(r.best) {
                    self.refused.push(Refused { sat: r.sat, code: s.code, reason: Refusal::NoPair });
                }
            }
        }
    }
}

/// The frequency shifts of a satellite's signals.
#[derive(Debug, Default)]
struct Shifts {
    /// The first one, to which the others are relative.
    first: Option<f64>,
    sum: f64,
    weight: f64,
}

impl Shifts {
    /// Takes in a shift (received over nominal frequency, less 1) and the variance of its range rate, m²/s².
    fn add(&mut self, ratio: f64, variance: f64) {
        if ratio.is_nan() || ratio.abs() >= SHIFT_LIMIT {
            return;
        }
        let off = ratio - *self.first.get_or_insert(ratio);
        if off.abs() * SPEED_OF_LIGHT <= DISAGREE_M_S {
            self.sum += off / variance;
            self.weight += 1.0 / variance;
        }
    }

    /// What the signals agree on.
    fn mean(&self) -> Option<Shift> {
        let sigma_m_s = (model::RATE_FLOOR_M_S.powi(2) + 1.0 / self.weight).sqrt();
        self.first.map(|first| Shift { ratio: first + self.sum / self.weight, sigma_m_s })
    }
}
