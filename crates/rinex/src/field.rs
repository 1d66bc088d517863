//! Fields of fixed columns.
