// SPDX-License-Identifier: MIT OR Apache-2.0
//! Flags that formats want for their options, of inputs and of outputs alike.

use std::collections::BTreeSet;

use chunkref::core::OptionType;
use chunkref::{FormatOption, ReferenceFormats, Registry};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// A flag that sets options of one format, or of several.
#[derive(Debug)]
pub(crate) struct Flag<F: 'static> {
    pub(crate) name: &'static str,
    /// What it is called among the arguments of a command: as no flag of the command itself.
    pub(crate) id: &'static str,
    /// The value that it sets, when it takes none.
    value: Option<&'static str>,
    help: String,
    /// Whether it is one more flag of its option.
    is_switch: bool,
    /// The options, with their formats.
    pub(crate) options: Vec<(F, &'static FormatOption)>,
}

/// The flags of these options but those that `taken` has, in their order. Options of several formats may share a flag.
pub(crate) fn flags<F: Copy>(
    options: impl IntoIterator<Item = (F, &'static FormatOption)>,
    taken: impl Fn(&str) -> bool,
) -> Vec<Flag<F>> {
    let mut flags: Vec<Flag<F>> = Vec::new();
    for (format, option) in options {
        let value = option.flag_value();
        let negated = if value == Some("false") { "Do not: " } else { "" };
        let own = option.flag.map(|name| (name, value, format!("{negated}{}", option.help), false));
        let switch = option.switch;
        let switch = switch.map(|one| (one.flag, Some(one.value), one.help.to_owned(), true));
        for (name, value, help, is_switch) in own.into_iter().chain(switch) {
            if taken(name) {
                continue;
            }
            if let Some(flag) = flags.iter_mut().find(|flag| flag.name == name) {
                flag.options.push((format, option));
                continue;
            }
            let options = vec![(format, option)];
            // Once for each switch of what is linked in.
            let id = if is_switch {
                String::leak(format!("{} {name}", option.name))
            } else {
                option.name
            };
            flags.push(Flag { name, id, value, help, is_switch, options });
        }
    }
    flags
}

/// What is wrong with the flags that options want: one that a command has itself, or that an option of an input and one of an
/// output want. Neither is dropped.
pub(crate) fn collision(command: &Command) -> Result<(), String> {
    let inputs = chunkref::registry();
    let outputs = chunkref::emit::formats();
    let of_inputs = inputs.iter().flat_map(Registry::entries).flat_map(|entry| entry.options);
    let of_outputs = outputs.iter().flat_map(ReferenceFormats::options);
    let of_inputs: Vec<_> = of_inputs.copied().collect();
    let of_outputs: Vec<_> = of_outputs.copied().collect();
    collision_of(command, &of_inputs, &of_outputs)
}

fn collision_of(
    command: &Command,
    of_inputs: &[FormatOption],
    of_outputs: &[FormatOption],
) -> Result<(), String> {
    // Arguments that options ask for have the names of these, with a dot.
    let is_own = |argument: &&Arg| !argument.get_id().as_str().contains('.');
    let commands = command.get_subcommands().chain([command]);
    let own: BTreeSet<&str> = commands
        .flat_map(Command::get_arguments)
        .filter(is_own)
        .filter_map(Arg::get_long)
        .chain(["help", "version"])
        .collect();
    for option in of_inputs.iter().chain(of_outputs) {
        if let Some(flag) = option.flags().find(|flag| own.contains(flag)) {
            let name = option.name;
            return Err(format!(
                "the option {name} asks for the flag --{flag}, which the command has itself: its crate has to ask for another one"
            ));
        }
    }
    for option in of_inputs {
        let shares =
            |flag: &str| of_outputs.iter().find(|other| other.flags().any(|one| one == flag));
        if let Some((flag, other)) = option.flags().find_map(|flag| Some((flag, shares(flag)?))) {
            let (name, other) = (option.name, other.name);
            return Err(format!(
                "the options {name} of an input and {other} of an output ask for the same flag --{flag}: one of the crates has to ask for another one"
            ));
        }
    }
    Ok(())
}

impl<F: Copy> Flag<F> {
    /// The argument. `all` are the flags of the same command, `setter` is the argument that sets options by their names.
    pub(crate) fn argument(&self, all: &[Self], setter: &str) -> Option<Arg> {
        let &(_, option) = self.options.first()?;
        let value = self.value.map(|value| format!("={value}")).unwrap_or_default();
        let names: Vec<_> = self
            .options
            .iter()
            .map(|(_, option)| format!("--{setter} {}{value}", option.name))
            .collect();
        let default = match (self.value, option.default) {
            (None, Some(default)) => format!(" [default: {default}]"),
            _ => String::new(),
        };
        let help = format!("{}; short for {}{default}", self.help, names.join(" and "));
        let argument = Arg::new(self.id).long(self.name).help(help);
        if self.value.is_some() {
            let others = all.iter().filter(|other| {
                let wants = |(_, option): &(F, &FormatOption)| option.flag == Some(other.name);
                self.is_switch && self.options.iter().any(wants)
            });
            return Some(
                argument
                    .action(ArgAction::SetTrue)
                    .conflicts_with_all(others.map(|other| other.id)),
            );
        }
        let own = *option;
        let checked = move |text: &str| own.check(text).map(|()| text.to_owned());
        Some(match option.takes {
            OptionType::Words(words) => argument
                .value_name("NAME")
                .value_parser(PossibleValuesParser::new(words.iter().copied())),
            OptionType::Bytes => argument.value_name("BYTES").value_parser(checked),
            OptionType::Count { .. } => argument.value_name("N").value_parser(checked),
            OptionType::Text(word) => argument.value_name(word).value_parser(checked),
            OptionType::Pairs => {
                argument.value_name("KEY=VALUE").action(ArgAction::Append).value_parser(checked)
            }
            _ => argument.value_name("VALUE").value_parser(checked),
        })
    }

    /// The value that a command line gives; nothing when the command has the flag not from here.
    pub(crate) fn value(&self, matches: &ArgMatches) -> Option<String> {
        if let Some(value) = self.value {
            let given = matches.try_get_one::<bool>(self.id).ok().flatten().copied();
            return given.unwrap_or(false).then(|| value.to_owned());
        }
        let values = matches.try_get_many::<String>(self.id).ok().flatten()?;
        Some(values.map(String::as_str).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn flags_that_cannot_be_had_are_an_error() {
        let command = Arguments::command();
        assert_eq!(collision(&command), Ok(()));
        let wants = |name, flag| FormatOption::new(name, OptionType::Flag, "").with_flag(flag);
        let check = |inputs: &[FormatOption], outputs: &[FormatOption]| {
            collision_of(&command, inputs, outputs)
        };
        for flag in ["to", "json", "quiet", "help", "concat"] {
            for (inputs, outputs) in
                [(&[wants("toy.x", flag)][..], &[][..]), (&[][..], &[wants("toy.x", flag)][..])]
            {
                let error = check(inputs, outputs).unwrap_err();
                assert!(error.contains("toy.x") && error.contains(flag), "{error}");
            }
        }
        let error = check(&[wants("toy.x", "rows")], &[wants("rows.x", "rows")]).unwrap_err();
        assert!(error.contains("toy.x of an input and rows.x"), "{error}");
        // Options of several inputs may share one.
        check(&[wants("toy.x", "rows"), wants("other.x", "rows")], &[wants("rows.y", "y")])
            .unwrap();
    }
}
