//! RINEX files: broadcast navigation (reading 3.00 to 4.02, writing 3.05) and observations (writing 3.05).
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
//! * [`write_nav`]: a navigation file.
//! * [`ObsWriter`]: an observation file.

mod error;
mod field;
mod nav_header;
mod nav_reader;
mod nav_record;
mod nav_writer;
mod obs_writer;

pub use error::RinexError;
pub use nav_reader::{NavFile, read_nav, read_nav_from};
pub use nav_writer::{FileInfo, write_nav};
pub use obs_writer::{ObsHeader, ObsWriter};
