// SPDX-License-Identifier: MIT OR Apache-2.0
//! Codecs of stored chunks: what is known of each, how it is undone, and which ones are linked in.
//!
//! A crate that has a codec submits a [`CodecEntry`], as a format submits its [`ScannerEntry`](crate::ScannerEntry);
//! whoever reads chunks finds it in [`Codecs`] by its name.

use std::borrow::Cow;
use std::sync::OnceLock;

use bytes::Bytes;
use chunkref_model::{AttributeValue, Attributes, Codec};
use thiserror::Error;

use crate::{Cancellation, Cancelled};

/// Undoes a codec on the bytes of one chunk. See the contract of [`CodecEntry`].
pub type Decode = fn(&Codec, &Bytes, &DecodeContext<'_>) -> Result<Bytes, DecodeError>;

/// Applies a codec to the bytes of one chunk.
pub type Encode = fn(&Codec, &Bytes) -> Result<Bytes, EncodeError>;

/// The codec with the settings that an HDF5 filter's client data (`cd_values`) say; the error says what is wrong with them.
pub type Hdf5Settings = fn(&[u32]) -> Result<Codec, String>;

/// What decoding one chunk may cost, and when it is to end.
#[derive(Debug, Clone, Copy)]
pub struct DecodeContext<'a> {
    max_bytes: usize,
    cancellation: &'a Cancellation,
}

impl<'a> DecodeContext<'a> {
    /// Decoding of which at most `max_bytes` bytes come out, and which `cancellation` ends.
    #[must_use]
    pub const fn new(max_bytes: usize, cancellation: &'a Cancellation) -> Self {
        Self { max_bytes, cancellation }
    }

    /// The most bytes that may come out. More than that are damage.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// When decoding ends before it is done.
    #[must_use]
    pub const fn cancellation(&self) -> &'a Cancellation {
        self.cancellation
    }

    /// The same for a part of the work, of which at most `max_bytes` bytes come out.
    #[must_use]
    pub const fn with_max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }
}

impl DecodeContext<'static> {
    /// Decoding that nothing ends, of which at most `max_bytes` bytes come out.
    #[must_use]
    pub const fn up_to(max_bytes: usize) -> Self {
        static NEVER: Cancellation = Cancellation::never();
        Self::new(max_bytes, &NEVER)
    }
}

/// A chunk could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes are not what the codec makes.
    #[error("{0}")]
    Damaged(String),
    /// The bytes may be fine: the decoder does not cover them, or there is none.
    #[error("{0}")]
    Unsupported(String),
    /// Decoding was ended from outside, which says nothing of the bytes.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl DecodeError {
    /// Bytes that are not what the codec makes.
    pub fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged(reason.into())
    }

    /// Bytes that are not covered.
    pub fn unsupported(reason: impl Into<String>) -> Self {
        Self::Unsupported(reason.into())
    }
}

/// A codec cannot encode these bytes, or not with these settings.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct EncodeError(pub String);

/// What a codec works on, in the terms of Zarr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecInput {
    /// Bytes: what the data type of the array is does not matter.
    Bytes,
    /// Elements of the array: the codec changes their type or their values.
    Elements,
}

/// How long what a codec makes is, compared with what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LengthChange {
    /// As long.
    None,
    /// Longer by this many bytes, such as those of a checksum.
    Longer(u32),
    /// It depends on the data.
    Varies,
}

/// A codec: what is known of it, and what it does.
///
/// # Contract
/// [`decode`](Self::decode) gives a result or an error for any bytes: never a panic, never more than
/// [`DecodeContext::max_bytes`] bytes unless the codec only moves bytes or takes some off, and never more memory than in
/// proportion to that and to the stored bytes. Every loop whose length the data decide asks the context's cancellation,
/// at least at every 64 KiB of output or every 4096 steps; a call of a library that cannot be interrupted is an exception
/// that the codec's documentation states. Once the cancellation has failed, the outcome is [`DecodeError::Cancelled`].
/// What [`encode`](Self::encode) makes is decoded to the same bytes, and lengths change as [`CodecEntry::length`] says.
/// Settings come from files: any of them give a result or an error too. `chunkref_testkit::conformance::codec` checks all of
/// it but the memory.
///
/// # Example
/// A codec that adds one to every byte:
///
/// ```
/// use bytes::Bytes;
/// use chunkref_core::model::Codec;
/// use chunkref_core::{
///     CodecEntry, Codecs, DecodeContext, DecodeError, EncodeError, LengthChange, inventory,
/// };
///
/// fn decode(_: &Codec, stored: &Bytes, context: &DecodeContext<'_>) -> Result<Bytes, DecodeError> {
///     let mut plain = stored.to_vec();
///     for piece in plain.chunks_mut(1 << 16) {
///         context.cancellation().check()?;
///         piece.iter_mut().for_each(|byte| *byte = byte.wrapping_sub(1));
///     }
///     Ok(plain.into())
/// }
///
/// fn encode(_: &Codec, plain: &Bytes) -> Result<Bytes, EncodeError> {
///     Ok(plain.iter().map(|byte| byte.wrapping_add(1)).collect())
/// }
///
/// inventory::submit! {
///     CodecEntry::new("increment", decode).with_length(LengthChange::None).with_encode(encode)
/// }
///
/// let entry = Codecs::linked().unwrap().by_name("increment").unwrap();
/// let context = DecodeContext::up_to(3);
/// let plain = entry.decode(&Codec::new("increment"), &Bytes::from_static(b"bcd"), &context);
/// assert_eq!(plain.unwrap(), "abc");
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CodecEntry {
    /// Its name in numcodecs and in Zarr v2 metadata.
    pub name: &'static str,
    /// Its name in Zarr v3 metadata, where it is not `numcodecs.` and the name above: the same bytes and settings.
    pub zarr_v3: Option<&'static str>,
    /// The identifier of the HDF5 filter that makes the same bytes. A scan takes the codec for chunks of that filter, unless it
    /// has a translation of its own, where [`CodecEntry::hdf5_settings`] says how the filter's client data become settings;
    /// where nothing does, the array is skipped with a reason that names the codec.
    pub hdf5_filter: Option<u16>,
    /// How the client data of that filter become settings.
    pub hdf5_settings: Option<Hdf5Settings>,
    /// What it works on.
    pub input: CodecInput,
    /// How it changes lengths.
    pub length: LengthChange,
    /// Whether a chunk is a message of its own, which other references may read parts of: its fields, its coordinates.
    pub is_message: bool,
    /// Names of settings that matter only when a chunk is encoded, such as how hard it is compressed: decoding looks at none
    /// of them, so that chunks that differ in these alone are read alike.
    pub encoder_settings: &'static [&'static str],
    /// The name of an attribute of arrays. Arrays that have it, one codec with the same settings and one shape have the same
    /// values where the attribute is the same, and other values where it is not, whatever else their chunks hold.
    pub identity: Option<&'static str>,
    decode: Decode,
    encode: Option<Encode>,
}

inventory::collect!(CodecEntry);

impl CodecEntry {
    /// A codec on bytes whose lengths vary, that is called `name` in numcodecs and has no other name.
    #[must_use]
    pub const fn new(name: &'static str, decode: Decode) -> Self {
        Self {
            name,
            zarr_v3: None,
            hdf5_filter: None,
            hdf5_settings: None,
            input: CodecInput::Bytes,
            length: LengthChange::Varies,
            is_message: false,
            encoder_settings: &[],
            identity: None,
            decode,
            encode: None,
        }
    }

    /// The same with a name of its own in Zarr v3.
    #[must_use]
    pub const fn with_zarr_v3(self, name: &'static str) -> Self {
        Self { zarr_v3: Some(name), ..self }
    }

    /// The same with the identifier of an HDF5 filter.
    #[must_use]
    pub const fn with_hdf5_filter(self, id: u16) -> Self {
        Self { hdf5_filter: Some(id), ..self }
    }

    /// The same with what the client data of its HDF5 filter become, so that files with the filter are scanned without more.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use chunkref_core::model::Codec;
    /// use chunkref_core::{CodecEntry, DecodeContext, DecodeError};
    ///
    /// fn decode(_: &Codec, stored: &Bytes, _: &DecodeContext<'_>) -> Result<Bytes, DecodeError> {
    ///     Ok(stored.clone())
    /// }
    ///
    /// const ENTRY: CodecEntry = CodecEntry::new("my-xor", decode)
    ///     .with_hdf5_filter(40000)
    ///     .with_hdf5_settings(|values| match values {
    ///         [key @ 0..=255] => Ok(Codec::new("my-xor").with("key", *key)),
    ///         other => Err(format!("{} values where one key must be", other.len())),
    ///     });
    /// let settings = ENTRY.hdf5_settings.unwrap();
    /// assert_eq!(settings(&[90]), Ok(Codec::new("my-xor").with("key", 90)));
    /// assert!(settings(&[]).is_err());
    /// ```
    #[must_use]
    pub const fn with_hdf5_settings(self, settings: Hdf5Settings) -> Self {
        Self { hdf5_settings: Some(settings), ..self }
    }

    /// The same, working on `input`.
    #[must_use]
    pub const fn with_input(self, input: CodecInput) -> Self {
        Self { input, ..self }
    }

    /// The same, changing lengths so.
    #[must_use]
    pub const fn with_length(self, length: LengthChange) -> Self {
        Self { length, ..self }
    }

    /// The same, whose chunks are messages of their own.
    #[must_use]
    pub const fn with_messages(self) -> Self {
        Self { is_message: true, ..self }
    }

    /// The same with settings that decoding does not look at.
    #[must_use]
    pub const fn with_encoder_settings(self, names: &'static [&'static str]) -> Self {
        Self { encoder_settings: names, ..self }
    }

    /// The same for arrays of which an attribute tells which values they have.
    ///
    /// A codec that decodes the grid of a message, whose digest is an attribute: messages of the same grid need not be read to
    /// know that they give the same coordinates.
    #[must_use]
    pub const fn with_identity(self, attribute: &'static str) -> Self {
        Self { identity: Some(attribute), ..self }
    }

    /// The same with an encoder.
    #[must_use]
    pub const fn with_encode(self, encode: Encode) -> Self {
        Self { encode: Some(encode), ..self }
    }

    /// Undoes the codec, whose settings are in `codec`, on the `stored` bytes of one chunk.
    ///
    /// # Errors
    /// What is wrong with the bytes or the settings, or that the work was ended.
    pub fn decode(
        &self,
        codec: &Codec,
        stored: &Bytes,
        context: &DecodeContext<'_>,
    ) -> Result<Bytes, DecodeError> {
        context.cancellation.check()?;
        (self.decode)(codec, stored, context)
    }

    /// Its name in Zarr v3 metadata: its own, or `numcodecs.` and the name in numcodecs.
    #[must_use]
    pub fn zarr_v3_name(&self) -> Cow<'static, str> {
        self.zarr_v3.map_or_else(|| format!("numcodecs.{}", self.name).into(), Cow::Borrowed)
    }

    /// Whether there is an encoder.
    #[must_use]
    pub const fn encodes(&self) -> bool {
        self.encode.is_some()
    }

    /// Applies the codec to the bytes of one chunk; `None` when there is no encoder.
    pub fn encode(&self, codec: &Codec, plain: &Bytes) -> Option<Result<Bytes, EncodeError>> {
        self.encode.map(|encode| encode(codec, plain))
    }
}

/// Codecs that cannot be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CodecsError {
    /// Two entries of one name.
    #[error(
        "two codecs are registered under the name {name:?}: link only one of the crates that submit it"
    )]
    DuplicateName {
        /// The name, in numcodecs or in Zarr v3.
        name: &'static str,
    },
    /// Two entries of one HDF5 filter.
    #[error(
        "the codecs {first:?} and {second:?} are registered for HDF5 filter {id}: link only one of the crates that submit them"
    )]
    DuplicateFilter {
        /// The identifier of the filter.
        id: u16,
        /// The codecs' names in numcodecs.
        first: &'static str,
        /// The second of them.
        second: &'static str,
    },
}

/// A set of codecs, sorted by name, in which no name stands for two.
#[derive(Debug, Clone)]
pub struct Codecs {
    entries: Vec<CodecEntry>,
}

impl Codecs {
    /// All codecs that crates linked into this binary have submitted. A crate that nobody names is not linked.
    ///
    /// # Errors
    /// [`CodecsError`] when two of them share a name or a filter.
    pub fn linked() -> Result<&'static Self, CodecsError> {
        static LINKED: OnceLock<Result<Codecs, CodecsError>> = OnceLock::new();
        let linked = || Self::from_entries(inventory::iter::<CodecEntry>.into_iter().copied());
        LINKED.get_or_init(linked).as_ref().map_err(|error| *error)
    }

    /// Just these codecs.
    ///
    /// # Errors
    /// [`CodecsError`] when two of them share a name or a filter.
    pub fn from_entries(
        entries: impl IntoIterator<Item = CodecEntry>,
    ) -> Result<Self, CodecsError> {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by_key(|entry| entry.name);
        if let Some([first, _]) = alike(&entries, |entry| Some(entry.name)) {
            return Err(CodecsError::DuplicateName { name: first.name });
        }
        if let Some([CodecEntry { zarr_v3: Some(name), .. }, _]) =
            alike(&entries, |entry| entry.zarr_v3)
        {
            return Err(CodecsError::DuplicateName { name });
        }
        if let Some([first @ CodecEntry { hdf5_filter: Some(id), .. }, second]) =
            alike(&entries, |entry| entry.hdf5_filter)
        {
            let (first, second) = (first.name, second.name);
            return Err(CodecsError::DuplicateFilter { id, first, second });
        }
        Ok(Self { entries })
    }

    /// The codecs in the order of their names.
    #[must_use]
    pub fn entries(&self) -> &[CodecEntry] {
        &self.entries
    }

    /// The codec of this name in numcodecs, which is its name in Zarr v2 metadata.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&CodecEntry> {
        let place = self.entries.binary_search_by_key(&name, |entry| entry.name).ok()?;
        self.entries.get(place)
    }

    /// The codec that undoes the HDF5 filter of this identifier.
    #[must_use]
    pub fn by_hdf5_filter(&self, id: u16) -> Option<&CodecEntry> {
        self.entries.iter().find(|entry| entry.hdf5_filter == Some(id))
    }

    /// What of a codec decoding looks at: without the settings that matter only when a chunk is encoded. Of a codec that is
    /// not here, all of them.
    #[must_use]
    pub fn for_decoding(&self, codec: &Codec) -> Codec {
        let settings = self.by_name(codec.name()).map_or(&[][..], |entry| entry.encoder_settings);
        settings.iter().fold(codec.clone(), |codec, name| codec.without(name))
    }

    /// What tells which values an array has, where it says so: see [`CodecEntry::identity`].
    #[must_use]
    pub fn identity<'a>(
        &self,
        codecs: &[Codec],
        attributes: &'a Attributes,
    ) -> Option<&'a AttributeValue> {
        let [codec] = codecs else { return None };
        attributes.get(self.by_name(codec.name())?.identity?)
    }

    /// The codec of this name in Zarr v3 metadata: its own, or `numcodecs.` and the name in numcodecs.
    #[must_use]
    pub fn by_zarr_v3_name(&self, name: &str) -> Option<&CodecEntry> {
        match name.strip_prefix("numcodecs.") {
            Some(name) => self.by_name(name),
            None => self.entries.iter().find(|entry| entry.zarr_v3 == Some(name)),
        }
    }
}

/// The first two entries of which something is the same.
fn alike<K: Ord>(
    entries: &[CodecEntry],
    key: impl Fn(&CodecEntry) -> Option<K>,
) -> Option<[CodecEntry; 2]> {
    let mut known: Vec<_> = entries.iter().filter(|entry| key(entry).is_some()).collect();
    known.sort_by_key(|entry| key(entry));
    known.windows(2).find_map(|pair| match pair {
        [first, second] if key(first) == key(second) => Some([**first, **second]),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "the signature of a decoder")]
    fn nothing(_: &Codec, stored: &Bytes, _: &DecodeContext<'_>) -> Result<Bytes, DecodeError> {
        Ok(stored.clone())
    }

    #[test]
    fn codecs_are_found_by_each_of_their_names() {
        let gzip = CodecEntry::new("gzip", nothing).with_zarr_v3("gzip");
        let zlib = CodecEntry::new("zlib", nothing).with_hdf5_filter(1);
        let codecs = Codecs::from_entries([zlib, gzip]).unwrap();
        assert_eq!(
            codecs.entries().iter().map(|entry| entry.name).collect::<Vec<_>>(),
            ["gzip", "zlib"]
        );
        let v3 = |name| codecs.by_zarr_v3_name(name).map(|entry| entry.name);
        assert_eq!((v3("gzip"), v3("numcodecs.gzip")), (Some("gzip"), Some("gzip")));
        assert_eq!(
            (v3("zlib"), v3("numcodecs.zlib"), v3("numcodecs.x")),
            (None, Some("zlib"), None)
        );
        assert!(codecs.by_name("numcodecs.zlib").is_none());
        assert_eq!(codecs.by_hdf5_filter(1).map(|entry| entry.name), Some("zlib"));
        assert!(codecs.by_hdf5_filter(2).is_none());
        assert_eq!((&*gzip.zarr_v3_name(), &*zlib.zarr_v3_name()), ("gzip", "numcodecs.zlib"));
        assert!(!zlib.encodes());
        let packed = Codec::new("gzip").with("level", 4).with("other", 1);
        assert_eq!(codecs.for_decoding(&packed), packed);
        let codecs = Codecs::from_entries([gzip.with_encoder_settings(&["level"])]).unwrap();
        assert_eq!(codecs.for_decoding(&packed), Codec::new("gzip").with("other", 1));
        let unknown = Codec::new("zlib").with("level", 4);
        assert_eq!(codecs.for_decoding(&unknown), unknown);
    }

    #[test]
    fn arrays_tell_which_values_they_have() {
        let codecs = Codecs::from_entries([
            CodecEntry::new("a", nothing).with_identity("digest"),
            CodecEntry::new("b", nothing),
        ])
        .unwrap();
        let (a, b) = (Codec::new("a"), Codec::new("b"));
        let mut attributes = Attributes::new();
        assert_eq!(codecs.identity(std::slice::from_ref(&a), &attributes), None);
        attributes.insert("digest", "4a");
        let digest = AttributeValue::from("4a");
        assert_eq!(codecs.identity(std::slice::from_ref(&a), &attributes), Some(&digest));
        for other in [vec![], vec![b.clone()], vec![a.clone(), b], vec![Codec::new("c")]] {
            assert_eq!(codecs.identity(&other, &attributes), None);
        }
    }

    #[test]
    fn codecs_that_collide_are_refused() {
        let (a, b) = (CodecEntry::new("a", nothing), CodecEntry::new("b", nothing));
        let error = |entries: [CodecEntry; 2]| Codecs::from_entries(entries).unwrap_err();
        assert_eq!(error([b, b]), CodecsError::DuplicateName { name: "b" });
        assert!(error([b, b]).to_string().contains("link only one"));
        let v3 = [b.with_zarr_v3("c"), a.with_zarr_v3("c")];
        assert_eq!(error(v3), CodecsError::DuplicateName { name: "c" });
        let filters = [b.with_hdf5_filter(7), a.with_hdf5_filter(7)];
        let expected = CodecsError::DuplicateFilter { id: 7, first: "a", second: "b" };
        assert_eq!(error(filters), expected);
        assert!(Codecs::from_entries([a.with_hdf5_filter(7), b.with_hdf5_filter(8)]).is_ok());
    }

    #[test]
    fn an_ended_work_does_not_begin() {
        let ended = Cancellation::when(|| Some(Cancelled::Stopped));
        let context = DecodeContext::new(9, &ended);
        let entry = CodecEntry::new("a", nothing);
        let stored = Bytes::from_static(b"abc");
        let outcome = entry.decode(&Codec::new("a"), &stored, &context);
        assert_eq!(outcome, Err(DecodeError::Cancelled(Cancelled::Stopped)));
        assert_eq!(DecodeContext::up_to(9).with_max_bytes(3).max_bytes(), 3);
        let outcome = entry.decode(&Codec::new("a"), &stored, &DecodeContext::up_to(9));
        assert_eq!(outcome, Ok(stored.clone()));
        assert_eq!(entry.encode(&Codec::new("a"), &stored), None);
    }
}
