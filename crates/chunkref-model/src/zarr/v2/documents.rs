// SPDX-License-Identifier: MIT OR Apache-2.0
//! The documents of a dataset's groups and arrays.

use thiserror::Error;

use super::{GROUP_METADATA, array_metadata, attributes};
use crate::dataset::join_path;
use crate::zarr::ZarrError;
use crate::{Array, ChunkRef, Group, WHOLE_OBJECT};

/// Why a dataset has no Zarr v2 documents.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DocumentsError {
    /// An array that Zarr v2 cannot say.
    #[error("array {path:?} has no Zarr v2 form")]
    Array {
        /// The array.
        path: String,
        /// What it cannot say.
        source: ZarrError,
    },
    /// A group or array with a name that cannot be part of a key.
    #[error("{path:?} cannot be a key: {reason}")]
    BadName {
        /// The group or array.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// References that do not belong to the array's chunk grid or to the dataset's sources.
    #[error("array {path:?}: {reason}")]
    Inconsistent {
        /// The array.
        path: String,
        /// What does not fit.
        reason: String,
    },
}

/// One metadata document.
#[derive(Debug)]
#[non_exhaustive]
pub struct Document<'a> {
    /// Its key.
    pub key: String,
    /// Its text, minified JSON.
    pub text: String,
    /// Of the last document of an array, its path and the array, whose references come next.
    pub references_of: Option<(String, &'a Array)>,
}

/// The metadata documents of a group and all below it, in the order in which they are written: what `.zmetadata` holds. The
/// keys of a group are its documents, its arrays and then its subgroups, each in byte order of their names.
///
/// With [`Manifest::visit`](crate::Manifest::visit) and [`push_chunk_key`](super::push_chunk_key) they are all that a set of
/// references says; [`Hierarchy`](super::Hierarchy) makes a dataset of it again.
///
/// ```
/// use chunkref_model::zarr::v2::{documents, push_chunk_key};
/// use chunkref_model::{ChunkRef, Dataset};
///
/// fn rows(dataset: &Dataset) -> Result<Vec<(String, String)>, Box<dyn std::error::Error>> {
///     let mut rows = Vec::new();
///     for document in documents(&dataset.root, dataset.sources().len())? {
///         rows.push((document.key, document.text));
///         let Some((path, array)) = document.references_of else { continue };
///         array.manifest.visit(&mut |chunk_indices, reference| {
///             let mut key = format!("{path}/");
///             push_chunk_key(&mut key, chunk_indices);
///             match reference {
///                 ChunkRef::Virtual { source, offset, length } => {
///                     let url = dataset.source(source).map_or("", |source| &source.location);
///                     rows.push((key, format!("{url} {offset} {length}")));
///                 }
///                 ChunkRef::Inline(bytes) => rows.push((key, format!("{} bytes", bytes.len()))),
///                 _ => {}
///             }
///         });
///     }
///     Ok(rows)
/// }
///
/// let mut dataset = Dataset::new();
/// dataset.group_mut("beam");
/// let keys: Vec<String> = rows(&dataset)?.into_iter().map(|(key, _)| key).collect();
/// assert_eq!(keys, [".zgroup", ".zattrs", "beam/.zgroup", "beam/.zattrs"]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`DocumentsError`] when Zarr v2 cannot say the group, or its references do not belong to its chunk grids and the dataset's
/// sources, of which there are `sources`.
pub fn documents(group: &Group, sources: usize) -> Result<Vec<Document<'_>>, DocumentsError> {
    let mut documents = Vec::new();
    collect_group("", group, sources, &mut documents)?;
    Ok(documents)
}

fn collect_group<'a>(
    path: &str,
    group: &'a Group,
    sources: usize,
    documents: &mut Vec<Document<'a>>,
) -> Result<(), DocumentsError> {
    let document =
        |name: &str, text| Document { key: join_path(path, name), text, references_of: None };
    documents.push(document(".zgroup", GROUP_METADATA.to_owned()));
    documents.push(document(".zattrs", attributes(&group.attributes, None)));
    for (name, array) in &group.arrays {
        let path = join_path(path, name);
        check_name(&path, name)?;
        check_manifest(&path, array, sources)?;
        let text = array_metadata(array)
            .map_err(|source| DocumentsError::Array { path: path.clone(), source })?;
        documents.push(Document { key: join_path(&path, ".zarray"), text, references_of: None });
        let text = attributes(&array.attributes, Some(&array.dimensions));
        documents.push(Document {
            key: join_path(&path, ".zattrs"),
            text,
            references_of: Some((path, array)),
        });
    }
    for (name, subgroup) in &group.groups {
        let path = join_path(path, name);
        check_name(&path, name)?;
        if group.arrays.contains_key(name) {
            return Err(DocumentsError::BadName {
                path,
                reason: "an array and a group have the same name",
            });
        }
        collect_group(&path, subgroup, sources, documents)?;
    }
    Ok(())
}

fn check_name(path: &str, name: &str) -> Result<(), DocumentsError> {
    let reason = match name {
        "" => "the name is empty",
        "." | ".." => "the name means a directory",
        name if name.contains('/') => "the name has a slash",
        name if name.starts_with(".z") => "the name is that of a Zarr document",
        _ => return Ok(()),
    };
    Err(DocumentsError::BadName { path: path.to_owned(), reason })
}

fn check_manifest(path: &str, array: &Array, sources: usize) -> Result<(), DocumentsError> {
    let inconsistent = |reason| Err(DocumentsError::Inconsistent { path: path.to_owned(), reason });
    let grid_shape = array.chunk_grid.grid_shape(&array.shape);
    if array.manifest.grid_shape() != grid_shape {
        return inconsistent(format!(
            "references of a chunk grid of {:?}, but the array has {grid_shape:?}",
            array.manifest.grid_shape()
        ));
    }
    let mut fault = None;
    array.manifest.visit(&mut |chunk_indices, reference| {
        if let ChunkRef::Virtual { source, offset, length } = reference {
            if usize::try_from(source.0).is_ok_and(|source| source >= sources) {
                fault.get_or_insert_with(|| {
                    format!("chunk {chunk_indices:?} is of source {}, which is not there", source.0)
                });
            } else if length == WHOLE_OBJECT && offset != 0 {
                fault.get_or_insert_with(|| {
                    format!("chunk {chunk_indices:?} starts at byte {offset} and has no length")
                });
            }
        }
    });
    fault.map_or(Ok(()), inconsistent)
}
