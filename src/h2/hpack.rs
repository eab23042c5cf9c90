//! Header compression (RFC 7541): what a block of header fields says, and what the table remembers.
//!
//! Table and Huffman code come from crates. What stands in a block is read here, because it is hostile: each
//! field has to be traced to its bytes, decoding has to go on where a table is not known from its beginning,
//! and a block of a few bytes must not become work or memory without end.

use std::ops::Range;

use httlib_hpack::table::Table;
use httlib_huffman::DecoderSpeed;

use crate::limits;
use crate::model::Text;

/// A header field, as a block has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The name; empty where it stands in a part of the table that is not known.
    pub name: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
    /// The value is known.
    pub is_known: bool,
    /// Which bytes of the block say so.
    pub at: Range<usize>,
}

/// What is wrong with a block, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Offset in the block.
    pub at: usize,
    /// What was expected there.
    pub expected: &'static str,
    /// What there is.
    pub got: Text,
}

/// A decoded block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// The header fields, as many as are kept.
    pub lines: Vec<Line>,
    /// How large they are (RFC 9113 §6.5.2): names, values, and 32 bytes each.
    pub size: u64,
    /// How many fields there are.
    pub count: u64,
    /// How many of them refer to what is not known.
    pub unknown: u64,
    /// Where decoding had to stop.
    pub fault: Option<Fault>,
}

/// The table of one direction.
#[derive(Debug)]
pub struct Tables {
    table: Table<'static>,
    /// Entries were made that are not known.
    is_lost: bool,
    /// The largest table that the receiver has allowed.
    allowed: u32,
}

impl Default for Tables {
    fn default() -> Self {
        Self { table: Table::with_dynamic_size(DEFAULT_SIZE), is_lost: false, allowed: DEFAULT_SIZE }
    }
}

/// `SETTINGS_HEADER_TABLE_SIZE` unless a receiver says otherwise (RFC 9113 §6.5.2).
const DEFAULT_SIZE: u32 = 4096;

/// What an entry costs besides its bytes (RFC 7541 §4.1).
const ENTRY: u64 = 32;

/// Entries of the static table (RFC 7541, appendix A).
const STATIC: u32 = 61;

impl Tables {
    /// The receiver allows a table of this size.
    pub fn allow(&mut self, size: u32) {
        self.allowed = self.allowed.max(size);
    }

    /// What was entered until now is not known.
    pub fn lose(&mut self) {
        self.is_lost = true;
        self.table = Table::with_dynamic_size(self.table.max_dynamic_size());
    }

    /// Bytes that it takes.
    pub fn cost(&self) -> usize {
        self.table.dynamic_size() as usize + self.table.dynamic_len() * size_of::<[Vec<u8>; 2]>()
    }

    /// Decodes a block.
    pub fn decode(&mut self, block: &[u8]) -> Decoded {
        let mut decoded = Decoded::default();
        let mut at = 0;
        while at < block.len() {
            let mut reader = Reader { block, at };
            match self.field(&mut reader, &mut decoded) {
                Ok(()) => at = reader.at,
                Err(fault) => {
                    decoded.fault = Some(fault);
                    self.lose();
                    break;
                }
            }
            if decoded.size > WORK {
                // What it would take to keep up is not worth it.
                self.lose();
                break;
            }
        }
        decoded
    }

    /// The next field, or an instruction to change the table's size.
    fn field(&mut self, reader: &mut Reader<'_>, to: &mut Decoded) -> Result<(), Fault> {
        let start = reader.at;
        let first = reader.block[start];
        let fault = |expected, got: Text| Fault { at: start, expected, got };
        match first {
            0x80.. => {
                let index = reader.integer(7)?;
                let (name, value, is_known) = match self.table.get(index) {
                    Some((name, value)) => (name, value, !name.is_empty()),
                    None if self.is_lost && index > STATIC => (&[][..], &[][..], false),
                    None => return Err(fault("an index within the table", Text::with("index {}", index))),
                };
                to.add(name, value, is_known, start..reader.at);
            }
            0x20..=0x3F => {
                let size = reader.integer(5)?;
                if to.count > 0 {
                    let got = Text::with("a new size of {} behind header fields", size);
                    return Err(fault("sizes of the table in front of header fields", got));
                }
                if size > self.allowed {
                    let got = Text::with("{} bytes, where {} are allowed", size).and(self.allowed);
                    return Err(fault("a table of the size that its receiver allows", got));
                }
                // Of one that is larger some entries will not be known.
                self.is_lost |= size > limits::H2_TABLE;
                self.table.update_max_dynamic_size(size.min(limits::H2_TABLE));
            }
            _ => {
                let (is_entered, prefix) = if first >= 0x40 { (true, 6) } else { (false, 4) };
                let index = reader.integer(prefix)?;
                let name = match (index, self.table.get(index)) {
                    (0, _) => reader.string()?,
                    (_, Some((name, _))) => name.to_vec(),
                    (_, None) if self.is_lost && index > STATIC => Vec::new(),
                    (_, None) => {
                        return Err(fault("an index within the table", Text::with("index {}", index)));
                    }
                };
                let value = reader.string()?;
                to.add(&name, &value, true, start..reader.at);
                if is_entered {
                    self.table.insert(name, value);
                }
            }
        }
        Ok(())
    }
}

/// Bytes that one block may decode to before its decoder gives up.
const WORK: u64 = 16 * limits::H2_HEADERS as u64;

impl Decoded {
    fn add(&mut self, name: &[u8], value: &[u8], is_known: bool, at: Range<usize>) {
        self.count += 1;
        self.size += (name.len() + value.len()) as u64 + ENTRY;
        self.unknown += u64::from(name.is_empty() || !is_known);
        if self.size <= limits::H2_HEADERS as u64 && self.lines.len() < limits::HTTP_HEADERS {
            self.lines.push(Line { name: name.to_vec(), value: value.to_vec(), is_known, at });
        }
    }

    /// Whether it decodes to more than is kept.
    pub fn is_bomb(&self) -> bool {
        self.size > limits::H2_HEADERS as u64 || self.count > limits::HTTP_HEADERS as u64
    }
}

/// Reads a block.
struct Reader<'b> {
    block: &'b [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, Fault> {
        let byte = self.block.get(self.at).copied();
        self.at += 1;
        byte.ok_or_else(|| Fault {
            at: self.block.len(),
            expected: "the rest of a header field",
            got: "the end of the block".into(),
        })
    }

    /// An integer behind a prefix (RFC 7541 §5.1).
    fn integer(&mut self, prefix: u8) -> Result<u32, Fault> {
        let start = self.at;
        let most = (1u32 << prefix) - 1;
        let mut value = u32::from(self.byte()?) & most;
        if value < most {
            return Ok(value);
        }
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            value += u32::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        let got = "an integer of more than five bytes".into();
        Err(Fault { at: start, expected: "an integer that makes sense", got })
    }

    /// A string, in the Huffman code or as it is (RFC 7541 §5.2).
    fn string(&mut self) -> Result<Vec<u8>, Fault> {
        let start = self.at;
        let is_coded = self.block.get(start).is_some_and(|byte| byte & 0x80 != 0);
        let length = self.integer(7)? as usize;
        let there = self.block.get(self.at..).unwrap_or_default();
        let Some(bytes) = there.get(..length) else {
            let got = Text::with("{} bytes, of which {} are there", length).and(there.len());
            return Err(Fault { at: start, expected: "a string within the block", got });
        };
        self.at += length;
        if !is_coded {
            return Ok(bytes.to_vec());
        }
        let mut decoded = Vec::with_capacity(length + length / 2);
        match httlib_huffman::decode(bytes, &mut decoded, DecoderSpeed::FiveBits) {
            Ok(()) => Ok(decoded),
            Err(_) => Err(Fault {
                at: start,
                expected: "the Huffman code of RFC 7541, appendix B",
                got: "bits that stand for nothing".into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(decoded: &Decoded) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        decoded
            .lines
            .iter()
            .map(|line| {
                format!("{}: {}{}", text(&line.name), text(&line.value), if line.is_known { "" } else { "?" })
            })
            .collect()
    }

    /// RFC 7541, appendix C.4: three requests with Huffman code.
    const REQUESTS: [&[u8]; 3] = [
        b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff",
        b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf",
        b"\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf",
    ];

    #[test]
    fn the_examples_of_the_rfc() {
        let mut tables = Tables::default();
        let first = tables.decode(REQUESTS[0]);
        assert_eq!(
            lines(&first),
            [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"]
        );
        assert_eq!((first.lines[3].at.clone(), first.size), (3..17, 180));
        tables.decode(REQUESTS[1]);
        let third = tables.decode(REQUESTS[2]);
        assert_eq!(lines(&third)[3..], [":authority: www.example.com", "custom-key: custom-value"]);
        assert_eq!(third.fault, None);
    }

    #[test]
    fn what_was_entered_before_is_not_known() {
        let mut tables = Tables::default();
        tables.lose();
        let second = tables.decode(REQUESTS[1]);
        assert_eq!(second.fault, None);
        assert_eq!(
            lines(&second),
            [":method: GET", ":scheme: http", ":path: /", ": ?", "cache-control: no-cache"]
        );
        // What it has entered itself is known from then on.
        assert_eq!(lines(&tables.decode(b"\xbe")), ["cache-control: no-cache"]);
        // A name that is not known, entered again.
        assert_eq!(lines(&tables.decode(b"\x7f\x01\x01x")), [": x"]);
        assert_eq!(lines(&tables.decode(b"\xbf")), ["cache-control: no-cache"]);
    }

    #[test]
    fn faults_are_found_where_they_are() {
        for (block, at) in [
            (&b"\x82\xbe"[..], 1),
            (b"\x80", 0),
            (b"\x82\x7f", 2),
            (b"\xff\xff\xff\xff\xff\xff", 0),
            (b"\x40\x05ab", 1),
            (b"\x40\x01a\x82\xff\xff", 3),
            (b"\x3f\xe2\x1f", 0),
            (b"\x82\x20", 1),
            (b"\x40", 1),
        ] {
            let decoded = Tables::default().decode(block);
            assert_eq!(decoded.fault.map(|fault| fault.at), Some(at), "{block:02x?}");
        }
        let mut tables = Tables::default();
        tables.allow(8192);
        assert_eq!(tables.decode(b"\x3f\xe2\x1f\x82").fault, None);
    }

    #[test]
    fn a_bomb_takes_neither_memory_nor_time() {
        let mut tables = Tables::default();
        // An entry of 4,000 bytes, and 200,000 references to it.
        let mut block = vec![0x40, 1, b'x', 0x7F];
        block.extend_from_slice(&[0xA1, 0x1E]);
        block.extend_from_slice(&vec![b'v'; 4000]);
        let entry = tables.decode(&block);
        assert_eq!((entry.fault, entry.count), (None, 1));
        let bomb = tables.decode(&vec![0xBE; 200_000]);
        assert!(bomb.is_bomb() && bomb.size <= WORK + 5000);
        let kept: usize = bomb.lines.iter().map(|line| line.value.len()).sum();
        assert!(kept <= limits::H2_HEADERS, "{kept}");
    }
}
