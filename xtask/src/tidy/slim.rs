// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a build of one input format must not compile.

use super::Findings;
use crate::step::{Outcome, Step};

/// The front-end with HDF5 alone.
const SLIM: [&str; 5] = ["-p", "chunkref", "--no-default-features", "--features", "hdf5"];

/// Parts of names of crates that belong to formats which are left out.
const OTHERS: [&str; 6] = ["parquet", "arrow", "icechunk", "kerchunk", "grib", "netcdf"];

/// The only crate that may compile C: that of TLS, which the store has for `https`.
const COMPILES_C: &str = "ring";

/// Ask cargo what the slim build is made of.
pub(super) fn check(findings: &mut Findings) {
    match listings() {
        Ok((crates, above_cc)) => check_listings(&crates, &above_cc, findings),
        Err(reason) => findings.fault("crates/chunkref/Cargo.toml", reason),
    }
}

/// All crates, and those that build with a C compiler.
fn listings() -> Outcome<(String, String)> {
    let tree = |more: &[&str]| {
        let form = ["tree", "--locked", "--prefix", "none", "-e", "normal,build"];
        Step::cargo(form).args(SLIM).args(more.iter().copied()).output()
    };
    Ok((tree(&[])?, tree(&["-i", "cc", "--depth", "1"])?))
}

fn check_listings(crates: &str, above_cc: &str, findings: &mut Findings) {
    let path = "crates/chunkref/Cargo.toml";
    let names = |text: &str| -> Vec<String> {
        let names = text.lines().filter_map(|line| line.split_once(" v"));
        names.map(|(name, _)| name.to_owned()).collect()
    };
    let all = names(crates);
    if !all.iter().any(|name| name == "chunkref-hdf5") {
        findings.fault(path, "the slim build has no HDF5");
    }
    for name in all.iter().filter(|name| OTHERS.iter().any(|other| name.contains(other))) {
        findings.fault(path, format!("a build with the feature hdf5 alone compiles {name}"));
    }
    for name in names(above_cc).iter().filter(|name| !["cc", COMPILES_C].contains(&name.as_str())) {
        findings.fault(path, format!("a build with the feature hdf5 alone compiles C, for {name}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_and_c_are_found() {
        let faults = |crates: &str, above_cc: &str| {
            let mut findings = Findings::default();
            check_listings(crates, above_cc, &mut findings);
            findings.faults.len()
        };
        let crates = "chunkref v0.1.0 (/work)\nchunkref-hdf5 v0.1.0 (/work)\nring v0.17.14\n";
        assert_eq!(faults(crates, "cc v1.0.0\nring v0.17.14\n"), 0);
        assert_eq!(faults("chunkref v0.1.0\n", ""), 1);
        assert_eq!(faults(&format!("{crates}parquet v59.0.0\n"), ""), 1);
        assert_eq!(faults(crates, "cc v1.0.0\nring v0.17.14\nzstd-sys v2.0.0\n"), 1);
    }
}
