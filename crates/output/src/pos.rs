//! Positions in the columns of RTKLIB.

use std::io::Write;

use megrez_orbit::{Ecef, GnssTime, TimeScale};
use megrez_pvt::{FixMode, Solution};

use crate::{OutputError, SolutionSink};

const WHAT: &str = ".pos";

/// How a position came about, as RTKLIB numbers it in column Q.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PosQuality {
    /// Carrier phases with integer ambiguities.
    Fixed = 1,
    /// Carrier phases with real ambiguities.
    Float = 2,
    /// Code with corrections of SBAS.
    Sbas = 3,
    /// Code differences against a base.
    Dgps = 4,
    /// Code of one receiver.
    Single = 5,
    /// Precise orbits and clocks with carrier phases.
    Ppp = 6,
}

/// One line of a `.pos` file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PosRecord {
    /// Time of reception.
    pub time: GnssTime,
    /// Position of the antenna.
    pub position: Ecef,
    /// Covariance in east, north, up, in m².
    pub covariance_enu: [[f64; 3]; 3],
    /// How it came about.
    pub quality: PosQuality,
    /// Satellites it rests on.
    pub sats: usize,
    /// Age of the base's observations in s; 0 without a base.
    pub age_s: f64,
    /// Ratio of the second-best to the best integer ambiguities; 0 without.
    pub ratio: f64,
}

/// What the head of a `.pos` file says of its making, a name and a value each: "inp file", "rover.obs".
pub type PosHeader<'a> = [(&'a str, String)];

/// Writes positions as RTKLIB does (latitude, longitude and ellipsoidal height; GPST; `outsol` with the default
/// options), so that programs made for its files read them.
pub struct PosWriter<W: Write> {
    out: W,
}

impl<W: Write> PosWriter<W> {
    /// Writes the head to `out`.
    pub fn new(mut out: W, header: &PosHeader<'_>) -> Result<Self, OutputError> {
        let mut text = String::new();
        for (name, value) in header {
            // A line end in a file name would end the comment.
            let value = value.replace(['\n', '\r'], " ");
            text += &format!("% {name:<10}: {value}\n");
        }
        text += "%\n% (lat/lon/height=WGS84/ellipsoidal,Q=1:fix,2:float,3:sbas,4:dgps,5:single,6:ppp,ns=# of satellites)\n";
        text += "%  GPST                  latitude(deg) longitude(deg)  height(m)   Q  ns   sdn(m)   sde(m)   sdu(m)  sdne(m)  sdeu(m)  sdun(m) age(s)  ratio\n";
        out.write_all(text.as_bytes()).map_err(OutputError::write(WHAT))?;
        Ok(Self { out })
    }

    /// Writes a line.
    pub fn record(&mut self, record: &PosRecord) -> Result<(), OutputError> {
        let place = record.position.to_geodetic();
        if !(place.lat_deg.is_finite() && place.lon_deg.is_finite() && place.height_m.is_finite()) {
            return Err(OutputError::Encode { what: WHAT, message: "position is no number".to_string() });
        }
        // To the nearest millisecond, without ever showing 60 s.
        let t = (record.time + 0.0005).civil(TimeScale::Gpst);
        let millisecond = (t.second.fract() * 1000.0).floor();
        let [[ee, en, eu], [_, nn, nu], [_, _, uu]] = record.covariance_enu;
        // RTKLIB writes a covariance as the root of its size with its sign.
        let root = |c: f64| c.signum() * c.abs().sqrt();
        writeln!(
            self.out,
            "{:04}/{:02}/{:02} {:02}:{:02}:{:02.0}.{:03.0} {:14.9} {:14.9} {:10.4} {:3} {:3} {:8.4} {:8.4} {:8.4} {:8.4} {:8.4} {:8.4} {:6.2} {:6.1}",
            t.year,
            t.month,
            t.day,
            t.hour,
            t.minute,
            t.second.floor(),
            millisecond,
            place.lat_deg,
            place.lon_deg,
            place.height_m,
            record.quality as u8,
            record.sats,
            root(nn),
            root(ee),
            root(uu),
            root(en),
            root(eu),
            root(nu),
            record.age_s,
            record.ratio,
        )
        .map_err(OutputError::write(WHAT))
    }

    /// Flushes and gives the output back.
    pub fn into_inner(mut self) -> Result<W, OutputError> {
        self.out.flush().map_err(OutputError::write(WHAT))?;
        Ok(self.out)
    }
}

impl From<&Solution> for PosRecord {
    fn from(s: &Solution) -> Self {
        Self {
            time: s.time,
            position: s.position,
            covariance_enu: s.covariance_enu,
            quality: match s.mode {
                FixMode::Fixed => PosQuality::Fixed,
                FixMode::Float => PosQuality::Float,
                _ => PosQuality::Single,
            },
            sats: s.sats_used(),
            age_s: 0.0,
            ratio: 0.0,
        }
    }
}

impl<W: Write> SolutionSink for PosWriter<W> {
    fn solution(&mut self, solution: &Solution) -> Result<(), OutputError> {
        self.record(&solution.into())
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        self.out.flush().map_err(OutputError::write(WHAT))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use megrez_orbit::{CivilTime, Geodetic};

    #[test]
    fn lines_have_rtklibs_columns() {
        let time = GnssTime::from_civil(
            TimeScale::Gpst,
            CivilTime { year: 2020, month: 6, day: 25, hour: 23, minute: 59, second: 59.999_8 },
        );
        let record = PosRecord {
            time,
            position: Geodetic::new(55.493_6, -8.456_8, 59.6).to_ecef(),
            covariance_enu: [[4.0, -0.25, 0.0], [-0.25, 1.0, 0.09], [0.0, 0.09, 9.0]],
            quality: PosQuality::Fixed,
            sats: 12,
            age_s: 0.5,
            ratio: 99.9,
        };
        let mut writer = PosWriter::new(Vec::new(), &[("program", "megrez".to_string())]).unwrap();
        writer.record(&record).unwrap();
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let line = text.lines().last().unwrap();
        assert!(text.starts_with("% program   : megrez\n%\n"));
        assert_eq!(
            line,
            "2020/06/26 00:00:00.000   55.493600000   -8.456800000    59.6000   1  12   1.0000   2.0000   3.0000  -0.5000   0.0000   0.3000   0.50   99.9"
        );
        let wrong = PosRecord { position: Ecef::new(f64::NAN, 0.0, 0.0), ..record };
        let mut writer = PosWriter::new(Vec::new(), &[]).unwrap();
        assert!(writer.record(&wrong).is_err());
    }
}
