//! `--write FILE`: the packets of what was selected, in pcapng with what is said of each.

mod made;
mod pairs;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::made::Cut;
use self::pairs::Pairs;
use super::kept::{Keep, Kept};
use super::opening::{self, open};
use crate::cli::Look;
use crate::cli::interrupt::Interrupt;
use crate::cli::trouble::of_file;
use crate::input::{Capture, Input, PcapNgWriter, PcapWriter};
use crate::lang::Lang;
use crate::limits;
use crate::model::{Body, Dir, Packet, Text, Time, Unit, Wants};
use crate::render::comment::comments;
use crate::select::Window;
use crate::tls::Secrets;

/// Bytes of a message that a comment may quote.
const QUOTED: u64 = 1024;

/// What is noted of inputs while they are shown, so that their packets can be written.
pub(super) struct Marks {
    lang: Lang,
    has_comments: bool,
    /// The inputs are parts of one capture, whose packets are numbered through.
    is_one: bool,
    /// Inputs that are over.
    over: Vec<Part>,
    part: Part,
    window: Option<Window>,
    /// When the input begins.
    start: Option<Time>,
    /// Bytes of comments.
    held: usize,
    connections: usize,
    left_out: u64,
}

/// What is noted of one input, or of all that are parts of one capture.
#[derive(Default)]
struct Part {
    /// The input's place among all, from 1, where there are several.
    place: usize,
    connections: HashMap<u32, Extent, foldhash::fast::FixedState>,
    /// What is said of packets, by their numbers; of bytes without packets, by the number of a [`Cut`].
    comments: BTreeMap<u64, Vec<String>>,
    /// Where frames end, of bytes without packets.
    cuts: Vec<Cut>,
    /// Who sent bytes of which nobody says it.
    sender: Option<Dir>,
}

impl Part {
    /// What is said of a packet, or of what its number stands for.
    fn said(&self, number: u64) -> &[String] {
        self.comments.get(&number).map_or(&[], Vec::as_slice)
    }
}

/// A connection of which something was shown.
#[derive(Clone, Copy, Default)]
struct Extent {
    ends: Option<(SocketAddr, SocketAddr)>,
    /// Numbers of the first and last packet that carried anything shown.
    packets: Option<(u64, u64)>,
}

impl Marks {
    fn new(lang: Lang, has_comments: bool, is_one: bool, window: Option<Window>) -> Self {
        Self {
            lang,
            has_comments,
            is_one,
            over: Vec::new(),
            part: Part::default(),
            window,
            start: None,
            held: 0,
            connections: 0,
            left_out: 0,
        }
    }

    pub(super) fn wants(&self) -> Wants {
        if self.has_comments {
            Wants { payload: QUOTED, app: true, causes: true, ..Wants::NOTHING }
        } else {
            Wants::NOTHING
        }
    }

    /// Notes a unit that was selected.
    pub(super) fn take(&mut self, unit: &Unit<'_>) {
        match unit.body {
            Body::Meta(meta) => self.start = meta.start,
            Body::File(file) if !self.is_one => {
                let place = file.number;
                self.over.push(std::mem::replace(&mut self.part, Part { place, ..Part::default() }));
                return;
            }
            _ => {}
        }
        if unit.conn > 0 {
            if !self.part.connections.contains_key(&unit.conn) {
                if self.connections >= limits::WRITTEN_CONNECTIONS {
                    self.left_out += 1;
                    return;
                }
                self.connections += 1;
            }
            let extent = self.part.connections.entry(unit.conn).or_default();
            if let Body::Connection(connection) = unit.body {
                extent.ends = connection.client.zip(connection.server).or(extent.ends);
            }
            if let Some((first, last)) = unit.packets {
                let (from, to) = extent.packets.unwrap_or((first, last));
                extent.packets = Some((from.min(first), to.max(last)));
            }
        }
        self.part.sender = self.part.sender.or(unit.dir);
        if let (Body::Frame(frame), None, Some(dir)) = (unit.body, unit.packets, unit.dir) {
            self.cut(Cut { dir, end: frame.offset });
            let length = u64::from(frame.header.header_length()) + frame.captured + frame.missing;
            self.cut(Cut { dir, end: frame.offset + length });
        }
        if self.has_comments {
            self.comment(unit);
        }
    }

    fn cut(&mut self, cut: Cut) {
        if self.held < limits::COMMENTS {
            self.held += size_of::<Cut>();
            self.part.cuts.push(cut);
        }
    }

    fn comment(&mut self, unit: &Unit<'_>) {
        let part = &mut self.part;
        let known = part.connections.get(&unit.conn).and_then(|extent| extent.packets);
        let made = (!part.cuts.is_empty()).then_some(part.cuts.len() as u64);
        // What is said of a connection as a whole stands where it was last heard of.
        let Some(packet) = unit.packets.or(known).map(|(_, last)| last).or(made) else { return };
        let said = comments(unit, self.lang);
        if said.is_empty() {
            return;
        }
        let cost: usize = said.iter().map(|line| line.len().min(limits::COMMENT) + 64).sum();
        if self.held + cost > limits::COMMENTS {
            self.left_out += said.len() as u64;
            return;
        }
        self.held += cost;
        part.comments.entry(packet).or_default().extend(said);
    }

    /// The part that an input is, by its place among all, from 1.
    fn of(&self, place: usize) -> Option<&Part> {
        let mut parts = self.over.iter().chain([&self.part]);
        // Of one input nobody says where it begins.
        if self.over.is_empty() { parts.next() } else { parts.find(|part| part.place == place) }
    }
}

/// The file that packets are written to.
pub(super) struct Target {
    path: PathBuf,
    is_pcapng: bool,
    /// Copies of what can be read only once, by its name.
    kept: HashMap<String, Kept>,
    /// What TLS was deciphered with, which pcapng holds beside the packets.
    secrets: Arc<Secrets>,
}

/// What is read again to write its packets.
pub(super) struct Source<'a> {
    /// All inputs, in the order in which they were shown.
    pub(super) names: Vec<&'a str>,
    pub(super) interrupt: &'a Interrupt,
}

/// What was written.
#[derive(Default)]
struct Written {
    packets: u64,
    comments: u64,
    /// Connections whose keys are beside their packets.
    keys: u64,
}

/// Takes a packet, with what is said of it.
type Take<'t> = dyn FnMut(&Packet<'_>, &[String]) -> io::Result<()> + 't;

/// Why packets were not written.
enum Trouble {
    /// An input cannot be read again.
    Input(Text),
    /// The file cannot be written.
    Output(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Sees to it that a file to be written is no input.
///
/// # Errors
/// That it is one.
pub(super) fn spare(path: &Path, inputs: &[String]) -> Result<(), Text> {
    let is_same =
        |a: &Path, b: &Path| fs::canonicalize(a).is_ok_and(|a| fs::canonicalize(b).is_ok_and(|b| a == b));
    if inputs.iter().any(|input| is_same(path, Path::new(input))) {
        return Err(Text::with("{}: this is the input, which is not written over", path.display()));
    }
    Ok(())
}

impl Target {
    /// A file for the packets of `inputs`.
    ///
    /// # Errors
    /// What is wrong with it, and what to try.
    pub(super) fn new(path: &Path, inputs: &[String], secrets: Arc<Secrets>) -> Result<Self, Text> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let is_pcapng = match ending.to_ascii_lowercase().as_str() {
            "pcapng" => true,
            "pcap" | "cap" => false,
            _ => {
                let words =
                    "{}: its name ends in .pcapng, for packets with comments, or in .pcap, for packets alone";
                return Err(Text::with(words, path.display()));
            }
        };
        spare(path, inputs)?;
        let mut kept = HashMap::new();
        for input in inputs.iter().filter(|input| *input == "-" || opening::is_pipe(input)) {
            let copy = Kept::beside(path).map_err(|error| of_file(path, &error))?;
            kept.insert(input.clone(), copy);
        }
        Ok(Self { path: path.to_owned(), is_pcapng, kept, secrets })
    }

    /// Keeps a copy of what comes from an input that can be read only once.
    pub(super) fn keep(&mut self, input: &str) -> Option<Keep> {
        self.kept.get_mut(input)?.keep()
    }

    /// Whether all inputs can be read again even after Ctrl-C, which has ended them.
    pub(super) fn is_kept(&self, inputs: &[&str]) -> bool {
        inputs.iter().all(|input| self.kept.contains_key(*input))
    }

    /// Notes what is shown, for this file. `is_one` where all inputs are parts of one capture.
    pub(super) fn marks(&self, lang: Lang, is_one: bool, window: Option<Window>) -> Marks {
        Marks::new(lang, self.is_pcapng, is_one, window)
    }

    /// Writes the packets of what was noted, and says so; the exit code where that failed.
    pub(super) fn write(&self, marks: &Marks, source: &Source<'_>, look: Look) -> io::Result<Option<u8>> {
        if marks.connections == 0 {
            look.tell(
                "error: {}",
                &Text::with("{}: not written, as nothing was selected", self.path.display()),
            )?;
            return Ok(Some(2));
        }
        match self.all(marks, source) {
            Ok(written) => {
                let mut said = Text::with("{}: {} packets, {} comments", self.path.display())
                    .and(written.packets)
                    .and(written.comments);
                if written.keys > 0 {
                    let words = "{}, and the keys of {} TLS connections: whoever has the file can read them";
                    said = Text::new(words).word(said).and(written.keys);
                }
                if marks.left_out > 0 {
                    said = Text::new("{}; {} more would have been too many").word(said).and(marks.left_out);
                }
                look.tell("written to {}", &said)?;
                Ok(None)
            }
            Err(Trouble::Input(why)) => {
                look.tell("error: {}", &why)?;
                Ok(Some(2))
            }
            Err(Trouble::Output(error)) => {
                look.tell("error: {}", &of_file(&self.path, &error))?;
                Ok(Some(2))
            }
        }
    }

    /// The packets of all inputs, one after the other.
    fn all(&self, marks: &Marks, source: &Source<'_>) -> Result<Written, Trouble> {
        let window = || marks.window.clone().map(|window| window.from(marks.start));
        let pairs = |part: &Part| Pairs::new(part.connections.values().copied(), window());
        self.each(|take| {
            let (mut before, mut joined) = (0, marks.is_one.then(|| pairs(&marks.part)));
            for (place, name) in (1..).zip(&source.names) {
                let Some(part) = marks.of(place).filter(|part| !part.connections.is_empty()) else {
                    continue;
                };
                match self.open(name, source.interrupt)? {
                    Input::Capture(capture) => {
                        let mut own = joined.is_none().then(|| pairs(part));
                        let Some(pairs) = own.as_mut().or(joined.as_mut()) else { continue };
                        let read = packets(capture, before, part, pairs, take)?;
                        before += if marks.is_one { read } else { 0 };
                    }
                    Input::Har(_) => {
                        let words = "{}: an archive of messages, of which there are no packets to write";
                        return Err(Trouble::Input(Text::with(words, name)));
                    }
                    Input::Bytes(bytes) => made::packets(bytes, place, &part.cuts, part.sender, |each| {
                        each.iter().try_for_each(|(packet, number)| take(packet, part.said(*number)))
                    })?,
                }
            }
            Ok(())
        })
    }

    /// Reads an input again.
    fn open(&self, name: &str, interrupt: &Interrupt) -> Result<Input, Trouble> {
        match self.kept.get(name) {
            Some(kept) => kept.open(name).map_err(Trouble::Input),
            None => open(name, interrupt).map(|opened| opened.input).map_err(Trouble::Input),
        }
    }

    /// Writes the packets that `all` gives.
    fn each(&self, all: impl FnOnce(&mut Take<'_>) -> Result<(), Trouble>) -> Result<Written, Trouble> {
        let file = BufWriter::with_capacity(256 * 1024, File::create(&self.path)?);
        let mut written = Written::default();
        if self.is_pcapng {
            let application = concat!("wstool ", env!("CARGO_PKG_VERSION"));
            let mut writer = PcapNgWriter::new(file, application)?;
            let mut known = HashSet::new();
            all(&mut |packet, said| {
                // In front of what they are for, as who reads it packet by packet needs them.
                if let Some((random, lines)) = self.secrets.of_packet(packet.data)
                    && known.insert(random)
                {
                    written.keys += 1;
                    writer.secrets(lines.as_bytes())?;
                }
                written.packets += 1;
                written.comments += said.len() as u64;
                writer.packet(packet, said)
            })?;
            writer.finish()?;
        } else {
            let (mut file, mut writer) = (Some(file), None::<(PcapWriter<_>, u32)>);
            all(&mut |packet, _| {
                let (writer, link) = match (&mut writer, file.take()) {
                    (Some(writer), _) => writer,
                    (none, Some(file)) => none.insert((PcapWriter::new(file, packet.link)?, packet.link)),
                    (None, None) => return Ok(()),
                };
                if *link != packet.link {
                    return Err(io::Error::new(ErrorKind::InvalidInput, SEVERAL_LINKS));
                }
                written.packets += 1;
                writer.cut_packet(packet)
            })?;
            if let Some((writer, _)) = writer {
                writer.finish()?;
            }
        }
        Ok(written)
    }
}

/// Gives the packets of a capture that were selected, numbered behind the `before` ones of the parts before
/// it; how many it has.
fn packets(
    mut capture: Capture,
    before: u64,
    part: &Part,
    pairs: &mut Pairs,
    take: &mut Take<'_>,
) -> io::Result<u64> {
    let mut count = 0;
    // What is wrong with the end of a capture was told when it was shown.
    while let Some(Ok(packet)) = capture.next() {
        count += 1;
        let packet = Packet { number: packet.number + before, ..packet };
        if pairs.have(&packet) {
            take(&packet, part.said(packet.number))?;
        }
    }
    Ok(count)
}

/// What classic pcap has one of.
const SEVERAL_LINKS: &str = "packets of several link types fit no .pcap: name it .pcapng";
