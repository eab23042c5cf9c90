//! Help in another language than English, in which clap has it: every string of every page is
//! looked up in the catalogue, paragraph by paragraph.

use std::fmt::Write as _;

use clap::builder::{PossibleValue, PossibleValuesParser, StyledStr};
use clap::{Arg, Command};

use crate::lang::Lang;
use crate::render::columns;

/// Columns of a page.
const WIDTH: usize = 80;

/// Columns left of what an option does, where that stands below its name.
const BELOW: usize = 10;

/// Columns around an option's name, where what it does stands beside it.
const BESIDE: usize = 14;

/// The command with its pages in a language. It is to print them: parse with the original.
pub(super) fn translated(mut command: Command, lang: Lang) -> Command {
    command.build();
    page(command, lang)
}

/// The command with its words in a language and nothing else changed, for those who lay them out
/// by themselves: manual pages, completions. It is not to parse with.
pub(super) fn worded(mut command: Command, lang: Lang) -> Command {
    command.build();
    if lang.catalogue().is_some() { words_of(command, lang) } else { command }
}

fn words_of(mut command: Command, lang: Lang) -> Command {
    let told = |text: Option<&StyledStr>| text.map(|text| paragraph_by_paragraph(&text.to_string(), lang));
    let texts = [
        told(command.get_about()),
        told(command.get_long_about()),
        told(command.get_after_help()),
        told(command.get_after_long_help()),
    ];
    let [about, long_about, after, after_long] = texts;
    command = set(command, about, Command::about);
    command = set(command, long_about, Command::long_about);
    command = set(command, after, Command::after_help);
    command = set(command, after_long, Command::after_long_help);
    command
        .mut_args(|mut arg| {
            let (help, long) = (told(arg.get_help()), told(arg.get_long_help()));
            let heading = arg.get_help_heading().map(|heading| lang_of(heading, lang));
            arg = help.into_iter().fold(arg, Arg::help);
            arg = long.into_iter().fold(arg, Arg::long_help);
            arg = heading.into_iter().fold(arg, Arg::help_heading);
            let values = arg.get_possible_values();
            if values.iter().all(|value| value.get_help().is_none()) || !arg.get_action().takes_values() {
                return arg;
            }
            let values = values.into_iter().map(|value| match told(value.get_help()) {
                Some(help) => value.help(help),
                None => value,
            });
            arg.value_parser(PossibleValuesParser::new(values.collect::<Vec<_>>()))
        })
        .mut_subcommands(|command| words_of(command, lang))
}

/// With a text, where there is one.
fn set(command: Command, text: Option<String>, to: fn(Command, String) -> Command) -> Command {
    match text {
        Some(text) => to(command, text),
        None => command,
    }
}

/// The English of all pages, in paragraphs, as the catalogue has them for keys.
pub fn paragraphs(mut command: Command) -> Vec<String> {
    command.build();
    let mut found = Vec::new();
    gather(&command, &mut found);
    found.sort();
    found.dedup();
    found
}

fn gather(command: &Command, found: &mut Vec<String>) {
    let mut add = |text: Option<&StyledStr>| {
        let text = text.map(ToString::to_string).unwrap_or_default();
        found.extend(text.split("\n\n").filter(|part| !part.is_empty()).map(str::to_owned));
    };
    [command.get_about(), command.get_long_about(), command.get_after_help(), command.get_after_long_help()]
        .into_iter()
        .for_each(&mut add);
    for arg in command.get_arguments() {
        add(arg.get_help());
        add(arg.get_long_help());
        arg.get_possible_values().iter().for_each(|value| add(value.get_help()));
    }
    found.extend(command.get_arguments().filter_map(|arg| arg.get_help_heading().map(str::to_owned)));
    command.get_subcommands().for_each(|command| gather(command, found));
}

fn page(mut command: Command, lang: Lang) -> Command {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim_start().replace("[OPTIONS]", lang.words("[OPTIONS]"));
    let usage =
        usage.replace("<COMMAND>", lang.words("<COMMAND>")).replace("[COMMAND]", lang.words("[COMMAND]"));
    let usage = usage.replace("\n       ", "\n      ");

    let is_long = has_long(&command);
    let longest =
        command.get_arguments().map(|arg| columns::width(&arg.to_string())).max().unwrap_or_default();
    let names = command.get_subcommands().map(|command| command.get_name().len()).max().unwrap_or_default();
    let beside = WIDTH - (longest + BESIDE).min(WIDTH / 2);
    let told = |text: Option<&StyledStr>, width| text.map(|text| say(&text.to_string(), lang, width));
    let about = told(command.get_about(), WIDTH);
    let long_about = told(command.get_long_about(), WIDTH);
    let after = told(command.get_after_help(), WIDTH);
    let after_long = told(command.get_after_long_help(), WIDTH);

    let template =
        format!("{{about-with-newline}}\n{}{{usage}}\n\n{{all-args}}{{after-help}}", lang.words("Usage: "));
    command = command
        .help_template(template)
        .override_usage(usage)
        .subcommand_help_heading(lang.words("Commands"))
        .mut_args(|arg| argument(arg, lang, is_long, beside))
        .mut_subcommands(|command| {
            // It stands in the list beside the names, and begins the short page of the command.
            let mut line = told(command.get_about(), WIDTH - names - 8).unwrap_or_default();
            let aliases: Vec<String> = command.get_visible_aliases().map(str::to_owned).collect();
            if !aliases.is_empty() {
                let _ = write!(line, " {}", lang.fill("[alias: {}]", &[&aliases.join(", ")]));
            }
            page(command, lang).about(line).visible_alias(None).aliases(aliases)
        });
    command = set(command, long_about.or_else(|| about.clone().filter(|_| is_long)), Command::long_about);
    command = set(command, about, Command::about);
    command = set(command, after, Command::after_help);
    set(command, after_long, Command::after_long_help)
}

/// Whether clap has a longer page for `--help` than for `-h`.
fn has_long(command: &Command) -> bool {
    let values_are_told = |arg: &Arg| {
        !arg.is_hide_possible_values_set()
            && arg
                .get_possible_values()
                .iter()
                .any(|value| !value.is_hide_set() && value.get_help().is_some())
    };
    command.get_long_about().is_some()
        || command.get_after_long_help().is_some()
        || command.get_arguments().any(|arg| {
            // The one that clap adds has two texts because of the others.
            arg.get_id() != "help" && arg.get_long_help().is_some() || values_are_told(arg)
        })
}

/// What an option does, with the values it may have: clap would say those in English.
fn argument(arg: Arg, lang: Lang, is_long: bool, beside: usize) -> Arg {
    let english = |text: Option<&StyledStr>| text.map(ToString::to_string).unwrap_or_default();
    let takes_values = arg.get_action().takes_values();
    let mut values: Vec<PossibleValue> = Vec::new();
    if takes_values && !arg.is_hide_possible_values_set() {
        values.extend(arg.get_possible_values().into_iter().filter(|value| !value.is_hide_set()));
    }
    let mut defaults: Vec<String> = Vec::new();
    if takes_values && !arg.is_hide_default_value_set() {
        defaults.extend(arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()));
    }
    let names: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
    let mut notes = Vec::new();
    if !defaults.is_empty() {
        notes.push(lang.fill("[default: {}]", &[&defaults.join(", ")]));
    }
    if !names.is_empty() {
        notes.push(lang.fill("[possible values: {}]", &[&names.join(", ")]));
    }

    let help = english(arg.get_help());
    let short = [lang_of(&help, lang)].into_iter().chain(notes.iter().cloned()).collect::<Vec<_>>().join(" ");
    let heading = match arg.get_help_heading() {
        Some(heading) => lang_of(heading, lang),
        None if arg.is_positional() => lang.words("Arguments").to_owned(),
        None => lang.words("Options").to_owned(),
    };
    let mut long = say(&english(arg.get_long_help().or(arg.get_help())), lang, WIDTH - BELOW);
    if values.iter().any(|value| value.get_help().is_some()) {
        notes.pop();
        let _ = write!(long, "\n\n{}", lang.words("Possible values:"));
        for value in &values {
            let told =
                lang.fill("- {}: {}", &[&value.get_name(), &lang_of(&english(value.get_help()), lang)]);
            let lines = columns::lines(&told, WIDTH - BELOW - 2);
            let _ = write!(long, "\n{}", lines.join("\n  "));
        }
    }
    if !notes.is_empty() {
        let lines: Vec<String> = notes.iter().map(|note| wrapped(note, WIDTH - BELOW)).collect();
        let _ = write!(long, "\n\n{}", lines.join("\n"));
    }
    let arg = arg.help(wrapped(&short, beside)).help_heading(heading);
    let arg = arg.hide_possible_values(true).hide_default_value(true);
    // Under a heading of one's own clap would sort arguments by their names.
    let arg = match arg.get_index() {
        Some(index) => arg.display_order(index),
        None => arg,
    };
    if is_long { arg.long_help(long) } else { arg.long_help(None) }
}

/// A text in a language, its paragraphs in lines of so many columns.
fn say(english: &str, lang: Lang, width: usize) -> String {
    let paragraphs: Vec<String> =
        english.split("\n\n").map(|paragraph| wrapped(&lang_of(paragraph, lang), width)).collect();
    paragraphs.join("\n\n")
}

/// As [`say`], in lines as long as their paragraphs.
fn paragraph_by_paragraph(english: &str, lang: Lang) -> String {
    let paragraphs: Vec<String> = english.split("\n\n").map(|paragraph| lang_of(paragraph, lang)).collect();
    paragraphs.join("\n\n")
}

fn lang_of(english: &str, lang: Lang) -> String {
    lang.catalogue().and_then(|words| words.get(english)).unwrap_or(english).to_owned()
}

/// What has lines of its own keeps them.
fn wrapped(text: &str, width: usize) -> String {
    if text.contains('\n') { text.to_owned() } else { columns::lines(text, width).join("\n") }
}
