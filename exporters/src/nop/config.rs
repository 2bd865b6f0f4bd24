//! The nop exporter has no keys.

use deferd_component::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

/// No keys.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {}

impl Validate for Config {}
