//! Contracts between components and the engine.
