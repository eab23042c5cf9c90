//! Which file a unit is from, where a run has several, and how long names are shortened.

use super::columns::width;
use super::said::{Block, FilePlace, Setter};
use super::totals::has_frames;
use super::words::{CONNECTIONS, FRAMES, MESSAGES, count, joined};
use crate::lang::Lang;
use crate::model::{Account, FileTotals, InputFile, Meta, Summary, prefix};

/// Columns that a name may take where every line has one.
const LABEL: usize = 12;

/// The names of several files, as short as tells them apart.
#[derive(Debug, Default)]
pub struct Files {
    labels: Vec<String>,
    current: Option<usize>,
}

impl Files {
    /// Those of an input; none where it has only one, or where they are parts of one capture.
    pub fn new(meta: &Meta) -> Self {
        let names: Vec<&str> = if meta.concat { Vec::new() } else { names(meta).collect() };
        Self { labels: labels(&names), current: None }
    }

    /// From here on units are of this file.
    pub fn enter(&mut self, file: &InputFile) {
        self.current = file.number.checked_sub(1);
    }

    /// From here on units are of no file.
    pub fn leave(&mut self) {
        self.current = None;
    }

    /// The file that units are of.
    pub fn label(&self) -> Option<&str> {
        self.labels.get(self.current?).map(String::as_str)
    }

    /// Columns that the longest takes; 0 where there is only one file.
    pub fn columns(&self) -> usize {
        self.labels.iter().map(|label| width(label)).max().unwrap_or_default()
    }
}

fn names(meta: &Meta) -> impl Iterator<Item = &str> {
    meta.files.iter().map(|file| file.name.as_str())
}

/// The last part of each name, or where that is not enough, or too long, its number.
fn labels(names: &[&str]) -> Vec<String> {
    let distinct = |labels: &[String]| {
        let set: std::collections::HashSet<_> = labels.iter().collect();
        set.len() == labels.len()
    };
    let last = |name: &&str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let short: Vec<String> = names.iter().map(last).map(|name| shorten(&name, LABEL, "…")).collect();
    let paths: Vec<String> = names.iter().map(|name| from_the_end(name, LABEL)).collect();
    let numbers = || (1..=names.len()).map(|number| format!("#{number}")).collect();
    [short, paths].into_iter().find(|labels| distinct(labels)).unwrap_or_else(numbers)
}

/// A name in at most `room` columns: what is left out, `ellipsis` stands for. The last part of a path
/// stays as long as it fits, and its first part too where there is room for both.
pub fn shorten(name: &str, room: usize, ellipsis: &str) -> String {
    if width(name) <= room {
        return name.to_owned();
    }
    let room = room.saturating_sub(width(ellipsis));
    let file = name.rfind('/').map_or(name, |at| &name[at..]);
    // Of a name that is too long itself, the beginning and the end tell most.
    let tail =
        if file.len() < name.len() && width(file) <= room { file } else { end(name, room.div_ceil(2)) };
    format!("{}{ellipsis}{tail}", beginning(name, room - width(tail)))
}

/// The end of a name in at most `room` columns.
fn from_the_end(name: &str, room: usize) -> String {
    if width(name) <= room { name.to_owned() } else { format!("…{}", end(name, room.saturating_sub(1))) }
}

fn beginning(name: &str, room: usize) -> &str {
    let fits = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    &name[..fits.take_while(|at| width(&name[..*at]) <= room).last().unwrap_or_default()]
}

fn end(name: &str, room: usize) -> &str {
    let starts = name.char_indices().map(|(at, _)| at);
    &name[starts.into_iter().find(|at| width(&name[*at..]) <= room).unwrap_or(name.len())..]
}

/// Says which of several files is meant.
pub fn say(file: &InputFile, to: &mut dyn Setter) {
    let about = about(file.format.as_deref().unwrap_or_default(), &file.link_types);
    to.set(Block::File { name: &file.name, about: &about, place: FilePlace::Beginning });
}

/// What an input is: its format and its link types.
pub fn about(format: &str, link_types: &[String]) -> String {
    let mut about = format.to_owned();
    for link_type in link_types {
        about.push_str(" · ");
        about.push_str(link_type);
    }
    about
}

/// What is not there of connections that somebody tells of.
pub fn account(lang: Lang, account: &Account) -> String {
    let words = if account.by.is_empty() {
        "messages as they were saved: frames, masks, pings, compression and how it ended are not in here"
    } else {
        "messages as {} tells them: frames, masks, pings, compression and how it ended are not in here"
    };
    lang.fill(words, &[&prefix(&account.by, 60)])
}

/// What each of several files came to.
pub fn totals(lang: Lang, summary: &Summary, to: &mut dyn Setter) {
    for file in &summary.files {
        let about = totals_of(lang, file);
        to.set(Block::File { name: &file.name, about: &about, place: FilePlace::Totals });
    }
}

/// What one of several files came to, in a line.
pub fn totals_of(lang: Lang, file: &FileTotals) -> String {
    let error = if file.error.is_some() { lang.words("ended badly") } else { "" };
    let what = if has_frames(file.frames, file.messages) {
        count(lang, file.frames, FRAMES)
    } else {
        count(lang, file.messages, MESSAGES)
    };
    joined(lang, &[count(lang, file.connections, CONNECTIONS), what, error.to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_paths_keep_the_name_of_the_file() {
        for (name, room, short) in [
            ("chat.pcap", 9, "chat.pcap"),
            ("/var/captures/monday/chat.pcap", 20, "/var/capt…/chat.pcap"),
            ("/var/captures/monday/chat.pcap", 11, "…/chat.pcap"),
            ("/var/captures/monday/chat.pcap", 8, "/va…pcap"),
            ("a-very-long-name-of-a-file.pcapng", 15, "a-very-….pcapng"),
            ("会话会话会话/捕获.pcap", 14, "会…/捕获.pcap"),
        ] {
            assert_eq!(shorten(name, room, "…"), short);
            assert!(width(short) <= room);
        }
        assert_eq!(shorten("/var/captures/monday/chat.pcap", 20, "..."), "/var/ca.../chat.pcap");
    }

    #[test]
    fn labels_tell_files_apart() {
        for (names, expected) in [
            (&["a.pcap", "x/b.pcapng"][..], &["a.pcap", "b.pcapng"][..]),
            (&["client/x.pcap", "server/x.pcap"], &["…ient/x.pcap", "…rver/x.pcap"]),
            (&["a/x.pcap", "b/x.pcap"], &["a/x.pcap", "b/x.pcap"]),
            (&["-", "810548656c6c6f"], &["-", "810548…56c6c6f"]),
            (&["trace-2026-11-28-01.pcap", "trace-2026-11-28-02.pcap"], &["trace…1.pcap", "trace…2.pcap"]),
            (&["trace-00001-2026-11-28.pcap", "trace-00002-2026-11-28.pcap"], &["#1", "#2"]),
            (&["a.pcap", "a.pcap"], &["#1", "#2"]),
        ] {
            let expected: Vec<String> = expected.iter().map(|label| shorten(label, LABEL, "…")).collect();
            assert_eq!(labels(names), expected);
        }
    }
}
