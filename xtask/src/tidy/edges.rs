// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which crate may depend on which, and that the front-end names every backend.

use super::{Findings, Tree};

/// The crates below and above the backends and what they may use; every other crate uses the model and the core, and the
/// codecs if it reads chunks.
const SPECIAL: [(&str, &[&str]); 5] = [
    ("chunkref-model", &[]),
    ("chunkref-core", &["chunkref-model"]),
    ("chunkref-codecs", &["chunkref-core", "chunkref-model"]),
    ("chunkref-cli", &["chunkref", "chunkref-core", "chunkref-model"]),
    ("chunkref-python", &["chunkref", "chunkref-cli", "chunkref-core", "chunkref-model"]),
];
const TOP: [&str; 4] = ["chunkref-cli", "chunkref-fuzzing", "chunkref-python", "chunkref-testkit"];
/// Crates that see references and no chunks.
const WITHOUT_CHUNKS: [&str; 5] = [
    "chunkref-combine",
    "chunkref-icechunk",
    "chunkref-kerchunk-json",
    "chunkref-parquet",
    "chunkref-store",
];
/// Each of these, or a folder of the name with a `mod.rs`.
const BACKEND_FILES: [&str; 4] = ["lib.rs", "scanner.rs", "lower.rs", "error.rs"];
/// The same of a crate that submits an output format, which has an emitter.
const OUTPUT_FILES: [&str; 3] = ["lib.rs", "emitter.rs", "reader.rs"];

/// Check the manifests and the front-end.
pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    let text = |path: &str| {
        tree.get(path).and_then(|content| str::from_utf8(content).ok()).unwrap_or_default()
    };
    let front_end = text("crates/chunkref/src/lib.rs");
    for path in tree.keys() {
        let Some(name) =
            path.strip_prefix("crates/").and_then(|rest| rest.strip_suffix("/Cargo.toml"))
        else {
            continue;
        };
        for (section, dependency) in dependencies(text(path)) {
            if !allowed(name, section, dependency) {
                findings
                    .fault(path, format!("`{name}` must not depend on `{dependency}` ({section})"));
            }
        }
        let backend = !TOP.contains(&name)
            && text(&format!("crates/{name}/src/lib.rs")).contains("inventory::submit!");
        if backend && name != "chunkref-core" {
            let import = format!("use {} as _;", name.replace('-', "_"));
            if !front_end.contains(&import) {
                findings.fault(
                    "crates/chunkref/src/lib.rs",
                    format!("no `{import}`: a backend that nobody names registers nothing"),
                );
            }
            let there = |file: &str| tree.contains_key(&format!("crates/{name}/src/{file}"));
            let (what, files) = if there("emitter.rs") {
                ("an output format", &OUTPUT_FILES[..])
            } else {
                ("a backend", &BACKEND_FILES[..])
            };
            for file in
                files.iter().filter(|file| !there(file) && !there(&file.replace(".rs", "/mod.rs")))
            {
                findings.fault(path, format!("{what} has `src/{file}`"));
            }
        }
    }
}

fn allowed(name: &str, section: &str, dependency: &str) -> bool {
    if section == "dev-dependencies" && dependency == "chunkref-testkit" {
        return true;
    }
    if let Some((_, below)) = SPECIAL.iter().find(|(special, _)| *special == name) {
        return below.contains(&dependency);
    }
    match name {
        // Nothing that is published is above it.
        "chunkref-fuzzing" => true,
        "chunkref" => !TOP.contains(&dependency),
        _ => match dependency {
            "chunkref-core" | "chunkref-model" => true,
            "chunkref-codecs" => !WITHOUT_CHUNKS.contains(&name),
            _ => false,
        },
    }
}

/// The workspace's own crates in a manifest: the kind of section that names them, and the name.
fn dependencies(manifest: &str) -> Vec<(&str, &str)> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            let (kind, table) = match header.split_once("dependencies.") {
                Some((kind, table)) => (format!("{kind}dependencies"), Some(table)),
                None => (header.to_owned(), None),
            };
            section = ["dev-dependencies", "build-dependencies", "dependencies"]
                .into_iter()
                .find(|known| kind.ends_with(known))
                .unwrap_or_default();
            found.extend(
                table.filter(|name| name.starts_with("chunkref")).map(|name| (section, name)),
            );
            continue;
        }
        let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
        if !section.is_empty() && name.starts_with("chunkref") {
            found.push((section, name));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let mut findings = Findings::default();
        check(&planted(files), &mut findings);
        findings.faults
    }

    #[test]
    fn dependencies_are_found_in_every_spelling() {
        let manifest = "[package]\nname = \"chunkref-x\"\n[dependencies]\nbytes = \"1\"\nchunkref-core.workspace = true\n\
                        chunkref-model = { path = \"..\" }\n[dependencies.chunkref-store]\npath = \"..\"\n[target.'cfg(unix)'.dev-dependencies]\nchunkref-testkit = \"1\"\n";
        let dependencies = dependencies(manifest);
        assert_eq!(
            dependencies,
            [
                ("dependencies", "chunkref-core"),
                ("dependencies", "chunkref-model"),
                ("dependencies", "chunkref-store"),
                ("dev-dependencies", "chunkref-testkit")
            ]
        );
    }

    #[test]
    fn edges_go_one_way() {
        let normal = "dependencies";
        assert!(allowed("chunkref-core", normal, "chunkref-model"));
        assert!(!allowed("chunkref-model", normal, "chunkref-core"));
        assert!(allowed("chunkref-grib2", normal, "chunkref-core"));
        assert!(!allowed("chunkref-grib2", normal, "chunkref-hdf5"));
        assert!(allowed("chunkref-codecs", normal, "chunkref-core"));
        assert!(!allowed("chunkref-codecs", normal, "chunkref-read"));
        assert!(!allowed("chunkref-core", normal, "chunkref-codecs"));
        assert!(allowed("chunkref-hdf5", normal, "chunkref-codecs"));
        assert!(allowed("chunkref-read", normal, "chunkref-codecs"));
        assert!(!allowed("chunkref-combine", normal, "chunkref-codecs"));
        assert!(!allowed("chunkref-cli", normal, "chunkref-codecs"));
        assert!(!allowed("chunkref-hdf5", normal, "chunkref-store"));
        assert!(!allowed("chunkref-combine", normal, "chunkref-read"));
        assert!(!allowed("chunkref-read", normal, "chunkref-store"));
        assert!(allowed("chunkref", normal, "chunkref-combine"));
        assert!(allowed("chunkref", normal, "chunkref-read"));
        assert!(allowed("chunkref", normal, "chunkref-hdf5"));
        assert!(!allowed("chunkref", normal, "chunkref-cli"));
        assert!(!allowed("chunkref-cli", normal, "chunkref-hdf5"));
        assert!(!allowed("chunkref-hdf5", normal, "chunkref-testkit"));
        assert!(allowed("chunkref-hdf5", "dev-dependencies", "chunkref-testkit"));
    }

    #[test]
    fn a_backend_is_named_and_has_its_four_files() {
        let whole = [
            ("crates/chunkref-x/Cargo.toml", ""),
            ("crates/chunkref-x/src/lib.rs", "inventory::submit! { ENTRY }"),
            ("crates/chunkref-x/src/scanner.rs", ""),
            ("crates/chunkref-x/src/lower.rs", ""),
            ("crates/chunkref-x/src/error.rs", ""),
            ("crates/chunkref/src/lib.rs", "#[cfg(feature = \"x\")]\nuse chunkref_x as _;"),
        ];
        assert_eq!(faults(&whole), Vec::<String>::new());
        assert_eq!(faults(&whole[..5]).len(), 1);
        assert_eq!(faults(&[whole[0], whole[1], whole[5]]).len(), 3);
    }
}
