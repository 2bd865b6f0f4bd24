//! The detector `env`: what whoever started this process says about it.

use percent_encoding::percent_decode_str;

use super::{Found, Surroundings, Value};

/// The variable's text is not `key=value,key=value`. The specification asks to take nothing of it then.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "OTEL_RESOURCE_ATTRIBUTES: invalid resource format, invalid text: {0:?}, must be key=value,key=value with values percent-encoded"
)]
pub(in super::super) struct Malformed(String);

/// `OTEL_SERVICE_NAME` comes before a `service.name` among `OTEL_RESOURCE_ATTRIBUTES` (or `OTEL_RESOURCE`, its name of old).
pub(super) fn detect(around: &impl Surroundings) -> Result<Vec<Found>, Malformed> {
    let variable = |name| around.variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut found = Vec::new();
    if let Some(name) = variable("OTEL_SERVICE_NAME") {
        found.push(("service.name".to_owned(), Value::Text(name)));
    }
    let attributes = variable("OTEL_RESOURCE_ATTRIBUTES").or_else(|| variable("OTEL_RESOURCE"));
    for pair in attributes.iter().flat_map(|text| text.trim_end_matches(',').split(',')) {
        let malformed = || Malformed(pair.to_owned());
        let (key, value) = pair.split_once('=').ok_or_else(malformed)?;
        let (key, value) = (key.trim(), value.trim().replace('+', " "));
        let value = percent_decode_str(&value).decode_utf8().map_err(|_| malformed())?;
        if key.is_empty() {
            return Err(malformed());
        }
        found.push((key.to_owned(), Value::Text(value.into_owned())));
    }
    Ok(found)
}
