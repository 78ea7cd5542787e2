// SPDX-License-Identifier: MIT OR Apache-2.0
//! Objects of web servers.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chunkref_core::secret::{keep_login, keep_secret};
use chunkref_core::{Resolution, SourceError, SourceErrorKind};
use chunkref_model::ObjectVersion;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_RANGE, COOKIE,
    ETAG, IF_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED, LOCATION, RANGE, REFERER, SET_COOKIE,
    USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use crate::address::{Reach, names_internal_host};
use crate::answer::{given_range, words};
use crate::bucket::Listing;
use crate::cookies::Cookies;
use crate::location::{Location, percent_decode};
use crate::netrc::{Login, Netrc};
use crate::prefix::UrlPrefix;
use crate::reader::{ObjectReader, Part, changed, error, strong_tag};
use crate::storage_options::{Credentials, StorageOptions, header_name, invalid};
use crate::transport::{Answer, NoAnswer, Request, Transport};

/// Redirections that are followed for one request; logging in at another host and coming back takes four.
const LONGEST_CHAIN: usize = 10;

/// Who is let in where, and what all requests to web servers have in common.
#[derive(Debug)]
pub(crate) struct Web {
    transport: Arc<Transport>,
    options: StorageOptions,
    /// Hosts that the user allows, among others.
    allowed: Vec<UrlPrefix>,
    netrc: Netrc,
    cookies: Cookies,
}

/// Who asks for an object, and for whom.
#[derive(Debug)]
struct Pass {
    /// Headers for the host of the object alone, which let the user in.
    headers: HeaderMap,
    /// Whether the user named the object, or what it lies in. If not, nobody is let in anywhere, and addresses of the own
    /// network are not asked.
    named: bool,
}

impl Pass {
    fn new(
        options: &StorageOptions,
        store: &str,
        credentials: Credentials,
        own: Option<HeaderValue>,
    ) -> Result<Self, SourceError> {
        let mut headers = headers(&options.for_store(store, credentials))?;
        if let Some(own) = own {
            headers.insert(AUTHORIZATION, own);
        }
        Ok(Self { headers, named: credentials != Credentials::None })
    }
}

/// The headers that options set.
fn headers(options: &StorageOptions) -> Result<HeaderMap, SourceError> {
    let mut headers = HeaderMap::new();
    for (name, value) in options.iter() {
        let Some(header) = header_name(name) else { continue };
        let parsed = HeaderName::try_from(header).ok().zip(HeaderValue::try_from(value).ok());
        let (header, value) = parsed.ok_or_else(|| {
            invalid(format!("storage option {name} is no header that can be sent"))
        })?;
        keep_header(&header, &value);
        headers.insert(header, sensitive(value));
    }
    if let Some(token) = options.first(&["bearer_token", "token"]).filter(|token| *token != "anon")
    {
        headers.insert(AUTHORIZATION, authorization(format!("Bearer {token}"))?);
    } else if let (Some(user), Some(password)) =
        (options.first(&["username", "key"]), options.first(&["password", "secret"]))
    {
        headers.insert(AUTHORIZATION, basic(user, password)?);
    }
    Ok(headers)
}

impl Web {
    pub(crate) fn new(
        transport: Arc<Transport>,
        options: StorageOptions,
        allowed: Vec<UrlPrefix>,
    ) -> Self {
        let (netrc, cookies) = (Netrc::load(), Cookies::default());
        Self { transport, options, allowed, netrc, cookies }
    }

    /// The object at a location.
    pub(crate) fn object(
        self: &Arc<Self>,
        location: &Location,
        credentials: Credentials,
    ) -> Result<WebObject, SourceError> {
        let url = Url::parse(location.url()).map_err(|cause| {
            let message = "this is no URL";
            error(SourceErrorKind::InvalidLocation, location.url(), message, Some(Box::new(cause)))
        })?;
        let own = match location.user_information() {
            Some(user) => {
                let (user, password) = user.split_once(':').unwrap_or((user, ""));
                let decode = |text: &str| percent_decode(text).unwrap_or_else(|| text.to_owned());
                Some(basic(&decode(user), &decode(password))?)
            }
            None => None,
        };
        Ok(WebObject {
            web: Arc::clone(self),
            location: location.clone(),
            pass: Pass::new(&self.options, &store_of(&url), credentials, own)?,
            url,
            moved: Mutex::default(),
        })
    }

    /// How far a request to `url` may go, in a chain of redirections that began at `first`.
    fn reach(&self, url: &Url, first: &Url, named: bool, from_internal: bool) -> Reach {
        let of_user = url.host() == first.host()
            || self.options.names_store(&store_of(url))
            || Location::parse(url.as_str())
                .ok()
                .and_then(|location| UrlPrefix::of(&location))
                .is_some_and(|url| self.allowed.iter().any(|allowed| allowed.holds(&url)));
        if named && of_user {
            Reach::Any
        } else if named && from_internal {
            // A server of the own network may send to others there, and one of the internet may not.
            Reach::Internal
        } else {
            Reach::Public
        }
    }

    /// The answer of the last server of a chain of redirections, and its URL when that is not the first. What lets the
    /// user in at `first`'s host is sent to no other host or port and by no other scheme; logins of the netrc file and
    /// options of one store are sent to the hosts that they are for.
    async fn get(
        &self,
        first: &Url,
        start: &Moved,
        pass: &Pass,
        headers: &HeaderMap,
    ) -> Result<(Answer, Moved), Fault> {
        let Moved { mut url, mut from_internal } = start.clone();
        for _ in 0..LONGEST_CHAIN {
            let mut request = Request {
                method: Method::GET,
                url: url.clone(),
                headers: headers.clone(),
                body: Bytes::new(),
            };
            let home = url.origin() == first.origin();
            if home {
                request.headers.extend(pass.headers.clone());
            } else if pass.named && self.options.names_store(&store_of(&url)) {
                let own = self.options.for_store(&store_of(&url), Credentials::Ambient);
                request.headers.extend(self::headers(&own).map_err(Fault::Source)?);
            }
            let login = url.host_str().filter(|_| pass.named).and_then(|host| {
                if home {
                    self.netrc.login(host)
                } else {
                    self.netrc.login_of(host).filter(|_| is_safe(&url))
                }
            });
            if !request.headers.contains_key(AUTHORIZATION)
                && let Some(Login { user, password }) = login
            {
                request
                    .headers
                    .insert(AUTHORIZATION, basic(user, password).map_err(Fault::Source)?);
            }
            if let Some(cookies) = self.cookies.header(&url).filter(|_| pass.named) {
                request.headers.insert(COOKIE, cookies);
            }
            let reach = self.reach(&url, first, pass.named, from_internal);
            let answer = self.transport.send(&request, reach).await;
            let answer = answer.map_err(|cause| Fault::None(cause, store_of(&url)))?;
            from_internal |= home && answer.internal;
            for cookie in answer.headers.get_all(SET_COOKIE).iter().filter(|_| pass.named) {
                self.cookies.set(&url, cookie);
            }
            let target = match answer.status {
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => answer.headers.get(LOCATION),
                _ => None,
            };
            let Some(target) = target else { return Ok((answer, Moved { url, from_internal })) };
            let next = target.to_str().ok().and_then(|target| url.join(target).ok());
            url = match next {
                Some(next) if matches!(next.scheme(), "http" | "https") => next,
                _ => return Err(Fault::Chain("the server redirects to what is no web address")),
            };
        }
        Err(Fault::Chain("the server redirects again and again: are the credentials right?"))
    }
}

/// Scheme, host and port, as options of one store name them.
fn store_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    format!("{}://{host}:{}", url.scheme(), url.port_or_known_default().unwrap_or_default())
}

/// Where a chain of redirections led, or where one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Moved {
    url: Url,
    /// Whether the first host has an address of the own network.
    from_internal: bool,
}

/// Why there is no answer.
enum Fault {
    /// With the store that was asked.
    None(NoAnswer, String),
    Chain(&'static str),
    Source(SourceError),
}

impl Fault {
    fn at(self, location: &str) -> SourceError {
        match self {
            Self::None(cause, store) if cause.is_refused() => {
                let allow = format!("{store}/");
                let message = format!(
                    "this leads to {allow}, which is of this machine's own network, and what leads there was not named by you: allow {allow} if you trust it"
                );
                let denied = Resolution::Allow { object: location.to_owned(), allow };
                error(SourceErrorKind::NotAllowed, location, message, None).with_resolution(denied)
            }
            Self::None(cause, _) => error(
                SourceErrorKind::Io,
                location,
                "the server gave no usable answer",
                Some(Box::new(cause)),
            ),
            Self::Chain(message) => error(SourceErrorKind::Io, location, message, None),
            Self::Source(error) => error,
        }
    }
}

/// An object of a web server.
pub(crate) struct WebObject {
    web: Arc<Web>,
    location: Location,
    url: Url,
    pass: Pass,
    /// Where redirections led the last time; later requests go there at once.
    moved: Mutex<Option<Moved>>,
}

impl std::fmt::Debug for WebObject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("WebObject")
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

impl WebObject {
    fn moved(&self) -> Option<Moved> {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn get(&self, headers: &HeaderMap) -> Result<Answer, SourceError> {
        let get = async |start: &Moved| {
            let answer = self.web.get(&self.url, start, &self.pass, headers).await;
            answer.map_err(|fault| fault.at(self.location.url()))
        };
        let first = Moved { url: self.url.clone(), from_internal: names_internal_host(&self.url) };
        let answer = match self.moved() {
            // The place that it was moved to may be good for some minutes only.
            Some(moved) => match get(&moved).await {
                Ok((answer, _))
                    if !matches!(answer.status.as_u16(), 400 | 401 | 403 | 404 | 410) =>
                {
                    return Ok(answer);
                }
                _ => get(&first).await?,
            },
            None => get(&first).await?,
        };
        let (answer, end) = answer;
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(end).filter(|end| end.url != self.url && answer.status.is_success());
        Ok(answer)
    }
}

#[async_trait]
impl ObjectReader for WebObject {
    async fn fetch(
        &self,
        range: Range<u64>,
        known: Option<&ObjectVersion>,
    ) -> Result<Part, SourceError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let range = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        headers.extend(HeaderValue::try_from(range).ok().map(|range| (RANGE, range)));
        if let Some(known) = known {
            if let Some(tag) = strong_tag(known) {
                headers.extend(HeaderValue::try_from(tag).ok().map(|tag| (IF_MATCH, tag)));
            } else if let Some(date) = known.last_modified.map(httpdate::fmt_http_date) {
                headers.extend(
                    HeaderValue::try_from(date).ok().map(|date| (IF_UNMODIFIED_SINCE, date)),
                );
            }
        }
        let answer = self.get(&headers).await?;
        let given = answer.headers.get(CONTENT_RANGE).and_then(given_range);
        match (answer.status, given) {
            (StatusCode::PARTIAL_CONTENT, Some((_, length))) => {
                Ok(Part { version: version(&answer.headers, length), bytes: answer.body })
            }
            // No range of an object without bytes can be had.
            (StatusCode::RANGE_NOT_SATISFIABLE, Some((_, 0))) => {
                Ok(Part { version: version(&answer.headers, 0), bytes: Bytes::new() })
            }
            (StatusCode::RANGE_NOT_SATISFIABLE, _) if known.is_some() => {
                Err(changed(self.location.url()))
            }
            (StatusCode::PRECONDITION_FAILED, _) => Err(changed(self.location.url())),
            _ => Err(refusal(self.location.url(), &answer)),
        }
    }
}

fn version(headers: &HeaderMap, length: u64) -> ObjectVersion {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    ObjectVersion {
        length,
        e_tag: text(ETAG).map(str::to_owned),
        last_modified: text(LAST_MODIFIED).and_then(|date| httpdate::parse_http_date(date).ok()),
    }
}

fn refusal(location: &str, answer: &Answer) -> SourceError {
    let (kind, message) = match answer.status {
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            (SourceErrorKind::NotFound, "the server has no such object: check the URL")
        }
        StatusCode::UNAUTHORIZED => (
            SourceErrorKind::PermissionDenied,
            "authentication required: give a token, or a user name and password, or a login in ~/.netrc",
        ),
        StatusCode::FORBIDDEN => (
            SourceErrorKind::PermissionDenied,
            "the server does not let this be read: check the credentials",
        ),
        _ => (SourceErrorKind::Io, "the server gave no usable answer"),
    };
    let fault = error(kind, location, message, Some(words(answer).into()));
    if answer.status == StatusCode::UNAUTHORIZED {
        return fault.with_resolution(Resolution::StorageOption { name: "token".to_owned() });
    }
    fault
}

/// Whether a login may be sent there: over TLS, or to this machine.
fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

/// Headers that say nothing of who asks.
const OPEN_HEADERS: [HeaderName; 6] =
    [ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, REFERER, USER_AGENT];

/// Lets no message hold what a header says that may let somebody in: the whole of it, and each of its words.
fn keep_header(name: &HeaderName, value: &HeaderValue) {
    if OPEN_HEADERS.contains(name) {
        return;
    }
    if let Ok(value) = value.to_str() {
        keep_secret(value);
        value.split([' ', ';', ',']).for_each(keep_secret);
    }
}

fn basic(user: &str, password: &str) -> Result<HeaderValue, SourceError> {
    keep_login(user, password);
    authorization(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

fn authorization(value: String) -> Result<HeaderValue, SourceError> {
    value.split(' ').skip(1).for_each(keep_secret);
    let value = HeaderValue::try_from(value)
        .map_err(|_| invalid("the credentials hold letters that no header can".to_owned()))?;
    Ok(sensitive(value))
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

impl Web {
    /// What the page of a folder links to right below it.
    pub(crate) async fn list(&self, folder: &Url, location: &str) -> Result<Listing, SourceError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let pass = Pass::new(&self.options, &store_of(folder), Credentials::All, None)?;
        let start = Moved { url: folder.clone(), from_internal: names_internal_host(folder) };
        let answer = self.get(folder, &start, &pass, &headers).await;
        let (answer, Moved { url, .. }) = answer.map_err(|fault| fault.at(location))?;
        if !answer.status.is_success() {
            return Err(refusal(folder.as_str(), &answer));
        }
        let mut listing = Listing::default();
        for link in links(&String::from_utf8_lossy(&answer.body)) {
            let Ok(mut target) = url.join(&link) else { continue };
            target.set_fragment(None);
            let Some(rest) = target.as_str().strip_prefix(url.as_str()).map(str::to_owned) else {
                continue;
            };
            let below = format!("{}{rest}", folder.as_str());
            match rest.split_once('/') {
                Some((name, "")) if !name.is_empty() => listing.prefixes.push(below),
                None if !rest.is_empty() && target.query().is_none() => listing.keys.push(below),
                _ => {}
            }
        }
        for found in [&mut listing.keys, &mut listing.prefixes] {
            found.sort_unstable();
            found.dedup();
        }
        Ok(listing)
    }
}

/// The targets of the links of a page.
fn links(page: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut rest = page;
    while let Some(place) = rest.find(['h', 'H']) {
        rest = rest.get(place..).unwrap_or_default();
        let Some(value) = rest
            .get(..4)
            .filter(|name| name.eq_ignore_ascii_case("href"))
            .and_then(|_| rest.get(4..)?.trim_start().strip_prefix('='))
            .map(str::trim_start)
        else {
            rest = rest.get(1..).unwrap_or_default();
            continue;
        };
        let (link, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                value.get(1..).and_then(|value| value.split_once(quote)).unwrap_or_default()
            }
            _ => value.split_at(value.find([' ', '>', '\n', '\t']).unwrap_or(value.len())),
        };
        links.push(link.replace("&amp;", "&"));
        rest = after;
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_a_page_are_found() {
        let page = "<a href=\"a.nc\">a</a> <A HREF = 'b%20c.nc'>h</A> <a href=d/>x</a> href <a href=\"?C=N&amp;O=D\">";
        assert_eq!(links(page), ["a.nc", "b%20c.nc", "d/", "?C=N&O=D"]);
        assert!(links("<a href=\"never ends").iter().all(String::is_empty));
    }
}
