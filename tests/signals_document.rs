//! docs/signals.md says what the code says.

#![allow(clippy::unwrap_used)]

mod table;

use std::path::Path;

#[test]
fn tables_are_those_of_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/signals.md")).unwrap();
    let (_, rest) = text.split_once("<!-- cargo run --example signals_table -->\n").unwrap();
    let (tables, _) = rest.split_once("<!-- end -->").unwrap();
    assert_eq!(tables.trim(), table::tables().trim(), "put the output of the example signals_table there");
    // Tests that the table of real data names are there.
    for path in tables.split('`').filter(|part| part.ends_with(".rs")) {
        assert!(root.join(path).is_file(), "{path}");
    }
}
