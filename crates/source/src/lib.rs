//! Recorded and streamed IQ samples.
