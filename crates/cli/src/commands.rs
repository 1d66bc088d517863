//! One module a command; each returns whether it found anything.

pub mod acquire;
pub mod bench;
pub mod demo;
pub mod info;
pub mod monitor;
pub mod run;
pub mod simulate;
pub mod snapshot;
pub mod solve;
