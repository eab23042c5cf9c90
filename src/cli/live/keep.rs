//! The capture file of live connections: packets that would have carried what went over them.
//!
//! Bytes and times are those of the connections; the packets around them are made, as a machine between
//! both endpoints would have seen them.
//!
//! Where the bytes are encrypted, their keys stand in front of them, if the file can hold keys: packets of a
//! TLS handshake wait until it is over.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use foldhash::{HashMap, HashMapExt as _};

use crate::cli::Look;
use crate::input::capture::ETHERNET;
use crate::input::{PcapNgWriter, PcapWriter};
use crate::lab::tap::{Happened, Recording, What};
use crate::limits;
use crate::model::{FlowId, Packet, StreamEnd, Text, Time};
use crate::synth::tcp::{Delivery, Ends, MSS_MAX, Tcp};

/// A capture file under way.
pub(super) struct Keep {
    path: PathBuf,
    writer: Writer,
    open: HashMap<FlowId, Line>,
    /// Connections so far.
    count: u32,
}

/// A connection.
struct Line {
    tcp: Tcp,
    /// Packets that wait for their keys, while a handshake is under way.
    waiting: Option<Vec<(Time, Vec<u8>)>>,
}

enum Writer {
    Pcap(PcapWriter<BufWriter<File>>),
    PcapNg(Box<PcapNgWriter<BufWriter<File>>>),
}

impl Writer {
    /// Begins a file of the format that its name ends in.
    fn to(path: &Path) -> io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("pcapng")) {
            let application = concat!("wstool ", env!("CARGO_PKG_VERSION"));
            return Ok(Self::PcapNg(Box::new(PcapNgWriter::new(file, application)?)));
        }
        PcapWriter::new(file, ETHERNET).map(Self::Pcap)
    }

    fn packet(&mut self, time: Time, data: &[u8]) -> io::Result<()> {
        match self {
            Self::Pcap(writer) => writer.packet(time, data),
            Self::PcapNg(writer) => {
                let wire_len = u32::try_from(data.len()).unwrap_or(u32::MAX);
                writer.packet(&Packet { number: 0, time, link: ETHERNET, data, wire_len }, &[])
            }
        }
    }

    fn secret(&mut self, line: &str) -> io::Result<()> {
        match self {
            // It holds packets alone.
            Self::Pcap(_) => Ok(()),
            Self::PcapNg(writer) => writer.secrets(line.as_bytes()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Pcap(writer) => writer.flush(),
            Self::PcapNg(writer) => writer.flush(),
        }
    }
}

/// Writes what is told, on a thread of its own; that gives back why it could not. Who looks is told of it as
/// it happens.
///
/// # Errors
/// That there is no thread.
pub(super) fn spawn(
    recording: Recording,
    keep: Option<Keep>,
    look: Option<Look>,
) -> Result<JoinHandle<Option<Text>>, Text> {
    let work = move || {
        let why = write(&recording, &mut keep?).err()?;
        if let Some(look) = look {
            // Nobody may listen any longer; that is no reason to stop.
            let _ = look.tell("error: {}", &why);
        }
        Some(why)
    };
    thread::Builder::new()
        .name("keeper".to_owned())
        .spawn(work)
        .map_err(|error| Text::with("cannot start a thread: {}", error))
}

/// Writes what is told until that is enough.
fn write(recording: &Recording, keep: &mut Keep) -> Result<(), Text> {
    loop {
        let mut happened = recording.next_now();
        if happened.is_none() {
            keep.flush()?;
            happened = recording.next();
        }
        let happened = happened.filter(|happened| !matches!(happened.what, What::Enough));
        let Some(happened) = happened else { return keep.flush() };
        keep.take(&happened)?;
    }
}

impl Line {
    /// Writes what has waited.
    fn release(&mut self, writer: &mut Writer) -> io::Result<()> {
        let waiting = self.waiting.take().unwrap_or_default();
        waiting.into_iter().try_for_each(|(time, packet)| writer.packet(time, &packet))
    }
}

impl Keep {
    /// Begins a file.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn to(path: &Path) -> Result<Self, Text> {
        let writer = Writer::to(path).map_err(|error| unwritable(path, &error))?;
        Ok(Self { path: path.to_owned(), writer, open: HashMap::new(), count: 0 })
    }

    /// Writes the packets of what happened.
    ///
    /// # Errors
    /// Why they cannot be written.
    pub fn take(&mut self, happened: &Happened) -> Result<(), Text> {
        self.packets(happened).map_err(|error| unwritable(&self.path, &error))
    }

    fn packets(&mut self, happened: &Happened) -> io::Result<()> {
        let mut made = Vec::new();
        let mut emit = |time, packet: &[u8]| made.push((time, packet.to_vec()));
        match (&happened.what, self.open.get_mut(&happened.flow)) {
            (What::Open([client, server], _), _) => {
                let ends = Ends { client: *client, server: *server, mss: MSS_MAX, ..Ends::default() };
                self.count = self.count.wrapping_add(1);
                // Any two numbers would do; these tell connections of the same endpoints apart.
                let first = self.count.wrapping_mul(0x9E37_79B1);
                let tcp = Tcp::open(ends, happened.time, [first, !first], &mut emit).prompt();
                self.open.insert(happened.flow, Line { tcp, waiting: None });
            }
            (What::Secret(line), _) => return self.writer.secret(line),
            // Of what is only told there are no bytes.
            (What::Enough | What::Lines(..) | What::Told(_), _) | (_, None) => {}
            (What::Data(from, bytes), Some(Line { tcp, .. })) => {
                tcp.reach(happened.time);
                tcp.send(*from, bytes, Delivery::default(), &mut emit);
            }
            (What::End(from, how), Some(Line { tcp, .. })) => {
                tcp.reach(happened.time);
                match how {
                    StreamEnd::Rst | StreamEnd::Reset(_) => tcp.reset(*from, &mut emit),
                    StreamEnd::Fin
                    | StreamEnd::EndStream
                    | StreamEnd::Notify
                    | StreamEnd::Input
                    | StreamEnd::Capture => {
                        tcp.finish(*from, &mut emit);
                    }
                }
            }
            (What::Shaking, Some(line)) => line.waiting = Some(line.waiting.take().unwrap_or_default()),
            (What::Shaken, Some(line)) => return line.release(&mut self.writer),
            // Who has not ended its stream by now was not heard to do so.
            (What::Over, Some(line)) => {
                line.release(&mut self.writer)?;
                self.open.remove(&happened.flow);
            }
        }
        let Some(line) = self.open.get_mut(&happened.flow) else { return Ok(()) };
        let Some(waiting) = &mut line.waiting else {
            return made.iter().try_for_each(|(time, packet)| self.writer.packet(*time, packet));
        };
        waiting.append(&mut made);
        if waiting.iter().map(|(_, packet)| packet.len()).sum::<usize>() > limits::LAB_HANDSHAKE {
            return line.release(&mut self.writer);
        }
        Ok(())
    }

    /// Writes out what was gathered.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn flush(&mut self) -> Result<(), Text> {
        self.writer.flush().map_err(|error| unwritable(&self.path, &error))
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Text {
    Text::with("{}: cannot be written: {}", path.display()).and(error)
}
