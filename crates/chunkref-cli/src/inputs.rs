// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what the user wrote to the objects that it names.

use std::collections::HashSet;
use std::io::Read;

use chunkref::{Location, SourceError, SourceErrorKind, Stores};
use futures::executor::block_on;

use crate::{Stop, report};

/// The longest list of inputs.
const LONGEST_LIST_BYTES: u64 = 256 << 20;

/// One object to scan.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    /// What the user calls it.
    pub(crate) name: String,
    pub(crate) location: Location,
}

/// The objects that the inputs name, each once, and the errors of those that name none. Options of stores are checked
/// along the way: a wrong one is the command line's fault, not that of every input.
pub(crate) fn expand(
    stores: &Stores,
    texts: &[String],
    stdin: &mut dyn Read,
) -> Result<(Vec<Input>, Vec<SourceError>), Stop> {
    let (mut inputs, mut errors): (Vec<Input>, _) = (Vec::new(), Vec::new());
    let (mut seen, mut checked) = (HashSet::new(), HashSet::new());
    let texts = with_lists(texts, stdin)?;
    let registry = chunkref::registry().map_err(|error| Stop::Usage(error.to_string()))?;
    let named: Vec<_> = texts.iter().filter_map(|text| Location::parse(text).ok()).collect();
    stores.check_binding(&named).map_err(|error| Stop::Usage(report::message(&error)))?;
    for text in texts {
        let found = Location::parse(&text).and_then(|location| {
            if checked.insert(location.scheme().to_owned()) {
                stores.validate(&location)?;
            }
            block_on(chunkref::expand(stores, &registry, &text))
        });
        match found {
            Ok(locations) => {
                let single = locations.len() == 1;
                for location in locations {
                    let path = location.local_path().map(|path| path.display().to_string());
                    let name = match path {
                        _ if single => text.clone(),
                        Some(path) => path,
                        None => location.url().to_owned(),
                    };
                    if seen.insert(location.clone()) {
                        inputs.push(Input { name, location });
                    }
                }
            }
            Err(error) if error.kind == SourceErrorKind::InvalidOption => {
                return Err(Stop::Usage(report::message(&error)));
            }
            Err(error) => errors.push(error),
        }
    }
    Ok((inputs, errors))
}

/// The inputs with every `@FILE` in them replaced by the lines of that file, and `-` or `@-` by those of standard input.
/// Empty lines and those that begin with `#` are passed over.
fn with_lists(texts: &[String], stdin: &mut dyn Read) -> Result<Vec<String>, Stop> {
    let mut all = Vec::new();
    for text in texts {
        let list = match text.strip_prefix('@') {
            _ if text == "-" => "-",
            Some(list) if !list.is_empty() => list,
            _ => {
                all.push(text.clone());
                continue;
            }
        };
        let mut lines = String::new();
        let read = if list == "-" {
            stdin.take(LONGEST_LIST_BYTES).read_to_string(&mut lines)
        } else {
            std::fs::File::open(list)
                .and_then(|file| file.take(LONGEST_LIST_BYTES).read_to_string(&mut lines))
        };
        read.map_err(|error| {
            Stop::Usage(format!("the list of inputs {text} cannot be read: {error}"))
        })?;
        let lines = lines.lines().map(str::trim);
        let before = all.len();
        all.extend(
            lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned),
        );
        if all.len() == before {
            return Err(Stop::Usage(format!("the list of inputs {text} is empty")));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_line_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        std::fs::write(&path, "a.nc\n\n # not this\n  s3://b/*.nc \r\n").unwrap();
        let texts = ["x.nc".to_owned(), format!("@{}", path.display()), "-".to_owned()];
        let lines = with_lists(&texts, &mut b"c.nc\n@d\n".as_slice()).unwrap();
        assert_eq!(lines, ["x.nc", "a.nc", "s3://b/*.nc", "c.nc", "@d"]);
        for wrong in ["@/absent/list.txt", "@-"] {
            assert!(with_lists(&[wrong.to_owned()], &mut b"\n".as_slice()).is_err(), "{wrong}");
        }
    }
}
