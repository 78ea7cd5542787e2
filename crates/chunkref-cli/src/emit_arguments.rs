// SPDX-License-Identifier: MIT OR Apache-2.0
//! How references are written: arguments that the output formats that are linked in ask for.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use chunkref::emit::formats;
use chunkref::{ReferenceFormat, ReferenceFormats, Stores};
use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::Stop;
use crate::format_arguments::parse_option;
use crate::option_flags::{self, Flag};
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
        let arguments = flags().iter().filter_map(|flag| flag.argument(flags(), OPTION));
        let mut command = command;
        for argument in [to, option].into_iter().chain(arguments) {
            // What collides is an error before any command does anything (`option_flags::collision`).
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
        for flag in flags() {
            if let Some(value) = flag.value(matches) {
                let names = flag.options.iter().map(|((), option)| option.name.to_owned());
                self.options.extend(names.map(|name| (name, value.clone())));
            }
        }
        Ok(())
    }
}

/// The flags that the output formats want.
fn flags() -> &'static [Flag<()>] {
    static FLAGS: OnceLock<Vec<Flag<()>>> = OnceLock::new();
    FLAGS.get_or_init(|| {
        let formats = formats().ok();
        let options = formats.iter().flat_map(ReferenceFormats::options);
        option_flags::flags(options.map(|option| ((), option)), |_| false)
    })
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
