//! The tables of docs/signals.md: what the definitions say, and what the crates say they can do.

use std::fmt::Write;

use megrez::acquire::{SearchPlan, search};
use megrez::nav::Decoder;
use megrez::orbit::GroupDelays;
use megrez::prelude::*;
use megrez::signal::{ALL, Modulation, NavMessage, Signal};
use megrez::track::Channel;
use megrez_sim::{Scene, Simulation};

/// A stage that a test takes with data recorded by others: which data, with what outcome, and where.
struct Real {
    signal: SignalId,
    stage: &'static str,
    data: &'static str,
    outcome: &'static str,
    test: &'static str,
}

const fn real(
    signal: SignalId,
    stage: &'static str,
    data: &'static str,
    outcome: &'static str,
    test: &'static str,
) -> Real {
    Real { signal, stage, data, outcome, test }
}

const NT1065: &str = "NT1065 recording, 10 ms";
const POCKETSDR: &str = "PocketSDR recording, 100 ms";
const UBLOX: &str = "u-blox log of subframes";
const CLI: &str = "crates/cli/tests/real.rs";
const TRACK: &str = "crates/track/tests/recordings.rs";
const UBX: &str = "crates/nav/tests/ubx.rs";

/// All that is tested on real data, and nothing else.
const REAL: [Real; 20] = [
    real(SignalId::B1I, "acquired", NT1065, "5 of 5", CLI),
    real(SignalId::B1I, "decoded", "u-blox log of a walk", "D1 of 8 satellites", UBX),
    real(
        SignalId::B1I,
        "position",
        "observations of Nagoya and Wettzell",
        "as RTKLIB",
        "crates/pvt/tests/real.rs",
    ),
    real(SignalId::B1CP, "acquired", NT1065, "3 of 3", CLI),
    real(SignalId::B1CP, "acquired", POCKETSDR, "11 of 11", CLI),
    real(SignalId::B1CP, "tracked", POCKETSDR, "11 of 11", TRACK),
    real(SignalId::B1CP, "position", POCKETSDR, "a snapshot", CLI),
    real(SignalId::B1CD, "decoded", UBLOX, "subframe 2 of 1207 frames, subframe 3 of 837", UBX),
    real(SignalId::B2I, "acquired", NT1065, "2 of 2", CLI),
    real(SignalId::B3I, "acquired", "GNSS-SDR recording, 4 ms", "17 of 17", CLI),
    real(SignalId::B3I, "decoded", UBLOX, "4306 of 4306 subframes of D1", UBX),
    real(SignalId::B2AP, "acquired", NT1065, "5 of 5", CLI),
    real(SignalId::B2AD, "decoded", UBLOX, "5581 of 5581 messages", UBX),
    real(SignalId::B2BI, "acquired", NT1065, "6 of 6", CLI),
    real(
        SignalId::B2BI,
        "decoded",
        "an hour of PPP-B2b",
        "3600 of 3600 messages; no B-CNAV3",
        "crates/nav/tests/ppp_b2b.rs",
    ),
    real(SignalId::L1CA, "acquired", "SoftGNSS recording, 100 ms", "9 of 9", CLI),
    real(SignalId::L1CA, "tracked", POCKETSDR, "5 of 5", TRACK),
    real(SignalId::L1CA, "decoded", "u-blox log of a walk", "LNAV of 10 satellites", UBX),
    real(SignalId::L1CA, "position", "SnapperGPS recordings", "301 snapshots", "crates/cli/tests/snapper.rs"),
    real(
        SignalId::SBASL1,
        "decoded",
        "messages off the air",
        "all, coded again by the test",
        "crates/nav/tests/sbas.rs",
    ),
];

/// The tables, in Markdown.
pub fn tables() -> String {
    let mut text = String::new();
    definitions(&mut text).and_then(|()| abilities(&mut text)).and_then(|()| real_data(&mut text)).unwrap();
    text
}

fn definitions(text: &mut String) -> std::fmt::Result {
    writeln!(text, "## Definitions\n")?;
    writeln!(
        text,
        "| component | carrier, MHz | Mchip/s | chips | modulation | share of power, phase | secondary code | message | RINEX | satellites | document |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|---|---|---|---|---|")?;
    for signal in ALL {
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} %, {}° | {} | {} | {} | {} | {} |",
            signal.name,
            signal.carrier_hz / 1e6,
            signal.chip_rate_hz / 1e6,
            signal.code_length,
            match signal.modulation {
                Modulation::Bpsk => "BPSK",
                Modulation::BocSine => "BOC(1,1)",
                Modulation::Qmboc => "QMBOC(6,1,4/33)",
            },
            100.0 * signal.power_share,
            360.0 * signal.phase_cycles,
            listed(secondary_codes(signal)),
            listed(messages(signal).into_iter().map(message_name)),
            signal.rinex_code,
            numbers(signal),
            signal.source,
        )?;
    }
    Ok(())
}

fn abilities(text: &mut String) -> std::fmt::Result {
    writeln!(text, "\n## What works\n")?;
    writeln!(
        text,
        "| component | acquired | tracked | decoded | used for positions | simulated | on real data |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|---|")?;
    for signal in ALL {
        let message = match signal.is_pilot() {
            true => "has none".to_string(),
            false => listed(messages(signal).into_iter().filter(|m| decoded(signal, *m)).map(message_name)),
        };
        let mut stages: Vec<_> = REAL.iter().filter(|r| r.signal == signal.id).map(|r| r.stage).collect();
        stages.dedup();
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            signal.name,
            said(acquired(signal)),
            said(signal.senders().all(|sat| Channel::supports(signal, sat))),
            message,
            said(positions(signal)),
            said(simulated(signal)),
            listed(stages),
        )?;
    }
    Ok(())
}

fn real_data(text: &mut String) -> std::fmt::Result {
    writeln!(text, "\n## Tested on real data\n")?;
    writeln!(
        text,
        "Recordings and logs made by others; of nothing else is it shown here that real signals are received.\n"
    )?;
    writeln!(text, "| component | stage | data | outcome | test |")?;
    writeln!(text, "|---|---|---|---|---|")?;
    for Real { signal, stage, data, outcome, test } in &REAL {
        writeln!(text, "| {signal} | {stage} | {data} | {outcome} | `{test}` |")?;
    }
    Ok(())
}

fn said(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn listed(all: impl IntoIterator<Item = impl Into<String>>) -> String {
    let all: Vec<String> = all.into_iter().map(Into::into).collect();
    if all.is_empty() { "–".to_string() } else { all.join(", ") }
}

/// What is different between the satellites that send a signal.
fn distinct<T: PartialEq>(signal: &Signal, of: impl Fn(Sat) -> Option<T>) -> Vec<T> {
    let mut all = Vec::new();
    for value in signal.senders().filter_map(of) {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    all
}

fn messages(signal: &Signal) -> Vec<NavMessage> {
    distinct(signal, |sat| signal.nav_message(sat.prn))
}

fn secondary_codes(signal: &Signal) -> Vec<String> {
    distinct(signal, |sat| Some(format!("{} chips", signal.secondary(sat.prn)?.chips.len())))
}

/// Numbers of the satellites that send a signal, runs joined.
fn numbers(signal: &Signal) -> String {
    let mut runs: Vec<(Sat, Sat)> = Vec::new();
    for sat in signal.senders() {
        match runs.last_mut() {
            Some((_, last)) if last.prn + 1 == sat.prn => *last = sat,
            _ => runs.push((sat, sat)),
        }
    }
    let run = |&(first, last): &(Sat, Sat)| match first == last {
        true => first.to_string(),
        false => format!("{first}–{last}"),
    };
    listed(runs.iter().map(run))
}

fn message_name(message: NavMessage) -> &'static str {
    match message {
        NavMessage::D1 => "D1",
        NavMessage::D2 => "D2",
        NavMessage::Cnav1 => "B-CNAV1",
        NavMessage::Cnav2 => "B-CNAV2",
        NavMessage::Cnav3 => "B-CNAV3",
        NavMessage::PppB2b => "PPP-B2b",
        NavMessage::Lnav => "LNAV",
        NavMessage::Sbas => "SBAS",
        NavMessage::SbasDfmc => "DFMC SBAS",
        _ => "another",
    }
}

fn decoded(signal: &Signal, message: NavMessage) -> bool {
    let mut senders = signal.senders().filter(|sat| signal.nav_message(sat.prn) == Some(message));
    senders.all(|sat| Decoder::new(sat, message).is_some())
}

/// Whether a search accepts the signal.
fn acquired(signal: &Signal) -> bool {
    let info =
        StreamInfo { sample_rate_hz: 2.5 * signal.chip_rate_hz, center_hz: signal.carrier_hz, complex: true };
    let mut plan = SearchPlan::cold(signal.id, 0.0);
    plan.prns.truncate(1);
    plan.doppler_hz = (-100.0, 100.0);
    let count = (plan.needs_s(&info) * info.sample_rate_hz).ceil() as usize + 1;
    search(&Samples::Complex(vec![Default::default(); count]), 0, &info, &plan).is_ok()
}

/// Whether a position can rest on the signal: a message of its satellites tells its delay against their clock.
fn positions(signal: &Signal) -> bool {
    let known = Some(1e-9);
    let delays = GroupDelays {
        tgd: known,
        tgd1: known,
        tgd2: known,
        tgd_b1cp: known,
        tgd_b2ap: known,
        isc_b1cd: known,
        isc_b2ad: known,
        tgd_b2bi: known,
        ..GroupDelays::default()
    };
    let bearer = if signal.is_pilot() { signal.partner.unwrap().def() } else { signal };
    messages(bearer).into_iter().any(|m| delays.of(signal.constellation, m, signal.rinex_code).is_some())
}

/// Whether a scene makes the signal, with a message of its own where it carries one.
fn simulated(signal: &Signal) -> bool {
    let scene = Scene { signals: vec![signal.id], duration_s: 0.1, ..Scene::default() };
    Simulation::new(scene)
        .is_ok_and(|sim| sim.warnings().is_empty() && sim.signals().any(|(_, id)| id == signal.id))
}
