//! Pages at fixed paths: what a scrape or health endpoint is.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY};
use hyper::{Method, Request, Response, StatusCode};

use super::{Body, Handler, gzip};

/// What a page shows.
#[derive(Debug, Clone)]
pub struct Page {
    /// Whether all is well.
    pub status: StatusCode,
    /// The type of `body`, as in `text/plain; charset=utf-8`.
    pub content_type: &'static str,
    /// The contents.
    pub body: Bytes,
}

type Make = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Page> + Send>> + Send + Sync>;

/// Pages by path, compressed for clients that ask for it. GET and HEAD only: another method is answered with 405, another path with 404.
#[derive(Default)]
pub struct Pages(Vec<(&'static str, Make)>);

impl Page {
    /// A page that is as it should be.
    pub fn ok(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, content_type, body: body.into() }
    }

    /// A line of plain text.
    pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: text.into() }
    }

    /// The page as an answer.
    pub fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        response
    }
}

impl Pages {
    /// No pages.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a page at exactly `path`, made anew for each request.
    #[must_use]
    pub fn page<F: Future<Output = Page> + Send + 'static>(
        mut self,
        path: &'static str,
        make: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        self.0.push((path, Box::new(move || Box::pin(make()))));
        self
    }

    fn find(&self, path: &str) -> Option<&Make> {
        self.0.iter().find(|(known, _)| *known == path).map(|(_, make)| make)
    }

    fn missing(&self) -> Page {
        let known: Vec<&str> = self.0.iter().map(|(path, _)| *path).collect();
        Page::text(StatusCode::NOT_FOUND, format!("not found; there is {}\n", known.join(", ")))
    }
}

impl Handler for Pages {
    async fn handle(&self, request: Request<Body>) -> Response<Full<Bytes>> {
        let Some(make) = self.find(request.uri().path()) else { return self.missing().into_response() };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refused = Page::text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n").into_response();
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        // To HEAD hyper sends the length and leaves the body out.
        let mut page = make().await;
        if !gzip::is_worth_it(&page.body) {
            return page.into_response();
        }
        let wanted = gzip::is_wanted(request.headers());
        let compressed = if wanted { gzip::compress(page.body.clone()).await } else { None };
        let encoding = compressed.is_some().then_some(HeaderValue::from_static("gzip"));
        page.body = compressed.unwrap_or(page.body);
        let mut response = page.into_response();
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(encoding) = encoding {
            response.headers_mut().insert(CONTENT_ENCODING, encoding);
        }
        response
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(path, _)| path)).finish()
    }
}
