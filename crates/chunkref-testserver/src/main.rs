// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server of the tests for other programs: prints one line of JSON with its URL and keys, serves until its standard
//! input ends, and then prints how much was asked for and how often something was broken.

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use chunkref_testserver::{
    Access, Fault, FaultyProxy, RangeOptions, RangeServer, Rule, S3Server, Traffic,
};
use serde_json::{Value, json};

const USAGE: &str =
    "usage: chunkref-testserver s3|s3-public|http FOLDER [LATENCY_SECONDS [FAULTS]]
FAULTS: so many in a hundred requests that a client gets over, or STATUS@K: after the first K requests all have this status";

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
    let rules = arguments.next().map_or(Some(Vec::new()), |text| rules(&text)).ok_or(USAGE)?;
    let folder = Path::new(&folder);
    let failed = |error: std::io::Error| format!("the server cannot start: {error}");
    match kind.as_str() {
        "s3" | "s3-public" => {
            let access = if kind == "s3" { Access::Signed } else { Access::Public };
            let server = S3Server::start(folder, access, latency).map_err(failed)?;
            let keys = (S3Server::ACCESS_KEY, S3Server::SECRET_KEY);
            serve(&server.url(), rules, server.traffic(), json!({"key": keys.0, "secret": keys.1}))
        }
        "http" => {
            let options = RangeOptions { latency, ..RangeOptions::default() };
            let server = RangeServer::with_options(folder, options).map_err(failed)?;
            serve(&server.url(), rules, server.traffic(), json!({}))
        }
        _ => Err(USAGE.to_owned()),
    }
}

/// Says where the server is, and waits for the end of the input.
fn serve(
    url: &str,
    rules: Vec<Rule>,
    traffic: &Traffic,
    mut greeting: Value,
) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let proxy =
        if rules.is_empty() { None } else { Some(FaultyProxy::start(url, rules).map_err(failed)?) };
    greeting["url"] = proxy.as_ref().map_or_else(|| url.to_owned(), FaultyProxy::url).into();
    let mut out = std::io::stdout();
    writeln!(out, "{greeting}").and_then(|()| out.flush()).map_err(failed)?;
    std::io::stdin().read_to_end(&mut Vec::new()).map_err(failed)?;
    let counts = traffic.take_counts();
    let faults = proxy.map_or(0, |proxy| proxy.fired());
    let farewell = json!({"requests": counts.requests, "bytes": counts.bytes, "faults": faults});
    writeln!(out, "{farewell}").map_err(failed)
}

/// What is broken, in the words of [`USAGE`].
fn rules(text: &str) -> Option<Vec<Rule>> {
    if let Some((status, after)) = text.split_once('@') {
        let fault = Fault::Status(status.parse().ok()?, None);
        return Some(vec![Rule::always(fault).after(after.parse().ok()?)]);
    }
    let percent = text.parse().ok()?;
    Some(if percent == 0 { Vec::new() } else { passing(percent) })
}

/// Faults that a client gets over, in turn, so many in a hundred requests.
fn passing(percent: u64) -> Vec<Rule> {
    let faults = [
        Fault::Status(503, None),
        Fault::Drop,
        Fault::DropAfter(100),
        Fault::Shorten(20),
        Fault::Slowly(1024, Duration::from_millis(5)),
        Fault::Delay(Duration::from_millis(200)),
    ];
    let gap = (100 / percent.min(100)).max(1);
    let turn = gap * faults.len() as u64;
    (1..)
        .zip(faults)
        .map(|(number, fault)| Rule::always(fault).after(number * gap - 1).every(turn))
        .collect()
}
