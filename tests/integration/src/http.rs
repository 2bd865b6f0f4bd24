//! HTTP as far as tests need it: one request, one answer, one connection.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for a connection or for more of an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Largest answer read.
const MAX_ANSWER: u64 = 64 << 20;

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code, such as 200.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

/// `GET PATH`.
pub fn get(address: SocketAddr, path: &str) -> io::Result<Answer> {
    request(address, "GET", path, "")
}

/// `POST PATH`, without a body.
pub fn post(address: SocketAddr, path: &str) -> io::Result<Answer> {
    request(address, "POST", path, "")
}

/// `POST PATH` with a body of JSON.
pub fn post_json(address: SocketAddr, path: &str, body: &str) -> io::Result<Answer> {
    request(address, "POST", path, body)
}

/// HTTP/1.0: the answer is whole when the connection ends, and never chunked.
fn request(address: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let length = body.len();
    let json = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: {address}\r\n{json}Content-Length: {length}\r\n\r\n{body}")?;
    let mut text = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut text)?;
    parse(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("no HTTP answer: {text:.200?}")))
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    // A body cut short is a failed request.
    (length.is_none_or(|length| length == body.len())).then(|| Answer { status, body: body.to_owned() })
}

/// The text as a value of a query string.
pub fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_status_and_body() {
        let answer = parse("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno").unwrap();
        assert_eq!(answer, Answer { status: 404, body: "no".into() });
    }

    #[test]
    fn a_body_cut_short_is_no_answer() {
        assert_eq!(parse("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nno"), None);
        assert_eq!(parse("HTTP/1.1 200"), None);
    }

    #[test]
    fn a_query_is_escaped() {
        assert_eq!(escape("up{a=\"b c\"}"), "up%7Ba%3D%22b%20c%22%7D");
    }
}
