//! Real signals: recordings of 100 ms with satellites, Dopplers and code phases known from an independent search
//! (a grid of 250 Hz and one sample).

use std::path::{Path, PathBuf};

use megrez_dsp::{Band, Level, SampleBlock, Samples, StreamInfo};
use megrez_signal::{Sat, SignalId};
use megrez_track::{Channel, ChannelEvent, ChannelStart, ChannelState, TrackConfig};

fn recording(name: &str) -> Option<Vec<i8>> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/iq").join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes.into_iter().map(|b| b as i8).collect()),
        Err(_) => {
            eprintln!("SKIPPED: {} is absent", path.display());
            None
        }
    }
}

/// Tracks satellites given as (PRN, Doppler, first sample of a code period); returns how many were found, and how
/// many of these synchronised.
fn track(id: SignalId, samples: &[i8], info: &StreamInfo, sats: &[(u8, f64, u64)]) -> (usize, usize) {
    let signal = id.def();
    let level = Level::Portable;
    let mut band = Band::new(info, signal.carrier_hz, 0.01, level);
    let mut channels: Vec<(Channel, Vec<ChannelEvent>)> = sats
        .iter()
        .map(|&(prn, doppler_hz, sample)| {
            let start = ChannelStart { sample, code_phase_chips: 0.0, doppler_hz, cn0_dbhz: 45.0 };
            let config = TrackConfig::default();
            (
                Channel::new(
                    signal,
                    Sat { constellation: signal.constellation, prn },
                    info.sample_rate_hz,
                    level,
                    start,
                    &config,
                ),
                vec![],
            )
        })
        .collect();
    let block = (info.sample_rate_hz * 0.01).round() as usize;
    for (i, chunk) in samples.chunks(block).enumerate() {
        let first_sample = (i * block) as u64;
        band.push(&SampleBlock { first_sample, samples: Samples::Real(chunk.to_vec()) });
        for (channel, events) in &mut channels {
            channel.process(&band.view(), events);
        }
    }
    let (mut found, mut synchronised) = (0, 0);
    for ((channel, events), &(prn, doppler_hz, sample)) in channels.iter().zip(sats) {
        found += usize::from(channel.state() != ChannelState::PullIn);
        let locked = events.iter().find_map(|e| match e {
            ChannelEvent::Locked { sample, .. } => Some(*sample as f64 / info.sample_rate_hz),
            _ => None,
        });
        let Some(m) = channel.measurement(samples.len() as u64) else {
            println!("{id} {prn:02}: {:?}", channel.state());
            continue;
        };
        assert_eq!(channel.state(), ChannelState::Synchronised);
        let rate = signal.chip_rate_hz * (1.0 + m.doppler_hz / signal.carrier_hz);
        let elapsed = (samples.len() as u64 - sample) as f64 / info.sample_rate_hz;
        let expected = elapsed * rate;
        let length = signal.code_length as f64;
        let off = (m.code_phase_chips - expected + 0.5 * length).rem_euclid(length) - 0.5 * length;
        println!(
            "{id} {prn:02}: locked after {:.3} s, {:.1} dB-Hz, Doppler {:.1} (listed {doppler_hz}), code {off:.2} chips \
             from the listed",
            locked.unwrap_or(f64::NAN),
            m.cn0_dbhz,
            m.doppler_hz,
        );
        assert!((m.doppler_hz - doppler_hz).abs() < 200.0 && off.abs() < 0.7, "{id} {prn:02}");
        assert!((33.0..56.0).contains(&m.cn0_dbhz));
        synchronised += 1;
    }
    (found, synchronised)
}

#[test]
fn softgnss_recording() {
    let Some(samples) = recording("ugsdr/real_8.bin") else { return };
    // The list's Dopplers count from 9.55 MHz, 2 kHz above the stated intermediate frequency.
    let info = StreamInfo { sample_rate_hz: 38.192e6, center_hz: 1_575.42e6 - 9.55e6, complex: false };
    let sats = [
        (3, 0.0, 34213),
        (6, -5750.0, 28203),
        (9, 1000.0, 4695),
        (15, 0.0, 36321),
        (18, -1750.0, 20725),
        (21, -2500.0, 13404),
        (22, -250.0, 6289),
        (26, -5000.0, 26828),
    ];
    // No satellite changes a bit in this tenth of a second, so no symbol edge can be known.
    assert_eq!(track(SignalId::L1CA, &samples, &info, &sats), (8, 0));
}

#[test]
fn pocketsdr_recording() {
    let Some(samples) = recording("pocketsdr/L1_20211125_004000_12MHz_I.bin") else { return };
    let info = StreamInfo { sample_rate_hz: 12e6, center_hz: 1_572.42e6, complex: false };
    let sats =
        [(13, -250.0, 6004), (5, 250.0, 5611), (15, 1750.0, 9317), (20, -1250.0, 8172), (30, -2000.0, 4720)];
    assert_eq!(track(SignalId::L1CA, &samples, &info, &sats), (5, 5));
}

/// A tenth of a second is ten periods: enough for pull-in on the main peak, too short for the secondary code.
#[test]
fn pocketsdr_recording_b1c() {
    let Some(samples) = recording("pocketsdr/L1_20211125_004000_12MHz_I.bin") else { return };
    let info = StreamInfo { sample_rate_hz: 12e6, center_hz: 1_572.42e6, complex: false };
    let sats = [
        (32, 1050.0, 2.5125),
        (38, 200.0, 6.44475),
        (41, -1100.0, 5.49),
        (39, 750.0, 0.66425),
        (30, -950.0, 6.806),
        (23, 2450.0, 6.705),
        (25, -200.0, 8.2225),
        (20, 2500.0, 3.44075),
        (27, -2750.0, 9.67125),
        (29, 1650.0, 3.2415),
        (37, 3550.0, 4.76225),
    ];
    let sats =
        sats.map(|(prn, doppler_hz, ms): (u8, f64, f64)| (prn, doppler_hz, (ms * 12e3).round() as u64));
    assert_eq!(track(SignalId::B1CP, &samples, &info, &sats), (11, 11));
}
