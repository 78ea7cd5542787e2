// SPDX-License-Identifier: MIT OR Apache-2.0
//! A proxy that breaks things.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, RANGE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::background::{Answer, Background, whole};

/// What goes wrong.
#[derive(Clone)]
pub enum Fault {
    /// The answer comes so much later.
    Delay(Duration),
    /// The connection closes without an answer.
    Drop,
    /// The connection closes after so many bytes of the body.
    DropAfter(usize),
    /// No answer comes at all.
    Hang,
    /// The body comes in pieces of so many bytes, with a pause before each.
    Slowly(usize, Duration),
    /// The answer has this status, and says when to come again, in seconds.
    Status(u16, Option<u64>),
    /// The range is not passed on, so all of the object comes with status 200.
    IgnoreRange,
    /// So many bytes are missing at the end of the body, and its length says so.
    Shorten(usize),
    /// So many bytes too many stand at the end of the body, and its length says so.
    Lengthen(usize),
    /// `Content-Range` is another than was asked for.
    WrongRange,
    /// This is done before the request is passed on.
    Run(Arc<dyn Fn() + Send + Sync>),
    /// The named header is not passed on.
    WithoutHeader(&'static str),
    /// The `ETag` is this one, whatever the object's is.
    Tag(&'static str),
}

impl fmt::Debug for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(_) => formatter.write_str("Run"),
            Self::Delay(time) => write!(formatter, "Delay({time:?})"),
            Self::Drop => formatter.write_str("Drop"),
            Self::DropAfter(bytes) => write!(formatter, "DropAfter({bytes})"),
            Self::Hang => formatter.write_str("Hang"),
            Self::Slowly(bytes, pause) => write!(formatter, "Slowly({bytes}, {pause:?})"),
            Self::Status(status, _) => write!(formatter, "Status({status})"),
            Self::IgnoreRange => formatter.write_str("IgnoreRange"),
            Self::Shorten(bytes) => write!(formatter, "Shorten({bytes})"),
            Self::Lengthen(bytes) => write!(formatter, "Lengthen({bytes})"),
            Self::WrongRange => formatter.write_str("WrongRange"),
            Self::Tag(tag) => write!(formatter, "Tag({tag})"),
            Self::WithoutHeader(name) => write!(formatter, "WithoutHeader({name})"),
        }
    }
}

/// When something goes wrong: for the requests whose path contains `path`, after the first `after` of them, for every
/// `every`-th of the next ones, `times` times.
#[derive(Debug, Clone)]
pub struct Rule {
    path: String,
    after: u64,
    every: u64,
    times: u64,
    fault: Fault,
}

impl Rule {
    /// Every request.
    #[must_use]
    pub fn always(fault: Fault) -> Self {
        Self { path: String::new(), after: 0, every: 1, times: u64::MAX, fault }
    }

    /// The first `times` requests.
    #[must_use]
    pub fn first(times: u64, fault: Fault) -> Self {
        Self { times, ..Self::always(fault) }
    }

    /// The same rule for requests after the first `after`.
    #[must_use]
    pub fn after(self, after: u64) -> Self {
        Self { after, ..self }
    }

    /// The same rule for one of so many requests.
    #[must_use]
    pub fn every(self, every: u64) -> Self {
        Self { every: every.max(1), ..self }
    }

    /// The same rule for requests whose path contains `path`.
    #[must_use]
    pub fn path(self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self }
    }
}

/// A proxy before a server, with the server's name left in the requests, so that their signatures hold.
#[derive(Debug)]
pub struct FaultyProxy {
    background: Background,
    broken: Arc<Broken>,
}

#[derive(Debug)]
struct Broken {
    upstream: SocketAddr,
    rules: Mutex<Vec<(Rule, u64)>>,
    requests: AtomicU64,
    fired: AtomicU64,
}

impl FaultyProxy {
    /// Stands before the server at the URL `upstream`, with these rules.
    ///
    /// # Errors
    /// When the URL is not one of this crate's servers, or there is no port.
    pub fn start(upstream: &str, rules: impl IntoIterator<Item = Rule>) -> io::Result<Self> {
        let address = upstream.strip_prefix("http://").unwrap_or(upstream);
        let upstream = address.parse().map_err(io::Error::other)?;
        let rules = Mutex::new(rules.into_iter().map(|rule| (rule, 0)).collect());
        let (requests, fired) = Default::default();
        let broken = Arc::new(Broken { upstream, rules, requests, fired });
        let answering = Arc::clone(&broken);
        let background = Background::start(move |request, _| {
            let broken = Arc::clone(&answering);
            async move { broken.answer(request).await }
        })?;
        Ok(Self { background, broken })
    }

    /// Goes on with other rules, counting from the start.
    pub fn set(&self, rules: impl IntoIterator<Item = Rule>) {
        *self.broken.rules() = rules.into_iter().map(|rule| (rule, 0)).collect();
        self.broken.requests.store(0, Ordering::SeqCst);
        self.broken.fired.store(0, Ordering::SeqCst);
    }

    /// Requests since the rules were set.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.broken.requests.load(Ordering::SeqCst)
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn url(&self) -> String {
        self.background.url()
    }

    /// How often something went wrong.
    #[must_use]
    pub fn fired(&self) -> u64 {
        self.broken.fired.load(Ordering::SeqCst)
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.background.address()
    }
}

impl Broken {
    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<(Rule, u64)>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, mut request: Request<Incoming>) -> Answer {
        let fault = self.fault(request.uri().path());
        let mut without = None;
        match &fault {
            Some(Fault::Delay(time)) => tokio::time::sleep(*time).await,
            Some(Fault::Drop) => return Err(io::ErrorKind::ConnectionReset.into()),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Status(status, later)) => return refuse(*status, *later),
            Some(Fault::IgnoreRange) => {
                request.headers_mut().remove(RANGE);
            }
            Some(Fault::Run(act)) => act(),
            Some(Fault::WithoutHeader(name)) => without = Some(*name),
            _ => {}
        }
        let is_head = request.method() == http::Method::HEAD;
        let response = self.forward(request).await?;
        let (mut parts, body) = response.into_parts();
        let mut body = body.collect().await.map_err(io::Error::other)?.to_bytes().to_vec();
        if let Some(name) = without {
            parts.headers.remove(name);
        }
        let body = match fault {
            Some(Fault::DropAfter(bytes)) => {
                body.truncate(bytes);
                let pieces = [
                    Ok(Frame::data(Bytes::from(body))),
                    Err(io::ErrorKind::ConnectionReset.into()),
                ];
                // Without a pause the error would reach the connection before the bytes are out.
                let pieces = futures::stream::iter(pieces).then(|piece| async {
                    if piece.is_err() {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    piece
                });
                StreamBody::new(pieces).boxed_unsync()
            }
            Some(Fault::Slowly(bytes, pause)) => {
                let pieces: Vec<_> =
                    body.chunks(bytes.max(1)).map(Bytes::copy_from_slice).collect();
                let pieces = futures::stream::iter(pieces).then(move |piece| async move {
                    tokio::time::sleep(pause).await;
                    Ok(Frame::data(piece))
                });
                StreamBody::new(pieces).boxed_unsync()
            }
            other => {
                match &other {
                    Some(Fault::Shorten(bytes)) => body.truncate(body.len().saturating_sub(*bytes)),
                    Some(Fault::Lengthen(bytes)) => body.resize(body.len() + *bytes, 0),
                    Some(Fault::WrongRange) => {
                        let wrong = HeaderValue::from_static("bytes 1-2/3");
                        parts.headers.insert(CONTENT_RANGE, wrong);
                    }
                    _ => {}
                }
                if let Some(Fault::Tag(tag)) = other {
                    parts.headers.insert(ETAG, HeaderValue::from_static(tag));
                }
                // The head of an object says the length of a body that does not come.
                if !is_head {
                    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
                }
                whole(body)
            }
        };
        Ok(Response::from_parts(parts, body))
    }

    /// The fault of the first rule that this request is one for; it counts for every rule of its path.
    fn fault(&self, path: &str) -> Option<Fault> {
        let mut found = None;
        self.requests.fetch_add(1, Ordering::SeqCst);
        for (rule, count) in self.rules().iter_mut().filter(|(rule, _)| path.contains(&rule.path)) {
            let number = *count;
            *count += 1;
            let late = number.checked_sub(rule.after);
            let due =
                late.is_some_and(|late| late % rule.every == 0 && late / rule.every < rule.times);
            if due && found.is_none() {
                found = Some(rule.fault.clone());
            }
        }
        self.fired.fetch_add(u64::from(found.is_some()), Ordering::SeqCst);
        found
    }

    async fn forward(&self, request: Request<Incoming>) -> io::Result<Response<Incoming>> {
        let stream = TcpStream::connect(self.upstream).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(io::Error::other)
    }
}

fn refuse(status: u16, later: Option<u64>) -> Answer {
    let status = StatusCode::from_u16(status).map_err(io::Error::other)?;
    let mut response = Response::builder().status(status);
    if let Some(seconds) = later {
        response = response.header(RETRY_AFTER, seconds);
    }
    let body =
        "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    response.body(whole(body)).map_err(io::Error::other)
}
