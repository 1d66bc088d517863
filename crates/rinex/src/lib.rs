//! RINEX files: broadcast navigation (reading 2.10 to 4.02, writing 3.05 and 4.02) and observations (reading 2.10 to 4.02, also
//! in Hatanaka's compressed format; writing 3.05 and 4.02). Gzip files are read as they are.
//!
//! ```no_run
//! let file = megrez_rinex::read_nav("brdc.rnx.gz".as_ref())?;
//! println!("{} records, {} of other kinds skipped", file.records, file.skipped);
//! for sat in file.nav.sats() {
//!     println!("{sat}");
//! }
//! # Ok::<(), megrez_rinex::RinexError>(())
//! ```
//!
//! * [`read_nav`], [`read_nav_from`]: a navigation file, plain or gzip.
//! * [`write_nav`], [`write_nav_as`]: write a navigation file.
//! * [`read_obs`], [`ObsReader`]: an observation file, epoch by epoch.
//! * [`ObsWriter`]: writes an observation file.
//! * [`read_sp3`], [`read_clk`], [`read_antex`], [`read_bias`]: products of analysis centres.

mod antex;
mod bias;
mod clk;
mod crinex;
mod error;
mod field;
mod input;
mod nav_header;
mod nav_reader;
mod nav_record;
mod nav_records;
mod nav_rows;
mod nav_writer;
mod obs_assemble;
mod obs_header;
mod obs_reader;
mod obs_text;
mod obs_types;
mod obs_writer;
mod sp3;

pub use antex::{read_antex, read_antex_from};
pub use bias::{read_bias, read_bias_from};
pub use clk::{read_clk, read_clk_from};
pub use error::RinexError;
pub use nav_reader::{NavFile, read_nav, read_nav_from};
pub use nav_writer::{FileInfo, NavFormat, write_nav, write_nav_as};
pub use obs_header::{AntennaDelta, AppliedCorrection, ObsFileHeader, PhaseShift, ScaleFactor};
pub use obs_reader::{ObsEpoch, ObsEvent, ObsEventKind, ObsReader, read_obs};
pub use obs_types::{ObsKind, ObsType};
pub use obs_writer::ObsWriter;
pub use sp3::{Products, read_sp3, read_sp3_from};
