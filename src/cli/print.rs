//! Results, on stdout.

/// Prints a result. A reader that went away has seen enough.
pub(super) fn print(text: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
}
