// SPDX-License-Identifier: MIT OR Apache-2.0
//! What reference sets may name, and where credentials go: every command, with servers that keep what they were sent.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use chunkref_testserver::{Access, RangeOptions, RangeServer, S3Server};
use serde_json::json;
use tempfile::TempDir;

use crate::environment::{files, fixtures, program, said};

const SECRET: &str = "TOPSECRET-LOCAL-FILE-0123456789\n";

/// Variables that let somebody in.
const ENVIRONMENT: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_PROFILE",
    "CHUNKREF_STORAGE_TOKEN",
    "NETRC",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
];

/// A folder whose name begins with no dot, as those of archives.
fn folder() -> TempDir {
    tempfile::Builder::new().prefix("chunkref-").tempdir().unwrap()
}

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program());
    command.args(arguments).env("NO_COLOR", "1");
    for name in ENVIRONMENT {
        command.env_remove(name);
    }
    command.envs(environment.iter().copied()).output().unwrap()
}

fn failed(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let ran = run(arguments, environment);
    let said = said(&ran);
    assert_eq!(ran.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(!said.contains("panicked"), "{said}");
    format!("{said}\n{}", String::from_utf8_lossy(&ran.stdout))
}

fn done(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let ran = run(arguments, environment);
    assert_eq!(ran.status.code(), Some(0), "{arguments:?}: {}", said(&ran));
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

/// A set with a coordinate of time, a small array `t` of bytes that is not along it, and one more.
fn set(url: &str, length: usize, time: u8) -> String {
    let array = |shape: usize, dtype: &str| {
        json!({"zarr_format": 2, "shape": [shape], "chunks": [shape], "dtype": dtype, "fill_value": null, "order": "C",
               "filters": null, "compressor": null})
        .to_string()
    };
    let of = |name: &str| {
        json!({"_ARRAY_DIMENSIONS": [name], "units": "hours since 2000-01-01"}).to_string()
    };
    let inline = format!("base64:{}", if time == 1 { "AQAAAA==" } else { "AgAAAA==" });
    json!({"version": 1, "refs": {
        ".zgroup": "{\"zarr_format\":2}",
        "t/.zarray": array(length, "|u1"), "t/.zattrs": of("x"), "t/0": [url, 0, length],
        "time/.zarray": array(1, "<i4"), "time/.zattrs": of("time"), "time/0": inline,
    }})
    .to_string()
}

/// A set whose axis of time lies elsewhere, for reports.
fn axis_elsewhere(url: &str) -> String {
    let array = json!({"zarr_format": 2, "shape": [8], "chunks": [8], "dtype": "<i4", "fill_value": null, "order": "C",
                       "filters": null, "compressor": null});
    let attributes = json!({"_ARRAY_DIMENSIONS": ["time"], "units": "hours since 2000-01-01"});
    json!({"version": 1, "refs": {
        ".zgroup": "{\"zarr_format\":2}",
        "time/.zarray": array.to_string(), "time/.zattrs": attributes.to_string(), "time/0": [url, 0, 32],
    }})
    .to_string()
}

/// Whether a text shows the secret, as it is or as numbers.
fn shows_secret(text: &str) -> bool {
    let numbers: Vec<_> = text
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .collect();
    text.contains("TOPSECRET") || numbers.windows(3).any(|part| part == ["84", "79", "80"])
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn no_command_reads_a_secret_that_a_set_names() {
    let root = folder();
    let root = root.path();
    fs::write(root.join("secret.txt"), SECRET).unwrap();
    fs::create_dir(root.join("sets")).unwrap();
    let sets = root.join("sets");
    std::os::unix::fs::symlink(root.join("secret.txt"), sets.join("link.nc")).unwrap();
    let secret = root.join("secret.txt").display().to_string();
    for (name, url) in [
        ("url", format!("file://{secret}")),
        ("path", secret.clone()),
        ("localhost", format!("file://localhost{secret}")),
        ("parent", format!("{}/../secret.txt", sets.display())),
        ("encoded", format!("file://{}", secret.replace("secret.txt", "%73ecret.txt"))),
        ("link", format!("file://{}/link.nc", sets.display())),
        ("template", format!("{{{{u}}}}{secret}")),
        ("passwd", "file:///etc/passwd".to_owned()),
        ("environ", "/proc/self/environ".to_owned()),
    ] {
        let set_at = |number: u8| {
            let path = sets.join(format!("{name}{number}.json"));
            let mut set = set(&url, 32, number);
            if name == "template" {
                set =
                    set.replace("\"version\":1", "\"version\":1,\"templates\":{\"u\":\"file://\"}");
            }
            fs::write(&path, set).unwrap();
            path.display().to_string()
        };
        let (first, second) = (set_at(1), set_at(2));
        let report = sets.join(format!("{name}-report.json"));
        fs::write(&report, axis_elsewhere(&url)).unwrap();
        let out = root.join("out.json").display().to_string();
        for line in [
            vec!["cat", &first, "t"],
            vec!["verify", &first],
            vec!["combine", &first, &second, "--concat", "time", "-o", &out],
            vec!["append", &first, &second, "--concat", "time"],
        ] {
            let said = failed(&line, &[]);
            assert!(!shows_secret(&said), "{line:?}: {said}");
            assert!(said.contains("allow file://"), "{line:?}: {said}");
            assert!(!root.join("out.json").exists());
        }
        let page = run(&["report", text(&report)], &[]);
        let page = String::from_utf8_lossy(&page.stdout).into_owned();
        assert!(!page.contains("1347702612") && !page.contains("TOPSECRET"), "{page}");
    }
    let first = sets.join("url1.json").display().to_string();
    let said = failed(&["cat", &first, "t"], &[]);
    assert!(said.contains(&format!("--allow file://{secret}")), "{said}");
    let allowed = done(&["cat", &first, "t", "--allow", &secret], &[]);
    assert!(shows_secret(&allowed), "{allowed}");
    let allowed = ["cat", &first, "t", "--allow", text(root)];
    assert!(shows_secret(&done(&allowed, &[])));
    let other = ["cat", &first, "t", "--allow", &secret[..secret.len() - 1]];
    failed(&other, &[]);
}

#[test]
fn a_set_of_the_user_reads_data_files_elsewhere() {
    use std::os::unix::fs::PermissionsExt as _;

    let (here, there) = (folder(), folder());
    let source = files(&fixtures("goes"), &["nc"]).remove(0);
    fs::create_dir(there.path().join(".hidden")).unwrap();
    fs::copy(&source, there.path().join("a.nc")).unwrap();
    fs::copy(&source, there.path().join(".hidden/a.nc")).unwrap();
    let set = here.path().join("a.json");
    done(&["scan", text(&there.path().join("a.nc")), "-o", text(&set)], &[]);
    let values_of = ["cat", text(&set), "SST[0,0]"];
    let values = done(&values_of, &[]);
    assert!(done(&["verify", text(&set)], &[]).contains("sound"));

    let mode = |mode: u32| {
        fs::set_permissions(&set, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o666);
    let said = failed(&values_of, &[]);
    assert!(said.contains("can be written by others") && said.contains("--allow"), "{said}");
    let allowed = ["cat", text(&set), "SST[0,0]", "--allow", text(there.path())];
    assert_eq!(done(&allowed, &[]), values);
    mode(0o600);
    assert_eq!(done(&values_of, &[]), values);

    let hidden = here.path().join("hidden.json");
    let moved = fs::read_to_string(&set).unwrap().replace("/a.nc", "/.hidden/a.nc");
    fs::write(&hidden, moved).unwrap();
    let said = failed(&["cat", text(&hidden), "SST[0,0]"], &[]);
    assert!(said.contains("is hidden"), "{said}");
    // What is beside the set is read whatever it is, but for what is hidden.
    let beside = there.path().join("beside.json");
    fs::copy(&hidden, &beside).unwrap();
    failed(&["cat", text(&beside), "SST[0,0]"], &[]);
    mode(0o666);
    let beside = there.path().join("b.json");
    fs::copy(&set, &beside).unwrap();
    assert_eq!(done(&["cat", text(&beside), "SST[0,0]"], &[]), values);
}

#[test]
fn a_set_of_the_network_names_no_local_file_and_no_other_server_of_it() {
    let served = folder();
    let source = files(&fixtures("goes"), &["nc"]).remove(0);
    fs::copy(&source, served.path().join("a.nc")).unwrap();
    fs::create_dir(served.path().join("sets")).unwrap();
    fs::write(served.path().join("raw"), SECRET).unwrap();
    fs::write(served.path().join("sets/raw"), SECRET).unwrap();
    let own = RangeServer::start(served.path()).unwrap();
    let other = RangeServer::start(served.path()).unwrap();
    let by_name = other.url().replace("127.0.0.1", "localhost");
    let root = own.url();
    let write = |name: &str, url: &str| {
        fs::write(served.path().join("sets").join(name), set(url, 32, 1)).unwrap();
        format!("{root}/sets/{name}")
    };
    let token =
        ["--storage-option", "token=MYTOKEN", "--storage-option", "headers.X-Secret=HEADER"];
    let line = |command: &'static str, url: &str| -> Vec<String> {
        let mut line = vec![command.to_owned(), url.to_owned()];
        line.extend((command == "cat").then(|| "t".to_owned()));
        line.extend(token.iter().map(|&text| text.to_owned()));
        line.extend(["--retries".to_owned(), "0".to_owned()]);
        line
    };
    let netrc = served.path().join("netrc");
    fs::write(
        &netrc,
        "machine localhost login nl password np\nmachine 127.0.0.1 login a password b\n",
    )
    .unwrap();
    let environment = [("NETRC", text(&netrc))];
    for (name, url) in [
        ("local.json", format!("file://{}", served.path().join("a.nc").display())),
        ("passwd.json", "/etc/passwd".to_owned()),
        ("name.json", format!("{by_name}/raw")),
        ("number.json", format!("{}/raw", other.url())),
        ("hex.json", other.url().replace("127.0.0.1", "0x7f.1") + "/raw"),
        ("mapped.json", other.url().replace("127.0.0.1", "[::ffff:127.0.0.1]") + "/raw"),
        ("meta.json", "http://169.254.169.254/latest/meta-data/".to_owned()),
        ("above.json", format!("{root}/raw")),
        ("encoded.json", format!("{root}/sets/%2e%2e/raw")),
        ("slash.json", format!("{root}/sets/..%2fraw")),
    ] {
        let set = write(name, &url);
        for command in ["cat", "verify"] {
            let line = line(command, &set);
            let line: Vec<_> = line.iter().map(String::as_str).collect();
            let said = failed(&line, &environment);
            assert!(said.contains("may not, because"), "{line:?}: {said}");
            assert!(!shows_secret(&said), "{said}");
        }
    }
    assert_eq!(other.traffic().take_requests(), [], "nothing went to the other server");

    // What is beside the set is read, with the token that is for its server.
    let set = write("beside.json", &format!("{root}/sets/raw"));
    drop(own.traffic().take_requests());
    let beside = line("cat", &set);
    let beside: Vec<_> = beside.iter().map(String::as_str).collect();
    assert!(shows_secret(&done(&beside, &environment)));
    let requests = own.traffic().take_requests();
    assert!(!requests.is_empty());
    for request in requests {
        assert_eq!(request.authorization.as_deref(), Some("Bearer MYTOKEN"));
        assert_eq!(request.headers["x-secret"], "HEADER");
    }

    // What is allowed is read too, with what is for its own server.
    let set = write("allowed.json", &format!("{}/raw", other.url()));
    let allow = format!("{}/raw", other.url());
    let scoped = format!("{}:token=THEIRS", other.url());
    let allowed = ["cat", &set, "t", "--allow", &allow, token[0], token[1], token[2], token[3]];
    assert!(shows_secret(&done(&allowed, &[])));
    for request in other.traffic().take_requests() {
        assert_eq!(request.authorization, None);
        assert!(!request.headers.contains_key("x-secret"));
    }
    let allowed: Vec<_> = allowed.into_iter().chain(["--storage-option", &scoped]).collect();
    assert!(shows_secret(&done(&allowed, &[])));
    let requests = other.traffic().take_requests();
    assert!(!requests.is_empty());
    for request in requests {
        assert_eq!(request.authorization.as_deref(), Some("Bearer THEIRS"));
        assert!(!request.headers.contains_key("x-secret"));
    }
}

/// A local set may name any public host, but not one of the own network, and is let in nowhere.
#[test]
fn a_local_set_gives_no_credentials_away() {
    let served = folder();
    fs::write(served.path().join("raw"), SECRET).unwrap();
    let own = RangeServer::start(served.path()).unwrap();
    let local = folder();
    let path = local.path().join("set.json");
    fs::write(&path, set(&format!("{}/raw", own.url()), 32, 1)).unwrap();
    let netrc = local.path().join("netrc");
    fs::write(&netrc, "machine 127.0.0.1 login nl password np\ndefault login x password y\n")
        .unwrap();
    let environment = [("CHUNKREF_STORAGE_TOKEN", "ENVTOKEN"), ("NETRC", text(&netrc))];
    for line in [vec!["verify", text(&path)], vec!["cat", text(&path), "t"]] {
        let said = failed(&line, &environment);
        assert!(said.contains(&format!("allow {}/", own.url())), "{said}");
    }
    assert_eq!(own.traffic().take_requests(), []);
    let allow = own.url();
    done(&["cat", text(&path), "t", "--allow", &allow], &environment);
    let requests = own.traffic().take_requests();
    assert!(!requests.is_empty());
    for request in requests {
        let token = request.authorization;
        assert_eq!(token.as_deref(), Some("Bearer ENVTOKEN"), "the only store that is allowed");
    }
}

#[test]
fn a_bucket_that_a_set_names_is_read_without_credentials_unless_it_is_allowed() {
    let buckets = folder();
    fs::create_dir(buckets.path().join("mine")).unwrap();
    fs::write(buckets.path().join("mine/raw"), SECRET).unwrap();
    let signed = S3Server::start(buckets.path(), Access::Signed, Duration::ZERO).unwrap();
    let local = folder();
    let path = local.path().join("set.json");
    fs::write(&path, set("s3://mine/raw", 32, 1)).unwrap();
    let endpoint = format!("endpoint_url={}", signed.url());
    let base = ["cat", text(&path), "t", "--retries", "0", "--storage-option", &endpoint];
    let keys = [
        ("AWS_ACCESS_KEY_ID", S3Server::ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", S3Server::SECRET_KEY),
    ];
    let refused = failed(&base, &keys);
    assert!(refused.contains("without credentials"), "{refused}");
    assert!(refused.contains("--allow s3://mine/"), "{refused}");
    let requests = signed.traffic().take_requests();
    assert!(!requests.is_empty());
    assert!(requests.iter().all(|request| request.authorization.is_none()), "{requests:?}");

    let with = |more: &[&str], environment: &[(&str, &str)]| {
        let line: Vec<_> = base.iter().chain(more).copied().collect();
        let ran = run(&line, environment);
        (ran.status.code(), said(&ran))
    };
    let allow = ["--allow", "s3://mine/"];
    assert_eq!(with(&allow, &keys).0, Some(0), "the environment's are used then");
    let key = format!("key={}", S3Server::ACCESS_KEY);
    let secret = format!("secret={}", S3Server::SECRET_KEY);
    let flat = ["--storage-option", &key, "--storage-option", &secret];
    assert_eq!(with(&flat, &[]).0, Some(1), "options alone are for no store");
    let flat: Vec<_> = flat.into_iter().chain(allow).collect();
    assert_eq!(with(&flat, &[]).0, Some(0), "the only store that is allowed");
    let several: Vec<_> = flat.into_iter().chain(["--allow", "s3://other/"]).collect();
    let (code, said) = with(&several, &[]);
    assert!(code != Some(0) && said.contains("is for one store"), "{said}");
    let key = format!("s3://mine:{key}");
    let secret = format!("s3://mine:{secret}");
    let scoped = ["--storage-option", &key, "--storage-option", &secret];
    let scoped: Vec<_> =
        scoped.into_iter().chain(allow).chain(["--allow", "s3://other/"]).collect();
    assert_eq!(with(&scoped, &[]).0, Some(0), "they say which store they are for");
    let public = S3Server::start(buckets.path(), Access::Public, Duration::ZERO).unwrap();
    let endpoint = format!("endpoint_url={}", public.url());
    let line = ["cat", text(&path), "t", "--storage-option", &endpoint];
    assert!(shows_secret(&done(&line, &[])), "what is public needs nothing");
}

#[test]
fn a_secret_for_one_store_needs_to_say_which_of_several() {
    let served = folder();
    fs::copy(files(&fixtures("goes"), &["nc"]).remove(0), served.path().join("a.nc")).unwrap();
    let (first, second) =
        (RangeServer::start(served.path()).unwrap(), RangeServer::start(served.path()).unwrap());
    let inputs = [format!("{}/a.nc", first.url()), format!("{}/a.nc", second.url())];
    let out = folder();
    let out = format!("{}/", out.path().display());
    let base = ["scan", &inputs[0], &inputs[1], "-o", &out];
    for (more, environment) in [
        (vec!["--storage-option", "token=VERYSECRET"], vec![]),
        (vec!["--storage-option", "headers.X-A=VERYSECRET"], vec![]),
        (vec![], vec![("CHUNKREF_STORAGE_TOKEN", "VERYSECRET")]),
    ] {
        let line: Vec<_> = base.iter().copied().chain(more).collect();
        let ran = run(&line, &environment);
        let said = said(&ran);
        assert_eq!(ran.status.code(), Some(2), "{said}");
        assert!(said.contains("--storage-option") && !said.contains("VERYSECRET"), "{said}");
    }
    assert!(first.traffic().take_requests().is_empty());
    assert!(second.traffic().take_requests().is_empty());
    let each = [format!("{}:token=ONE", first.url()), format!("{}:token=TWO", second.url())];
    let line: Vec<_> = base
        .into_iter()
        .chain(["--storage-option", &each[0], "--storage-option", &each[1]])
        .chain(["--storage-option", "timeout=20"])
        .collect();
    done(&line, &[]);
    for (asked, token) in [(&first, "Bearer ONE"), (&second, "Bearer TWO")] {
        let requests = asked.traffic().take_requests();
        assert!(!requests.is_empty());
        for request in requests {
            assert_eq!(request.authorization.as_deref(), Some(token));
        }
    }
}

#[test]
fn redirections_carry_no_credentials_and_lead_nowhere_else() {
    let served = folder();
    let source = files(&fixtures("goes"), &["nc"]).remove(0);
    fs::copy(&source, served.path().join("a.nc")).unwrap();
    let store = RangeServer::start(served.path()).unwrap();
    let by_name = store.url().replace("127.0.0.1", "localhost");
    for target in [store.url(), by_name] {
        let redirects = vec![("/a.nc".to_owned(), format!("{target}/a.nc"))];
        let front = RangeOptions { redirects, ..RangeOptions::default() };
        let front = RangeServer::with_options(served.path(), front).unwrap();
        let url = format!("{}/a.nc", front.url());
        let with_user = url.replace("http://", "http://user:pass@");
        let token = ["--storage-option", "token=TOK", "--storage-option", "headers.X-Secret=HS"];
        for line in [vec!["scan", &with_user], [vec!["scan", &url], token.to_vec()].concat()] {
            let refs = done(&line, &[]);
            assert!(refs.contains(&url) && !refs.contains("pass"));
            let requests = store.traffic().take_requests();
            assert!(!requests.is_empty());
            for request in requests {
                assert_eq!(request.authorization, None, "{line:?}");
                assert_eq!(request.cookie, None);
                assert!(!request.headers.contains_key("x-secret"));
            }
            let asked = front.traffic().take_requests();
            assert!(asked.iter().all(|request| request.authorization.is_some()));
        }
    }
    // Not from the own network to the services that tell machines their keys, and to no files.
    for target in ["http://169.254.169.254/latest/", "http://[fe80::1]/", "file:///etc/passwd"] {
        let redirects = vec![("/a.nc".to_owned(), target.to_owned())];
        let front = RangeOptions { redirects, ..RangeOptions::default() };
        let front = RangeServer::with_options(served.path(), front).unwrap();
        let said = failed(&["scan", &format!("{}/a.nc", front.url()), "--timeout", "2"], &[]);
        assert!(said.contains("own network") || said.contains("no web address"), "{said}");
    }
}
