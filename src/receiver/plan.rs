//! Which signals are received from which stream.

use megrez_dsp::{Band, Stream, stream_of};
use megrez_signal::{Signal, SignalId};

use super::ReceiverError;
use crate::ReceiverConfig;
use crate::config::is_received;

/// Seconds kept before a block, beyond two code periods: what a channel has not taken yet is less than one.
const HISTORY_MARGIN_S: f64 = 0.002;

/// One carrier of one stream.
pub(super) struct Tuned {
    pub(super) band: Band,
    pub(super) stream: usize,
    carrier_hz: f64,
}

/// A signal that is received.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) signal: SignalId,
    pub(super) band: usize,
    /// Satellites are looked for by it. Else they are tracked once something tells where it is in its code.
    pub(super) searched: bool,
}

/// The bands for the signals that are asked for and there, and these, sorted.
pub(super) fn plan(
    streams: &[Stream],
    config: &ReceiverConfig,
) -> Result<(Vec<Tuned>, Vec<Received>), ReceiverError> {
    let home = |signal: &Signal| stream_of(streams, signal.carrier_hz, signal.chip_rate_hz);
    let mut there: Vec<SignalId> =
        config.signals.iter().copied().filter(|s| home(s.def()).is_some()).collect();
    if let Some(&signal) = there.iter().find(|s| !is_received(s.def())) {
        return Err(ReceiverError::NotTracked(signal));
    }
    there.sort();
    there.dedup();
    let searched = |signal: &SignalId| !config.aided_only.contains(signal);
    if there.iter().any(searched) {
        let leads_to = |to: &SignalId| {
            let constellation = to.def().constellation;
            let known = config.nav.sats().any(|sat| sat.constellation == constellation);
            known || there.iter().any(|from| searched(from) && from.def().constellation == constellation)
        };
        let kept: Vec<SignalId> = there.iter().copied().filter(|s| searched(s) || leads_to(s)).collect();
        there = kept;
    }
    if there.is_empty() {
        return Err(no_signal(streams, &config.signals));
    }
    let nothing_searched = !there.iter().any(searched);
    let mut bands: Vec<Tuned> = Vec::new();
    let mut received = Vec::new();
    for &signal in &there {
        let def = signal.def();
        let Some((stream, info)) = home(def).and_then(|k| Some((k, &streams.get(k)?.info))) else { continue };
        let same = |t: &Tuned| t.stream == stream && t.carrier_hz == def.carrier_hz;
        let band = bands.iter().position(same).unwrap_or(bands.len());
        if band == bands.len() {
            let sharing = there.iter().map(|s| s.def()).filter(|s| s.carrier_hz == def.carrier_hz);
            let period_s = sharing.map(Signal::code_period_s).fold(0.0, f64::max);
            let history_s = 2.0 * period_s + HISTORY_MARGIN_S;
            let carrier_hz = def.carrier_hz;
            bands.push(Tuned {
                band: Band::new(info, carrier_hz, history_s, config.level),
                stream,
                carrier_hz,
            });
        }
        received.push(Received { signal, band, searched: searched(&signal) || nothing_searched });
    }
    Ok((bands, received))
}

fn no_signal(streams: &[Stream], wanted: &[SignalId]) -> ReceiverError {
    let covered = streams.iter().map(|stream| {
        let (low, high) = stream.covers_hz;
        format!("{:.3} to {:.3} MHz", low / 1e6, high / 1e6)
    });
    let wanted = wanted.iter().map(|s| format!("{s} ({:.3} MHz)", s.def().carrier_hz / 1e6));
    ReceiverError::NoSignal {
        covered: covered.collect::<Vec<_>>().join(" and "),
        wanted: wanted.collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use megrez_dsp::StreamInfo;

    fn received(
        rate_hz: f64,
        center_hz: f64,
        signals: &[SignalId],
        aided_only: &[SignalId],
    ) -> Vec<(SignalId, bool)> {
        let info = StreamInfo { sample_rate_hz: rate_hz, center_hz, complex: true };
        let config = ReceiverConfig {
            signals: signals.to_vec(),
            aided_only: aided_only.to_vec(),
            ..Default::default()
        };
        let (_, received) = plan(&[info.into()], &config).unwrap();
        received.iter().map(|r| (r.signal, r.searched)).collect()
    }

    #[test]
    fn what_is_aided_only_comes_with_what_leads_to_it() {
        use SignalId::{B1CP, B1I, L1CA};
        let (wanted, aided) = ([B1I, L1CA, B1CP], [B1CP]);
        let wide = received(18e6, 1_568e6, &wanted, &aided);
        assert!(
            wide.len() == 3 && wide.iter().all(|&(signal, searched)| searched == (signal != B1CP)),
            "{wide:?}"
        );
        assert_eq!(received(4e6, 1_575.42e6, &wanted, &aided), [(L1CA, true)]);
        assert_eq!(received(4e6, 1_575.42e6, &[B1CP], &aided), [(B1CP, true)]);
        assert_eq!(received(4e6, 1_575.42e6, &[B1CP, L1CA], &[]).len(), 2);
    }
}
