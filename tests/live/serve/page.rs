//! `--html` and `--format html`: what was seen, as a page for a browser.

use std::path::Path;

use serde_json::Value;

use super::{Served, decoded, frame, records};

/// The records that a page draws.
fn drawn(page: &str) -> Vec<Value> {
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "it is whole");
    let (_, rest) = page.split_once("id=\"records\">\n").expect("records");
    records(rest.split_once("</script>").expect("their end").0)
}

fn count(records: &[Value], kind: &str) -> usize {
    records.iter().filter(|record| record["type"] == kind).count()
}

#[test]
fn a_page_has_what_was_seen() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve/seen.html");
    let beside = ["ws", "--html", path.to_str().expect("UTF-8")];
    for args in [&beside[..], &["ws", "--view", "none", "--html", beside[2]], &["ws", "--format", "html"]] {
        let served = Served::start("page", args);
        let mut wire = served.open("/echo");
        wire.send(&frame(true, 1, b"<b>hello</b>"));
        assert!(wire.frame().is_some());
        // A client's frame that is not masked.
        wire.send(b"\x81\x02hi");
        while wire.frame().is_some() {}
        let (pcap, shown) = served.end();
        let page = if args.ends_with(&["html"]) {
            shown
        } else {
            assert_eq!(shown.contains("frame       time"), args.len() == 3, "{shown}");
            std::fs::read_to_string(&path).expect("a page")
        };
        let records = drawn(&page);
        assert_eq!(count(&records, "frame"), count(&decoded(&pcap), "frame"), "{args:?}");
        assert_eq!(count(&records, "frame"), 4);
        for kind in ["meta", "http", "head", "stats"] {
            assert!(count(&records, kind) > 0, "{args:?}: no {kind}");
        }
        assert!(page.contains("unmasked-client-frame") && page.contains("\\u003cb\\u003ehello"));
    }
}

/// A page that looks on is about what is told of others: nobody is told of it.
#[test]
fn a_page_that_looks_on_is_not_told_of() {
    let served = Served::start("looks-on", &[]);
    let mut panel = served.open("/lab/wire/en123");
    let mut wire = served.open("/echo?panel=en123");
    wire.send(&frame(true, 8, &1000_u16.to_be_bytes()));
    while wire.frame().is_some() {}
    let (_, record) = panel.frame().expect("a record");
    assert!(String::from_utf8_lossy(&record).starts_with('{'), "{}", record.escape_ascii());
    // It leaves as pages do, and is answered.
    panel.send(&frame(true, 8, &1001_u16.to_be_bytes()));
    let last = std::iter::from_fn(|| panel.frame()).last();
    assert_eq!(last, Some((0x88, 1001_u16.to_be_bytes().to_vec())));
    let (pcap, shown) = served.end();
    assert!(shown.contains("GET /echo?panel=en123") && !shown.contains("/lab/wire"), "{shown}");
    assert!(shown.ends_with("1 connection, 2 frames, 2 messages\n"), "{shown}");
    let records = decoded(&pcap);
    assert_eq!(count(&records, "verdict"), 1, "{records:#?}");
    assert!(super::rules(&records).is_empty(), "{records:#?}");
}

/// Polls have nothing to do with WebSocket, and are shown all the same.
#[test]
fn polls_are_shown() {
    let served = Served::start("polls-shown", &["poll"]);
    let mut wire = super::Wire::to(served.address);
    wire.send(b"GET /poll/short?since=0 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(wire.head().starts_with("HTTP/1.1 200"));
    drop(wire);
    let (_, shown) = served.end();
    for words in ["GET /poll/short?since=0 HTTP/1.1", "HTTP/1.1 200 OK"] {
        assert!(shown.contains(words), "{shown}");
    }
    for rule in ["no-closing-handshake", "handshake-rejected", "connection-aborted"] {
        assert!(!shown.contains(rule), "{shown}");
    }
}

/// Of the raw chat there are no frames: its lines are shown, of both sides.
#[test]
fn lines_are_shown() {
    let served = Served::start("lines-shown", &["tcp", "--view", "messages"]);
    let mut wire = super::Wire::to(served.address);
    wire.send(b"hello\x1b[2J\n/who\n");
    assert!(wire.until(b"online: guest1\nonline: guest1\n"));
    drop(wire);
    let (_, shown) = served.end();
    assert!(!shown.contains('\x1b'), "nobody steers the terminal: {shown:?}");
    for words in
        ["line 1", "line 2", "you are guest1; online: guest1", "hello", "/who", "lines of text on raw TCP"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}
