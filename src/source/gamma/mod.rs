//! Gamma, Polymarket's API of markets, as a [`MarketSource`](super::MarketSource).
//!
//! ```text
//! list, by_tokens, by_conditions ──▶ GET markets/keyset ──▶ page ──▶ market ──▶ tokens
//!                                                          bytes    fields    proved by the condition
//! ```
//!
//! What shapes it (facts of 2026): pages hold 100 markets; the cursor is `after_cursor`, any other name is ignored and
//! gives page 1 again; `closed=false` is meant unless something is said, also where ids are asked for; the fields of a
//! market come in several types, and new ones come monthly.

mod client;
mod fields;
mod market;
mod misread;
mod page;
mod section;
#[cfg(test)]
mod tests;
mod time;
mod tokens;

pub use self::client::Gamma;
pub use self::section::{GammaSection, Scan, URL};
