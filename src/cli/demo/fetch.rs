//! Asking an HTTP server on this machine for a page: one request, one bounded answer.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer, in bytes: some hundred times what is expected.
const MAX_ANSWER: u64 = 8 << 20;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("http://{address}: {source}")]
    Connection {
        /// Who was asked.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    #[error("http://{address}: no answer within {} s", PATIENCE.as_secs())]
    Slow {
        /// Who was asked.
        address: SocketAddr,
    },
    #[error("http://{address}: {status}")]
    Status {
        /// Who was asked.
        address: SocketAddr,
        /// The first line of the answer.
        status: String,
    },
}

/// The body of a page.
pub(super) async fn get(address: SocketAddr, path: &str) -> Result<String, FetchError> {
    request(address, "GET", path).await
}

/// The answer to an empty POST.
pub(super) async fn post(address: SocketAddr, path: &str) -> Result<String, FetchError> {
    request(address, "POST", path).await
}

async fn request(address: SocketAddr, method: &str, path: &str) -> Result<String, FetchError> {
    // HTTP/1.0: the answer ends with the connection and is in one piece.
    let head = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n");
    let answer = match tokio::time::timeout(PATIENCE, exchange(address, &head)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(source)) => return Err(FetchError::Connection { address, source }),
        Err(_elapsed) => return Err(FetchError::Slow { address }),
    };
    body(&answer).map_err(|status| FetchError::Status { address, status })
}

async fn exchange(address: SocketAddr, head: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The body of a good answer, or the status line of another.
fn body(answer: &str) -> Result<String, String> {
    let status = answer.lines().next().unwrap_or_default().to_owned();
    match answer.split_once("\r\n\r\n") {
        Some((_, body)) if status.split(' ').nth(1) == Some("200") => Ok(body.to_owned()),
        _ => Err(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_good_answer_has_a_body() {
        assert_eq!(body("HTTP/1.0 200 OK\r\nA: b\r\n\r\nx\r\n\r\ny"), Ok("x\r\n\r\ny".to_owned()));
        assert_eq!(body("HTTP/1.0 404 Not Found\r\n\r\nx"), Err("HTTP/1.0 404 Not Found".to_owned()));
        assert_eq!(body(""), Err(String::new()));
    }
}
