//! One JSON-RPC question.

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The JSON-RPC method.
    pub(super) method: &'static str,
    /// Its parameters, as JSON.
    pub(super) params: String,
}
