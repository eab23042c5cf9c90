//! MQTT 3.1, 3.1.1 and 5.0 over WebSocket (MQTT 5.0 §6): a stream of control packets, which messages cut
//! anywhere.
//!
//! This is the spec sheet; `decoder` follows the stream, `packet` reads one control packet, `reader`
//! reads its parts, `names` has the types and reason codes.

mod decoder;
mod names;
mod packet;
mod reader;
#[cfg(test)]
mod tests;

use super::dialect::{Dialect, Reader, Sheet};
use crate::model::{Cite, fields, rules};

/// MQTT 3.1.1 and 5.0 (MQTT 5.0 §6).
pub static DIALECT: Dialect = Dialect {
    id: "mqtt",
    subprotocols: &["mqtt", "mqttv3.1"],
    looks_like: Some(decoder::is_connect),
    first: b"\x10",
    last: &[],
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<decoder::Mqtt>::default()),
    sheet: Sheet {
        name: "MQTT 3.1, 3.1.1 and 5",
        shown_by: "a CONNECT packet",
        decoded: "all packets with their properties, also over several messages; acknowledgements tied to \
                  what they acknowledge, the keep-alive watched",
        sample: "mqtt.pcap",
        source: ("MQTT 5.0", "https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html"),
    },
};

/// A section of MQTT 5.0; sections 1 to 4 and 6 of 3.1.1 say the same unless noted.
const fn mqtt(section: &'static str) -> Cite {
    Cite { doc: "MQTT 5.0", section }
}

fields! {
    /// The fields of MQTT.
    FIELDS;
    TYPE = "mqtt.type", "type", mqtt("2.1.2"), "The control packet's type.";
    LENGTH = "mqtt.remaining_length", "remaining length", mqtt("2.1.4"),
        "Bytes that follow, seven bits a byte.";
    DUP = "mqtt.dup", "DUP", mqtt("3.3.1.1"), "The packet is sent again.";
    QOS = "mqtt.qos", "QoS", mqtt("3.3.1.2"), "0: at most once, 1: at least once, 2: exactly once.";
    RETAIN = "mqtt.retain", "RETAIN", mqtt("3.3.1.3"),
        "The server keeps it for later subscribers; or it was kept.";
    PACKET_ID = "mqtt.packet_id", "packet id", mqtt("2.2.1"), "Ties an acknowledgement to its packet.";
    TOPIC = "mqtt.topic", "topic", mqtt("3.3.2.1"), "What a PUBLISH is about.";
    PAYLOAD = "mqtt.payload", "payload", mqtt("3.3.3"), "The application's message.";
    PROTOCOL = "mqtt.protocol_name", "protocol name", mqtt("3.1.2.1"), "MQTT, or MQIsdp in version 3.1.";
    LEVEL = "mqtt.protocol_level", "protocol level", mqtt("3.1.2.2"), "3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0.";
    CLEAN = "mqtt.clean_start", "clean start", mqtt("3.1.2.4"), "A session that is still there is dropped.";
    KEEP_ALIVE = "mqtt.keep_alive", "keep alive", mqtt("3.1.2.10"),
        "Seconds after which a silent client is given up; 0 is never.";
    CLIENT_ID = "mqtt.client_id", "client id", mqtt("3.1.3.1"),
        "The client's name, which its session goes by.";
    WILL_TOPIC = "mqtt.will_topic", "will topic", mqtt("3.1.3.3"),
        "Where the will is published when the client is lost.";
    WILL_PAYLOAD = "mqtt.will_payload", "will payload", mqtt("3.1.3.4"), "What is published then.";
    USER_NAME = "mqtt.user_name", "user name", mqtt("3.1.3.5"), "Who the client says it is.";
    PASSWORD = "mqtt.password", "password", mqtt("3.1.3.6"), "What proves it.";
    SESSION_PRESENT = "mqtt.session_present", "session present", mqtt("3.2.2.1"),
        "The server has the session that the client asks for.";
    REASON = "mqtt.reason_code", "reason code", mqtt("2.4"),
        "How it went; from 0x80 on it failed. In MQTT 3 a CONNACK's return code.";
    FILTER = "mqtt.topic_filter", "topic filter", mqtt("4.7"),
        "The topics that are meant; + stands for one level, # for all that follow.";
    PROPERTY = "mqtt.property", "property", mqtt("2.2.2"), "A property, since MQTT 5.";
}

rules! {
    /// The rules of MQTT.
    RULES;
    TEXT_FRAME = "mqtt-text-message", Error, mqtt("6"), Either,
        "MQTT in a text message",
        "The receiver closes the connection.";
    LENGTH_TOO_LONG = "mqtt-remaining-length-too-long", Error, mqtt("1.5.5"), Either,
        "The remaining length takes more than four bytes",
        "The receiver cannot tell where the packet ends, and closes the connection.";
    MALFORMED = "mqtt-malformed-packet", Error, mqtt("4.13.1"), Either,
        "Not an MQTT control packet",
        "The receiver closes the connection, since MQTT 5 with reason code 0x81.";
    PROTOCOL_ERROR = "mqtt-protocol-error", Error, mqtt("4.13.1"), Either,
        "An MQTT control packet that may not come here",
        "The receiver closes the connection, since MQTT 5 with reason code 0x82.";
    PACKET_CUT = "mqtt-packet-cut", Warning, mqtt("6"), Either,
        "The connection ends inside an MQTT control packet",
        "The receiver drops what came of it; a PUBLISH is lost, or sent again.";
    KEEP_ALIVE_OVER = "mqtt-keep-alive-over", Error, mqtt("3.1.2.10"), Client,
        "The client sent nothing for one and a half times the keep alive that it had promised",
        "The server closes the connection, and publishes the client's will if there is one.",
        usually "a client that is suspended or blocked, or a network that was lost",
        mend "send PINGREQ in time, from a timer that nothing blocks; or promise a longer keep alive";
    REFUSED = "mqtt-refused", Warning, mqtt("4.13.2"), Server,
        "The server refused what the client asked for",
        "After a refused CONNECT the server closes the connection; a refused filter delivers nothing.";
}
