// SPDX-License-Identifier: MIT OR Apache-2.0
//! What helps against a fault, with the flags of this command.

use chunkref::{OnConflict, Resolution};

/// The flag for a resolution; `None` where there is none.
pub(crate) fn flag(resolution: &Resolution) -> Option<String> {
    Some(match resolution {
        Resolution::Allow { allow, .. } => format!("--allow {allow}"),
        Resolution::AllowOutside { folder } => format!("--allow-outside {folder}"),
        Resolution::Anonymous => "--anon".to_owned(),
        Resolution::KeepQuery => "--keep-query".to_owned(),
        Resolution::StorageOption { name } => format!("--storage-option {name}=VALUE"),
        Resolution::Deadline => "--deadline SECONDS".to_owned(),
        Resolution::Concat { dimension } => format!("--concat {dimension}=SOURCE"),
        Resolution::Sort => "--sort".to_owned(),
        Resolution::Identical { variable } => format!("--identical {variable}"),
        Resolution::OnConflict(answer) => {
            let answer = match answer {
                OnConflict::SkipFile => "skip-file",
                OnConflict::SkipVariable => "skip-variable",
                OnConflict::Skip => "skip",
                OnConflict::First => "first",
                _ => return None,
            };
            format!("--on-conflict {answer}")
        }
        Resolution::Duplicates => "--duplicates first or last".to_owned(),
        Resolution::FillMissing => "--missing fill".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn every_flag_is_one_of_the_command_line() {
        let text = |text: &str| text.to_owned();
        let resolutions = [
            Resolution::Allow { object: text("s3://b/a"), allow: text("s3://b/") },
            Resolution::AllowOutside { folder: text("/data") },
            Resolution::Anonymous,
            Resolution::KeepQuery,
            Resolution::StorageOption { name: text("s3://b:token") },
            Resolution::Deadline,
            Resolution::Concat { dimension: text("t") },
            Resolution::Sort,
            Resolution::Identical { variable: text("x") },
            Resolution::OnConflict(OnConflict::SkipFile),
            Resolution::OnConflict(OnConflict::SkipVariable),
            Resolution::OnConflict(OnConflict::Skip),
            Resolution::OnConflict(OnConflict::First),
            Resolution::Duplicates,
            Resolution::FillMissing,
        ];
        for resolution in resolutions {
            let flag = flag(&resolution).unwrap();
            let flag = flag.replace("=SOURCE", "=INDEX").replace(" or last", "");
            let flag = flag.replace("SECONDS", "5");
            let line = format!("chunkref build a.nc -o b.json {flag}");
            let parsed = Arguments::try_parse_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
        assert_eq!(flag(&Resolution::LeaveOut), None);
    }
}
