// SPDX-License-Identifier: MIT OR Apache-2.0
//! One step of a task: a command that is echoed before it runs and timed.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a step or a task comes to: the error is the sentence to print.
pub(crate) type Outcome<T> = Result<T, String>;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    package.parent().map_or(package.clone(), PathBuf::from)
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A command to run.
#[derive(Debug)]
pub(crate) struct Step {
    command: Command,
    shown: String,
}

impl Step {
    /// Any program, in the workspace's folder.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let shown = program.as_ref().to_string_lossy().into_owned();
        let mut command = Command::new(program);
        command.current_dir(root());
        Self { command, shown }
    }

    /// The cargo that runs this task.
    pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Self {
        let mut step =
            Self::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        step.shown = String::from("cargo");
        // What `cargo run` sets for this task is not meant for the cargo started here.
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_"))
        {
            step.command.env_remove(name);
        }
        step.command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_MANIFEST_PATH");
        step.args(arguments)
    }

    /// More arguments.
    pub(crate) fn args<T: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        for argument in arguments {
            let text = argument.as_ref().to_string_lossy().into_owned();
            let plain = !text.is_empty()
                && !text.contains(|c: char| c.is_whitespace() || "'\"*?$".contains(c));
            let quote = if plain { "" } else { "'" };
            self.shown.extend([" ", quote, &text, quote]);
            self.command.arg(argument);
        }
        self
    }

    /// One environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.shown = format!("{name}={} {}", value.as_ref().to_string_lossy(), self.shown);
        self.command.env(name, value);
        self
    }

    /// Run where the user is, not in the workspace's folder.
    pub(crate) fn here(mut self) -> Self {
        if let Ok(folder) = std::env::current_dir() {
            self.command.current_dir(folder);
        }
        self
    }

    /// Run it; a failure is an error.
    pub(crate) fn run(mut self) -> Outcome<()> {
        let start = self.echo();
        let status = self
            .command
            .status()
            .map_err(|error| format!("cannot run `{}`: {error}", self.shown))?;
        eprintln!("  {:.1} s", start.elapsed().as_secs_f64());
        if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", self.shown)) }
    }

    /// Run it and give each line of its output to `see` while it is passed on; returns whether it succeeded.
    pub(crate) fn watch(mut self, mut see: impl FnMut(&str)) -> Outcome<bool> {
        let start = self.echo();
        let failed = |error: std::io::Error, shown: &str| format!("cannot run `{shown}`: {error}");
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error, &self.shown))?;
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).split(b'\n') {
                let line = line.map_err(|error| failed(error, &self.shown))?;
                let text = String::from_utf8_lossy(&line);
                println!("{text}");
                see(&text);
            }
        }
        let status = child.wait().map_err(|error| failed(error, &self.shown))?;
        eprintln!("  {:.1} s", start.elapsed().as_secs_f64());
        Ok(status.success())
    }

    /// Run it quietly and return what it printed.
    pub(crate) fn output(mut self) -> Outcome<String> {
        let output = self
            .command
            .stderr(Stdio::null())
            .output()
            .map_err(|error| format!("cannot run `{}`: {error}", self.shown))?;
        if !output.status.success() {
            return Err(format!("`{}` failed ({})", self.shown, output.status));
        }
        String::from_utf8(output.stdout)
            .map_err(|error| format!("`{}` printed bytes that are no text: {error}", self.shown))
    }

    fn echo(&self) -> Instant {
        eprintln!("$ {}", self.shown);
        Instant::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_a_shell_would_change_are_shown_quoted() {
        let step =
            Step::new("program").args(["plain", "two words", "*.nc", ""]).env("NAME", "value");
        assert_eq!(step.shown, "NAME=value program plain 'two words' '*.nc' ''");
    }

    #[test]
    fn lines_are_seen_and_failure_is_told() {
        let mut lines = Vec::new();
        let success = Step::new("sh")
            .args(["-c", "echo one; echo two; exit 3"])
            .watch(|line| lines.push(line.to_owned()))
            .unwrap();
        assert!(!success);
        assert_eq!(lines, ["one", "two"]);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = Step::new("no-such-program-here").run().unwrap_err();
        assert!(error.contains("no-such-program-here"), "{error}");
    }
}
