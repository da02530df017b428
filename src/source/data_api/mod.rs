//! The Data API's `/v2/tokens`, as a [`TokenSource`](super::TokenSource).
//!
//! It knows tokens of all generations, open and closed, also those whose market Gamma does not show. What it says of a
//! token must agree with the token id: where the condition does not prove the token, the answer is refused.

mod client;
mod section;
#[cfg(test)]
mod tests;

pub use self::client::DataApi;
pub use self::section::{DataApiSection, URL};
