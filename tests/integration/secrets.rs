// SPDX-License-Identifier: MIT OR Apache-2.0
//! No secret shows, and no text of files or servers does anything to a terminal: secrets in every place that can hold one, every
//! command, every form of messages.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::environment::{fixtures, program};

/// Letters of secrets, one alphabet a round: what tokens are made of; what URLs and JSON write otherwise.
const ALPHABETS: [&str; 3] =
    ["ABCDEFGHJKMNPQRSTUVWXYZ23456789", "abcdefghjkmnpq+/=", "ABCDEFG\"!$,;{|'"];

/// What a terminal would obey, or nobody would see, as names of files and answers of servers may hold it.
const ODD: &str = "a\u{1b}[31m\u{9b}2J\u{202e}\u{2066}\u{200b}\u{2028}\u{e0041}\u{7}\r";

/// Secrets, each with the place where it is planted.
struct Secrets {
    values: Vec<(&'static str, String)>,
    state: u64,
    alphabet: &'static str,
}

impl Secrets {
    fn new(round: usize) -> Self {
        let state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(round as u64 + 1);
        Self { values: Vec::new(), state, alphabet: ALPHABETS[round % ALPHABETS.len()] }
    }

    /// A new secret.
    fn plant(&mut self, place: &'static str) -> String {
        let letters: Vec<char> = self.alphabet.chars().collect();
        let mut secret = format!("zq{}", self.values.len());
        for _ in 0..18 {
            self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            secret.push(letters[(self.state >> 33) as usize % letters.len()]);
        }
        self.values.push((place, secret.clone()));
        secret
    }

    /// A new secret for a place that takes letters and digits alone.
    fn plant_plain(&mut self, place: &'static str) -> String {
        let alphabet = std::mem::replace(&mut self.alphabet, ALPHABETS[0]);
        let secret = self.plant(place);
        self.alphabet = alphabet;
        secret
    }

    #[track_caller]
    fn check(&self, what: &str, text: &str) {
        for (place, secret) in &self.values {
            let quoted = serde_json::to_string(secret).unwrap();
            for form in [secret.as_str(), quoted.trim_matches('"'), &percent_encoded(secret)] {
                assert!(!text.contains(form), "the secret of {place} shows in {what}:\n{text}");
            }
        }
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut coded, byte| {
        if byte.is_ascii_alphanumeric() {
            coded.push(char::from(byte));
        } else {
            let _ = write!(coded, "%{byte:02X}");
        }
        coded
    })
}

#[track_caller]
fn check_letters(what: &str, text: &str) {
    let harmful = |letter: char| {
        letter.is_control() && letter != '\n'
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    assert!(!text.contains(harmful), "{what} holds what a terminal obeys:\n{text:?}");
}

/// A server that lets nobody in and repeats all that it was sent: in plain text, in JSON, in S3's XML, or after a redirection
/// with secrets of its own.
struct Echo {
    url: String,
    heard: Arc<Mutex<String>>,
}

impl Echo {
    fn start(location: String, cookie: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(String::new()));
        let (place, all) = (url.clone(), Arc::clone(&heard));
        // It ends with the process of the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                let sent = request(&stream);
                all.lock().unwrap().push_str(&sent);
                let echoed = sent.replace("\r\n", " | ");
                let moved = format!("{place}/plain/moved.nc?access_token={location}");
                let (status, more, body) = match sent.split('/').nth(1) {
                    Some("json") => (
                        "403 Forbidden",
                        String::new(),
                        serde_json::json!({"headers": sent, "odd": ODD}).to_string(),
                    ),
                    Some("xml" | "bucket") => (
                        "403 Forbidden",
                        String::new(),
                        format!(
                            "<Error><Code>AccessDenied</Code><Message>{echoed}{ODD}</Message></Error>"
                        ),
                    ),
                    Some("moved") => (
                        "302 Found",
                        format!("Location: {moved}\r\nSet-Cookie: session={cookie}; Path=/\r\n"),
                        String::new(),
                    ),
                    Some("busy") => ("503 Busy", String::new(), echoed),
                    // The end of it first: what is shown of an answer is short.
                    _ => (
                        "403 Forbidden",
                        String::new(),
                        format!(
                            "{ODD} {}",
                            echoed.chars().skip(sent.find("\r\n").unwrap_or(0)).collect::<String>()
                        ),
                    ),
                };
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n{body}"
                );
                let _ = (&stream).write_all(answer.as_bytes());
            }
        });
        Self { url, heard }
    }
}

fn request(stream: &TcpStream) -> String {
    let mut head = String::new();
    let mut lines = BufReader::new(stream);
    while lines.read_line(&mut head).is_ok_and(|length| length > 2) {}
    head
}

/// Everything with secrets in it that one round of commands is given.
struct Planted {
    secrets: Secrets,
    folder: TempDir,
    echo: Echo,
    options: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

impl Planted {
    fn new(round: usize) -> Self {
        let mut secrets = Secrets::new(round);
        let folder = tempfile::tempdir().unwrap();
        let location = secrets.plant_plain("a redirection");
        let echo = Echo::start(location, secrets.plant_plain("a cookie"));
        let mut options = Vec::new();
        for name in ["password", "secret", "headers.X-Custom", "headers.Cookie"] {
            let secret = if name.starts_with("headers") {
                secrets.plant_plain("a header")
            } else {
                secrets.plant("an option")
            };
            options.push(format!("{name}={secret}"));
        }
        options.push(format!("token={}", secrets.plant_plain("a token")));
        let netrc = folder.path().join("netrc");
        let login = secrets.plant_plain("netrc");
        fs::write(&netrc, format!("machine 127.0.0.1 login me password {login}\n")).unwrap();
        let variables = vec![
            ("NETRC", netrc.display().to_string()),
            ("CHUNKREF_STORAGE_HEADERS__X_API_KEY", secrets.plant_plain("the environment")),
            ("AWS_ACCESS_KEY_ID", secrets.plant_plain("AWS_ACCESS_KEY_ID")),
            ("AWS_SECRET_ACCESS_KEY", secrets.plant("AWS_SECRET_ACCESS_KEY")),
            ("AWS_SESSION_TOKEN", secrets.plant_plain("AWS_SESSION_TOKEN")),
            ("AZURE_STORAGE_ACCOUNT_KEY", secrets.plant("AZURE_STORAGE_ACCOUNT_KEY")),
        ];
        Self { secrets, folder, echo, options, variables }
    }

    /// A URL of the server with secrets before the host, in the query and in the fragment.
    fn url(&mut self, kind: &str) -> String {
        let host = self.echo.url.trim_start_matches("http://").to_owned();
        let password = percent_encoded(&self.secrets.plant("user information"));
        let query = percent_encoded(&self.secrets.plant("a query"));
        let coded = percent_encoded(&self.secrets.plant("a query with a coded name"));
        let fragment = self.secrets.plant_plain("a fragment");
        format!(
            "http://me:{password}@{host}/{kind}/a.nc?sv=1&sig={query}&X%2DAmz%2DSignature={coded}#id_token={fragment}"
        )
    }

    /// A set whose names hold odd letters and whose URLs hold secrets.
    fn set(&mut self, name: &str) -> String {
        let url = self.url("plain");
        let array = serde_json::json!({
            "zarr_format": 2, "shape": [2], "chunks": [1], "dtype": "<i4", "compressor": null,
            "fill_value": 0, "filters": null, "order": "C",
        });
        let odd = format!("t{}", ODD.replace(['\r', '/'], ""));
        let refs = serde_json::json!({"version": 1, "refs": {
            ".zgroup": "{\"zarr_format\":2}",
            format!("{odd}/.zarray"): array.to_string(),
            format!("{odd}/.zattrs"): serde_json::json!({"_ARRAY_DIMENSIONS": ["t"], ODD: ODD}).to_string(),
            format!("{odd}/0"): [url, 0, 4],
            "t/.zarray": array.to_string(),
            "t/.zattrs": "{\"_ARRAY_DIMENSIONS\":[\"t\"]}",
            "t/0": [url, 0, 4],
            "t/1": "base64:AAAAAA==",
        }});
        let path = self.folder.path().join(name);
        fs::write(&path, refs.to_string()).unwrap();
        path.display().to_string()
    }

    fn run(&self, words: &[String], more: &[&str]) -> Output {
        let mut command = Command::new(program());
        command.args(words).args(more).current_dir(self.folder.path());
        command.env("NO_COLOR", "1").env_remove("CHUNKREF_LOG");
        command.envs(self.variables.iter().map(|(name, value)| (*name, value)));
        // S3 has no such option: nothing would be asked for.
        if words.iter().any(|word| word.starts_with("s3://")) {
            command.env_remove("CHUNKREF_STORAGE_HEADERS__X_API_KEY");
        }
        command.output().unwrap()
    }

    /// Runs a command with every form of messages, and looks at all that it says.
    #[track_caller]
    fn check(&self, words: &[String]) {
        for form in
            [&[][..], &["--log-level", "trace"], &["--log-format", "json", "--log-level", "trace"]]
        {
            let ran = self.run(words, form);
            let what = format!("{words:?} {form:?}");
            assert!(ran.status.code().is_some(), "{what}: {:?}", ran.status);
            for text in [&ran.stdout, &ran.stderr] {
                let text = std::str::from_utf8(text).unwrap();
                self.secrets.check(&what, text);
                check_letters(&what, text);
            }
        }
    }
}

fn words(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|&part| part.to_owned()).collect()
}

#[test]
fn planted_secrets_show_nowhere() {
    for round in 0..ALPHABETS.len() {
        let mut planted = Planted::new(round);
        let mut options = words(&["--retries", "1", "--keep-query", "--timeout", "5"]);
        for option in planted.options.clone() {
            options.extend(["--storage-option".to_owned(), option]);
        }
        let mut lines: Vec<Vec<String>> = Vec::new();
        for kind in ["plain", "json", "xml", "moved", "busy"] {
            let url = planted.url(kind);
            lines.push(words(&["scan", &url, "-o", "scanned.json", "--stats"]));
            lines.push(words(&["inspect", &url]));
        }
        let url = planted.url("plain");
        lines.push(words(&["scan", &format!("{}/{}", url.split('#').next().unwrap(), "*.nc")]));
        lines.push(words(&["scan", &url, &planted.url("json"), "-o", "many/"]));
        lines.push(words(&[
            "build",
            &url,
            &planted.url("json"),
            "--concat",
            "t",
            "-o",
            "built.json",
        ]));
        for command in ["verify", "inspect"] {
            let set = planted.set("set.json");
            lines.push(words(&[command, &set]));
            lines.push(words(&[command, &set, "--json"]));
            lines.push(words(&[command, &planted.url("plain")]));
        }
        let (one, two) = (planted.set("one.json"), planted.set("two.json"));
        lines.push(words(&["combine", &one, &two, "--concat", "t", "-o", "combined.json"]));
        lines.push(words(&["plan", &one, &two, "--concat", "t"]));
        lines.push(words(&["append", &one, &url]));
        lines.push(words(&["append", "absent.json", &url]));
        lines.push(words(&["cat", &one, "t"]));
        lines.push(words(&["cat", &one, "absent"]));
        lines.push(words(&["cat", &url, "t"]));
        lines.push(words(&["report", &one, "-o", "page.html"]));
        lines.push(words(&["report", &one]));
        lines.push(words(&["report", &url]));
        lines.push(words(&["convert", &one, "converted.parq"]));
        lines.push(words(&["convert", &url, "converted.json"]));
        for line in &mut lines {
            line.extend(options.clone());
        }
        lines.push(words(&["formats"]));
        // S3, with the keys of the environment, at a server that repeats all it is sent.
        let endpoint = format!("endpoint_url={}", planted.echo.url);
        let s3 = ["scan", "s3://bucket/a.nc", "--retries", "0", "--storage-option", &endpoint];
        lines.push(words(&s3));
        for line in &lines {
            planted.check(line);
        }
        planted.secrets.check(
            "page.html",
            &fs::read_to_string(planted.folder.path().join("page.html")).unwrap(),
        );
        let heard = planted.echo.heard.lock().unwrap();
        assert!(heard.contains("x-custom: zq") && heard.contains("cookie: zq"), "{heard}");
        assert!(heard.contains("sig=zq") && heard.contains("access_token=zq"), "{heard}");
        assert!(heard.contains("AWS4-HMAC-SHA256 Credential=zq"), "{heard}");
    }
}

#[test]
fn command_lines_that_make_no_sense_show_no_secret() {
    for round in 0..ALPHABETS.len() {
        let mut planted = Planted::new(round);
        let secret = planted.secrets.plant("an option without a name");
        let named = format!("secret={}", planted.secrets.plant("an option"));
        let file = fixtures("hdf5").join("deflate_and_shuffle.v1.h5").display().to_string();
        let url = planted.url("plain");
        for line in [
            &["scan", &file, "--storage-option", &secret][..],
            &["scan", &file, &format!("--storage-option={secret}")],
            &["scan", &file, &format!("--storage-optoin={named}")],
            &["scan", &file, "--storage-optoin", &named],
            &["scan", &file, "--option", &named],
            &["scan", &file, "--storage-option", &named, "--no-such"],
            &["scan", "s3://bucket/a", "--storage-option", &named, "--storage-option", "anno=x"],
            &["scan", "s3://bucket/a", "--storage-option", &format!("secret_kye={secret}")],
            &["scan", "http://127.0.0.1:9/a", "--storage-option", &format!("tokn={secret}")],
            &["scan", &url, "--retries", "0"],
            &["scna", &url],
            &["scan", &url, "--timeout", &url],
            &["scan", &url, "--jobs", &url],
            &["cat", &file, &url],
            &["cat", &url, ""],
            &["build", &url, "--concat", &url],
            &["scan", &format!("gopher{url}")],
            &["scan", &format!("@{url}")],
            &["scan", &file, "--format", &url],
            &["scan", &file, "-o", &url],
            &["formats", &url],
            &[&url],
        ] {
            planted.check(&words(line));
        }
        // What is hidden is hidden, and the rest is said.
        let ran = planted.run(&words(&["scan", &file, "--storage-option", &secret]), &[]);
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(said.contains("--storage-option") && said.contains("***"), "{said}");
    }
}

#[test]
fn values_are_exact_in_files_and_pipes_and_harmless_in_tables() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\u{202e}e\u{1b}x";
    let array = serde_json::json!({
        "zarr_format": 2, "shape": [1], "chunks": [1], "dtype": format!("|S{}", text.len()),
        "compressor": null, "fill_value": null, "filters": null, "order": "C",
    });
    let refs = serde_json::json!({"version": 1, "refs": {
        ".zgroup": "{\"zarr_format\":2}", "t/.zarray": array.to_string(), "t/.zattrs": "{}", "t/0": text,
    }});
    let set = folder.path().join("set.json");
    fs::write(&set, refs.to_string()).unwrap();
    let cat = |more: &[&str]| {
        let set = set.to_str().unwrap();
        let ran = crate::environment::chunkref(["cat", set, "t"].iter().chain(more));
        assert!(ran.status.success(), "{}", crate::environment::said(&ran));
        String::from_utf8(ran.stdout).unwrap()
    };
    assert_eq!(cat(&[]), format!("{text}\n"));
    assert_eq!(cat(&["--to", "csv"]), format!("t_dim_0,value\n0,{text}\n"));
    let out = folder.path().join("out.txt");
    cat(&["-o", out.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(Path::new(&out)).unwrap(), format!("{text}\n"));
}
