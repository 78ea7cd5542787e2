// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables of the documentation that are made of what is linked in. `UPDATE_GOLDEN=1` rewrites them.

use std::fmt::Write as _;
use std::{env, fs};

use chunkref::Registry;

use crate::environment::root;

const BEGIN: &str = "<!-- options of formats: made by `cargo xtask golden` -->\n";
const END: &str = "<!-- end -->\n";

fn options_of_formats(registry: &Registry) -> String {
    let mut table =
        String::from("| option | flag | takes | default | means |\n|---|---|---|---|---|\n");
    for option in registry.entries().iter().flat_map(|entry| entry.options) {
        let code = |text: &str| format!("`{}`", text.replace('|', "\\|"));
        let flags = option.flag.into_iter().chain(option.switch.map(|switch| switch.flag));
        let flags: Vec<_> = flags.map(|flag| code(&format!("--{flag}"))).collect();
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} |",
            code(option.name),
            flags.join(", "),
            code(&option.takes.placeholder()),
            option.default.map(code).unwrap_or_default(),
            option.help.replace('|', "\\|"),
        );
    }
    table
}

#[test]
fn golden_table_of_the_options_of_formats() {
    let path = root().join("docs/guide/command-line.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the guide has the mark of the table");
    let (table, after) = rest.split_once(END).expect("the guide has the end of the table");
    let expected = options_of_formats(&chunkref::registry().unwrap());
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(table, expected, "`cargo xtask golden` writes it");
}
