// SPDX-License-Identifier: MIT OR Apache-2.0
//! A folder of buckets over S3's protocol.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::dto::{
    ETag, ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    ListObjectsV2Input, ListObjectsV2Output, StreamingBlob, Timestamp,
};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::background::Background;
use crate::range::tag_of;
use crate::traffic::Traffic;

/// Who may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever signs with the right keys.
    Signed,
    /// Everybody; a signature must still be right if there is one.
    Public,
}

/// A folder of buckets: its subfolders. Signatures are checked.
#[derive(Debug)]
pub struct S3Server {
    background: Background,
    traffic: Traffic,
}

impl S3Server {
    /// The access key that is known.
    pub const ACCESS_KEY: &'static str = "TESTKEY";
    /// Its secret.
    pub const SECRET_KEY: &'static str = "test-secret-of-the-loopback-server";

    /// Serves `folder`, with a pause before each answer.
    ///
    /// # Errors
    /// When the folder is none, or there is no port.
    pub fn start(folder: &Path, access: Access, latency: Duration) -> io::Result<Self> {
        let service = service(folder, access)?;
        let traffic = Traffic::default();
        let log = traffic.clone();
        let background = Background::start(move |request, connection| {
            let (service, log) = (service.clone(), log.clone());
            async move {
                let path =
                    request.uri().path_and_query().map_or("", |path| path.as_str()).to_owned();
                let _in_flight =
                    log.begin(request.method().as_str(), &path, request.headers(), connection);
                tokio::time::sleep(latency).await;
                let request = request.map(s3s::Body::from);
                let response = service.call(request).await.map_err(io::Error::other)?;
                let (parts, body) = response.into_parts();
                let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
                log.sent(body.len() as u64);
                Ok(http::Response::from_parts(parts, crate::background::whole(body)))
            }
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

fn service(folder: &Path, access: Access) -> io::Result<S3Service> {
    let files = FileSystem::new(folder).map_err(|error| io::Error::other(format!("{error:?}")))?;
    let mut builder = S3ServiceBuilder::new(Buckets { folder: folder.to_owned(), files });
    builder.set_auth(SimpleAuth::from_single(S3Server::ACCESS_KEY, S3Server::SECRET_KEY));
    builder.set_access(Guard(access));
    Ok(builder.build())
}

struct Guard(Access);

#[async_trait]
impl S3Access for Guard {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        match (self.0, context.credentials()) {
            (Access::Public, _) | (Access::Signed, Some(_)) => Ok(()),
            (Access::Signed, None) => Err(s3_error!(AccessDenied, "Signature is required")),
        }
    }
}

/// Listings are those of `s3s-fs`. Its reads hash the whole object for each request and know no conditions, so reads are
/// made here.
#[derive(Debug)]
struct Buckets {
    folder: PathBuf,
    files: FileSystem,
}

/// An open object and what is known of it.
struct Object {
    file: tokio::fs::File,
    length: u64,
    tag: ETag,
    modified: Timestamp,
}

impl Buckets {
    async fn object(
        &self,
        bucket: &str,
        key: &str,
        if_match: Option<&ETagCondition>,
    ) -> S3Result<Object> {
        let bucket = self.folder.join(bucket);
        if !bucket.is_dir() {
            return Err(s3_error!(NoSuchBucket));
        }
        if !Path::new(key).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(s3_error!(NoSuchKey));
        }
        let path = bucket.join(key);
        if !path.is_file() {
            return Err(s3_error!(NoSuchKey));
        }
        let file =
            tokio::fs::File::open(path).await.map_err(|error| s3_error!(error, InternalError))?;
        let metadata = file.metadata().await.map_err(|error| s3_error!(error, InternalError))?;
        let modified = metadata.modified().map_err(|error| s3_error!(error, InternalError))?;
        let tag = ETag::Strong(tag_of(metadata.len(), modified).trim_matches('"').to_owned());
        if let Some(ETagCondition::ETag(wanted)) = if_match
            && *wanted != tag
        {
            return Err(s3_error!(PreconditionFailed));
        }
        Ok(Object { file, length: metadata.len(), tag, modified: modified.into() })
    }
}

#[async_trait]
impl S3 for Buckets {
    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let GetObjectInput { bucket, key, if_match, range, .. } = request.input;
        let mut object = self.object(&bucket, &key, if_match.as_ref()).await?;
        let (part, content_range) = match range {
            None => (0..object.length, None),
            Some(range) => {
                let part = range.check(object.length)?;
                let text = format!("bytes {}-{}/{}", part.start, part.end - 1, object.length);
                (part, Some(text))
            }
        };
        let length = part.end - part.start;
        let read = async {
            object.file.seek(io::SeekFrom::Start(part.start)).await?;
            let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
            object.file.read_exact(&mut bytes).await?;
            Ok::<_, io::Error>(Bytes::from(bytes))
        };
        let bytes = read.await.map_err(|error| s3_error!(error, InternalError))?;
        let output = GetObjectOutput {
            body: Some(StreamingBlob::wrap(futures::stream::iter([Ok::<_, io::Error>(bytes)]))),
            content_length: i64::try_from(length).ok(),
            content_range,
            e_tag: Some(object.tag),
            last_modified: Some(object.modified),
            ..GetObjectOutput::default()
        };
        Ok(S3Response::new(output))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let HeadObjectInput { bucket, key, if_match, .. } = request.input;
        let object = self.object(&bucket, &key, if_match.as_ref()).await?;
        let output = HeadObjectOutput {
            content_length: i64::try_from(object.length).ok(),
            e_tag: Some(object.tag),
            last_modified: Some(object.modified),
            ..HeadObjectOutput::default()
        };
        Ok(S3Response::new(output))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.files.list_objects_v2(request).await
    }
}
