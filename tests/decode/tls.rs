//! `WebSockets` within TLS: endpoints of rustls talk in memory, and what they log deciphers what they sent.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use rustls::crypto::ring::{cipher_suite, default_provider};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, KeyLog, RootCertStore, ServerConfig, ServerConnection};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion, version};
use serde_json::{Value, json};
use wstool::model::{Body, Dir, Flow, ON, Sink, SourceId, Unit, Wants, trace};
use wstool::synth::rewrite::Packet;
use wstool::{input, pipeline};

use crate::run::{self, Said, decode, digits, packets};

/// Lines of a key log.
#[derive(Debug, Default)]
struct Log(Mutex<String>);

impl KeyLog for Log {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut log = self.0.lock().unwrap();
        writeln!(log, "{label} {} {}", digits(client_random, "", ""), digits(secret, "", "")).unwrap();
    }
}

/// What two endpoints sent each other, record by record or many at once, and the client's key log.
struct Talk {
    sent: Vec<(Dir, Vec<u8>)>,
    log: String,
}

const ASKS: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: chat.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const ANSWERS: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A frame with a text of 7-bit length or 16-bit length; masked with zeros where a client sends it.
fn frame(opcode: u8, payload: &[u8], dir: Dir) -> Vec<u8> {
    let mask = if dir == Dir::Client { 0x80 } else { 0 };
    let mut bytes = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..126 => bytes.push(mask | short as u8),
        long => {
            bytes.push(mask | 0x7E);
            bytes.extend((long as u16).to_be_bytes());
        }
    }
    if dir == Dir::Client {
        bytes.extend([0; 4]);
    }
    bytes.extend(payload);
    bytes
}

impl Talk {
    /// A chat of a few messages, one of them longer than a record. Both sides change their keys in between,
    /// where the version can.
    fn new(suite: SupportedCipherSuite, of: &'static SupportedProtocolVersion) -> Self {
        let names = vec!["chat.example.com".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let certificate = made.cert.der().clone();
        let mut provider = default_provider();
        provider.cipher_suites = vec![suite];
        let provider = Arc::new(provider);
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[of])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[of])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        let log = Arc::new(Log::default());
        client.key_log = Arc::clone(&log) as Arc<dyn KeyLog>;
        let name = ServerName::try_from("chat.example.com").unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
        let mut server = ServerConnection::new(Arc::new(server)).unwrap();
        let mut sent = Vec::new();
        while client.is_handshaking()
            || server.is_handshaking()
            || client.wants_write()
            || server.wants_write()
        {
            carry(&mut client, &mut server, &mut sent);
        }
        let is_new = of.version == rustls::ProtocolVersion::TLSv1_3;
        for (place, (dir, bytes)) in said().into_iter().enumerate() {
            if is_new && place == 4 {
                client.refresh_traffic_keys().unwrap();
                server.refresh_traffic_keys().unwrap();
            }
            match dir {
                Dir::Client => client.writer().write_all(&bytes).unwrap(),
                Dir::Server => server.writer().write_all(&bytes).unwrap(),
            }
            carry(&mut client, &mut server, &mut sent);
        }
        client.send_close_notify();
        server.send_close_notify();
        carry(&mut client, &mut server, &mut sent);
        let log = log.0.lock().unwrap().clone();
        Self { sent, log }
    }

    /// The packets, in segments of at most so many bytes.
    fn packets(&self, mss: usize) -> Vec<Packet> {
        let mut script = "connection server=192.0.2.80:443\nno-handshake\n".to_owned();
        for (dir, bytes) in &self.sent {
            // A line of a script is not endless.
            for bytes in bytes.chunks(10_000) {
                writeln!(script, "{dir} raw \"{}\" mss={mss}", digits(bytes, "\\x", "")).unwrap();
            }
        }
        packets(&script)
    }

    /// A capture of it that has the lines of its key log that `keeps` likes.
    fn capture(&self, packets: &[Packet], keeps: impl Fn(&str) -> bool) -> Vec<u8> {
        let lines: Vec<&str> = self.log.lines().filter(|line| keeps(line)).collect();
        with_secrets(&run::pcapng(packets), &lines.join("\n"))
    }

    fn decode(&self, mss: usize) -> Said {
        decode(&self.capture(&self.packets(mss), |_| true))
    }
}

/// What is said within TLS.
fn said() -> Vec<(Dir, Vec<u8>)> {
    vec![
        (Dir::Client, ASKS.to_vec()),
        (Dir::Server, ANSWERS.to_vec()),
        (Dir::Client, frame(1, b"hello over TLS", Dir::Client)),
        (Dir::Server, frame(1, "你好".as_bytes(), Dir::Server)),
        (Dir::Client, frame(1, &[b'x'; 40_000], Dir::Client)),
        (Dir::Server, frame(1, b"short", Dir::Server)),
        (Dir::Server, frame(1, b"and more", Dir::Server)),
        (Dir::Client, frame(8, b"\x03\xE8bye", Dir::Client)),
        (Dir::Server, frame(8, b"\x03\xE8bye", Dir::Server)),
    ]
}

/// Carries what both have to send until nobody has.
fn carry(client: &mut ClientConnection, server: &mut ServerConnection, sent: &mut Vec<(Dir, Vec<u8>)>) {
    loop {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut answer = Vec::new();
        if !bytes.is_empty() {
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                server.read_tls(&mut rest).unwrap();
                server.process_new_packets().unwrap();
                let _ = server.reader().read(&mut vec![0; 1 << 17]);
            }
        }
        while server.wants_write() {
            server.write_tls(&mut answer).unwrap();
        }
        let mut rest = &answer[..];
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets().unwrap();
            let _ = client.reader().read(&mut vec![0; 1 << 17]);
        }
        if bytes.is_empty() && answer.is_empty() {
            return;
        }
        for (dir, bytes) in [(Dir::Client, bytes), (Dir::Server, answer)] {
            if !bytes.is_empty() {
                sent.push((dir, bytes));
            }
        }
    }
}

/// A pcapng file with a Decryption Secrets Block behind its section's header.
fn with_secrets(file: &[u8], log: &str) -> Vec<u8> {
    let length = log.len().next_multiple_of(4);
    let block = (20 + length) as u32;
    let mut body = log.as_bytes().to_vec();
    body.resize(length, 0);
    let words = [10, block, 0x544C_534B, log.len() as u32].map(u32::to_le_bytes).concat();
    let secrets = [&words[..], &body, &block.to_le_bytes()].concat();
    let header = u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize;
    [&file[..header], &secrets, &file[header..]].concat()
}

/// The frames and messages, without where they stand in packets.
fn essence(said: &Said) -> Vec<Value> {
    let mut records: Vec<Value> =
        said.records.iter().filter(|it| it["type"] == "frame" || it["type"] == "message").cloned().collect();
    for record in &mut records {
        let record = record.as_object_mut().unwrap();
        record.remove("packets");
        record.remove("time");
    }
    records
}

fn suites() -> Vec<(SupportedCipherSuite, &'static SupportedProtocolVersion, &'static str)> {
    vec![
        (cipher_suite::TLS13_AES_128_GCM_SHA256, &version::TLS13, "TLS_AES_128_GCM_SHA256"),
        (cipher_suite::TLS13_AES_256_GCM_SHA384, &version::TLS13, "TLS_AES_256_GCM_SHA384"),
        (cipher_suite::TLS13_CHACHA20_POLY1305_SHA256, &version::TLS13, "TLS_CHACHA20_POLY1305_SHA256"),
        (
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            &version::TLS12,
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        ),
        (
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            &version::TLS12,
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        ),
        (
            cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            &version::TLS12,
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        ),
    ]
}

/// Of the packets those that one side sent, by the server's port.
fn sent_by(dir: Dir, packets: &[Packet]) -> Vec<Packet> {
    // Ethernet, IPv4 and the ports of TCP.
    let is_servers = |packet: &Packet| packet.1[34..36] == 443_u16.to_be_bytes();
    packets.iter().filter(|packet| is_servers(packet) == (dir == Dir::Server)).cloned().collect()
}

#[test]
fn a_client_whose_server_was_not_captured_is_read_where_its_records_tell_the_suite() {
    for (suite, of, name) in suites() {
        let talk = Talk::new(suite, of);
        for mss in [300, 1460] {
            let alone = sent_by(Dir::Client, &talk.packets(mss));
            let said = decode(&talk.capture(&alone, |_| true));
            if of.version == rustls::ProtocolVersion::TLSv1_2 {
                // Keys are made with what the server's hello says.
                assert_eq!(said.of("message").count(), 0, "{name}");
                continue;
            }
            let messages: Vec<&Value> = said.of("message").map(|it| &it["text"]).collect();
            assert_eq!((messages.len(), messages[0]), (3, &json!("hello over TLS")), "{name} {mss}");
            let last = said.of("connection").last().expect("a connection");
            assert_eq!(last["encryption"]["suite"], name);
            assert_eq!(last["encryption"]["inferred"], json!(["version", "suite"]));
            assert!(!said.has("tls-record-not-authentic") && !said.has("tls-not-deciphered"));
            let told = said.records.iter().any(|it| it.to_string().contains("is inferred"));
            assert!(told, "{name} {mss}");
            // The secrets of another session open nothing, and what they do not open is not read.
            let other = Talk::new(suite, of);
            let random = |talk: &Talk| talk.log.split(' ').nth(1).unwrap().to_owned();
            let log = other.log.replace(&random(&other), &random(&talk));
            let said = decode(&with_secrets(&run::pcapng(&alone), &log));
            assert_eq!(said.of("connection").count(), 0, "{name}");
        }
    }
}

#[test]
fn a_server_whose_client_was_not_captured_is_the_server() {
    let talk = new_talk();
    let alone = sent_by(Dir::Server, &talk.packets(1460));
    let said = decode(&run::pcapng(&alone));
    let summary = said.of("summary").last().unwrap();
    assert_eq!(summary["others"][0]["server"], "192.0.2.80:443", "{summary}");
}

#[test]
fn a_server_whose_client_was_not_captured_is_read_where_its_records_tell_the_session() {
    for (suite, of, name) in suites() {
        let talk = Talk::new(suite, of);
        let is_new = of.version == rustls::ProtocolVersion::TLSv1_3;
        for mss in [300, 1460] {
            let alone = sent_by(Dir::Server, &talk.packets(mss));
            // Among those of others it is found.
            let others: String = (0..3).map(|_| Talk::new(suite, of).log).collect();
            let capture = run::pcapng(&alone);
            let unread = decode(&capture);
            let said = decode(&with_secrets(&capture, &format!("{others}{}", talk.log)));
            let messages: Vec<&Value> = said.of("message").map(|it| &it["text"]).collect();
            if !is_new {
                assert_eq!(messages.len(), 0, "{name}");
                continue;
            }
            let theirs: Vec<Value> = talk
                .decode(1460)
                .of("message")
                .filter(|it| it["dir"] == "server")
                .map(|it| it["text"].clone())
                .collect();
            assert!(!theirs.is_empty() && messages.iter().copied().eq(&theirs), "{name} {mss}: {messages:?}");
            let last = said.of("connection").last().expect("a connection");
            assert_eq!(
                (&last["encryption"]["suite"], &last["server"]),
                (&json!(name), &json!("192.0.2.80:443"))
            );
            assert!(!said.has("tls-record-not-authentic") && !said.has("tls-not-deciphered"));
            let told = said.records.iter().any(|it| it.to_string().contains("is inferred"));
            assert!(told, "{name} {mss}");
            // Where none is its own, it is what it is without any.
            let said = decode(&with_secrets(&capture, &others));
            for what in ["others", "findings_by_rule"] {
                let [said, unread] = [&said, &unread].map(|it| &it.records.last().expect("a summary")[what]);
                assert_eq!(said, unread, "{name} {mss}");
            }
        }
    }
}

fn new_talk() -> Talk {
    Talk::new(cipher_suite::TLS13_AES_128_GCM_SHA256, &version::TLS13)
}

#[test]
fn what_endpoints_of_rustls_said_is_read_in_each_suite_and_segmentation() {
    for (suite, of, name) in suites() {
        let talk = Talk::new(suite, of);
        let whole = talk.decode(1460);
        let long = "x".repeat(40_000);
        let messages: Vec<&Value> = whole.of("message").map(|it| &it["text"]).collect();
        assert_eq!(&messages[..5], ["hello over TLS", "你好", &*long, "short", "and more"], "{name}");
        let last = whole.of("connection").last().expect("a connection");
        let is_new = of.version == rustls::ProtocolVersion::TLSv1_3;
        let expected = json!({
            "version": if is_new { "TLS 1.3" } else { "TLS 1.2" },
            "suite": name,
            "sni": "chat.example.com",
            "alpn": "http/1.1",
            "secrets": if is_new { 4 } else { 1 },
        });
        assert_eq!(last["encryption"], expected, "{name}");
        assert_eq!((&last["close_code"], whole.has("tls-record-not-authentic")), (&json!(1000), false));
        for mss in [40, 333] {
            assert_eq!(essence(&talk.decode(mss)), essence(&whole), "{name} in segments of {mss}");
        }
    }
}

#[test]
fn nothing_is_read_without_its_secrets_and_which_is_missing_is_said() {
    let talk = new_talk();
    let packets = talk.packets(1460);
    let none = decode(&talk.capture(&packets, |_| false));
    assert_eq!((none.count("connection"), none.findings().len()), (0, 0));
    let without = |label: &str| decode(&talk.capture(&packets, |line| !line.starts_with(label)));
    let partial = without("SERVER_TRAFFIC_SECRET_0");
    assert_eq!(partial.findings().first(), Some(&"tls-secret-missing"), "{:?}", partial.findings());
    let finding = partial.of("finding").next().expect("a finding");
    assert_eq!(finding["expected"], "SERVER_TRAFFIC_SECRET_0 in the key log");
    // Secrets of another session are as good as none, and that is said.
    let other = new_talk();
    let wrong = decode(&with_secrets(&run::pcapng(&packets), &other.log));
    assert_eq!((wrong.findings(), wrong.count("message")), (vec!["tls-secret-missing"], 0));
    // What was said within the handshake alone is not needed.
    let rest = without("SERVER_HANDSHAKE_TRAFFIC_SECRET");
    assert_eq!((rest.has("tls-secret-missing"), rest.count("message")), (false, 7));
}

#[test]
fn secrets_are_told_nowhere() {
    let talk = new_talk();
    let said = decode(&talk.capture(&talk.packets(1460), |_| true));
    let all = format!("{:?}", said.records);
    for line in talk.log.lines() {
        let secret = line.rsplit(' ').next().expect("a secret");
        assert!(!all.contains(secret) && !all.contains(&secret.to_uppercase()));
    }
}

#[test]
fn records_that_are_lost_are_holes_and_the_next_is_found() {
    let talk = new_talk();
    let packets = talk.packets(1460);
    let whole = talk.decode(1460);
    // A segment amid the message of 40,000 bytes, which takes three records, in the second and in the third.
    let long = whole.of("frame").find(|it| it["length"] == 40_000).expect("the long one");
    let (first, last) = (long["packets"][0].as_u64().unwrap(), long["packets"][1].as_u64().unwrap());
    // Packets between them that carry nothing acknowledge what came, and nothing is lost with them.
    let full: Vec<u64> =
        (first + 1..last).filter(|packet| packets[*packet as usize - 1].1.len() > 1460).collect();
    for lost in [full[full.len() / 2], full[full.len() - 2]] {
        let mut left = packets.clone();
        left.remove(lost as usize - 1);
        let said = decode(&talk.capture(&left, |_| true));
        let frame = said.of("frame").find(|it| it["length"] == 40_000).expect("the long one");
        let missing = frame["missing"].as_u64().unwrap();
        assert!((1..=16_384).contains(&missing), "{missing} bytes are missing without packet {lost}");
        let texts: Vec<&Value> = said.of("message").map(|it| &it["text"]).collect();
        assert!(texts.contains(&&json!("short")) && texts.contains(&&json!("and more")), "{texts:?}");
        assert_eq!(said.of("connection").last().expect("it ends")["close_code"], 1000);
    }
}

/// Follows each byte of each payload to its packet.
#[derive(Default)]
struct Places {
    traced: usize,
    lengths: Vec<usize>,
    last: (u64, u32),
}

impl Sink for Places {
    fn wants(&self) -> Wants {
        Wants { fields: true, payload: u64::MAX, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let (Body::Frame(frame), Some(dir)) = (unit.body, unit.dir) else { return ON };
        let id = SourceId::Decrypted { conn: unit.conn, dir };
        let header = u64::from(frame.header.header_length());
        let mut places = Vec::new();
        for at in 0..header + frame.header.length {
            let place = trace(unit.sources, id, frame.offset + at).expect("a byte of a packet");
            assert!((place.byte as usize) < self.lengths[place.packet as usize - 1], "{place:?}");
            places.push((place.packet, place.byte));
        }
        assert!(places.windows(2).all(|two| two[0] < two[1]), "they stand one behind the other");
        self.last = *places.last().unwrap();
        self.traced += places.len();
        ON
    }
}

#[test]
fn each_byte_is_traced_to_the_packet_that_carried_it() {
    let talk = new_talk();
    let packets = talk.packets(333);
    let file = talk.capture(&packets, |_| true);
    let mut places =
        Places { lengths: packets.iter().map(|(_, bytes)| bytes.len()).collect(), ..Places::default() };
    let input = input::open(Box::new(std::io::Cursor::new(file)), "test").unwrap();
    pipeline::run(input, &mut places, &mut |_| {});
    assert!(places.traced > 40_000, "{}", places.traced);
}

#[test]
fn whatever_is_cut_of_a_capture_nothing_breaks() {
    let talk = new_talk();
    let packets = talk.packets(1460);
    for keep in (1..packets.len()).step_by(3) {
        run::every_view(&talk.capture(&packets[..keep], |_| true));
    }
}
