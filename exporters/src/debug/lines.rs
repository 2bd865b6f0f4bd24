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
    /// Adds a line. Controls in it are escaped, tabs aside: what is shown comes from elsewhere, and must neither end the line
    /// nor steer a terminal.
    pub(super) fn add(&mut self, line: fmt::Arguments<'_>) {
        if self.text.len() >= MAX_BYTES {
            self.left_out += 1;
            return;
        }
        let start = self.text.len();
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(line);
        let is_unsafe = |character: char| character.is_control() && character != '\t';
        if self.text.get(start..).is_some_and(|line| line.contains(is_unsafe)) {
            for character in self.text.split_off(start).chars() {
                if is_unsafe(character) { self.text.extend(character.escape_default()) } else { self.text.push(character) }
            }
        }
        self.text.push('\n');
    }

    /// The text without its last line break.
    pub(super) fn finish(mut self) -> String {
        if self.left_out > 0 {
            let _ = write!(self.text, "({} more lines are left out, a batch shows at most {MAX_BYTES} bytes)", self.left_out);
        } else if self.text.ends_with('\n') {
            self.text.pop();
        }
        self.text
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
    fn escape_sequences_and_line_breaks_in_values_are_shown_not_obeyed() {
        let mut lines = Lines::default();
        lines.add(format_args!("a\u{1b}[2Jb\tc\nforged"));
        assert_eq!(lines.finish(), "a\\u{1b}[2Jb\tc\\nforged");
    }
}
