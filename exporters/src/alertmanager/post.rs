//! Posting to one Alertmanager, and what its answers mean.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use deferd_net::client::http::{Client, RequestError, Response};
use serde::Serialize;

use super::alert::rfc3339;
use super::state::Post;

/// Alerts in one request.
pub(super) const MAX_BATCH: usize = 500;
/// Alerts of one batch that are tried alone to find the one at fault. If there are more of these, the batch is.
const MAX_ALONE: usize = 32;
/// Characters of an answer that are shown.
const MAX_SHOWN: usize = 200;
const PATH: &str = "/api/v2/alerts";

/// What became of posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// They arrived.
    Taken,
    /// They will not be taken as they are.
    Refused(String),
    /// Nothing will be taken from us, or not there, until somebody mends that.
    Unwelcome(String),
    /// They may be taken later, not before that wait if there is one.
    Failed(String, Option<Duration>),
}

/// An alert as Alertmanager's interface has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    labels: &'a BTreeMap<String, String>,
    annotations: &'a BTreeMap<String, String>,
    starts_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
    #[serde(rename = "generatorURL", skip_serializing_if = "str::is_empty")]
    generator_url: &'a str,
}

/// Posts in order and tells what became of them, some after the other, until all are done or one could not be told. A batch that is refused
/// for what is in it is divided, so that one bad alert does not keep the good ones back.
pub(super) async fn deliver(client: &Client, posts: &[Post], mut tell: impl FnMut(&[Post], &Outcome)) {
    let mut rest = vec![posts];
    let mut alone = 0;
    while let Some(batch) = rest.pop() {
        let outcome = match client.post(PATH, "application/json", body(batch)).await {
            Ok(answer) if divides(&answer) && batch.len() > 1 && alone < MAX_ALONE => {
                let (first, second) = batch.split_at(batch.len() / 2);
                rest.extend([second, first]);
                continue;
            }
            Ok(answer) => meaning(&answer),
            Err(error) => Outcome::Failed(unreachable(&error), None),
        };
        alone += usize::from(batch.len() == 1);
        tell(batch, &outcome);
        if matches!(outcome, Outcome::Failed(..) | Outcome::Unwelcome(_)) {
            return;
        }
    }
}

fn body(posts: &[Post]) -> Bytes {
    let alerts: Vec<Wire<'_>> = posts
        .iter()
        .map(|post| Wire {
            labels: &post.alert.labels,
            annotations: &post.alert.annotations,
            starts_at: rfc3339(post.starts),
            ends_at: post.ends.map(rfc3339),
            generator_url: &post.alert.generator_url,
        })
        .collect();
    // Maps of texts can always be written.
    serde_json::to_vec(&alerts).unwrap_or_default().into()
}

/// Whether an answer is about what was posted, and not about who posted it where.
fn divides(answer: &Response) -> bool {
    matches!(answer.status.as_u16(), 400 | 413 | 422)
}

fn meaning(answer: &Response) -> Outcome {
    let status = answer.status;
    let said = answer.text(MAX_SHOWN);
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    match status.as_u16() {
        200..=299 => Outcome::Taken,
        300..=399 => {
            let to = answer.location.as_deref().unwrap_or("nowhere");
            Outcome::Unwelcome(format!("it redirects to {to} ({status}), which is not followed; set the endpoint to where it is"))
        }
        408 | 429 | 500..=599 => Outcome::Failed(format!("it answers {status}{said}"), answer.retry_after),
        _ if divides(answer) => Outcome::Refused(format!("it answers {status}{said}")),
        _ => Outcome::Unwelcome(format!("it answers {status}{said}")),
    }
}

fn unreachable(error: &RequestError) -> String {
    deferd_config::one_line(&error.to_string())
}
