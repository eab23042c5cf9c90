//! What TCP says of a connection is the same whether a capture is one file, cut into rotated ones at any
//! packet, or read through a pipe; on one thread or two.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use std::rc::Rc;

use serde_json::Value;
use wstool::input::{self, Input};
use wstool::model::{InputFile, Meta, Text};
use wstool::pipeline::{self, Means, Threads};
use wstool::render::views::Form;
use wstool::render::{Options, VIEWS};

/// Captures in which TCP has something to say, with what it is of the client and of the server.
const CAPTURES: &[(&str, &str)] = &[
    ("keep-alive-unanswered", "/server/keep_alive/unanswered"),
    ("packet-loss", "/server/resent/segments"),
    ("path-went-dark", "/server/resent/unanswered"),
    ("sent-after-fin", "/client/after_peers_fin"),
    ("zero-window", "/client/zero_window/longest"),
];

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives a few bytes at a time, as a pipe may.
struct Trickle(Cursor<Vec<u8>>);

impl Read for Trickle {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(7);
        self.0.read(&mut into[..most])
    }
}

/// What TCP says of each connection of a capture in parts.
fn facts(parts: &[Vec<u8>], threads: Threads) -> Vec<Value> {
    let file = |number| InputFile { number, name: format!("part {number}"), ..InputFile::default() };
    let files = (1..=parts.len()).map(file).collect();
    let meta = Meta { input: "parts".to_owned(), files, concat: true, ..Meta::default() };
    let out = Shared::default();
    let view = VIEWS.iter().find(|view| view.name == "tree").expect("a view");
    let mut view = view.over(out.clone(), Form::Lines, &Options::default());
    let mut open = |place: usize| -> Option<Result<(Input, Threads), Text>> {
        let reader = Box::new(Trickle(Cursor::new(parts[place].clone())));
        Some(Ok((input::open(reader, "part").expect("a capture"), threads)))
    };
    pipeline::run_files(&meta, &mut open, Means::default(), view.as_mut(), &mut |_| ());
    view.end().expect("memory takes it");
    let text = String::from_utf8(out.0.take()).expect("JSON is UTF-8");
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let ends = records.filter(|record| record["type"] == "connection" && record["final"] == true);
    ends.map(|record| record["tcp"].clone()).collect()
}

/// Where the records of a pcap file begin, and its end.
fn records(pcap: &[u8]) -> Vec<usize> {
    let mut places = vec![24];
    while let Some(length) = pcap.get(places[places.len() - 1] + 8..).and_then(<[u8]>::first_chunk) {
        places.push(places[places.len() - 1] + 16 + u32::from_le_bytes(*length) as usize);
    }
    places
}

#[test]
fn what_tcp_says_does_not_depend_on_how_a_capture_comes() {
    for (name, pointer) in CAPTURES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("samples/broken/{name}.pcap"));
        let pcap = fs::read(path).expect("the sample is there");
        let whole = facts(std::slice::from_ref(&pcap), Threads::One);
        assert_eq!(whole.len(), 1, "{name}");
        let said = whole[0].pointer(pointer);
        assert!(said.is_some_and(|said| *said != 0), "{name}: {pointer} is {said:?}");
        assert_eq!(whole, facts(std::slice::from_ref(&pcap), Threads::Two), "{name}");
        let places = records(&pcap);
        for cut in 1..places.len() - 1 {
            // In the middle of what is left, once more.
            let again = usize::midpoint(cut, places.len());
            let cuts = [24, places[cut], places[again.min(places.len() - 1)], pcap.len()];
            let part = |two: &[usize]| [&pcap[..24], &pcap[two[0]..two[1]]].concat();
            let parts: Vec<Vec<u8>> = cuts.windows(2).filter(|two| two[0] < two[1]).map(part).collect();
            let threads = if cut % 2 == 0 { Threads::One } else { Threads::Two };
            assert_eq!(whole, facts(&parts, threads), "{name}, cut at packet {cut}");
        }
    }
}
