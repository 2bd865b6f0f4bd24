//! What a client of the admin address can ask.
//!
//! ```text
//! POST /reload                read the configuration again and put it in place
//! POST /reload?dry_run=true   say what that would do; a body, if there is one, stands for the configuration
//! GET  /config                what is in force, without secrets, since when, and what came of the last reload
//! GET  /health                what is degraded, and why
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use deferd_component::telemetry::{Counter, Telemetry};
use deferd_config::Secret;
use deferd_config::limits::MAX_FILE_BYTES;
use deferd_net::http::body::{self, BodyError};
use deferd_net::http::header::{ALLOW, AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use deferd_net::http::{Body, Full, Handler as Answers, Method, Page, Request, Response, StatusCode};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;
use tokio::sync::oneshot;

use super::Doors;
use crate::service::report::{Outcome, Report};
use crate::service::request::{Request as Wish, Trigger};

/// Time for a body to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(10);
/// Time for a reload, its turn included. What takes longer is still done; its result is in `/config`.
const PATIENCE: Duration = Duration::from_mins(1);
/// The paths and their methods.
const PATHS: [(&str, &str); 3] = [("/reload", "POST"), ("/config", "GET"), ("/health", "GET")];

/// Answers clients.
pub(super) struct Handler {
    doors: Doors,
    token: Arc<ArcSwap<Secret>>,
    unauthorized: Counter,
}

/// An answer, and what to say beside its body.
type Answer = Result<Page, Refusal>;

/// Why a request is not answered.
enum Refusal {
    Unauthorized,
    NotFound,
    Method(&'static str),
    Bad(String),
    Body(BodyError),
    Busy(&'static str),
}

impl Handler {
    pub(super) fn new(doors: Doors, token: Arc<ArcSwap<Secret>>, telemetry: &Telemetry) -> Self {
        let help = "Requests to the admin address without its token or with another";
        Self { doors, token, unauthorized: telemetry.counter("deferd_admin_unauthorized_requests", help, Vec::new()) }
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        if !self.is_authorized(&request) {
            self.unauthorized.add(1);
            return Err(Refusal::Unauthorized);
        }
        let path = request.uri().path();
        let (_, method) = PATHS.iter().find(|(known, _)| *known == path).ok_or(Refusal::NotFound)?;
        if request.method().as_str() != *method && !(*method == "GET" && request.method() == Method::HEAD) {
            return Err(Refusal::Method(method));
        }
        match path {
            "/reload" => self.reload(request).await,
            "/config" => Ok(page(StatusCode::OK, &self.doors.status.shown())),
            _ => Ok(page(StatusCode::OK, &health(&self.doors.health.table()))),
        }
    }

    /// Compares in a time that does not depend on where the texts differ.
    fn is_authorized<T>(&self, request: &Request<T>) -> bool {
        let given = request.headers().get(AUTHORIZATION).and_then(|value| value.as_bytes().split_at_checked(7));
        let token = self.token.load();
        given.is_some_and(|(scheme, given)| {
            scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(given.ct_eq(token.expose().as_bytes()))
        })
    }

    async fn reload(&self, request: Request<Body>) -> Answer {
        let dry_run = is_dry_run(request.uri().query().unwrap_or_default())?;
        let body = body::read(request.into_body(), MAX_FILE_BYTES, BODY_PATIENCE).await.map_err(Refusal::Body)?;
        if !dry_run && !body.is_empty() {
            return Err(Refusal::Bad(
                "a body is taken only with dry_run=true: a reload reads the files of the service".to_owned(),
            ));
        }
        let (reply, report) = oneshot::channel();
        let wish = if dry_run {
            Wish::Plan(Some(body).filter(|body| !body.is_empty()), reply)
        } else {
            Wish::Reload(Trigger::Api, Some(reply))
        };
        self.doors
            .requests
            .try_send(wish)
            .map_err(|_| Refusal::Busy("too many requests wait for their turn, or the service ends"))?;
        match tokio::time::timeout(PATIENCE, report).await {
            Ok(Ok(report)) => Ok(report_page(&report)),
            Ok(Err(_)) => Err(Refusal::Busy("the service ends")),
            Err(_elapsed) => Err(Refusal::Busy("still at work; /config will have the result")),
        }
    }
}

impl Answers for Handler {
    async fn handle(&self, request: Request<Body>) -> Response<Full<Bytes>> {
        self.answer(request).await.map_or_else(Refusal::into_response, Page::into_response)
    }
}

impl Refusal {
    fn into_response(self) -> Response<Full<Bytes>> {
        let (status, message) = match &self {
            Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "the token of service::admin is needed: Authorization: Bearer TOKEN".to_owned())
            }
            Self::NotFound => {
                let known: Vec<String> = PATHS.iter().map(|(path, method)| format!("{method} {path}")).collect();
                (StatusCode::NOT_FOUND, format!("not found; there is {}", known.join(", ")))
            }
            Self::Method(method) => (StatusCode::METHOD_NOT_ALLOWED, format!("only {method}")),
            Self::Bad(message) => (StatusCode::BAD_REQUEST, message.clone()),
            Self::Body(error @ BodyError::TooLarge(_)) => (StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
            Self::Body(error @ BodyError::Slow(_)) => (StatusCode::REQUEST_TIMEOUT, error.to_string()),
            Self::Body(error @ BodyError::Broken) => (StatusCode::BAD_REQUEST, error.to_string()),
            Self::Busy(message) => (StatusCode::SERVICE_UNAVAILABLE, (*message).to_owned()),
        };
        let mut response = page(status, &json!({ "error": message })).into_response();
        match self {
            Self::Unauthorized => drop(response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Self::Method(method) => drop(response.headers_mut().insert(ALLOW, HeaderValue::from_static(method))),
            _ => {}
        }
        response
    }
}

/// Reads the query. What is misspelt is refused: it must not turn a question into a reload.
fn is_dry_run(query: &str) -> Result<bool, Refusal> {
    let mut dry_run = false;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        dry_run = match parameter {
            "dry_run=true" | "dry_run=1" | "dry_run" => true,
            "dry_run=false" | "dry_run=0" => false,
            _ => return Err(Refusal::Bad(format!("unknown parameter {parameter:?}; allowed: dry_run=true, dry_run=false"))),
        };
    }
    Ok(dry_run)
}

fn report_page(report: &Report) -> Page {
    let status = match report.result {
        Outcome::Applied | Outcome::WouldApply => StatusCode::OK,
        Outcome::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
    };
    page(status, &json!(report))
}

fn health(table: &BTreeMap<String, BTreeMap<String, String>>) -> Value {
    let word = |well: bool| if well { "ok" } else { "degraded" };
    let components = table.iter().map(|(component, reasons)| {
        let told = reasons.iter().map(|(reason, message)| json!({ "reason": reason, "message": message })).collect::<Vec<_>>();
        json!({ "component": component, "status": word(reasons.is_empty()), "reasons": told })
    });
    json!({ "status": word(table.values().all(BTreeMap::is_empty)), "components": components.collect::<Vec<_>>() })
}

fn page(status: StatusCode, body: &Value) -> Page {
    Page { status, content_type: "application/json", body: format!("{body:#}\n").into() }
}
