//! Signal acquisition by FFT search.
