//! `--write FILE`: the packets of what was selected, in pcapng with what is said of each.

mod made;
mod pairs;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use self::made::Cut;
use self::pairs::Pairs;
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

/// Bytes of a message that a comment may quote.
const QUOTED: u64 = 1024;

/// What is noted of an input while it is shown, so that its packets can be written.
pub(super) struct Marks {
    lang: Lang,
    has_comments: bool,
    connections: HashMap<u32, Extent, foldhash::fast::FixedState>,
    /// What is said of packets, by their numbers; of bytes without packets, by the number of a [`Cut`].
    comments: BTreeMap<u64, Vec<String>>,
    /// Where frames end, of bytes without packets.
    cuts: Vec<Cut>,
    /// Who sent bytes of which nobody says it.
    sender: Option<Dir>,
    window: Option<Window>,
    /// When the input begins.
    start: Option<Time>,
    /// Bytes of comments.
    held: usize,
    left_out: u64,
}

/// A connection of which something was shown.
#[derive(Clone, Copy, Default)]
struct Extent {
    ends: Option<(SocketAddr, SocketAddr)>,
    /// Numbers of the first and last packet that carried anything shown.
    packets: Option<(u64, u64)>,
}

impl Marks {
    fn new(lang: Lang, has_comments: bool, window: Option<Window>) -> Self {
        Self {
            lang,
            has_comments,
            connections: HashMap::default(),
            comments: BTreeMap::new(),
            cuts: Vec::new(),
            sender: None,
            window,
            start: None,
            held: 0,
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
        if let Body::Meta(meta) = unit.body {
            self.start = meta.start;
        }
        if unit.conn > 0 {
            if self.connections.len() >= limits::WRITTEN_CONNECTIONS
                && !self.connections.contains_key(&unit.conn)
            {
                self.left_out += 1;
                return;
            }
            let extent = self.connections.entry(unit.conn).or_default();
            if let Body::Connection(connection) = unit.body {
                extent.ends = connection.client.zip(connection.server).or(extent.ends);
            }
            if let Some((first, last)) = unit.packets {
                let (from, to) = extent.packets.unwrap_or((first, last));
                extent.packets = Some((from.min(first), to.max(last)));
            }
        }
        self.sender = self.sender.or(unit.dir);
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
            self.cuts.push(cut);
        }
    }

    fn comment(&mut self, unit: &Unit<'_>) {
        let known = self.connections.get(&unit.conn).and_then(|extent| extent.packets);
        let made = (!self.cuts.is_empty()).then_some(self.cuts.len() as u64);
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
        self.comments.entry(packet).or_default().extend(said);
    }
}

/// The file that packets are written to.
pub(super) struct Target {
    path: PathBuf,
    is_pcapng: bool,
}

/// What is read again to write its packets.
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) interrupt: &'a Interrupt,
}

/// What was written.
#[derive(Default)]
struct Written {
    packets: u64,
    comments: u64,
}

impl Target {
    /// A file for the packets of `inputs`.
    ///
    /// # Errors
    /// What is wrong with it, and what to try.
    pub(super) fn new(path: &Path, inputs: &[String]) -> Result<Self, Text> {
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
        let [input] = inputs else {
            return Err(
                "--write takes the packets of one input: put captures together first, with mergecap".into()
            );
        };
        if input == "-" || opening::is_pipe(input) {
            return Err(
                "a pipe cannot be read twice, as --write has to: save what comes first, tcpdump -w FILE, \
                        and decode the file"
                    .into(),
            );
        }
        let is_same =
            |a: &Path, b: &Path| fs::canonicalize(a).is_ok_and(|a| fs::canonicalize(b).is_ok_and(|b| a == b));
        if is_same(path, Path::new(input)) {
            return Err(Text::with("{}: this is the input, which is not written over", path.display()));
        }
        Ok(Self { path: path.to_owned(), is_pcapng })
    }

    /// Notes what is shown, for this file.
    pub(super) fn marks(&self, lang: Lang, window: Option<Window>) -> Marks {
        Marks::new(lang, self.is_pcapng, window)
    }

    /// Writes the packets of what was noted, and says so; the exit code where that failed.
    pub(super) fn write(&self, marks: &Marks, source: &Source<'_>, look: Look) -> io::Result<Option<u8>> {
        if marks.connections.is_empty() {
            look.tell(
                "error: {}",
                &Text::with("{}: not written, as nothing was selected", self.path.display()),
            )?;
            return Ok(Some(2));
        }
        let opened = match open(source.name, source.interrupt) {
            Ok(opened) => opened,
            Err(why) => {
                look.tell("error: {}", &why)?;
                return Ok(Some(2));
            }
        };
        let written = match opened.input {
            Input::Capture(capture) => self.packets(capture, marks),
            Input::Bytes(bytes) => {
                made::packets(bytes, &marks.cuts, marks.sender, |each| self.made(each, marks))
            }
        };
        match written {
            Ok(written) => {
                let mut said = Text::with("{}: {} packets, {} comments", self.path.display())
                    .and(written.packets)
                    .and(written.comments);
                if marks.left_out > 0 {
                    said = Text::new("{}; {} more would have been too many").word(said).and(marks.left_out);
                }
                look.tell("written to {}", &said)?;
                Ok(None)
            }
            Err(error) => {
                look.tell("error: {}", &of_file(&self.path, &error))?;
                Ok(Some(2))
            }
        }
    }

    fn packets(&self, mut capture: Capture, marks: &Marks) -> io::Result<Written> {
        let window = marks.window.clone().map(|window| window.from(marks.start));
        let mut pairs = Pairs::new(marks.connections.values().copied(), window);
        self.each(marks, |take| {
            // What is wrong with the end of a capture was told when it was shown.
            while let Some(Ok(packet)) = capture.next() {
                if pairs.have(&packet) {
                    take(&packet, packet.number)?;
                }
            }
            Ok(())
        })
    }

    fn made(&self, each: &[(Packet<'_>, u64)], marks: &Marks) -> io::Result<Written> {
        self.each(marks, |take| each.iter().try_for_each(|(packet, number)| take(packet, *number)))
    }

    /// Writes the packets that `all` gives, with what is said of the number behind each.
    fn each(
        &self,
        marks: &Marks,
        all: impl FnOnce(&mut dyn FnMut(&Packet<'_>, u64) -> io::Result<()>) -> io::Result<()>,
    ) -> io::Result<Written> {
        let file = BufWriter::with_capacity(256 * 1024, File::create(&self.path)?);
        let mut written = Written::default();
        if self.is_pcapng {
            let application = concat!("wstool ", env!("CARGO_PKG_VERSION"));
            let mut writer = PcapNgWriter::new(file, application)?;
            all(&mut |packet, number| {
                let said = marks.comments.get(&number).map_or(&[][..], Vec::as_slice);
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

/// What classic pcap has one of.
const SEVERAL_LINKS: &str = "packets of several link types fit no .pcap: name it .pcapng";
