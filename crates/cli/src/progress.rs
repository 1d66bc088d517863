//! Progress bars on standard error, silent when it is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `total` steps of which `message` says what they are; a spinner when the total is unknown.
pub fn bar(total: Option<u64>, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:30} {percent:>3} %  {eta} left  {msg}"),
        None => (ProgressBar::no_length(), "{spinner} {elapsed}  {msg}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
