//! OTLP as bytes: views, edits, counts and builders.
