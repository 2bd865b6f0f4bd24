//! `deferd components`: what this binary holds, in the form of the Collector's command.

use std::fmt::Write as _;

use deferd_component::{Kind, Metadata, Registry, Signal};

use crate::exit::Exit;
use crate::terminal;

/// Signals of the listing; profiles are not in the Collector's either.
const SIGNALS: [Signal; 3] = [Signal::Logs, Signal::Metrics, Signal::Traces];

/// Schemes of `--config` and `${...}`.
const PROVIDERS: [&str; 3] = ["env", "file", "yaml"];

/// Shows the list.
pub(crate) fn run(registry: &Registry) -> Exit {
    terminal::show_result(&listing(registry))
}

/// The listing as YAML. Every text in it is an identifier or a sentence of ours in double quotes, so that it needs no writer.
fn listing(registry: &Registry) -> String {
    let mut yaml = format!(
        "buildinfo:\n    command: deferd\n    description: {}\n    version: {}\n",
        env!("CARGO_PKG_DESCRIPTION"),
        env!("CARGO_PKG_VERSION")
    );
    for kind in [Kind::Receiver, Kind::Processor, Kind::Exporter, Kind::Connector, Kind::Extension] {
        let types = registry.types(kind);
        // An empty list is written so that it stays a list.
        yaml.push_str(kind.section());
        yaml.push_str(if types.is_empty() { ": []\n" } else { ":\n" });
        for metadata in types {
            component(&mut yaml, registry, kind, &metadata);
        }
    }
    yaml.push_str("providers:\n");
    for scheme in PROVIDERS {
        // Writing to a String cannot fail.
        let _ = writeln!(yaml, "    - scheme: {scheme}");
    }
    yaml
}

fn component(yaml: &mut String, registry: &Registry, kind: Kind, metadata: &Metadata) {
    let _ = writeln!(yaml, "    - name: {}", metadata.component_type);
    let _ = writeln!(yaml, "      module: deferd v{}", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(yaml, "      summary: {:?}", metadata.summary);
    yaml.push_str("      stability:\n");
    if kind == Kind::Connector {
        let Some(entry) = registry.find_connector(metadata.component_type) else { return };
        for (from, to) in SIGNALS.iter().flat_map(|from| SIGNALS.map(|to| (*from, to))) {
            let _ = writeln!(yaml, "        {from}-to-{to}: {}", stability(metadata, (entry.connects)(from, to)));
        }
    } else {
        for signal in SIGNALS {
            let _ = writeln!(yaml, "        {signal}: {}", stability(metadata, metadata.signals.contains(&signal)));
        }
    }
}

fn stability(metadata: &Metadata, supported: bool) -> String {
    if supported { metadata.stability.to_string() } else { "Undefined".to_owned() }
}
