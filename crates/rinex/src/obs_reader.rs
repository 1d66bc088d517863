//! Observation files, read epoch by epoch.

use std::io::{BufReader, Read};
use std::path::Path;

use megrez_orbit::{GnssTime, ObservationEpoch};
use megrez_signal::{Constellation, Sat};

use crate::RinexError;
use crate::crinex::Crinex;
use crate::field;
use crate::input::{self, Lines, Unpacked};
use crate::obs_assemble::Assembler;
use crate::obs_header::{HeaderParser, ObsFileHeader};
use crate::obs_text::{Head, cells_of, first_sat, sat_of};

/// Bytes kept of one line; a line of 999 satellites in the compressed format has 3038.
const MAX_LINE: usize = 1 << 15;
/// Warnings kept of one file; further ones are only counted.
const MAX_WARNINGS: usize = 100;
/// Columns of one line of RINEX 2.
const COLUMNS2: usize = 5;

/// One epoch of an observation file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObsEpoch {
    /// Time and measurements.
    pub epoch: ObservationEpoch,
    /// The receiver lost power since the previous epoch.
    pub power_failure: bool,
    /// Receiver clock offset in s, if given.
    pub clock_offset_s: Option<f64>,
    /// What happened since the previous epoch.
    pub events: Vec<ObsEvent>,
    /// Line of the file at which the epoch starts.
    pub line: usize,
}

/// Something else than measurements in the body of an observation file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ObsEvent {
    /// What it is.
    pub kind: ObsEventKind,
    /// When, if given.
    pub time: Option<GnssTime>,
    /// Line of the file.
    pub line: usize,
}

/// Kinds of events, with their epoch flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObsEventKind {
    /// The antenna starts moving (2).
    Moving,
    /// The antenna stands at a new site (3).
    NewSite,
    /// Header lines follow (4); [`ObsReader::header`] has them.
    HeaderLines,
    /// Something outside the receiver was timed (5).
    External,
}

/// Reads an observation file of RINEX 2.10 to 2.12, 3.00 to 3.05 or 4.00 to 4.02, plain, gzip, or in Hatanaka's
/// compressed format, epoch by epoch without holding the file in memory.
///
/// Damaged lines give warnings; epochs after them are read as far as the format allows. As an iterator it gives
/// [`ObsEpoch`] values; [`ObsReader::read`] uses one over and over.
#[derive(Debug)]
pub struct ObsReader<R: Read> {
    lines: Lines<BufReader<Unpacked<R>>>,
    parser: HeaderParser,
    compact: Option<Crinex>,
    assembler: Assembler,
    events: Vec<ObsEvent>,
    warnings: Warnings,
    /// The line before was no part of an epoch either.
    skipping: bool,
    ended: bool,
    /// Satellites of a RINEX 2 or compressed epoch line.
    sats: Vec<Option<Sat>>,
}

/// Warnings, the first ones in words.
#[derive(Debug, Default)]
struct Warnings {
    list: Vec<String>,
    count: usize,
}

impl Warnings {
    fn add(&mut self, warning: impl FnOnce() -> String) {
        self.count += 1;
        if self.list.len() < MAX_WARNINGS {
            self.list.push(warning());
        }
    }
}

/// Opens an observation file; see [`ObsReader`].
pub fn read_obs(path: &Path) -> Result<ObsReader<std::fs::File>, RinexError> {
    ObsReader::new(input::open(path)?)
}

impl<R: Read> ObsReader<R> {
    /// Reads the header.
    pub fn new(input: R) -> Result<Self, RinexError> {
        let mut lines = Lines::unpack(input, MAX_LINE)?;
        let mut warnings = Warnings::default();
        let compact = compact_version(&mut lines)?.map(Crinex::new);
        let parser = HeaderParser::read(&mut lines, |warning| warnings.add(|| warning))?;
        let mut reader = Self {
            lines,
            parser,
            compact,
            assembler: Assembler::default(),
            events: Vec::new(),
            warnings,
            skipping: false,
            ended: false,
            sats: Vec::new(),
        };
        reader.lay_out();
        Ok(reader)
    }

    /// The header, with the header lines of the body read so far.
    pub fn header(&self) -> &ObsFileHeader {
        &self.parser.header
    }

    /// Warnings so far, with line numbers; at most 100.
    pub fn warnings(&self) -> &[String] {
        &self.warnings.list
    }

    /// Number of warnings so far, also of those that [`ObsReader::warnings`] has no room for.
    pub fn warning_count(&self) -> usize {
        self.warnings.count
    }

    /// Lines read so far.
    pub fn lines(&self) -> usize {
        self.lines.count
    }

    /// Reads the next epoch into `out`. False, and an epoch without measurements, at the end of the file; `out` has
    /// then the events after the last epoch.
    pub fn read(&mut self, out: &mut ObsEpoch) -> bool {
        out.epoch.observations.clear();
        out.events.clear();
        (out.power_failure, out.clock_offset_s) = (false, None);
        let found = self.find(out);
        out.events.append(&mut self.events);
        found
    }

    fn find(&mut self, out: &mut ObsEpoch) -> bool {
        while let Some(head) = self.next_head() {
            let line = self.lines.count;
            match (head.flag, head.time) {
                (0 | 1, Some(time)) => {
                    let head = self.rows(head);
                    if !self.sound(time) {
                        continue;
                    }
                    (out.epoch.time, out.line) = (time, line);
                    (out.power_failure, out.clock_offset_s) = (head.flag == 1, head.clock_offset_s);
                    self.assembler.assemble(&mut out.epoch, head.flag == 1);
                    return true;
                }
                // A record of cycle slips has the form of an epoch.
                (6, _) => {
                    self.slip_rows(head);
                    self.assembler.mark_slips();
                }
                (flag, time) => self.event(flag, time, head.count),
            }
        }
        false
    }

    /// The next line; none at the end.
    fn advance(&mut self) -> bool {
        if self.ended {
            return false;
        }
        match self.lines.next() {
            Ok(Some(_)) => return true,
            Ok(None) => {}
            Err(error) => {
                let line = self.lines.count;
                self.warnings.add(|| format!("line {line}: the file breaks off: {error}"));
            }
        }
        self.ended = true;
        false
    }

    fn rinex2(&self) -> bool {
        self.parser.header.version < 3.0
    }

    /// Looks for the next line that opens an epoch.
    fn next_head(&mut self) -> Option<Head> {
        let rinex2 = self.rinex2();
        let scale = self.parser.header.scale;
        loop {
            if !self.advance() {
                return None;
            }
            let line = self.lines.line();
            let head = match &mut self.compact {
                None => Head::parse(line, rinex2, scale),
                Some(compact) => {
                    // Lines of version 3 that start with & are an escape for future use.
                    if compact.version == 3 && line.first() == Some(&b'&') {
                        continue;
                    }
                    let anew = Crinex::starts_anew(line, rinex2);
                    if compact.lost && !anew {
                        None
                    } else {
                        compact.take_head(line, rinex2);
                        let head = Head::parse(&compact.head, rinex2, scale)
                            .filter(|head| anew || compact.goes_on(head));
                        compact.time = head.and_then(|head| head.time);
                        // The line after an event starts anew.
                        compact.lost = head.is_none_or(|head| head.flag > 1);
                        head
                    }
                }
            };
            if let Some(head) = head {
                self.skipping = false;
                return Some(head);
            }
            if line.is_empty() && self.compact.is_none() {
                continue;
            }
            if !std::mem::replace(&mut self.skipping, true) {
                let number = self.lines.count;
                self.warnings
                    .add(|| format!("line {number}: no epoch starts here; skipped up to the next one"));
            }
        }
    }

    /// Reads the satellites of an epoch.
    fn rows(&mut self, mut head: Head) -> Head {
        self.assembler.clear();
        if self.compact.is_some() {
            self.sats_of_line(head.count);
            if !self.advance() {
                self.lose();
                return head;
            }
            let rinex2 = self.rinex2();
            if let Some(compact) = &mut self.compact {
                head.clock_offset_s = compact.clock(self.lines.line(), rinex2);
            }
            if !self.listed_rows(1) {
                self.lose();
            }
        } else {
            self.plain_rows(head.count);
        }
        head
    }

    /// Whether a compressed epoch has all its lines, as far as the line after it tells: a lost one gives its differences
    /// to the wrong satellites, and the line taken for the next head is then none.
    fn sound(&mut self, time: GnssTime) -> bool {
        if self.compact.is_none() {
            return true;
        }
        if self.advance() {
            self.lines.put_back();
            let (rinex2, scale) = (self.rinex2(), self.parser.header.scale);
            if let Some(compact) = &mut self.compact {
                compact.lost |= !compact.precedes(self.lines.line(), rinex2, scale);
            }
        }
        let sound = self.compact.as_ref().is_none_or(|compact| !compact.lost);
        if !sound {
            self.skipping = true;
            let (number, time) = (self.lines.count, time.civil(self.parser.header.scale));
            self.warnings.add(|| {
                format!("line {number}: a line of the epoch of {time} or the next head is lost; skipped up to a full one")
            });
        }
        sound
    }

    /// Nothing compressed can be restored before the next full epoch.
    fn lose(&mut self) {
        if let Some(compact) = &mut self.compact {
            compact.lost = true;
        }
    }

    /// Reads the satellites of a record of cycle slips, which is never compressed.
    fn slip_rows(&mut self, head: Head) {
        self.assembler.clear();
        let compact = self.compact.take();
        self.plain_rows(head.count);
        self.compact = compact;
    }

    fn plain_rows(&mut self, count: usize) {
        if !self.rinex2() {
            return self.named_rows(count);
        }
        self.sats_of_line(count);
        // Twelve satellites a line.
        for _ in 1..count.div_ceil(12) {
            if !self.advance() {
                return;
            }
            self.more_sats(count);
        }
        let columns = self.assembler.columns(Constellation::Gps);
        self.listed_rows(columns.div_ceil(COLUMNS2).max(1));
    }

    /// Reads satellites that each line names: RINEX 3 and 4.
    fn named_rows(&mut self, count: usize) {
        for i in 0..count {
            if !self.advance() || self.cut_short(i, count) {
                return;
            }
            let (line, number) = (self.lines.line(), self.lines.count);
            let name = field::columns(line, 0, 3);
            let Some(sat) = sat_of(name, None) else {
                let name = String::from_utf8_lossy(name);
                self.warnings.add(|| format!("line {number}: \"{name}\" is no satellite"));
                continue;
            };
            let (columns, cells) = self.assembler.row(sat);
            if !cells_of(line, 3, columns, cells) {
                self.warnings.add(|| format!("line {number}: {sat}: a value is not a number"));
            }
        }
    }

    /// Whether the line at hand already opens the next epoch. It is then left for later.
    fn cut_short(&mut self, found: usize, count: usize) -> bool {
        let line = self.lines.line();
        let rinex2 = self.rinex2();
        let opens = match &self.compact {
            Some(_) => Crinex::starts_anew(line, rinex2),
            None if rinex2 => {
                Head::parse(line, true, self.parser.header.scale).is_some_and(|h| h.time.is_some())
            }
            None => line.first() == Some(&b'>'),
        };
        if opens {
            self.lines.put_back();
            let number = self.lines.count;
            self.warnings
                .add(|| format!("line {number}: the epoch before has {found} satellites, not {count}"));
        }
        opens
    }

    /// Reads the satellites that the epoch line lists, as far as it reaches.
    fn sats_of_line(&mut self, count: usize) {
        self.sats.clear();
        let rinex2 = self.rinex2();
        let limit = if self.compact.is_none() { count.min(12) } else { count };
        let line = self.compact.as_ref().map_or(self.lines.line(), |compact| &compact.head);
        let default = self.parser.header.constellation.or(Some(Constellation::Gps));
        let start = first_sat(rinex2);
        self.sats.extend(
            (0..limit).map(|i| sat_of(field::columns(line, start + 3 * i, start + 3 * i + 3), default)),
        );
    }

    /// Reads the satellites of a continued epoch line of RINEX 2.
    fn more_sats(&mut self, count: usize) {
        let line = self.lines.line();
        let default = self.parser.header.constellation.or(Some(Constellation::Gps));
        let more = count.saturating_sub(self.sats.len()).min(12);
        self.sats.extend((0..more).map(|i| sat_of(field::columns(line, 32 + 3 * i, 35 + 3 * i), default)));
    }

    /// Reads the lines of the satellites listed before, `height` lines each. False if some are missing.
    fn listed_rows(&mut self, height: usize) -> bool {
        let sats = std::mem::take(&mut self.sats);
        for (i, sat) in sats.iter().enumerate() {
            for part in 0..height {
                if !self.advance() || self.cut_short(i, sats.len()) {
                    self.sats = sats;
                    return false;
                }
                let (line, number) = (self.lines.line(), self.lines.count);
                let Some(sat) = *sat else {
                    if part == 0 {
                        self.warnings.add(|| format!("line {number}: its satellite has no readable name"));
                    }
                    continue;
                };
                let good = match &mut self.compact {
                    Some(compact) => {
                        let (columns, cells) = self.assembler.row(sat);
                        compact.row(line, sat, columns, cells)
                    }
                    None => {
                        let (columns, cells) =
                            if part == 0 { self.assembler.row(sat) } else { self.assembler.same_row(sat) };
                        let here = columns.saturating_sub(part * COLUMNS2).min(COLUMNS2);
                        cells_of(line, 0, here, cells)
                    }
                };
                if !good {
                    self.warnings.add(|| format!("line {number}: {sat}: a value is not a number"));
                }
            }
        }
        self.sats = sats;
        true
    }

    /// Reads the header lines that follow an event.
    fn event(&mut self, flag: u8, time: Option<GnssTime>, count: usize) {
        let line = self.lines.count;
        let kind = match flag {
            2 => ObsEventKind::Moving,
            3 => ObsEventKind::NewSite,
            5 => ObsEventKind::External,
            _ => ObsEventKind::HeaderLines,
        };
        self.events.push(ObsEvent { kind, time, line });
        self.parser.new_types = false;
        for i in 0..count {
            if !self.advance() || self.cut_short(i, count) {
                break;
            }
            let (line, number) = (self.lines.line(), self.lines.count);
            if self.parser.line(line, field::text(line, 60, 80)).is_none() {
                self.warnings.add(|| format!("line {number}: header line not understood"));
            }
        }
        if self.parser.new_types {
            self.parser.finish();
            self.lay_out();
        }
    }

    /// Makes the layouts from the observation types.
    fn lay_out(&mut self) {
        self.assembler.lay_out(&self.parser);
    }
}

impl<R: Read> Iterator for ObsReader<R> {
    type Item = ObsEpoch;

    /// The next epoch; events after the last one are dropped.
    fn next(&mut self) -> Option<ObsEpoch> {
        let mut epoch = ObsEpoch::default();
        self.read(&mut epoch).then_some(epoch)
    }
}

/// Reads the two lines that the compressed format has in front. None if the file is not compressed so.
fn compact_version<R: Read>(lines: &mut Lines<BufReader<Unpacked<R>>>) -> Result<Option<u8>, RinexError> {
    let read = |source| RinexError::Read { line: 0, source };
    let Some(line) = lines.next().map_err(read)? else { return Ok(None) };
    if field::text(line, 60, 80) != "CRINEX VERS   / TYPE" {
        lines.put_back();
        return Ok(None);
    }
    let version = match field::text(line, 0, 20) {
        "1.0" => 1,
        "3.0" | "3.1" => 3,
        other => return Err(RinexError::CompactVersion { found: other.to_string() }),
    };
    lines.next().map_err(read)?;
    Ok(Some(version))
}
