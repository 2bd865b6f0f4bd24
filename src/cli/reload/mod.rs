//! `deferd reload`: asks a running service to read its configuration again, or what that would do.

mod client;
mod show;

use std::io::Read as _;
use std::time::Duration;

use deferd_component::Registry;
use deferd_config::limits::MAX_FILE_BYTES;
use deferd_config::service::{ADMIN_PORT, Admin};
use deferd_config::{Document, Endpoint, Problem, Secret, Source};

use super::arguments::ReloadArguments;
use super::environment;
use crate::exit::Exit;
use crate::service::{self, AdminError, Changes, Loaded, Outcome, Report};
use crate::terminal;
use client::{Asked, ClientError};

/// How long an answer may take: longer than the service takes to say that it is still at work.
const PATIENCE: Duration = Duration::from_secs(70);

/// Why there is no answer to show.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    /// There is no way to a service.
    #[error("{0}")]
    Nowhere(String),
    /// The token cannot be had.
    #[error("{0}")]
    Token(#[from] AdminError),
    /// The candidate cannot be read.
    #[error("unable to read the file {path}: {source}")]
    Candidate { path: String, source: std::io::Error },
    /// The service did not answer.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// The answer has no place to be awaited.
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Does what was asked for, and shows what came of it.
pub(super) fn run(registry: &Registry, arguments: &ReloadArguments) -> Exit {
    let sources = match arguments.config.sources() {
        Ok(sources) => sources,
        Err(problem) => {
            terminal::complain(problem);
            return Exit::Failed;
        }
    };
    if !arguments.against.is_empty() {
        return show::report(&compared(registry, &sources, &arguments.against), None, arguments.json);
    }
    match asked(&sources, arguments) {
        Ok(report) => show::report(&report, arguments.candidate.as_deref(), arguments.json),
        Err(error) => {
            terminal::complain(error);
            Exit::Failed
        }
    }
}

/// What leads from one configuration to another, without a service.
fn compared(registry: &Registry, new: &[Source], old: &[String]) -> Report {
    let old = old.iter().map(|argument| Source::from_config_flag(argument)).collect::<Result<Vec<_>, Problem>>();
    let read = |sources: &[Source]| Loaded::read(registry, sources, &environment);
    let old = old.map_err(|problem| vec![problem]).and_then(|old| read(&old));
    match (old, read(new)) {
        (Ok(old), Ok(new)) => {
            let plan = Changes::between((&old.spec, &old.service), (&new.spec, &new.service));
            Report { result: Outcome::WouldApply, plan, problems: Vec::new(), warnings: Vec::new() }
        }
        (old, new) => {
            let problems: Vec<Problem> = [old.err(), new.err()].into_iter().flatten().flatten().collect();
            Report::rejected(&problems)
        }
    }
}

/// What the service answers.
fn asked(sources: &[Source], arguments: &ReloadArguments) -> Result<Report, ReloadError> {
    let (endpoint, token) = address(sources, arguments)?;
    let candidate = arguments.candidate.as_deref();
    let body = candidate.map(read).transpose()?;
    let path = if arguments.dry_run { "/reload?dry_run=true" } else { "/reload" };
    let asked = Asked { endpoint: &endpoint, token: &token, path, body: body.unwrap_or_default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(client::post(asked, PATIENCE))?)
}

/// Reads no more than the service would take: it refuses the rest without listening, which looks like a broken connection.
fn read(path: &str) -> Result<Vec<u8>, ReloadError> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let read = std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    let read = read.and_then(|_| match bytes.len() {
        0 => Err(std::io::Error::other("empty")),
        length if length > MAX_FILE_BYTES => Err(std::io::Error::other(format!("larger than {MAX_FILE_BYTES} bytes"))),
        _ => Ok(()),
    });
    read.map(|()| bytes).map_err(|source| ReloadError::Candidate { path: path.to_owned(), source })
}

/// Where the service is, and what it wants to see: from the arguments, else from the configuration that it runs. That may have problems
/// of its own, which the service will tell.
fn address(sources: &[Source], arguments: &ReloadArguments) -> Result<(Endpoint, Secret), ReloadError> {
    let examined = (!sources.is_empty()).then(|| Document::examine(sources, &environment));
    let admin: Option<Admin> = examined.as_ref().and_then(|examined| examined.document.service().admin.clone());
    let token = match (&arguments.token_file, &admin) {
        (Some(path), _) => service::token_from(path)?,
        (None, Some(admin)) => service::token(admin)?,
        (None, None) if sources.is_empty() => {
            return Err(ReloadError::Nowhere(
                "the service wants its token: --token-file FILE, or --config FILE to find it there".into(),
            ));
        }
        (None, None) => {
            // A file that cannot be read has no section either, and that is what is to be said.
            if let Some(problem) = examined.as_ref().and_then(|examined| examined.problems.first()) {
                return Err(ReloadError::Nowhere(problem.to_string()));
            }
            let message = "the configuration has no usable section service::admin; with it, `deferd validate` says nothing and the \
                           service listens; until then, SIGHUP reloads it";
            return Err(ReloadError::Nowhere(message.into()));
        }
    };
    let configured = admin.map(|admin| admin.endpoint);
    let endpoint = arguments.endpoint.clone().or(configured).unwrap_or_else(|| Endpoint::localhost(ADMIN_PORT));
    if endpoint.port() == 0 {
        let message = format!("{endpoint} means a free port, which the service's log names: --endpoint HOST:PORT");
        return Err(ReloadError::Nowhere(message));
    }
    Ok((endpoint, token))
}
