//! Position, velocity and time from observations.
