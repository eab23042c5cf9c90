//! A WebSocket endpoint that sends back what it gets, written plainly and with none of the tool's decoder, so
//! that each planted bug stands where somebody would make it.

use std::io;
use std::time::Duration;

use flate2::{Decompress, FlushDecompress, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::timeout;
use wstool::lab::deflate::Deflater;

use super::bugs::Bug;
use super::opening::Agreed;
use super::text::{Utf8, repaired};

/// Messages that are taken.
const MOST: usize = 64 * 1024 * 1024;

/// How long a client waits for the server to end TCP.
const TCP_END: Duration = Duration::from_secs(5);

/// Why it does not go on.
pub enum Stop {
    /// The stream is over.
    Gone,
    /// The closing handshake is done.
    Closed,
    /// The connection is failed with this code.
    Fail(u16),
    /// The program died of it: TCP ends and nothing is said.
    Crash,
    /// It hangs.
    Hang,
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

struct Frame {
    fin: bool,
    rsv1: bool,
    opcode: u8,
    payload: Vec<u8>,
}

/// A message whose end has not come.
struct Unfinished {
    opcode: u8,
    compressed: bool,
    /// As it will be sent back.
    bytes: Vec<u8>,
    /// Where the last fragment begins.
    last: usize,
    utf8: Utf8,
}

/// One side of a connection.
pub struct Endpoint {
    io: DuplexStream,
    bug: Bug,
    is_server: bool,
    /// What was read and not used.
    buffer: Vec<u8>,
    agreed: Option<Agreed>,
    inflater: Decompress,
    deflater: Deflater,
    unfinished: Option<Unfinished>,
    /// Pings that are answered later.
    pings: Vec<Vec<u8>>,
    /// What waits to be sent.
    queue: Vec<u8>,
    closed: bool,
}

impl Endpoint {
    pub fn new(bug: Bug, is_server: bool, io: DuplexStream, buffer: Vec<u8>, agreed: Option<Agreed>) -> Self {
        let it = agreed.unwrap_or_default();
        let (bits, takeover) = if is_server {
            (it.server_bits, !it.server_forgets)
        } else {
            (it.client_bits, !it.client_forgets)
        };
        let bits = if bug == Bug::WindowIgnored { 15 } else { bits };
        let takeover = takeover || bug == Bug::TakeoverIgnored;
        let inflater = Decompress::new_with_window_bits(false, 15);
        let deflater = Deflater::new(bits, takeover);
        let (unfinished, pings, queue) = (None, Vec::new(), Vec::new());
        Self {
            io,
            bug,
            is_server,
            buffer,
            agreed,
            inflater,
            deflater,
            unfinished,
            pings,
            queue,
            closed: false,
        }
    }

    fn is(&self, bug: Bug) -> bool {
        self.bug == bug
    }

    /// Sends back what comes, to the end of the connection.
    pub async fn echo(mut self) {
        let stop = loop {
            if let Err(stop) = self.frame_or_stop().await {
                break stop;
            }
        };
        match stop {
            Stop::Fail(code) if !self.is(Bug::ErrorsWithoutClose) => {
                let code = match self.bug {
                    Bug::ErrorsWith1000 => 1000,
                    Bug::ErrorsWith1006 => 1006,
                    Bug::TextErrorsWith1002 if code == 1007 => 1002,
                    _ => code,
                };
                if !self.closed {
                    let _ = self.write(CLOSE, &code.to_be_bytes()).await;
                }
            }
            Stop::Hang => return std::future::pending().await,
            _ => {}
        }
        if self.is(Bug::TcpKept) {
            return std::future::pending().await;
        }
        if !self.is_server && matches!(stop, Stop::Closed) {
            // It is the server's to end TCP.
            let mut rest = [0; 1024];
            let until_end = async { while matches!(self.io.read(&mut rest).await, Ok(1..)) {} };
            let _ = timeout(TCP_END, until_end).await;
        }
        let _ = self.io.shutdown().await;
    }

    /// Waits until so many bytes are there.
    async fn fill(&mut self, count: usize) -> Result<(), Stop> {
        while self.buffer.len() < count {
            let mut room = vec![0; 16 * 1024];
            match self.io.read(&mut room).await? {
                0 => return Err(Stop::Gone),
                read => self.buffer.extend_from_slice(&room[..read]),
            }
        }
        Ok(())
    }

    async fn take(&mut self, count: usize) -> Result<Vec<u8>, Stop> {
        self.fill(count).await?;
        Ok(self.buffer.drain(..count).collect())
    }

    async fn frame_or_stop(&mut self) -> Result<(), Stop> {
        let frame = self.frame().await?;
        self.received(frame).await?;
        if self.is(Bug::OneFrameARead) {
            self.buffer.clear();
        }
        if self.is(Bug::PongsAfterClose) && self.closed && self.buffer.is_empty() {
            return Err(Stop::Closed);
        }
        Ok(())
    }

    async fn frame(&mut self) -> Result<Frame, Stop> {
        self.fill(2).await?;
        let header = usize::from(match self.buffer[1] & 0x7F {
            126 => 4,
            127 => 10,
            _ => 2_u8,
        });
        if self.is(Bug::HeaderInOneRead) && self.buffer.len() < header + 4 {
            return Err(Stop::Crash);
        }
        let first = self.take(2).await?;
        let (fin, rsv, opcode) = (first[0] & 0x80 != 0, first[0] >> 4 & 7, first[0] & 0x0F);
        let masked = first[1] & 0x80 != 0;
        let mut length = usize::from(first[1] & 0x7F);
        let in_fragments = self.unfinished.is_some();
        let rsv1 = rsv & 4 != 0;
        let rsv1_is_fine = !rsv1 || self.agreed.is_some() && matches!(opcode, TEXT | BINARY);
        if !self.is(Bug::ReservedBitsIgnored) && (rsv & 3 != 0 || !rsv1_is_fine) {
            return Err(Stop::Fail(1002));
        }
        match opcode {
            0 if !in_fragments && !self.is(Bug::ContinuationOfNothing) => return Err(Stop::Fail(1002)),
            1 | 2 if in_fragments && !self.is(Bug::NewMessageInFragments) => return Err(Stop::Fail(1002)),
            CLOSE..=PONG if !fin && !self.is(Bug::ControlInFragments) => return Err(Stop::Fail(1002)),
            CLOSE..=PONG if length > 125 && !self.is(Bug::LongControl) => return Err(Stop::Fail(1002)),
            3..=7 | 11.. if self.is(Bug::ReservedOpcodesWith1003) => return Err(Stop::Fail(1003)),
            3..=7 | 11.. if !self.is(Bug::ReservedOpcodesIgnored) => return Err(Stop::Fail(1002)),
            _ => {}
        }
        let mask_is_fine = masked == self.is_server || self.is(Bug::MaskUnchecked);
        if !mask_is_fine {
            return Err(Stop::Fail(1002));
        }
        let sixteen = if self.is(Bug::Read126As64) { 127 } else { 126 };
        if self.is(Bug::ReadsSevenBits) {
            // Whatever it says.
        } else if length == sixteen {
            let bytes = self.take(2).await?;
            let bytes = [bytes[0], bytes[1]];
            length = match self.bug {
                Bug::LengthLittleEndian => u16::from_le_bytes(bytes).into(),
                // A negative length: no array can be made of it.
                Bug::LengthSigned => i16::from_be_bytes(bytes).try_into().map_err(|_| Stop::Crash)?,
                _ => u16::from_be_bytes(bytes).into(),
            };
        } else if length >= 126 {
            let bytes = self.take(8).await?;
            let bytes = *bytes.first_chunk::<8>().expect("eight");
            let long = u64::from_be_bytes(bytes);
            length = match self.bug {
                Bug::Length64LittleEndian => u64::from_le_bytes(bytes) as usize,
                Bug::Length64As32 => long as u32 as usize,
                Bug::Length64As16 => usize::from(long as u16),
                Bug::HangsOnTopBit if long >> 63 == 1 => return Err(Stop::Hang),
                _ if long >> 63 == 1 => return Err(Stop::Fail(1002)),
                _ if long > MOST as u64 => return Err(Stop::Fail(1009)),
                _ => long as usize,
            };
            if length > MOST {
                // It waits for what will never come.
                length = usize::MAX;
            }
        }
        if self.is(Bug::CrashesOnBig) && length >= 65_536 {
            return Err(Stop::Crash);
        }
        let mut key = [0; 4];
        if masked {
            key.copy_from_slice(&self.take(4).await?);
            if self.is(Bug::MaskReversed) {
                key.reverse();
            }
        }
        let payload = self.payload(length, key).await?;
        Ok(Frame { fin, rsv1, opcode, payload })
    }

    /// Reads a payload as it comes, and unmasks it.
    async fn payload(&mut self, length: usize, key: [u8; 4]) -> Result<Vec<u8>, Stop> {
        let mut payload = Vec::new();
        while payload.len() < length {
            self.fill(1).await?;
            let count = self.buffer.len().min(length - payload.len());
            let came = payload.len();
            payload.extend(self.buffer.drain(..count));
            let begin = if self.is(Bug::MaskPerRead) { 0 } else { came };
            if !matches!(self.bug, Bug::NotUnmasked | Bug::RawEchoed) {
                xor(&mut payload[came..], key, begin);
            }
            if self.is(Bug::PayloadInOneRead) {
                break;
            }
        }
        Ok(payload)
    }

    async fn received(&mut self, frame: Frame) -> Result<(), Stop> {
        match frame.opcode {
            0..=2 => self.fragment(frame).await,
            CLOSE => self.close(&frame.payload).await,
            PING | PONG => {
                if self.is(Bug::ControlDropsFragments) {
                    self.unfinished = None;
                }
                let answers = frame.opcode == PING || self.is(Bug::PongAnswered);
                if answers && (!self.closed || self.is(Bug::PongsAfterClose)) {
                    self.pong(frame.payload).await
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        }
    }

    async fn pong(&mut self, mut payload: Vec<u8>) -> Result<(), Stop> {
        match self.bug {
            Bug::PingIgnored => return Ok(()),
            Bug::PingBetweenMessages if self.unfinished.is_some() => {
                self.pings.push(payload);
                return Ok(());
            }
            Bug::PongEmpty => payload.clear(),
            Bug::PongCut => payload.truncate(124),
            Bug::PingEchoed => return self.write(PING, &payload).await,
            _ => {}
        }
        self.write(PONG, &payload).await
    }

    async fn fragment(&mut self, frame: Frame) -> Result<(), Stop> {
        let Frame { fin, rsv1, opcode, payload } = frame;
        let unfinished = match self.unfinished.take() {
            Some(unfinished) if opcode == 0 => unfinished,
            _ => Unfinished {
                opcode: if opcode == 0 { TEXT } else { opcode },
                compressed: rsv1 && self.agreed.is_some()
                    || self.is(Bug::InflatesAll) && self.agreed.is_some(),
                bytes: Vec::new(),
                last: 0,
                utf8: Utf8::default(),
            },
        };
        let it = self.unfinished.insert(unfinished);
        it.last = it.bytes.len();
        if it.compressed && self.bug != Bug::ExtensionEchoed {
            let before = it.bytes.len();
            let most = if self.bug == Bug::InflatesWithoutLimit { usize::MAX } else { MOST };
            inflate(&mut self.inflater, &payload, fin, most, &mut it.bytes)?;
            if it.bytes.len() > most {
                return Err(Stop::Fail(1009));
            }
            if it.bytes.len() > MOST {
                // It would be kept; the tests have no memory to spare for that.
                it.bytes = Vec::new();
            }
            if self.bug == Bug::InflatesIntoGuess {
                it.bytes.truncate(before + 4 * payload.len() + 64);
            }
        } else {
            it.bytes.extend_from_slice(&payload);
        }
        if it.bytes.len() > MOST {
            return Err(Stop::Fail(1009));
        }
        let is_checked = !(self.bug == Bug::InflatedTextUnchecked && it.compressed)
            && !matches!(
                self.bug,
                Bug::TextUnchecked | Bug::TextRepaired | Bug::TextAsLatin1 | Bug::RawEchoed
            )
            && self.bug != Bug::ExtensionEchoed;
        if it.opcode == TEXT && is_checked {
            it.utf8.push(&it.bytes[it.last..], self.bug)?;
            if fin || self.bug == Bug::TextPerFragment {
                it.utf8.end(self.bug)?;
            }
        }
        let ends = fin || self.is(Bug::FinIgnored);
        let Some(whole) = self.unfinished.take_if(|_| ends) else { return Ok(()) };
        if whole.compressed && self.inflater_forgets() {
            self.inflater.reset(false);
        }
        self.answer(whole).await?;
        for ping in std::mem::take(&mut self.pings) {
            self.write(PONG, &ping).await?;
        }
        Ok(())
    }

    fn inflater_forgets(&self) -> bool {
        let it = self.agreed.unwrap_or_default();
        self.is(Bug::InflaterReset) || if self.is_server { it.client_forgets } else { it.server_forgets }
    }

    /// Sends a message back.
    async fn answer(&mut self, whole: Unfinished) -> Result<(), Stop> {
        let Unfinished { opcode, bytes, last, .. } = whole;
        let (mut opcode, mut bytes) = (opcode, bytes);
        if self.closed && !self.is(Bug::EchoesAfterClose) {
            return Ok(());
        }
        match self.bug {
            Bug::EmptyDropped if bytes.is_empty() => return Ok(()),
            Bug::BinaryAsText if opcode == BINARY => opcode = TEXT,
            Bug::TextAsBinary => opcode = BINARY,
            Bug::ContinuationEchoed if last > 0 => opcode = 0,
            Bug::LastFragmentOnly => drop(bytes.drain(..last)),
            Bug::FirstFragmentOnly if last > 0 => bytes.truncate(last),
            Bug::BufferOf4096 => bytes.truncate(4096),
            Bug::TextRepaired if opcode == TEXT => bytes = repaired(&bytes),
            Bug::TextAsLatin1 if opcode == TEXT => {
                bytes = bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes();
            }
            Bug::NewlineAdded if opcode == TEXT => bytes.push(b'\n'),
            Bug::CStrings if opcode == TEXT => {
                bytes.truncate(bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()));
            }
            _ => {}
        }
        if self.is(Bug::EchoTwice) {
            self.write(opcode, &bytes).await?;
        }
        self.write(opcode, &bytes).await
    }

    async fn close(&mut self, body: &[u8]) -> Result<(), Stop> {
        if self.closed {
            return Ok(());
        }
        if self.is(Bug::RawEchoed) {
            self.write(CLOSE, body).await?;
            return Err(Stop::Closed);
        }
        let code = body.first_chunk().map(|code| u16::from_be_bytes(*code));
        let reason = body.get(2..).unwrap_or_default();
        let mut utf8 = Utf8::default();
        if body.len() == 1 && !self.is(Bug::CloseOfOneByte) {
            return Err(Stop::Fail(1002));
        }
        let is_known = |code| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        if code.is_some_and(|code| !is_known(code)) && !self.is(Bug::CodesUnchecked) {
            return Err(Stop::Fail(1002));
        }
        if !self.is(Bug::ReasonUnchecked) {
            utf8.push(reason, Bug::None)?;
            utf8.end(Bug::None)?;
        }
        let answer = match (self.bug, code) {
            (Bug::CloseUnanswered, _) => return Err(Stop::Gone),
            (Bug::CloseIgnored, _) => return Ok(()),
            (Bug::ClosesWith1002, _) => 1002_u16.to_be_bytes().to_vec(),
            (Bug::Sends1005, None) => 1005_u16.to_be_bytes().to_vec(),
            (Bug::ReasonCut, Some(_)) => body[..body.len().min(100)].to_vec(),
            (Bug::CodesUnchecked | Bug::CloseOfOneByte, _) => 1000_u16.to_be_bytes().to_vec(),
            (_, Some(code)) => code.to_be_bytes().to_vec(),
            (_, None) => Vec::new(),
        };
        self.write(CLOSE, &answer).await?;
        if self.is(Bug::ClosesTwice) {
            self.write(CLOSE, &answer).await?;
        }
        self.closed = true;
        match self.bug {
            Bug::EchoesAfterClose => Ok(()),
            Bug::PongsAfterClose if !self.buffer.is_empty() => Ok(()),
            _ => Err(Stop::Closed),
        }
    }

    /// Writes a message or control frame.
    async fn write(&mut self, opcode: u8, payload: &[u8]) -> Result<(), Stop> {
        let is_data = opcode < CLOSE;
        let compresses = self.agreed.is_some() && is_data && self.bug != Bug::ExtensionEchoed;
        let mut packed = Vec::new();
        let payload = if compresses {
            self.deflater.message(payload, &mut packed);
            &packed
        } else {
            payload
        };
        let rsv1 = compresses || self.agreed.is_some() && self.is(Bug::Rsv1OnControl);
        let mut bytes = Vec::new();
        if is_data && self.is(Bug::Rsv1OnFragments) && payload.len() > 1 {
            let (one, two) = payload.split_at(payload.len() / 2);
            self.put(0x00, opcode, rsv1, one, &mut bytes);
            self.put(0x80, 0, rsv1, two, &mut bytes);
        } else {
            let fin = if is_data && self.is(Bug::FinNeverSet) { 0x00 } else { 0x80 };
            self.put(fin, opcode, rsv1, payload, &mut bytes);
        }
        if self.is(Bug::AnswersQueued) {
            self.queue.append(&mut bytes);
            return self.send_queued().await;
        }
        self.io.write_all(&bytes).await?;
        Ok(())
    }

    /// Sends what waits, as far as that is taken at once.
    async fn send_queued(&mut self) -> Result<(), Stop> {
        while !self.queue.is_empty() {
            match timeout(Duration::ZERO, self.io.write(&self.queue)).await {
                Ok(sent) => drop(self.queue.drain(..sent?)),
                Err(_) => break,
            }
        }
        Ok(())
    }

    fn put(&self, fin: u8, opcode: u8, rsv1: bool, payload: &[u8], out: &mut Vec<u8>) {
        out.push(fin | u8::from(rsv1) << 6 | opcode);
        let masks = self.is_server == self.is(Bug::MaskOtherwise);
        let mask = u8::from(masks) << 7;
        let length = payload.len();
        let (short, medium) = match self.bug {
            Bug::Writes126InSeven => (126, 65_535),
            Bug::Writes127InSeven => (127, 65_535),
            Bug::Writes65536InSixteen => (125, 65_536),
            Bug::WritesAlways64 => (0, 0),
            _ => (125, 65_535),
        };
        if length <= short {
            out.push(mask | length as u8);
        } else if length <= medium {
            out.push(mask | 126);
            let length = length as u16;
            let bytes =
                if self.is(Bug::WritesLittleEndian) { length.to_le_bytes() } else { length.to_be_bytes() };
            out.extend_from_slice(&bytes);
        } else {
            out.push(mask | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
        let mut key = [0; 4];
        if masks {
            let _ = getrandom::fill(&mut key);
            // Of a key like 1 2 3 2 it does not show in which order it was used.
            [key[2], key[3]] = [!key[0], !key[1]];
            out.extend_from_slice(&key);
            if self.is(Bug::MasksFromSecond) {
                key.rotate_left(1);
            }
        }
        let begin = out.len();
        out.extend_from_slice(payload);
        if masks {
            xor(&mut out[begin..], key, 0);
        }
    }
}

/// Masks or unmasks what stands so far behind a payload's beginning (RFC 6455 §5.3); four bytes at a
/// time, as tests are not optimised and some payloads have 17 MiB.
fn xor(bytes: &mut [u8], mut key: [u8; 4], behind: usize) {
    key.rotate_left(behind % 4);
    let word = u32::from_ne_bytes(key);
    let (words, rest) = bytes.as_chunks_mut::<4>();
    for bytes in words {
        *bytes = (u32::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}

/// Inflates a fragment; behind the last, what RFC 7692 §7.2.2 has.
fn inflate(
    inflater: &mut Decompress,
    bytes: &[u8],
    fin: bool,
    most: usize,
    out: &mut Vec<u8>,
) -> Result<(), Stop> {
    let tail: &[u8] = if fin { &[0, 0, 0xFF, 0xFF] } else { &[] };
    for mut rest in [bytes, tail] {
        loop {
            let before = inflater.total_in();
            out.reserve(4096 + rest.len() * 4);
            let status = inflater.decompress_vec(rest, out, FlushDecompress::Sync);
            let used = (inflater.total_in() - before) as usize;
            rest = &rest[used..];
            match status {
                Err(_) => return Err(Stop::Fail(1007)),
                // A final block: what follows begins anew (RFC 7692 §7.2.3.5).
                Ok(Status::StreamEnd) => inflater.reset(false),
                Ok(_) if out.len() > most => return Err(Stop::Fail(1009)),
                Ok(_) if out.len() == out.capacity() => continue,
                Ok(_) => {}
            }
            if rest.is_empty() {
                break;
            }
        }
    }
    Ok(())
}
