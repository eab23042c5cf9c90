//! WebSocket framing (RFC 6455 §5–§8): the spec sheet.
//!
//! The fields of a frame and the rules its sender is held to stand here, each
//! with its section. The code that reads and judges them is in the files below:
//!
//! - `header` reads the 2 to 14 bytes before a payload, `encode` writes them
//! - `mask` applies the masking key, `utf8` validates text as it arrives
//! - `close` reads a Close frame's body
//! - `half` turns one endpoint's bytes into frames, `message` its fragments into messages
//! - `judge` holds a header against the rules, `cut` what is there of one, `aftermath` both endpoints:
//!   pongs, closing, violations
//! - `deflate` inflates (RFC 7692), `compressed` holds the sender to what was agreed
//! - `repeats` counts what was found too often to be told again
//! - `conversation` keeps the two halves together; `describe` annotates frames for those who look
//! - `shape` says what makes bytes frames and what excludes it, `seek` finds where they begin:
//!   without a handshake, and again after a gap

pub(crate) mod aftermath;
pub mod agreed;
pub mod close;
pub(crate) mod compressed;
pub mod conversation;
pub(crate) mod cut;
pub(crate) mod deflate;
pub mod describe;
pub mod encode;
pub(crate) mod half;
pub mod header;
mod held;
mod interleaved;
pub(crate) mod judge;
pub mod mask;
pub(crate) mod message;
pub(crate) mod repeats;
pub(crate) mod seek;
pub(crate) mod shape;
mod shared;
mod told;
mod unagreed;
pub mod utf8;

pub use agreed::Extensions;
pub use conversation::Conversation;
pub use half::{Prospect, Scratch};
pub use held::{Given, Held, Loss};
pub use interleaved::INTERLEAVED_WRITERS;
pub use unagreed::TEXT_WITHOUT_FRAMES;

use crate::model::{Cite, fields, rules};

fields! {
    /// The fields of a frame, in wire order.
    FIELDS;
    FIN = "ws.fin", "FIN", Cite::rfc6455("5.2"), "Set on the last, or only, fragment of a message.";
    RSV1 = "ws.rsv1", "RSV1", Cite::rfc6455("5.2"),
        "0 unless an extension gives it a meaning; permessage-deflate does.", Reserved;
    RSV2 = "ws.rsv2", "RSV2", Cite::rfc6455("5.2"), "0 unless an extension gives it a meaning.", Reserved;
    RSV3 = "ws.rsv3", "RSV3", Cite::rfc6455("5.2"), "0 unless an extension gives it a meaning.", Reserved;
    OPCODE = "ws.opcode", "opcode", Cite::rfc6455("5.2"), "What the payload is.";
    MASK = "ws.mask", "MASK", Cite::rfc6455("5.2"),
        "Set when the payload is masked: by clients always, by servers never.";
    LENGTH = "ws.length", "payload length", Cite::rfc6455("5.2"),
        "Bytes of payload up to 125; 126 and 127 announce a longer form.";
    EXTENDED_LENGTH = "ws.extended_length", "extended payload length", Cite::rfc6455("5.2"),
        "The length in network byte order, when seven bits are too few.";
    MASKING_KEY = "ws.masking_key", "masking key", Cite::rfc6455("5.3"),
        "Four bytes, fresh and unpredictable for each frame, which the payload is XORed with.";
    PAYLOAD = "ws.payload", "payload", Cite::rfc6455("5.2"),
        "The application's bytes, unmasked here.", Payload;
    CLOSE_CODE = "ws.close_code", "status code", Cite::rfc6455("7.4"), "Why the endpoint closes.";
    CLOSE_REASON = "ws.close_reason", "reason", Cite::rfc6455("5.5.1"),
        "Words for a developer's log, UTF-8; not for users.";
}

rules! {
    /// The rules of compressed messages (RFC 7692).
    DEFLATE_RULES;
    PMD_RSV1_ON_CONTROL = "pmd-rsv1-on-control", Error, Cite::rfc7692("6.1"), Either,
        "RSV1 is set on a control frame",
        "the receiver fails the connection: control frames are never compressed",
        fails 1002;
    PMD_RSV1_ON_CONTINUATION = "pmd-rsv1-on-continuation", Error, Cite::rfc7692("6.1"), Either,
        "RSV1 is set on a fragment that is not the first",
        "the receiver fails the connection: the first fragment says whether a message is compressed",
        fails 1002;
    PMD_INFLATE_ERROR = "pmd-inflate-error", Error, Cite::rfc7692("7.2.2"), Either,
        "a compressed message cannot be inflated",
        "the receiver fails the connection, with 1007 or 1002 if it says why",
        fails 1002;
    PMD_TAIL_NOT_STRIPPED = "pmd-tail-not-stripped", Error, Cite::rfc7692("7.2.1"), Either,
        "a compressed message still ends in 00 00 ff ff",
        "the receiver puts these bytes back itself; twice they are no valid block, and inflating fails",
        fails 1002;
    PMD_NONZERO_PADDING = "pmd-nonzero-padding", Error, Cite::rfc7692("7.2.1"), Either,
        "the padding behind a final block is not zero",
        "most receivers ignore the padding";
    PMD_CONTEXT_TAKEOVER_VIOLATION = "pmd-context-takeover-violation", Error, Cite::rfc7692("7.2.1"), Either,
        "a message refers to earlier ones although that was agreed away",
        "a receiver that has dropped its window cannot inflate the message and fails the connection",
        fails 1002;
    PMD_WINDOW_EXCEEDED = "pmd-window-exceeded", Error, Cite::rfc7692("7.2.1"), Either,
        "a message refers farther back than the agreed window",
        "a receiver that keeps only the agreed window cannot inflate the message and fails the connection",
        fails 1002;
    PMD_WINDOW_LOST = "pmd-window-lost", Note, Cite::rfc7692("7.2.2"), Capture,
        "a message refers to earlier ones that are not at hand",
        "its receiver had them; here it cannot be inflated. Messages that refer to nothing lost are shown";
}

rules! {
    /// The rules of frames, messages and closing (RFC 6455).
    RULES;
    UNMASKED_CLIENT_FRAME = "unmasked-client-frame", Error, Cite::rfc6455("5.1"), Client,
        "a client frame is not masked",
        "the server closes the connection, with 1002 if it says why",
        fails 1002;
    MASKED_SERVER_FRAME = "masked-server-frame", Error, Cite::rfc6455("5.1"), Server,
        "a server frame is masked",
        "the client closes the connection, with 1002 if it says why",
        fails 1002;
    OPEN_AFTER_VIOLATION = "open-after-violation", Warning, Cite::rfc6455("7.1.7"), Either,
        "an endpoint carries on after its peer broke the protocol",
        "a strict endpoint would have failed the connection";
    RESERVED_BIT_SET = "reserved-bit-set", Error, Cite::rfc6455("5.2"), Either,
        "a reserved bit is set that no agreed extension defines",
        "the receiver fails the connection",
        fails 1002;
    RESERVED_OPCODE = "reserved-opcode", Error, Cite::rfc6455("5.2"), Either,
        "the opcode is reserved",
        "the receiver fails the connection",
        fails 1002;
    LENGTH_HIGH_BIT_SET = "length-high-bit-set", Error, Cite::rfc6455("5.2"), Either,
        "the top bit of a 64-bit length is set",
        "the receiver fails the connection; no payload of that length can follow",
        fails 1002;
    NON_MINIMAL_LENGTH = "non-minimal-length", Error, Cite::rfc6455("5.2"), Either,
        "the length is not encoded in the fewest bytes",
        "strict receivers fail the connection; many let it pass";
    REPEATED_MASKING_KEY = "repeated-masking-key", Warning, Cite::rfc6455("5.3"), Client,
        "a masking key is used again for the next frame",
        "whoever chooses the payload can choose the bytes on the wire, which masking is there to prevent";
    ZERO_MASKING_KEY = "zero-masking-key", Warning, Cite::rfc6455("5.3"), Client,
        "the masking key is zero, so the payload is on the wire as it is",
        "whoever chooses the payload can choose the bytes on the wire, which masking is there to prevent";
    PREDICTABLE_MASKING_KEY = "predictable-masking-key", Warning, Cite::rfc6455("5.3"), Client,
        "masking keys follow a pattern",
        "whoever chooses the payload can choose the bytes on the wire, which masking is there to prevent";
    UNEXPECTED_CONTINUATION = "unexpected-continuation", Error, Cite::rfc6455("5.4"), Either,
        "a continuation frame continues nothing",
        "the receiver fails the connection",
        fails 1002;
    EXPECTED_CONTINUATION = "expected-continuation", Error, Cite::rfc6455("5.4"), Either,
        "a new message begins while another is unfinished",
        "the receiver fails the connection",
        fails 1002;
    CONTROL_FRAME_TOO_LONG = "control-frame-too-long", Error, Cite::rfc6455("5.5"), Either,
        "a control frame has more than 125 bytes of payload",
        "the receiver fails the connection",
        fails 1002;
    FRAGMENTED_CONTROL_FRAME = "fragmented-control-frame", Error, Cite::rfc6455("5.5"), Either,
        "a control frame is fragmented",
        "the receiver fails the connection",
        fails 1002;
    CLOSE_PAYLOAD_ONE_BYTE = "close-payload-one-byte", Error, Cite::rfc6455("5.5.1"), Either,
        "a Close frame has one byte of payload",
        "a body must begin with a two-byte code: the receiver fails the connection",
        fails 1002;
    INVALID_UTF8_CLOSE_REASON = "invalid-utf8-close-reason", Error, Cite::rfc6455("5.5.1"), Either,
        "the reason of a Close frame is not valid UTF-8",
        "the receiver fails the connection, with 1007 if it says why",
        fails 1007;
    DATA_AFTER_CLOSE = "data-after-close", Error, Cite::rfc6455("5.5.1"), Either,
        "data is sent after a Close frame",
        "the receiver ignores it: the closing handshake has begun";
    CLOSE_NOT_ANSWERED = "close-not-answered", Error, Cite::rfc6455("5.5.1"), Either,
        "a Close frame is not answered",
        "the endpoint that closed waits until it gives up; browsers then report wasClean = false";
    CLOSE_CODE_NOT_ECHOED = "close-code-not-echoed", Note, Cite::rfc6455("5.5.1"), Either,
        "the answering Close carries another code than the one received",
        "allowed, but each side reports another reason for the end";
    CLOSE_ANSWER_SLOW = "close-answer-slow", Warning, Cite::rfc6455("5.5.1"), Either,
        "a Close frame is answered late",
        "the endpoint that closed keeps its socket and its buffers until then";
    CLOSE_WITHOUT_CODE = "close-without-code", Note, Cite::rfc6455("7.1.5"), Either,
        "a Close frame carries no code",
        "the receiver reports 1005 to its application, which is never sent";
    TCP_OPEN_AFTER_CLOSE = "tcp-open-after-close", Warning, Cite::rfc6455("5.5.1"), Either,
        "TCP stays open after the closing handshake",
        "sockets pile up: the server must close TCP at once";
    CLIENT_CLOSED_TCP_FIRST = "client-closed-tcp-first", Note, Cite::rfc6455("7.1.1"), Client,
        "the client closes TCP before the server",
        "the client's side holds the port in TIME_WAIT and cannot reopen it for a while";
    PING_NOT_ANSWERED = "ping-not-answered", Warning, Cite::rfc6455("5.5.2"), Either,
        "a ping is not answered",
        "the endpoint that pinged takes the connection for dead";
    PONG_SLOW = "pong-slow", Warning, Cite::rfc6455("5.5.2"), Either,
        "a ping is answered late",
        "the endpoint that pinged may have given up by then",
        usually "a program that was busy or suspended, or something large that was on its way before the \
                 pong",
        mend "look at what the endpoint did at that time; answer from the loop that reads, and queue no \
              pong behind what is large";
    PONG_PAYLOAD_MISMATCH = "pong-payload-mismatch", Warning, Cite::rfc6455("5.5.3"), Either,
        "a ping is followed only by pongs with other payloads",
        "the endpoint that pinged cannot tell that it was answered";
    UNSOLICITED_PONG = "unsolicited-pong", Note, Cite::rfc6455("5.5.3"), Either,
        "a pong answers no ping",
        "allowed as a one-way heartbeat; nobody answers it";
    INVALID_UTF8 = "invalid-utf8", Error, Cite::rfc6455("8.1"), Either,
        "a text message is not valid UTF-8",
        "the receiver fails the connection, with 1007 if it says why",
        fails 1007;
    INCOMPLETE_MESSAGE = "incomplete-message", Error, Cite::rfc6455("6.1"), Either,
        "the stream ends before the last fragment of a message",
        "the receiver discards the fragments it has";
    TRUNCATED_FRAME = "truncated-frame", Error, Cite::rfc6455("6.1"), Either,
        "the stream ends inside a frame",
        "the receiver discards the frame";
    CONTROL_AFTER_CLOSE = "control-after-close", Note, Cite::rfc6455("5.5.2"), Either,
        "a ping or pong is sent after a Close frame",
        "not forbidden, but nobody has to answer";
    TCP_RESET = "tcp-reset", Warning, Cite::rfc6455("7.1.1"), Either,
        "TCP is reset instead of closed",
        "what was still on its way is lost";
    NO_CLOSING_HANDSHAKE = "no-closing-handshake", Warning, Cite::rfc6455("7.1.5"), Either,
        "TCP ends without a Close frame from either side",
        "both sides report 1006: an abnormal closure";
    UNCLEAN_CLOSE = "unclean-close", Warning, Cite::rfc6455("7.1.4"), Either,
        "TCP ends before the closing handshake is complete",
        "the connection is not closed cleanly: browsers report wasClean = false";
    DUPLICATE_CLOSE = "duplicate-close", Error, Cite::rfc6455("7.1.5"), Either,
        "an endpoint sends a second Close frame",
        "the receiver ignores it";
    FAILED_WITHOUT_CLOSE = "failed-without-close", Warning, Cite::rfc6455("7.1.7"), Either,
        "an endpoint drops the connection after a violation without saying why",
        "the peer learns only 1006; a Close frame with a code would tell it what it did wrong";
    RESERVED_CLOSE_CODE = "reserved-close-code", Error, Cite::rfc6455("7.4.1"), Either,
        "the close code must never be on the wire",
        "the receiver fails the connection, with 1002 if it says why",
        fails 1002;
    CLOSE_1010_WITHOUT_LIST = "close-1010-without-list", Warning, Cite::rfc6455("7.4.1"), Client,
        "code 1010 comes without the list of missing extensions",
        "the server cannot tell which extension was missed";
    CLOSE_1010_FROM_SERVER = "close-1010-from-server", Note, Cite::rfc6455("7.4.1"), Server,
        "a server closes with 1010",
        "a server that lacks an extension refuses the handshake instead";
    CLOSE_CODE_OUT_OF_RANGE = "close-code-out-of-range", Error, Cite::rfc6455("7.4.2"), Either,
        "the close code is outside 1000–4999",
        "the receiver fails the connection, with 1002 if it says why",
        fails 1002;
    UNASSIGNED_CLOSE_CODE = "unassigned-close-code", Error, Cite::rfc6455("7.4.2"), Either,
        "the close code belongs to the protocol and is not assigned",
        "strict receivers fail the connection, with 1002 if they say why",
        fails 1002;
    FRAME_TOO_LARGE = "frame-too-large", Note, Cite::rfc6455("10.4"), Either,
        "the frame is larger than many receivers allow",
        "a receiver guarding its limits closes with 1009";
    MESSAGE_TOO_LARGE = "message-too-large", Note, Cite::rfc6455("10.4"), Either,
        "the message is larger, or in more fragments, than many receivers allow",
        "a receiver guarding its limits closes with 1009";
    MEMORY_BUDGET_REACHED = "memory-budget-reached", Note, Cite::rfc6455("10.4"), Capture,
        "memory was short, and something that was held of a connection was given up",
        "the endpoints did not notice, and decoding goes on without it; --memory raises the budget";
}
