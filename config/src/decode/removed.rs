//! Takes bad values out of a tree one by one, so that serde can go on, and keeps the paths right while doing so.

use super::error::DecodeError;
use crate::node::{Data, Node};

/// What was taken out, by the path it had in the tree as written.
#[derive(Debug, Default)]
pub(super) struct Removed {
    paths: Vec<Vec<String>>,
}

impl Removed {
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Says whether an error is the consequence of a removal: a key that is missing because it was taken out, a list that
    /// has become too short.
    pub(super) fn explains(&self, path: &[String], error: &DecodeError) -> bool {
        self.paths.iter().any(|removed| match (removed.strip_prefix(path), error) {
            (Some([key]), DecodeError::Missing(missing)) => key == missing,
            (_, DecodeError::Missing(_)) | (None, _) => false,
            (Some(beneath), _) => !beneath.is_empty(),
        })
    }

    /// Returns the path that the value at `here` has in the tree as written: items of lists have moved up.
    pub(super) fn original(&self, root: &Node, here: &[String]) -> Vec<String> {
        let mut node = Some(root);
        let mut original: Vec<String> = Vec::new();
        for segment in here {
            let in_list = matches!(node.map(|node| &node.data), Some(Data::List(_)));
            let index = segment.parse::<usize>().ok().filter(|_| in_list);
            let moved = index.map(|index| self.index(&original, index).to_string());
            node = node.and_then(|node| node.step(segment));
            original.push(moved.unwrap_or_else(|| segment.clone()));
        }
        original
    }

    /// Counts the items that were taken out of the list at `list` before the one that is now at `index`.
    fn index(&self, list: &[String], index: usize) -> usize {
        let mut gone: Vec<usize> = self
            .paths
            .iter()
            .filter_map(|removed| match removed.strip_prefix(list) {
                Some([item]) => item.parse().ok(),
                _ => None,
            })
            .collect();
        gone.sort_unstable();
        gone.into_iter().fold(index, |index, gone| if gone <= index { index + 1 } else { index })
    }

    /// Takes out the value at `here`, or what is nearest around it; `false` when that is the whole tree.
    pub(super) fn remove(&mut self, root: &mut Node, here: &[String], mut original: Vec<String>) -> bool {
        let (_, known) = root.walk(here.iter().map(String::as_str));
        let Some((last, parents)) = here.get(..known).and_then(<[String]>::split_last) else {
            return false;
        };
        let Some(parent) = parents.iter().try_fold(root, |node, segment| step_mut(node, segment)) else {
            return false;
        };
        match (&mut parent.data, last.parse::<usize>()) {
            (Data::Map(map), _) => {
                map.remove(last.as_str());
            }
            (Data::List(items), Ok(index)) if index < items.len() => {
                items.remove(index);
            }
            _ => return false,
        }
        original.truncate(known);
        self.paths.push(original);
        true
    }
}

fn step_mut<'a>(node: &'a mut Node, segment: &str) -> Option<&'a mut Node> {
    match &mut node.data {
        Data::Map(map) => map.get_mut(segment).map(|entry| &mut entry.value),
        Data::List(items) => items.get_mut(segment.parse::<usize>().ok()?),
        _ => None,
    }
}
