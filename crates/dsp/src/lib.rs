//! Samples to correlations: formats, IF removal, running sums, correlators.
