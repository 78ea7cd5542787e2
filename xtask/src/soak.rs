// SPDX-License-Identifier: MIT OR Apache-2.0
//! `soak`: thousands of small files on an S3 server of this machine that breaks one request in a hundred, scanned, built,
//! appended and verified until the time is up. Nothing may be lost or doubled, nothing be left behind, and no memory grow.

use crate::python::Environment;
use crate::server::Server;
use crate::step::{Outcome, Step, root, target};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const MINUTES: u64 = 15;
const FILES: &str = "1998";
/// Requests in a hundred that something goes wrong with.
const FAULTS: &str = "1";
/// Parts of the files of one format that are appended after the first.
const SLICES: usize = 4;
/// How much more memory late rounds may need than early ones: what a measurement differs by.
const GROWTH: f64 = 1.1;

/// The commands whose memory is looked at.
const COMMANDS: [&str; 4] = ["scan", "build", "append", "verify"];

/// Runs rounds until `--minutes N` are over; with `cubes`, random archives instead, each through the program and the judge.
pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    let (cubes, arguments) = match arguments {
        [first, rest @ ..] if first == "cubes" => (true, rest),
        all => (false, all),
    };
    let minutes = match arguments {
        [] => MINUTES,
        [name, number] if name == "--minutes" => {
            number.parse().map_err(|_| "--minutes takes a number".to_owned())?
        }
        _ => return Err("it takes `cubes`, --minutes N, and nothing else".to_owned()),
    };
    if cubes {
        let python = Environment::prepare()?;
        Step::cargo(["build", "--workspace", "--bins"]).run()?;
        // Others than those of `test`.
        let minutes = minutes.to_string();
        return python.cubes(&["--seeds", "1000:", "--minutes", &minutes]).run();
    }
    let python = Environment::prepare()?;
    Step::cargo(["build", "--workspace", "--bins"]).run()?;
    let folder = target().join("soak");
    let stored = folder.join("store");
    if !stored.join("soak/complete").exists() {
        python
            .script("soak_files.py")
            .args([stored.join("soak").as_os_str()])
            .args([FILES])
            .run()?;
    }
    let soak = Soak { folder, python };
    soak.undisturbed()?;
    let server = Server::with_faults("s3-public", &stored, FAULTS)?;
    let (start, length) = (Instant::now(), Duration::from_secs(minutes * 60));
    let mut rounds = Vec::new();
    // Three rounds at least, so that late ones can be held against early ones.
    while start.elapsed() < length || rounds.len() < 3 {
        let round = soak.round(server.url())?;
        println!("round {}: {round}", rounds.len() + 1);
        rounds.push(round);
    }
    println!("{} rounds in {:.0} s", rounds.len(), start.elapsed().as_secs_f64());
    println!("server: {}", server.finish());
    verdict(&rounds)
}

/// What one round came to.
#[derive(Debug, Clone, Default)]
struct Round {
    /// Sets and keys that were held against those of the undisturbed run.
    sets: u64,
    keys: u64,
    /// Tries of requests after the first, where a command says so.
    retries: u64,
    /// Most resident memory of each command in KiB, where the system says so.
    memory: [u64; COMMANDS.len()],
}

impl std::fmt::Display for Round {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} sets, {} keys, {} retries", self.sets, self.keys, self.retries)?;
        COMMANDS.iter().zip(self.memory).try_for_each(|(command, kib)| {
            write!(
                formatter,
                ", {command} {:.1} MiB",
                f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
            )
        })
    }
}

#[derive(Debug)]
struct Soak {
    folder: PathBuf,
    python: Environment,
}

impl Soak {
    /// The same work on files of this machine, which nothing disturbs.
    fn undisturbed(&self) -> Outcome<()> {
        let plain = self.folder.join("plain");
        emptied(&plain)?;
        let source = self.folder.join("store/soak");
        let mut ignored = Round::default();
        self.commands(&plain, &source.display().to_string(), None, &mut ignored)
    }

    /// One round through the server.
    fn round(&self, server: &str) -> Outcome<Round> {
        let (plain, out) = (self.folder.join("plain"), self.folder.join("round"));
        emptied(&out)?;
        let mut round = Round::default();
        self.commands(&out, "s3://soak", Some(server), &mut round)?;
        let names = |folder: &Path| -> Outcome<Vec<String>> {
            let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
            let mut names: Vec<_> = entries
                .flatten()
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            Ok(names)
        };
        let (wanted, found) = (names(&plain)?, names(&out)?);
        if wanted != found {
            return Err(format!("the round left {found:?} behind instead of {wanted:?}"));
        }
        let prefix = format!("file://{}", self.folder.join("store/soak").display());
        for name in wanted {
            let output = Command::new(self.python.python())
                .current_dir(root())
                .arg("tests/python/soak_check.py")
                .args([plain.join(&name), out.join(&name)])
                .args([&prefix, "s3://soak"])
                .output()
                .map_err(|error| format!("cannot check {name}: {error}"))?;
            if !output.status.success() {
                return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
            }
            let said = String::from_utf8_lossy(&output.stdout);
            let mut numbers = said.split_whitespace().map(|word| word.parse().unwrap_or(0));
            round.sets += numbers.next().unwrap_or(0);
            round.keys += numbers.next().unwrap_or(0);
        }
        Ok(round)
    }

    /// Scans everything, builds a cube of the first part of two formats, appends the rest, and verifies.
    fn commands(
        &self,
        out: &Path,
        source: &str,
        server: Option<&str>,
        round: &mut Round,
    ) -> Outcome<()> {
        for (kind, pattern) in [("nc4", "*.nc"), ("nc3", "*.nc"), ("grib", "*.grib2")] {
            let to = out.join(kind).join("");
            self.chunkref(
                &["scan", &format!("{source}/{kind}/{pattern}"), "-o", &shown(&to), "--stats"],
                server,
                round,
            )?;
        }
        for kind in ["nc4", "nc3"] {
            let lists = self.lists(kind, source)?;
            let cube = shown(&out.join(format!("{kind}.json")));
            for (number, list) in lists.iter().enumerate() {
                let inputs = format!("@{}", list.display());
                if number == 0 {
                    self.chunkref(
                        &["build", &inputs, "--concat", "time", "-o", &cube],
                        server,
                        round,
                    )?;
                } else {
                    self.chunkref(&["append", &cube, &inputs], server, round)?;
                }
            }
            self.chunkref(&["verify", &cube], server, round)?;
        }
        Ok(())
    }

    /// The files of a kind in parts, each a list.
    fn lists(&self, kind: &str, source: &str) -> Outcome<Vec<PathBuf>> {
        let folder = self.folder.join("store/soak").join(kind);
        let entries =
            fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut names: Vec<_> = entries
            .flatten()
            .map(|entry| format!("{source}/{kind}/{}", entry.file_name().to_string_lossy()))
            .collect();
        names.sort();
        let lists = names.chunks(names.len().div_ceil(SLICES + 1)).enumerate();
        let lists = lists.map(|(number, names)| {
            let list = self.folder.join(format!("{kind}-{number}.txt"));
            fs::write(&list, names.join("\n")).map_err(|error| error.to_string())?;
            Ok(list)
        });
        lists.collect()
    }

    /// Runs the program; its memory and what it had to try again go into the round.
    fn chunkref(&self, arguments: &[&str], server: Option<&str>, round: &mut Round) -> Outcome<()> {
        let name = if cfg!(windows) { "chunkref.exe" } else { "chunkref" };
        let mut command = Command::new(target().join("debug").join(name));
        command.current_dir(root()).args(arguments).stdout(Stdio::null());
        let log = self.folder.join("command.log");
        let file = fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        command.stderr(file);
        if let Some(server) = server {
            command.arg("--anon").env("CHUNKREF_STORAGE_ENDPOINT_URL", server);
        }
        let shown = arguments.join(" ");
        let mut child = command.spawn().map_err(|error| format!("cannot run {name}: {error}"))?;
        let mut memory = 0;
        let status = loop {
            memory = memory.max(most_resident(child.id()));
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                break status;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let said = fs::read_to_string(&log).unwrap_or_default();
        if !status.success() {
            let end: Vec<&str> = said.lines().rev().take(10).collect();
            return Err(format!("`chunkref {shown}` failed ({status}):\n{}", end.join("\n")));
        }
        round.retries += said.lines().map(retries).sum::<u64>();
        for (command, most) in COMMANDS.iter().zip(&mut round.memory) {
            if arguments.first() == Some(command) {
                *most = (*most).max(memory);
            }
        }
        Ok(())
    }
}

/// The number before the word `retries` or `retry`.
fn retries(line: &str) -> u64 {
    let words: Vec<&str> = line.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let pairs = words.windows(2).filter(|pair| matches!(pair[1], "retries" | "retry"));
    pairs.filter_map(|pair| pair[0].parse::<u64>().ok()).sum()
}

/// The most memory that a process had so far, in KiB; 0 where the system does not say.
fn most_resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or_default()
}

fn emptied(folder: &Path) -> Outcome<()> {
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fault(error)),
        _ => {}
    }
    fs::create_dir_all(folder).map_err(fault)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Whether the median of the last third of the rounds is no larger than that of the first third, but for what a
/// measurement differs by.
fn verdict(rounds: &[Round]) -> Outcome<()> {
    let third = rounds.len().div_ceil(3);
    for (place, command) in COMMANDS.iter().enumerate() {
        let median = |rounds: &[Round]| {
            let mut memory: Vec<u64> =
                rounds.iter().filter_map(|round| round.memory.get(place).copied()).collect();
            memory.sort_unstable();
            memory.get(memory.len() / 2).copied().unwrap_or_default()
        };
        let early = median(rounds.get(..third).unwrap_or_default());
        let late = median(rounds.get(rounds.len() - third..).unwrap_or_default());
        println!("{command}: {early} KiB in early rounds, {late} KiB in late ones");
        let (early, late) =
            (u32::try_from(early).unwrap_or(u32::MAX), u32::try_from(late).unwrap_or(u32::MAX));
        if f64::from(late) > f64::from(early) * GROWTH {
            return Err(format!("{command} needs more memory from round to round"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(kib: u64) -> Round {
        Round { memory: [kib; COMMANDS.len()], ..Round::default() }
    }

    #[test]
    fn growth_is_found_and_noise_is_not() {
        let rounds = |memory: &[u64]| memory.iter().map(|&kib| round(kib)).collect::<Vec<_>>();
        assert_eq!(verdict(&rounds(&[1000, 1050, 1010, 1040, 1020, 1030])), Ok(()));
        assert!(verdict(&rounds(&[1000, 1100, 1200, 1300, 1400, 1500])).is_err());
        assert!(verdict(&rounds(&[1000, 1000, 1200])).is_err());
    }

    #[test]
    fn retries_are_read() {
        assert_eq!(retries("a.nc: 3 rounds, 5 requests, 2 retries, 10 bytes"), 2);
        assert_eq!(retries("retries are none"), 0);
    }
}
