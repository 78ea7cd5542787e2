// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes wrong between a store and its reader, and what requests cost.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chunkref::{ManyOptions, ScanErrorKind, ScanOptions, Stores, scan_many, scan_source};
use chunkref_testserver::{Access, Fault, FaultyProxy, RangeOptions, RangeServer, Rule, S3Server};
use futures::StreamExt;
use futures::executor::block_on;

use crate::environment::{chunkref, files, fixtures};

use super::*;

/// Faults that are got over: the scan is the same as without.
#[test]
fn passing_faults_are_got_over() {
    let folder = served();
    let server = RangeServer::start(folder.path()).unwrap();
    let expected = expected();
    for rule in [
        Rule::first(3, Fault::Delay(Duration::from_millis(50))),
        Rule::first(2, Fault::Drop),
        Rule::first(2, Fault::Drop).after(4),
        Rule::first(2, Fault::DropAfter(1000)).after(1),
        Rule::first(1, Fault::Slowly(20_000, Duration::from_millis(10))),
        Rule::first(3, Fault::Status(500, None)),
        Rule::first(3, Fault::Status(502, None)).after(2),
        Rule::first(3, Fault::Status(503, Some(0))).after(5),
        Rule::first(2, Fault::Status(429, Some(0))),
        Rule::first(2, Fault::Shorten(7)).after(1),
        Rule::first(2, Fault::Lengthen(7)).after(1),
        Rule::first(2, Fault::WrongRange).after(1),
        Rule::always(Fault::IgnoreRange),
        Rule::always(Fault::WithoutHeader("etag")),
    ] {
        let proxy = FaultyProxy::start(&server.url(), [rule.clone()]).unwrap();
        let scanned = scan(&Stores::new(quick()), &format!("{}/{NAME}", proxy.url()));
        let scanned = scanned.unwrap_or_else(|error| panic!("{rule:?}: {}", text(&error)));
        assert!(proxy.fired() > 0, "{rule:?} did not happen");
        assert_eq!(content(&scanned), expected, "{rule:?}");
    }
}

/// Faults that stay: an error that says what it was, in bounded time.
#[test]
fn lasting_faults_are_errors_that_say_what_they_were() {
    let folder = served();
    let server = RangeServer::start(folder.path()).unwrap();
    let mut hasty = quick();
    hasty.timeout = Duration::from_millis(100);
    hasty.retry.retries = 1;
    let mut late = quick();
    late.deadline = Some(Duration::from_millis(300));
    for (options, fault, kind, words) in [
        (quick(), Fault::Drop, ScanErrorKind::Io, "broke off"),
        (quick(), Fault::DropAfter(10), ScanErrorKind::Io, "5 tries"),
        (
            quick(),
            Fault::Status(503, Some(0)),
            ScanErrorKind::Io,
            "SlowDown: Please reduce your request rate.",
        ),
        (quick(), Fault::Status(404, None), ScanErrorKind::NotFound, "check the URL"),
        (
            quick(),
            Fault::Status(403, None),
            ScanErrorKind::PermissionDenied,
            "check the credentials",
        ),
        (quick(), Fault::Shorten(3), ScanErrorKind::Io, "65533 bytes where it announced 65536"),
        (quick(), Fault::Lengthen(3), ScanErrorKind::Io, "more bytes where it announced 65536"),
        (quick(), Fault::WrongRange, ScanErrorKind::Io, "bytes 1 to 3 when 0 to 65536"),
        (hasty, Fault::Hang, ScanErrorKind::Io, "the server fell silent"),
        (
            late,
            Fault::Status(503, Some(60)),
            ScanErrorKind::TimedOut,
            "0.3 seconds (the last fault: the server answered 503",
        ),
    ] {
        let proxy = FaultyProxy::start(&server.url(), [Rule::always(fault.clone())]).unwrap();
        let error = scan(&Stores::new(options), &format!("{}/{NAME}", proxy.url())).unwrap_err();
        assert!(proxy.fired() > 0);
        assert_eq!(error.kind, kind, "{fault:?}: {}", text(&error));
        assert!(text(&error).contains(words), "{fault:?}: {}", text(&error));
    }
    let nobody = scan(&Stores::new(quick()), "http://127.0.0.1:9/x").unwrap_err();
    assert!(text(&nobody).contains("the server cannot be reached"), "{}", text(&nobody));
}

/// A rule that replaces the served file before a later request.
fn replace(folder: &Path, after: u64, keep_length: bool) -> Rule {
    let path = folder.join(NAME);
    let other = original();
    Rule::first(
        1,
        Fault::Run(Arc::new(move || {
            let mut bytes = fs::read(&other).unwrap();
            if !keep_length {
                bytes.extend_from_slice(b"longer");
            }
            fs::write(&path, bytes).unwrap();
            let later = std::time::SystemTime::now() + Duration::from_secs(5);
            fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        })),
    )
    .after(after)
}

#[test]
fn an_object_that_changes_midway_is_an_error() {
    for without_tags in [false, true] {
        for keep_length in [false, true] {
            for after in [1, 3] {
                let folder = served();
                let options = RangeOptions { without_tags, ..RangeOptions::default() };
                let server = RangeServer::with_options(folder.path(), options).unwrap();
                let rule = replace(folder.path(), after, keep_length);
                let proxy = FaultyProxy::start(&server.url(), [rule]).unwrap();
                let error =
                    scan(&Stores::new(quick()), &format!("{}/{NAME}", proxy.url())).unwrap_err();
                assert_eq!(error.kind, ScanErrorKind::Changed, "{}", text(&error));
                assert!(text(&error).contains("scan it again"));
                assert_eq!(proxy.fired(), 1);
            }
        }
    }
    // On S3 the condition itself is refused.
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("bucket")).unwrap();
    fs::copy(original(), folder.path().join("bucket").join(NAME)).unwrap();
    let server = S3Server::start(folder.path(), Access::Signed, Duration::ZERO).unwrap();
    let rule = replace(&folder.path().join("bucket"), 2, true);
    let proxy = FaultyProxy::start(&server.url(), [rule]).unwrap();
    let error =
        scan(&Stores::new(signed(&proxy.url())), &format!("s3://bucket/{NAME}")).unwrap_err();
    assert_eq!(error.kind, ScanErrorKind::Changed, "{}", text(&error));
    assert!(server.traffic().take_requests().iter().any(|request| request.if_match.is_some()));
}

#[test]
fn a_server_without_ranges_is_read_once_and_only_if_the_object_is_small() {
    let folder = served();
    let server = RangeServer::start(folder.path()).unwrap();
    let proxy = FaultyProxy::start(&server.url(), [Rule::always(Fault::IgnoreRange)]).unwrap();
    scan(&Stores::new(quick()), &format!("{}/{NAME}", proxy.url())).unwrap();
    assert_eq!(server.traffic().take_counts().requests, 1);
    let url = format!("{}/{NAME}", proxy.url());
    let ran = chunkref(["scan", &url, "-o", &folder.path().join("out.json").display().to_string()]);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.contains("HTTP Range"), "{said}");
    let large = fs::File::create(folder.path().join("large.nc")).unwrap();
    large.set_len((64 << 20) + 1).unwrap();
    let error = scan(&Stores::new(quick()), &format!("{}/large.nc", proxy.url())).unwrap_err();
    assert!(text(&error).contains("download the file and scan the copy"), "{}", text(&error));
}

#[test]
fn requests_are_counted_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let path = fixtures("mcmipf").join("realistic.nc");
    std::os::unix::fs::symlink(path, folder.path().join("realistic.nc")).unwrap();
    let server = RangeServer::start(folder.path()).unwrap();
    let opened = open(&Stores::new(quick()), &format!("{}/realistic.nc", server.url())).unwrap();
    let options = ScanOptions::default().with_inline_threshold(0);
    let scan = block_on(scan_source(&opened.source, &options)).unwrap();
    assert!(scan.skipped.is_empty());
    let (cost, counts) = (opened.cost(), server.traffic().take_counts());
    assert_eq!((cost.requests, cost.bytes), (counts.requests, counts.bytes));
    assert_eq!(opened.retries(), 0);
    // What is counted without a server (`cost`), less the bytes that are kept here and not read twice.
    assert_eq!((cost.rounds, cost.requests, cost.bytes), (7, 373, 1_066_648));
    assert!(counts.most_in_flight <= 128);
    let requests = server.traffic().take_requests();
    assert!(requests.iter().skip(1).all(|request| request.if_match.is_some()));
    assert!(requests.iter().all(|request| request.method == "GET" && request.range.is_some()));
}

#[test]
fn one_request_at_a_time_takes_one_connection() {
    let folder = served();
    let server = RangeServer::start(folder.path()).unwrap();
    let mut options = quick();
    options.requests = std::num::NonZeroUsize::MIN;
    scan(&Stores::new(options), &format!("{}/{NAME}", server.url())).unwrap();
    let requests = server.traffic().take_requests();
    assert!(requests.len() > 5 && requests.iter().all(|request| request.connection == 0));
}

#[test]
fn bytes_that_two_readers_want_are_asked_for_once() {
    let folder = served();
    let latency = Duration::from_millis(50);
    let options = RangeOptions { latency, ..RangeOptions::default() };
    let server = RangeServer::with_options(folder.path(), options).unwrap();
    let opened = open(&Stores::new(quick()), &format!("{}/{NAME}", server.url())).unwrap();
    let wide = 70_000..80_000;
    let narrow = 71_000..72_000;
    let both = futures::future::join(
        opened.source.read_many(std::slice::from_ref(&wide)),
        opened.source.read_many(std::slice::from_ref(&narrow)),
    );
    let (wide, narrow) = block_on(both);
    assert_eq!(wide.unwrap()[0][1000..2000], narrow.unwrap()[0][..]);
    assert_eq!(server.traffic().take_counts().requests, 2, "the head, and one for both");
}

#[test]
fn limits_of_requests_hold() {
    let folder = fixtures("mcmipf");
    let latency = Duration::from_millis(5);
    let options = RangeOptions { latency, ..RangeOptions::default() };
    let server = RangeServer::with_options(&folder, options).unwrap();
    let one = |most: usize| std::num::NonZeroUsize::new(most).unwrap();
    for (per_file, all, per_host) in [(3, 256, 256), (128, 4, 256), (128, 256, 5)] {
        let mut options = quick();
        options.requests_per_object = one(per_file);
        options.requests = one(all);
        options.requests_per_host = one(per_host);
        scan(&Stores::new(options), &format!("{}/realistic.nc", server.url())).unwrap();
        let most = server.traffic().take_counts().most_in_flight;
        let allowed = per_file.min(all).min(per_host);
        assert_eq!(most, u64::try_from(allowed).unwrap());
    }
}

#[test]
fn faults_between_a_bucket_and_its_reader_are_got_over() {
    let folder = archive();
    let server = S3Server::start(folder.path(), Access::Signed, Duration::ZERO).unwrap();
    let rules = [
        Rule::first(2, Fault::Status(503, Some(0))).path("list").after(0),
        Rule::first(2, Fault::Status(503, Some(0))),
        Rule::first(3, Fault::DropAfter(100)).after(3),
        Rule::first(2, Fault::Drop).after(7),
    ];
    let proxy = FaultyProxy::start(&server.url(), rules).unwrap();
    let stores = Stores::new(signed(&proxy.url()));
    let locations = block_on(stores.expand(PATTERN)).unwrap();
    let sources = files(&fixtures("goes"), &["nc"]);
    assert_eq!(locations.len(), sources.len());
    let scans = scan_many(&stores, locations, &ScanOptions::default(), ManyOptions::default());
    let scans: Vec<_> = block_on(scans.unwrap().collect());
    assert_eq!(scans.len(), sources.len());
    for scanned in scans {
        let local = scan(&Stores::default(), sources[scanned.place].to_str().unwrap()).unwrap();
        let scan = scanned.outcome.unwrap_or_else(|error| panic!("{}", text(&error)));
        assert_eq!(content(&scan), content(&local));
    }
    assert!(proxy.fired() >= 7, "{}", proxy.fired());
}
