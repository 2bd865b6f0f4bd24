//! Text being put together, bounded and safe to show.

use std::fmt::{self, Write as _};

/// Longest text of one batch, in bytes. An exponential histogram grows fiftyfold when it is printed; a terminal or log is no place for
/// more than this, and 4 MiB is what most log systems refuse.
const MAX_BYTES: usize = 4 << 20;

/// Lines of one batch. Beyond `MAX_BYTES` lines are left out, and the last line says so.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
    left_out: usize,
}

impl Lines {
    /// Adds a line.
    pub(super) fn add(&mut self, line: fmt::Arguments<'_>) {
        if self.text.len() >= MAX_BYTES {
            self.left_out += 1;
            return;
        }
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(line);
        self.text.push('\n');
    }

    /// The text without its last line break. Control characters, which could steer a terminal, are escaped; line breaks
    /// and tabs stay.
    pub(super) fn finish(mut self) -> String {
        if self.left_out > 0 {
            let _ = write!(self.text, "({} more lines are left out, a batch shows at most {MAX_BYTES} bytes)", self.left_out);
        } else if self.text.ends_with('\n') {
            self.text.pop();
        }
        let unsafe_to_show = |c: char| c.is_control() && c != '\n' && c != '\t';
        if !self.text.contains(unsafe_to_show) {
            return self.text;
        }
        let mut shown = String::with_capacity(self.text.len());
        for c in self.text.chars() {
            if unsafe_to_show(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_beyond_the_bound_is_left_out_and_said_so() {
        let mut lines = Lines::default();
        let line = "x".repeat(1 << 20);
        (0..6).for_each(|_| lines.add(format_args!("{line}")));
        let text = lines.finish();
        assert!(text.len() < MAX_BYTES + (2 << 20));
        assert!(
            text.ends_with("(2 more lines are left out, a batch shows at most 4194304 bytes)"),
            "{}",
            &text[text.len() - 80..]
        );
    }

    #[test]
    fn escape_sequences_are_shown_not_obeyed() {
        let mut lines = Lines::default();
        lines.add(format_args!("a\u{1b}[2Jb\tc"));
        assert_eq!(lines.finish(), "a\\u{1b}[2Jb\tc");
    }
}
