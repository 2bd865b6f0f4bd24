//! Configuration text turned into a checked document.
