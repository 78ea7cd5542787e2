// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parsers of this crate that only its tests would reach, for the fuzz targets. Not part of the API.

/// Reads a netrc file.
pub fn netrc(text: &str) {
    let _ = crate::netrc::Netrc::parse(text);
}

/// Reads the default profile of an AWS configuration file.
pub fn aws_profile(text: &str) {
    crate::aws_profile::Profile::default().take(text, &["default", "profile c"]);
}
