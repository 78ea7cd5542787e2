// SPDX-License-Identifier: MIT OR Apache-2.0
//! What users write: locations, patterns, storage options, logins, selections of `cat`, command lines.

use std::cmp::Ordering;

use chunkref::{Location, Stores};
use chunkref_store::glob::natural_order;
use chunkref_store::{StorageOptions, StoreOptions};
use clap::Parser;
use futures::executor::block_on;

/// The first byte chooses what the text is taken for.
pub fn words(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    match choice % 7 {
        0 => location(&text),
        1 => pattern(&text),
        2 => options(&text),
        3 => chunkref_store::fuzzing::netrc(&text),
        4 => chunkref_store::fuzzing::aws_profile(&text),
        5 => selection(&text),
        _ => command(&text),
    }
}

/// A location is an error or a URL that means the same when it is read again.
fn location(text: &str) {
    let Ok(location) = Location::parse(text) else { return };
    let _ = (location.file_name(), location.segments().count(), location.to_string());
    let again = Location::parse(location.url()).expect("the URL of a location is one");
    assert_eq!(location.url(), again.url(), "a URL stays what it is");
}

/// Patterns over objects in memory, and the order of names.
fn pattern(text: &str) {
    let found = block_on(chunkref::stores().expand(&format!("memory://none/{text}")));
    drop(found);
    let names: Vec<&str> = text.split('\n').take(8).collect();
    for a in &names {
        assert_eq!(natural_order(a, a), Ordering::Equal, "{a:?}");
        for b in &names {
            assert_eq!(natural_order(a, b), natural_order(b, a).reverse(), "{a:?} {b:?}");
            for c in &names {
                let rising = natural_order(a, b).is_le() && natural_order(b, c).is_le();
                assert!(!rising || natural_order(a, c).is_le(), "{a:?} {b:?} {c:?}");
            }
        }
    }
}

/// Lines `NAME=VALUE`; the first line is the location that they are for.
fn options(text: &str) {
    let mut lines = text.lines();
    let Ok(location) = Location::parse(lines.next().unwrap_or_default()) else { return };
    let mut storage = StorageOptions::default();
    for (name, value) in lines.filter_map(|line| line.split_once('=')) {
        storage.set(name, value);
    }
    let mut options = StoreOptions::default();
    options.storage = storage;
    let stores = Stores::new(options);
    if let Err(error) = stores.validate(&location) {
        let _ = error.to_string();
    }
    let _ = stores.hints();
}

/// `PATH[PART]` of an array whose axes are bytes of the text: parts lie within their axes.
fn selection(text: &str) {
    let shape: Vec<u64> = text.bytes().rev().take(3).map(|byte| u64::from(byte % 11)).collect();
    let Ok(axes) = chunkref_cli::fuzzing::selection(text, &shape) else { return };
    assert_eq!(axes.len(), shape.len(), "one part for each axis");
    for (range, length) in axes.iter().zip(&shape) {
        assert!(range.start <= range.end && range.end <= *length, "{range:?} of {length}");
    }
}

/// A command line is understood or refused; it is not run.
fn command(text: &str) {
    let words = std::iter::once("chunkref").chain(text.split_whitespace().take(32));
    if let Err(error) = chunkref_cli::arguments::Arguments::try_parse_from(words) {
        let _ = error.to_string();
    }
}
