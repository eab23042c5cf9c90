//! The forms in which `wstool encode` writes frames: hex, a C array, bytes.

use std::io::{self, Write};

use crate::lang::Lang;
use crate::model::{CloseCode, Dir, FrameHeader, LengthForm, Opcode};
use crate::synth::conversation::Piece;
use crate::synth::frames::Frame;

/// How frames are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Hex,
    CArray,
    Raw,
}

/// Pieces being written one after the other.
pub(super) struct Pieces<'o> {
    form: Form,
    lang: Lang,
    out: &'o mut dyn Write,
    /// How many there are so far.
    count: usize,
}

impl<'o> Pieces<'o> {
    /// None yet.
    pub fn new(form: Form, lang: Lang, out: &'o mut dyn Write) -> Self {
        Self { form, lang, out, count: 0 }
    }

    /// Writes the next piece; `sender` is named where there are two.
    pub fn write(&mut self, sender: Option<Dir>, piece: Piece<'_>) -> io::Result<()> {
        let Self { form, lang, ref mut out, count } = *self;
        let n = count + 1;
        self.count = n;
        let mut bytes = Vec::new();
        let what = match piece {
            Piece::Frame(frame) => {
                frame.write(&mut bytes);
                description(&frame.header, frame.payload.len(), lang)
            }
            Piece::Raw(raw) => {
                bytes.extend_from_slice(raw);
                lang.count(raw.len() as u64, &raw.len(), ["{} byte as it is", "{} bytes as they are"])
            }
        };
        let mut said = match sender {
            Some(Dir::Client) => lang.fill("client: {}", &[&what]),
            Some(Dir::Server) => lang.fill("server: {}", &[&what]),
            None => what,
        };
        match (form, piece) {
            (Form::Raw, _) => out.write_all(&bytes),
            (Form::CArray, _) => c_array(n, &said, &bytes, out),
            (Form::Hex, piece) => {
                if let Piece::Frame(Frame { header, payload }) = piece {
                    said += &preview(header.opcode, payload);
                }
                let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                // As `decode` reads them: `>` is what the client sent, `<` what the server sent.
                let mark = sender.map_or("", |sender| if sender == Dir::Client { "> " } else { "< " });
                writeln!(out, "# {said}\n{mark}{}", hex.join(" "))
            }
        }
    }
}

/// An array definition, twelve bytes a line. Its comment holds nothing of the
/// payload, which could end the comment.
fn c_array(n: usize, said: &str, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "/* {said} */\nstatic const unsigned char frame_{n}[{}] = {{", bytes.len())?;
    for line in bytes.chunks(12) {
        let hex: Vec<String> = line.iter().map(|byte| format!("0x{byte:02x}")).collect();
        writeln!(out, "    {},", hex.join(", "))?;
    }
    writeln!(out, "}};")
}

/// `text, masked with 37fa213d, 5 bytes`, and whatever is unusual.
fn description(header: &FrameHeader, length: usize, lang: Lang) -> String {
    let mut said = vec![match header.opcode {
        opcode if opcode.is_reserved() => lang.fill("reserved opcode {}", &[&format!("{:#x}", opcode.0)]),
        opcode => lang.words(opcode.name()).to_owned(),
    }];
    let bits =
        [(!header.fin, "FIN 0"), (header.rsv1, "RSV1 1"), (header.rsv2, "RSV2 1"), (header.rsv3, "RSV3 1")];
    said.extend(bits.iter().filter(|(unusual, _)| *unusual).map(|(_, bit)| (*bit).to_owned()));
    if let Some([a, b, c, d]) = header.masking_key {
        let key = format!("{a:02x}{b:02x}{c:02x}{d:02x}");
        said.push(lang.fill("masked with {}", &[&key]));
    }
    said.push(lang.count(length as u64, &length, ["{} byte", "{} bytes"]));
    if header.length != length as u64 {
        said.push(lang.fill("declared as {}", &[&header.length]));
    }
    if header.length_form != LengthForm::minimal(header.length) {
        said.push(lang.fill("length in {} bits", &[&header.length_form.bits()]));
    }
    said.join(lang.words(", "))
}

/// The beginning of a text payload, escaped.
fn preview(opcode: Opcode, payload: &[u8]) -> String {
    let shown = match opcode {
        Opcode::CLOSE if payload.len() >= 2 => {
            let code = CloseCode(u16::from_be_bytes([payload[0], payload[1]]));
            if payload.len() == 2 {
                return format!(": {} {}", code.0, code.name());
            }
            return format!(": {} {} {:?}", code.0, code.name(), String::from_utf8_lossy(&payload[2..]));
        }
        Opcode::BINARY => return String::new(),
        _ if payload.is_empty() => return String::new(),
        _ => String::from_utf8_lossy(payload),
    };
    match shown.char_indices().nth(40) {
        Some((cut, _)) => format!(": {:?}…", &shown[..cut]),
        None => format!(": {shown:?}"),
    }
}
