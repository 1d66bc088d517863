/// Reads a number with an optional suffix `k`, `M` or `G` and an optional unit `Hz`: `4M`, `1575.42 MHz`,
/// `2.4e6`. None if it is no finite number.
pub fn parse_quantity(text: &str) -> Option<f64> {
    let text = text.trim();
    let text = text
        .strip_suffix("Hz")
        .or_else(|| text.strip_suffix("hz"))
        .or_else(|| text.strip_suffix("sps"))
        .or_else(|| text.strip_suffix("Sps"))
        .unwrap_or(text)
        .trim_end();
    let (number, exponent) = match text.chars().last()? {
        'k' | 'K' => (text.get(..text.len() - 1)?, 3),
        'M' => (text.get(..text.len() - 1)?, 6),
        'G' => (text.get(..text.len() - 1)?, 9),
        _ => (text, 0),
    };
    let number = number.trim_end();
    if !number.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+')) {
        return None;
    }
    // Written with an exponent the decimal number is read exactly: 1561.098M is 1561098000.
    let value: f64 = if number.contains(['e', 'E']) {
        number.parse::<f64>().ok()? * 10f64.powi(exponent)
    } else {
        format!("{number}e{exponent}").parse().ok()?
    };
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_and_units() {
        for (text, value) in [
            ("4M", 4.0e6),
            ("1561.098M", 1_561_098_000.0),
            ("1.561098G", 1_561_098_000.0),
            ("2.4e6", 2.4e6),
            ("79.5 MHz", 79.5e6),
            ("250 kHz", 250e3),
            ("2048000", 2.048e6),
            (" 4.092Msps ", 4.092e6),
            ("-9.5k", -9500.0),
        ] {
            assert_eq!(parse_quantity(text), Some(value), "{text}");
        }
        for text in ["", "M", "four", "4Q", "inf", "NaN", "1e999", "4M M", "é", "4µ"] {
            assert_eq!(parse_quantity(text), None, "{text}");
        }
    }
}
