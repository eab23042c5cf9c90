//! Completion scripts: what clap makes of the commands, with values where it knows of none, and files where
//! an input is wanted.

use clap::builder::PossibleValuesParser;
use clap::{Command, ValueHint};
use clap_complete::Shell;

use super::help;
use crate::explain;
use crate::lang::Lang;

/// The script for a shell, its descriptions in a language.
pub(super) fn script(shell: Shell, lang: Lang) -> String {
    let mut command = completed(help::worded(super::command(), lang));
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "wstool", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        Shell::Bash => script.lines().map(bash).collect(),
        // What is no command may be an input.
        Shell::Zsh => script.replace(
            "_describe -t commands 'wstool commands' commands \"$@\"",
            "_describe -t commands 'wstool commands' commands \"$@\" || _files",
        ),
        // Of arguments without a name clap says nothing to fish.
        Shell::Fish => {
            let words: String = command.get_subcommands().map(fish).collect();
            // An option that has no value yet is no reason to think that there is a command.
            let script = script.replacen("    or return\n", "    or return 0\n", 1);
            format!("{script}complete -c wstool -n \"__fish_wstool_needs_command\" -F\n{words}")
        }
        _ => script,
    }
}

/// The commands with values to choose from where those are parsed in words of their own. It is not to parse
/// with.
fn completed(command: Command) -> Command {
    let topics = names(explain::topics().iter().map(|topic| topic.id));
    let values = move |id: &str, short: Option<char>| -> Option<Vec<&'static str>> {
        match (id, short) {
            ("lang", _) => Some(Lang::ALL.iter().map(|lang| lang.code()).collect()),
            ("opcode", Some(_)) => Some(vec!["text", "binary", "continuation", "close", "ping", "pong"]),
            ("faults", _) => Some(vec![
                "accept",
                "version",
                "upgrade",
                "connection",
                "key",
                "protocol",
                "extensions",
                "slow",
            ]),
            ("topic", _) => Some(topics.clone()),
            _ => None,
        }
    };
    with(command, &values)
}

/// Values by an option's id and letter.
type Values<'a> = dyn Fn(&str, Option<char>) -> Option<Vec<&'static str>> + 'a;

fn with(command: Command, values: &Values<'_>) -> Command {
    command
        .mut_args(|arg| match values(arg.get_id().as_str(), arg.get_short()) {
            Some(values) => arg.value_parser(PossibleValuesParser::new(values)),
            None if arg.is_positional() && arg.get_possible_values().is_empty() => {
                arg.value_hint(ValueHint::FilePath)
            }
            None => arg,
        })
        .mut_subcommands(|command| with(command, values))
}

/// Those that a shell takes for one word.
fn names<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    ids.filter(|id| id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))).collect()
}

/// What fish has to know of a command whose arguments without a name are words to choose from; nothing of
/// others, which take files.
fn fish(command: &Command) -> String {
    let values = command.get_positionals().flat_map(clap::Arg::get_possible_values);
    let words: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
    if words.is_empty() {
        return String::new();
    }
    let (name, words) = (command.get_name(), words.join(" "));
    format!("complete -c wstool -n \"__fish_wstool_using_subcommand {name}\" -f -a \"{words}\"\n")
}

/// A line of the script for bash. Options are proposed where one is begun, and otherwise commands and values:
/// where there are none of these, bash goes on with files.
fn bash(line: &str) -> String {
    const OPTIONS: &str = "            opts=\"";
    const OR_FIRST: &str = " || ${COMP_CWORD} -eq ";
    if let Some(all) = line.strip_prefix(OPTIONS).and_then(|rest| rest.strip_suffix('"')) {
        let (options, words): (Vec<&str>, Vec<&str>) = all.split(' ').partition(|word| word.starts_with('-'));
        let is_place = |word: &&str| !word.starts_with(['[', '<']);
        let words: Vec<&str> = words.into_iter().filter(is_place).collect();
        return format!("{OPTIONS}{}\"\n            words=\"{}\"\n", options.join(" "), words.join(" "));
    }
    // The last line of a command's block, which is indented less than those under a condition.
    if line == "            COMPREPLY=( $(compgen -W \"${opts}\" -- \"${cur}\") )" {
        return "            COMPREPLY=( $(compgen -W \"${words}\" -- \"${cur}\") )\n".to_owned();
    }
    match line.find(OR_FIRST) {
        Some(at) => format!("{} ]] ; then\n", &line[..at]),
        None => format!("{}\n", line.replace("local i cur prev opts cmd", "local i cur prev opts words cmd")),
    }
}
