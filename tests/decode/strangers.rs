//! What a capture holds besides WebSocket connections is named where it was seen, and only there.
use serde_json::{Value, json};
use wstool::model::Time;

use crate::run::{Said, decode, digits, packets, pcap};

fn long(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes()[..], body].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &long(body)].concat()
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let message = [&[kind, 0][..], &long(body)].concat();
    [&[22, 3, 1][..], &long(&message)].concat()
}

/// A client that wants `name`, and knows HTTP/2 and HTTP/1.1.
fn client_hello(name: &str) -> Vec<u8> {
    let name = long(&[&[0][..], &long(name.as_bytes())].concat());
    let extensions =
        [extension(0, &name), extension(16, &long(b"\x02h2\x08http/1.1")), extension(43, &[4, 3, 4, 3, 3])];
    let front = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0]].concat();
    record(1, &[front, long(&extensions.concat())].concat())
}

fn server_hello(extensions: &[u8]) -> Vec<u8> {
    let front = [&[3, 3][..], &[7; 32], &[0, 0x13, 1, 0]].concat();
    record(2, &[front, long(extensions)].concat())
}

fn raw(from: &str, bytes: &[u8], options: &str) -> String {
    format!("{from} raw \"{}\"{options}\n", digits(bytes, "\\x", ""))
}

fn play(script: &str) -> Said {
    decode(&pcap(&packets(script)))
}

fn summary(said: &Said) -> &Value {
    said.of("summary").next().expect("a summary")
}

#[test]
fn tls_is_named_by_what_it_says_in_clear() {
    for options in ["", " mss=1"] {
        let mut script = String::new();
        for _ in 0..2 {
            script += "connection server=192.0.2.80:443\nno-handshake\n";
            script += &raw("client", &client_hello("chat.example.com"), options);
            script += &raw("server", &server_hello(&extension(43, &[3, 4])), options);
            script += "client raw 17 03 03 00 01 00\n";
        }
        script += "connection server=192.0.2.81:443\nno-handshake\n";
        script += &raw("client", &client_hello("old.example.com"), options);
        script += &raw("server", &server_hello(&extension(16, &long(b"\x08http/1.1"))), options);
        let said = play(&script);
        let tls = |server: &str, name: &str, version: &str, alpn: Value, connections: u32| {
            json!({"protocol": "tls", "server": server, "server_name": name, "version": version, "alpn": alpn,
                   "connections": connections, "hello": true, "deciphered": false})
        };
        let mut expected = json!([
            tls("192.0.2.80:443", "chat.example.com", "TLS 1.3", json!(["h2", "http/1.1"]), 2),
            tls("192.0.2.81:443", "old.example.com", "TLS 1.2", json!(["http/1.1"]), 1),
        ]);
        // A byte of what is enciphered came on each of the first two; how long they took is not the matter.
        let others = &summary(&said)["others"];
        expected[0]["encrypted"] = json!({
            "client": {"records": 2, "bytes": 2, "least": 1, "most": 1},
            "server": {"records": 0, "bytes": 0, "least": 0, "most": 0},
            "seconds": others[0]["encrypted"]["seconds"],
            "perhaps_websocket": 0,
        });
        assert_eq!(*others, expected, "{options}");
        assert_eq!((said.count("connection"), said.findings()), (0, vec![]));
    }
}

#[test]
fn the_hello_alone_says_what_is_wanted() {
    let said = play(&format!("no-handshake\n{}leave-open\n", raw("client", &client_hello("a.example"), "")));
    assert_eq!(summary(&said)["others"][0]["version"], "TLS 1.3");
}

#[test]
fn http_2_with_prior_knowledge_is_named() {
    let script = "no-handshake\nclient raw \"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n\" 000000040000000000\n\
                  server raw 000000040000000000\n";
    let said = play(script);
    assert_eq!(summary(&said)["others"][0]["protocol"], "http2");
    assert_eq!((said.count("connection"), said.findings()), (0, vec![]));
}

/// Captures of several interfaces or queues do not always have packets in their order.
#[test]
fn a_response_captured_before_its_request_waits_for_it() {
    let script =
        "handshake\nserver text \"welcome\"\nclient text \"hi\"\nclient close 1000\nserver close 1000\n";
    let inorder = packets(script);
    let place = |first: &[u8]| {
        inorder.iter().position(|(_, packet)| packet.windows(first.len()).any(|bytes| bytes == first))
    };
    let (request, response) = (place(b"GET /").expect("one"), place(b"HTTP/1.1 101").expect("one"));
    let welcome = place(b"welcome").expect("one");
    // Late is also what TCP's own waiting does not bridge.
    for (last, later) in [(response, 0), (welcome, 0), (response, 5_000_000_000), (welcome, 5_000_000_000)] {
        let mut early = inorder.clone();
        let late = early.remove(request);
        early.insert(last, late);
        let mut times: Vec<Time> = early.iter().map(|(time, _)| *time).collect();
        times.sort_by_key(|time| time.0);
        early.iter_mut().zip(times).for_each(|(packet, time)| packet.0 = time);
        early[last..].iter_mut().for_each(|(time, _)| time.0 += later);
        let said = decode(&pcap(&early));
        let heads: Vec<&Value> = said.of("http").map(|head| &head["dir"]).collect();
        assert_eq!(heads, ["client", "server"], "{last}");
        assert_eq!((said.count("frame"), said.findings()), (4, vec![]), "{last}");
    }
    // Text with direction marks, the answer first.
    let request = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let hex = |text: &str| digits(text.as_bytes(), "", " ");
    let said = decode(
        format!("< {}\n< 81026869\n> {}\n> 8182010101016968\n", hex(response), hex(request)).as_bytes(),
    );
    assert_eq!((said.count("http"), said.count("frame"), said.findings()), (2, 2, vec![]));
    // Where the request is not there at all, the response waits in vain and is shown all the same.
    let without = |dir: u8| -> Vec<_> {
        let is_client = |packet: &[u8]| packet[29] == dir && packet.len() > 60 && packet[47] & 8 != 0;
        inorder.iter().filter(|(_, packet)| !is_client(packet)).cloned().collect()
    };
    let alone = decode(&pcap(&without(inorder[0].1[29])));
    let (http, frames) = (alone.of("http").next().expect("a response"), alone.count("frame"));
    assert_eq!((&http["dir"], frames), (&json!("server"), 2));
    assert!(http["time"].is_string());
}

const V1: &str = "client raw \"PROXY TCP4 203.0.113.7 198.51.100.9 56324 443\\r\\n\"";
const V2: &str = "client raw 0d0a0d0a000d0a515549540a 21 11 000c cb007107 c6336409 dc04 01bb";

#[test]
fn a_proxy_header_is_a_head_of_its_own() {
    for (header, protocol, length) in [(V1, "proxy-v1", 47), (V2, "proxy-v2", 28)] {
        for options in ["", " mss=1", " no-syn"] {
            let (front, each) = if options == " mss=1" { ("", options) } else { (options, "") };
            let script = format!(
                "connection{front}\nno-handshake\n{header}{each}\nhandshake\nclient text \"hi\"\n\
                 server text \"yes\"\nclient close 1000\nserver close 1000\n"
            );
            let said = play(&script);
            let opening = said.of("opening").next().expect("a head of its own");
            assert_eq!((&opening["protocol"], &opening["offset"]), (&json!(protocol), &json!(0)));
            assert_eq!(
                (&opening["client"], &opening["dir"]),
                (&json!("203.0.113.7:56324"), &json!("client"))
            );
            assert_eq!(opening["server"], "198.51.100.9:443");
            let head = said.of("http").next().expect("a request");
            assert_eq!((&head["offset"], &head["dir"]), (&json!(length), &json!("client")), "{options}");
            assert_eq!((said.count("frame"), said.findings()), (4, vec![]), "{header}{options}");
        }
    }
}

#[test]
fn tls_behind_a_proxy_header_is_tls() {
    for header in [V1, V2] {
        let hello = raw("client", &client_hello("a.example"), "");
        let said = play(&format!("no-handshake\n{header}\n{hello}leave-open\n"));
        assert_eq!(summary(&said)["others"][0]["server_name"], "a.example");
        assert_eq!((said.count("connection"), said.findings()), (0, vec![]));
    }
}

/// Only the beginning of a client's stream may be a header.
#[test]
fn what_only_looks_like_a_proxy_header_is_left_as_it_is() {
    let server = V1.replace("client raw", "server raw");
    let later = format!("handshake\nclient text \"hi\"\n{V1}\n");
    for script in [
        format!("no-handshake\n{server}\nhandshake\n"),
        format!("no-handshake\nclient raw \"POST / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\" mss=1\n{V1}\n"),
        "no-handshake\nclient raw \"PROXY TCP4 of nobody\\r\\n\"\nhandshake\n".to_owned(),
        later,
    ] {
        assert!(play(&script).of("opening").all(|opening| opening["dir"] != "client"), "{script}");
    }
    // A request that begins alike and comes byte by byte is read all the same.
    let put = "no-handshake\nclient raw \"\\r\\n\" mss=1\nhandshake\nclient close 1000\nserver close 1000\n";
    assert_eq!(play(put).count("frame"), 2);
}

/// All connections come from the proxy's address; who reconnects at once is another client each time.
#[test]
fn clients_behind_a_proxy_are_told_apart() {
    let attempts = |address: &dyn Fn(u32) -> u32| -> Said {
        let one = |n: u32| {
            let from = address(n);
            format!(
                "connection client=192.0.2.8:{} server=192.0.2.80:80\nno-handshake\n\
                 client raw \"PROXY TCP4 203.0.113.{from} 198.51.100.9 56324 443\\r\\n\"\nrequest\n\
                 response line=\"HTTP/1.1 503 Service Unavailable\" header=\"Content-Length: 0\"\n\
                 fin server\n",
                50000 + n
            )
        };
        play(&(1..9).map(one).collect::<String>())
    };
    for rule in ["reconnect-without-backoff", "reconnect-storm"] {
        let has = |said: &Said| said.findings().contains(&rule);
        assert!(has(&attempts(&|_| 7)), "{rule}");
        assert!(!has(&attempts(&|n| n)), "{rule}");
    }
}

/// A SYN and its RST: the answer is made of the SYN.
fn refused(script: &str) -> Vec<(Time, Vec<u8>)> {
    let (time, mut packet) = packets(script).swap_remove(0);
    let syn = packet.clone();
    // Ethernet 14 bytes, IPv4 20, then ports, sequence, acknowledgement, flags.
    for (a, b, len) in [(26, 30, 4), (34, 36, 2)] {
        packet[a..a + len].copy_from_slice(&syn[b..b + len]);
        packet[b..b + len].copy_from_slice(&syn[a..a + len]);
    }
    let seq = u32::from_be_bytes(syn[38..42].try_into().expect("four bytes"));
    packet[38..42].fill(0);
    packet[42..46].copy_from_slice(&seq.wrapping_add(1).to_be_bytes());
    packet[47] = 0x14;
    vec![(time, syn), (Time(time.0 + 1000), packet)]
}

#[test]
fn a_refused_connection_is_named() {
    let mut packets = refused("handshake\n");
    let said = decode(&pcap(&packets));
    let others = &summary(&said)["others"];
    assert_eq!((&others[0]["protocol"], &others[0]["server"]), (&json!("refused"), &json!("192.0.2.80:80")));
    // A SYN without an answer may be answered out of sight.
    packets.truncate(1);
    assert_eq!(summary(&decode(&pcap(&packets)))["others"], Value::Null);
}

/// Where WebSocket is spoken otherwise, or nothing else happens, a refused connection is a finding.
#[test]
fn a_refused_websocket_is_a_finding() {
    let other = refused("connection client=192.0.2.66:50000\nhandshake\n");
    let at = |script: &str| -> Vec<String> {
        let all = [other.clone(), packets(script)].concat();
        decode(&pcap(&all)).findings().iter().map(|id| (*id).to_owned()).collect()
    };
    assert_eq!(decode(&pcap(&other)).findings(), ["connection-refused"]);
    let talk = "handshake\nclient close 1000\nserver close 1000\n";
    assert_eq!(at(talk), ["connection-refused"]);
    assert_eq!(at(&format!("connection server=192.0.2.81:80\n{talk}")), [""; 0]);
    assert_eq!(at("no-handshake\nclient raw \"SSH-2.0-a\\r\\n\"\nserver raw \"SSH-2.0-b\\r\\n\"\n"), [""; 0]);
}

#[test]
fn tls_that_is_answered_in_http_is_a_finding() {
    let hello = raw("client", &client_hello("a.example"), "");
    let plain =
        hello.replace(&digits(b"\x02h2\x08http/1.1", "\\x", ""), &digits(b"\x0bhttp/1.1 xy", "\\x", ""));
    for options in ["", " mss=1"] {
        let answer = format!("server raw \"HTTP/1.1 400 Bad Request\\r\\n\\r\\n\"{options}\nfin server\n");
        let said = play(&format!("no-handshake\n{plain}{answer}"));
        assert_eq!(said.findings(), ["tls-to-plain-port"], "{options}");
        let openings: Vec<&Value> = said.of("opening").map(|opening| &opening["protocol"]).collect();
        assert_eq!((openings, said.count("frame")), (vec![&json!("tls"), &json!("http")], 0));
        assert_eq!(summary(&said)["others"], Value::Null);
        // A browser that wants a page: that is TLS like any other, but where WebSocket is spoken.
        let page = format!("connection client=192.0.2.11:50000\nno-handshake\n{hello}{answer}");
        assert_eq!(play(&page).findings(), [""; 0]);
        let talk = "handshake\nclient close 1000\nserver close 1000\n";
        assert_eq!(play(&format!("{talk}{page}")).findings(), ["tls-to-plain-port"]);
    }
}

#[test]
fn nothing_else_is_there_where_nothing_else_was_seen() {
    let said = play("client text \"hi\"\nserver text \"hello\"\nclient close 1000\nserver close 1000\n");
    assert_eq!(summary(&said)["others"], Value::Null);
}

/// The exit code is 2 then; the records must not say that all is well.
#[test]
fn a_link_type_that_cannot_be_read_leaves_the_input_incomplete() {
    let mut file = pcap(&packets("client text \"hi\"\n"));
    file[20] = 147;
    let said = decode(&file);
    assert_eq!(summary(&said)["complete"], false);
    assert!(summary(&said)["error"].as_str().expect("words").starts_with("no packet can be read"));
}

/// `-n` ends decoding early, and a session with it; the summary comes all the same.
#[test]
fn a_limit_leaves_engine_io_its_summary() {
    use wstool::render::json::Json;
    use wstool::select::{Select, Selection};
    let script = "handshake path=/socket.io/?EIO=4&transport=websocket\n\
                  server text \"0{\\\"sid\\\":\\\"a\\\",\\\"upgrades\\\":[],\
                  \\\"pingInterval\\\":25000,\\\"pingTimeout\\\":20000}\"\n\
                  client text \"40\"\nserver text \"40{\\\"sid\\\":\\\"b\\\"}\"\n";
    let file = pcap(&packets(script));
    let input = wstool::input::open(Box::new(std::io::Cursor::new(file)), "t").expect("a capture");
    let selection = Selection { limit: Some(1), ..Selection::default() };
    let mut select = Select::new(selection, Json::lines(Vec::new(), 1000));
    wstool::pipeline::run(input, &mut select, &mut |_| {});
    let lines = String::from_utf8(select.into_inner().finish().expect("memory takes it")).expect("UTF-8");
    assert!(lines.lines().last().expect("a line").starts_with(r#"{"type":"summary""#), "{lines}");
}
