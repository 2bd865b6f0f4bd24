//! The tree a configuration is held in: every value with the text it came from and the place it stands at.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Where a value stands: a source and, when the source is a text with lines, the position in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// File name as given, `env:NAME`, `yaml` or `--set a.b.c`.
    pub source: Arc<str>,
    /// Line, from 1; 0 when the source has no lines.
    pub line: u32,
    /// Column in characters, from 1; 0 when the source has no lines.
    pub column: u32,
}

impl Origin {
    /// Makes the origin of a whole source, without a position.
    pub fn whole(source: &str) -> Self {
        Self { source: source.into(), line: 0, column: 0 }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 { f.write_str(&self.source) } else { write!(f, "{}:{}:{}", self.source, self.line, self.column) }
    }
}

/// A number as YAML told it: whole numbers keep all their digits.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A whole number that fits `i64`.
    Int(i64),
    /// A whole number beyond `i64`.
    Uint(u64),
    /// Everything else.
    Float(f64),
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Uint(a), Self::Uint(b)) => a == b,
            // By bits, so that a value is always equal to itself and a reload sees no change in `.nan`.
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(Arc<str>),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, by key.
    Map(BTreeMap<Arc<str>, Entry>),
}

impl Data {
    /// Names the type in the words of YAML and JSON.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(Number::Float(_)) => "number",
            Self::Number(_) => "integer",
            Self::String(_) => "string",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }
}

/// One key of a mapping with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the key stands.
    pub key_origin: Origin,
    /// What it is set to.
    pub value: Node,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// A value with its origin.
///
/// Two nodes are equal when a component would decode the same from both: positions do not matter, the order of keys does
/// not, the raw text of an expanded value does.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub data: Data,
    /// Where it stands.
    pub origin: Origin,
    /// The text an environment variable held, when the value came from one and is no text itself: fields of type text
    /// take this (`0123` stays `0123`), all others take `data`.
    pub raw: Option<Arc<str>>,
    /// What stands in the source when that is not the value itself, for example `${env:TOKEN}`. Shown in messages in
    /// place of the value, because what comes out of the environment may be secret.
    pub written: Option<Arc<str>>,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data && self.raw == other.raw
    }
}

impl Node {
    /// Makes a node that was not expanded from anything.
    pub fn new(data: Data, origin: Origin) -> Self {
        Self { data, origin, raw: None, written: None }
    }

    /// Makes an empty mapping.
    pub fn empty_map(origin: Origin) -> Self {
        Self::new(Data::Map(BTreeMap::new()), origin)
    }

    /// Copies everything but what is in it.
    pub(crate) fn clone_shallow(&self) -> Self {
        Self { data: Data::Null, origin: self.origin.clone(), raw: self.raw.clone(), written: self.written.clone() }
    }

    /// Gives the whole tree one place, and one text to be shown in place of its values.
    pub(crate) fn moved(mut self, origin: &Origin, written: Option<&Arc<str>>) -> Self {
        self.origin = origin.clone();
        self.written = written.cloned();
        self.data = match self.data {
            Data::List(items) => Data::List(items.into_iter().map(|item| item.moved(origin, written)).collect()),
            Data::Map(map) => {
                let moved = |entry: Entry| Entry { key_origin: origin.clone(), value: entry.value.moved(origin, written) };
                Data::Map(map.into_iter().map(|(key, entry)| (key, moved(entry))).collect())
            }
            data => data,
        };
        self
    }

    /// Returns the mapping, if it is one.
    pub fn as_map(&self) -> Option<&BTreeMap<Arc<str>, Entry>> {
        if let Data::Map(map) = &self.data { Some(map) } else { None }
    }

    /// Returns the text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Data::String(text) = &self.data { Some(text) } else { None }
    }

    /// Says whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// Returns the value of a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key).map(|entry| &entry.value)
    }

    /// Follows one step of a path: a key of a mapping or a decimal index of a list.
    pub fn step(&self, segment: &str) -> Option<&Self> {
        match &self.data {
            Data::Map(map) => map.get(segment).map(|entry| &entry.value),
            Data::List(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// Follows a path as far as it exists and returns the last node found with the number of steps taken.
    pub fn walk<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> (&Self, usize) {
        let mut node = self;
        let mut steps = 0;
        for segment in path {
            let Some(next) = node.step(segment) else {
                break;
            };
            node = next;
            steps += 1;
        }
        (node, steps)
    }

    /// Returns the entries of a mapping in the order they were written.
    pub fn entries(&self) -> Vec<(&Arc<str>, &Entry)> {
        let mut entries: Vec<_> = self.as_map().into_iter().flatten().collect();
        entries.sort_by_key(|(_, entry)| (entry.key_origin.line, entry.key_origin.column));
        entries
    }

    /// Returns how the value may be shown in a message: what stands in the source, or the value of a scalar; nothing for
    /// lists and maps, which may hold anything.
    pub fn shown(&self) -> Option<Box<str>> {
        if let Some(written) = &self.written {
            return Some((**written).into());
        }
        match &self.data {
            Data::Null => Some("null".into()),
            Data::Bool(value) => Some(value.to_string().into()),
            Data::Number(Number::Int(value)) => Some(value.to_string().into()),
            Data::Number(Number::Uint(value)) => Some(value.to_string().into()),
            Data::Number(Number::Float(value)) => Some(value.to_string().into()),
            Data::String(text) => Some(format!("{:?}", &**text).into()),
            Data::List(_) | Data::Map(_) => None,
        }
    }

    /// Returns the height of the tree and its size: nodes, and bytes of text. Texts that aliases share count each time,
    /// because decoding copies them.
    pub(crate) fn measure(&self) -> Size {
        let own = match &self.data {
            Data::String(text) => text.len(),
            _ => 0,
        };
        let mut size = Size { height: 1, nodes: 1, bytes: own + self.raw.as_ref().map_or(0, |raw| raw.len()) };
        let mut add = |child: &Self, key: usize| {
            let inner = child.measure();
            size.height = size.height.max(inner.height + 1);
            size.nodes += inner.nodes;
            size.bytes += inner.bytes + key;
        };
        match &self.data {
            Data::List(items) => items.iter().for_each(|item| add(item, 0)),
            Data::Map(map) => map.iter().for_each(|(key, entry)| add(&entry.value, key.len())),
            _ => {}
        }
        size
    }
}

/// How big a tree is; see [`Node::measure`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) height: usize,
    pub(crate) nodes: usize,
    pub(crate) bytes: usize,
}
