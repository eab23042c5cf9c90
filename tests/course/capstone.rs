//! The capstone's commands, run against servers as learners write them: a right one passes all of them in
//! both languages of the page, and each fault is caught by the command for it.
#![cfg(unix)]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wstool::http::accept_value;

/// What a learner forgot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Any request opens.
    OpensAll,
    /// Lengths are read in one byte.
    ShortLengths,
    /// The longest form is written for every length.
    LongLengths,
    /// A ping between fragments is taken for one of them.
    PingIsData,
    /// Reads what is declared, however much that is.
    NoLimit,
    /// Takes any bytes for text.
    AnyText,
    /// Takes frames without a mask.
    AnyMask,
    /// Ends TCP over a fault without a Close frame.
    SaysNothing,
    /// Answers Close with a text.
    TextForClose,
}

/// A server of a learner's that runs until the tests end; its URL's host and port.
fn server(fault: Fault) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that leaves early is no trouble.
            thread::spawn(move || serve(stream, fault).ok());
        }
    });
    address
}

fn serve(mut stream: TcpStream, fault: Fault) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? > 0 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let field = |name: &str| {
        let fields = head.lines().filter_map(|line| line.split_once(':'));
        let mut named = fields.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.trim().to_owned())
    };
    let key = field("Sec-WebSocket-Key").unwrap_or_default();
    let refusal = if field("Sec-WebSocket-Version").as_deref() != Some("13") {
        Some("426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13")
    } else if field("Host").is_none()
        || !lists(field("Upgrade"), "websocket")
        || !lists(field("Connection"), "Upgrade")
        || STANDARD.decode(&key).map_or(0, |key| key.len()) != 16
    {
        Some("400 Bad Request")
    } else {
        field("Origin").filter(|origin| origin.contains("evil")).map(|_| "403 Forbidden")
    };
    if let Some(status) = refusal.filter(|_| fault != Fault::OpensAll) {
        return write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    }
    let accept = accept_value(key.as_bytes());
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nServer: learner\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )?;
    let code = talk(&mut stream, fault)?;
    match code {
        Some(1001..) if fault == Fault::SaysNothing => {}
        Some(1000) if fault == Fault::TextForClose => stream.write_all(&frame(1, b"bye", fault))?,
        Some(code) => stream.write_all(&frame(8, &code.to_be_bytes(), fault))?,
        None => {}
    }
    stream.shutdown(Shutdown::Write)?;
    // Closing with unread bytes would reset TCP, and take the Close frame along.
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
}

/// Echoes until there is a reason to close; its code.
fn talk(stream: &mut TcpStream, fault: Fault) -> std::io::Result<Option<u16>> {
    let mut message = (0, Vec::new());
    loop {
        let mut two = [0; 2];
        stream.read_exact(&mut two)?;
        let (is_last, opcode, masked) = (two[0] >= 0x80, two[0] & 15, two[1] >= 0x80);
        let is_control = opcode >= 8;
        if two[0] & 0x70 != 0 || !matches!(opcode, 0..=2 | 8..=10) || !masked && fault != Fault::AnyMask {
            return Ok(Some(1002));
        }
        if is_control && (!is_last || two[1] & 0x7F > 125) {
            return Ok(Some(1002));
        }
        let extended = match two[1] & 0x7F {
            126 if fault != Fault::ShortLengths => 2,
            127 if fault != Fault::ShortLengths => 8,
            _ => 0,
        };
        let mut length = [0; 8];
        stream.read_exact(&mut length[8 - extended..])?;
        let length = if extended == 0 { u64::from(two[1] & 0x7F) } else { u64::from_be_bytes(length) };
        if length > 1024 * 1024 && fault != Fault::NoLimit {
            return Ok(Some(1009));
        }
        let mut key = [0; 4];
        if masked {
            stream.read_exact(&mut key)?;
        }
        let mut payload = Vec::new();
        stream.take(length).read_to_end(&mut payload)?;
        payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        match opcode {
            8 => return Ok(Some(answer(&payload))),
            9 if fault != Fault::PingIsData => stream.write_all(&frame(10, &payload, fault))?,
            10 => {}
            // A continuation of nothing, or a message within another.
            0..=2 if (opcode == 0) == (message.0 == 0) => return Ok(Some(1002)),
            _ => {
                if message.0 == 0 {
                    message.0 = opcode;
                }
                message.1.extend(payload);
                if is_last {
                    let (opcode, content) = std::mem::take(&mut message);
                    if opcode == 1 && fault != Fault::AnyText && std::str::from_utf8(&content).is_err() {
                        return Ok(Some(1007));
                    }
                    stream.write_all(&frame(opcode, &content, fault))?;
                }
            }
        }
    }
}

/// Whether a list names something, whatever the case of its letters.
fn lists(value: Option<String>, word: &str) -> bool {
    value.is_some_and(|value| value.split(',').any(|it| it.trim().eq_ignore_ascii_case(word)))
}

/// The code with which a Close frame is answered: its own, if that is allowed.
fn answer(body: &[u8]) -> u16 {
    let Some((code, reason)) = body.split_at_checked(2) else {
        return if body.is_empty() { 1000 } else { 1002 };
    };
    let code = u16::from_be_bytes([code[0], code[1]]);
    match code {
        _ if std::str::from_utf8(reason).is_err() => 1007,
        1000..=1003 | 1007..=1014 | 3000..=4999 => code,
        _ => 1002,
    }
}

fn frame(opcode: u8, payload: &[u8], fault: Fault) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..=125 if fault != Fault::LongLengths => bytes.push(short as u8),
        middle @ 0..=65535 if fault != Fault::LongLengths => {
            bytes.push(126);
            bytes.extend((middle as u16).to_be_bytes());
        }
        long => {
            bytes.push(127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}

/// The page's commands for a server, block by block: handshakes, single frames, and points 6, 8 and 13.
fn blocks(lang: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("lessons/15-capstone/{lang}.md"));
    let page = std::fs::read_to_string(page).expect("a page");
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let mut found: Vec<String> = blocks
        .filter(|block| block.contains("wstool replay") || block.contains("| send"))
        .map(str::to_owned)
        .collect();
    assert_eq!(found.len(), 3, "{found:?}");
    // The last block goes on where the one before it has defined `send`.
    let send = found[1].lines().next().expect("it begins with the function").to_owned();
    found[2] = format!("{send}\n{}", found[2]);
    found
}

/// Runs commands, the first that fails being the last, against a server at `address`.
fn run(commands: &str, address: &str) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_wstool")).parent().expect("it is in a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    let commands = commands.replace("127.0.0.1:9001", address);
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &commands]).env("PATH", path).env("LC_ALL", "C.UTF-8");
    shell.current_dir(env!("CARGO_TARGET_TMPDIR")).output().expect("there is a shell")
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat()
}

#[test]
fn a_right_server_passes_every_command() {
    let address = server(Fault::None);
    let all: Vec<_> = ["en", "zh"].into_iter().flat_map(blocks).collect();
    assert_eq!(all[..3], all[3..], "both pages run the same");
    let ran: Vec<_> = all[..3].iter().map(|block| run(block, &address)).collect();
    for output in &ran {
        assert_eq!(output.status.code(), Some(0), "{}", said(output));
    }
    assert_eq!(said(&ran[0]).matches("refused, rightly").count(), 4, "{}", said(&ran[0]));
    assert_eq!(said(&ran[1]).matches("\nas expected: ").count(), 8, "{}", said(&ran[1]));
}

/// What `wstool grade --stage` says of a server, and its exit code.
fn stage(number: u8, fault: Fault) -> (Option<i32>, String) {
    let url = format!("ws://{}/chat", server(fault));
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["--lang", "en", "grade", "--stage", &number.to_string(), &url]);
    let output = command.output().expect("it runs");
    (output.status.code(), said(&output))
}

/// The page names the stages of `wstool grade`: a right server passes those that build it up.
#[test]
fn a_right_server_passes_the_stages() {
    for page in ["en", "zh"] {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("lessons/15-capstone/{page}.md"));
        let page = std::fs::read_to_string(page).expect("a page");
        assert!(page.contains("\nwstool grade --stage 1 ws://127.0.0.1:9001/chat\n"));
    }
    let (code, said) = stage(4, Fault::None);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Next, with --stage 5: refusing what has to be refused"), "{said}");
}

/// Who has a fault is told what to build next, on one screen.
#[test]
fn each_fault_is_met_at_its_stage() {
    for (fault, number, name) in [
        (Fault::ShortLengths, 2, "framing."),
        (Fault::LongLengths, 2, "framing."),
        (Fault::TextForClose, 3, ""),
        (Fault::PingIsData, 3, "control."),
        (Fault::AnyText, 4, "utf8."),
    ] {
        let (code, said) = stage(number, fault);
        assert_eq!(code, Some(1), "{fault:?}: {said}");
        let (before, next) =
            said.split_once("Build this next:").unwrap_or_else(|| panic!("{fault:?}: {said}"));
        assert!(before.contains(&format!("✗ stage {number}")), "{fault:?}: {said}");
        let alone = next.split_once("This case alone:").map(|(_, alone)| alone.trim());
        let command = alone.and_then(|alone| alone.strip_prefix("wstool grade ws://")?.lines().next());
        assert!(command.is_some_and(|it| it.contains(&format!(" --case {name}"))), "{fault:?}: {said}");
        assert!(said.lines().count() <= 24, "{fault:?}: {said}");
        assert!(
            said.lines().all(|line| line.chars().count() <= 80 || line.contains("wstool grade")),
            "{said}"
        );
    }
}

#[test]
fn each_fault_is_caught_by_the_command_for_it() {
    for (fault, block, words) in [
        (Fault::OpensAll, 0, "Sec-WebSocket-Version is not 13"),
        (Fault::TextForClose, 0, "it did not answer a Close frame with one"),
        (Fault::AnyMask, 1, "it passed on what it should have refused"),
        (Fault::AnyText, 1, "it passed on what it should have refused"),
        (Fault::SaysNothing, 1, "without a Close frame that says why"),
        (Fault::LongLengths, 1, "(non-minimal-length)"),
        (Fault::ShortLengths, 2, "not as expected: echo"),
        (Fault::PingIsData, 2, "not as expected: echo"),
        (Fault::NoLimit, 2, "not as expected: 1009"),
    ] {
        let output = run(&blocks("en")[block], &server(fault));
        assert_eq!(output.status.code(), Some(1), "{fault:?}: {}", said(&output));
        assert!(said(&output).contains(words), "{fault:?}: {}", said(&output));
    }
}

/// Whoever reads the page in a terminal can copy its commands: none is broken into two lines.
#[test]
fn commands_are_not_wrapped() {
    for lang in ["en", "zh"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
        command.args(["--lang", lang, "lesson", "15"]).env("COLUMNS", "80");
        let page = command.env("WSTOOL_DATA", env!("CARGO_TARGET_TMPDIR")).output().expect("it runs").stdout;
        let page = String::from_utf8(page).expect("UTF-8");
        for line in blocks(lang).iter().flat_map(|block| block.lines()) {
            assert!(page.contains(line), "{line}: {page}");
        }
    }
}
