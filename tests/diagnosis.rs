//! Recordings without a position, and what the receiver says of them.

mod common;

use common::{receive, scene};
use megrez::dsp::{SampleFormat, Unpacker};
use megrez::prelude::*;
use megrez_sim::{Cn0, Scene, Simulation, Tone};

fn short() -> Scene {
    let mut short = scene(&[SignalId::L1CA], 4e6, 1_575.42e6, SampleFormat::Cs8);
    short.duration_s = 1.5;
    short
}

fn said(scene: Scene) -> String {
    let outcome = receive(scene, |b| b.configure(|c| c.oscillator_error_ppm = 2.0));
    assert_eq!(outcome.solutions().count(), 0);
    outcome.receiver.diagnose().to_string()
}

#[test]
fn nothing_but_noise() {
    let mut noise = short();
    noise.cn0 = Cn0 { constant_dbhz: 5.0, ..Cn0::default() };
    let text = said(noise);
    assert!(text.contains("no satellite was found in 1.5 s at 4 Msps around 1575.420 MHz"), "{text}");
    assert!(text.contains("hint: check --rate, --center and --format"), "{text}");
}

#[test]
fn satellites_but_no_time_for_their_messages() {
    let text = said(short());
    assert!(text.contains("10 satellites found: G01 4"), "{text}");
    assert!(text.contains("no satellite's message could be read"), "{text}");
    assert!(text.contains("use `megrez snapshot` with --nav"), "{text}");
}

#[test]
fn clipping_offsets_and_spurs() {
    let mut loud = short();
    loud.front_end.level_db = 20.0;
    let text = said(loud);
    assert!(text.contains("at full scale") && text.contains("lower the front end's gain"), "{text}");
    let mut offset = short();
    offset.front_end.dc = [2.0, 0.0];
    let text = said(offset);
    assert!(text.contains("a constant offset makes up"), "{text}");
    let mut tone = short();
    tone.front_end.tone = Some(Tone { frequency_hz: 1_576.0e6, level_db: 0.0 });
    let text = said(tone);
    assert!(text.contains("a carrier near 1576.00"), "{text}");
}

#[test]
fn an_incomplete_message_is_named() {
    let mut cut = scene(&[SignalId::L1CA], 4e6, 1_575.42e6, SampleFormat::Cs8);
    cut.duration_s = 14.0;
    let text = receive(cut, |b| b).receiver.diagnose().to_string();
    assert!(text.contains("0 of 10 satellites have a complete ephemeris, 4 are needed"), "{text}");
    assert!(text.contains("(subframe 3)"), "{text}");
}

#[test]
fn a_wrong_sample_rate_is_suspected() {
    let simulation = Simulation::new(short()).unwrap();
    let told = StreamInfo { sample_rate_hz: 5e6, ..simulation.info() };
    let mut receiver = Receiver::builder(told.clone())
        .configure(|c| {
            c.signals = vec![SignalId::L1CA];
            c.oscillator_error_ppm = 2.0;
        })
        .build()
        .unwrap();
    let mut unpacker = Unpacker::new(simulation.format(), told.block_len()).unwrap();
    let bytes: Vec<u8> = simulation.packed_blocks().flatten().collect();
    let mut first_sample = 0;
    for part in bytes.chunks_exact(2 * told.block_len()) {
        let mut samples = unpacker.empty();
        unpacker.unpack(part, &mut samples);
        receiver.push(&SampleBlock { first_sample, samples });
        first_sample += told.block_len() as u64;
    }
    receiver.finish();
    let text = receiver.diagnose().to_string();
    assert!(text.contains("satellites appear when the samples are taken as 4 Msps, not 5"), "{text}");
    assert!(text.contains("hint: try --rate 4M"), "{text}");
}
