//! Reading an answer: bounded, and whatever it is.

use std::error::Error;
use std::io::Read as _;

use bytes::{Bytes, BytesMut};
use deferd_component::ExportError;
use deferd_pdata::wire::{Malformed, Reader, Wire};
use flate2::read::GzDecoder;
use http_body_util::BodyExt as _;
use hyper::body::Body;
use hyper::{HeaderMap, Response, StatusCode};
use tonic::Code;

use super::status::{Status, shown};

/// Largest answer, compressed or not: OTLP's limit for clients.
const MAX_ANSWER: usize = 4 << 20;
/// Bytes in front of a message.
const PREFIX: usize = 5;

/// What the server says about a request that it took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Items that it refused for good.
    pub(super) rejected: u64,
    /// Why, or a warning; one line.
    pub(super) message: String,
}

/// Why an answer is none.
#[derive(Debug, thiserror::Error)]
enum Garbage {
    #[error("larger than {MAX_ANSWER} bytes")]
    TooLarge,
    #[error("not one whole gRPC message")]
    Framing,
    #[error("compressed in an unknown way")]
    Encoding,
    #[error("not readable as gzip")]
    Gzip,
    #[error("{0}")]
    Otlp(#[from] Malformed),
}

/// Reads an answer to its end, and says what it means.
pub(super) async fn read<B>(response: Response<B>, target: &str) -> Result<Taken, ExportError>
where
    B: Body<Data = Bytes>,
    B::Error: Error + 'static,
{
    let (head, body) = response.into_parts();
    if head.status != StatusCode::OK {
        return Err(Status::of_http(head.status).failure(target));
    }
    let content_type =
        head.headers.get("content-type").map_or_else(String::new, |value| shown(&String::from_utf8_lossy(value.as_bytes())));
    if !content_type.starts_with("application/grpc") {
        return Err(ExportError::permanent(format!(
            "{target}: not a gRPC server: it answered with content type {content_type:?}"
        )));
    }
    let (body, trailers) = collect(body, target).await?;
    let status = trailers.as_ref().and_then(Status::read).or_else(|| Status::read(&head.headers));
    let Some(status) = status else {
        return Err(ExportError::retryable(format!("{target}: the answer ended without a status")));
    };
    if status.code != Code::Ok {
        return Err(status.failure(target));
    }
    taken(&body, &head.headers)
        .map_err(|what| ExportError::permanent(format!("{target}: answered OK with something that is not OTLP: {what}")))
}

/// Body and trailers.
async fn collect<B>(body: B, target: &str) -> Result<(BytesMut, Option<HeaderMap>), ExportError>
where
    B: Body<Data = Bytes>,
    B::Error: Error + 'static,
{
    let mut body = std::pin::pin!(body);
    let (mut data, mut trailers) = (BytesMut::new(), None);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ExportError::retryable(format!("{target}: {}", causes(&error))))?;
        match frame.into_data() {
            Ok(piece) if data.len() + piece.len() > MAX_ANSWER + PREFIX => {
                return Err(ExportError::permanent(format!("{target}: the answer is {}", Garbage::TooLarge)));
            }
            Ok(piece) => data.extend_from_slice(&piece),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    Ok((data, trailers))
}

/// The one message of an answer. gRPC servers in Go compress it if the request was, whatever the client says it takes.
fn taken(body: &[u8], head: &HeaderMap) -> Result<Taken, Garbage> {
    let (prefix, message) = body.split_first_chunk::<PREFIX>().ok_or(Garbage::Framing)?;
    let [compressed, length @ ..] = *prefix;
    if u32::from_be_bytes(length) as usize != message.len() {
        return Err(Garbage::Framing);
    }
    match compressed {
        0 => Ok(partial_success(message)?),
        1 if head.get("grpc-encoding").is_some_and(|encoding| encoding == "gzip") => {
            let mut plain = Vec::new();
            let read = GzDecoder::new(message).take(MAX_ANSWER as u64 + 1).read_to_end(&mut plain);
            match read.map_err(|_| Garbage::Gzip)? {
                length if length > MAX_ANSWER => Err(Garbage::TooLarge),
                _ => Ok(partial_success(&plain)?),
            }
        }
        1 => Err(Garbage::Encoding),
        _ => Err(Garbage::Framing),
    }
}

/// `partial_success` of an `Export*ServiceResponse`: the numbers of its fields are the same for every signal.
fn partial_success(response: &[u8]) -> Result<Taken, Malformed> {
    let mut taken = Taken::default();
    let mut response = Reader::new(response);
    while let Some(field) = response.next_field()? {
        let (1, Wire::Len(content)) = (field.number, field.value) else { continue };
        let mut partial = response.nested(content);
        while let Some(field) = partial.next_field()? {
            match (field.number, field.value) {
                // A negative count is nonsense; it is read as none.
                (1, Wire::Varint(rejected)) => taken.rejected = i64::try_from(rejected).map_or(0, i64::unsigned_abs),
                (2, Wire::Len(text)) => taken.message = shown(&String::from_utf8_lossy(text)),
                _ => {}
            }
        }
    }
    Ok(taken)
}

/// An error with its causes, in one line. A cause that only repeats is left out.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for error in chain(error) {
        let text = error.to_string();
        if !texts.iter().any(|earlier| earlier.contains(&text)) {
            texts.push(text);
        }
    }
    shown(&texts.join(": "))
}

/// An error and its causes.
pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        error.source()
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn framed(compressed: u8, message: &[u8]) -> Vec<u8> {
        [&[compressed], u32::try_from(message.len()).unwrap().to_be_bytes().as_slice(), message].concat()
    }

    fn gzip() -> HeaderMap {
        [("grpc-encoding".parse().unwrap(), "gzip".parse().unwrap())].into_iter().collect()
    }

    fn gzipped(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn partial_success_is_read_plain_and_compressed() {
        let response = [0x0a, 0x06, 0x08, 0x03, 0x12, 0x02, b'n', b'o'];
        let expected = Taken { rejected: 3, message: "no".into() };
        assert_eq!(taken(&framed(0, &response), &HeaderMap::new()).unwrap(), expected);
        assert_eq!(taken(&framed(1, &gzipped(&response)), &gzip()).unwrap(), expected);
        assert_eq!(taken(&framed(0, b""), &HeaderMap::new()).unwrap(), Taken::default());
    }

    #[test]
    fn what_is_no_answer_is_said_and_bounded() {
        let bomb = framed(1, &gzipped(&vec![0; MAX_ANSWER + 1]));
        let cases = [
            (b"".to_vec(), HeaderMap::new(), "not one whole gRPC message"),
            (vec![0, 0, 0, 0, 9, 1], HeaderMap::new(), "not one whole gRPC message"),
            (framed(2, b""), HeaderMap::new(), "not one whole gRPC message"),
            (framed(1, b""), HeaderMap::new(), "compressed in an unknown way"),
            (framed(1, b"no"), gzip(), "not readable as gzip"),
            (bomb, gzip(), "larger than 4194304 bytes"),
            (framed(0, b"\x0a\x7f"), HeaderMap::new(), "malformed OTLP at byte 0: the field is cut off"),
        ];
        for (body, head, what) in cases {
            assert_eq!(taken(&body, &head).unwrap_err().to_string(), what);
        }
    }

    #[test]
    fn a_negative_number_of_rejected_items_is_none() {
        let response = [&[0x0a, 0x0b, 0x08], [0xff; 9].as_slice(), &[0x01]].concat();
        assert_eq!(partial_success(&response).unwrap(), Taken::default());
    }
}
