//! Merging layers: maps deeply, everything else replaced by the later layer.
//!
//! figment decides *which layer wins* at each path. Its values have no room for raw text and positions, so they stand
//! for the shape only; what the winner holds is then taken from that layer's own tree, found by the tag figment gave to
//! the winner and by path.

use std::collections::BTreeMap;

use figment::value::{Dict, Empty, Map, Tag, Value};
use figment::{Figment, Metadata, Profile, Provider};

use crate::node::{Data, Entry, Node, Origin};
use crate::source::Layer;

/// A layer as figment sees it: its number for a name, its shape for data.
struct Shape<'a> {
    number: usize,
    root: &'a Node,
}

impl Provider for Shape<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.number.to_string())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok([(Profile::Default, dict(self.root))].into())
    }
}

fn dict(node: &Node) -> Dict {
    node.as_map().into_iter().flatten().map(|(key, entry)| (key.to_string(), shape(&entry.value))).collect()
}

fn shape(node: &Node) -> Value {
    match node.data {
        Data::Map(_) => Value::Dict(Tag::Default, dict(node)),
        // Lists are replaced whole, so what is in them does not matter here.
        _ => Value::Empty(Tag::Default, Empty::Unit),
    }
}

/// Merges layers from left to right. A null of a later layer wins over a map of an earlier one, as in the Collector.
pub(crate) fn merge(layers: &[Layer]) -> Node {
    let origin = layers.first().map_or_else(|| Origin::whole("configuration"), |layer| layer.root.origin.clone());
    let figment =
        layers.iter().enumerate().fold(
            Figment::from(Shape { number: usize::MAX, root: &Node::empty_map(origin.clone()) }),
            |figment, (number, layer)| figment.merge(Shape { number, root: &layer.root }),
        );
    // Only a provider can fail, and ours does not.
    let merged = figment.data().ok().and_then(|mut data| data.remove(&Profile::Default)).unwrap_or_default();
    let mut path = Vec::new();
    Node::new(Data::Map(entries(&figment, layers, &merged, &mut path)), origin)
}

fn entries(figment: &Figment, layers: &[Layer], merged: &Dict, path: &mut Vec<String>) -> BTreeMap<std::sync::Arc<str>, Entry> {
    let mut found = BTreeMap::new();
    for (key, value) in merged {
        let winner = figment
            .get_metadata(value.tag())
            .and_then(|metadata| metadata.name.parse::<usize>().ok())
            .and_then(|n| layers.get(n));
        let Some(entry) = winner.and_then(|layer| entry_at(&layer.root, path, key)) else {
            continue;
        };
        path.push(key.clone());
        let value = match value {
            Value::Dict(_, inner) => {
                Node { data: Data::Map(entries(figment, layers, inner, path)), ..entry.value.clone_shallow() }
            }
            _ => entry.value.clone(),
        };
        path.pop();
        found.insert(key.as_str().into(), Entry { key_origin: entry.key_origin.clone(), value });
    }
    found
}

fn entry_at<'a>(root: &'a Node, path: &[String], key: &str) -> Option<&'a Entry> {
    path.iter().try_fold(root, |node, segment| node.get(segment))?.as_map()?.get(key)
}

#[cfg(test)]
mod tests;
