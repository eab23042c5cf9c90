//! The habits of those who come from other tools: `wstool FILE`, `tshark`'s and `tcpdump`'s options, URLs.
//!
//! What is meant is said as a whole line that can be copied; nothing is guessed where it is not sure.

mod filter;
mod names;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::error::ErrorKind;

use self::names::Meaning;
use super::Look;
use super::dial::Url;
use crate::input;
use crate::model::Text;
use crate::render::columns;

/// What somebody meant whose words are no command line of the tool.
pub(super) enum Meant {
    /// This command line.
    Line(Vec<OsString>),
    /// This one, and it is said that it was taken so.
    Taken(Vec<OsString>, Text),
    /// Something that is said otherwise, or not at all.
    Said(Answer),
}

/// What to do instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// What was said.
    problem: Text,
    /// The line that says it.
    line: Option<String>,
    /// The words of that line, if nothing else can be meant and it can be run as it is.
    words: Option<Vec<String>>,
    /// What else is worth knowing.
    notes: Vec<Text>,
}

/// Interprets a command line that clap refused.
pub(super) fn meant(args: &[OsString], error: &clap::Error) -> Option<Meant> {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return None;
    }
    let words: Vec<&str> = args.iter().skip(1).map(|word| word.to_str()).collect::<Option<_>>()?;
    let place = command_place(&words);
    match words.get(place) {
        Some(&("decode" | "d")) => {
            translate(&words[..place], &words[place + 1..]).map(|answer| answer.meant(args))
        }
        Some(word) if is_command(word) => None,
        Some(word) if is_socket(word) && is_command("connect") => {
            let mut line = args.to_vec();
            line.insert(place + 1, "connect".into());
            Some(Meant::Line(line))
        }
        Some(word) if is_url(word) => Some(Meant::Said(capture(word))),
        _ => {
            let first = words.get(place).copied().unwrap_or_default();
            if words.iter().any(|word| is_command(word) && !Path::new(word).exists()) {
                return None;
            }
            let is_option = first.starts_with('-') && first != "-";
            if !is_option && !is_input(first) {
                return None;
            }
            if let Some(answer) = translate(&words[..place], &words[place..]) {
                return Some(answer.meant(args));
            }
            let mut line = args.to_vec();
            line.insert(place + 1, "decode".into());
            let is_understood = !is_option || super::command().try_get_matches_from(&line).is_ok();
            is_understood.then_some(Meant::Line(line))
        }
    }
}

impl Answer {
    /// What is to be done with it, by a program that was started with `args`.
    fn meant(mut self, args: &[OsString]) -> Meant {
        match (self.words.take(), args.first()) {
            (Some(words), Some(program)) => {
                let line = std::iter::once(program.clone()).chain(words.into_iter().map(OsString::from));
                Meant::Taken(line.collect(), Text::with("taken as: {}", self.line.unwrap_or_default()))
            }
            _ => Meant::Said(self),
        }
    }
}

/// How to look at what goes on at a URL.
pub(super) fn url(inputs: &[String]) -> Option<Answer> {
    inputs.iter().find(|input| is_url(input) && !Path::new(input).exists()).map(|input| capture(input))
}

/// Tells what is meant, on standard error; the exit code.
///
/// # Errors
/// When that cannot be written.
pub(super) fn tell(answer: &Answer, look: Look) -> io::Result<u8> {
    look.tell("error: {}", &answer.problem)?;
    if let Some(line) = &answer.line {
        writeln!(io::stderr(), "  {}", columns::escaped(line))?;
    }
    for note in &answer.notes {
        look.tell("note: {}", note)?;
    }
    Ok(2)
}

/// Where the subcommand stands among the words, or would stand: behind the options that all of them have.
fn command_place(words: &[&str]) -> usize {
    let mut place = 0;
    while let Some(word) = words.get(place) {
        match *word {
            "--color" | "--lang" => place += 2,
            word if word.starts_with("--color=") || word.starts_with("--lang=") => place += 1,
            _ => break,
        }
    }
    place.min(words.len())
}

fn is_command(word: &str) -> bool {
    word == "help" || super::command().find_subcommand(word).is_some()
}

/// Whether a word in a command's place is something to decode: standard input, a file, hex, or a path where
/// a file was meant.
fn is_input(word: &str) -> bool {
    let is_path = || {
        let ending = Path::new(word).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        word.contains('/') || ["pcap", "pcapng", "cap", "gz", "hex", "bin"].contains(&ending)
    };
    word == "-" || Path::new(word).exists() || is_path() || input::from_argument(word).is_some()
}

/// Whether a word is the URL of a WebSocket.
fn is_socket(word: &str) -> bool {
    let scheme = word.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| scheme == "ws" || scheme == "wss")
}

fn is_url(word: &str) -> bool {
    let scheme = word.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| ["ws", "wss", "http", "https"].contains(&scheme.as_str()))
}

fn capture(url: &str) -> Answer {
    let problem = Text::with(
        "{}: wstool decodes what was captured; capture what goes on there, and repeat what fails:",
        url,
    );
    let socket = url.replacen("http", "ws", usize::from(url.to_ascii_lowercase().starts_with("http")));
    let Ok(at) = Url::parse(&socket) else {
        let line = Some(tcpdump("any", None, &[]));
        return Answer { problem, line, words: None, notes: Vec::new() };
    };
    let line = Some(tcpdump("any", Some(&format!("port {}", at.port)), &[]));
    let mut notes = Vec::new();
    if at.secure {
        notes.push("its content is encrypted there: capture where it is plain, behind what ends TLS".into());
    }
    if is_command("connect") {
        let connect = format!("wstool connect -v {}", quoted(&socket));
        notes.push(Text::with("to talk to the server oneself and see every frame: {}", connect));
    }
    let replay = format!("wstool replay --to {}", quoted(&socket));
    notes.push(Text::with("what the server says to a handshake is tried by: {}", replay));
    Answer { problem, line, words: None, notes }
}

/// A line that captures and decodes.
fn tcpdump(interface: &str, filter: Option<&str>, options: &[String]) -> String {
    let mut line = format!("tcpdump -i {} --immediate-mode -U -w -", quoted(interface));
    if let Some(filter) = filter {
        line.push(' ');
        line.push_str(filter);
    }
    line.push_str(" | wstool decode ");
    for option in options {
        line.push_str(&quoted(option));
        line.push(' ');
    }
    line + "-"
}

/// Says a command line of `decode` in which options of other tools are used; `None` where there is none of
/// them, or something that nobody knows.
fn translate(before: &[&str], words: &[&str]) -> Option<Answer> {
    let mut said = Said::default();
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        if word == "--" {
            said.inputs.extend(words.by_ref().map(str::to_owned));
            break;
        }
        if !word.starts_with('-') || word == "-" {
            said.inputs.push(word.to_owned());
            continue;
        }
        said.option(word, &mut words)?;
    }
    said.answer(before)
}

/// What was said, in the words of the tool.
#[derive(Debug, Default)]
struct Said {
    /// Options that are not of this tool, as they were written.
    foreign: Vec<String>,
    options: Vec<String>,
    inputs: Vec<String>,
    interface: Option<String>,
    filter: Option<String>,
    ignores_case: bool,
    /// Something of it could be meant otherwise, or is only near to what is there.
    is_loose: bool,
    /// A display filter that has no options of its own here.
    unsaid: Option<Text>,
    notes: Vec<Text>,
}

impl Said {
    fn option<'a>(
        &mut self,
        word: &'a str,
        words: &mut (impl Iterator<Item = &'a str> + Clone),
    ) -> Option<()> {
        let (name, joined) = match word.split_once('=') {
            Some((name, value)) if word.starts_with("--") => (name, Some(value)),
            _ => (word, None),
        };
        if let Some(takes_value) = takes_value(name) {
            let value = if takes_value { Some(joined.or_else(|| words.next())?) } else { None };
            match value.and_then(|value| names::value(name, value)) {
                Some(meaning) => self.foreign(name, value, meaning),
                None => self.options.extend([name].into_iter().chain(value).map(str::to_owned)),
            }
            return Some(());
        }
        // `-r` of grep and `-i` of grep are the same letters: the one has no value where a search is.
        if name == "-i" && self.options.iter().any(|option| option == "-g" || option == "--grep") {
            self.foreign(name, None, Meaning::IgnoreCase);
            return Some(());
        }
        if let Some((has_value, meaning)) = names::meaning(name) {
            let value = if has_value { joined.or_else(|| words.next()) } else { joined };
            self.foreign(name, value, meaning);
            return Some(());
        }
        // A short option with its value behind it: -rFILE; or one of the tool's own.
        let (short, value) = word.split_at_checked(2).filter(|_| !word.starts_with("--"))?;
        if takes_value(short) == Some(true) {
            self.options.push(word.to_owned());
            return Some(());
        }
        let (has_value, meaning) = names::meaning(short)?;
        has_value.then(|| self.foreign(short, Some(value), meaning))
    }

    fn foreign(&mut self, name: &str, value: Option<&str>, meaning: Meaning) {
        let written = [name].into_iter().chain(value);
        self.foreign.push(written.map(quoted).collect::<Vec<_>>().join(" "));
        let say = |said: &[&str]| said.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let text = value.unwrap_or_default();
        // No opcode is called like a file: who names one by -o can mean nothing else.
        let is_file = meaning == Meaning::Output && name == "-o" && !is_capture(text);
        self.is_loose |= !is_file && !matches!(meaning, Meaning::Input | Meaning::Filter);
        match meaning {
            Meaning::Input => self.inputs.extend(value.map(str::to_owned)),
            Meaning::Filter => {
                if let Some(options) = filter::options(text) {
                    self.options.extend(options);
                } else {
                    self.foreign.pop();
                    let unsaid = filter::unsaid(text).unwrap_or(
                        "the display filter {} has to be said with --stream, --from, --opcode, --grep or \
                         --findings",
                    );
                    self.unsaid = Some(Text::with(unsaid, quoted(text)));
                }
            }
            Meaning::Interface => self.interface = Some(value.unwrap_or("any").to_owned()),
            Meaning::CaptureFilter => {
                self.filter = Some(text.to_owned());
                self.interface.get_or_insert_with(|| "any".to_owned());
            }
            Meaning::Host => self.options.extend(say(&["--stream", text])),
            Meaning::Port => self.options.extend(say(&["--stream", &format!(":{text}")])),
            Meaning::Format => {
                self.options.extend(names::format(text).iter().flat_map(|name| say(&["--format", name])));
            }
            Meaning::Statistics => self.add(names::statistics(text)),
            Meaning::Options(options) => {
                self.add(options);
                if name == "-q" || name == "-Q" || name.ends_with("quiet") || name.ends_with("silent") {
                    self.notes.push("for the exit code alone: --fail-on error > /dev/null".into());
                }
                if name == "--follow" {
                    self.notes.push(
                        "a file that still grows is followed by: tail -c +1 -f FILE | wstool decode -".into(),
                    );
                }
            }
            Meaning::Valued(option) => self.options.extend(say(&[option, text])),
            Meaning::IgnoreCase => self.ignores_case = true,
            // Who names a capture wants packets and not text, as of tshark and tcpdump.
            Meaning::Output if is_capture(text) => self.options.extend(say(&["--write", text])),
            Meaning::Output if text == "-" => {}
            Meaning::Output => self.options.extend(say(&["--output", text])),
            Meaning::Anyway => {}
        }
    }

    /// Adds options, unless they are there already.
    fn add(&mut self, options: &[&str]) {
        if !self.options.windows(options.len()).any(|said| said == options) {
            self.options.extend(options.iter().map(|word| (*word).to_owned()));
        }
    }

    fn answer(mut self, before: &[&str]) -> Option<Answer> {
        // A line without it would show something else than what was asked for.
        if let Some(problem) = self.unsaid {
            return Some(Answer { problem, line: None, words: None, notes: self.notes });
        }
        if self.foreign.is_empty() {
            return None;
        }
        if self.ignores_case
            && let Some(at) = self.options.iter().position(|option| option == "-g" || option == "--grep")
            && let Some(pattern) = self.options.get_mut(at + 1)
        {
            *pattern = format!("(?i){pattern}");
        }
        let mut options: Vec<String> = before.iter().map(|word| (*word).to_owned()).collect();
        options.append(&mut self.options);
        let problem = Text::with("{} is said as:", self.foreign.join(" "));
        if let Some(interface) = &self.interface {
            let line = tcpdump(interface, self.filter.as_deref(), &options);
            return Some(Answer { problem, line: Some(line), words: None, notes: self.notes });
        }
        let can_run = !self.is_loose && !self.inputs.is_empty();
        if self.inputs.is_empty() {
            self.inputs.push("FILE".to_owned());
        }
        let words: Vec<String> =
            ["decode".to_owned()].into_iter().chain(options).chain(self.inputs).collect();
        let line = words.iter().fold("wstool".to_owned(), |line, word| line + " " + &quoted(word));
        let words = Some(words).filter(|_| can_run);
        Some(Answer { problem, line: Some(line), words, notes: self.notes })
    }
}

/// Whether an option of `decode` has a value; `None` where there is no such option.
fn takes_value(name: &str) -> Option<bool> {
    let command = super::command();
    let decode = command.find_subcommand("decode")?;
    let is_it = |arg: &&clap::Arg| {
        if let Some(long) = name.strip_prefix("--") {
            arg.get_long() == Some(long)
        } else {
            let mut letters = name.chars().skip(1);
            let letter = letters.next();
            letter.is_some() && letters.next().is_none() && arg.get_short() == letter
        }
    };
    let arg = decode.get_arguments().chain(command.get_arguments()).find(is_it)?;
    Some(arg.get_action().takes_values())
}

/// Whether a file is called as captures are.
fn is_capture(name: &str) -> bool {
    [".pcap", ".pcapng", ".cap"].iter().any(|ending| name.ends_with(ending))
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:,=@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let answer = translate(&[], &words).expect("an option of another tool is in it");
        answer.line.expect("there is a line for it")
    }

    #[test]
    fn options_of_other_tools_have_a_line() {
        for (line, expected) in [
            ("-r a.pcap", "wstool decode a.pcap"),
            ("-ra.pcap", "wstool decode a.pcap"),
            ("-r a.pcap -Y websocket.opcode==8", "wstool decode --opcode close a.pcap"),
            ("--json a.pcap", "wstool decode --format json a.pcap"),
            ("-T ek -r a.pcap", "wstool decode --format ndjson a.pcap"),
            ("--stats a.pcap", "wstool decode --view stats a.pcap"),
            ("-q -z conv,tcp -r a.pcap", "wstool decode --view stats a.pcap"),
            ("a.pcap --follow", "wstool decode --stream 1 --view messages a.pcap"),
            ("a.pcap --port 8080", "wstool decode --stream :8080 a.pcap"),
            ("-i eth0", "tcpdump -i eth0 --immediate-mode -U -w - | wstool decode -"),
            (
                "-i eth0 -v table --port=80",
                "tcpdump -i eth0 --immediate-mode -U -w - | wstool decode -v table --stream :80 -",
            ),
            ("-w out.txt a.pcap", "wstool decode --output out.txt a.pcap"),
            ("-r a.pcap -w out.pcapng", "wstool decode --write out.pcapng a.pcap"),
            ("-t ad a.pcap", "wstool decode --time utc a.pcap"),
            ("--grep err -i a.pcap", "wstool decode --grep '(?i)err' a.pcap"),
            ("-c 5 -nn", "wstool decode --limit 5 FILE"),
        ] {
            assert_eq!(said(line), expected, "{line}");
        }
    }

    #[test]
    fn what_nobody_knows_is_not_guessed() {
        for line in ["--frobnicate a.pcap", "-v table a.pcap", "--json --frobnicate", "--opcode 8 a.pcap"] {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(translate(&[], &words), None, "{line}");
        }
        let unsaid = translate(&[], &["-Y", "websocket.opcode > 7", "a.pcap"]).expect("-Y is known");
        assert_eq!(unsaid.line, None);
        assert!(unsaid.problem.to_string().contains("'websocket.opcode > 7'"));
        // Not even where the rest of the line could be said.
        let unsaid = translate(&[], &["-r", "a.pcap", "-Y", "tcp.stream==3"]).expect("-Y is known");
        assert_eq!(unsaid.line, None);
        assert!(unsaid.problem.to_string().contains("--stream 1"), "{}", unsaid.problem);
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, expected) in [("a.pcap", "a.pcap"), ("it's", r"'it'\''s'"), ("", "''"), ("a b", "'a b'")] {
            assert_eq!(quoted(word), expected);
        }
    }
}
