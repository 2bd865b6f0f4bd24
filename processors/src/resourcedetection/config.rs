//! Keys of the processor: the Collector's for the detectors that are here, and one of our own.

use std::time::Duration as StdDuration;

use deferd_component::{Issues, Validate};
use deferd_config::Duration;
use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration of one processor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What is looked at. What the first one finds is not replaced by a later one.
    pub detectors: Vec<Detector>,
    /// Whether what was detected replaces what a resource says of itself. Its identity is kept all the same.
    pub r#override: bool,
    /// Whether `override` holds for the identity of a resource as well, and what describes this very process may be said of any resource.
    pub override_identity: bool,
    /// Without effect: nothing is asked over a network.
    pub timeout: Duration,
    /// Without effect: what is looked at does not change while the process runs.
    pub refresh_interval: Duration,
    /// What the detector `system` reports.
    pub system: System,
    /// What the detector `process` reports.
    pub process: Process,
    /// What the detector `container` reports.
    pub container: Container,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            detectors: vec![Detector::Env],
            r#override: true,
            override_identity: false,
            timeout: StdDuration::from_secs(5).into(),
            refresh_interval: Duration::default(),
            system: System::default(),
            process: Process::default(),
            container: Container::default(),
        }
    }
}

/// Something that knows where this process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub enum Detector {
    /// `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.
    Env,
    /// Host and operating system.
    System,
    /// This process.
    Process,
    /// The container that this process is in.
    Container,
}

impl TryFrom<String> for Detector {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "env" => Ok(Self::Env),
            "system" => Ok(Self::System),
            "process" => Ok(Self::Process),
            "container" => Ok(Self::Container),
            _ => Err(format!("invalid detector key: {name}, not one of env, system, process, container")),
        }
    }
}

/// Settings of the detector `system`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct System {
    /// Where the host's name comes from: `os` alone, since the Collector's others ask the network.
    pub hostname_sources: Vec<HostnameSource>,
    /// Which attributes are reported.
    pub resource_attributes: SystemAttributes,
}

impl Default for System {
    fn default() -> Self {
        Self { hostname_sources: vec![HostnameSource::Os], resource_attributes: SystemAttributes::default() }
    }
}

/// Where the host's name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HostnameSource {
    /// From the operating system.
    Os,
}

/// Settings of the detector `process`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Process {
    /// Which attributes are reported.
    pub resource_attributes: ProcessAttributes,
}

/// Settings of the detector `container`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Container {
    /// Which attributes are reported.
    pub resource_attributes: ContainerAttributes,
}

/// Whether one attribute is reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Switch {
    /// Reported or not; the default depends on the attribute.
    pub enabled: Option<bool>,
}

/// A struct with a switch for each attribute, and the look-up by the attribute's name.
macro_rules! switches {
    ($(#[$doc:meta])* $type:ident { $($(#[$about:meta])* $field:ident = $key:literal, $default:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $type {
            $($(#[$about])* #[serde(rename = $key)] pub $field: Switch,)*
        }

        impl $type {
            pub(super) fn enabled(&self, key: &str) -> bool {
                match key {
                    $($key => self.$field.enabled.unwrap_or($default),)*
                    _ => false,
                }
            }
        }
    };
}

switches! {
    /// What the detector `system` may report; on by default as in the Collector.
    SystemAttributes {
        /// Architecture, such as `amd64`.
        host_arch = "host.arch", false;
        /// Id of the installation, `/etc/machine-id`.
        host_id = "host.id", false;
        /// Name of the host.
        host_name = "host.name", true;
        /// Distribution and kernel, for people.
        os_description = "os.description", false;
        /// Distribution, such as `Debian GNU/Linux`.
        os_name = "os.name", false;
        /// Always `linux`.
        os_type = "os.type", true;
        /// Version of the distribution.
        os_version = "os.version", false;
    }
}

switches! {
    /// What the detector `process` may report.
    ProcessAttributes {
        /// Name of the executable.
        executable_name = "process.executable.name", true;
        /// Path of the executable.
        executable_path = "process.executable.path", true;
        /// Process id.
        pid = "process.pid", true;
    }
}

switches! {
    /// What the detector `container` may report.
    ContainerAttributes {
        /// Id of the container.
        id = "container.id", true;
    }
}

impl Validate for Config {
    fn validate(&self, issues: &mut Issues) {
        if self.detectors.is_empty() {
            issues.push("detectors", "`detectors` is empty", "one or more of env, system, process, container");
        }
        if self.system.hostname_sources.is_empty() {
            issues.push("system::hostname_sources", "`hostname_sources` is empty", "os");
        }
    }
}
