// SPDX-License-Identifier: MIT OR Apache-2.0
//! The contract of [`CodecEntry`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use chunkref_core::{
    Cancellation, Cancelled, CodecEntry, DecodeContext, DecodeError, LengthChange,
};
use chunkref_model::Codec;
use serde_json::{Value, json};

use super::{Violation, require};

/// What a codec has to undo.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CodecSample {
    /// What it is, for messages.
    pub name: &'static str,
    /// The codec with its settings.
    pub codec: Codec,
    /// The bytes of a chunk.
    pub plain: Bytes,
    /// The same bytes encoded, by the library that the codec comes from if there is one; `None` when the entry encodes them.
    pub stored: Option<Bytes>,
    /// Whether decoding them is one call of a library that nothing ends, as the documentation of the codec has to state: it
    /// need not ask in between then.
    pub is_one_call: bool,
}

impl CodecSample {
    /// Bytes that the entry itself encodes.
    #[must_use]
    pub fn new(name: &'static str, codec: Codec, plain: impl Into<Bytes>) -> Self {
        Self { name, codec, plain: plain.into(), stored: None, is_one_call: false }
    }

    /// The same with the bytes that they are encoded as.
    #[must_use]
    pub fn with_stored(self, stored: impl Into<Bytes>) -> Self {
        Self { stored: Some(stored.into()), ..self }
    }

    /// The same, decoded by one call of a library that nothing ends.
    #[must_use]
    pub fn with_one_call(self) -> Self {
        Self { is_one_call: true, ..self }
    }
}

/// Bytes of a chunk that says something about how often a codec asks whether it is still wanted.
const LONG: usize = 256 << 10;
/// Bytes of output between two such questions, at the most.
const BETWEEN: usize = 64 << 10;
/// Bytes of a sample that are cut and changed one after the other; of a longer one, as many places of it.
const PLACES: usize = 256;

/// Checks a codec on samples, of which one has 256 KiB or more. An encoder that loses part of its input has no place in an
/// entry, and is not checked here.
///
/// # Errors
/// The first clause that it breaks.
pub fn codec(entry: &CodecEntry, samples: &[CodecSample]) -> Result<(), Violation> {
    stated(entry)?;
    let long = samples.iter().any(|sample| sample.plain.len() >= LONG);
    require(long, "the suite has a sample of 256 KiB", || format!("{} samples", samples.len()))?;
    for sample in samples {
        for stored in stored_of(entry, sample)? {
            undone(entry, sample, &stored)?;
            bounded(entry, sample, &stored)?;
            any_bytes(entry, sample, &stored)?;
            any_settings(entry, sample, &stored)?;
            ended(entry, sample, &stored)?;
        }
    }
    Ok(())
}

/// What the entry says of itself.
fn stated(entry: &CodecEntry) -> Result<(), Violation> {
    let plain = |name: &str| !name.is_empty() && !name.chars().any(char::is_whitespace);
    require(
        plain(entry.name) && entry.zarr_v3.is_none_or(plain),
        "names are not empty and have no spaces",
        || format!("{:?}, {:?}", entry.name, entry.zarr_v3),
    )?;
    let prefixed = [Some(entry.name), entry.zarr_v3].into_iter().flatten();
    let prefixed = prefixed.into_iter().find(|name| name.starts_with("numcodecs."));
    require(prefixed.is_none(), "names are without \"numcodecs.\"", || format!("{prefixed:?}"))
}

/// The stored forms of a sample: of the entry's encoder, and the one that is given.
fn stored_of(entry: &CodecEntry, sample: &CodecSample) -> Result<Vec<Bytes>, Violation> {
    let clause = "what can be encoded is encoded";
    let mut stored: Vec<Bytes> = sample.stored.iter().cloned().collect();
    match entry.encode(&sample.codec, &sample.plain) {
        Some(Ok(bytes)) => {
            length(entry, sample, &bytes)?;
            stored.push(bytes);
        }
        Some(Err(error)) => {
            return Err(Violation { clause, detail: format!("{}: {error}", sample.name) });
        }
        None => {}
    }
    require(!stored.is_empty(), "a sample has stored bytes where there is no encoder", || {
        sample.name.to_owned()
    })?;
    Ok(stored)
}

/// Lengths change as the entry says.
fn length(entry: &CodecEntry, sample: &CodecSample, stored: &Bytes) -> Result<(), Violation> {
    let more = match entry.length {
        LengthChange::None => 0,
        LengthChange::Longer(more) => usize::try_from(more).unwrap_or(usize::MAX),
        _ => return Ok(()),
    };
    require(
        stored.len() == sample.plain.len().saturating_add(more),
        "lengths change as the entry says",
        || {
            format!(
                "{}: {:?}, and {} bytes become {}",
                sample.name,
                entry.length,
                sample.plain.len(),
                stored.len()
            )
        },
    )
}

fn undone(entry: &CodecEntry, sample: &CodecSample, stored: &Bytes) -> Result<(), Violation> {
    length(entry, sample, stored)?;
    let context = DecodeContext::up_to(sample.plain.len());
    let outcome = entry.decode(&sample.codec, stored, &context);
    require(outcome.as_ref() == Ok(&sample.plain), "what was encoded is decoded", || match &outcome
    {
        Ok(plain) => {
            let same = plain.iter().zip(&sample.plain).take_while(|(one, two)| one == two);
            let (found, wanted) = (plain.len(), sample.plain.len());
            format!("{}: {found} bytes of {wanted}, {} the same", sample.name, same.count())
        }
        Err(error) => format!("{}: {error}", sample.name),
    })
}

/// No more bytes come out than are allowed.
fn bounded(entry: &CodecEntry, sample: &CodecSample, stored: &Bytes) -> Result<(), Violation> {
    let whole = sample.plain.len();
    for most in [0, 1, whole / 2, whole.saturating_sub(1)] {
        if most < whole {
            tried(entry, &sample.codec, stored, most, sample.name)?;
        }
    }
    Ok(())
}

/// Bytes that no encoder made: cut off, changed, and of chance.
fn any_bytes(entry: &CodecEntry, sample: &CodecSample, stored: &Bytes) -> Result<(), Violation> {
    let most = sample.plain.len();
    // Of a long sample, what is changed is its beginning, where the headers are; short ones are changed all over.
    let head = stored.slice(..stored.len().min(BETWEEN));
    let (all_over, at_start) = if stored.len() > head.len() { (4, 16) } else { (PLACES, 64) };
    let step = head.len().div_ceil(all_over).max(1);
    for place in (0..head.len()).step_by(step).chain(0..head.len().min(at_start)) {
        tried(entry, &sample.codec, &head.slice(..place), most, sample.name)?;
        for change in [1_u8, 0x80, 0xff] {
            let mut changed = head.to_vec();
            if let Some(byte) = changed.get_mut(place) {
                *byte ^= change;
            }
            tried(entry, &sample.codec, &changed.into(), most, sample.name)?;
        }
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for length in 0..PLACES {
        let bytes = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_be_bytes()[0]
        });
        tried(entry, &sample.codec, &bytes.take(length).collect(), most, sample.name)?;
        let zeros = vec![0; length];
        tried(entry, &sample.codec, &zeros.into(), most, sample.name)?;
    }
    Ok(())
}

/// Settings that are not there, of other types, and out of bounds: a file says them.
fn any_settings(entry: &CodecEntry, sample: &CodecSample, stored: &Bytes) -> Result<(), Violation> {
    let most = sample.plain.len();
    let stored = stored.slice(..stored.len().min(BETWEEN));
    let odd: [Value; 10] = [
        Value::Null,
        json!(""),
        json!("no such word"),
        json!(true),
        json!([]),
        json!({}),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(1e300),
    ];
    for name in sample.codec.configuration().keys() {
        let without = sample.codec.clone().without(name);
        tried(entry, &without, &stored, most, sample.name)?;
        for value in &odd {
            let codec = without.clone().with(name.as_str(), value.clone());
            tried(entry, &codec, &stored, most, sample.name)?;
            let plain = sample.plain.slice(..most.min(PLACES));
            let outcome = catch_unwind(AssertUnwindSafe(|| entry.encode(&codec, &plain)));
            require(outcome.is_ok(), NO_PANIC, || {
                format!("{}: encoding with {codec:?}", sample.name)
            })?;
        }
    }
    let bare = Codec::new(entry.name);
    tried(entry, &bare, &stored, most, sample.name)
}

const NO_PANIC: &str = "any bytes and settings give a result or an error";

/// Decodes: no panic, and no more bytes than are allowed unless the codec only moves bytes or takes some off.
fn tried(
    entry: &CodecEntry,
    codec: &Codec,
    stored: &Bytes,
    most: usize,
    sample: &str,
) -> Result<(), Violation> {
    let decode = || entry.decode(codec, stored, &DecodeContext::up_to(most));
    let outcome = catch_unwind(AssertUnwindSafe(decode));
    let seen = || format!("{sample}: {codec:?}, {} bytes {:02x?}", stored.len(), start(stored));
    let Ok(outcome) = outcome else {
        return Err(Violation { clause: NO_PANIC, detail: seen() });
    };
    let Ok(plain) = outcome else { return Ok(()) };
    let (most, clause) = match entry.length {
        LengthChange::None | LengthChange::Longer(_) => {
            (stored.len(), "a codec that only moves bytes makes no more of them")
        }
        _ => (most, "no more bytes come out than the context allows"),
    };
    require(plain.len() <= most, clause, || {
        format!("{}: {} bytes where {most} are allowed", seen(), plain.len())
    })
}

fn start(bytes: &Bytes) -> &[u8] {
    bytes.get(..bytes.len().min(16)).unwrap_or_default()
}

/// Decoding asks whether it is still wanted, often enough, and ends when it is not.
fn ended(entry: &CodecEntry, sample: &CodecSample, stored: &Bytes) -> Result<(), Violation> {
    let decode = |wanted: usize| {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let cancellation = Cancellation::when(move || {
            let over = count.fetch_add(1, Ordering::Relaxed) >= wanted;
            over.then_some(Cancelled::Stopped)
        });
        let context = DecodeContext::new(sample.plain.len(), &cancellation);
        let outcome = entry.decode(&sample.codec, stored, &context);
        (outcome, asked.load(Ordering::Relaxed))
    };
    let (_, asked) = decode(usize::MAX);
    // The entry asks before the codec begins; what gives back the very bytes that it got has no loop.
    let is_loop = !sample.is_one_call && *stored != sample.plain;
    let least = if is_loop { (sample.plain.len() / BETWEEN).max(1) } else { 1 };
    require(asked >= least, "decoding asks at every 64 KiB whether it is still wanted", || {
        let length = sample.plain.len();
        format!("{}: {asked} questions in {length} bytes, {least} at the least", sample.name)
    })?;
    for wanted in [0, 1, asked / 2, asked.saturating_sub(1)] {
        if wanted < asked {
            let (outcome, _) = decode(wanted);
            let is_ended = matches!(outcome, Err(DecodeError::Cancelled(_)));
            require(is_ended, "decoding that is not wanted any more ends as such", || {
                let outcome = outcome.map(|plain| plain.len());
                format!("{}, after {wanted} questions of {asked}: {outcome:?}", sample.name)
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chunkref_core::EncodeError;

    use super::*;

    /// Adds the setting `more` to every byte.
    fn decode(
        codec: &Codec,
        stored: &Bytes,
        context: &DecodeContext<'_>,
    ) -> Result<Bytes, DecodeError> {
        let mut plain = stored.to_vec();
        let more = more(codec).ok_or_else(|| DecodeError::unsupported("no more"))?;
        for piece in plain.chunks_mut(1 << 16) {
            context.cancellation().check()?;
            for byte in piece {
                *byte = byte.wrapping_sub(more);
            }
        }
        Ok(plain.into())
    }

    fn encode(codec: &Codec, plain: &Bytes) -> Result<Bytes, EncodeError> {
        let more = more(codec).ok_or_else(|| EncodeError("no more".to_owned()))?;
        Ok(plain.iter().map(|byte| byte.wrapping_add(more)).collect())
    }

    fn more(codec: &Codec) -> Option<u8> {
        u8::try_from(codec.configuration().get("more")?.as_u64()?).ok()
    }

    const ENTRY: CodecEntry =
        CodecEntry::new("more", decode).with_length(LengthChange::None).with_encode(encode);

    fn check(entry: &CodecEntry) -> Result<(), Violation> {
        let sample =
            |plain: Vec<u8>| CodecSample::new("bytes", Codec::new("more").with("more", 3), plain);
        codec(entry, &[sample(vec![7; LONG]), sample((0..200).collect()), sample(Vec::new())])
    }

    #[test]
    fn a_codec_that_keeps_its_contract_passes() {
        check(&ENTRY).unwrap();
        let varies = CodecEntry::new("more", |codec, stored, context| {
            if stored.len() > context.max_bytes() {
                return Err(DecodeError::damaged("too much"));
            }
            decode(codec, stored, context)
        });
        let plain = Bytes::from(vec![7; LONG]);
        let settings = Codec::new("more").with("more", 3);
        let sample = CodecSample::new("bytes", settings, plain).with_stored(vec![10; LONG]);
        codec(&varies, &[sample]).unwrap();
    }

    #[test]
    fn each_fault_is_found_by_its_clause() {
        let own = |decode| CodecEntry::new("more", decode).with_encode(encode);
        for (entry, clause) in [
            (CodecEntry::new("more or less", decode), "names are not empty and have no spaces"),
            (ENTRY.with_zarr_v3("numcodecs.more"), "names are without \"numcodecs.\""),
            (ENTRY.with_length(LengthChange::Longer(4)), "lengths change as the entry says"),
            (
                CodecEntry::new("more", decode),
                "a sample has stored bytes where there is no encoder",
            ),
            (
                ENTRY.with_encode(|_, _| Err(EncodeError("no".to_owned()))),
                "what can be encoded is encoded",
            ),
            (ENTRY.with_encode(|_, plain| Ok(plain.clone())), "what was encoded is decoded"),
            (own(decode), "no more bytes come out than the context allows"),
            (
                own(|codec, stored, context| {
                    let plain = decode(codec, stored, context)?;
                    assert!(plain.len() != 9, "nine");
                    Ok(plain)
                })
                .with_length(LengthChange::None),
                NO_PANIC,
            ),
            (
                own(|codec, stored, context| {
                    let sound = u8::try_from(codec.configuration()["more"].as_u64().unwrap());
                    sound.map_err(|_| DecodeError::unsupported("no more"))?;
                    decode(codec, stored, context)
                })
                .with_length(LengthChange::None),
                NO_PANIC,
            ),
            (
                own(|codec, stored, _| decode(codec, stored, &DecodeContext::up_to(0)))
                    .with_length(LengthChange::None),
                "decoding asks at every 64 KiB whether it is still wanted",
            ),
            (
                own(|codec, stored, context| {
                    decode(codec, stored, context).map_err(|_| DecodeError::damaged("ended"))
                })
                .with_length(LengthChange::None),
                "decoding that is not wanted any more ends as such",
            ),
        ] {
            assert_eq!(check(&entry).unwrap_err().clause, clause);
        }
        let short = CodecSample::new("short", Codec::new("more").with("more", 3), vec![1]);
        let clause = codec(&ENTRY, &[short]).unwrap_err().clause;
        assert_eq!(clause, "the suite has a sample of 256 KiB");
    }
}
