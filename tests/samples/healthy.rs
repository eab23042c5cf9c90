//! Nothing is said against traffic that is right, nor against an endpoint because
//! of what the capture lacks.
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use etherparse::{SlicedPacket, TransportSlice};
use wstool::model::Who;
use wstool::synth::Rng;
use wstool::synth::rewrite::Packet;
use wstool::{http, net, ws};

use crate::run::{self, Said, decode};
use crate::shelf::{Sample, incidents, samples};

/// The samples of healthy traffic: all that were not broken on purpose, and no incidents.
pub fn healthy() -> impl Iterator<Item = Sample> {
    let fine = incidents().into_iter().filter(|sample| sample.stem().starts_with("healthy-"));
    samples().into_iter().filter(|sample| sample.folder() != "broken").chain(fine)
}

/// What is found in healthy samples stands in `healthy.tsv`, each with the reason why it is right.
#[test]
fn healthy_samples_break_no_rule_but_those_listed() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/healthy.tsv");
    let list = fs::read_to_string(list).expect("tests/samples/healthy.tsv");
    let mut listed = BTreeSet::new();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<_> = line.split('\t').collect();
        let [sample, rule, reason] = columns[..] else { panic!("three columns: {line}") };
        assert!(reason.len() > 20, "no reason: {line}");
        assert!(listed.insert((sample.to_owned(), rule.to_owned())), "twice: {line}");
    }
    let mut found = BTreeSet::new();
    for sample in healthy() {
        for finding in decode(&sample.bytes()).of("finding").filter(|f| f["severity"] != "note") {
            let rule = finding["rule"].as_str().expect("an id");
            found.insert((sample.name.clone(), rule.to_owned()));
        }
    }
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(new.is_empty() && gone.is_empty(), "not listed: {new:#?}\nlisted, but not found: {gone:#?}");
}

/// The packets of a sample that is a capture, as far as they are whole.
pub fn packets_of(sample: &Sample) -> Option<Vec<Packet>> {
    let bytes = sample.bytes();
    if bytes.len() < 24
        || !bytes.starts_with(&[0xD4, 0xC3, 0xB2, 0xA1]) && !bytes.starts_with(b"\x4D\x3C\xB2\xA1")
    {
        return None;
    }
    let unit = if bytes.starts_with(b"\x4D") { 1 } else { 1000 };
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let (mut packets, mut at) = (Vec::new(), 24);
    // Ethernet only.
    while number(20) & 0xFFFF == 1 && at + 16 <= bytes.len() {
        let nanos = u64::from(number(at)) * 1_000_000_000 + u64::from(number(at + 4)) * unit;
        let length = number(at + 8) as usize;
        packets.push((wstool::model::Time(nanos), bytes[at + 16..at + 16 + length].to_vec()));
        at += 16 + length;
    }
    (!packets.is_empty()).then_some(packets)
}

/// A capture with at most `snaplen` bytes of each packet.
pub fn pcap(packets: &[Packet], snaplen: usize) -> Vec<u8> {
    let mut file = vec![0x4D, 0x3C, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend((snaplen as u32).to_le_bytes());
    file.extend(1u32.to_le_bytes());
    for (time, packet) in packets {
        let kept = &packet[..packet.len().min(snaplen)];
        let parts = [time.0 / 1_000_000_000, time.0 % 1_000_000_000, kept.len() as u64, packet.len() as u64];
        file.extend(parts.into_iter().flat_map(|part| (part as u32).to_le_bytes()));
        file.extend(kept);
    }
    file
}

/// Whether a packet is sent to the server, whose port is the lower one of the two.
fn is_to_server(packet: &[u8]) -> bool {
    let Ok(sliced) = SlicedPacket::from_ethernet(packet) else { return false };
    matches!(sliced.transport, Some(TransportSlice::Tcp(tcp)) if tcp.source_port() > tcp.destination_port())
}

/// The rules by which an endpoint is blamed. Those of application protocols are not among them: what
/// their decoders make of holes is tested with them.
fn blamed(said: &Said) -> BTreeSet<String> {
    let mut rules = [http::RULES, http::CONNECTION_RULES, ws::RULES, ws::DEFLATE_RULES, net::RULES].concat();
    rules.extend(wstool::cause::lists().iter().flat_map(|(_, rules)| rules.iter()));
    let blames = |id: &&str| rules.iter().any(|rule| rule.id == *id && rule.who != Who::Capture);
    said.findings().into_iter().filter(blames).map(str::to_owned).collect()
}

/// The same traffic as poorer captures show it, each with its name.
fn poorer(packets: &[Packet], rng: &mut Rng) -> Vec<(String, Vec<u8>)> {
    let mut variants = Vec::new();
    let mut add = |name: String, packets: &[Packet]| variants.push((name, pcap(packets, 1 << 18)));
    let one_way = |to_server: bool| -> Vec<Packet> {
        packets.iter().filter(|(_, packet)| is_to_server(packet) == to_server).cloned().collect()
    };
    add("only what clients send".to_owned(), &one_way(true));
    add("only what servers send".to_owned(), &one_way(false));
    let step = packets.len().div_ceil(24).max(1);
    for at in (1..packets.len()).step_by(step) {
        add(format!("without the first {at} packets"), &packets[at..]);
        add(format!("only the first {at} packets"), &packets[..at]);
        let both = [&packets[..at], &packets[at + 1..]].concat();
        add(format!("without packet {}", at + 1), &both);
    }
    for one_in in [40, 20] {
        for turn in 0..4 {
            let kept: Vec<Packet> = packets.iter().filter(|_| !rng.one_in(one_in)).cloned().collect();
            add(format!("without one packet in {one_in}, turn {turn}"), &kept);
        }
    }
    for snaplen in [54, 60, 68, 96, 128, 200, 300] {
        variants.push((format!("{snaplen} bytes of each packet"), pcap(packets, snaplen)));
    }
    variants
}

#[test]
fn nobody_is_blamed_for_what_the_capture_lacks() {
    let (mut wrong, mut tried) = (String::new(), 0);
    for sample in healthy() {
        let Some(packets) = packets_of(&sample).filter(|packets| packets.len() < 2000) else { continue };
        let whole = blamed(&decode(&pcap(&packets, 1 << 18)));
        // What one sample loses does not depend on which others there are.
        let mut rng = Rng::new(sample.name.bytes().map(u64::from).sum());
        for (name, bytes) in poorer(&packets, &mut rng) {
            tried += 1;
            let said = blamed(&decode(&bytes));
            for rule in said.difference(&whole) {
                let _ = writeln!(wrong, "{}, {name}: {rule}", sample.name);
            }
        }
    }
    assert!(tried > 1000, "{tried}");
    assert!(wrong.is_empty(), "{wrong}");
}

/// A script, what must not be said of it, and what must.
const TALES: &[(&str, &str, &str, &str)] = &[
    (
        "the first bytes of a PROXY header whose rest is missing are no frame",
        "no-handshake\nclient raw 0d 0a 0d 0a 00 0d\nclient raw 0a 51 55 49 54 0a 20 00 00 00 lost\n\
         handshake\nclient text \"a\"\nserver text \"b\"\nclient close 1000\nserver close 1000",
        "reserved-opcode",
        "",
    ),
    (
        "what came between an error and the end may be missing",
        r#"handshake path=/rpc
           client text "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":1}"
           server text "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-3,\"message\":\"no\"},\"id\":1}"
           client close 1000 lost
           server close 1000 lost"#,
        "request-failed",
        "tcp-gap",
    ),
    (
        "a server that goes on answering has not failed the connection",
        "handshake\nclient text \"a\" mask=none\nserver text \"b\"\nclient text \"c\" mask=none\nwait 9s\n\
         server text \"d\"\nfin server\nfin client",
        "failed-without-close",
        "open-after-violation",
    ),
    (
        "a server that ends much later has other reasons",
        "handshake\nclient text \"a\" mask=none\nwait 9s\nfin server\nfin client",
        "failed-without-close",
        "no-closing-handshake",
    ),
    (
        "a client that opens and ends on purpose need not back off",
        "handshake path=/t\nclient text \"a\"\nserver text \"b\"\nfin client\nfin server\nconnection\n\
         handshake path=/t\nclient text \"a\"\nserver text \"b\"\nfin client\nfin server\nconnection\n\
         handshake path=/t\nclient text \"a\"\nserver text \"b\"\nfin client\nfin server\nconnection\n\
         handshake path=/t\nclient text \"a\"\nserver text \"b\"\nfin client\nfin server\nconnection\n\
         handshake path=/t\nclient text \"a\"\nserver text \"b\"\nfin server\nfin client",
        "reconnect-without-backoff",
        "no-closing-handshake",
    ),
    (
        "a server that ends each exchange has served it",
        "handshake path=/t\nclient text \"a\"\nserver text \"b\"\nfin server\nfin client\nconnection\n\
         handshake path=/t\nclient text \"a\"\nserver text \"b\"\nfin server\nfin client\nconnection\n\
         handshake path=/t\nclient text \"a\"\nserver text \"b\"\nfin server\nfin client\nconnection\n\
         handshake path=/t\nclient text \"a\"\nserver text \"b\"\nfin server\nfin client\nconnection\n\
         handshake path=/t\nclient text \"a\"\nserver text \"b\"\nfin server\nfin client",
        "reconnect-without-backoff",
        "no-closing-handshake",
    ),
    (
        "a client whose server closes and leaves cannot answer",
        "handshake\nclient text \"a\"\nserver close 1001\nfin server\nfin client",
        "close-not-answered",
        "unclean-close",
    ),
    (
        "a client that left before the server closed cannot answer",
        "handshake\nclient text \"a\"\nfin client\nserver close 1001\nfin server",
        "close-not-answered",
        "unclean-close",
    ),
    (
        "a client that leaves before it has seen the server's Close has not closed first",
        "handshake\nclient close 1000\nfin client\nserver close 1000\nfin server",
        "client-closed-tcp-first",
        "",
    ),
    (
        "who has half of an answer may take it for one",
        "request key=\"dGhlIHNhbXBsZSBub25jZQ==\"\nserver raw \"HTTP/1.1 101 Switching Protocols\\r\\n\
         Upgrade: websocket\\r\\nConnection: Upgrade\\r\\n\"\nclient text \"a\"\nserver raw \
         \"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\n\\r\\n\"\nclient close 1000\n\
         server close 1000",
        "data-before-handshake-complete",
        "",
    ),
    (
        "a draft's extension is a note",
        "request extensions=\"x-webkit-deflate-frame\"\nresponse drop=Sec-WebSocket-Extensions\n\
         client close 1000\nserver close 1000",
        "unregistered-extension",
        "draft-extension",
    ),
    (
        "a client that fails the connection with a Close frame has not accepted the response",
        "request\nresponse accept=\"AAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\nclient close 1002\n\
         fin client\nfin server",
        "client-accepted-bad-handshake",
        "accept-mismatch",
    ),
    (
        "a ping is said only by who has accepted it",
        "request\nresponse accept=\"AAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\nclient ping \"a\"\nclient close 1002\n\
         fin client\nfin server",
        "data-after-close",
        "client-accepted-bad-handshake",
    ),
    (
        "one refusal is one finding",
        "request\nresponse line=\"HTTP/1.1 200 OK\" drop=Upgrade drop=Connection drop=Sec-WebSocket-Accept \
         header=\"Content-Length: 0\"",
        "handshake-rejected",
        "rejected-without-http-error",
    ),
    (
        "a page that is closed while a ping is under way has not given up",
        "handshake\nclient ping \"1\"\nserver pong \"1\"\nwait 2s\nclient ping \"2\"\nwait 30ms\n\
         fin client\nfin server",
        "ping-given-up",
        "no-closing-handshake",
    ),
    (
        "who has heard its peer since the ping has other reasons",
        "handshake\nclient ping \"1\"\nserver pong \"1\"\nwait 2s\nclient ping \"2\"\nwait 300ms\n\
         server text \"a\"\nwait 700ms\nfin client\nfin server",
        "ping-given-up",
        "no-closing-handshake",
    ),
    (
        "a pong that takes long each time is not missed so soon",
        "handshake\nclient ping \"1\"\nwait 200ms\nserver pong \"1\"\nwait 2s\nclient ping \"2\"\n\
         wait 1s\nfin client\nfin server",
        "ping-given-up",
        "no-closing-handshake",
    ),
    (
        "who has never had a pong, and ends at any time, has other reasons",
        "handshake\nwait 2s\nclient ping \"1\"\nwait 700ms\nfin client\nfin server",
        "ping-given-up",
        "no-closing-handshake",
    ),
    (
        "whose client speaks all the time ends after one of its messages whatever happens",
        "handshake\nclient text \"1\"\nwait 20ms\nclient text \"2\"\nwait 20ms\nclient text \"3\"\n\
         wait 5ms\nfin server\nfin client",
        "ended-after-message",
        "no-closing-handshake",
    ),
    (
        "who answers a message has not failed on it",
        "handshake\nclient text \"1\"\nserver text \"1\"\nwait 2s\nclient text \"2\"\n\
         server text \"2\"\nfin server\nfin client",
        "ended-after-message",
        "no-closing-handshake",
    ),
    (
        "a client that has what it wanted may leave",
        "handshake\nclient text \"1\"\nwait 2s\nserver text \"1\"\nfin client\nfin server",
        "ended-after-message",
        "no-closing-handshake",
    ),
    (
        "an error after which a server goes on is not what ended the connection",
        "handshake\nclient text \"1\"\nserver text \"{\\\"error\\\":\\\"no such room\\\"}\"\n\
         server text \"{\\\"ok\\\":1}\"\nwait 300ms\nfin server\nfin client",
        "closed-after-error",
        "no-closing-handshake",
    ),
    (
        "an error long before the end has not ended it",
        "handshake\nclient text \"1\"\nserver text \"{\\\"error\\\":\\\"no such room\\\"}\"\n\
         wait 20s\nfin server\nfin client",
        "closed-after-error",
        "no-closing-handshake",
    ),
    (
        "whose heartbeat is answered by nobody has ended it, and no proxy has",
        "handshake\nclient text \"1\"\nserver text \"1\"\nwait 30s\nserver ping \"\"\nwait 30s\n\
         fin server\nfin client",
        "idle-timeout-reached",
        "ping-given-up",
    ),
    (
        "two clients with client ids of their own do not push each other out",
        "connection client=10.0.0.21:50131 server=10.0.0.7:9001 at=100ms\n\
         handshake path=/mqtt subprotocol=mqtt\n\
         client binary 10 0d 00 04 \"MQTT\" 04 02 00 3c 00 01 \"a\"\nserver binary 20 02 00 00\n\
         wait 1160ms\nfin server\nfin client\n\
         connection client=10.0.0.22:50017 server=10.0.0.7:9001 at=1250ms\n\
         handshake path=/mqtt subprotocol=mqtt\n\
         client binary 10 0d 00 04 \"MQTT\" 04 02 00 3c 00 01 \"b\"\nserver binary 20 02 00 00\nleave-open",
        "mqtt-taken-over",
        "no-closing-handshake",
    ),
    (
        "a pong that the capture lacks may have come",
        "handshake\nclient ping \"1\"\nserver pong \"1\"\nwait 2s\nclient ping \"2\"\n\
         server pong \"2\" lost\nwait 1s\nfin client\nfin server",
        "ping-given-up",
        "tcp-gap",
    ),
    (
        "a reset stands behind Close frames that the capture lacks",
        "handshake\nclient text \"a\"\nclient close 1000 lost\nserver close 1000 lost\nrst server",
        "tcp-reset",
        "",
    ),
    (
        "a program that ends five seconds after its last message has no idle timeout",
        "handshake\nclient text \"a\"\nserver text \"b\"\nwait 5050ms\nfin client\nfin server",
        "idle-timeout-reached",
        "no-closing-handshake",
    ),
    (
        "answers that the capture lacks make no storm",
        "request path=/t\nserver raw \"HTTP/1.1 101 Switching Protocols\\r\\n\" lost\n\
         fin server\nfin client\n\
         connection\nrequest path=/t\nserver raw \"HTTP/1.1 101 Switching Protocols\\r\\n\" lost\n\
         fin server\nfin client\n\
         connection\nrequest path=/t\nserver raw \"HTTP/1.1 101 Switching Protocols\\r\\n\" lost\n\
         fin server\nfin client\n\
         connection\nrequest path=/t\nserver raw \"HTTP/1.1 101 Switching Protocols\\r\\n\" lost\n\
         fin server\nfin client\n\
         connection\nrequest path=/t\nserver raw \"HTTP/1.1 101 Switching Protocols\\r\\n\" lost\n\
         fin server\nfin client\n\
         connection\nrequest path=/t\nserver raw \"HTTP/1.1 101 Switching Protocols\\r\\n\" lost\n\
         fin server\nfin client",
        "reconnect-storm",
        "",
    ),
];

#[test]
fn what_is_said_is_so() {
    for (tale, script, not, but) in TALES {
        let said = decode(&run::pcap(&run::packets(script)));
        assert!(!said.has(not), "{tale}: {:?}", said.findings());
        assert!(but.is_empty() || said.has(but), "{tale}: {:?}", said.findings());
    }
}
