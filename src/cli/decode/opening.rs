//! What an argument of `decode` names: a file, standard input, or hex.

use std::io;
use std::path::Path;

use super::kept::Keep;
use super::typed;
use crate::cli::interrupt::Interrupt;
use crate::cli::{file, mistaken};
use crate::input::{self, Input, InputError};
use crate::model::Text;
use crate::render::files::shorten;

pub struct Opened {
    pub input: Input,
    /// Bytes of the file, where it is one.
    pub size: Option<u64>,
    /// The same, whether or not it has a name.
    pub length: Option<u64>,
    /// The input comes as it happens.
    pub live: bool,
}

pub fn open(name: &str, interrupt: &Interrupt) -> Result<Opened, Text> {
    open_keeping(name, interrupt, None)
}

/// The same, keeping a copy of what can be read only once.
pub fn open_keeping(name: &str, interrupt: &Interrupt, keep: Option<Keep>) -> Result<Opened, Text> {
    let kept = |reader| match keep {
        Some(keep) => keep.of(reader),
        None => reader,
    };
    let explain = |e: InputError| e.text();
    if name == "-" {
        // Standard input may be a file all the same, which nobody types into.
        let length = stdin_length();
        let live = length.is_none();
        let reader = typed::stdin();
        let reader = if live { interrupt.pipe(reader) } else { interrupt.file(reader) };
        let input = input::open(kept(reader), "-").map_err(explain)?;
        return Ok(Opened { input, size: None, length, live });
    }
    match file::open(Path::new(name)) {
        Ok(file::Opened { reader, size }) => {
            let live = size.is_none();
            let reader = if live { interrupt.pipe(reader) } else { interrupt.file(reader) };
            let input = input::open(kept(reader), name).map_err(|e| mistaken::text(name, &e))?;
            Ok(Opened { input, size, length: size, live })
        }
        Err(e) if e.kind() == io::ErrorKind::IsADirectory => {
            Err("is a directory: name the capture files in it, or add --recursive".into())
        }
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Err("you may not read it".into()),
        Err(e) if e.kind() == io::ErrorKind::NotFound || !Path::new(name).exists() => {
            match input::from_argument(name) {
                Some(input) => Ok(Opened { input, size: None, length: None, live: false }),
                None if looks_like_hex(name) => {
                    match input::open(Box::new(io::Cursor::new(name.to_owned())), name) {
                        Err(e) => Err(e.text()),
                        Ok(input) => Ok(Opened { input, size: None, length: None, live: false }),
                    }
                }
                None => Err(file::no_sample(name).unwrap_or("no such file, and it is not hex either".into())),
            }
        }
        Err(e) => Err(Text::with("{}", e)),
    }
}

/// Whether an argument that is no file was meant as hex, so that what is wrong with it is worth saying.
fn looks_like_hex(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_hexdigit).count();
    text.starts_with(|c: char| c.is_ascii_digit()) && digits * 10 >= text.chars().count() * 7
}

/// Whether a name is that of something other than a file, which can be read once.
pub fn is_pipe(name: &str) -> bool {
    std::fs::metadata(name).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

/// The bytes of standard input, where that is a regular file.
fn stdin_length() -> Option<u64> {
    std::fs::metadata("/dev/stdin").ok().filter(std::fs::Metadata::is_file).map(|meta| meta.len())
}

/// Long arguments are hex, of which a message names only the beginning, or paths, of which it
/// keeps the file's name.
pub fn shown(name: &str) -> String {
    if name.contains('/') {
        shorten(name, 60, "...")
    } else if name.chars().count() > 60 {
        name.chars().take(57).chain("...".chars()).collect()
    } else {
        name.to_owned()
    }
}

/// The arguments as one, when each is a byte of hex that the shell took apart.
pub fn joined(words: &[String]) -> Option<String> {
    (words.len() > 1 && words.iter().all(|word| is_a_byte(word))).then(|| words.join(" "))
}

/// Whether an argument is one byte of hex and no file.
fn is_a_byte(word: &str) -> bool {
    let digits = word.trim_end_matches(',');
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_hexdigit()) && !Path::new(word).exists()
}
