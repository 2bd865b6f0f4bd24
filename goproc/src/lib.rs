//! A live Go process seen from outside.
