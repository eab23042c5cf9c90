//! `wstool accept`: the server's answer to a client's key, step by step, and what is wrong with a wrong one.

use std::io::{self, BufRead, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use colored::Colorize;
use serde_json::{Value, json};

use crate::cli::Look;
use crate::http::accept::{GUID, RFC_KEY, hex};
use crate::http::{Steps, accept_value, check_key, diagnose};
use crate::lang::Lang;
use crate::model::{Diagnosis, Text};
use crate::render::columns::{escaped, left, lines, right, width};

/// Computes the Sec-WebSocket-Accept value for a Sec-WebSocket-Key
///
/// Prints the value alone, so that scripts can use it. Exits with 1 when --verify
/// finds a wrong value, with 2 when a key is not one.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Args {
    /// The client's Sec-WebSocket-Key; `-` reads keys from stdin, one a line
    #[arg(required_unless_present = "random", conflicts_with = "random")]
    pub key: Option<String>,

    /// Make a key from the system's randomness
    #[arg(long)]
    pub random: bool,

    /// Show every step: key, bytes, joined string, SHA-1 digest, Base64
    #[arg(long)]
    pub explain: bool,

    /// Compare with a Sec-WebSocket-Accept value, and say what made a wrong one
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub verify: Option<String>,

    /// Compute even when the key is not 16 bytes in canonical Base64
    #[arg(long)]
    pub force: bool,

    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// How to print.
// What is said of them would stand in the help.
#[allow(missing_docs)]
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Text,
    Json,
}

/// Every key was answered, and what was to be verified is right.
const FINE: u8 = 0;
/// A value to verify is wrong.
const MISMATCH: u8 = 1;
/// A key is not one.
const REFUSED: u8 = 2;

/// Bytes of a line of stdin that are kept: far more than any key has.
const LINE: usize = 64 * 1024;

/// Columns of the output.
const WIDTH: usize = 80;

/// Runs the command; the exit code. `Err` only when reading or writing fails.
pub fn run(
    args: &Args,
    look: Look,
    out: &mut dyn Write,
    err: &mut dyn Write,
    stdin: &mut dyn BufRead,
) -> io::Result<u8> {
    let lang = look.lang;
    if args.random {
        let mut bytes = [0; 16];
        if let Err(problem) = getrandom::fill(&mut bytes) {
            let words = lang.fill("the system gives no random bytes: {}", &[&problem]);
            writeln!(err, "{}", lang.fill("error: {}", &[&words]))?;
            return Ok(REFUSED);
        }
        return one(args, lang, STANDARD.encode(bytes).as_bytes(), out, err);
    }
    match args.key.as_deref() {
        Some("-") => each_line(args, lang, out, err, stdin),
        key => one(args, lang, key.unwrap_or_default().as_bytes(), out, err),
    }
}

/// One answer a line, so that line n answers key n: a line that is no key is
/// told and gets an empty answer.
fn each_line(
    args: &Args,
    lang: Lang,
    out: &mut dyn Write,
    err: &mut dyn Write,
    stdin: &mut dyn BufRead,
) -> io::Result<u8> {
    let mut worst = FINE;
    let mut line = Vec::new();
    for number in 1u64.. {
        if !read_line(stdin, &mut line)? {
            break;
        }
        let key = line.strip_suffix(b"\r").unwrap_or(&line);
        if let Some(problem) = refuse(args, key) {
            writeln!(err, "{}", lang.fill("error: line {}: {}", &[&number, &lang.say(&problem)]))?;
            match args.format {
                Format::Text => writeln!(out)?,
                Format::Json => writeln!(out, "{}", harmless(&refused_json(key)))?,
            }
            worst = REFUSED;
        } else {
            worst = worst.max(answer(args, lang, key, out)?);
        }
    }
    Ok(worst)
}

/// Reads a line without its LF, of which at most [`LINE`] bytes are kept; `false` at the end.
fn read_line(stdin: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let bytes = stdin.fill_buf()?;
        if bytes.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = memchr::memchr(b'\n', bytes);
        let part = &bytes[..end.unwrap_or(bytes.len())];
        line.extend_from_slice(&part[..part.len().min(LINE - line.len())]);
        let used = part.len() + usize::from(end.is_some());
        stdin.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

fn one(args: &Args, lang: Lang, key: &[u8], out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    if let Some(problem) = refuse(args, key) {
        writeln!(err, "{}", lang.fill("error: {}", &[&lang.say(&problem)]))?;
        let caret = " ".repeat(check_key(key).err().map_or(0, |problem| problem.at()));
        if key.len() <= 64 && key.iter().all(u8::is_ascii_graphic) && !key.is_empty() {
            writeln!(err, "  {}\n  {caret}{}", String::from_utf8_lossy(key), "^".red().bold())?;
        }
        let advice = "A key is 16 bytes in Base64: 22 symbols and == (RFC 6455 §4.1).";
        writeln!(err, "{}", lang.words(advice))?;
        writeln!(err, "{}", lang.words("--force computes the answer all the same."))?;
        return Ok(REFUSED);
    }
    if let Some(note) = note(key) {
        let label = lang.words("note: ");
        wrapped(err, label, lang.words(note))?;
    }
    answer(args, lang, key, out)
}

/// Why a key is not answered.
fn refuse(args: &Args, key: &[u8]) -> Option<Text> {
    match check_key(key) {
        Err(problem) if !args.force && note(key).is_none() => Some(problem.text()),
        _ => None,
    }
}

/// The RFC's own example is answered although it is not canonical.
fn note(key: &[u8]) -> Option<&'static str> {
    (key == RFC_KEY).then_some(
        "this is the example of RFC 6455 §4.1, whose last symbol is not canonical Base64 \
         (canonical: AQIDBAUGBwgJCgsMDQ4PEA==)",
    )
}

fn answer(args: &Args, lang: Lang, key: &[u8], out: &mut dyn Write) -> io::Result<u8> {
    let wrong = args.verify.as_deref().map(|value| (value, diagnose(key, value.as_bytes(), &[])));
    let code = if matches!(wrong, Some((_, Some(_)))) { MISMATCH } else { FINE };
    if args.format == Format::Json {
        writeln!(out, "{}", harmless(&as_json(args, key, wrong.as_ref())))?;
        return Ok(code);
    }
    if args.random && !args.explain {
        writeln!(out, "{}", String::from_utf8_lossy(key))?;
    }
    if args.explain {
        explain(&Steps::of(key), lang, out)?;
    }
    match wrong {
        None if !args.explain => writeln!(out, "{}", accept_value(key))?,
        None => {}
        Some((value, wrong)) => verdict(args, lang, key, (value, wrong.as_ref()), out)?,
    }
    Ok(code)
}

fn explain(steps: &Steps, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let step =
        |name: &'static str, cite| format!("{} {}", left(lang.words(name), 51).bold(), right(cite, 28));
    writeln!(out, "{}", step("1  Sec-WebSocket-Key, as the client sends it", "RFC 6455 §4.1"))?;
    writeln!(out, "     {}", shown(&steps.key))?;
    match &steps.decoded {
        Some(bytes) => {
            let pairs: Vec<_> = bytes.iter().take(32).map(|b| format!("{b:02x}")).collect();
            let words = "{} bytes in Base64, random, no secret; nobody needs to decode them:";
            writeln!(out, "     {}", lang.fill(words, &[&bytes.len()]))?;
            writeln!(out, "     {}{}", pairs.join(" "), if bytes.len() > 32 { " …" } else { "" })?;
        }
        None => writeln!(out, "     {}", lang.words("not Base64; the computation does not mind"))?,
    }
    writeln!(out, "{}", step("2  Append the GUID to the key's characters", "RFC 6455 §4.2.2"))?;
    writeln!(out, "     {}", shown(&steps.key))?;
    writeln!(out, "   + {GUID}")?;
    writeln!(out, "   = {}", shown(&steps.joined))?;
    writeln!(out, "{}", step("3  SHA-1 of that string: 20 bytes", "RFC 6455 §4.2.2"))?;
    let groups: Vec<_> = steps.digest.chunks(4).map(hex).collect();
    writeln!(out, "     {}", groups.join(" "))?;
    writeln!(out, "{}", step("4  Base64 of the 20 bytes: Sec-WebSocket-Accept", "RFC 6455 §4.2.2"))?;
    writeln!(out, "     {}", steps.accept.green().bold())
}

fn verdict(
    args: &Args,
    lang: Lang,
    key: &[u8],
    (value, wrong): (&str, Option<&Diagnosis>),
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(diagnosis) = wrong else {
        let words = lang.fill("{} answers the key", &[&shown(value)]);
        return writeln!(out, "{}{}{words}", lang.words("match").green().bold(), lang.words(": "));
    };
    let words = lang.words("this value does not answer the key");
    writeln!(out, "{}{}{words}", lang.words("mismatch").red().bold(), lang.words(": "))?;
    let label = |name: &'static str| format!("  {}", left(lang.words(name), 10));
    if !args.explain {
        writeln!(out, "{}{}", label("expected"), accept_value(key))?;
    }
    writeln!(out, "{}{}", label("got"), shown(value))?;
    wrapped(out, &label("because"), &format!("{} [{}]", lang.say(&diagnosis.what), diagnosis.id))?;
    wrapped(out, &label("instead"), &lang.say(&diagnosis.fix))
}

/// Words behind a label, broken before [`WIDTH`]. They may quote what was given.
fn wrapped(out: &mut dyn Write, label: &str, words: &str) -> io::Result<()> {
    let indent = width(label);
    let words = escaped(words);
    for (at, line) in lines(&words, WIDTH - indent).into_iter().enumerate() {
        writeln!(out, "{}{line}", left(if at == 0 { label } else { "" }, indent))?;
    }
    Ok(())
}

fn as_json(args: &Args, key: &[u8], verified: Option<&(&str, Option<Diagnosis>)>) -> Value {
    let steps = Steps::of(key);
    let mut object = json!({ "key": steps.key, "accept": steps.accept });
    if let Err(problem) = check_key(key) {
        object["key_problem"] = json!({ "at": problem.at(), "text": problem.text().to_string() });
    }
    if args.explain {
        object["decoded"] = steps.decoded.map_or(Value::Null, |bytes| json!(hex(&bytes)));
        object["guid"] = json!(GUID);
        object["joined"] = json!(steps.joined);
        object["sha1"] = json!(hex(&steps.digest));
    }
    if let Some((value, wrong)) = verified {
        object["value"] = json!(value);
        object["match"] = json!(wrong.is_none());
        if let Some(Diagnosis { id, what, fix }) = wrong {
            object["diagnosis"] = json!({ "id": id, "what": what.to_string(), "fix": fix.to_string() });
        }
    }
    object
}

fn refused_json(key: &[u8]) -> Value {
    let mut object = as_json(&Args::default(), key, None);
    object["accept"] = Value::Null;
    object
}

/// JSON in ASCII: what is from elsewhere must not act on a terminal.
fn harmless(json: &Value) -> String {
    let mut units = [0; 2];
    let mut text = String::new();
    for c in json.to_string().chars() {
        if matches!(c, ' '..='~') {
            text.push(c);
        } else {
            // Such characters can only stand in strings.
            text.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// Untrusted text for a terminal: what is no visible ASCII is escaped, what is long is cut.
fn shown(text: &str) -> String {
    const MOST: usize = 64;
    let escape = |c: char| match c {
        ' '..='~' => c.to_string(),
        c => c.escape_default().to_string(),
    };
    let mut shown: String = text.chars().map(escape).collect();
    if shown.len() > MOST {
        shown.truncate(MOST);
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    /// Exit code, stdout and stderr.
    fn play(words: &[&str], mut stdin: &[u8]) -> (u8, String, String) {
        colored::control::set_override(false);
        let args =
            <Cli as clap::Parser>::try_parse_from([&["accept"], words].concat()).expect("valid usage").args;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let look = Look { color: false, lang: Lang::En };
        let code = run(&args, look, &mut out, &mut err, &mut stdin).expect("no I/O");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (code, text(out), text(err))
    }

    #[test]
    fn the_answer_stands_alone() {
        assert_eq!(play(&[KEY], b""), (FINE, format!("{ACCEPT}\n"), String::new()));
        assert_eq!(play(&["--force", KEY], b"").1, format!("{ACCEPT}\n"));
    }

    #[test]
    fn every_step_is_shown() {
        insta::assert_snapshot!(play(&[KEY, "--explain"], b"").1, @r"
        1  Sec-WebSocket-Key, as the client sends it                       RFC 6455 §4.1
             dGhlIHNhbXBsZSBub25jZQ==
             16 bytes in Base64, random, no secret; nobody needs to decode them:
             74 68 65 20 73 61 6d 70 6c 65 20 6e 6f 6e 63 65
        2  Append the GUID to the key's characters                       RFC 6455 §4.2.2
             dGhlIHNhbXBsZSBub25jZQ==
           + 258EAFA5-E914-47DA-95CA-C5AB0DC85B11
           = dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11
        3  SHA-1 of that string: 20 bytes                                RFC 6455 §4.2.2
             b37a4f2c c0624f16 90f64606 cf385945 b2bec4ea
        4  Base64 of the 20 bytes: Sec-WebSocket-Accept                  RFC 6455 §4.2.2
             s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        ");
    }

    #[test]
    fn a_right_value_matches_and_a_wrong_one_is_diagnosed() {
        let (code, out, _) = play(&[KEY, "--verify", ACCEPT], b"");
        assert_eq!((code, &*out), (FINE, "match: s3pPLMBiTxaQ9kYGzzhZRbK+xOo= answers the key\n"));
        let (code, out, _) = play(&[KEY, "--verify", "BXhwxM0SZasKmCD9S4BfpPmCnEw="], b"");
        assert_eq!(code, MISMATCH);
        insta::assert_snapshot!(out, @r"
        mismatch: this value does not answer the key
          expected  s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
          got       BXhwxM0SZasKmCD9S4BfpPmCnEw=
          because   the key was Base64-decoded before it was hashed [key-decoded]
          instead   hash the key's characters as they stand in the header field,
                    followed by the GUID
        ");
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_place() {
        let (code, out, err) = play(&["dGhl!HNhbXBsZSBub25jZQ=="], b"");
        assert_eq!((code, &*out), (REFUSED, ""));
        insta::assert_snapshot!(err, @r"
        error: byte 0x21 at offset 4 is no Base64 symbol
          dGhl!HNhbXBsZSBub25jZQ==
              ^
        A key is 16 bytes in Base64: 22 symbols and == (RFC 6455 §4.1).
        --force computes the answer all the same.
        ");
        let (code, out, err) = play(&["dGhl!HNhbXBsZSBub25jZQ==", "--force"], b"");
        assert_eq!((code, out.len(), &*err), (FINE, 29, ""));
        let (code, _, err) = play(&["dGhlIHNhbXBsZSBub25jZR=="], b"");
        assert_eq!(code, REFUSED);
        assert!(err.contains("canonical is dGhlIHNhbXBsZSBub25jZQ=="), "{err}");
    }

    #[test]
    fn the_rfcs_own_key_is_answered_with_a_note() {
        let (code, out, err) = play(&["AQIDBAUGBwgJCgsMDQ4PEC=="], b"");
        assert_eq!((code, &*out), (FINE, "OfS0wDaT5NoxF2gqm7Zj2YtetzM=\n"));
        assert!(err.starts_with("note: "));
    }

    #[test]
    fn stdin_gives_one_answer_a_line() {
        let keys = format!("{KEY}\r\nshort\nx3JJHMbDL1EzLkh9GBhXDw==");
        let (code, out, err) = play(&["-"], keys.as_bytes());
        assert_eq!(code, REFUSED);
        assert_eq!(out, format!("{ACCEPT}\n\nHSmrc0sMlYUkAGmm5OPpG2HaGWk=\n"));
        assert_eq!(err, "error: line 2: not 16 bytes but 3; the difference begins at offset 5\n");
        let endless = [vec![b'a'; 1 << 20], b"\n".to_vec(), KEY.into()].concat();
        assert_eq!(play(&["-"], &endless).1, format!("\n{ACCEPT}\n"));
    }

    #[test]
    fn random_keys_are_keys() {
        let (code, out, _) = play(&["--random"], b"");
        let (key, accept) = out.trim_end().split_once('\n').expect("two lines");
        assert_eq!((code, accept), (FINE, &*accept_value(key.as_bytes())));
        assert!(check_key(key.as_bytes()).is_ok());
        assert_ne!(play(&["--random"], b"").1, out);
    }

    #[test]
    fn json_is_ascii_whatever_the_key_is() {
        for key in ["a\u{9b}31m", "\u{7f}\u{202e}", "\u{1f600}\u{2028}"] {
            let (_, out, _) = play(&[key, "--force", "--format", "json"], b"");
            assert!(out.trim_end().bytes().all(|b| (b' '..=b'~').contains(&b)), "{out}");
            let value: Value = serde_json::from_str(&out).expect("JSON");
            assert_eq!(value["key"], key);
        }
    }

    #[test]
    fn json_carries_the_same() {
        let (code, out, _) = play(&[KEY, "--explain", "--verify", "!", "--format", "json"], b"");
        assert_eq!(code, MISMATCH);
        let value: Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(value["accept"], ACCEPT);
        assert_eq!(value["sha1"], "b37a4f2cc0624f1690f64606cf385945b2bec4ea");
        assert_eq!((&value["match"], &value["diagnosis"]["id"]), (&json!(false), &json!("not-base64")));
        let (_, out, _) = play(&["-", "--format", "json"], b"x\n");
        let value: Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!((&value["accept"], &value["key_problem"]["at"]), (&Value::Null, &json!(1)));
    }

    #[test]
    fn nothing_is_wider_than_a_terminal_or_escapes_it() {
        for value in
            ["\u{1b}[31mred", "s3pPLMBiTxaQ9kYGzzhZRbK-xOo", &"x".repeat(500), "AAAAAAAAAAAAAAAAAAAAAAAAAAA="]
        {
            let (_, out, err) = play(&[KEY, "--explain", "--verify", value], b"");
            for line in out.lines().chain(err.lines()) {
                assert!(line.chars().count() <= WIDTH && !line.contains('\u{1b}'), "{line}");
            }
        }
        let (_, out, _) = play(&[&"\u{1b}é".repeat(99), "--force", "--explain"], b"");
        assert!(out.lines().all(|line| line.chars().count() <= WIDTH && !line.contains('\u{1b}')), "{out}");
    }
}
