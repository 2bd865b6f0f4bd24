//! Listeners and HTTP serving for components.
