//! Navigation symbols to messages and back.
