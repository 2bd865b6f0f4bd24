//! What a configuration may cost. Text from a file or the environment is not trusted: each limit stops a known way of
//! turning a small text into a large tree.

use crate::node::Size;

/// Largest file, in bytes. The biggest configurations seen in the field (gateways with hundreds of tenants) are well
/// below 1 MiB.
pub const MAX_FILE_BYTES: usize = 4 << 20;

/// Deepest nesting of maps and lists, counting what aliases, expansion and `a::b` keys add. Keeps every walk over the
/// tree within the stack.
pub const MAX_DEPTH: usize = 64;

/// Most nodes in one source, counting each use of an alias.
pub const MAX_NODES: usize = 200_000;

/// Most bytes of text in one source, counting each use of an alias.
pub const MAX_TEXT_BYTES: usize = 4 << 20;

/// Most replacements of `${...}` within one value (Collector: `confmap/expand.go`).
pub const MAX_EXPANSIONS: usize = 1_000;

/// Most bytes all replacements together may produce: bounds texts that double at every step.
pub const MAX_EXPANDED_BYTES: usize = 16 << 20;

/// Deepest chain of files whose references name further files: bounds the stack where each adds no level to the tree.
pub const MAX_FILE_NESTING: usize = 16;

/// Most problems reported at once; the rest is counted.
pub const MAX_PROBLEMS: usize = 200;

/// Counts down what is left of a source's nodes and bytes.
#[derive(Debug)]
pub(crate) struct Budget {
    nodes: usize,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { nodes: MAX_NODES, bytes: MAX_TEXT_BYTES }
    }

    /// Takes a tree's size off; says which limit it would pass.
    pub(crate) fn charge(&mut self, size: Size) -> Result<(), String> {
        let nodes = self
            .nodes
            .checked_sub(size.nodes)
            .ok_or_else(|| format!("more than {MAX_NODES} values (aliases counted each time)"))?;
        let bytes = self
            .bytes
            .checked_sub(size.bytes)
            .ok_or_else(|| format!("more than {MAX_TEXT_BYTES} bytes of text (aliases counted each time)"))?;
        (self.nodes, self.bytes) = (nodes, bytes);
        Ok(())
    }
}
