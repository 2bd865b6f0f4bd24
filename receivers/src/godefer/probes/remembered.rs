//! What was found out about addresses, so that the executable is asked once for each.

use std::collections::HashMap;
use std::hash::Hash;

/// Answers by what was asked, at most `MOST`; with more, all are forgotten and found out again.
#[derive(Debug)]
pub(super) struct Remembered<K, V, const MOST: usize = 4096>(HashMap<K, V>);

impl<K, V, const MOST: usize> Default for Remembered<K, V, MOST> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V: Clone, const MOST: usize> Remembered<K, V, MOST> {
    /// The answer, found out if it is not known.
    pub(super) fn of(&mut self, asked: K, find_out: impl FnOnce() -> V) -> V {
        if let Some(known) = self.0.get(&asked) {
            return known.clone();
        }
        let found = find_out();
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(asked, found.clone());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_out_once_and_their_number_is_bounded() {
        let mut remembered: Remembered<u32, &str, 10> = Remembered::default();
        let mut asked = 0;
        for _ in 0..3 {
            assert_eq!(
                remembered.of(7, || {
                    asked += 1;
                    "seven"
                }),
                "seven"
            );
        }
        assert_eq!(asked, 1);
        for number in 0..100 {
            remembered.of(number, || "other");
        }
        assert!(remembered.0.len() <= 10);
    }
}
