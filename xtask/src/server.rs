// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server of `chunkref-testserver`, while a task needs it.

use crate::step::{Outcome, target};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Serves `folder`; `cargo build --package chunkref-testserver` comes first.
    pub(crate) fn start(kind: &str, folder: &Path) -> Outcome<Self> {
        let name = if cfg!(windows) { "chunkref-testserver.exe" } else { "chunkref-testserver" };
        let program = target().join("debug").join(name);
        let mut child = Command::new(&program)
            .arg(kind)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let mut greeting = String::new();
        if let Some(out) = child.stdout.take() {
            let _ = BufReader::new(out).read_line(&mut greeting);
        }
        let Some(url) = url_of(&greeting) else {
            let _ = child.kill();
            return Err(format!("{} did not say where it listens", program.display()));
        };
        println!("{kind} server on this machine: {url}");
        Ok(Self { child, url })
    }

    /// Scheme, host and port.
    pub(crate) fn url(&self) -> &str {
        &self.url
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
