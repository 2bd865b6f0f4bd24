//! Builds the tree from parser events with an explicit stack.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use saphyr_parser::{Event, ScalarStyle, Tag};

use super::scalar;
use crate::limits::{Budget, MAX_DEPTH};
use crate::node::{Data, Entry, Node, Number, Origin, Size};
use crate::problem::{Problem, shortened};

/// A collection whose end has not been read yet.
struct Frame {
    origin: Origin,
    anchor: usize,
    kind: FrameKind,
}

enum FrameKind {
    List(Vec<Node>),
    Map { entries: BTreeMap<Arc<str>, Entry>, key: Option<(Arc<str>, Origin)>, merged: Vec<Node> },
}

pub(super) struct Builder {
    source: Arc<str>,
    stack: Vec<Frame>,
    /// Finished anchored nodes with their sizes.
    anchors: HashMap<usize, (Node, Size)>,
    budget: Budget,
    root: Option<Node>,
    problems: Vec<Problem>,
}

impl Builder {
    pub(super) fn new(source: &str) -> Self {
        Self {
            source: source.into(),
            stack: Vec::new(),
            anchors: HashMap::new(),
            budget: Budget::new(),
            root: None,
            problems: Vec::new(),
        }
    }

    pub(super) fn source(&self) -> Arc<str> {
        Arc::clone(&self.source)
    }

    pub(super) fn refuse(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn finish(self) -> Result<Option<Node>, Vec<Problem>> {
        if self.problems.is_empty() { Ok(self.root) } else { Err(self.problems) }
    }

    /// Takes one event. An error ends the reading; what can be stepped over is only noted.
    pub(super) fn event(&mut self, event: Event<'_>, origin: Origin) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let size = Size { height: 1, nodes: 1, bytes: text.len() };
                self.charge(size, &origin)?;
                if self.expects_key() {
                    let data = scalar_data(&text, style, None);
                    return self.key(&text, matches!(data, Data::Null), origin, anchor);
                }
                let data = self.typed(&text, style, tag.as_deref(), &origin);
                self.complete(Node::new(data, origin), anchor, size)
            }
            Event::Alias(anchor) => self.alias(anchor, &origin),
            Event::SequenceStart(anchor, _) => self.open(FrameKind::List(Vec::new()), anchor, origin),
            Event::MappingStart(anchor, _) => {
                self.open(FrameKind::Map { entries: BTreeMap::new(), key: None, merged: Vec::new() }, anchor, origin)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            _ => Ok(()),
        }
    }

    fn charge(&mut self, size: Size, origin: &Origin) -> Result<(), Problem> {
        self.budget.charge(size).map_err(|limit| Problem::new(Some(origin.clone()), "", limit))
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { kind: FrameKind::Map { key: None, .. }, .. }))
    }

    fn key(&mut self, text: &str, is_null: bool, origin: Origin, anchor: usize) -> Result<(), Problem> {
        if is_null {
            return Err(Problem::new(Some(origin), "", "a key is missing before the colon"));
        }
        let name: Arc<str> = text.into();
        if anchor > 0 {
            let node = Node::new(Data::String(Arc::clone(&name)), origin.clone());
            self.anchors.insert(anchor, (node, Size { height: 1, nodes: 1, bytes: text.len() }));
        }
        if let Some(Frame { kind: FrameKind::Map { key, .. }, .. }) = self.stack.last_mut() {
            *key = Some((name, origin));
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, origin: &Origin) -> Result<(), Problem> {
        // The parser knows every anchor that was opened; one that is not finished yet contains this alias.
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(Problem::new(Some(origin.clone()), "", "an alias stands inside the value it refers to"));
        };
        let (node, size) = (node.clone(), *size);
        self.charge(size, origin)?;
        if self.expects_key() {
            return match node.data {
                Data::String(text) => self.key(&text, false, origin.clone(), 0),
                _ => Err(not_a_key(origin)),
            };
        }
        self.check_depth(size.height, origin)?;
        self.complete(node, 0, size)
    }

    fn open(&mut self, kind: FrameKind, anchor: usize, origin: Origin) -> Result<(), Problem> {
        if self.expects_key() {
            return Err(not_a_key(&origin));
        }
        self.check_depth(1, &origin)?;
        self.charge(Size { height: 1, nodes: 1, bytes: 0 }, &origin)?;
        self.stack.push(Frame { origin, anchor, kind });
        Ok(())
    }

    fn check_depth(&self, more: usize, origin: &Origin) -> Result<(), Problem> {
        if self.stack.len() + more <= MAX_DEPTH {
            return Ok(());
        }
        Err(Problem::new(Some(origin.clone()), "", format!("nested deeper than {MAX_DEPTH} levels")))
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Some(Frame { origin, anchor, kind }) = self.stack.pop() else {
            return Ok(());
        };
        let data = match kind {
            FrameKind::List(items) => Data::List(items),
            FrameKind::Map { mut entries, merged, .. } => {
                // YAML's merge key: what is said here wins, then the earlier of the merged maps.
                for node in merged {
                    if let Data::Map(map) = node.data {
                        for (key, entry) in map {
                            entries.entry(key).or_insert(entry);
                        }
                    }
                }
                Data::Map(entries)
            }
        };
        let node = Node::new(data, origin);
        let size = if anchor > 0 { node.measure() } else { Size::default() };
        self.complete(node, anchor, size)
    }

    /// Hands a finished value to the collection it stands in.
    fn complete(&mut self, node: Node, anchor: usize, size: Size) -> Result<(), Problem> {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.stack.last_mut().map(|frame| &mut frame.kind) {
            None => self.root = Some(node),
            Some(FrameKind::List(items)) => items.push(node),
            Some(FrameKind::Map { entries, key, merged }) => {
                let Some((name, key_origin)) = key.take() else {
                    return Ok(());
                };
                if &*name == "<<" {
                    return collect_merged(node, merged);
                }
                if let Some(earlier) = entries.get(&name) {
                    let message = format!(
                        "mapping key {:?} already defined at line {} column {}",
                        shortened(&name),
                        earlier.key_origin.line,
                        earlier.key_origin.column
                    );
                    self.problems.push(Problem::new(Some(key_origin), "", message));
                } else {
                    entries.insert(name, Entry { key_origin, value: node });
                }
            }
        }
        Ok(())
    }

    /// Types a scalar by tag, else by style and look. An impossible tag is noted.
    fn typed(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, origin: &Origin) -> Data {
        match tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str()) {
            None => scalar_data(text, style, tag),
            Some("str") => Data::String(text.into()),
            Some(kind) => {
                let data = match (kind, scalar::resolve(text)) {
                    ("null", Data::Null) => Some(Data::Null),
                    ("bool", Data::Bool(value)) => Some(Data::Bool(value)),
                    ("int", Data::Number(number @ (Number::Int(_) | Number::Uint(_)))) | ("float", Data::Number(number)) => {
                        Some(Data::Number(number))
                    }
                    _ => None,
                };
                data.unwrap_or_else(|| {
                    let message = format!("cannot decode {:?} as a !!{}", shortened(text), shortened(kind));
                    self.problems.push(Problem::new(Some(origin.clone()), "", message));
                    Data::Null
                })
            }
        }
    }
}

fn scalar_data(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Data {
    // Quoted and block scalars are texts; so is anything with a tag of its own, as in go-yaml.
    if style == ScalarStyle::Plain && tag.is_none() { scalar::resolve(text) } else { Data::String(text.into()) }
}

fn collect_merged(node: Node, merged: &mut Vec<Node>) -> Result<(), Problem> {
    let refuse =
        |origin: &Origin| Problem::new(Some(origin.clone()), "", "map merge requires map or sequence of maps as the value");
    match node.data {
        Data::Map(_) => merged.push(node),
        Data::List(items) => {
            for item in items {
                if item.as_map().is_none() {
                    return Err(refuse(&item.origin));
                }
                merged.push(item);
            }
        }
        _ => return Err(refuse(&node.origin)),
    }
    Ok(())
}

fn not_a_key(origin: &Origin) -> Problem {
    Problem::new(Some(origin.clone()), "", "a key must be a text, not a map, list or other value")
}
