//! How mistakes are mended that are known by the bytes: the same way in whatever case they show.
//!
//! What only says that something went wrong (nothing came, it goes on as if nothing were wrong) is not here:
//! what is behind that, the case may know.

use super::{ANSWERED_BUT_STATUS, NO_EMPTY_LINE, payload, wire};
use crate::model::Text;
use crate::model::grade::{Chapter, Remedy};

/// The remedy for a mistake; `None` where only the case says what is to be mended.
pub fn of(looks_like: &Text) -> Option<&'static Remedy> {
    REMEDIES.iter().find(|remedy| remedy.of.contains(&looks_like.template))
}

const fn remedy(
    of: &'static [&'static str],
    mend: &'static str,
    cite: &'static str,
    chapter: Chapter,
) -> Remedy {
    Remedy { of, mend, rule: "", cite, chapter, is_first: false }
}

const REMEDIES: &[Remedy] = &[
    Remedy {
        is_first: true,
        ..remedy(
            &payload::OF_MASKS,
            "XOR byte i of the payload with byte i mod 4 of the masking key, the four bytes before \
             the payload",
            "RFC 6455 §5.3",
            Chapter::Masking,
        )
    },
    Remedy {
        is_first: true,
        ..remedy(
            &[wire::KEY_TAKEN],
            "look at the mask bit, the top bit of a frame's second byte: a server fails the connection with \
             1002 where it is 0",
            "RFC 6455 §5.1",
            Chapter::Masking,
        )
    },
    Remedy {
        is_first: true,
        ..remedy(
            &[wire::LENGTH_TAKEN],
            "where the seven bits are 126, read the next 2 bytes as the length, where they are 127 the next \
             8, and only then the masking key; write lengths in the same way",
            "RFC 6455 §5.2",
            Chapter::Framing,
        )
    },
    remedy(
        &[ANSWERED_BUT_STATUS],
        "begin the answer with HTTP/1.1 101 Switching Protocols",
        "RFC 6455 §4.2.2",
        Chapter::Handshake,
    ),
    remedy(
        &[NO_EMPTY_LINE],
        "end each header field with CR LF, and put a CR LF of its own behind the last one",
        "RFC 9112 §2.1",
        Chapter::Handshake,
    ),
    Remedy {
        rule: "pong-payload-mismatch",
        ..remedy(
            &["the pong has none of the ping's payload", "the pong has only the first {} of {} bytes"],
            "send the ping's payload back in the pong: unmasked, and all of it",
            "RFC 6455 §5.5.3",
            Chapter::Control,
        )
    },
    Remedy {
        rule: "ping-not-answered",
        ..remedy(
            &[
                "the ping was answered with a ping",
                "the ping was answered as if it were a message",
                "the ping was not answered",
            ],
            "answer each ping in the reading loop itself: a pong (opcode 10) with the unmasked \
             payload of the ping",
            "RFC 6455 §5.5.2",
            Chapter::Control,
        )
    },
    remedy(
        &[payload::AROUND],
        "answer a ping as soon as it has come, between the fragments of a message too",
        "RFC 6455 §5.4",
        Chapter::Fragmentation,
    ),
    remedy(
        &[payload::OF_ITS_OWN],
        "send back what comes, and nothing else: no greeting, and nothing that a timer sends",
        "",
        Chapter::Framing,
    ),
    remedy(
        &[payload::LATE],
        "answer a ping as soon as it has come, ahead of messages that wait to be sent",
        "RFC 6455 §5.5.2",
        Chapter::Control,
    ),
    remedy(
        &["a pong was answered with a pong"],
        "pass over pongs that nobody waits for",
        "RFC 6455 §5.5.3",
        Chapter::Control,
    ),
    Remedy {
        rule: "close-not-answered",
        ..remedy(
            &["Close was not answered with Close"],
            "answer a Close frame with a Close frame, and end TCP as a server then",
            "RFC 6455 §5.5.1",
            Chapter::Closing,
        )
    },
    remedy(
        &["it waits for the client to end TCP, which is the server's to end"],
        "close the socket as soon as Close went both ways",
        "RFC 6455 §7.1.1",
        Chapter::Closing,
    ),
    Remedy {
        rule: "data-after-close",
        ..remedy(
            &["what was sent behind Close was still answered"],
            "answer Close, send nothing more, and read nothing more but the end of TCP",
            "RFC 6455 §5.5.1",
            Chapter::Closing,
        )
    },
    // Bytes that come back as text are seldom UTF-8.
    Remedy {
        is_first: true,
        ..remedy(
            &[
                "text came back as binary: the opcode is not the one it came with",
                "binary came back as text: the opcode is not the one it came with",
            ],
            "send a message back with the opcode that it came with: 1 for text, 2 for binary",
            "RFC 6455 §5.6",
            Chapter::Framing,
        )
    },
    remedy(
        &[
            "each fragment came back as a message of its own: FIN was not looked at",
            "only the first fragment came back",
            "the last fragment is missing",
            "only the last fragment came back: those before it are lost",
            "the first {} bytes are lost",
        ],
        "collect the payloads of a message's frames, and take them for a message when one has FIN",
        "RFC 6455 §5.4",
        Chapter::Fragmentation,
    ),
    remedy(
        &["FIN is 0 in the frame that came: the message never ends"],
        "set FIN, the first bit, in the last frame of each message",
        "RFC 6455 §5.2",
        Chapter::Fragmentation,
    ),
    remedy(
        &[
            "the length {} was read into 16 bits: {} is left of it",
            "the length {} was read into 8 bits: {} is left of it",
            "the length {} is a negative number where 16 bits are read as signed",
            "it waits for more: the length {} is {} where it is read as little-endian",
        ],
        "read the 7-bit length; where it is 126 two more bytes, where it is 127 eight, unsigned and \
         the highest first",
        "RFC 6455 §5.2",
        Chapter::Framing,
    ),
    remedy(
        &[
            "{} bytes are announced in the seven bits of the length, where {} says that it follows",
            "the length {} was written into 16 bits, as {}",
            "the length was written as little-endian: {} for {}",
        ],
        "write up to 125 in seven bits, up to 65,535 as 126 and two bytes, more as 127 and eight, \
         the highest first",
        "RFC 6455 §5.2",
        Chapter::Framing,
    ),
    remedy(
        &["only the {} bytes that came with the first TCP segment came back"],
        "read on until all bytes are there that the header announces",
        "RFC 6455 §5.2",
        Chapter::Framing,
    ),
    remedy(
        &[
            "it came back empty",
            "it ends at its first zero byte, as strings of C do",
            "it is cut: the first {} of {} bytes came back",
            "a line end was added",
            "a zero byte was added",
            "it came back twice, in one message",
            "{} bytes were added behind it",
        ],
        "keep the payload as bytes, of exactly the length that the header says",
        "RFC 6455 §5.2",
        Chapter::Framing,
    ),
    remedy(
        &[
            "its UTF-8 was read as Latin-1, and each of its bytes written as a character",
            "characters beyond ASCII were replaced by question marks",
        ],
        "read text as UTF-8 and write it as UTF-8, whatever the system's own encoding is",
        "RFC 6455 §5.6",
        Chapter::Utf8,
    ),
    Remedy {
        rule: "invalid-utf8",
        ..remedy(
            &[
                "what is no UTF-8 was replaced by U+FFFD, and not refused",
                "it took text that is no UTF-8, and sent it back",
            ],
            "decode text strictly, and fail the connection with 1007 where it is no UTF-8",
            "RFC 6455 §8.1",
            Chapter::Utf8,
        )
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A remedy for what nobody says would never be told.
    #[test]
    fn every_remedy_is_for_a_mistake_that_can_be_found() {
        let sources = [
            include_str!("../likely.rs"),
            include_str!("payload.rs"),
            include_str!("wire.rs"),
            include_str!("masks.rs"),
        ];
        for remedy in REMEDIES {
            assert!(!remedy.of.is_empty() && !remedy.mend.is_empty());
            for template in remedy.of {
                let quoted = format!("\"{template}\"");
                assert!(sources.iter().any(|source| source.contains(&quoted)), "{template}");
                let all = REMEDIES.iter().filter(|it| it.of.contains(template));
                assert_eq!(all.count(), 1, "{template}");
            }
        }
    }

    #[test]
    fn rules_of_remedies_are_rules_and_cited_as_they_are() {
        for remedy in REMEDIES.iter().filter(|it| !it.rule.is_empty()) {
            let rule = crate::rules().find(|rule| rule.id == remedy.rule);
            let rule = rule.unwrap_or_else(|| panic!("there is no rule {}", remedy.rule));
            assert_eq!(rule.cite.to_string().split(',').next(), Some(remedy.cite), "{}", rule.id);
        }
    }
}
