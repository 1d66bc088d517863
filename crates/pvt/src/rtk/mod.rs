//! Relative positioning by carrier phase.

mod dense;
mod lambda;

pub use lambda::{Candidate, Lambda, LambdaError};
