// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server of `chunkref-testserver`, while a task needs it.

use crate::step::{Outcome, target};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A server that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    out: Option<BufReader<ChildStdout>>,
    url: String,
}

impl Server {
    /// Serves `folder`; `cargo build --package chunkref-testserver` comes first.
    pub(crate) fn start(kind: &str, folder: &Path) -> Outcome<Self> {
        Self::with_faults(kind, folder, "0")
    }

    /// The same with something wrong in so many of a hundred requests.
    pub(crate) fn with_faults(kind: &str, folder: &Path, percent: &str) -> Outcome<Self> {
        let name = if cfg!(windows) { "chunkref-testserver.exe" } else { "chunkref-testserver" };
        let program = target().join("debug").join(name);
        let mut child = Command::new(&program)
            .arg(kind)
            .arg(folder)
            .args(["0", percent])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let mut greeting = String::new();
        let mut out = child.stdout.take().map(BufReader::new);
        if let Some(out) = &mut out {
            let _ = out.read_line(&mut greeting);
        }
        let Some(url) = url_of(&greeting) else {
            let _ = child.kill();
            return Err(format!("{} did not say where it listens", program.display()));
        };
        println!("{kind} server on this machine: {url}");
        Ok(Self { child, out, url })
    }

    /// Scheme, host and port.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Ends it, and returns what it says of itself: how much it was asked for.
    pub(crate) fn finish(mut self) -> String {
        drop(self.child.stdin.take());
        let mut farewell = String::new();
        if let Some(out) = &mut self.out {
            let _ = out.read_to_string(&mut farewell);
        }
        farewell.trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its input ends, and so does the server.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The member `url` of the line of JSON that a server begins with.
fn url_of(greeting: &str) -> Option<String> {
    let (_, rest) = greeting.split_once("\"url\":\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_found() {
        let line = "{\"key\":\"k\",\"url\":\"http://127.0.0.1:5\"}\n";
        assert_eq!(url_of(line).as_deref(), Some("http://127.0.0.1:5"));
        assert_eq!(url_of(""), None);
    }
}
