// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref report` writes a page that is whole, loads nothing and runs nothing, and that a browser shows.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::environment::{artefacts, chromium, chunkref, said};
use crate::verify::Cube;

/// Elements without an end.
const VOID: [&str; 2] = ["meta", "br"];

/// Writes the page of a cube beside it.
#[track_caller]
fn report(cube: &Path) -> (PathBuf, String) {
    let page = cube.with_extension("html");
    let ran = chunkref([Path::new("report"), cube, Path::new("-o"), &page]);
    assert!(ran.status.success(), "{}", said(&ran));
    let text = fs::read_to_string(&page).unwrap();
    check(&text);
    (page, text)
}

/// The tags of a page: name, attributes, whether it ends at once. Text outside tags holds no `<` or `>`.
fn tags(page: &str) -> Vec<(&str, &str, bool)> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at(start);
        assert!(
            !text.contains('>') || tags.last().is_some_and(|tag: &(&str, _, _)| tag.0 == "style"),
            "{text}"
        );
        let mut quoted = false;
        let end = tag.find(|letter| {
            quoted ^= letter == '"';
            letter == '>' && !quoted
        });
        let (tag, behind) = tag.split_at(end.unwrap());
        rest = &behind[1..];
        let (tag, closed) =
            tag[1..].strip_suffix('/').map_or((&tag[1..], false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        tags.push((name, attributes, closed));
    }
    tags
}

/// What every page must be: well nested, of known elements, without scripts, and complete in itself.
#[track_caller]
fn check(page: &str) {
    let (mut open, mut ids, mut wanted) = (Vec::new(), HashSet::new(), Vec::new());
    for (name, attributes, closed) in tags(page) {
        if name == "!DOCTYPE" {
            continue;
        }
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "in {open:?}");
            continue;
        }
        assert!(
            !["script", "img", "iframe", "object", "embed", "link", "base", "form"].contains(&name),
            "<{name} {attributes}>"
        );
        for attribute in attributes.split("\" ").filter(|text| !text.is_empty()) {
            let (key, value) =
                attribute.split_once("=\"").unwrap_or_else(|| panic!("<{name} {attributes}>"));
            let value = value.trim_end_matches('"');
            assert!(
                !key.starts_with("on") && !["src", "style", "srcset", "action"].contains(&key),
                "{attributes}"
            );
            match key {
                "href" => {
                    assert!(value.starts_with('#'), "{value}");
                    wanted.push(value.trim_start_matches('#').to_owned());
                }
                "fill" => assert!(value.starts_with("url(#p-"), "{value}"),
                "id" => assert!(ids.insert(value.to_owned()), "twice: {value}"),
                "aria-labelledby" => wanted.push(value.to_owned()),
                _ => {}
            }
        }
        if name == "svg" {
            let named = attributes.contains("role=\"img\"") && attributes.contains("aria-label=\"");
            assert!(named || attributes.contains("aria-hidden=\"true\""), "{attributes}");
        }
        if name == "th" {
            assert!(attributes.contains("scope=\""), "{attributes}");
        }
        if !closed && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, [""; 0]);
    let lost: Vec<_> = wanted.iter().filter(|id| !ids.contains(*id)).collect();
    assert!(lost.is_empty(), "no {lost:?}");
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    assert!(style.contains("prefers-color-scheme: dark"));
    assert!(!style.contains("url(") && !style.contains("@import"), "{style}");
    assert!(page.contains("default-src 'none'"));
    let count = |tag: &str| page.matches(tag).count();
    assert_eq!((count("<h1"), count("<main"), count("<style")), (1, 1, 1));
    assert_eq!(count("<table>"), count("<caption "));
}

/// References that try all they can to become markup, of a grid with all kinds of chunks.
fn hostile(folder: &Path) -> PathBuf {
    let name = "<img src=x onerror=\"document.title='broken'\">";
    let dimension = "<script>document.title='broken'</script>";
    let array = |shape: &[u64], chunks: &[u64], dtype: &str| {
        json!({"zarr_format": 2, "shape": shape, "chunks": chunks, "dtype": dtype, "order": "C",
               "fill_value": null, "filters": null,
               "compressor": {"id": "zlib\"><script>document.title='broken'</script>", "level": 1}})
        .to_string()
    };
    let mut refs = serde_json::Map::new();
    refs.insert(".zgroup".to_owned(), json!("{\"zarr_format\":2}"));
    refs.insert(format!("{name}/.zarray"), json!(array(&[300, 90], &[1, 1], "|u1")));
    let attributes = json!({"_ARRAY_DIMENSIONS": [dimension, "x"]}).to_string();
    refs.insert(format!("{name}/.zattrs"), json!(attributes));
    for row in 0..300_u64 {
        for column in 0..90_u64 {
            let reference = match (row, column) {
                (0..100, _) => json!([
                    "file:///none/\"><script>document.title='broken'</script>.nc",
                    row,
                    10 + column
                ]),
                (100..200, 0..45) => json!("base64:AAAA"),
                (200..300, _) if (row * 7 + column) % 5 == 0 => json!(["file:///none/other.nc"]),
                _ => continue,
            };
            refs.insert(format!("{name}/{row}.{column}"), reference);
        }
    }
    let plain = json!({"zarr_format": 2, "shape": [6], "chunks": [6], "dtype": "<i2", "order": "C",
                       "fill_value": null, "filters": null, "compressor": null});
    refs.insert("time/.zarray".to_owned(), json!(plain.to_string()));
    let units = json!({"_ARRAY_DIMENSIONS": ["time"], "units": "<b>hours</b> since 2000-01-01"});
    refs.insert("time/.zattrs".to_owned(), json!(units.to_string()));
    // 0, 1, 2, 8, 9, 9.
    refs.insert("time/0".to_owned(), json!("base64:AAABAAIACAAJAAkA"));
    let recorded = json!({"version": "<i>1</i>", "options": "</code><script>document.title='broken'</script>",
                          "skipped": 3, "sources": [], "arrays": {}});
    let path = folder.join("hostile.json");
    fs::write(&path, json!({"version": 1, "chunkref": recorded, "refs": refs}).to_string())
        .unwrap();
    path
}

/// Runs Chromium, which may reach nothing and keeps nothing.
#[track_caller]
fn browse(chromium: &Path, page: &Path, options: &[&str]) -> String {
    let profile = tempfile::tempdir().unwrap();
    let ran = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--hide-scrollbars", "--window-size=1280,2400"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(options)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", said(&ran));
    String::from_utf8(ran.stdout).unwrap()
}

/// What a browser makes of a page, with pictures of it in the folder of artefacts. Without a browser, that it was left out
/// is said past the capture of the test's output.
#[track_caller]
fn look(page: &Path, text: &str, name: &str) {
    let Some(chromium) = chromium() else {
        let words = "LEFT OUT: no Chromium at CHUNKREF_CHROMIUM or /usr/bin/chromium, so no browser showed the page";
        writeln!(io::stderr(), "{words} ({name})").unwrap();
        return;
    };
    let title = |page: &str| {
        let title = page.split("<title>").nth(1).unwrap();
        title.split("</title>").next().unwrap().to_owned()
    };
    let pictures = [("light", 1), ("dark", 0)].map(|(scheme, number)| {
        let picture = artefacts().join(format!("report-{name}-{scheme}.png"));
        let _ = fs::remove_file(&picture);
        let shot = format!("--screenshot={}", picture.display());
        let scheme = format!("--blink-settings=preferredColorScheme={number}");
        let document = browse(&chromium, page, &["--dump-dom", &shot, &scheme]);
        assert_eq!(title(&document), title(text));
        assert!(!document.contains("<script") && !document.contains("<img"));
        for tag in ["<table", "<section", "<article", "<svg", "<rect", "<details"] {
            assert_eq!(document.matches(tag).count(), text.matches(tag).count(), "{tag}");
        }
        let bytes = fs::read(&picture).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"), "{}", picture.display());
        bytes
    });
    assert!(pictures[0] != pictures[1], "dark looks like light");
}

#[test]
fn a_cube_has_a_page() {
    let cube = Cube::new();
    let (page, text) = report(&cube.json);
    for words in [
        "8 of 8 chunks in sources, 0 in the references, 0 missing",
        "<code>number_of_time_bounds</code>",
        "shuffle(elementsize=2) zlib(level=1)",
        "seconds since 2000-01-01 12:00:00",
        "OR_ABI-L2-SSTF-M6_G16_s20202100100204",
        "Nothing to say",
        // The middle of the first scan, which its name says began at 00:00.
        "<dd>2020-07-28T00:30:00</dd>",
    ] {
        assert!(text.contains(words), "no {words:?}");
    }
    look(&page, &text, "cube");
}

#[test]
fn missing_chunks_show() {
    let cube = Cube::new();
    let planted = cube.plant(|refs| {
        let refs = refs.as_object_mut().unwrap();
        assert!(refs.remove("SST/1.0.1").is_some() && refs.remove("SST/1.1.1").is_some());
    });
    let (_, text) = report(&planted);
    for words in [
        "6 of 8 chunks in sources, 0 in the references, 2 missing",
        "<code>SST: 2 of 8 chunks</code>",
        "<code>SST: 6 now, 8 when written</code>",
        "<th scope=\"row\">t 1, y × x 1</th><td class=\"number\">0 (0 %)</td>",
    ] {
        assert!(text.contains(words), "no {words:?}");
    }
}

#[test]
fn hostile_names_stay_text() {
    let folder = tempfile::tempdir().unwrap();
    let (page, text) = report(&hostile(folder.path()));
    assert!(text.contains("&lt;img src=x onerror=&quot;document.title=&#39;broken&#39;&quot;&gt;"));
    for words in [
        "10,800 of 27,000 chunks in sources, 4,500 in the references, 11,700 missing",
        "The time axis time has 1 gap, 1 step that does not ascend.",
        "Drawn in 4,096 cells.",
        // Units that are no units leave times as numbers.
        "<td class=\"number\">2</td><td class=\"number\">8</td>",
        "3 parts of the sources were left out",
        "1,800 chunks are whole objects of unknown length",
    ] {
        assert!(text.contains(words), "no {words:?}");
    }
    look(&page, &text, "hostile");
}

#[test]
fn a_page_replaces_no_cube_and_half_of_one_nothing() {
    let cube = Cube::new();
    let before = fs::read(&cube.json).unwrap();
    let ran = chunkref([Path::new("report"), &cube.json, Path::new("-o"), &cube.json]);
    assert_eq!(ran.status.code(), Some(2), "{}", said(&ran));
    assert_eq!(fs::read(&cube.json).unwrap(), before);
    let page = cube.folder.path().join("page.html");
    fs::write(&page, "old").unwrap();
    let broken = cube.folder.path().join("broken.json");
    fs::write(&broken, &before[..before.len() / 2]).unwrap();
    let ran = chunkref([Path::new("report"), &broken, Path::new("-o"), &page]);
    assert_eq!(ran.status.code(), Some(1), "{}", said(&ran));
    assert_eq!(fs::read_to_string(&page).unwrap(), "old");
}

#[test]
fn parquet_and_files_have_the_same_page() {
    let cube = Cube::new();
    let parquet = cube.folder.path().join("cube.parq");
    let ran = chunkref([Path::new("convert"), &cube.json, &parquet]);
    assert!(ran.status.success(), "{}", said(&ran));
    let chunks = "8 of 8 chunks in sources, 0 in the references, 0 missing";
    let printed = chunkref([Path::new("report"), &parquet]);
    let text = String::from_utf8(printed.stdout).unwrap();
    check(&text);
    assert!(text.contains(chunks) && text.contains("kerchunk references in Parquet"));
    let source = fs::read_dir(cube.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let source = source.into_iter().find(|path| path.extension().is_some_and(|end| end == "nc"));
    let printed = chunkref([Path::new("report"), &source.unwrap()]);
    let text = String::from_utf8(printed.stdout).unwrap();
    check(&text);
    assert!(text.contains("4 of 4 chunks in sources"), "{text}");
}
