// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dimensions as NetCDF-4 sees them: HDF5 dimension scales, `_Netcdf4Coordinates`, and phony dimensions for the rest.
//! Source: NetCDF-4 format specification, "Dimensions" and "Dimensions without HDF5 dimension scales"; HDF5 Dimension
//! Scale Specification.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chunkref_core::model::Dimension;
use chunkref_core::model::dataset::join_path;

use super::datatype::full_shape as dataset_shape;
use super::prepared::Prepared;
use crate::context::ObjectId;
use crate::message::datatype::Class;
use crate::message::{Dataspace, FillValue};
use crate::object::{Dataset, Object, Objects};
use crate::tree::Tree;
use crate::value::Value;

/// The dimensions of a whole file.
#[derive(Debug, Default)]
pub(crate) struct Dimensions {
    /// Names of the axes of every dataset, by path.
    pub(crate) names: HashMap<String, Vec<String>>,
    /// Dimensions that each group defines, by the group's path.
    pub(crate) defined: HashMap<String, Vec<Dimension>>,
    /// Shapes, by path, of variables that NetCDF-4 shows longer than their datasets: an unlimited dimension is as long
    /// as the longest variable along it, and the others read as fill values from their own end on.
    pub(crate) shapes: HashMap<String, Vec<u64>>,
}

/// A dimension: the scale that defines it and its name there.
struct Scale<'a> {
    name: &'a str,
    path: &'a str,
    /// The length of an unlimited dimension of NetCDF-4.
    unlimited: Option<u64>,
}

/// A dataset with the scale of each axis.
struct Variable<'a> {
    path: &'a str,
    dataset: &'a Dataset,
    axes: Vec<Option<ObjectId>>,
}

/// What NetCDF-4 puts before the name of a variable that has a dimension's name but is not its coordinate.
const NOT_A_COORDINATE: &str = "_nc4_non_coord_";

/// Gives variables the names that NetCDF-4 shows, unless another object that readers see has the name.
pub(crate) fn rename_variables<D>(tree: &mut Tree, objects: &Objects<D>) {
    let visible =
        |id: &ObjectId| !matches!(objects.get(id), Some(Ok(object)) if object.is_dimension_only());
    let groups = tree.groups.iter().map(|node| node.path.clone());
    let arrays =
        tree.datasets.iter().filter(|node| visible(&node.id)).map(|node| node.path.clone());
    let mut taken: BTreeSet<String> = groups.chain(arrays).collect();
    for node in &mut tree.datasets {
        if let Some(name) = base_name(&node.path).strip_prefix(NOT_A_COORDINATE) {
            let path = join_path(parent(&node.path), name);
            if !name.is_empty() && taken.insert(path.clone()) {
                if let Some(known) =
                    tree.paths.get_mut(&node.id).filter(|known| **known == node.path)
                {
                    known.clone_from(&path);
                }
                node.path = path;
            }
        }
    }
}

/// Works the dimensions of all datasets out.
pub(crate) fn dimensions(objects: &Objects<Prepared>, tree: &Tree) -> Dimensions {
    let mut scales = find_scales(objects, tree);
    let variables = find_variables(objects, tree);
    for variable in &variables {
        for (axis, &length) in variable.axes.iter().zip(variable.dataset.dataspace.shape()) {
            if let Some(scale) = axis.and_then(|address| scales.get_mut(&address)) {
                scale.unlimited = scale.unlimited.map(|longest| longest.max(length));
            }
        }
    }
    let mut result = Dimensions::default();
    for (address, scale) in &scales {
        if let Some(Ok(object)) = objects.get(address)
            && let Some(mut dimension) =
                object.dataset().and_then(|one| scale_dimension(scale.name, &one.dataset))
        {
            dimension.length = scale.unlimited.unwrap_or(dimension.length);
            result.defined.entry(parent(scale.path).to_owned()).or_default().push(dimension);
        }
    }
    let mut phony = Phony::new(scales.len());
    let mut taken: HashMap<(&str, &str), ObjectId> = HashMap::new();
    for variable in &variables {
        let group = parent(variable.path);
        let shape = full_shape(variable, &scales);
        let mut names: Vec<Option<String>> = vec![None; shape.len()];
        for (name, axis) in names.iter_mut().zip(&variable.axes) {
            let Some(address) = *axis else { continue };
            let Some(scale) = scales.get(&address) else { continue };
            // Two dimensions of one name within reach of a group: the later one goes by its path.
            let owner = *taken.entry((group, scale.name)).or_insert(address);
            *name = Some(if owner == address { scale.name } else { scale.path }.to_owned());
        }
        let names = phony.fill(group, &shape, names);
        for (name, length) in names.iter().zip(&shape) {
            phony.define(group, name, *length, &mut result);
        }
        result.names.insert(variable.path.to_owned(), names);
        if shape != dataset_shape(variable.dataset) {
            result.shapes.insert(variable.path.to_owned(), shape);
        }
    }
    for defined in result.defined.values_mut() {
        defined.sort_by(|a, b| a.name.cmp(&b.name));
    }
    result
}

fn find_scales<'a>(objects: &Objects<Prepared>, tree: &'a Tree) -> HashMap<ObjectId, Scale<'a>> {
    let root = tree.groups.first().and_then(|root| objects.get(&root.id)?.as_ref().ok());
    let is_netcdf = root.is_some_and(|root| root.attribute("_NCProperties").is_some());
    let mut scales = HashMap::new();
    for (&address, object) in objects {
        let Ok(object) = object else { continue };
        let (true, Some(path)) = (object.is_scale(), tree.paths.get(&address)) else { continue };
        let is_netcdf = is_netcdf || object.attribute("_Netcdf4Dimid").is_some();
        let dimension = object.dataset().and_then(|one| scale_dimension("", &one.dataset));
        let unlimited = dimension.filter(|dimension| is_netcdf && dimension.unlimited);
        let unlimited = unlimited.map(|dimension| dimension.length);
        scales.insert(address, Scale { name: base_name(path), path, unlimited });
    }
    scales
}

/// All datasets; those of subgroups before those of the group itself, as NetCDF-C numbers their phony dimensions.
fn find_variables<'a>(objects: &'a Objects<Prepared>, tree: &'a Tree) -> Vec<Variable<'a>> {
    let mut by_id: HashMap<i64, ObjectId> = HashMap::new();
    for (&address, object) in objects {
        // Variables that are no coordinates carry the number of their first dimension under the same name.
        if let Ok(object) = object
            && object.is_scale()
            && let Some([id]) = object.attribute("_Netcdf4Dimid")
            && let Some(id) = integer(id)
        {
            by_id.insert(id, address);
        }
    }
    let mut variables = Vec::new();
    for node in &tree.datasets {
        let Some(Ok(object)) = objects.get(&node.id) else { continue };
        // No reader sees these, and a variable may have been given the path of one.
        if object.is_dimension_only() {
            continue;
        }
        let Some(Prepared { dataset, .. }) = object.dataset() else { continue };
        let axes = axis_scales(object, node.id, dataset.dataspace.shape().len(), &by_id);
        variables.push(Variable { path: &node.path, dataset, axes });
    }
    variables.sort_by(|a, b| group_order(parent(a.path), parent(b.path)));
    variables
}

/// The shape as NetCDF-4 shows it. Only axes that may grow are longer than in the dataset, and only where the dataset
/// says what its missing elements read as.
fn full_shape(variable: &Variable<'_>, scales: &HashMap<ObjectId, Scale<'_>>) -> Vec<u64> {
    let mut shape = dataset_shape(variable.dataset);
    let Dataspace::Simple { max_shape, .. } = &variable.dataset.dataspace else { return shape };
    let has_fill = matches!(variable.dataset.fill_value, FillValue::Defined(_));
    let is_text = matches!(variable.dataset.datatype.class, Class::VariableLengthString { .. });
    if !has_fill && !is_text {
        return shape;
    }
    for ((length, max), axis) in shape.iter_mut().zip(max_shape).zip(&variable.axes) {
        let longest = axis.and_then(|address| scales.get(&address)?.unlimited);
        if let (None, Some(longest)) = (max, longest) {
            *length = longest.max(*length);
        }
    }
    shape
}

/// The scale of every axis of a dataset.
fn axis_scales(
    object: &Object<Prepared>,
    address: ObjectId,
    rank: usize,
    by_id: &HashMap<i64, ObjectId>,
) -> Vec<Option<ObjectId>> {
    let mut axes = vec![None; rank];
    if let Some(list) = object.attribute("DIMENSION_LIST") {
        for (axis, value) in axes.iter_mut().zip(list) {
            if let Value::List(scales) = value
                && let Some(Value::Object(scale)) = scales.first()
            {
                *axis = *scale;
            }
        }
    }
    // A coordinate variable of several dimensions names them by number.
    if axes.iter().all(Option::is_none)
        && let Some(ids) = object.attribute("_Netcdf4Coordinates")
        && ids.len() == rank
    {
        for (axis, id) in axes.iter_mut().zip(ids) {
            *axis = integer(id).and_then(|id| by_id.get(&id).copied());
        }
    }
    if let [axis @ None] = axes.as_mut_slice()
        && object.is_scale()
    {
        *axis = Some(address);
    }
    axes
}

/// The dimension that a scale defines.
fn scale_dimension(name: &str, dataset: &Dataset) -> Option<Dimension> {
    let Dataspace::Simple { shape, max_shape } = &dataset.dataspace else { return None };
    Some(Dimension {
        name: name.to_owned(),
        length: *shape.first()?,
        unlimited: max_shape.first()?.is_none(),
    })
}

/// Dimensions that have no scale: one per group and length, numbered through the file after the real ones.
struct Phony {
    next: usize,
    known: BTreeMap<(String, u64), Vec<String>>,
    defined: BTreeSet<(String, String)>,
}

impl Phony {
    fn new(real: usize) -> Self {
        Self { next: real, known: BTreeMap::new(), defined: BTreeSet::new() }
    }

    /// Names the axes that have no name; no name is used twice in one array.
    fn fill(&mut self, group: &str, shape: &[u64], names: Vec<Option<String>>) -> Vec<String> {
        let mut used: Vec<String> = Vec::new();
        let mut filled = Vec::new();
        for (name, &length) in names.into_iter().zip(shape) {
            let name = name.unwrap_or_else(|| {
                let known = self.known.entry((group.to_owned(), length)).or_default();
                if let Some(name) = known.iter().find(|name| !used.contains(name)) {
                    return name.clone();
                }
                let name = format!("phony_dim_{}", self.next);
                self.next = self.next.saturating_add(1);
                known.push(name.clone());
                name
            });
            used.push(name.clone());
            filled.push(name);
        }
        filled
    }

    /// Adds a phony dimension to those of its group, once.
    fn define(&mut self, group: &str, name: &str, length: u64, result: &mut Dimensions) {
        if name.starts_with("phony_dim_")
            && self.defined.insert((group.to_owned(), name.to_owned()))
        {
            let dimension = Dimension { name: name.to_owned(), length, unlimited: false };
            result.defined.entry(group.to_owned()).or_default().push(dimension);
        }
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        Value::UInt(value) => i64::try_from(*value).ok(),
        _ => None,
    }
}

/// Subgroups first, siblings by name.
fn group_order(a: &str, b: &str) -> std::cmp::Ordering {
    let inside = |inner: &str, outer: &str| {
        inner != outer
            && (outer.is_empty()
                || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/')))
    };
    if inside(a, b) {
        std::cmp::Ordering::Less
    } else if inside(b, a) {
        std::cmp::Ordering::Greater
    } else {
        a.split('/').cmp(b.split('/'))
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn base_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phony_dimensions_are_one_per_group_and_length() {
        let mut phony = Phony::new(2);
        assert_eq!(
            phony.fill("", &[3, 4, 3], vec![None, None, None]),
            ["phony_dim_2", "phony_dim_3", "phony_dim_4"]
        );
        assert_eq!(phony.fill("", &[4, 3], vec![None, None]), ["phony_dim_3", "phony_dim_2"]);
        assert_eq!(phony.fill("", &[4, 3], vec![Some("x".to_owned()), None]), ["x", "phony_dim_2"]);
        assert_eq!(phony.fill("g", &[3], vec![None]), ["phony_dim_5"]);
    }

    #[test]
    fn subgroups_come_before_their_group() {
        let mut groups = ["", "b", "a", "a/c", "ab"];
        groups.sort_by(|a, b| group_order(a, b));
        assert_eq!(groups, ["a/c", "a", "ab", "b", ""]);
    }
}
