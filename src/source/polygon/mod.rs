//! Fills from a Polygon JSON-RPC node.
