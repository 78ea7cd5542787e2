// SPDX-License-Identifier: MIT OR Apache-2.0
//! The browser that tests show pages in.

use crate::step::Step;
use std::env;
use std::path::{Path, PathBuf};

/// Where tests look for it, unless this variable names another.
const VARIABLE: &str = "CHUNKREF_CHROMIUM";
const SYSTEM: &str = "/usr/bin/chromium";

/// The browser that tests will find.
pub(crate) fn found() -> Option<PathBuf> {
    let named = env::var_os(VARIABLE).map_or_else(|| PathBuf::from(SYSTEM), PathBuf::from);
    named.exists().then_some(named)
}

/// Installs it where that can be done without asking: as root on Debian. What came of it is printed; a failure is none of
/// the whole, because the tests say what they leave out.
pub(crate) fn install() {
    if let Some(found) = found() {
        eprintln!("browser: {}", found.display());
        return;
    }
    if env::var_os(VARIABLE).is_some() {
        eprintln!("browser: {VARIABLE} names a file that is not there");
        return;
    }
    if let Err(reason) = may_install(
        Path::new("/etc/debian_version").exists(),
        Step::new("id").args(["-u"]).output().ok().as_deref(),
    ) {
        eprintln!("browser: no {SYSTEM}, and it is not installed: {reason}");
        return;
    }
    let install = || {
        Step::new("apt-get").args(["update", "--quiet"]).run()?;
        Step::new("apt-get")
            .args(["install", "--yes", "--quiet", "--no-install-recommends", "chromium"])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .run()
    };
    match install() {
        Ok(()) => eprintln!("browser: installed"),
        Err(reason) => eprintln!("browser: it could not be installed: {reason}"),
    }
}

fn may_install(debian: bool, user: Option<&str>) -> Result<(), &'static str> {
    match (debian, user.map(str::trim)) {
        (false, _) => Err("this is no Debian"),
        (true, Some("0")) => Ok(()),
        (true, _) => Err("only root may; run `apt-get install chromium`"),
    }
}

/// What the last line of the tests adds when there is no browser.
pub(crate) fn left_out(browser: Option<&Path>) -> &'static str {
    match browser {
        Some(_) => "",
        None => "LEFT OUT: pages in a browser, because there is no Chromium",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_installs_and_only_on_debian() {
        assert_eq!(may_install(true, Some("0\n")), Ok(()));
        assert!(may_install(true, Some("1000\n")).is_err());
        assert!(may_install(true, None).is_err());
        assert!(may_install(false, Some("0")).is_err());
    }

    #[test]
    fn a_missing_browser_is_told() {
        assert_eq!(left_out(Some(Path::new(SYSTEM))), "");
        assert!(left_out(None).contains("LEFT OUT"));
    }
}
