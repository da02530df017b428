//! How much of a test is run: a short form in every run, all of it in `scripts/test long`.

/// `long` in `scripts/test long`, else `short`.
pub fn short_or_long<T>(short: T, long: T) -> T {
    if std::env::var_os("POLYTAPE_LONG").is_some() { long } else { short }
}
