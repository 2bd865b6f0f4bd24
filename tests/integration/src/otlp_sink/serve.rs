//! One connection of a sink.

use std::convert::Infallible;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::rt::{Read, Write};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioExecutor;

use super::{Answer, Request, Shared};

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Serves until the client ends the connection, or breaks it.
pub(super) async fn connection<I: Read + Write + Unpin + Send + 'static>(io: I, shared: Arc<Shared>) {
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(request, &shared).await) }
    });
    // How a connection ends is the client's business.
    let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await;
}

async fn answer(request: hyper::Request<Incoming>, shared: &Shared) -> Response<Body> {
    let (head, body) = request.into_parts();
    let headers =
        head.headers.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let mut seen = Request {
        at: Instant::now(),
        path: head.uri.path().to_owned(),
        authority: head.uri.authority().map(ToString::to_string).unwrap_or_default(),
        headers: headers.collect(),
        bytes: 0,
        taken: false,
    };
    // A request that the client gave up on is none.
    let Ok(body) = body.collect().await else { return plain(StatusCode::BAD_REQUEST) };
    seen.at = Instant::now();
    let mut answer = shared.decide().await;
    let body = body.to_bytes();
    seen.bytes = body.len().saturating_sub(5);
    let mut received = shared.received.lock();
    if answer.takes() {
        let taken = message(&body, &seen).and_then(|message| received.take(&seen.path, &message));
        match taken {
            Ok(()) => seen.taken = true,
            Err(what) => answer = Answer::Status { code: 3, message: what, details: None },
        }
    }
    received.requests.push(seen);
    drop(received);
    respond(&answer)
}

/// The message behind the prefix, decompressed.
fn message(body: &[u8], request: &Request) -> Result<Vec<u8>, String> {
    let (prefix, message) = body.split_first_chunk::<5>().ok_or("no gRPC prefix")?;
    let [compressed, length @ ..] = *prefix;
    if u32::from_be_bytes(length) as usize != message.len() {
        return Err(format!("the prefix says {} bytes, {} came", u32::from_be_bytes(length), message.len()));
    }
    let encoding = request.headers.get("grpc-encoding").map(String::as_str);
    match (compressed, encoding) {
        (0, _) => Ok(message.to_vec()),
        (1, Some("gzip")) => {
            let mut plain = Vec::new();
            GzDecoder::new(message).read_to_end(&mut plain).map_err(|error| error.to_string())?;
            Ok(plain)
        }
        other => Err(format!("compressed in an unknown way: {other:?}")),
    }
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Full::from("<html>no</html>").boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("text/html"));
    response
}

fn respond(answer: &Answer) -> Response<Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let mut encoding = "identity";
    let body = match answer {
        Answer::Http(status) => return plain(StatusCode::from_u16(*status).expect("an HTTP status")),
        Answer::Status { code, message, details } => {
            trailers.insert("grpc-status", code.to_string().parse().expect("a number"));
            trailers.insert("grpc-message", message.parse().expect("a header value"));
            if let Some(details) = details {
                trailers.insert("grpc-status-details-bin", details.parse().expect("a header value"));
            }
            Vec::new()
        }
        Answer::Garbage(body, of) => {
            encoding = of;
            body.clone()
        }
        _ => {
            let message = answer.message();
            let length = u32::try_from(message.len()).expect("a short answer").to_be_bytes();
            [&[0], length.as_slice(), &message].concat()
        }
    };
    let trailers = (*answer != Answer::Cut).then_some(Ok(trailers));
    let mut response = Response::new(Full::from(body).with_trailers(async { trailers }).boxed_unsync());
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-encoding", HeaderValue::from_static(encoding));
    response
}
