//! `wstool samples`: what comes with the tool to look at.

pub(super) mod shelf;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use colored::Colorize;
use serde_json::json;

use self::shelf::Sample;
use super::Look;
use super::output::{self, Output};
use super::trouble::{self, Trouble, of_file};
use crate::model::Text;
use crate::render::columns;

/// Name the samples that come with the tool, or write them into a folder.
///
/// `samples/…` works in every command and every folder, such as `wstool decode samples/chat.pcap`: where
/// there is no such file, the sample in the tool is meant. Other programs need the files: --to writes them.
#[derive(clap::Args)]
pub struct Args {
    /// Only samples with these words in their name or in what they show
    #[arg(value_name = "WORD")]
    words: Vec<String>,

    /// Write them into this folder, which gets a folder `samples`; `-` writes the one sample to standard
    /// output
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,

    /// Overwrite files that are there already and differ
    #[arg(long, requires = "to")]
    force: bool,

    /// Text for people, or records for programs
    #[arg(short, long, default_value = "text", conflicts_with = "to")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One array of records
    Json,
    /// One record a line
    Ndjson,
}

/// Lists or writes samples and gives the exit code.
///
/// # Errors
/// When the output cannot be written; a broken pipe among them.
pub fn run(args: &Args, look: Look) -> io::Result<u8> {
    let result = match &args.to {
        Some(folder) if folder.as_os_str() == "-" => print(args, look),
        Some(folder) => write(args, folder, look),
        None => list(args, look),
    };
    trouble::told(result, look)
}

/// The samples that are asked for: one whose path is given, or those in which all words are.
fn chosen(args: &Args, look: Look) -> Result<Vec<Sample>, Trouble> {
    let words: Vec<_> = args.words.iter().map(|word| word.to_lowercase()).collect();
    let mut all = shelf::samples();
    if let Some(at) = all.iter().position(|sample| words == [sample.path]) {
        return Ok(vec![all.swap_remove(at)]);
    }
    all.retain(|sample| {
        let told = format!("{} {}", sample.path, sample.about(look.lang)).to_lowercase();
        words.iter().all(|word| told.contains(word))
    });
    if all.is_empty() {
        let asked = args.words.join(" ");
        return Err(Trouble::Asked(Text::with("no sample has `{}`: wstool samples names them all", asked)));
    }
    Ok(all)
}

fn list(args: &Args, look: Look) -> Result<u8, Trouble> {
    let samples = chosen(args, look)?;
    let mut out = Output::new(false);
    let record = |sample: &Sample| {
        let rule = sample.rule().map(|rule| rule.id);
        let about = sample.about(look.lang);
        json!({ "path": sample.path, "group": sample.group, "about": about, "rule": rule })
    };
    match args.format {
        Format::Text => {
            if let [sample] = &samples[..] {
                writeln!(out, "{}", whole(sample, look))?;
            } else {
                groups(&samples, &mut out, look)?;
                writeln!(out, "\n{}", look.lang.words(HOW))?;
            }
        }
        Format::Json => {
            let records: Vec<_> = samples.iter().map(record).collect();
            writeln!(out, "{}", json!(records))?;
        }
        Format::Ndjson => {
            for sample in &samples {
                writeln!(out, "{}", record(sample))?;
            }
        }
    }
    out.flush()?;
    Ok(0)
}

/// Samples under their headings.
fn groups(samples: &[Sample], out: &mut Output, look: Look) -> io::Result<()> {
    let mut gap = "";
    for heading in GROUPS {
        let group: Vec<_> = samples.iter().filter(|sample| sample.group == heading).collect();
        if group.is_empty() {
            continue;
        }
        writeln!(out, "{gap}{}", look.lang.words(heading).bold())?;
        gap = "\n";
        let name = group.iter().map(|sample| sample.path.len()).max().unwrap_or_default();
        for sample in group {
            writeln!(out, "{}", line(sample, name, look))?;
        }
    }
    Ok(())
}

const HOW: &str = "Look at one from any folder: wstool decode samples/chat.pcap\n\
                   A .script is made a capture by: wstool encode --script NAME --pcap FILE\n\
                   Write them to files: wstool samples --to DIR";

/// A sample in a line: its path, in as many columns as all need, and as much of what it shows as fits.
fn line(sample: &Sample, name: usize, look: Look) -> String {
    let room = output::width().saturating_sub(name + 4);
    let about = sample.about(look.lang);
    let fitting = columns::lines(&about, room);
    let about = match &fitting[..] {
        [whole] => (*whole).to_owned(),
        _ => format!("{}…", columns::lines(&about, room - 1).first().unwrap_or(&"")),
    };
    format!("  {}  {about}", columns::left(sample.path, name))
}

/// What is known of one sample.
fn whole(sample: &Sample, look: Look) -> String {
    let about = sample.about(look.lang);
    let lines = columns::lines(&about, output::width().saturating_sub(2));
    lines.iter().fold(sample.path.bold().to_string(), |page, line| format!("{page}\n  {line}"))
}

/// The headings of the pages about samples.
const GROUPS: [&str; 15] = [
    "Captured from real programs",
    "HAR",
    "Polling beside WebSocket",
    "Socket.IO",
    "Protocols of one's own",
    "Over HTTP/2",
    "Incidents",
    "Within TLS",
    "Written where exactness is the point",
    "The examples of RFC 6455",
    "Without a fault",
    "Broken on purpose",
    "Right handshakes",
    "What middleboxes do to handshakes",
    "Broken handshakes",
];

/// Writes the one sample that is named to standard output.
fn print(args: &Args, look: Look) -> Result<u8, Trouble> {
    let named = args.words.first().filter(|_| args.words.len() == 1).and_then(|name| shelf::content(name));
    let bytes = match named {
        Some(bytes) => bytes,
        None => match &chosen(args, look)?[..] {
            [one] => shelf::content(one.path).unwrap_or_default(),
            more => {
                let text = "{} samples are meant: name one to write it to standard output";
                return Err(Trouble::Asked(Text::with(text, more.len())));
            }
        },
    };
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(0)
}

/// Writes samples below a folder. Nothing is written when a file of somebody's own would be lost.
fn write(args: &Args, folder: &Path, look: Look) -> Result<u8, Trouble> {
    let mut files = shelf::files().to_vec();
    if !args.words.is_empty() {
        let chosen = chosen(args, look)?;
        files.retain(|(name, _)| chosen.iter().any(|sample| sample.path == *name));
    }
    let place = |name: &str| name.split('/').fold(folder.to_owned(), |path, part| path.join(part));
    let differs = |name: &str, bytes: &[u8]| std::fs::read(place(name)).is_ok_and(|there| there != bytes);
    if let Some((name, _)) = files.iter().find(|(name, bytes)| !args.force && differs(name, bytes)) {
        let text = "{} is there already and differs; --force overwrites it, --to names another folder";
        return Err(Trouble::Asked(Text::with(text, place(name).display())));
    }
    for (name, bytes) in &files {
        let path = place(name);
        let parent = path.parent().unwrap_or(folder);
        let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, bytes));
        written.map_err(|error| Trouble::Asked(of_file(&path, &error)))?;
    }
    let mut out = io::stdout().lock();
    let words = "{} files written into {}";
    writeln!(out, "{}", look.lang.fill(words, &[&files.len(), &folder.join("samples").display()]))?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_those_of_the_pages() {
        let groups: Vec<_> = shelf::samples().iter().map(|sample| sample.group).collect();
        let mut once = groups.clone();
        once.dedup();
        assert_eq!(once, GROUPS);
    }
}
