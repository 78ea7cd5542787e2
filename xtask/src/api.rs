// SPDX-License-Identifier: MIT OR Apache-2.0
//! The public surface of each library, as a text under `docs/api`, so that a change of it is seen in review. `api` writes the
//! texts, `tidy` compares them.
//!
//! It is what the source says: a `pub` item of any module is public, because the lint `unreachable_pub` refuses others. What
//! macros make is not listed, and neither are bodies, private fields and documentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Fields, ImplItem, Item, Visibility};

use crate::step::{Outcome, root};
use crate::tidy::{Tree, tree};

/// Crates that nobody depends on: their surface is theirs alone.
const UNPUBLISHED: [&str; 3] = ["chunkref-fuzzing", "chunkref-python", "chunkref-testserver"];

/// Write all listings.
pub(crate) fn write() -> Outcome<()> {
    let folder = root().join("docs/api");
    fs::create_dir_all(&folder).map_err(|error| format!("docs/api: {error}"))?;
    for (path, text) in listings(&tree()?)? {
        fs::write(root().join(&path), text).map_err(|error| format!("{path}: {error}"))?;
        println!("{path}");
    }
    Ok(())
}

/// The listings of a tree, by their paths.
pub(crate) fn listings(tree: &Tree) -> Outcome<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for path in tree.keys() {
        let name = path.strip_prefix("crates/").and_then(|rest| rest.strip_suffix("/src/lib.rs"));
        let Some(name) = name.filter(|name| !UNPUBLISHED.contains(name)) else { continue };
        let mut text =
            format!("The public surface of {name}, by module; `cargo xtask api` writes it.\n");
        let folder = format!("crates/{name}/src");
        module(tree, path, &folder, &name.replace('-', "_"), &mut text)?;
        found.insert(format!("docs/api/{name}.txt"), text);
    }
    Ok(found)
}

/// Lists one file and the modules below it. `folder` is where the files of those are.
fn module(tree: &Tree, path: &str, folder: &str, name: &str, text: &mut String) -> Outcome<()> {
    let content = tree.get(path).ok_or_else(|| format!("{path}: there is no such file"))?;
    let source = str::from_utf8(content).map_err(|error| format!("{path}: {error}"))?;
    let file = syn::parse_file(source).map_err(|error| format!("{path}: {error}"))?;
    items(tree, file.items, (path, folder), name, text)
}

fn items(
    tree: &Tree,
    all: Vec<Item>,
    (path, folder): (&str, &str),
    name: &str,
    text: &mut String,
) -> Outcome<()> {
    let mut public = Vec::new();
    let mut below = Vec::new();
    for item in all {
        match item {
            Item::Mod(own) if is_test(&own.attrs) => {}
            Item::Mod(own) => below.push(own),
            item => public.extend(surface(item)),
        }
    }
    if !public.is_empty() {
        let file = syn::File { shebang: None, attrs: Vec::new(), items: public };
        let _ = write!(text, "\n== {name}\n\n{}", prettyplease::unparse(&file));
    }
    for own in below {
        let name = format!("{name}::{}", own.ident);
        let inner = format!("{folder}/{}", own.ident);
        if let Some((_, all)) = own.content {
            items(tree, all, (path, &inner), &name, text)?;
        } else {
            let files = [format!("{inner}.rs"), format!("{inner}/mod.rs")];
            let file = files.iter().find(|file| tree.contains_key(*file));
            let file = file.ok_or_else(|| format!("{path}: no file of the module {name}"))?;
            module(tree, file, &inner, &name, text)?;
        }
    }
    Ok(())
}

/// What others see of an item; `None` for nothing.
fn surface(mut item: Item) -> Option<Item> {
    Surface.visit_item_mut(&mut item);
    let public = |visibility: &Visibility| matches!(visibility, Visibility::Public(_));
    let shown = match &mut item {
        Item::Const(own) => public(&own.vis),
        Item::Enum(own) => public(&own.vis),
        Item::Fn(own) => public(&own.vis),
        Item::Static(own) => public(&own.vis),
        Item::Struct(own) => public(&own.vis),
        Item::Trait(own) => public(&own.vis),
        Item::Type(own) => public(&own.vis),
        Item::Union(own) => public(&own.vis),
        Item::Use(own) => public(&own.vis),
        Item::Impl(own) if own.trait_.is_none() => {
            own.items.retain(|item| match item {
                ImplItem::Const(own) => public(&own.vis),
                ImplItem::Fn(own) => public(&own.vis),
                ImplItem::Type(own) => public(&own.vis),
                _ => false,
            });
            !own.items.is_empty()
        }
        _ => false,
    };
    shown.then_some(item)
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|one| {
        one.path().is_ident("cfg")
            && one.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

/// Takes away what is no part of the surface.
struct Surface;

impl VisitMut for Surface {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        let kept = ["non_exhaustive", "derive", "cfg", "must_use", "async_trait", "default"];
        attributes.retain(|one| {
            let last = one.path().segments.last();
            last.is_some_and(|last| kept.iter().any(|name| last.ident == name))
        });
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        block.stmts.clear();
    }

    fn visit_item_const_mut(&mut self, item: &mut syn::ItemConst) {
        *item.expr = syn::parse_quote!(_);
        visit_mut::visit_item_const_mut(self, item);
    }

    fn visit_item_static_mut(&mut self, item: &mut syn::ItemStatic) {
        *item.expr = syn::parse_quote!(_);
        visit_mut::visit_item_static_mut(self, item);
    }

    fn visit_impl_item_const_mut(&mut self, item: &mut syn::ImplItemConst) {
        item.expr = syn::parse_quote!(_);
        visit_mut::visit_impl_item_const_mut(self, item);
    }

    fn visit_item_struct_mut(&mut self, item: &mut syn::ItemStruct) {
        visit_mut::visit_item_struct_mut(self, item);
        let public = |field: &syn::Field| matches!(field.vis, Visibility::Public(_));
        let all = match &mut item.fields {
            Fields::Named(named) => {
                let all = named.named.iter().all(public);
                named.named = std::mem::take(&mut named.named).into_iter().filter(public).collect();
                all
            }
            Fields::Unnamed(tuple) => {
                let all = tuple.unnamed.iter().all(public);
                // Positions count, so private ones are there without their types.
                for field in tuple.unnamed.iter_mut().filter(|field| !public(field)) {
                    field.ty = syn::parse_quote!(_);
                }
                all
            }
            Fields::Unit => true,
        };
        if let (false, Fields::Named(named)) = (all, &mut item.fields) {
            named.named.push(syn::parse_quote!(_private: _));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::planted;

    fn listed(files: &[(&str, &str)]) -> String {
        listings(&planted(files)).unwrap().into_values().collect()
    }

    #[test]
    fn what_is_public_is_listed_with_its_signature() {
        let text = listed(&[
            (
                "crates/a-b/src/lib.rs",
                "mod inner; pub mod open { pub const N: u8 = 1; }\npub use inner::T;\n\
                 #[cfg(test)] mod tests { pub fn no() {} }\nfn hidden() {}\npub(crate) fn ours() {}",
            ),
            (
                "crates/a-b/src/inner.rs",
                "/// Doc.\n#[derive(Debug)]\n#[non_exhaustive]\npub struct T { pub a: u8, b: u16 }\n\
                 impl T { pub fn f(&self) -> u8 { self.a } fn g() {} }\n\
                 pub trait R { fn r(&self) -> u8 { 1 } }",
            ),
            ("crates/chunkref-testserver/src/lib.rs", "pub fn unpublished() {}"),
        ]);
        for part in [
            "== a_b\n\npub use inner::T;",
            "== a_b::open\n\npub const N: u8 = _;",
            "== a_b::inner\n\n#[derive(Debug)]\n#[non_exhaustive]\npub struct T {\n    pub a: u8,\n    _private: _,\n}",
            "pub fn f(&self) -> u8 {}",
            "fn r(&self) -> u8 {}",
        ] {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
        for part in ["Doc", "u16", "self.a", "fn g", "hidden", "ours", "no()", "unpublished"] {
            assert!(!text.contains(part), "{part:?} is in:\n{text}");
        }
    }
}
