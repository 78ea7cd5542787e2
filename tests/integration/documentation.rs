// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables of the documentation that are made of what is linked in. `UPDATE_GOLDEN=1` rewrites them.

use std::fmt::Write as _;
use std::{env, fs};

use chunkref::FormatOption;

use crate::environment::root;

fn table<'a>(options: impl Iterator<Item = &'a FormatOption>) -> String {
    let mut table =
        String::from("| option | flag | takes | default | means |\n|---|---|---|---|---|\n");
    for option in options {
        let code = |text: &str| format!("`{}`", text.replace('|', "\\|"));
        let flags: Vec<_> = option.flags().map(|flag| code(&format!("--{flag}"))).collect();
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
fn golden_tables_of_the_options_of_formats() {
    let path = root().join("docs/guide/command-line.md");
    let text = fs::read_to_string(&path).unwrap();
    let inputs = chunkref::registry().unwrap();
    let outputs = chunkref::emit::formats().unwrap();
    let mut made = text.clone();
    for (begin, end, table) in [
        (
            "<!-- options of formats: made by `cargo xtask golden` -->\n",
            "<!-- end -->\n",
            table(inputs.entries().iter().flat_map(|entry| entry.options)),
        ),
        (
            "<!-- options of output formats: made by `cargo xtask golden` -->\n",
            "<!-- end of output formats -->\n",
            table(outputs.options()),
        ),
    ] {
        let (before, rest) = made.split_once(begin).expect("the guide has the mark of the table");
        let (_, after) = rest.split_once(end).expect("the guide has the end of the table");
        made = format!("{before}{begin}{table}{end}{after}");
    }
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, made).unwrap();
        return;
    }
    assert_eq!(text, made, "`cargo xtask golden` writes it");
}
