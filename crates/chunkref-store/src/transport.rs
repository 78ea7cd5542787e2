// SPDX-License-Identifier: MIT OR Apache-2.0
//! Requests and their answers: one client for every store.
//!
//! The stores of `object_store` and the reader of web servers all send through here, so that limits, counting, retries
//! and checks of what comes back are in one place.

use std::collections::HashSet;
use std::error::Error as _;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use chunkref_core::redact;
use chunkref_core::secret::{is_secret_name, keep_secret, keep_secrets_of};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, RANGE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use reqwest::{Client, Url};
use tracing::{Instrument, debug, debug_span};

use crate::address::{Reach, is_public};
use crate::answer;
use crate::guard::{Guard, Names, Refused, proxy_hosts};
use crate::limiter::Limiter;
use crate::meter::{Cost, on_caller};
use crate::retry::{RetryPolicy, is_temporary, retry_after};

/// The longest object that is taken whole from a server which does not serve parts.
const LONGEST_WHOLE_BYTES: u64 = 64 << 20;

/// The longest answer that is not a part of an object: a page of a listing, a token.
const LONGEST_ANSWER_BYTES: u64 = 64 << 20;

/// What is read of an answer that says what went wrong.
const LONGEST_FAULT_BYTES: u64 = 64 << 10;

const METADATA_TIMEOUT: Duration = Duration::from_secs(2);
const REGION: HeaderName = HeaderName::from_static("x-amz-bucket-region");

/// How requests are made.
#[derive(Clone)]
pub(crate) struct TransportOptions {
    pub(crate) requests: usize,
    pub(crate) requests_per_host: usize,
    pub(crate) retry: RetryPolicy,
    /// The longest time without a byte.
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) accept_any_certificate: bool,
    pub(crate) proxy: Option<String>,
    pub(crate) user_agent: Option<String>,
    /// What looks up the names of hosts that the user did not name.
    pub(crate) names: Arc<dyn Names>,
}

/// A request that can be made more than once.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer, with all of its body. Of one that is no success, the body is what it says in words.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether it came from an address of the own network, as far as that is known.
    pub(crate) internal: bool,
}

/// No answer came, or none that can be used.
#[derive(Debug, Clone)]
pub(crate) struct NoAnswer {
    kind: HttpErrorKind,
    message: String,
    /// Why it was not asked for.
    refused: Option<Refused>,
}

impl NoAnswer {
    fn new(kind: HttpErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), refused: None }
    }

    fn refused(refused: Refused) -> Self {
        let message = refused.to_string();
        Self { kind: HttpErrorKind::Connect, message, refused: Some(refused) }
    }

    /// Whether the request was not made, because its host may not be asked.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused.is_some()
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for NoAnswer {}

/// What became of one try.
enum Try {
    Final(Answer),
    /// Worth another try; when there is none left, this answer or fault is what came of it.
    Again(Result<Answer, NoAnswer>, Option<Duration>),
    Failed(NoAnswer),
}

/// One client for each reach, their common limits and patience.
pub(crate) struct Transport {
    options: TransportOptions,
    client: Client,
    /// Those whose requests go to some addresses only.
    internal: OnceLock<Option<Client>>,
    public: OnceLock<Option<Client>>,
    proxies: Arc<HashSet<String>>,
    limiter: Limiter,
    retry: RetryPolicy,
}

/// Without the client, whose proxies may have passwords.
impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Transport").field("retry", &self.retry).finish_non_exhaustive()
    }
}

impl Transport {
    pub(crate) fn new(options: &TransportOptions) -> Result<Self, reqwest::Error> {
        // A second call finds the provider of the first; one that another crate has set is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let proxies = Arc::new(proxy_hosts(options.proxy.as_deref()));
        Ok(Self {
            options: options.clone(),
            client: client(options, None)?,
            internal: OnceLock::new(),
            public: OnceLock::new(),
            proxies,
            limiter: Limiter::new(options.requests, options.requests_per_host),
            retry: options.retry,
        })
    }

    /// The client for a reach. When it cannot be made although that for any reach could, nothing is within the reach.
    fn client(&self, reach: Reach) -> Option<&Client> {
        let held = match reach {
            Reach::Any => return Some(&self.client),
            Reach::Internal => &self.internal,
            Reach::Public => &self.public,
        };
        let make = || {
            let names = Arc::clone(&self.options.names);
            let guard = Guard { names, reach, proxies: Arc::clone(&self.proxies) };
            client(&self.options, Some(guard)).ok()
        };
        held.get_or_init(make).as_ref()
    }

    /// The answer to a request, made again while that may help.
    pub(crate) async fn send(&self, request: &Request, reach: Reach) -> Result<Answer, NoAnswer> {
        keep_secrets_of_request(request);
        let url = redact(request.url.as_str()).into_owned();
        let range = request.headers.get(RANGE).and_then(|range| range.to_str().ok());
        let span = debug_span!("request", method = %request.method, url, range);
        self.send_again(request, reach).instrument(span).await
    }

    async fn send_again(&self, request: &Request, reach: Reach) -> Result<Answer, NoAnswer> {
        let repeatable = matches!(request.method, Method::GET | Method::HEAD);
        let mut tries = 0;
        loop {
            tries += 1;
            let (outcome, asked) = match self.try_once(request, reach).await {
                Try::Final(answer) => return Ok(answer),
                Try::Failed(fault) => return Err(fault),
                Try::Again(outcome, asked) => (outcome, asked),
            };
            let unsent = matches!(&outcome, Err(fault) if fault.kind == HttpErrorKind::Connect);
            let wait = self.retry.wait(tries, asked).filter(|_| repeatable || unsent);
            let reason = match &outcome {
                Ok(answer) => format!("the server answered {}", answer::words(answer)),
                Err(fault) => fault.message.clone(),
            };
            let Some(wait) = wait.filter(|_| !is_metadata_service(&request.url)) else {
                return outcome.map_err(|fault| NoAnswer {
                    message: match tries {
                        1 => fault.message,
                        _ => format!("{} ({tries} tries)", fault.message),
                    },
                    ..fault
                });
            };
            debug!(reason, wait_seconds = wait.as_secs_f64(), "request is made again");
            on_caller(|caller| caller.note_retry(reason));
            tokio::time::sleep(wait).await;
        }
    }

    async fn try_once(&self, request: &Request, reach: Reach) -> Try {
        let host = request.url.host_str().unwrap_or_default();
        let client = self.client(reach).filter(|_| reach.holds_host(&request.url));
        let Some(client) = client else {
            return Try::Failed(NoAnswer::refused(Refused { host: host.to_owned() }));
        };
        let place = self.limiter.enter(host).await;
        on_caller(|caller| caller.meter.add(Cost { requests: 1, ..Cost::default() }));
        let mut builder = client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone());
        if is_metadata_service(&request.url) {
            builder = builder.timeout(METADATA_TIMEOUT);
        }
        let response = match builder.send().await {
            Ok(response) => response,
            Err(error) => {
                let fault = describe(error);
                return if fault.is_refused() {
                    Try::Failed(fault)
                } else {
                    Try::Again(Err(fault), None)
                };
            }
        };
        // Behind a proxy, the address is that of the proxy.
        let address = response.remote_addr().filter(|_| self.proxies.is_empty());
        let internal = address.is_some_and(|address| !is_public(address.ip()));
        let outcome = receive(request, response).await;
        drop(place);
        match outcome {
            Try::Final(answer) => Try::Final(Answer { internal, ..answer }),
            outcome => outcome,
        }
    }
}

/// Lets no message hold what a request sends that lets it in, which a server may repeat. Signatures of AWS are of one
/// request, and hidden by their form.
fn keep_secrets_of_request(request: &Request) {
    if request.url.query().is_some() || request.url.password().is_some() {
        keep_secrets_of(request.url.as_str());
    }
    for (name, value) in &request.headers {
        let secret = name == AUTHORIZATION || value.is_sensitive() || is_secret_name(name.as_str());
        if let Some(value) = value.to_str().ok().filter(|_| secret)
            && !value.starts_with("AWS4-")
        {
            value.split([' ', ';', ',']).for_each(keep_secret);
        }
    }
}

/// A client with these options, whose names `guard` looks up.
fn client(options: &TransportOptions, guard: Option<Guard>) -> Result<Client, reqwest::Error> {
    let agent = concat!("chunkref/", env!("CARGO_PKG_VERSION"));
    let mut builder = Client::builder()
        .user_agent(options.user_agent.as_deref().unwrap_or(agent))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.timeout)
        .pool_max_idle_per_host(options.requests_per_host)
        .tcp_nodelay(true)
        .tls_danger_accept_invalid_certs(options.accept_any_certificate);
    if let Some(proxy) = &options.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy)?);
    }
    if let Some(guard) = guard {
        builder = builder.dns_resolver(guard);
    }
    builder.build()
}

/// Takes the body of an answer, no more of it than what was asked for, and checks that it is that.
async fn receive(request: &Request, response: reqwest::Response) -> Try {
    let (status, headers) = (response.status(), response.headers().clone());
    if let Some(region) = headers.get(REGION).and_then(|region| region.to_str().ok())
        && !status.is_success()
    {
        on_caller(|caller| caller.note_region(region.to_owned()));
    }
    if request.method == Method::HEAD {
        let answer = Answer { status, headers, body: Bytes::new(), internal: false };
        return if is_temporary(status) {
            Try::Again(Ok(answer), None)
        } else {
            Try::Final(answer)
        };
    }
    let asked = request.headers.get(RANGE).and_then(answer::asked_range);
    if !status.is_success() {
        let later = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry_after(value, SystemTime::now()));
        let body = match body(response, LONGEST_FAULT_BYTES).await {
            Ok((body, _)) => answer::fault_in_words(&body),
            Err(_) => String::new(),
        };
        let answer = Answer { status, headers, body: body.into(), internal: false };
        return if is_temporary(status) {
            Try::Again(Ok(answer), later)
        } else {
            Try::Final(answer)
        };
    }
    match (status, asked) {
        (StatusCode::PARTIAL_CONTENT, Some(asked)) => receive_part(response, headers, asked).await,
        (StatusCode::OK, Some(asked)) => receive_whole(response, headers, asked).await,
        _ => match body(response, LONGEST_ANSWER_BYTES).await {
            Ok((body, true)) => Try::Final(Answer { status, headers, body, internal: false }),
            Ok((_, false)) => Try::Failed(NoAnswer::new(
                HttpErrorKind::Decode,
                format!("the answer is longer than {LONGEST_ANSWER_BYTES} bytes"),
            )),
            Err(fault) => Try::Again(Err(fault), None),
        },
    }
}

/// A part of an object: the one that was asked for, or, at the end of the object, what there is of it.
async fn receive_part(response: reqwest::Response, headers: HeaderMap, asked: Range<u64>) -> Try {
    let wrong =
        |message: String| Try::Again(Err(NoAnswer::new(HttpErrorKind::Decode, message)), None);
    let range = headers.get(CONTENT_RANGE);
    if range.is_some_and(|range| range.as_bytes().ends_with(b"/*")) {
        let message =
            "the server does not say how long the object is: download the file and scan the copy";
        return Try::Failed(NoAnswer::new(HttpErrorKind::Decode, message.to_owned()));
    }
    let Some((given, length)) = range.and_then(answer::given_range) else {
        return wrong("the server sent a part of the object without saying which".to_owned());
    };
    if given.start != asked.start || given.end != asked.end.min(length) {
        return wrong(format!(
            "the server sent bytes {} to {} when {} to {} were asked for",
            given.start, given.end, asked.start, asked.end
        ));
    }
    let expected = given.end - given.start;
    match body(response, expected).await {
        Ok((body, true)) if body.len() as u64 == expected => Try::Final(Answer {
            status: StatusCode::PARTIAL_CONTENT,
            headers,
            body,
            internal: false,
        }),
        Ok((body, ended)) => wrong(format!(
            "the server sent {} bytes where it announced {expected}",
            if ended { body.len().to_string() } else { "more".to_owned() }
        )),
        Err(fault) => Try::Again(Err(fault), None),
    }
}

/// The whole object from a server that does not serve parts: kept for later reads, and answered as the part of it.
async fn receive_whole(
    response: reqwest::Response,
    mut headers: HeaderMap,
    asked: Range<u64>,
) -> Try {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<u64>().ok());
    let too_long = |length: &str| {
        let message = format!(
            "the server ignores that a part of the object was asked for, and all of it is {length}: download the file and scan the copy"
        );
        Try::Failed(NoAnswer::new(HttpErrorKind::Decode, message))
    };
    if let Some(length) = announced.filter(|&length| length > LONGEST_WHOLE_BYTES) {
        return too_long(&format!("{length} bytes"));
    }
    let whole = match body(response, LONGEST_WHOLE_BYTES).await {
        Ok((whole, true)) => whole,
        Ok((_, false)) => return too_long(&format!("more than {LONGEST_WHOLE_BYTES} bytes")),
        Err(fault) => return Try::Again(Err(fault), None),
    };
    let length = whole.len() as u64;
    if announced.is_some_and(|announced| announced != length) {
        let message = format!("the server sent {length} bytes of the object and announced more");
        return Try::Again(Err(NoAnswer::new(HttpErrorKind::Decode, message)), None);
    }
    let (start, end) = (asked.start.min(length), asked.end.min(length));
    let part = match (usize::try_from(start), usize::try_from(end)) {
        (Ok(start), Ok(end)) if start <= end => whole.slice(start..end),
        _ => Bytes::new(),
    };
    on_caller(|caller| caller.note_whole_object(whole));
    let range = match end.checked_sub(1) {
        Some(last) if start < end => format!("bytes {start}-{last}/{length}"),
        _ => format!("bytes */{length}"),
    };
    let status = if start < end || length == 0 && asked.start == 0 {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::RANGE_NOT_SATISFIABLE
    };
    if let Ok(range) = HeaderValue::from_str(&range) {
        headers.insert(CONTENT_RANGE, range);
    }
    headers.insert(CONTENT_LENGTH, HeaderValue::from(part.len()));
    Try::Final(Answer { status, headers, body: part, internal: false })
}

/// Up to `longest` bytes of a body, and whether that is all of it.
async fn body(mut response: reqwest::Response, longest: u64) -> Result<(Bytes, bool), NoAnswer> {
    let mut body = BytesMut::new();
    loop {
        let piece = match response.chunk().await {
            Ok(Some(piece)) => piece,
            Ok(None) => return Ok((body.freeze(), true)),
            Err(error) => return Err(describe(error)),
        };
        on_caller(|caller| caller.meter.add(Cost { bytes: piece.len() as u64, ..Cost::default() }));
        if (body.len() as u64).saturating_add(piece.len() as u64) > longest {
            return Ok((body.freeze(), false));
        }
        body.extend_from_slice(&piece);
    }
}

/// Services of cloud machines that hand out credentials. They answer at once or are not there.
fn is_metadata_service(url: &Url) -> bool {
    matches!(url.host_str(), Some("169.254.169.254" | "169.254.170.2" | "metadata.google.internal"))
}

fn describe(error: reqwest::Error) -> NoAnswer {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_timeout() {
        HttpErrorKind::Timeout
    } else {
        HttpErrorKind::Interrupted
    };
    let what = match kind {
        HttpErrorKind::Connect if error.is_timeout() => {
            "the server did not take the connection in time"
        }
        HttpErrorKind::Connect => "the server cannot be reached",
        HttpErrorKind::Timeout => "the server fell silent",
        _ => "the answer broke off",
    };
    let error = error.without_url();
    // The last cause is the one that says something.
    let mut cause = error.source();
    let mut last = None;
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<Refused>() {
            return NoAnswer::refused(refused.clone());
        }
        last = Some(error.to_string());
        cause = error.source();
    }
    let message = match last {
        Some(last) if kind != HttpErrorKind::Timeout => format!("{what}: {}", redact(&last)),
        _ => what.to_owned(),
    };
    NoAnswer::new(kind, message)
}

/// The same transport for the clients of `object_store`.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    pub(crate) transport: Arc<Transport>,
    pub(crate) reach: Reach,
    /// The host that the user named as the store's, which is within any reach.
    pub(crate) endpoint: Option<Url>,
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string();
        let url =
            Url::parse(&url).map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
        let body = body.as_bytes().cloned().unwrap_or_default();
        let request = Request { method: parts.method, url, headers: parts.headers, body };
        let named =
            self.endpoint.as_ref().is_some_and(|named| named.origin() == request.url.origin());
        let reach = if named { Reach::Any } else { self.reach };
        let answer = self.transport.send(&request, reach).await;
        let answer = answer.map_err(|fault| HttpError::new(fault.kind, fault))?;
        let mut response = http::Response::new(answer.body.into());
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}
