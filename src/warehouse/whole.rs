//! A warehouse as a whole.

use super::{control::Control, inspection::Inspection, tables::Tables, token_index::TokenIndex};

/// All of it, for who hands it on. Who uses it asks for the part that it needs.
pub trait Warehouse: Tables + Control + TokenIndex + Inspection {}

impl<T: Tables + Control + TokenIndex + Inspection + ?Sized> Warehouse for T {}
