//! Where the units of content begin and end.

use crate::limits;
use crate::model::{Flow, ON};

use super::Kind;

/// How content is divided into units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Blocks of lines with an empty line behind each (HTML, section 9.2.6).
    Events,
    /// Parts with a boundary between them (RFC 2046 §5.1).
    Parts,
    /// As it arrives.
    Pieces,
    /// Lines, each ended by LF, CR LF or NUL.
    Lines,
}

/// Content, and where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Run<'b> {
    /// The content.
    pub bytes: &'b [u8],
    /// The packet that carried it, 0 where there are none.
    pub packet: u64,
    /// Where its first byte stands in the sender's stream.
    pub offset: u64,
    /// It was inflated from what stands there: no byte of it has a place of its own.
    pub inflated: bool,
}

/// Where a unit begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Begin {
    /// The packet with its first byte.
    pub packet: u64,
    /// Where that stands in the sender's stream.
    pub offset: u64,
    /// Where it stands in the content.
    pub content: u64,
}

/// A unit.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'b> {
    /// How it was found.
    pub reader: Form,
    /// Where it begins.
    pub begin: Begin,
    /// Its first bytes, at most [`limits::STREAMED_UNIT`] of them, without what ends it.
    pub kept: &'b [u8],
    /// How many it has.
    pub length: u64,
    /// It is the first.
    pub is_first: bool,
    /// Its end was seen.
    pub complete: bool,
    /// The stream ended within it, so that its receiver does not take it.
    pub discarded: bool,
}

impl Seen<'_> {
    /// Whether its end is not there: it was not seen, or not kept.
    pub fn is_cut(&self) -> bool {
        !self.complete || self.length > self.kept.len() as u64
    }
}

/// Who takes units.
pub type Take<'t> = &'t mut dyn FnMut(&Seen<'_>) -> Flow;

/// Divides content into units, in whatever pieces it comes.
#[derive(Debug)]
pub struct Reader {
    form: Form,
    /// What a line is that stands between parts, without what may be behind it.
    delimiter: Vec<u8>,
    /// The first bytes of the unit under way.
    kept: Vec<u8>,
    /// Bytes of it so far.
    length: u64,
    begin: Option<Begin>,
    /// Bytes of the line under way, and where in the unit it begins.
    line: u64,
    line_at: u64,
    /// Its first bytes: of parts, where it may be a delimiter.
    start: Vec<u8>,
    /// The last byte was CR: a LF behind it belongs to it.
    after_cr: bool,
    /// Bytes that ended the last line.
    line_end: u64,
    /// A part is under way: the first delimiter was there, and not the last.
    inside: bool,
    /// Content so far.
    content: u64,
    /// A unit was there.
    is_later: bool,
    /// What is under way has begun within a hole: it is passed over.
    skips: bool,
}

impl Reader {
    /// A reader of what a response streams.
    pub fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Events => Self::new(Form::Events, &[]),
            Kind::Parts(boundary) => Self::new(Form::Parts, boundary),
            Kind::Pages => Self::new(Form::Pieces, &[]),
        }
    }

    /// A reader of lines.
    pub fn lines() -> Self {
        Self::new(Form::Lines, &[])
    }

    fn new(form: Form, boundary: &[u8]) -> Self {
        // Many write the dashes into the parameter, and not twice on the wire.
        let dashes = if boundary.starts_with(b"--") { &b""[..] } else { b"--" };
        Self {
            form,
            delimiter: [dashes, boundary].concat(),
            kept: Vec::new(),
            length: 0,
            begin: None,
            line: 0,
            line_at: 0,
            start: Vec::new(),
            after_cr: false,
            line_end: 0,
            inside: false,
            content: 0,
            is_later: false,
            skips: false,
        }
    }

    /// Content so far, with what was missing of it.
    pub fn content(&self) -> u64 {
        self.content
    }

    /// Whether content that begins with these bytes looks like what it divides.
    pub fn may_be(&self, content: &[u8]) -> bool {
        match self.form {
            Form::Events => {
                let line = content.strip_prefix(b"\r\n").or(content.strip_prefix(b"\n")).unwrap_or(content);
                let names: &[&[u8]] = &[b":", b"data:", b"event:", b"id:", b"retry:"];
                names.iter().any(|name| line.starts_with(name))
            }
            Form::Parts => memchr::memmem::find(content, &self.delimiter).is_some(),
            Form::Pieces | Form::Lines => true,
        }
    }

    /// So many bytes of content are missing: tells what was there of the unit under way, and goes on where
    /// the next one begins.
    ///
    /// # Errors
    /// Breaks where `take` does.
    pub fn miss(&mut self, length: u64, take: Take<'_>) -> Flow {
        self.end(false, take)?;
        self.forget();
        self.start.clear();
        (self.after_cr, self.inside, self.is_later) = (false, false, true);
        self.content += length;
        self.skips = self.form != Form::Pieces && self.form != Form::Parts;
        // The line under way has begun somewhere: it is neither empty, nor a comment, nor a delimiter.
        (self.line, self.line_at) = (self.delimiter.len() as u64 + 5, 1);
        ON
    }

    /// How it divides.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Bytes that it holds.
    pub fn cost(&self) -> usize {
        size_of::<Self>() + self.kept.capacity() + self.start.capacity()
    }

    /// Takes content, and tells the units that end in it.
    ///
    /// # Errors
    /// Breaks where `take` does.
    pub fn push(&mut self, run: Run<'_>, take: Take<'_>) -> Flow {
        match self.form {
            Form::Events => self.events(run, take)?,
            Form::Parts => self.parts(run, take)?,
            Form::Lines => self.each_line(run, take)?,
            Form::Pieces => {
                self.add(run, 0, run.bytes);
                self.tell(0, true, false, take)?;
            }
        }
        self.content += run.bytes.len() as u64;
        ON
    }

    /// No more content comes: tells what is under way. `ended` says that it is over, and not only that no
    /// more was captured.
    ///
    /// # Errors
    /// Breaks where `take` does.
    pub fn end(&mut self, ended: bool, take: Take<'_>) -> Flow {
        if self.begin.is_none() || self.skips {
            return ON;
        }
        match self.form {
            Form::Parts if self.delimits().is_some() => self.part_ends(true, take),
            Form::Parts if self.kept.iter().all(u8::is_ascii_whitespace) => ON,
            Form::Events => {
                let lost = ended && !self.is_comment();
                self.tell(0, false, lost, take)
            }
            _ => self.tell(0, false, false, take),
        }
    }

    /// Adds bytes to the unit under way, which stand at byte `at` of a run.
    fn add(&mut self, run: Run<'_>, at: usize, bytes: &[u8]) {
        if self.begin.is_none() {
            let within = if run.inflated { 0 } else { at as u64 };
            let (packet, offset) = (run.packet, run.offset + within);
            self.begin = Some(Begin { packet, offset, content: self.content + at as u64 });
        }
        let room = limits::STREAMED_UNIT.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.length += bytes.len() as u64;
    }

    /// Tells the unit under way but for its last `less` bytes.
    fn tell(&mut self, less: u64, complete: bool, discarded: bool, take: Take<'_>) -> Flow {
        if std::mem::take(&mut self.skips) {
            self.forget();
            return ON;
        }
        let length = self.length.saturating_sub(less);
        self.kept.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        let is_first = !std::mem::replace(&mut self.is_later, true);
        let flow = self.begin.map_or(ON, |begin| {
            take(&Seen { reader: self.form, begin, kept: &self.kept, length, is_first, complete, discarded })
        });
        self.forget();
        flow
    }

    fn forget(&mut self) {
        self.kept.clear();
        // One that was large is no measure of the others.
        self.kept.shrink_to(limits::HTTP_BODY_PREVIEW);
        (self.begin, self.length, self.line, self.line_at, self.line_end) = (None, 0, 0, 0, 0);
    }

    fn events(&mut self, run: Run<'_>, take: Take<'_>) -> Flow {
        let bytes = run.bytes;
        let mut at = 0;
        while at < bytes.len() {
            if std::mem::take(&mut self.after_cr) && bytes[at] == b'\n' {
                if self.begin.is_some() {
                    self.add(run, at, b"\n");
                    self.line_end += 1;
                    self.line_at = self.length;
                }
                at += 1;
                continue;
            }
            let end = memchr::memchr2(b'\r', b'\n', &bytes[at..]).map(|end| at + end);
            let line = &bytes[at..end.unwrap_or(bytes.len())];
            if !line.is_empty() {
                self.add(run, at, line);
                self.line += line.len() as u64;
            }
            let Some(end) = end else { break };
            self.after_cr = bytes[end] == b'\r';
            if self.line == 0 {
                self.tell(self.line_end, true, false, &mut *take)?;
            } else {
                let is_comment = self.is_comment();
                self.add(run, end, &bytes[end..=end]);
                (self.line, self.line_at, self.line_end) = (0, self.length, 1);
                if is_comment {
                    // It is none of an event.
                    self.tell(1, true, false, &mut *take)?;
                }
            }
            at = end + 1;
        }
        ON
    }

    /// Whether what is under way is a comment, and nothing before it.
    fn is_comment(&self) -> bool {
        let mark = if self.is_later { None } else { self.kept.strip_prefix(b"\xEF\xBB\xBF") };
        self.line_at == 0 && mark.unwrap_or(&self.kept).starts_with(b":")
    }

    fn parts(&mut self, run: Run<'_>, take: Take<'_>) -> Flow {
        let mut at = 0;
        while at < run.bytes.len() {
            let end = memchr::memchr(b'\n', &run.bytes[at..]).map(|end| at + end + 1);
            let line = &run.bytes[at..end.unwrap_or(run.bytes.len())];
            // Two dashes, and what ends a line.
            let room = (self.delimiter.len() + 2 + 2).saturating_sub(self.start.len());
            self.start.extend_from_slice(&line[..line.len().min(room)]);
            self.line += line.len() as u64;
            if self.inside {
                self.add(run, at, line);
            }
            at += line.len();
            if end.is_none() {
                break;
            }
            match self.delimits() {
                Some(goes_on) => {
                    self.part_ends(false, &mut *take)?;
                    self.inside = goes_on;
                }
                None => {
                    self.line_end =
                        if line.ends_with(b"\r\n") || line == b"\n" && self.after_cr { 2 } else { 1 }
                }
            }
            self.after_cr = false;
            self.line = 0;
            self.start.clear();
        }
        // A line end may be divided.
        self.after_cr = run.bytes.last() == Some(&b'\r');
        ON
    }

    /// Whether the line under way stands between parts, and whether more follow.
    fn delimits(&self) -> Option<bool> {
        if self.line > self.delimiter.len() as u64 + 4 {
            return None;
        }
        match self.start.strip_prefix(&self.delimiter[..])?.trim_ascii_end() {
            b"" => Some(true),
            b"--" => Some(false),
            _ => None,
        }
    }

    /// The line under way stands behind a part, if there is one.
    fn part_ends(&mut self, at_end: bool, take: Take<'_>) -> Flow {
        let (line, line_end) = (self.line, self.line_end);
        if self.length <= line + line_end {
            self.forget();
            return ON;
        }
        if at_end {
            self.inside = false;
        }
        self.tell(line + line_end, true, false, take)
    }

    fn each_line(&mut self, run: Run<'_>, take: Take<'_>) -> Flow {
        let mut at = 0;
        while at < run.bytes.len() {
            let end = memchr::memchr2(b'\n', 0, &run.bytes[at..]).map(|end| at + end);
            let line = &run.bytes[at..end.unwrap_or(run.bytes.len())];
            self.add(run, at, line);
            let Some(end) = end else { break };
            let is_cr = self.length == self.kept.len() as u64 && self.kept.ends_with(b"\r");
            self.tell(u64::from(is_cr), true, false, &mut *take)?;
            at = end + 1;
        }
        ON
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A unit's content, where it begins, whether its end was seen, and whether it is lost.
    type Unit = (String, u64, bool, bool);

    fn of(mut reader: Reader, content: &[u8], piece: usize) -> Vec<Unit> {
        let mut units = Vec::new();
        let mut take = |seen: &Seen<'_>| {
            let begin = seen.begin;
            assert_eq!(seen.length, seen.kept.len() as u64);
            assert_eq!(begin.offset, 100 + begin.content);
            let text = String::from_utf8_lossy(seen.kept).into_owned();
            units.push((text, begin.content, seen.complete, seen.discarded));
            ON
        };
        let mut offset = 100;
        for bytes in content.chunks(piece) {
            assert!(reader.push(Run { bytes, packet: 1, offset, inflated: false }, &mut take).is_continue());
            offset += bytes.len() as u64;
        }
        assert!(reader.end(true, &mut take).is_continue());
        units
    }

    fn each_way(reader: impl Fn() -> Reader, content: &[u8], expected: &[(&str, u64, bool, bool)]) {
        for piece in 1..=content.len() {
            let units = of(reader(), content, piece);
            let units: Vec<_> =
                units.iter().map(|(text, at, whole, lost)| (&**text, *at, *whole, *lost)).collect();
            assert_eq!(units, expected, "in pieces of {piece}: {}", content.escape_ascii());
        }
    }

    #[test]
    fn events_end_at_empty_lines_whatever_ends_a_line() {
        let events = || Reader::of(&Kind::Events);
        each_way(
            events,
            b"data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\r\n\n\n\ndata: e\n\n",
            &[
                ("data: a", 0, true, false),
                ("data: b", 9, true, false),
                ("data: c", 20, true, false),
                ("data: d", 29, true, false),
                ("data: e", 41, true, false),
            ],
        );
        each_way(
            events,
            b":\n\n: x\r\nid: 1\rdata: 2\n: y\n\ndata: lost\n",
            &[
                (":", 0, true, false),
                (": x", 3, true, false),
                ("id: 1\rdata: 2\n: y", 8, true, false),
                ("data: lost\n", 27, false, true),
            ],
        );
        each_way(
            events,
            b"\xEF\xBB\xBF: x\ndata: 1\n\n:",
            &[("\u{feff}: x", 0, true, false), ("data: 1", 7, true, false), (":", 16, false, false)],
        );
    }

    #[test]
    fn parts_stand_between_boundaries() {
        let parts = || Reader::of(&Kind::Parts(b"b".to_vec()));
        each_way(
            parts,
            b"before\r\n--b\r\nA: 1\r\n\r\none\r\n--b\r\n\r\ntwo\n--bc\n\r\n--b--\r\nbehind",
            &[("A: 1\r\n\r\none", 13, true, false), ("\r\ntwo\n--bc\n", 31, true, false)],
        );
        each_way(parts, b"--b\n\nx\n--b\n\ny", &[("\nx", 4, true, false), ("\ny", 11, false, false)]);
        each_way(parts, b"--b\n\nx\n--b--", &[("\nx", 4, true, false)]);
        let dashed = || Reader::of(&Kind::Parts(b"--b".to_vec()));
        each_way(dashed, b"--b\r\n\r\nx\r\n--b\r\n", &[("\r\nx", 5, true, false)]);
    }

    /// What is told of content with a hole of ten bytes in it.
    fn around(kind: &Kind, before: &[u8], behind: &[u8]) -> Vec<(String, u64, bool)> {
        let mut told = Vec::new();
        for piece in [1, 2, behind.len()] {
            let mut units = Vec::new();
            let mut take = |seen: &Seen<'_>| {
                let text = String::from_utf8_lossy(seen.kept).into_owned();
                units.push((text, seen.begin.content, seen.complete));
                ON
            };
            let mut reader = Reader::of(kind);
            let run = |bytes| Run { bytes, packet: 1, offset: 0, inflated: false };
            assert!(reader.push(run(before), &mut take).is_continue());
            assert!(reader.miss(10, &mut take).is_continue());
            for bytes in behind.chunks(piece) {
                assert!(reader.push(run(bytes), &mut take).is_continue());
            }
            assert!(reader.end(true, &mut take).is_continue());
            assert!(piece == 1 || told == units, "in pieces of {piece}: {told:?}, {units:?}");
            told = units;
        }
        told
    }

    #[test]
    fn behind_a_hole_the_next_unit_is_told() {
        let unit = |text: &str, at, complete| (text.to_owned(), at, complete);
        let told = around(&Kind::Events, b"data: 1\n\ndata: 2", b"3\ndata: 4\n\ndata: 5\n\n");
        assert_eq!(told, [unit("data: 1", 0, true), unit("data: 2", 9, false), unit("data: 5", 37, true)]);
        let told = around(&Kind::Events, b"", b": no comment, for all we know\n\n: but this\n");
        assert_eq!(told, [unit(": but this", 41, true)]);
        assert_eq!(around(&Kind::Events, b"", b"\ndata: the rest of one\n"), []);
        let told = around(&Kind::Parts(b"b".to_vec()), b"--b\n\nx", b"y\n--b\n\nz\n--b--");
        assert_eq!(told, [unit("\nx", 4, false), unit("\nz", 22, true)]);
        let told = around(&Kind::Parts(b"b".to_vec()), b"--b\n\nx\n-", b"-b\n\nz");
        assert_eq!(told, [unit("\nx\n-", 4, false)]);
    }

    #[test]
    fn lines_end_as_they_do_anywhere() {
        each_way(
            Reader::lines,
            b"one\r\ntwo\0\nthree",
            &[
                ("one", 0, true, false),
                ("two", 5, true, false),
                ("", 9, true, false),
                ("three", 10, false, false),
            ],
        );
    }

    #[test]
    fn a_unit_without_an_end_is_counted_and_not_kept() {
        let mut reader = Reader::lines();
        let bytes = vec![b'x'; limits::STREAMED_UNIT / 2];
        for at in 0..6 {
            let run = Run { bytes: &bytes, packet: at, offset: 0, inflated: false };
            assert!(reader.push(run, &mut |_| ON).is_continue());
        }
        assert!(reader.cost() < limits::STREAMED_UNIT * 2 + 1024);
        let mut told = None;
        let run = Run { bytes: b"\nnext\n", packet: 9, offset: 0, inflated: false };
        let mut take = |seen: &Seen<'_>| {
            told.get_or_insert((seen.length, seen.kept.len(), seen.begin.packet));
            ON
        };
        assert!(reader.push(run, &mut take).is_continue());
        assert_eq!(told, Some((3 * limits::STREAMED_UNIT as u64, limits::STREAMED_UNIT, 0)));
    }
}
