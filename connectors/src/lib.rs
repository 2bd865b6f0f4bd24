//! Connectors of this distribution.
