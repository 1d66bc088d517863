//! Signal tracking channels.
