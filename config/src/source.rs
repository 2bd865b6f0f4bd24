//! Where configuration text comes from: what `--config` and `--set` were given.

use std::io::Read as _;
use std::sync::Arc;

use crate::digest::FileState;
use crate::limits::{MAX_DEPTH, MAX_FILE_BYTES};
use crate::node::{Data, Entry, Node, Origin};
use crate::problem::{Problem, Warning};
use crate::yaml;

/// The schemes that `--config` takes.
const SCHEMES: &str = "file, env, yaml";

/// One layer of configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, by path as given.
    File(String),
    /// An environment variable that holds YAML.
    Env(String),
    /// YAML as it stands, for example `processors::batch::timeout: 2s`.
    Yaml(String),
    /// Bytes that were read elsewhere, with the name to show in messages.
    Text {
        /// Shown in positions.
        name: String,
        /// The YAML text.
        bytes: Vec<u8>,
    },
    /// One value set on the command line.
    Set {
        /// Key path, `a.b.c`.
        key: String,
        /// YAML of the value.
        value: String,
    },
}

impl Source {
    /// Reads an argument of `--config`: `scheme:rest`, or a plain path, which means `file:`.
    pub fn from_config_flag(argument: &str) -> Result<Self, Problem> {
        let Some((scheme, rest)) = argument.split_once(':') else {
            return Ok(Self::File(argument.to_owned()));
        };
        // A one-letter scheme is a Windows drive, as in the Collector.
        if scheme.len() < 2 || !is_scheme(scheme) {
            return Ok(Self::File(argument.to_owned()));
        }
        match scheme {
            "file" => Ok(Self::File(rest.to_owned())),
            "env" => Ok(Self::Env(rest.to_owned())),
            "yaml" => Ok(Self::Yaml(rest.to_owned())),
            _ => {
                let message = format!("scheme {scheme:?} is not supported for uri {argument:?}");
                Err(Problem::new(None, "", message).with_allowed_text(SCHEMES))
            }
        }
    }

    /// Reads an argument of `--set`, `a.b.c=value`.
    pub fn from_set_flag(argument: &str) -> Result<Self, Problem> {
        match argument.split_once('=') {
            Some((key, value)) => Ok(Self::Set { key: key.trim().to_owned(), value: value.trim().to_owned() }),
            None => Err(Problem::new(None, "", format!("invalid value {argument:?} for flag -set: missing equal sign"))),
        }
    }

    /// Returns the name shown in positions. Never holds a value.
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.clone(),
            Self::Env(name) => format!("env:{name}"),
            Self::Yaml(_) => "yaml".to_owned(),
            Self::Text { name, .. } => name.clone(),
            Self::Set { key, .. } => format!("--set {key}"),
        }
    }

    /// Reads and parses the layer. An empty text is an empty layer. A file that is read is added to `files`.
    pub(crate) fn load(&self, env: &dyn Fn(&str) -> Option<String>, files: &mut Vec<FileState>) -> Result<Layer, Vec<Problem>> {
        let name = self.name();
        let one = |problem: Problem| vec![problem];
        let parsed = match self {
            Self::File(path) => {
                let bytes = read_file(path);
                files.push(FileState::read(path, bytes.as_deref().ok()));
                let bytes = bytes.map_err(|e| one(unreadable(&name, path, &e)))?;
                yaml::parse(&name, yaml::text(&name, &bytes).map_err(one)?)?
            }
            Self::Text { bytes, .. } => yaml::parse(&name, yaml::text(&name, bytes).map_err(one)?)?,
            Self::Yaml(text) => yaml::parse(&name, yaml::text(&name, text.as_bytes()).map_err(one)?)?,
            Self::Env(variable) => {
                let text = env(variable).unwrap_or_default();
                yaml::parse(&name, yaml::text(&name, text.as_bytes()).map_err(one)?)?
            }
            Self::Set { value, .. } => yaml::parse(&name, yaml::text(&name, value.as_bytes()).map_err(one)?)?,
        };
        let origin = Origin::whole(&name);
        let mut problems = Vec::new();
        let root = match (self, parsed.root) {
            (Self::Set { key, .. }, value) => {
                // Line and column within an argument help nobody.
                let value = value.unwrap_or_else(|| Node::new(Data::Null, origin.clone())).moved(&origin, None);
                nested(&key.split('.').collect::<Vec<_>>(), &origin, value)
            }
            (_, Some(root)) => root,
            (_, None) => Node::empty_map(origin.clone()),
        };
        let root = unfold(root, 0, &mut problems);
        match root.data {
            Data::Null => Ok(Layer { root: Node::empty_map(origin), warnings: parsed.warnings }),
            Data::Map(_) if problems.is_empty() => Ok(Layer { root, warnings: parsed.warnings }),
            Data::Map(_) => Err(problems),
            _ => {
                let message = format!("a configuration is a map, got {}", root.data.type_name());
                Err(one(Problem::new(Some(root.origin), "", message)))
            }
        }
    }
}

/// A layer that was read; `root` is a map.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) root: Node,
    pub(crate) warnings: Vec<Warning>,
}

/// `[A-Za-z][A-Za-z0-9+.-]+`, the Collector's pattern.
pub(crate) fn is_scheme(text: &str) -> bool {
    text.len() >= 2
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-'))
}

/// Reads no more than is allowed and one byte, so that a device or a growing file cannot fill memory.
pub(crate) fn read_file(path: &str) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(name: &str, path: &str, error: &std::io::Error) -> Problem {
    Problem::new(Some(Origin::whole(name)), "", format!("unable to read the file file:{path}: {error}"))
}

/// Wraps a value into one map per segment. More segments than levels are kept as one: [`unfold`] refuses the rest.
fn nested(segments: &[&str], origin: &Origin, value: Node) -> Node {
    segments.iter().rev().take(MAX_DEPTH + 1).fold(value, |inner, segment| {
        let entry = Entry { key_origin: origin.clone(), value: inner };
        Node::new(Data::Map([(Arc::from(*segment), entry)].into()), origin.clone())
    })
}

/// Turns keys such as `a::b` into nested maps, which the Collector does with every source, and checks the depth that
/// results. `a::b: 1` beside `a: {b: 2}` is a duplicate key.
fn unfold(node: Node, depth: usize, problems: &mut Vec<Problem>) -> Node {
    if depth >= MAX_DEPTH {
        problems.push(Problem::new(Some(node.origin.clone()), "", format!("nested deeper than {MAX_DEPTH} levels")));
        return Node::new(Data::Null, node.origin);
    }
    let Node { data, origin, raw, written } = node;
    let data = match data {
        Data::List(items) => Data::List(items.into_iter().map(|item| unfold(item, depth + 1, problems)).collect()),
        Data::Map(map) => {
            let mut unfolded = Node::empty_map(origin.clone());
            for (key, entry) in map {
                let segments: Vec<&str> = key.split("::").collect();
                let one = nested(&segments, &entry.key_origin, entry.value);
                join(&mut unfolded, one, problems);
            }
            let Data::Map(map) = unfolded.data else {
                return Node::empty_map(origin);
            };
            let unfold_entry = |entry: Entry, problems: &mut Vec<Problem>| Entry {
                key_origin: entry.key_origin,
                value: unfold(entry.value, depth + 1, problems),
            };
            Data::Map(map.into_iter().map(|(key, entry)| (key, unfold_entry(entry, problems))).collect())
        }
        scalar => scalar,
    };
    Node { data, origin, raw, written }
}

/// Puts the maps of `from` into `into`; a leaf that is there already is a duplicate.
fn join(into: &mut Node, from: Node, problems: &mut Vec<Problem>) {
    let (Data::Map(target), Data::Map(map)) = (&mut into.data, from.data) else {
        return;
    };
    for (key, entry) in map {
        match target.get_mut(&key) {
            None => {
                target.insert(key, entry);
            }
            Some(there) if there.value.as_map().is_some() && entry.value.as_map().is_some() => {
                join(&mut there.value, entry.value, problems);
            }
            Some(there) => {
                let message = format!(
                    "mapping key {key:?} already defined at line {} column {}",
                    there.key_origin.line, there.key_origin.column
                );
                problems.push(Problem::new(Some(entry.key_origin), "", message));
            }
        }
    }
}
