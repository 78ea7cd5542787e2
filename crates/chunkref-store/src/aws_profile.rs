// SPDX-License-Identifier: MIT OR Apache-2.0
//! Profiles of the AWS command line, which `object_store` does not read.

use std::collections::HashMap;
use std::env;
use std::fmt;
use std::path::PathBuf;

use chunkref_core::SourceError;
use chunkref_core::secret::{is_secret_name, keep_secret};

use crate::storage_options::invalid;

/// What a profile says: keys as they are named in the files, such as `aws_access_key_id` and `region`.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Profile(HashMap<String, String>);

impl fmt::Debug for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl Profile {
    /// The profile called `name`, or the one that the environment names, or the default one. Only a profile that was
    /// named has to exist.
    pub(crate) fn load(name: Option<&str>) -> Result<Self, SourceError> {
        let from_environment = env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
        let wanted = name.map(str::to_owned).or(from_environment);
        let profile = wanted.as_deref().unwrap_or("default");
        let mut found = Self::default();
        let read = |variable: &str, file: &str| {
            let path = env::var_os(variable)
                .map(PathBuf::from)
                .or_else(|| Some(env::home_dir()?.join(".aws").join(file)))?;
            std::fs::read_to_string(path).ok()
        };
        if let Some(text) = read("AWS_CONFIG_FILE", "config") {
            found.take(&text, &[profile, &format!("profile {profile}")]);
        }
        if let Some(text) = read("AWS_SHARED_CREDENTIALS_FILE", "credentials") {
            found.take(&text, &[profile]);
        }
        if wanted.is_some() && found.0.is_empty() {
            return Err(invalid(format!(
                "there is no AWS profile {profile:?} in ~/.aws/credentials or ~/.aws/config"
            )));
        }
        if wanted.is_some() && !found.0.contains_key("aws_access_key_id") {
            return Err(invalid(format!(
                "the AWS profile {profile:?} holds no keys: profiles that log in or assume a role are not read; export their keys to the environment with `aws configure export-credentials`"
            )));
        }
        Ok(found)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Takes the entries of the sections called one of `names`.
    pub(crate) fn take(&mut self, text: &str, names: &[&str]) {
        let mut inside = false;
        for line in text.lines() {
            let line = line.trim();
            if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                inside = names.contains(&section.trim());
            } else if let Some((name, value)) = line.split_once('=')
                && inside
                && !line.starts_with(['#', ';'])
            {
                if is_secret_name(name) {
                    keep_secret(value);
                }
                self.0.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_asked_for_is_taken() {
        let text = "# x = 1\n[default]\naws_access_key_id = A\n[ profile other ]\nAWS_Access_Key_Id=B\n;c=d\nregion = eu-west-1 \n[last]\nregion=z";
        let mut profile = Profile::default();
        profile.take(text, &["other", "profile other"]);
        assert_eq!(profile.get("aws_access_key_id"), Some("B"));
        assert_eq!(profile.get("region"), Some("eu-west-1"));
        assert_eq!(profile.0.len(), 2);
        assert!(!format!("{profile:?}").contains("eu-west-1"));
    }
}
