// SPDX-License-Identifier: MIT OR Apache-2.0
//! How references are written: arguments that the output formats that are linked in ask for.

use std::collections::BTreeMap;

use chunkref::core::OutputValues;
use chunkref::emit::formats;
use chunkref::{OutputOption, ReferenceFormat, ReferenceFormats, Stores};
use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::Stop;
use crate::format_arguments::parse_option;
use crate::output::Output;

/// The word for a format that is not named.
const AUTO: &str = "auto";
/// Identifiers of the arguments that are of no format.
const TO: &str = "to";
const OPTION: &str = "output-option";

/// How references are written.
#[derive(Debug, Clone, Default)]
pub struct EmitArguments {
    /// The word or name of an output format; `None` when the name of the output decides.
    pub to: Option<String>,
    /// Options of output formats, by name.
    pub options: BTreeMap<String, String>,
}

impl EmitArguments {
    /// The same choices, checked, for references to `stores`.
    pub(crate) fn output(&self, stores: &Stores) -> Result<Output, Stop> {
        let usage = |error: &dyn std::error::Error| Stop::Usage(error.to_string());
        let formats = formats().map_err(|error| usage(&error))?;
        let named = match &self.to {
            Some(name) => Some(*formats.by_name(name).map_err(|error| usage(&error))?),
            None => None,
        };
        let options = chunkref::EmitOptions::default().with_stores(stores.hints());
        let options = self
            .options
            .iter()
            .fold(options, |options, (name, value)| options.with_format_option(name, value));
        formats.validate(&options).map_err(|error| usage(&error))?;
        Ok(Output { formats, named, options })
    }
}

impl Args for EmitArguments {
    fn augment_args(command: Command) -> Command {
        // Formats that cannot be told apart are an error of every command that writes or reads references.
        let formats = formats().ok();
        let entries = formats.as_ref().map_or(&[][..], ReferenceFormats::entries);
        let mut words = vec![PossibleValue::new(AUTO).help("By the name of the output")];
        words.extend(entries.iter().map(word));
        let to = Arg::new(TO)
            .long(TO)
            .value_name("FORMAT")
            .value_parser(words)
            .default_value(AUTO)
            .help(help_of_to(entries));
        let option = Arg::new(OPTION)
            .long(OPTION)
            .value_name("NAME=VALUE")
            .value_parser(parse_option)
            .action(ArgAction::Append)
            .help("Set an option of an output format; may be given several times");
        let flags = entries.iter().flat_map(|entry| entry.options).filter_map(flag);
        let mut command = command;
        for argument in [to, option].into_iter().chain(flags) {
            // A flag that the command has keeps its meaning; the option is still set by its name.
            let long = argument.get_long().map(str::to_owned);
            if !command.get_arguments().any(|known| known.get_long() == long.as_deref()) {
                command = command.arg(argument.help_heading("Output"));
            }
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for EmitArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut new = Self::default();
        new.update_from_arg_matches(matches)?;
        Ok(new)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let to = matches.get_one::<String>(TO);
        self.to = to.filter(|word| *word != AUTO).cloned();
        let given = matches.get_many::<(String, String)>(OPTION);
        self.options.extend(given.into_iter().flatten().cloned());
        let Ok(formats) = formats() else { return Ok(()) };
        for option in formats.options().filter(|option| option.flag.is_some()) {
            // A flag that the command has itself is no argument of that name.
            let value = if takes_value(option) {
                matches.try_get_one::<String>(option.name).ok().flatten().cloned()
            } else {
                let given = matches.try_get_one::<bool>(option.name).ok().flatten().copied();
                given.unwrap_or(false).then(|| (!option.flag_turns_off()).to_string())
            };
            self.options.extend(value.map(|value| (option.name.to_owned(), value)));
        }
        Ok(())
    }
}

fn takes_value(option: &OutputOption) -> bool {
    option.values != OutputValues::Switch
}

/// A format as a value of `--to`.
fn word(entry: &ReferenceFormat) -> PossibleValue {
    let help = match entry.absence() {
        Some(reason) => format!("{}; {reason}", entry.description),
        None => entry.description.to_owned(),
    };
    PossibleValue::new(entry.word).alias(entry.name).help(help)
}

fn help_of_to(entries: &[ReferenceFormat]) -> String {
    let by_name = entries
        .iter()
        .filter(|entry| !entry.is_fallback)
        .map(|entry| format!("{} for {}", entry.word, entry.endings.join(" and ")));
    let mut cases: Vec<String> = by_name.collect();
    cases.extend(
        entries
            .iter()
            .filter(|entry| entry.is_fallback)
            .map(|entry| format!("else {}", entry.word)),
    );
    format!("Output format; auto goes by the name: {}", cases.join(", "))
}

/// The argument for an option that wants a flag.
fn flag(option: &'static OutputOption) -> Option<Arg> {
    let flag = option.flag?;
    let argument = Arg::new(option.name).long(flag);
    let short_for = format!("short for --{OPTION} {}", option.name);
    let help = option.help.trim_end_matches('.');
    if !takes_value(option) {
        let value = !option.flag_turns_off();
        let turns = if value { "" } else { "Do not: " };
        let help = format!("{turns}{help}; {short_for}={value}");
        return Some(argument.action(ArgAction::SetTrue).help(help));
    }
    let default = option.default.map(|default| format!(" [default: {default}]"));
    let name = match option.values {
        OutputValues::Count { .. } => "N",
        OutputValues::Choice(_) => "WORD",
        _ => "TEXT",
    };
    let help = format!("{help}; {short_for}={name}{}", default.unwrap_or_default());
    let check = |text: &str| option.check(text).map(|()| text.to_owned());
    Some(argument.value_name(name).value_parser(check).help(help))
}
