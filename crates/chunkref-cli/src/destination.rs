// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which output belongs to which input.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use chunkref::Location;
use chunkref::core::Form;

use crate::Stop;
use crate::output::{Output, is_stdout};

/// Where the references of one input go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    Stdout,
    File(PathBuf),
}

/// One destination for each location, none of them twice. `several` is whether the user asked for more than one input,
/// even if some were not found.
pub(crate) fn assign(
    locations: &[Location],
    output: Option<&Path>,
    several: bool,
    how: &Output,
) -> Result<Vec<Destination>, Stop> {
    let output = output.filter(|output| !is_stdout(output));
    let is_folder = output.map_or(Ok(false), |output| names_folder(output, how))?;
    let destinations: Vec<_> = match output {
        None if several => {
            let message = "several inputs need a folder for their references: add -o DIR/";
            return Err(Stop::Usage(message.to_owned()));
        }
        None => locations.iter().map(|_| Destination::Stdout).collect(),
        Some(output) if is_folder => mirror(locations, how.extension()?)
            .into_iter()
            .map(|below| Destination::File(output.join(below)))
            .collect(),
        Some(output) if several => {
            let message = format!(
                "several inputs need a folder for their references, and {0} is none: write -o {0}/ to make it",
                output.display()
            );
            return Err(Stop::Usage(message));
        }
        Some(output) => locations.iter().map(|_| Destination::File(output.to_owned())).collect(),
    };
    refuse_inputs(locations, &destinations)?;
    if is_folder {
        refuse_foreign(&destinations, how)?;
    }
    Ok(destinations)
}

/// Whether `-o` means a folder of outputs: it ends in a separator, or it is one and no reference set itself.
fn names_folder(output: &Path, how: &Output) -> Result<bool, Stop> {
    let ends = |separator: char| {
        output.as_os_str().as_encoded_bytes().last() == u8::try_from(separator).ok().as_ref()
    };
    Ok(ends('/') || (cfg!(windows) && ends('\\')) || how.is_plain_folder(output)?)
}

/// The paths of the inputs below the folder that they have in common, with another extension; where two inputs
/// differ in nothing but the extension, all of the name with the other behind it.
fn mirror(locations: &[Location], extension: &str) -> Vec<PathBuf> {
    let folders: Vec<Vec<&str>> = locations
        .iter()
        .map(|location| {
            let mut parts: Vec<_> = location.segments().collect();
            parts.pop();
            parts
        })
        .collect();
    let common = folders.iter().map(Vec::as_slice).reduce(common_prefix).map_or(0, <[&str]>::len);
    let below = |folder: &Vec<&str>| -> PathBuf {
        // A part that would lead out of the folder, as a key of an object store may hold, is written so that it does not.
        folder.iter().skip(common).map(|&part| if part == ".." { "__" } else { part }).collect()
    };
    let short: Vec<PathBuf> = folders
        .iter()
        .zip(locations)
        .map(|(folder, location)| {
            below(folder).join(format!("{}.{extension}", stem(location.file_name())))
        })
        .collect();
    let mut uses: HashMap<&PathBuf, usize> = HashMap::new();
    for path in &short {
        *uses.entry(path).or_default() += 1;
    }
    let full = |folder, location: &Location| {
        below(folder).join(format!("{}.{extension}", location.file_name()))
    };
    folders
        .iter()
        .zip(locations)
        .zip(&short)
        .map(
            |((folder, location), short)| {
                if uses.get(short) == Some(&1) { short.clone() } else { full(folder, location) }
            },
        )
        .collect()
}

fn common_prefix<'a, 'b>(a: &'b [&'a str], b: &'b [&'a str]) -> &'b [&'a str] {
    let length = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    a.get(..length).unwrap_or(a)
}

/// The name without its extension. Only what looks like one counts: names of archives are full of dots.
fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && (1..=5).contains(&extension.len())
                && extension.starts_with(|first: char| first.is_ascii_alphabetic())
                && extension.chars().all(|letter| letter.is_ascii_alphanumeric()) =>
        {
            stem
        }
        _ => name,
    }
}

/// The user did not name these files one by one, so that none of them is replaced that holds something else.
fn refuse_foreign(destinations: &[Destination], how: &Output) -> Result<(), Stop> {
    for destination in destinations {
        let Destination::File(path) = destination else { continue };
        if !path.is_file() {
            continue;
        }
        let format = how.format_of(path).map_err(|error| Stop::Usage(error.to_string()))?;
        if format.form == Form::File && (format.foreign)(path)?.is_none() {
            continue;
        }
        let message = format!(
            "the output {} is there and holds no references: remove it, or write to another folder",
            path.display()
        );
        return Err(Stop::Usage(message));
    }
    Ok(())
}

/// A usage error when the output is the input.
pub(crate) fn refuse_same(input: &Location, output: &Path) -> Result<(), Stop> {
    let real = |path: &Path| path.canonicalize().ok();
    if input.local_path().and_then(real).is_some_and(|input| real(output) == Some(input)) {
        let message = format!("the output {} is the input: write elsewhere", output.display());
        return Err(Stop::Usage(message));
    }
    Ok(())
}

/// References must not replace the data that they are about, nor one another.
fn refuse_inputs(locations: &[Location], destinations: &[Destination]) -> Result<(), Stop> {
    let inputs: Vec<PathBuf> = locations
        .iter()
        .filter_map(Location::local_path)
        .filter_map(|path| path.canonicalize().ok())
        .collect();
    let mut taken: HashMap<&PathBuf, &Location> = HashMap::new();
    for (destination, location) in destinations.iter().zip(locations) {
        let Destination::File(path) = destination else { continue };
        if path.canonicalize().is_ok_and(|path| inputs.contains(&path)) {
            let message = format!(
                "the output {} is an input: write the references elsewhere",
                path.display()
            );
            return Err(Stop::Usage(message));
        }
        if let Some(other) = taken.insert(path, location) {
            let message = format!(
                "{other} and {location} would both be written to {}: scan them into different folders",
                path.display()
            );
            return Err(Stop::Usage(message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locations(urls: &[&str]) -> Vec<Location> {
        urls.iter().map(|url| Location::parse(url).unwrap()).collect()
    }

    fn how() -> Output {
        crate::emit_arguments::EmitArguments::default().output(&chunkref::stores()).unwrap()
    }

    fn files(urls: &[&str]) -> Vec<String> {
        let destinations =
            assign(&locations(urls), Some(Path::new("/absent/out/")), urls.len() > 1, &how())
                .unwrap();
        destinations
            .into_iter()
            .map(|destination| match destination {
                Destination::File(path) => {
                    path.strip_prefix("/absent/out").unwrap().display().to_string()
                }
                Destination::Stdout => "-".to_owned(),
            })
            .collect()
    }

    #[test]
    fn paths_below_the_common_prefix_are_mirrored() {
        assert_eq!(files(&["/data/a.nc"]), ["a.json"]);
        assert_eq!(files(&["/data/a.nc", "/data/b.nc"]), ["a.json", "b.json"]);
        assert_eq!(
            files(&["/data/1/a.nc", "/data/2/a.nc", "/data/a.nc"]),
            ["1/a.json", "2/a.json", "a.json"]
        );
        assert_eq!(files(&["s3://x/1/a.nc", "s3://y/1/a.nc"]), ["x/1/a.json", "y/1/a.json"]);
        assert_eq!(files(&["s3://x/../a.nc", "s3://x/b.nc"]), ["__/a.json", "b.json"]);
    }

    #[test]
    fn names_that_differ_in_the_extension_keep_it() {
        assert_eq!(files(&["/d/a.nc", "/d/a.h5", "/d/b.nc"]), ["a.nc.json", "a.h5.json", "b.json"]);
        let dotted = "/d/202108231300.CHRTOUT_DOMAIN1";
        assert_eq!(files(&[dotted]), ["202108231300.CHRTOUT_DOMAIN1.json"]);
        assert_eq!(
            files(&["/d/x.2021-08-23.nc", "/d/x.08", "/d/.nc"]),
            ["x.2021-08-23.json", "x.08.json", ".nc.json"]
        );
    }

    #[test]
    fn one_input_and_no_folder() {
        let one = locations(&["/data/a.nc"]);
        let file = |text: &str| vec![Destination::File(PathBuf::from(text))];
        assert_eq!(assign(&one, None, false, &how()).unwrap(), [Destination::Stdout]);
        assert_eq!(
            assign(&one, Some(Path::new("-")), false, &how()).unwrap(),
            [Destination::Stdout]
        );
        assert_eq!(assign(&one, Some(Path::new("x.json")), false, &how()).unwrap(), file("x.json"));
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("a.json").display().to_string();
        assert_eq!(assign(&one, Some(folder.path()), false, &how()).unwrap(), file(&inside));
    }

    #[test]
    fn what_would_lose_data_is_refused() {
        let two = locations(&["/data/a.nc", "/data/b.nc"]);
        for output in [None, Some(Path::new("-")), Some(Path::new("/absent/x.json"))] {
            assert!(
                matches!(assign(&two, output, true, &how()), Err(Stop::Usage(_))),
                "{output:?}"
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("a.json");
        std::fs::write(&input, b"data").unwrap();
        let input = [Location::from_path(&input).unwrap()];
        assert!(matches!(assign(&input, Some(folder.path()), false, &how()), Err(Stop::Usage(_))));
        // A file beside the data that is none of references, and one that is.
        let data = [Location::from_path(&folder.path().join("b.nc")).unwrap()];
        for (text, refused) in
            [("{\"title\": \"mine\"}", true), ("{\"version\":1,\"refs\":{", false)]
        {
            std::fs::write(folder.path().join("b.json"), text).unwrap();
            let outcome = assign(&data, Some(folder.path()), false, &how());
            assert_eq!(matches!(outcome, Err(Stop::Usage(_))), refused, "{text}");
        }
        let clash = locations(&["/d/a.nc", "/d/a.h5", "/d/a.nc.x"]);
        assert!(matches!(
            assign(&clash, Some(Path::new("/absent/out/")), true, &how()),
            Err(Stop::Usage(_))
        ));
    }
}
