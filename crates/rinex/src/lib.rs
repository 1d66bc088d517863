//! RINEX navigation and observation files.
