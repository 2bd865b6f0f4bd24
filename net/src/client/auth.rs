//! Who we are: a token or a password, and headers of one's own.
//!
//! The Collector has extensions for this; until deferd has them, the same is written at the client. What stands in a file is read again
//! when it changes, because tokens of Kubernetes live for an hour.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deferd_component::{Issues, Validate};
use deferd_config::Secret;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Deserialize;

/// Longest token or password in a file, in bytes.
const MAX_FILE: u64 = 64 << 10;
/// A file is read again at most so often: a token that has changed may be refused for as long.
const REREAD: Duration = Duration::from_secs(1);
/// Headers that belong to the client itself.
const RESERVED: [&str; 5] = ["authorization", "connection", "content-length", "host", "transfer-encoding"];

/// How a client says who it is; at most one way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// Sent as `Authorization: Bearer TOKEN`.
    pub bearer_token: Secret,
    /// A file that holds the token.
    pub bearer_token_file: String,
    /// Sent as `Authorization: Basic ...`.
    pub basic: Option<Basic>,
}

/// A user and a password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Basic {
    /// The user; without a colon.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// A file that holds the password.
    pub password_file: String,
}

impl Validate for Auth {
    fn validate(&self, issues: &mut Issues) {
        let ways = [!self.bearer_token.is_empty(), !self.bearer_token_file.is_empty(), self.basic.is_some()];
        if ways.iter().filter(|way| **way).count() > 1 {
            issues.push("", "there is more than one way of authentication", "one of bearer_token, bearer_token_file and basic");
        }
        if header_value(&format!("Bearer {}", self.bearer_token.expose())).is_none() {
            issues.push("bearer_token", "the token has characters that no header can have", "letters, digits and punctuation");
        }
        if let Some(basic) = &self.basic {
            issues.within("basic", basic);
        }
    }
}

impl Validate for Basic {
    fn validate(&self, issues: &mut Issues) {
        if self.username.is_empty() || self.username.contains(':') {
            issues.push("username", "`username` must be set, and cannot have a colon", "a name");
        }
        if !self.password.is_empty() && !self.password_file.is_empty() {
            issues.push("password_file", "there are two passwords", "one of password and password_file");
        }
    }
}

/// Headers as configured. Their values may be tokens, so they are secrets.
pub type Headers = BTreeMap<String, Secret>;

/// Reports headers that cannot be sent. `issues` stands at the component, the headers at its key `headers`.
pub fn validate_headers(headers: &Headers, issues: &mut Issues) {
    for (name, value) in headers {
        let key = format!("headers::{name}");
        if HeaderName::try_from(name).is_err() {
            issues.push(&key, format!("{name:?} is no name of a header"), "letters, digits and -");
        } else if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            issues.push(&key, format!("{name:?} is the client's own header"), "any other; for Authorization see `auth`");
        } else if header_value(value.expose()).is_none() {
            issues.push(&key, "the value has characters that no header can have", "printable ASCII");
        }
    }
}

/// Headers to send. Leaves out what [`validate_headers`] would have reported.
pub fn header_map(headers: &Headers) -> HeaderMap {
    let pairs =
        headers.iter().filter_map(|(name, value)| Some((HeaderName::try_from(name).ok()?, header_value(value.expose())?)));
    pairs.collect()
}

fn header_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A file with a token or a password that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("auth::{key}: {path}: {reason}")]
pub struct CredentialsError {
    key: &'static str,
    path: String,
    reason: String,
}

/// The `Authorization` header, kept up to date.
#[derive(Debug)]
pub struct Credentials {
    auth: Auth,
    made: Mutex<Made>,
}

#[derive(Debug)]
struct Made {
    header: Option<HeaderValue>,
    read: Instant,
}

impl Credentials {
    /// Reads the file, if there is one, so that a wrong one is found early.
    pub fn new(auth: &Auth) -> Result<Self, CredentialsError> {
        let made = Made { header: make(auth)?, read: Instant::now() };
        Ok(Self { auth: auth.clone(), made: Mutex::new(made) })
    }

    /// The header's value, if there is to be one. Reads a small file at most once a second.
    pub fn authorization(&self) -> Result<Option<HeaderValue>, CredentialsError> {
        self.at(Instant::now())
    }

    pub(super) fn at(&self, now: Instant) -> Result<Option<HeaderValue>, CredentialsError> {
        let mut made = self.made.lock();
        let from_file = !self.auth.bearer_token_file.is_empty()
            || self.auth.basic.as_ref().is_some_and(|basic| !basic.password_file.is_empty());
        if from_file && now.saturating_duration_since(made.read) >= REREAD {
            made.header = make(&self.auth)?;
            made.read = now;
        }
        Ok(made.header.clone())
    }
}

fn make(auth: &Auth) -> Result<Option<HeaderValue>, CredentialsError> {
    if let Some(basic) = &auth.basic {
        let password = secret("basic::password_file", &basic.password_file, &basic.password)?;
        let pair = STANDARD.encode(format!("{}:{}", basic.username, password.expose()));
        return Ok(header_value(&format!("Basic {pair}")));
    }
    let token = secret("bearer_token_file", &auth.bearer_token_file, &auth.bearer_token)?;
    if token.is_empty() {
        return Ok(None);
    }
    let reason = || "holds characters that no header can have".to_owned();
    let refused = || CredentialsError { key: "bearer_token_file", path: auth.bearer_token_file.clone(), reason: reason() };
    header_value(&format!("Bearer {}", token.expose())).ok_or_else(refused).map(Some)
}

fn secret(key: &'static str, path: &str, inline: &Secret) -> Result<Secret, CredentialsError> {
    if path.is_empty() {
        return Ok(inline.clone());
    }
    let failed = |reason: String| CredentialsError { key, path: path.to_owned(), reason };
    let mut text = String::new();
    let file = File::open(path).map_err(|error| failed(format!("cannot be opened: {error}")))?;
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|error| failed(format!("cannot be read: {error}")))?;
    // Editors end a file with a line end; no token has one.
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() || text.len() as u64 > MAX_FILE {
        return Err(failed("is empty or larger than 64 KiB".to_owned()));
    }
    Ok(Secret::new(text))
}
