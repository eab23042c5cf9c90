//! Streams of control packets, cut anywhere.

use super::decoder::Mqtt;
use super::{PASSWORD, TOPIC};
use crate::app::dialect::{Decoder, Said};
use crate::model::{App, Dir, Finding, SourceId, Time, Value};

/// `CONNECT` of client `a`, as MQTT 3.1.1 and as 5.
const CONNECT: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01a";
const CONNECT_5: &[u8] = b"\x10\x0e\0\x04MQTT\x05\x02\0\x3c\0\0\x01a";
const PUBLISH: &[u8] = b"\x32\x0c\0\x03a/b\0\x05hello";

fn said(dir: Dir, m: u64, bytes: &[u8]) -> Said<'_> {
    Said::sample(dir, m, false, bytes)
}

/// What each of these messages of the client means, and what is found.
fn client(messages: &[&[u8]]) -> (Vec<String>, Vec<Finding>) {
    let (mut mqtt, mut found, mut lines) = (Mqtt::default(), Vec::new(), Vec::new());
    for (m, bytes) in (1..).zip(messages) {
        let app = mqtt.read(&said(Dir::Client, m, bytes), &mut found);
        lines.push(app.map_or("-".into(), |app| app.summary.to_string()));
    }
    mqtt.end(None, &mut found);
    (lines, found)
}

/// What is found when a client says this at these seconds, and its connection is ended at another.
fn silent(said_at: &[(u64, Dir, &[u8])], ended: u64) -> Vec<Finding> {
    let (mut mqtt, mut found) = (Mqtt::default(), Vec::new());
    let time = |seconds: u64| Some(Time(seconds * 1_000_000_000));
    for (m, (at, dir, bytes)) in (1..).zip(said_at) {
        let said = Said { time: time(*at), ..said(*dir, m, bytes) };
        mqtt.read(&said, &mut found);
    }
    mqtt.end(time(ended), &mut found);
    found
}

#[test]
fn a_client_is_given_up_after_one_and_a_half_times_its_keep_alive() {
    let connect = (0, Dir::Client, CONNECT);
    let accepted: (u64, Dir, &[u8]) = (0, Dir::Server, b"\x20\x02\0\0");
    let ping: (u64, Dir, &[u8]) = (50, Dir::Client, b"\xc0\0");
    assert_eq!(rules(&silent(&[connect, accepted], 90)), ["mqtt-keep-alive-over"]);
    assert_eq!(rules(&silent(&[connect, accepted], 80)), [""; 0], "the server waits for 90 s");
    assert_eq!(rules(&silent(&[connect, accepted, ping], 130)), [""; 0], "it spoke at 50 s");
    let found = silent(&[connect, accepted, ping], 145);
    assert_eq!(found[0].got.to_string(), "none for 95 s before the end");
    // The server may set another keep alive (MQTT 5.0 §3.2.2.3.14), or the client none.
    let sets: (u64, Dir, &[u8]) = (0, Dir::Server, b"\x20\x06\0\0\x03\x13\0\x0a");
    assert_eq!(rules(&silent(&[(0, Dir::Client, CONNECT_5), sets], 16)), ["mqtt-keep-alive-over"]);
    let never: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01a";
    assert_eq!(rules(&silent(&[(0, Dir::Client, never), accepted], 9000)), [""; 0]);
}

fn rules(found: &[Finding]) -> Vec<&'static str> {
    found.iter().map(|finding| finding.rule.id).collect()
}

/// The packets of some apps, without how they came.
fn packets(apps: Vec<App>) -> Vec<String> {
    let flat = apps.into_iter().flat_map(|app| if app.packets.is_empty() { vec![app] } else { app.packets });
    let is_whole = |app: &App| !app.fields.is_empty();
    let name = |app: App| app.summary.to_string().split("; begun").next().unwrap_or_default().to_owned();
    flat.filter(is_whole).map(name).collect()
}

#[test]
fn any_cut_gives_the_same_packets() {
    let stream = [CONNECT, PUBLISH, b"\xc0\0", PUBLISH, b"\xe0\0"].concat();
    let expected = [
        "CONNECT \"a\", MQTT 3.1.1, keep alive 60 s",
        "PUBLISH a/b, QoS 1, id 5: \"hello\"",
        "PINGREQ",
        "PUBLISH a/b, QoS 1, id 5: \"hello\"",
        "DISCONNECT",
    ];
    for size in 1..=stream.len() {
        let (mut mqtt, mut found) = (Mqtt::default(), Vec::new());
        let pieces = (1..).zip(stream.chunks(size));
        let apps =
            pieces.filter_map(|(m, bytes)| mqtt.read(&said(Dir::Client, m, bytes), &mut found)).collect();
        assert_eq!(packets(apps), expected, "pieces of {size}");
        mqtt.end(None, &mut found);
        assert_eq!(rules(&found), [""; 0], "pieces of {size}");
    }
}

#[test]
fn a_field_leads_back_to_its_message() {
    let (mut mqtt, mut found) = (Mqtt::default(), Vec::new());
    mqtt.read(&said(Dir::Client, 1, CONNECT), &mut found);
    mqtt.read(&said(Dir::Client, 2, &PUBLISH[..4]), &mut found);
    let app = mqtt.read(&said(Dir::Client, 3, &PUBLISH[4..]), &mut found).unwrap();
    let topic = app.fields.iter().find(|field| *field.def == TOPIC).unwrap();
    assert_eq!(topic.span.source, SourceId::Joined { conn: 1, m: 3 });
    assert_eq!((topic.span.first_byte(), topic.span.end_byte()), (2, 7));
    let parts: Vec<_> = app.parts.iter().map(|p| (p.source, p.first_byte(), p.end_byte())).collect();
    let message = |m| SourceId::Message { conn: 1, m };
    assert_eq!(parts, [(message(2), 0, 4), (message(3), 0, 10)]);
}

#[test]
fn values_are_read_in_both_versions() {
    let publish_5: &[u8] = b"\x31\x0b\0\x01t\x05\x01\x01\x23\0\x07{}";
    let (lines, found) =
        client(&[CONNECT_5, publish_5, b"\x82\x0b\0\x01\0\0\x01#\x02\0\x01+\0", b"\xe0\x01\x04"]);
    assert_eq!(
        lines,
        [
            "CONNECT \"a\", MQTT 5.0, keep alive 60 s",
            "PUBLISH t, QoS 0, RETAIN: {}",
            "SUBSCRIBE 1: # (QoS 2), + (QoS 0)",
            "DISCONNECT: 4 Disconnect with Will Message",
        ]
    );
    assert_eq!(rules(&found), [""; 0]);
}

#[test]
fn a_password_is_a_field_and_not_in_the_line() {
    let connect: &[u8] = b"\x10\x16\0\x04MQTT\x04\xc2\0\x3c\0\x01a\0\x01u\0\x04pass";
    let mut found = Vec::new();
    let app = Mqtt::default().read(&said(Dir::Client, 1, connect), &mut found).unwrap();
    let line = app.summary.to_string();
    assert_eq!(line, "CONNECT \"a\", MQTT 3.1.1, keep alive 60 s, user \"u\" with a password");
    let password = app.fields.iter().find(|field| *field.def == PASSWORD).unwrap();
    assert_eq!(password.value, Value::Text("pass".into()));
}

#[test]
fn what_is_malformed_is_found_where_it_is() {
    for (bytes, rule, at) in [
        (&b"\x30\xff\xff\xff\xff\x01"[..], "mqtt-remaining-length-too-long", 1),
        (b"\x00\x00", "mqtt-malformed-packet", 0),
        (b"\xc1\x00", "mqtt-malformed-packet", 0),
        (b"\x36\x05\0\x01a\0\x01", "mqtt-malformed-packet", 0),
        (b"\x30\x04\0\x09ab", "mqtt-malformed-packet", 4),
        (b"\x30\x03\0\x01\xff", "mqtt-malformed-packet", 4),
        (b"\x32\x05\0\x01a\0\0", "mqtt-malformed-packet", 5),
        (b"\xc0\x01\0", "mqtt-malformed-packet", 2),
        (b"\x30\x03\0\x01#", "mqtt-protocol-error", 2),
        (b"\x20\x02\0\0", "mqtt-protocol-error", 0),
        (CONNECT, "mqtt-protocol-error", 0),
    ] {
        let (_, found) = client(&[CONNECT, bytes]);
        assert_eq!(rules(&found), [rule], "{bytes:02x?}");
        assert_eq!(found[0].spans[0].first_byte(), at, "{bytes:02x?}");
    }
    let (_, found) = client(&[b"\xc0\0"]);
    assert_eq!(rules(&found), ["mqtt-protocol-error"]);
    let (_, found) = client(&[CONNECT, &PUBLISH[..6]]);
    assert_eq!(rules(&found), ["mqtt-packet-cut"]);
}

#[test]
fn behind_a_hole_a_packet_is_believed_once_it_is_whole() {
    let (mut mqtt, mut found) = (Mqtt::default(), Vec::new());
    let mut read = |mqtt: &mut Mqtt, m, bytes: &[u8]| {
        mqtt.read(&said(Dir::Client, m, bytes), &mut found).map(|app| app.summary.to_string()).unwrap()
    };
    read(&mut mqtt, 1, CONNECT);
    read(&mut mqtt, 2, &PUBLISH[..3]);
    mqtt.lost(Dir::Client);
    let unread = read(&mut mqtt, 5, b"b\0\x05hello");
    assert_eq!(unread, "8 bytes of a packet whose beginning is missing");
    // `2` may begin a PUBLISH, and it does not go on like one.
    read(&mut mqtt, 6, b"22.5 degrees");
    assert_eq!(read(&mut mqtt, 7, &PUBLISH[..1]), "PUBLISH begins");
    assert_eq!(read(&mut mqtt, 8, &PUBLISH[1..]), "PUBLISH a/b, QoS 1, id 5: \"hello\"; begun in message 7");
    assert_eq!(read(&mut mqtt, 9, PUBLISH), "PUBLISH a/b, QoS 1, id 5: \"hello\"");
    mqtt.end(None, &mut found);
    assert_eq!(rules(&found), [""; 0]);
}

#[test]
fn a_large_packet_keeps_its_beginning_and_its_end_is_known() {
    let long = 3 * crate::limits::APP_PACKET;
    let mut publish = vec![0x30];
    let mut rest = long + 5;
    while rest > 0 {
        publish.push((rest & 0x7F) as u8 | if rest > 0x7F { 0x80 } else { 0 });
        rest >>= 7;
    }
    publish.extend(b"\0\x03a/b");
    publish.resize(publish.len() + long, b'x');
    let (head, tail) = publish.split_at(100);
    let (lines, found) = client(&[CONNECT, head, tail, b"\xc0\0"]);
    assert!(lines[2].starts_with("PUBLISH a/b, QoS 0: \"xxx"), "{}", &lines[2][..99]);
    assert_eq!(lines[3], "PINGREQ");
    assert_eq!(rules(&found), [""; 0]);
}

#[test]
fn an_answer_names_what_it_answers() {
    let (mut mqtt, mut found) = (Mqtt::default(), Vec::new());
    mqtt.read(&said(Dir::Client, 1, CONNECT), &mut found);
    let ack = mqtt.read(&said(Dir::Server, 2, b"\x20\x02\0\x05"), &mut found).unwrap();
    assert_eq!(ack.answers.unwrap().what, "CONNECT");
    assert_eq!(rules(&found), ["mqtt-refused"]);
    mqtt.read(&said(Dir::Client, 3, PUBLISH), &mut found);
    let ack = mqtt.read(&said(Dir::Server, 4, b"\x40\x02\0\x05"), &mut found).unwrap();
    assert_eq!((ack.summary.to_string(), ack.answers.unwrap().what), ("PUBACK 5".into(), "PUBLISH 5".into()));
}

#[test]
fn without_a_subprotocol_only_a_connect_tells() {
    let (mut mqtt, mut found) = (Mqtt::default(), Vec::new());
    let unknown = Said { agreed: false, known: false, ..said(Dir::Client, 1, PUBLISH) };
    assert_eq!(mqtt.read(&unknown, &mut found), None);
    assert!(
        mqtt.read(&Said { bytes: CONNECT, length: CONNECT.len() as u64, ..unknown }, &mut found).is_some()
    );
}
