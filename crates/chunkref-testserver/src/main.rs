// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server of the tests for other programs: prints one line of JSON with its URL and keys, and serves until its standard
//! input ends.

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use chunkref_testserver::{Access, RangeOptions, RangeServer, S3Server};
use serde_json::json;

const USAGE: &str = "usage: chunkref-testserver s3|s3-public|http FOLDER [LATENCY_SECONDS]";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<(), String> {
    let mut arguments = arguments.into_iter();
    let (Some(kind), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err(USAGE.to_owned());
    };
    let latency = arguments.next().unwrap_or_else(|| "0".to_owned());
    let latency =
        latency.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let latency = latency.ok_or(USAGE)?;
    let folder = Path::new(&folder);
    let failed = |error: std::io::Error| format!("the server cannot start: {error}");
    match kind.as_str() {
        "s3" | "s3-public" => {
            let access = if kind == "s3" { Access::Signed } else { Access::Public };
            let server = S3Server::start(folder, access, latency).map_err(failed)?;
            let keys = (S3Server::ACCESS_KEY, S3Server::SECRET_KEY);
            serve(&json!({"url": server.url(), "key": keys.0, "secret": keys.1}))
        }
        "http" => {
            let options = RangeOptions { latency, ..RangeOptions::default() };
            let server = RangeServer::with_options(folder, options).map_err(failed)?;
            serve(&json!({"url": server.url()}))
        }
        _ => Err(USAGE.to_owned()),
    }
}

/// Says where the server is, and waits for the end of the input.
fn serve(greeting: &serde_json::Value) -> Result<(), String> {
    let mut out = std::io::stdout();
    writeln!(out, "{greeting}").and_then(|()| out.flush()).map_err(|error| error.to_string())?;
    std::io::stdin().read_to_end(&mut Vec::new()).map_err(|error| error.to_string())?;
    Ok(())
}
