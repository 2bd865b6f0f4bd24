//! deferd as a library.
