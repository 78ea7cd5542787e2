// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command in a program that links two codecs of one name. With the word `library` it verifies references by the library,
//! which no command comes to there.

use std::error::Error;
use std::process::ExitCode;

use chunkref::verify::{VerifyOptions, verify};
use chunkref::{Location, References, Stores};
use chunkref_core::{CodecEntry, inventory};
use futures::executor::block_on;

inventory::submit! { CodecEntry::new("zlib", |_, stored, _| Ok(stored.clone())) }

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    match words.as_slice() {
        [_, word, path] if word == "library" => match library(path) {
            Ok(said) => {
                #[expect(clippy::print_stdout, reason = "what the test reads")]
                {
                    println!("{said}");
                }
                ExitCode::SUCCESS
            }
            Err(_) => ExitCode::FAILURE,
        },
        _ => chunkref_cli::main(),
    }
}

fn library(path: &str) -> Result<String, Box<dyn Error>> {
    let stores = Stores::default();
    let location = Location::parse(path)?;
    block_on(async {
        let references = References::open(&stores, &location).await?;
        let report = verify(&stores, references, &VerifyOptions::default()).await?;
        Ok(report.document(location.url()).to_string())
    })
}
