//! The messages of `wstool encode`'s options, checked before they are sent.

use std::path::Path;

use clap::ArgMatches;

use crate::cli::file;
use crate::model::{CloseCode, Dir, Opcode, Text};
use crate::synth;
use crate::synth::conversation::{Content, Step};
use crate::synth::frames::{Masking, Message, Shape};
use crate::synth::handshake::{Request, Response};
use crate::synth::tcp::Ends;

use super::{Args, Failure, about_file, read, usage};

/// Payload bytes of a control frame at most.
//= RFC 6455 §5.5
//# All control frames MUST have a payload length of 125 bytes or less
const CONTROL_PAYLOAD: usize = 125;

impl Args {
    /// The steps of the messages on the command line.
    pub(super) fn spoken(&self, matches: &ArgMatches) -> Result<Vec<Step>, Failure> {
        let from = self.from.map_or(Dir::Client, Dir::from);
        let messages = self.messages(matches)?;
        if messages.is_empty() && self.pcap.is_none() {
            return Err(usage(
                "nothing to encode: give --text, --binary, --ping, --pong, --close, --close-empty, \
                 --socketio or --script",
            ));
        }
        let data = messages.iter().any(|message| !message.opcode.is_control());
        if self.fragment.is_some() && !data && !self.force {
            //= RFC 6455 §5.5
            //# MUST NOT be fragmented
            return Err(usage(
                "control frames must not be fragmented (RFC 6455 §5.5); --force does it all the same",
            ));
        }

        let mut steps = vec![Step::Connect(Ends::default())];
        steps.extend(Step::handshake(Request::default(), Response::default()));
        let mut closing = false;
        for message in messages {
            let answer = match message.opcode {
                Opcode::PING => Some(Message::new(Opcode::PONG, message.payload.clone())),
                Opcode::CLOSE if !closing => Some(Message::new(Opcode::CLOSE, message.payload.clone())),
                _ => None,
            };
            closing |= message.opcode == Opcode::CLOSE;
            let shape = self.shape(from, message.opcode);
            steps.push(Step::send(from, Content::Message(message, shape)));
            if self.pcap.is_some() {
                steps.extend(answer.map(|answer| Step::message(from.peer(), answer)));
            }
        }
        // After a length that is not true nobody knows where the next frame begins.
        if self.pcap.is_some() && !closing && self.length.is_none() {
            let close = Message::close(CloseCode(1000), b"");
            steps.push(Step::message(from, close.clone()));
            steps.push(Step::message(from.peer(), close));
        }
        Ok(steps)
    }

    /// The messages in the order of their options.
    fn messages(&self, matches: &ArgMatches) -> Result<Vec<Message>, Failure> {
        let at = |id: &str| matches.indices_of(id).into_iter().flatten().collect::<Vec<_>>();
        let mut messages: Vec<(usize, Message)> = Vec::new();
        for (index, text) in at("text").into_iter().zip(&self.text) {
            messages.push((index, Message::new(Opcode::TEXT, text.as_bytes())));
        }
        for (index, binary) in at("binary").into_iter().zip(&self.binary) {
            messages.push((index, Message::new(Opcode::BINARY, file_or_hex(binary)?)));
        }
        for (id, data, opcode) in [("ping", &self.ping, Opcode::PING), ("pong", &self.pong, Opcode::PONG)] {
            for (index, data) in at(id).into_iter().zip(data) {
                messages.push((index, Message::new(opcode, data.as_bytes())));
            }
        }
        for (index, &code) in at("close").into_iter().zip(&self.close) {
            self.check_code(CloseCode(code))?;
            messages.push((index, Message::close(CloseCode(code), b"")));
        }
        for index in at("close_empty").into_iter().take(self.close_empty.len()) {
            messages.push((index, Message::new(Opcode::CLOSE, [])));
        }
        let event = at("socketio").first().copied().unwrap_or_default();
        messages.extend(self.event()?.into_iter().map(|message| (event, message)));
        messages.sort_by_key(|(index, _)| *index);
        for (index, reason) in at("reason").into_iter().zip(&self.reason) {
            let close = messages.iter_mut().rev().find(|(at, _)| *at < index);
            match close {
                Some((_, message)) if message.opcode == Opcode::CLOSE && message.payload.len() == 2 => {
                    message.payload.extend_from_slice(reason.as_bytes());
                }
                _ => return Err(usage("--reason belongs after the --close CODE that it explains")),
            }
        }
        messages.into_iter().map(|(_, message)| self.checked(message)).collect()
    }

    /// The message with its bad UTF-8 in place, if it may be sent.
    fn checked(&self, mut message: Message) -> Result<Message, Failure> {
        if let (Some(at), Opcode::TEXT | Opcode::CLOSE) = (self.bad_utf8, message.opcode) {
            let text = message.payload.len()
                - if message.opcode == Opcode::CLOSE { 2.min(message.payload.len()) } else { 0 };
            if let Some(offset) = at.offset().filter(|offset| *offset >= text.max(1)) {
                return Err(usage(
                    Text::with(
                        "--bad-utf8={}: the {} has {} bytes of text, and the first is number 0",
                        offset,
                    )
                    .word(message.opcode.name())
                    .and(text),
                ));
            }
            message.spoil_utf8(at.offset());
        }
        let length = message.payload.len();
        if message.opcode.is_control() && length > CONTROL_PAYLOAD && !self.force {
            return Err(usage(match message.opcode {
                Opcode::CLOSE => Text::with(
                    "the reason has {} bytes; a Close frame has room for 123 (RFC 6455 §5.5); --force sends \
                     it all the same",
                    length - 2,
                ),
                opcode => Text::new(
                    "the {} has {} bytes; a control frame has room for 125 (RFC 6455 §5.5); --force sends \
                     it all the same",
                )
                .word(opcode.name())
                .and(length),
            }));
        }
        Ok(message)
    }

    fn check_code(&self, code: CloseCode) -> Result<(), Failure> {
        let why = match code.0 {
            1004 => "is reserved (RFC 6455 §7.4.1)",
            //= RFC 6455 §7.4.1
            //# MUST NOT be set as a status code in a Close control frame by an endpoint
            1005 | 1006 | 1015 => "is never sent in a Close frame (RFC 6455 §7.4.1)",
            0..=999 => "is not used; codes are 1000 to 4999 (RFC 6455 §7.4.2)",
            5000.. => "is out of range; codes are 1000 to 4999 (RFC 6455 §7.4.2)",
            _ => return Ok(()),
        };
        if self.force {
            return Ok(());
        }
        Err(usage(Text::with("close code {} {}; --force sends it all the same", code.0).word(why)))
    }

    fn shape(&self, from: Dir, opcode: Opcode) -> Shape {
        let cut = !opcode.is_control() || self.force;
        Shape {
            masking: self.mask.unwrap_or(Masking::of(from)),
            fragment: self.fragment.filter(|_| cut).map(|n| usize::try_from(n).unwrap_or(usize::MAX)),
            rsv: [1, 2, 3].map(|bit| self.rsv.contains(&bit)),
            opcode: self.opcode.map(Opcode),
            length_form: self.length_form,
            length: self.length,
            no_fin: self.no_fin,
        }
    }
}

/// The bytes of `FILE|HEX`.
pub(super) fn file_or_hex(given: &str) -> Result<Vec<u8>, Failure> {
    if given == "-" || file::exists(Path::new(given)) {
        return read(given);
    }
    synth::hex(given.as_bytes())
        .or(if given.is_empty() { Some(Vec::new()) } else { None })
        .ok_or_else(|| about_file(given, "neither a file nor hex such as 00ff"))
}
