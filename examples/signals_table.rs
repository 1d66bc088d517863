//! Prints the tables of docs/signals.md: `cargo run --release --example signals_table`.

#![allow(clippy::unwrap_used)]

#[path = "../tests/table/mod.rs"]
mod table;

fn main() {
    print!("{}", table::tables());
}
