// SPDX-License-Identifier: MIT OR Apache-2.0
//! Patterns, credentials and secrets.

use std::fs;
use std::time::Duration;

use chunkref::{ByteSource as _, ScanErrorKind, SourceErrorKind, Stores};
use chunkref_testserver::{Access, RangeOptions, RangeServer, S3Server};
use futures::executor::block_on;
use serde_json::Value;

use crate::environment::{files, fixtures, said};

use super::*;

#[test]
fn a_day_of_a_public_bucket_is_scanned() {
    let folder = archive();
    let server = S3Server::start(folder.path(), Access::Public, Duration::ZERO).unwrap();
    let out = tempfile::tempdir().unwrap();
    let output = format!("{}/", out.path().display());
    let endpoint = format!("endpoint_url={}", server.url());
    let line = ["scan", PATTERN, "--anon", "--storage-option", &endpoint, "-o", &output];
    let ran = command(&line, &[]);
    assert_eq!(
        (ran.status.code(), ran.stderr.as_slice()),
        (Some(0), b"".as_slice()),
        "{}",
        said(&ran)
    );
    let written = below(out.path());
    let sources = files(&fixtures("goes"), &["nc"]);
    assert_eq!(written.len(), sources.len());
    for (hour, (name, source)) in written.iter().zip(&sources).enumerate() {
        let file_name = source.file_name().unwrap().to_str().unwrap();
        let url = format!("s3://noaa-goes16/ABI-L2-SSTF/2020/210/{hour:02}/{file_name}");
        assert_eq!(*name, format!("{hour:02}/{}", file_name.replace(".nc", ".json")));
        let refs = references(&out.path().join(name));
        assert_eq!(refs["SST/0.0"][0], url);
        let local = command(&["scan", source.to_str().unwrap()], &[]);
        let local: Value = serde_json::from_slice(&local.stdout).unwrap();
        let moved = serde_json::to_string(&local["refs"]).unwrap();
        let moved = moved.replace(&format!("file://{}", source.display()), &url);
        assert_eq!(serde_json::to_string(&refs).unwrap(), moved);
    }
    let requests = server.traffic().take_requests();
    let listings: Vec<_> =
        requests.iter().filter(|request| request.path.contains("list-type=2")).collect();
    assert_eq!(listings.len(), 1 + sources.len(), "the day, and each of its hours: {listings:?}");
    assert!(listings.iter().all(|request| request.path.contains("2020%2F210%2F")), "{listings:?}");
    assert!(requests.iter().all(|request| request.authorization.is_none()));

    // Nothing has changed: one request a file.
    let again: Vec<_> = line.iter().copied().chain(["--resume"]).collect();
    let ran = command(&again, &[]);
    let note = format!("{0} of {0} inputs were scanned before", sources.len());
    assert!(said(&ran).contains(&note), "{}", said(&ran));
    let requests = server.traffic().take_requests();
    let reads = requests.iter().filter(|request| request.range.is_some()).count();
    assert_eq!(reads, sources.len());
}

#[test]
fn signatures_profiles_and_the_environment_let_in_and_nothing_else_does() {
    let folder = archive();
    let server = S3Server::start(folder.path(), Access::Signed, Duration::ZERO).unwrap();
    let home = tempfile::tempdir().unwrap();
    let credentials = home.path().join("credentials");
    let keys = (S3Server::ACCESS_KEY, S3Server::SECRET_KEY);
    let profile =
        format!("[other]\naws_access_key_id = {}\naws_secret_access_key = {}\n", keys.0, keys.1);
    fs::write(&credentials, profile).unwrap();
    let credentials = credentials.to_str().unwrap();
    let url = server.url();
    let endpoint = ("CHUNKREF_STORAGE_ENDPOINT_URL", url.as_str());
    let out = home.path().join("out/").display().to_string();
    let scan = |more: &[&str], environment: &[(&str, &str)]| {
        let line = ["scan", PATTERN, "-o", out.as_str(), "--retries", "0"];
        let line: Vec<_> = line.iter().chain(more).copied().collect();
        let environment: Vec<_> = environment.iter().copied().chain([endpoint]).collect();
        let ran = command(&line, &environment);
        let said = said(&ran);
        assert!(!said.contains(keys.1) && !said.contains("not-the-secret"), "{said}");
        (ran.status.code(), said)
    };
    let shared = ("AWS_SHARED_CREDENTIALS_FILE", credentials);
    let environment = [("AWS_ACCESS_KEY_ID", keys.0), ("AWS_SECRET_ACCESS_KEY", keys.1)];
    assert_eq!(scan(&[], &environment).0, Some(0));
    assert_eq!(scan(&[], &[("AWS_PROFILE", "other"), shared]).0, Some(0));
    assert_eq!(scan(&["--storage-option", "profile=other"], &[shared]).0, Some(0));
    let requests = server.traffic().take_requests();
    assert!(requests.iter().all(|request| request.authorization.is_some()));

    let (code, said) = scan(&["--anon"], &[]);
    assert!(
        code == Some(1) && said.contains("check the credentials") && said.contains("AccessDenied"),
        "{said}"
    );
    let wrong = [environment[0], ("AWS_SECRET_ACCESS_KEY", "not-the-secret")];
    let (code, said) = scan(&[], &wrong);
    assert!(code == Some(1) && said.contains("SignatureDoesNotMatch"), "{said}");
    let (code, said) = scan(&[], &[("AWS_PROFILE", "absent"), shared]);
    assert!(code == Some(2) && said.contains("no AWS profile \"absent\""), "{said}");
    let (code, said) = scan(&["--storage-option", "regoin=x"], &environment);
    assert!(code == Some(2) && said.contains("unknown storage option \"regoin\""), "{said}");
}

#[test]
fn long_listings_are_read_to_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = folder.path().join("bucket/a");
    fs::create_dir_all(&bucket).unwrap();
    for number in 0..2345 {
        fs::write(bucket.join(format!("f{number}.nc")), b"x").unwrap();
    }
    let server = S3Server::start(folder.path(), Access::Signed, Duration::ZERO).unwrap();
    let stores = Stores::new(signed(&server.url()));
    let found = block_on(stores.expand("s3://bucket/a/f*.nc")).unwrap();
    assert_eq!(found.len(), 2345);
    assert_eq!(server.traffic().take_counts().requests, 3);
    assert_eq!((found[2].file_name(), found[2344].file_name()), ("f2.nc", "f2344.nc"));
    let some = block_on(stores.expand("s3://bucket/**/f23[0-3]?.nc")).unwrap();
    assert_eq!(some.len(), 40);
    let none = block_on(stores.expand("s3://bucket/b/*")).unwrap_err();
    assert_eq!(none.kind, SourceErrorKind::NotFound);
    let bucket = block_on(stores.expand("s3://absent/*")).unwrap_err();
    assert_eq!(bucket.kind, SourceErrorKind::NotFound, "{}", text(&bucket));
}

#[test]
fn pages_of_web_servers_are_searched() {
    let folder = archive();
    fs::write(folder.path().join("noaa-goes16/with blank.nc"), b"x").unwrap();
    let server = RangeServer::start(folder.path()).unwrap();
    let stores = Stores::new(quick());
    let names = |pattern: &str| -> Vec<String> {
        let found = block_on(stores.expand(&format!("{}/noaa-goes16/{pattern}", server.url())));
        let root = format!("{}/noaa-goes16/", server.url());
        found.unwrap().iter().map(|found| found.url().replace(&root, "")).collect()
    };
    let sources = files(&fixtures("goes"), &["nc"]).len();
    assert_eq!(names("ABI-L2-SSTF/2020/210/*/*.nc").len(), sources);
    assert_eq!(names("**/*.nc").len(), sources + 2);
    assert_eq!(names("with*.nc"), ["with%20blank.nc"]);
    let opened = open(&stores, &format!("{}/noaa-goes16/with%20blank.nc", server.url())).unwrap();
    assert_eq!(opened.source.version().length, 1);
}

/// Whoever is let in at one host is not shown to another.
#[test]
fn logins_go_to_the_host_that_they_are_for() {
    let folder = served();
    let basic = "Basic bWU6d29yZA==";
    let guarded = |authorization: &str| RangeOptions {
        authorization: Some(authorization.to_owned()),
        ..RangeOptions::default()
    };
    let server = RangeServer::with_options(folder.path(), guarded(basic)).unwrap();
    let url = format!("{}/{NAME}", server.url());
    let with_user = url.replace("http://", "http://me:word@");
    let refused = scan(&Stores::new(quick()), &url).unwrap_err();
    assert_eq!(refused.kind, ScanErrorKind::PermissionDenied);
    assert!(text(&refused).contains("~/.netrc"), "{}", text(&refused));
    let let_in = scan(&Stores::new(quick()), &with_user).unwrap();
    assert_eq!(let_in.dataset.sources()[0].location, url, "the reference has no password");
    let mut options = quick();
    options.storage.set("username", "me");
    options.storage.set("password", "word");
    scan(&Stores::new(options), &url).unwrap();

    let home = tempfile::tempdir().unwrap();
    let netrc = home.path().join("netrc");
    fs::write(&netrc, "machine 127.0.0.1 login me password word\n").unwrap();
    let ran = command(&["scan", &url], &[("NETRC", netrc.to_str().unwrap())]);
    assert_eq!(ran.status.code(), Some(0), "{}", said(&ran));

    // A token for the first host; the second, where the data is, wants none and must not see it.
    let store = RangeServer::start(folder.path()).unwrap();
    let redirects = vec![(format!("/{NAME}"), format!("{}/{NAME}", store.url()))];
    let front = RangeOptions { redirects, ..RangeOptions::default() };
    let front = RangeServer::with_options(folder.path(), front).unwrap();
    let mut options = quick();
    options.storage.set("token", "very-secret");
    let url = format!("{}/{NAME}", front.url());
    let scanned = scan(&Stores::new(options), &url).unwrap();
    assert_eq!(content(&scanned), expected());
    assert_eq!(scanned.dataset.sources()[0].location, url);
    let asked = front.traffic().take_requests();
    assert_eq!(asked.len(), 1, "later requests go where the first was sent: {asked:?}");
    assert_eq!(asked[0].authorization.as_deref(), Some("Bearer very-secret"));
    let fetched = store.traffic().take_requests();
    assert!(fetched.len() > 1 && fetched.iter().all(|request| request.authorization.is_none()));
}

/// As NASA Earthdata does it: the data's host sends to the login, which knows the user, and back with a cookie.
#[test]
fn a_login_that_sends_back_with_a_cookie_works() {
    let folder = served();
    // The server does not know its own address before it starts, so the last redirection is relative.
    let options = RangeOptions {
        cookie: Some("session=7".to_owned()),
        login: Some(("/login".to_owned(), format!("/{NAME}"))),
        ..RangeOptions::default()
    };
    let data = RangeServer::with_options(folder.path(), options).unwrap();
    let front = RangeOptions {
        redirects: vec![(format!("/{NAME}"), format!("{}/login", data.url()))],
        ..RangeOptions::default()
    };
    let front = RangeServer::with_options(folder.path(), front).unwrap();
    let scanned = scan(&Stores::new(quick()), &format!("{}/{NAME}", front.url())).unwrap();
    assert_eq!(content(&scanned), expected());
    let requests = data.traffic().take_requests();
    assert!(
        requests
            .iter()
            .filter(|request| request.path != "/login")
            .all(|request| { request.cookie.as_deref() == Some("session=7") })
    );

    let circle = RangeOptions {
        redirects: vec![("/a".to_owned(), "/b".to_owned()), ("/b".to_owned(), "/a".to_owned())],
        ..RangeOptions::default()
    };
    let circle = RangeServer::with_options(folder.path(), circle).unwrap();
    let error = scan(&Stores::new(quick()), &format!("{}/a", circle.url())).unwrap_err();
    assert!(text(&error).contains("redirects again and again"), "{}", text(&error));
}

#[test]
fn signed_urls_are_refused_and_never_shown() {
    let folder = served();
    let server = RangeServer::start(folder.path()).unwrap();
    let url = format!("{}/{NAME}?X-Amz-Signature=very-secret&x=1", server.url());
    let out = tempfile::tempdir().unwrap();
    let output = out.path().join("out.json").display().to_string();
    let refused = command(&["scan", &url, "-o", &output], &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("--keep-query") && !said(&refused).contains("very-secret"));
    let line = ["scan", &url, "-o", &output, "--keep-query", "--stats", "--log-level", "trace"];
    let kept = command(&line, &[]);
    assert_eq!(kept.status.code(), Some(0), "{}", said(&kept));
    assert!(!said(&kept).contains("very-secret"), "{}", said(&kept));
    assert!(said(&kept).contains("X-Amz-Signature=***"), "{}", said(&kept));
    assert!(fs::read_to_string(&output).unwrap().contains("X-Amz-Signature=very-secret"));
}
