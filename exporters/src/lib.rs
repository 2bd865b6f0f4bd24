//! Exporters of this distribution.
