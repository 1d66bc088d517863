use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use megrez_dsp::format::{Layout, SampleFormat};
use megrez_dsp::{SampleBlock, StreamInfo};

use crate::Source;
use crate::error::{SourceError, Warning};
use crate::reader::ReadSource;
use crate::resolve::{InputOptions, Resolved};

/// Port at which rtl_tcp listens.
const DEFAULT_PORT: u16 = 1234;
/// A server silent for this long is taken for dead.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Settings of the tuner.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RtlTcpOptions {
    /// Gain in dB; automatic if none.
    pub gain_db: Option<f64>,
    /// Correction of the oscillator in parts per million.
    pub correction_ppm: i32,
    /// Feed the antenna through the cable.
    pub bias_tee: bool,
}

/// Samples from an rtl_tcp server: an RTL-SDR on the network.
pub struct RtlTcp {
    source: ReadSource<TcpStream>,
    tuner: u32,
}

impl RtlTcp {
    /// Connects to `address` (`host` or `host:port`), sets centre and rate of `options` and the tuner, and
    /// starts to receive.
    pub fn connect(
        address: &str,
        options: &InputOptions,
        tuner: &RtlTcpOptions,
    ) -> Result<Self, SourceError> {
        let name = format!("rtl_tcp://{address}");
        let error = |message: String| SourceError::Server { name: name.clone(), message };
        let io = |what: &'static str| {
            let name = name.clone();
            move |e: std::io::Error| SourceError::Server {
                name: name.clone(),
                message: format!("{what}: {e}"),
            }
        };
        if options.format.is_some_and(|format| format != SampleFormat::Cu8) {
            return Err(error("an rtl_tcp server sends cu8, leave the format out".to_string()));
        }
        let options = InputOptions { format: Some(SampleFormat::Cu8), ..options.clone() };
        let description = Resolved::of_stream(&name, &options)?;
        if description.layout != Layout::from(SampleFormat::Cu8) {
            return Err(error("an rtl_tcp server sends cu8".to_string()));
        }
        let host = address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let full = if host { address.to_string() } else { format!("{address}:{DEFAULT_PORT}") };
        let mut stream = None;
        let mut last = None;
        for target in full.to_socket_addrs().map_err(io("no such host"))? {
            match TcpStream::connect_timeout(&target, TIMEOUT) {
                Ok(connected) => {
                    stream = Some(connected);
                    break;
                }
                Err(e) => last = Some(e),
            }
        }
        let mut stream = stream.ok_or_else(|| match last {
            Some(e) => error(format!("cannot connect: {e}")),
            None => error("no such host".to_string()),
        })?;
        stream.set_read_timeout(Some(TIMEOUT)).map_err(io("cannot set a timeout"))?;

        let mut header = [0; 12];
        stream.read_exact(&mut header).map_err(io("no greeting"))?;
        let [b'R', b'T', b'L', b'0', t0, t1, t2, t3, ..] = header else {
            return Err(error("is no rtl_tcp server: its greeting does not begin with RTL0".to_string()));
        };
        for (command, value) in commands(&description.info, tuner) {
            let mut message = [command, 0, 0, 0, 0];
            if let Some(argument) = message.get_mut(1..) {
                argument.copy_from_slice(&value.to_be_bytes());
            }
            stream.write_all(&message).map_err(io("cannot send a command"))?;
        }
        Ok(Self {
            source: ReadSource::new(stream, description)?,
            tuner: u32::from_be_bytes([t0, t1, t2, t3]),
        })
    }

    /// The kind of tuner, by the numbers of librtlsdr (5: R820T, 6: R828D).
    pub fn tuner(&self) -> u32 {
        self.tuner
    }
}

/// The commands that set a tuner: number and argument.
fn commands(info: &StreamInfo, tuner: &RtlTcpOptions) -> Vec<(u8, u32)> {
    let hertz = |x: f64| x.round().clamp(0.0, f64::from(u32::MAX)) as u32;
    let mut commands = vec![(0x02, hertz(info.sample_rate_hz)), (0x01, hertz(info.center_hz))];
    if tuner.correction_ppm != 0 {
        commands.push((0x05, tuner.correction_ppm as u32));
    }
    match tuner.gain_db {
        // Tenths of a decibel.
        Some(gain) => commands.extend([(0x03, 1), (0x04, (gain * 10.0).round() as i32 as u32)]),
        None => commands.push((0x03, 0)),
    }
    commands.push((0x0e, u32::from(tuner.bias_tee)));
    commands
}

impl Source for RtlTcp {
    fn info(&self) -> &StreamInfo {
        self.source.info()
    }

    fn next_block(&mut self) -> Result<Option<SampleBlock>, SourceError> {
        self.source.next_block()
    }

    fn warnings(&mut self) -> Vec<Warning> {
        self.source.warnings()
    }

    fn recycle(&mut self, block: SampleBlock) {
        self.source.recycle(block);
    }
}
