// SPDX-License-Identifier: MIT OR Apache-2.0
//! A folder over HTTP.

use std::fmt::Write as _;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MATCH,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED, LOCATION, RANGE, SET_COOKIE, WWW_AUTHENTICATE,
};
use http::{HeaderMap, Method, Response, StatusCode};
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::background::{Answer, Background, Body, whole};
use crate::traffic::Traffic;

/// How a folder is served.
#[derive(Debug, Clone, Default)]
pub struct RangeOptions {
    /// Time before each answer.
    pub latency: Duration,
    /// The header `Authorization` that a request must have.
    pub authorization: Option<String>,
    /// A cookie that a request must have, as `NAME=VALUE`; whoever comes without is sent to the login.
    pub cookie: Option<String>,
    /// Paths, and the URLs that they are redirected to.
    pub redirects: Vec<(String, String)>,
    /// A path that sets the cookie, and the URL that it redirects to then.
    pub login: Option<(String, String)>,
    /// Whether answers have no `ETag`.
    pub without_tags: bool,
}

/// A folder over HTTP: ranges, conditions, pages of links for folders.
#[derive(Debug)]
pub struct RangeServer {
    background: Background,
    traffic: Traffic,
}

impl RangeServer {
    /// Serves `folder` plainly.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start(folder: &Path) -> io::Result<Self> {
        Self::with_options(folder, RangeOptions::default())
    }

    /// Serves `folder` as the options say.
    ///
    /// # Errors
    /// When there is no port.
    pub fn with_options(folder: &Path, options: RangeOptions) -> io::Result<Self> {
        let traffic = Traffic::default();
        let served =
            Arc::new(Served { folder: folder.to_owned(), options, traffic: traffic.clone() });
        let background = Background::start(move |request, connection| {
            let served = Arc::clone(&served);
            async move { served.answer(request, connection).await }
        })?;
        Ok(Self { background, traffic })
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn url(&self) -> String {
        self.background.url()
    }

    /// What it was asked for.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }
}

#[derive(Debug)]
struct Served {
    folder: PathBuf,
    options: RangeOptions,
    traffic: Traffic,
}

impl Served {
    async fn answer(&self, request: http::Request<Incoming>, connection: u64) -> Answer {
        let path = request.uri().path().to_owned();
        let shown = request.uri().path_and_query().map_or(path.as_str(), |path| path.as_str());
        let headers = request.headers();
        let _in_flight = self.traffic.begin(request.method().as_str(), shown, headers, connection);
        tokio::time::sleep(self.options.latency).await;
        if let Some((_, target)) = self.options.redirects.iter().find(|(from, _)| *from == path) {
            return redirect(target, None);
        }
        if let Some((login, target)) = &self.options.login
            && *login == path
        {
            return redirect(target, self.options.cookie.as_deref());
        }
        if let Some(wanted) = &self.options.authorization
            && header(headers, AUTHORIZATION) != Some(wanted)
        {
            return with(
                StatusCode::UNAUTHORIZED,
                &[(WWW_AUTHENTICATE, "Basic")],
                whole("who are you?"),
            );
        }
        if let Some(wanted) = &self.options.cookie
            && !header(headers, http::header::COOKIE).unwrap_or_default().contains(wanted.as_str())
        {
            return with(StatusCode::FORBIDDEN, &[], whole("no cookie"));
        }
        let Some(file) = self.find(&path) else {
            return with(StatusCode::NOT_FOUND, &[], whole("there is no such file"));
        };
        if file.is_dir() {
            return with(StatusCode::OK, &[], whole(page(&file)?));
        }
        let head = request.method() == Method::HEAD;
        let answer = self.send(&file, headers, head).await;
        answer
            .or_else(|error| with(StatusCode::INTERNAL_SERVER_ERROR, &[], whole(error.to_string())))
    }

    fn find(&self, path: &str) -> Option<PathBuf> {
        let path = decode(path.trim_start_matches('/'))?;
        let sound = Path::new(&path).components().all(|part| matches!(part, Component::Normal(_)));
        let file = self.folder.join(path);
        (sound && file.exists()).then_some(file)
    }

    async fn send(&self, path: &Path, headers: &HeaderMap, head: bool) -> Answer {
        let mut file = tokio::fs::File::open(path).await?;
        let metadata = file.metadata().await?;
        let (length, modified) = (metadata.len(), metadata.modified()?);
        let tag = tag_of(length, modified);
        let date = httpdate::fmt_http_date(modified);
        let mut sent = vec![(ACCEPT_RANGES, "bytes".to_owned()), (LAST_MODIFIED, date.clone())];
        if !self.options.without_tags {
            sent.push((ETAG, tag.clone()));
        }
        let other = header(headers, IF_MATCH).is_some_and(|wanted| wanted != tag && wanted != "*");
        let newer = header(headers, IF_UNMODIFIED_SINCE)
            .and_then(|since| httpdate::parse_http_date(since).ok())
            .is_some_and(|since| httpdate::parse_http_date(&date).is_ok_and(|date| date > since));
        if other || newer {
            return with(StatusCode::PRECONDITION_FAILED, &[], whole("it is another version"));
        }
        if head {
            sent.push((CONTENT_LENGTH, length.to_string()));
            return with_owned(StatusCode::OK, sent, whole(""));
        }
        let (start, end, status) =
            match header(headers, RANGE).and_then(|range| asked(range, length)) {
                Some((start, end)) if start < end => {
                    sent.push((CONTENT_RANGE, format!("bytes {start}-{}/{length}", end - 1)));
                    (start, end, StatusCode::PARTIAL_CONTENT)
                }
                Some(_) => {
                    let range = [(CONTENT_RANGE, format!("bytes */{length}"))];
                    return with_owned(StatusCode::RANGE_NOT_SATISFIABLE, range, whole(""));
                }
                None => (0, length, StatusCode::OK),
            };
        file.seek(io::SeekFrom::Start(start)).await?;
        let mut bytes = vec![0; usize::try_from(end - start).map_err(io::Error::other)?];
        file.read_exact(&mut bytes).await?;
        self.traffic.sent(bytes.len() as u64);
        with_owned(status, sent, whole(bytes))
    }
}

/// The tag of a version of a file.
pub(crate) fn tag_of(length: u64, modified: SystemTime) -> String {
    let since = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("\"{:x}-{length:x}\"", since.as_nanos())
}

/// Start and end of a range of an object, as far as it reaches; `None` when it is not understood.
fn asked(range: &str, length: u64) -> Option<(u64, u64)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let Ok(first) = first.parse::<u64>() else {
        return Some((length.saturating_sub(last.parse().ok()?), length));
    };
    let end = match last {
        "" => length,
        last => last.parse::<u64>().ok()?.saturating_add(1).min(length),
    };
    Some((first, end))
}

fn page(folder: &Path) -> io::Result<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let slash = if entry.path().is_dir() { "/" } else { "" };
        names.push(format!("{}{slash}", entry.file_name().to_string_lossy()));
    }
    names.sort();
    let mut page = String::from(
        "<html><head><title>Index</title></head><body><a href=\"?C=N;O=D\">Name</a> <a href=\"../\">Parent</a>\n",
    );
    for name in names {
        let link = name.replace('%', "%25").replace(' ', "%20");
        let _ = writeln!(page, "<a href=\"{link}\">{name}</a>");
    }
    page.push_str("</body></html>");
    Ok(page)
}

fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn header(headers: &HeaderMap, name: http::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn redirect(target: &str, cookie: Option<&str>) -> Answer {
    let mut headers = vec![(LOCATION, target.to_owned())];
    headers.extend(cookie.map(|cookie| (SET_COOKIE, format!("{cookie}; Path=/; HttpOnly"))));
    with_owned(StatusCode::FOUND, headers, whole(""))
}

fn with(status: StatusCode, headers: &[(http::HeaderName, &str)], body: Body) -> Answer {
    with_owned(
        status,
        headers.iter().map(|(name, value)| (name.clone(), (*value).to_owned())),
        body,
    )
}

fn with_owned(
    status: StatusCode,
    headers: impl IntoIterator<Item = (http::HeaderName, String)>,
    body: Body,
) -> Answer {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(body).map_err(io::Error::other)
}
