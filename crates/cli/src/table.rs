//! Plain text tables.

/// Columns padded to their widest cell, numbers right, text left.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .chain(header.get(column).map(|h| h.chars().count()))
            .max()
            .unwrap_or(0)
    };
    let numeric =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).all(|cell| cell.parse::<f64>().is_ok());
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .into_iter()
            .enumerate()
            .map(|(i, cell)| {
                let w = width(i);
                if numeric(i) { format!("{cell:>w$}") } else { format!("{cell:<w$}") }
            })
            .collect();
        padded.join("  ").trim_end().to_string() + "\n"
    };
    let mut text = line(header.to_vec());
    for row in rows {
        text += &line(row.iter().map(String::as_str).collect());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["C26".into(), "-1500".into()], vec!["C6".into(), "2".into()]];
        assert_eq!(table(&["sat", "Hz"], &rows), "sat     Hz\nC26  -1500\nC6       2\n");
    }
}
