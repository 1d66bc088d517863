//! One record of a navigation file.
