//! Simulated GNSS recordings with their truth.
