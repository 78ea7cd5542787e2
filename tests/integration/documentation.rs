// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables of the documentation that are made of what is linked in. `UPDATE_GOLDEN=1` rewrites them.

use std::fmt::Write as _;
use std::{env, fs};

use chunkref::FormatOption;
use clap::CommandFactory as _;

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

/// The arguments of all commands but those that formats ask for; one with another meaning in another command has several rows.
fn arguments() -> String {
    let command = chunkref_cli::arguments::Arguments::command();
    let mut rows: Vec<(String, String, Vec<&str>)> = Vec::new();
    let count = command.get_subcommands().count();
    let everywhere = command.get_arguments().map(|argument| ("all", argument));
    let of_commands = command
        .get_subcommands()
        .flat_map(|command| command.get_arguments().map(|argument| (command.get_name(), argument)));
    for (name, argument) in of_commands.chain(everywhere) {
        let Some(long) = argument.get_long().filter(|long| !["help", "version"].contains(long))
        else {
            continue;
        };
        if argument.get_id().as_str().contains('.') {
            continue;
        }
        let short = argument.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
        let takes = argument.get_action().takes_values();
        let values = argument.get_value_names().filter(|_| takes).unwrap_or_default();
        let value = values.first().map(|value| format!(" {value}")).unwrap_or_default();
        let default = argument.get_default_values().first().filter(|_| takes);
        let default = default.map(|text| format!("; default `{}`", text.to_string_lossy()));
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let help = help.replace(['<', '>'], "").replace('|', "\\|");
        let help = format!("{}{}", help.trim_end_matches('.'), default.unwrap_or_default());
        let option = format!("{short}`--{long}{value}`");
        match rows.iter_mut().find(|row| row.0 == option && row.1 == help) {
            Some(row) => row.2.push(name),
            None => rows.push((option, help, vec![name])),
        }
    }
    let mut table = String::from("| option | of | means |\n|---|---|---|\n");
    for (option, help, commands) in rows {
        let of = if commands.len() == count { "all".to_owned() } else { commands.join(", ") };
        let _ = writeln!(table, "| {option} | {of} | {help} |");
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
            "<!-- arguments: made by `cargo xtask golden` -->\n",
            "<!-- end of arguments -->\n",
            arguments(),
        ),
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
