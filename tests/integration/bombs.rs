// SPDX-License-Identifier: MIT OR Apache-2.0
//! Small inputs that would become large: refused by a limit that the message names, or in bounds.

use crate::environment::{chunkref, said};
use crate::verify::Cube;

#[test]
fn chunks_past_the_limit_are_not_decoded_and_the_limit_is_named() {
    let cube = Cube::new();
    let limit = ["--limit", "decoded-chunk-bytes=100"];
    let line = ["verify", cube.json.to_str().unwrap()];
    let ran = chunkref(line.iter().chain(&limit));
    assert_eq!(ran.status.code(), Some(1), "{}", said(&ran));
    let report = String::from_utf8_lossy(&ran.stdout);
    assert!(report.contains("decoded_chunk_bytes of 100"), "{report}");
    let line = ["cat", cube.json.to_str().unwrap(), "SST"];
    let ran = chunkref(line.iter().chain(&limit));
    assert_eq!(ran.status.code(), Some(1), "{}", said(&ran));
    assert!(said(&ran).contains("decoded_chunk_bytes of 100"), "{}", said(&ran));
}
