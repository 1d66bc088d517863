//! The files of `--out`.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use megrez::prelude::*;
use megrez_output::{
    BeidouTalker, GeoJsonWriter, GpxWriter, KmlWriter, MessageLog, NmeaEpoch, NmeaOptions, NmeaWriter,
    SolutionLog, SolutionSink,
};
use megrez_rinex::{FileInfo, ObsFileHeader, ObsWriter};

use crate::args::TalkerArg;
use crate::commands::run::write_file;
use crate::error::CliError;

type Out = BufWriter<File>;

/// Every file that a run writes while it goes.
pub struct Sinks {
    dir: PathBuf,
    tracks: Vec<Box<dyn SolutionSink + Send>>,
    nmea: NmeaWriter<Out>,
    messages: MessageLog<Out>,
    observations: Option<ObsWriter<Out>>,
    signals: Vec<SignalId>,
    interval_s: f64,
    /// Observations wait for the solution of their epoch, which NMEA shows with them.
    epoch: Option<ObservationEpoch>,
}

fn create(dir: &Path, name: &str) -> Result<Out, CliError> {
    let path = dir.join(name);
    File::create(&path).map(BufWriter::new).map_err(|error| CliError::file(&path, &error))
}

fn program() -> String {
    format!("megrez {}", env!("CARGO_PKG_VERSION"))
}

impl Sinks {
    pub fn create(
        dir: &Path,
        talker: TalkerArg,
        signals: &[SignalId],
        interval_s: f64,
    ) -> Result<Self, CliError> {
        std::fs::create_dir_all(dir).map_err(|error| CliError::file(dir, &error))?;
        let beidou = match talker {
            TalkerArg::Gn => BeidouTalker::Gb,
            TalkerArg::Bd => BeidouTalker::Bd,
        };
        Ok(Self {
            tracks: vec![
                Box::new(SolutionLog::new(create(dir, "solution.jsonl")?)),
                Box::new(GeoJsonWriter::new(create(dir, "track.geojson")?)),
                Box::new(KmlWriter::new(create(dir, "track.kml")?, "megrez")),
                Box::new(GpxWriter::new(create(dir, "track.gpx")?, "megrez")),
            ],
            nmea: NmeaWriter::new(create(dir, "track.nmea")?, NmeaOptions { beidou }),
            messages: MessageLog::new(create(dir, "messages.jsonl")?),
            observations: None,
            signals: signals.to_vec(),
            interval_s,
            epoch: None,
            dir: dir.to_path_buf(),
        })
    }

    pub fn event(&mut self, event: &Event, receiver: &Receiver) -> Result<(), CliError> {
        match event {
            Event::Message { subframe, time, .. } => {
                self.messages.subframe(subframe, *time).map_err(CliError::new)
            }
            Event::Observations { epoch, .. } => {
                self.observations(epoch, receiver)?;
                self.epoch = Some(epoch.clone());
                Ok(())
            }
            Event::Solution(fix) => {
                for track in &mut self.tracks {
                    track.solution(fix).map_err(CliError::new)?;
                }
                self.nmea(Some(fix))
            }
            Event::NoSolution { .. } => self.nmea(None),
            _ => Ok(()),
        }
    }

    fn nmea(&mut self, solution: Option<&Solution>) -> Result<(), CliError> {
        let epoch = self.epoch.take();
        let time = solution.map(|fix| fix.time).or(epoch.as_ref().map(|e| e.time));
        self.nmea.epoch(&NmeaEpoch { time, solution, observations: epoch.as_ref() }).map_err(CliError::new)
    }

    fn observations(&mut self, epoch: &ObservationEpoch, receiver: &Receiver) -> Result<(), CliError> {
        let path = self.dir.join("obs.rnx");
        let error = |error: std::io::Error| CliError::file(&path, &error);
        if self.observations.is_none() {
            let info = FileInfo { program: program(), date: Some(epoch.time), ..FileInfo::default() };
            let mut header = ObsFileHeader {
                program: info.columns(),
                marker: "MEGREZ".to_string(),
                receiver: [String::new(), program(), String::new()],
                approx_position: receiver.hot_start().map(|state| state.position),
                interval_s: Some(self.interval_s),
                first_epoch: Some(epoch.time),
                ..ObsFileHeader::default()
            };
            header.set_signals(self.signals.iter().map(|s| (s.def().constellation, s.def().rinex_code)));
            self.observations = Some(ObsWriter::new(create(&self.dir, "obs.rnx")?, &header).map_err(error)?);
        }
        match &mut self.observations {
            Some(writer) => writer.write(epoch).map_err(error),
            None => Ok(()),
        }
    }

    /// Completes every file; one that fails does not stop the others.
    pub fn finish(mut self, receiver: &Receiver) -> Result<(), CliError> {
        let mut first = Ok(());
        let mut note = |result: Result<(), CliError>| {
            if first.is_ok() {
                first = result;
            }
        };
        for track in &mut self.tracks {
            note(track.finish().map_err(CliError::new));
        }
        note(self.nmea.finish().map_err(CliError::new));
        note(self.messages.finish().map_err(CliError::new));
        if let Some(writer) = self.observations.take() {
            note(writer.finish().map(|_| ()).map_err(|e| CliError::file(&self.dir.join("obs.rnx"), &e)));
        }
        if !receiver.nav().is_empty() {
            let path = self.dir.join("nav.rnx");
            let info = FileInfo {
                program: program(),
                date: receiver.hot_start().map(|state| state.time),
                ..FileInfo::default()
            };
            note(write_file(&path, |out| {
                megrez_rinex::write_nav(out, receiver.nav(), &info).map_err(|e| CliError::file(&path, &e))
            }));
        }
        first
    }
}
