//! What is said, apart from how it is set.
//!
//! [`Outline`](super::outline::Outline) says what a unit is in [`Block`]s: values and words, in order and in
//! the reader's language. A [`Setter`] makes lines of them, or whatever else:
//! [`Page`](super::page::Page) sets them for a terminal.

use super::frames::Bits;
use super::style::Ink;
use crate::model::quantity::Digits;
use crate::model::{Advice, Cite, Diagnosis, Dir, Finding, Header, Hole, Rule, Severity, Text, Value};

/// What makes something to look at of what is said.
pub trait Setter {
    /// Sets the next block.
    fn set(&mut self, block: Block<'_>);
}

/// A part of what is said that stands by itself.
#[derive(Debug)]
pub enum Block<'a> {
    /// What comes has nothing to do with what came before.
    Gap,
    /// A heading, with a gap before it.
    Heading(Heading<'a>),
    /// The heading of the totals, with a gap before it.
    Totals { about: &'a str },
    /// A name of a file and what it is; `above` all that is said of it, or with what it came to below.
    File { name: &'a str, about: &'a str, place: FilePlace },
    /// A line of words.
    Words(Words<'a>),
    /// Something of the wire, with a word before it.
    Quote { lead: Run<'a>, ink: Ink, quoted: &'a str, most: Most },
    /// A field of a frame.
    Row(Row<'a>),
    /// The first line of an HTTP message.
    StartLine(&'a str),
    /// The header fields of an HTTP message.
    Headers(&'a [Header<'a>]),
    /// Bytes.
    Payload { payload: Payload<'a>, level: usize },
    /// JSON, and what was said of it in a line already.
    Json { label: &'static str, json: &'a str, told: &'a str },
    /// A field of a packet, with what it is for.
    Part { label: &'static str, value: &'a Value, help: &'a str, cite: Cite },
    /// What is wrong.
    Finding { finding: &'a Finding, place: Option<String>, advice: Option<Advice> },
    /// What may be behind something that went wrong.
    Diagnosis(&'a Diagnosis),
    /// What a list is of.
    Title(&'a str),
    /// What went wrong, with how many.
    Cause(Cause),
    /// How often each rule was broken.
    Rules(&'a [(&'static Rule, u64)]),
    /// A point on a timeline.
    Event(Event<'a>),
}

/// Why connections ended or suffered, with all of its words.
#[derive(Debug)]
pub struct Cause {
    pub severity: Severity,
    pub id: &'static str,
    /// What happened.
    pub what: String,
    /// Where and when.
    pub evidence: String,
    /// What is probably behind it, and what to change; may be empty.
    pub behind: String,
    pub mend: String,
}

impl Cause {
    /// What is behind it, each line with its name; a line may be empty.
    pub fn details(&self) -> [(&'static str, &str); 2] {
        [("likely", &self.behind), ("try", &self.mend)]
    }
}

/// What a block is about, who sent it to whom, and where it is from.
#[derive(Debug)]
pub struct Heading<'a> {
    pub what: &'a str,
    pub from: Option<Dir>,
    pub about: &'a str,
    /// The file, where there are several.
    pub file: Option<&'a str>,
    /// The connection, where there are several and it is not what this is about.
    pub conn: Option<u32>,
    /// The first and the last packet.
    pub packets: Option<(u64, u64)>,
    /// When, in words.
    pub when: Option<&'a str>,
}

/// Which of its places a file's name stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilePlace {
    /// It begins.
    Beginning,
    /// It has come to something.
    Totals,
}

/// Words that run on, one line or more.
#[derive(Debug)]
pub struct Words<'a> {
    /// How far they are set in: 1 in the block, 2 below something there.
    pub level: usize,
    /// Whether the lines after the first are set in further.
    pub hangs: bool,
    pub runs: &'a [Run<'a>],
}

/// Words of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    pub ink: Ink,
    pub words: &'a str,
    /// Whether they stay in one piece.
    pub is_whole: bool,
}

impl<'a> Run<'a> {
    /// Words that break where a line is full.
    pub fn text(ink: Ink, words: &'a str) -> Self {
        Self { ink, words, is_whole: false }
    }

    /// A word or two that stay in one piece.
    pub fn whole(ink: Ink, words: &'a str) -> Self {
        Self { ink, words, is_whole: true }
    }
}

/// How much of something quoted is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Most {
    Columns(usize),
    Rows(usize),
}

/// A field: where it stands, what it is called, what it is, and what that means.
#[derive(Debug)]
pub struct Row<'a> {
    /// The severity of the worst finding that points at it.
    pub blamed: Option<Severity>,
    /// The first and the last of its bytes in the frame, where it is in it.
    pub place: Option<(u64, u64)>,
    /// Its bits in their byte; none for whole bytes.
    pub bits: Bits,
    pub depth: u8,
    pub label: &'static str,
    /// What a field of this kind is for.
    pub help: &'static str,
    pub value: RowValue<'a>,
    /// What the value means here.
    pub meaning: &'a Text,
    pub cite: Cite,
}

/// What stands in a row.
#[derive(Debug)]
pub enum RowValue<'a> {
    Number(Figure),
    Text(&'a str),
    /// As it stands, without quotes: a number that is no [`Figure`].
    Plain(&'a str),
    /// The first of so many bytes.
    Bytes(&'a [u8], u64),
    /// The payload; whether fields of it follow.
    Payload(Payload<'a>, bool),
}

/// A number, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    Decimal(u64),
    Hexadecimal(u64),
    /// So many bits, all of them 0.
    Zeros(u8),
}

impl Figure {
    /// A field's value, if it is a number.
    pub fn of(value: &Value) -> Option<Self> {
        match *value {
            Value::Bit(bit) => Some(Self::Decimal(bit.into())),
            Value::Number(number) => Some(Self::Decimal(number)),
            Value::Code(code) => Some(Self::Hexadecimal(code)),
            Value::Bytes(_) | Value::Text(_) | Value::Json(_) => None,
        }
    }

    /// What to write.
    pub fn digits(self) -> Digits {
        match self {
            Self::Decimal(number) => Digits::of(number),
            Self::Hexadecimal(number) => Digits::hexadecimal(number),
            Self::Zeros(many) => Digits::zeros(many),
        }
    }
}

/// Bytes of a payload.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    /// Those that are kept.
    pub bytes: &'a [u8],
    /// What is missing between them.
    pub holes: &'a [Hole],
    /// How many there are in all, the missing ones too, as far as is known.
    pub length: u64,
    /// How many there should be.
    pub declared: u64,
    /// Whether they are text.
    pub text: bool,
}

impl<'a> Payload<'a> {
    /// All of something.
    pub fn whole(bytes: &'a [u8], text: bool) -> Self {
        let length = bytes.len() as u64;
        Self { bytes, holes: &[], length, declared: length, text }
    }
}

/// A point on a timeline.
#[derive(Debug)]
pub struct Event<'a> {
    /// The file, where there are several.
    pub file: Option<&'a str>,
    /// Columns that the longest name of a file takes.
    pub file_columns: usize,
    pub when: &'a str,
    /// Whose it is: a session's number.
    pub whose: &'a str,
    /// How it came.
    pub by: &'a str,
    pub from: Option<Dir>,
    pub said: Happening<'a>,
}

/// What happened.
#[derive(Debug)]
pub enum Happening<'a> {
    Runs(&'a [Run<'a>]),
    /// A line of the wire, or words.
    Line(&'a str),
}

/// A line of running text in the block.
pub fn say(ink: Ink, words: &str, to: &mut dyn Setter) {
    to.set(Block::Words(Words { level: 1, hangs: false, runs: &[Run::text(ink, words)] }));
}

/// Words in one piece and words after them, the later lines set in.
pub fn item(level: usize, lead: Run<'_>, rest: Run<'_>, to: &mut dyn Setter) {
    to.set(Block::Words(Words { level, hangs: true, runs: &[lead, rest] }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Unit, Wants};
    use crate::render::fixture::Show;
    use crate::render::outline::Outline;
    use crate::render::page::Page;
    use crate::render::screen::Layout;
    use crate::render::{Options, scenes, tree};

    /// Another setter than a page: a line of words a block, without columns, marks or colours.
    #[derive(Default)]
    struct Plain(Vec<String>);

    impl Setter for Plain {
        fn set(&mut self, block: Block<'_>) {
            self.0.push(match block {
                Block::Gap => String::new(),
                Block::Heading(it) => {
                    format!("# {} | {:?} | {} | {:?} {:?}", it.what, it.from, it.about, it.conn, it.packets)
                }
                Block::Totals { about } => format!("# {about}"),
                Block::File { name, about, .. } => format!("{name} | {about}"),
                Block::Words(it) => it.runs.iter().map(|run| run.words).collect(),
                Block::Quote { lead, quoted, .. } => format!("{} {quoted}", lead.words),
                Block::Row(it) => {
                    let value = match it.value {
                        RowValue::Number(number) => number.digits().as_str().to_owned(),
                        RowValue::Text(text) | RowValue::Plain(text) => text.to_owned(),
                        RowValue::Bytes(bytes, _) => format!("{bytes:02x?}"),
                        RowValue::Payload(it, _) => Self::payload(&it),
                    };
                    let place = it.place.map_or_else(String::new, |(first, last)| match last {
                        _ if first == last => first.to_string(),
                        _ => format!("{first}–{last}"),
                    });
                    let bits = it.bits.picture();
                    format!("{place} | {bits} | {} | {value} | {} | {}", it.label, it.meaning, it.cite)
                }
                Block::StartLine(line) => line.to_owned(),
                Block::Headers(it) => {
                    let line = |it: &Header<'_>| format!("{}: {} | {:?}", it.name, it.value, it.verdict);
                    it.iter().map(line).collect::<Vec<_>>().join("\n")
                }
                Block::Payload { payload, .. } => Self::payload(&payload),
                Block::Json { label, json, .. } => format!("{label} | {json}"),
                Block::Part { label, help, .. } => format!("{label} | {help}"),
                Block::Finding { finding, place, .. } => format!("! {} | {place:?}", finding.rule.id),
                Block::Diagnosis(it) => format!("? {}", it.id),
                Block::Title(words) => words.to_owned(),
                Block::Cause(it) => format!("{} | {} | {}", it.id, it.what, it.evidence),
                Block::Rules(it) => it
                    .iter()
                    .map(|(rule, times)| format!("{} {times}", rule.id))
                    .collect::<Vec<_>>()
                    .join("\n"),
                Block::Event(it) => format!("{} {} {:?}", it.whose, it.by, it.said),
            });
        }
    }

    impl Plain {
        fn payload(it: &Payload<'_>) -> String {
            let content =
                if it.text { format!("{:?}", it.bytes.escape_ascii().to_string()) } else { String::new() };
            format!("{} of {} bytes {content}", it.bytes.len(), it.declared)
        }
    }

    /// The tree, set by [`Plain`].
    #[derive(Default)]
    struct PlainTree;

    impl Layout for PlainTree {
        fn wants(options: &Options) -> Wants {
            tree::TreeLayout::wants(options)
        }

        fn unit(&mut self, outline: &mut Outline, unit: &Unit<'_>, page: &mut Page) {
            let mut plain = Plain::default();
            tree::say(outline, unit, &mut plain);
            plain.0.iter().flat_map(|block| block.lines()).for_each(|line| page.put(Ink::Plain, line).line());
        }
    }

    fn plain() -> Show<PlainTree> {
        Show::new(Options { width: 1000, ..Options::default() })
    }

    #[test]
    fn another_setter_gets_values() {
        let mut show = plain();
        show.blame(&scenes::UNMASKED, Dir::Client, (8, 9), "MASK 1 and a masking key", "MASK 0");
        show.frame(Dir::Client, b"\x81\x05Hello");
        let text = show.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "# frame 1 | Some(Client) | text, 5 bytes, unmasked | None Some((4, 4))",
                "0 | 1... .... | FIN | 1 | a message in one frame | RFC 6455 §5.2",
                "0 | .000 .... | RSV1–3 | 000 | no extension bits | RFC 6455 §5.2",
                "0 | .... 0001 | opcode | 0x1 | text | RFC 6455 §5.2",
                "1 | 0... .... | MASK | 0 | not masked, which clients must | RFC 6455 §5.2",
                "1 | .000 0101 | payload length | 5 | bytes of payload | RFC 6455 §5.2",
                "2–6 |  | payload | 5 of 5 bytes \"Hello\" |  | RFC 6455 §5.2",
                "! unmasked-client-frame | Some(\"byte 1, bit 0\")",
            ]
        );
    }

    /// A page adds columns and colours, but no words that are not said.
    #[test]
    fn both_setters_say_the_same() {
        let mut plain = plain();
        let mut page: Show<tree::TreeLayout> = Show::new(Options { width: 1000, ..Options::default() });
        scenes::everything(&mut plain);
        scenes::everything(&mut page);
        let (plain, page) = (plain.text(), page.text());
        for line in page.lines().filter(|line| !line.trim().is_empty()) {
            let name = line.trim_start_matches(['!', ' ']).split("  ").next().unwrap_or_default();
            let is_told = line.starts_with(|c: char| c.is_ascii_alphabetic());
            assert!(!is_told || name == "summary" || plain.contains(name), "{name} of {line}");
        }
        let headings = |text: &str, mark: &str| text.lines().filter(|line| line.starts_with(mark)).count();
        assert_eq!(headings(&plain, "# frame"), headings(&page, "frame "));
        assert_eq!(
            plain.matches("! unmasked-client-frame").count(),
            page.matches("error    unmasked").count()
        );
    }
}
