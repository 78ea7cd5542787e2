// SPDX-License-Identifier: MIT OR Apache-2.0
//! What helps against a fault, with the keyword arguments of the Python package.

use chunkref::{OnConflict, Resolution};

/// The argument for a resolution; `None` where there is none.
pub(crate) fn argument(resolution: &Resolution) -> Option<String> {
    Some(match resolution {
        Resolution::Allow { allow, .. } => format!("allow=[\"{allow}\"]"),
        Resolution::AllowOutside { folder } => format!("allow_outside=[\"{folder}\"]"),
        Resolution::Anonymous => "storage_options={\"anon\": True}".to_owned(),
        Resolution::KeepQuery => "stores=chunkref.Stores(keep_query=True)".to_owned(),
        Resolution::StorageOption { name } => format!("storage_options={{\"{name}\": …}}"),
        Resolution::Deadline => "stores=chunkref.Stores(deadline=…)".to_owned(),
        Resolution::Concat { dimension } => format!("concat={{\"{dimension}\": …}}"),
        Resolution::Sort => "sort=True".to_owned(),
        Resolution::Identical { variable } => format!("identical=[\"{variable}\"]"),
        Resolution::OnConflict(answer) => {
            let answer = match answer {
                OnConflict::SkipFile => "skip-file",
                OnConflict::SkipVariable => "skip-variable",
                OnConflict::Skip => "skip",
                OnConflict::First => "first",
                _ => return None,
            };
            format!("on_conflict=\"{answer}\"")
        }
        Resolution::Duplicates => "duplicates=\"first\" or \"last\"".to_owned(),
        Resolution::FillMissing => "missing=\"fill\"".to_owned(),
        _ => return None,
    })
}
