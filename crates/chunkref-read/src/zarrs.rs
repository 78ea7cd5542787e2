// SPDX-License-Identifier: MIT OR Apache-2.0
//! A [`ReferenceStore`] of Zarr v3 as storage of the `zarrs` crate, with the codecs that references name.
//!
//! The store must be one of [`ZarrVersion::V3`](crate::ZarrVersion): version 2 keeps filters where zarrs takes codecs from
//! array to array only.

use std::borrow::Cow;
use std::fmt::{self, Debug};
use std::sync::{Arc, Once};

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{CodecEntry, Codecs, DecodeContext, LengthChange};
use chunkref_model::Codec as Described;
use futures::executor::block_on;
use futures::{StreamExt, stream};
use zarrs::array::codec::api::{
    ArrayBytesRaw, BytesRepresentation, BytesToBytesCodecTraits, Codec, CodecError,
    CodecMetadataOptions, CodecOptions, CodecRuntimePluginV3, CodecTraits,
    PartialDecoderCapability, PartialEncoderCapability, RecommendedConcurrency, register_codec_v3,
};
use zarrs::metadata::Configuration;
use zarrs::metadata::v3::MetadataV3;
use zarrs::plugin::{ExtensionName, PluginCreateError, ZarrVersion as Version};
use zarrs::storage::byte_range::{ByteRange, ByteRangeIterator};
use zarrs::storage::{
    AsyncListableStorageTraits, AsyncMaybeBytesIterator, AsyncReadableStorageTraits,
    ListableStorageTraits, MaybeBytes, MaybeBytesIterator, ReadableStorageTraits, StorageError,
    StoreKey, StoreKeys, StoreKeysPrefixes, StorePrefix,
};

use crate::{Part, ReadError, ReferenceStore};

/// Most bytes that come out of a codec that is not told how many there are.
const MOST_BYTES: u64 = 1 << 30;

/// Registers every codec that is linked in as a codec of zarrs, under the names that our documents of version 3 give
/// it. [`ReferenceStore::into_zarrs`] does it too.
pub fn register_codecs() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        register_codec_v3(CodecRuntimePluginV3::new(
            // Of codecs that cannot be told apart, the error is for those that are of nobody else.
            |name| match Codecs::linked() {
                Ok(codecs) => codecs.by_zarr_v3_name(name).is_some(),
                Err(_) => name.starts_with("numcodecs."),
            },
            |metadata| {
                Codecs::linked().map_err(|error| PluginCreateError::Other(error.to_string()))?;
                let unknown =
                    || PluginCreateError::Other(format!("no decoder of {}", metadata.name()));
                Ok(Codec::BytesToBytes(Arc::new(Decoder::new(metadata).ok_or_else(unknown)?)))
            },
        ));
    });
}

fn entry(name: &str) -> Option<&'static CodecEntry> {
    Codecs::linked().ok()?.by_zarr_v3_name(name)
}

impl ReferenceStore {
    /// The store for zarrs, whose codecs are registered with it.
    #[must_use]
    pub fn into_zarrs(self) -> Arc<Self> {
        register_codecs();
        Arc::new(self)
    }
}

/// A codec that undoes, and does not encode.
struct Decoder {
    name: String,
    entry: &'static CodecEntry,
    described: Described,
    configuration: Configuration,
}

impl Decoder {
    fn new(metadata: &MetadataV3) -> Option<Self> {
        let entry = entry(metadata.name())?;
        let configuration = metadata.configuration().cloned().unwrap_or_default();
        let described = configuration
            .iter()
            .fold(Described::new(entry.name), |codec, (key, value)| codec.with(key, value.clone()));
        Some(Self { name: metadata.name().to_owned(), entry, described, configuration })
    }
}

impl Debug for Decoder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Decoder").field(&self.described).finish()
    }
}

impl ExtensionName for Decoder {
    fn name(&self, _version: Version) -> Option<Cow<'static, str>> {
        Some(self.name.clone().into())
    }
}

impl CodecTraits for Decoder {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn configuration(&self, _: Version, _: &CodecMetadataOptions) -> Option<Configuration> {
        Some(self.configuration.clone())
    }

    fn partial_decoder_capability(&self) -> PartialDecoderCapability {
        PartialDecoderCapability { partial_read: false, partial_decode: false }
    }

    fn partial_encoder_capability(&self) -> PartialEncoderCapability {
        PartialEncoderCapability { partial_encode: false }
    }
}

#[async_trait]
impl BytesToBytesCodecTraits for Decoder {
    fn into_dyn(self: Arc<Self>) -> Arc<dyn BytesToBytesCodecTraits> {
        self
    }

    fn recommended_concurrency(
        &self,
        _: &BytesRepresentation,
    ) -> Result<RecommendedConcurrency, CodecError> {
        Ok(RecommendedConcurrency::new_maximum(1))
    }

    fn encoded_representation(&self, decoded: &BytesRepresentation) -> BytesRepresentation {
        match (self.entry.length, decoded.size()) {
            (LengthChange::None, _) => *decoded,
            (LengthChange::Longer(more), Some(size)) => {
                BytesRepresentation::BoundedSize(size.saturating_add(more.into()))
            }
            _ => BytesRepresentation::UnboundedSize,
        }
    }

    fn encode<'a>(
        &self,
        _: ArrayBytesRaw<'a>,
        _: &CodecOptions,
    ) -> Result<ArrayBytesRaw<'a>, CodecError> {
        Err(CodecError::Other(format!("{} is for reading only", self.name)))
    }

    fn decode<'a>(
        &self,
        encoded: ArrayBytesRaw<'a>,
        decoded: &BytesRepresentation,
        _: &CodecOptions,
    ) -> Result<ArrayBytesRaw<'a>, CodecError> {
        let most = usize::try_from(decoded.size().unwrap_or(MOST_BYTES)).unwrap_or(usize::MAX);
        let stored = Bytes::from(encoded.into_owned());
        let context = DecodeContext::up_to(most);
        let decoded = self.entry.decode(&self.described, &stored, &context);
        let decoded =
            decoded.map_err(|error| CodecError::Other(format!("{}: {error}", self.name)))?;
        Ok(Cow::Owned(decoded.into()))
    }
}

fn part(range: ByteRange) -> Part {
    match range {
        ByteRange::FromStart(start, Some(length)) => {
            Part::Range(start..start.saturating_add(length))
        }
        ByteRange::FromStart(start, None) => Part::From(start),
        ByteRange::Suffix(length) => Part::Last(length),
    }
}

/// With all causes, of which zarrs keeps the text only.
fn fault(error: &ReadError) -> StorageError {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    StorageError::Other(text)
}

#[async_trait]
impl AsyncReadableStorageTraits for ReferenceStore {
    async fn get_partial_many<'a>(
        &'a self,
        key: &StoreKey,
        ranges: ByteRangeIterator<'a>,
    ) -> Result<AsyncMaybeBytesIterator<'a>, StorageError> {
        let mut parts = Vec::new();
        for range in ranges {
            match self.get(key.as_str(), &part(range)).await {
                Ok(Some(bytes)) => parts.push(Ok(bytes)),
                Ok(None) => return Ok(None),
                Err(error) => return Err(fault(&error)),
            }
        }
        Ok(Some(stream::iter(parts).boxed()))
    }

    async fn get_partial<'a>(
        &'a self,
        key: &StoreKey,
        range: ByteRange,
    ) -> Result<MaybeBytes, StorageError> {
        self.get(key.as_str(), &part(range)).await.map_err(|error| fault(&error))
    }

    async fn size_key(&self, key: &StoreKey) -> Result<Option<u64>, StorageError> {
        self.size(key.as_str()).await.map_err(|error| fault(&error))
    }

    fn supports_get_partial(&self) -> bool {
        true
    }
}

#[async_trait]
impl AsyncListableStorageTraits for ReferenceStore {
    async fn list(&self) -> Result<StoreKeys, StorageError> {
        AsyncListableStorageTraits::list_prefix(self, &StorePrefix::root()).await
    }

    async fn list_prefix(&self, prefix: &StorePrefix) -> Result<StoreKeys, StorageError> {
        let keys =
            ReferenceStore::list(self, prefix.as_str()).await.map_err(|error| fault(&error))?;
        keys.into_iter().map(|key| Ok(StoreKey::new(key)?)).collect()
    }

    async fn list_dir(&self, prefix: &StorePrefix) -> Result<StoreKeysPrefixes, StorageError> {
        let names = self.list_folder(prefix.as_str()).await.map_err(|error| fault(&error))?;
        let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
        for name in names {
            let name = format!("{}{name}", prefix.as_str());
            if name.ends_with('/') {
                prefixes.push(StorePrefix::new(name)?);
            } else {
                keys.push(StoreKey::new(name)?);
            }
        }
        Ok(StoreKeysPrefixes::new(keys, prefixes))
    }

    async fn size_prefix(&self, prefix: &StorePrefix) -> Result<u64, StorageError> {
        let mut sum = 0_u64;
        for key in AsyncListableStorageTraits::list_prefix(self, prefix).await? {
            let size = AsyncReadableStorageTraits::size_key(self, &key).await?;
            sum = sum.saturating_add(size.unwrap_or_default());
        }
        Ok(sum)
    }
}

/// Waits on the calling thread; requests are made on threads of their own.
impl ReadableStorageTraits for ReferenceStore {
    fn get_partial_many<'a>(
        &'a self,
        key: &StoreKey,
        ranges: ByteRangeIterator<'a>,
    ) -> Result<MaybeBytesIterator<'a>, StorageError> {
        let mut parts = Vec::new();
        for range in ranges {
            match ReadableStorageTraits::get_partial(self, key, range)? {
                Some(bytes) => parts.push(Ok(bytes)),
                None => return Ok(None),
            }
        }
        Ok(Some(Box::new(parts.into_iter())))
    }

    fn get_partial(&self, key: &StoreKey, range: ByteRange) -> Result<MaybeBytes, StorageError> {
        block_on(AsyncReadableStorageTraits::get_partial(self, key, range))
    }

    fn size_key(&self, key: &StoreKey) -> Result<Option<u64>, StorageError> {
        block_on(AsyncReadableStorageTraits::size_key(self, key))
    }

    fn supports_get_partial(&self) -> bool {
        true
    }
}

impl ListableStorageTraits for ReferenceStore {
    fn list(&self) -> Result<StoreKeys, StorageError> {
        block_on(AsyncListableStorageTraits::list(self))
    }

    fn list_prefix(&self, prefix: &StorePrefix) -> Result<StoreKeys, StorageError> {
        block_on(AsyncListableStorageTraits::list_prefix(self, prefix))
    }

    fn list_dir(&self, prefix: &StorePrefix) -> Result<StoreKeysPrefixes, StorageError> {
        block_on(AsyncListableStorageTraits::list_dir(self, prefix))
    }

    fn size_prefix(&self, prefix: &StorePrefix) -> Result<u64, StorageError> {
        block_on(AsyncListableStorageTraits::size_prefix(self, prefix))
    }
}
