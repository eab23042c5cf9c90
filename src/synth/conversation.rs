//! A conversation as a list of steps, and the packets it makes.

use crate::model::{Dir, Time};

use super::frames::{Frame, Keys, Message, Shape};
use super::h2::Data;
use super::handshake::{self, Request, Response};
use super::tcp::{Delivery, Ends, Tcp};
use super::{Emit, Entropy};

/// One step of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A new connection; the one before is closed in the end, unless it was left open.
    Connect(Ends),
    /// An endpoint sends something.
    Send(Send),
    /// Nothing happens for so many nanoseconds.
    Wait(u64),
    /// An endpoint closes its direction with a FIN.
    Finish(Dir),
    /// An endpoint resets the connection.
    Reset(Dir),
    /// The capture ends while the connection is open.
    Leave,
}

/// Something sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// Who sends it.
    pub from: Dir,
    /// What it is.
    pub content: Content,
    /// How TCP carries it.
    pub delivery: Delivery,
    /// Kept back and sent together with what the same endpoint sends next.
    pub more: bool,
    /// The DATA frame of HTTP/2 that carries it.
    pub data: Option<Data>,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The client's opening handshake.
    Request(Request),
    /// The server's, answering the last request of the connection.
    Response(Response),
    /// A message in frames.
    Message(Message, Shape),
    /// Bytes of the stream as they are.
    Raw(Vec<u8>),
}

impl Step {
    /// Something sent in the ordinary way.
    pub fn send(from: Dir, content: Content) -> Self {
        Self::Send(Send { from, content, delivery: Delivery::default(), more: false, data: None })
    }

    /// A right opening handshake: request and response.
    pub fn handshake(request: Request, response: Response) -> [Self; 2] {
        [
            Self::send(Dir::Client, Content::Request(request)),
            Self::send(Dir::Server, Content::Response(response)),
        ]
    }

    /// A message framed as the RFC asks.
    pub fn message(from: Dir, message: Message) -> Self {
        Self::send(from, Content::Message(message, Shape::of(from)))
    }
}

/// Plays `steps` from `start` on, each packet going to `emit` in order of time.
///
/// What is still open at the end is closed, the server first, unless the last
/// connection was left open. Sequence numbers, handshake keys and masking keys
/// come from `entropy`.
pub fn play(steps: &[Step], start: Time, entropy: &mut Entropy<'_>, emit: &mut Emit<'_>) {
    // Connections that are open at the same time are played one after the other, and then put in order.
    let side_by_side = |step: &Step| matches!(step, Step::Connect(Ends { at: Some(_), .. }));
    if !steps.iter().any(side_by_side) {
        return play_in_turn(steps, start, entropy, emit);
    }
    let mut packets: Vec<(Time, Vec<u8>)> = Vec::new();
    play_in_turn(steps, start, entropy, &mut |time, packet| packets.push((time, packet.to_vec())));
    packets.sort_by_key(|(time, _)| *time);
    for (time, packet) in packets {
        emit(time, &packet);
    }
}

fn play_in_turn(steps: &[Step], start: Time, entropy: &mut Entropy<'_>, emit: &mut Emit<'_>) {
    let mut player = Player { start, now: start, ..Player::default() };
    for step in steps {
        player.step(step, entropy, emit);
    }
    player.end(emit);
}

/// A piece of what an endpoint sends after the opening handshake.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// A frame.
    Frame(Frame<'a>),
    /// Bytes as they are.
    Raw(&'a [u8]),
}

/// Gives `each` the frames and raw bytes of `steps` in order, without TCP and
/// without the opening handshake.
pub fn pieces(steps: &[Step], entropy: &mut Entropy<'_>, each: &mut dyn FnMut(Dir, Piece<'_>)) {
    let mut keys = [Keys::default(), Keys::default()];
    for step in steps {
        let Step::Send(send) = step else { continue };
        match &send.content {
            Content::Request(_) | Content::Response(_) => {}
            Content::Raw(bytes) => each(send.from, Piece::Raw(bytes)),
            Content::Message(message, shape) => {
                for frame in message.frames(*shape, &mut keys[send.from.index()], entropy) {
                    each(send.from, Piece::Frame(frame));
                }
            }
        }
    }
}

/// Whether `steps` have frames or raw bytes that `dir` sends: whether [`pieces`] gives any.
pub fn sends_frames(steps: &[Step], dir: Dir) -> bool {
    steps.iter().any(|step| match step {
        Step::Send(send) if send.from == dir => match &send.content {
            Content::Request(_) | Content::Response(_) => false,
            Content::Raw(_) | Content::Message(..) => true,
        },
        _ => false,
    })
}

/// Nanoseconds between the end of a connection and the beginning of the next.
const NEXT_CONNECTION: u64 = 1_000_000;

/// What playing has to remember.
#[derive(Default)]
struct Player {
    start: Time,
    now: Time,
    tcp: Option<Tcp>,
    /// The last request, and the key chosen for it.
    request: (Request, String),
    keys: [Keys; 2],
    /// Bytes kept back, and how the first of them is to be delivered.
    kept: Option<(Dir, Delivery, Vec<u8>)>,
    left_open: bool,
}

impl Player {
    fn step(&mut self, step: &Step, entropy: &mut Entropy<'_>, emit: &mut Emit<'_>) {
        match step {
            Step::Connect(ends) => {
                self.end(emit);
                if let Some(at) = ends.at {
                    self.now = Time(self.start.0.saturating_add(at));
                }
                self.connect(*ends, entropy, emit);
            }
            Step::Send(send) => {
                let bytes = match (self.bytes(send, entropy), send.data) {
                    (bytes, Some(data)) => data.around(&bytes),
                    (bytes, None) => bytes,
                };
                let (delivery, bytes) = match self.kept.take() {
                    Some((from, delivery, kept)) if from == send.from => (delivery, [kept, bytes].concat()),
                    kept => {
                        self.kept = kept;
                        self.flush(entropy, emit);
                        (send.delivery, bytes)
                    }
                };
                self.kept = Some((send.from, delivery, bytes));
                if !send.more {
                    self.flush(entropy, emit);
                }
            }
            Step::Wait(nanoseconds) => {
                self.flush(entropy, emit);
                self.tcp(entropy, emit).wait(*nanoseconds);
            }
            Step::Finish(from) => {
                self.flush(entropy, emit);
                self.tcp(entropy, emit).finish(*from, emit);
            }
            Step::Reset(from) => {
                self.flush(entropy, emit);
                self.tcp(entropy, emit).reset(*from, emit);
            }
            Step::Leave => {
                self.flush(entropy, emit);
                self.left_open = true;
            }
        }
    }

    fn bytes(&mut self, send: &Send, entropy: &mut Entropy<'_>) -> Vec<u8> {
        match &send.content {
            Content::Request(request) => {
                let mut nonce = [0; 16];
                entropy(&mut nonce);
                self.request = (request.clone(), handshake::key(nonce));
                request.bytes(&self.request.1)
            }
            Content::Response(response) => response.bytes(&self.request.0, &self.request.1),
            Content::Raw(bytes) => bytes.clone(),
            Content::Message(message, shape) => {
                let mut bytes = Vec::new();
                for frame in message.frames(*shape, &mut self.keys[send.from.index()], entropy) {
                    frame.write(&mut bytes);
                }
                bytes
            }
        }
    }

    /// Sends what was kept back.
    fn flush(&mut self, entropy: &mut Entropy<'_>, emit: &mut Emit<'_>) {
        if let Some((from, delivery, bytes)) = self.kept.take() {
            self.tcp(entropy, emit).send(from, &bytes, delivery, emit);
        }
    }

    /// The connection, an ordinary one if none was asked for.
    fn tcp(&mut self, entropy: &mut Entropy<'_>, emit: &mut Emit<'_>) -> &mut Tcp {
        if self.tcp.is_none() {
            self.connect(Ends::default(), entropy, emit);
        }
        self.tcp.as_mut().expect("just connected")
    }

    fn connect(&mut self, ends: Ends, entropy: &mut Entropy<'_>, emit: &mut Emit<'_>) {
        let mut number = || {
            let mut bytes = [0; 4];
            entropy(&mut bytes);
            u32::from_be_bytes(bytes)
        };
        let isn = [number(), number()];
        self.tcp = Some(Tcp::open(ends, self.now, isn, emit));
        self.keys = [Keys::default(), Keys::default()];
        self.left_open = false;
    }

    /// Ends the connection, if there is one.
    fn end(&mut self, emit: &mut Emit<'_>) {
        let kept = self.kept.take();
        if let Some(mut tcp) = self.tcp.take() {
            if let Some((from, delivery, bytes)) = kept {
                tcp.send(from, &bytes, delivery, emit);
            }
            if !self.left_open {
                tcp.close(emit);
            }
            self.now = Time(tcp.now().0.saturating_add(NEXT_CONNECTION));
        }
    }
}

#[cfg(test)]
mod tests {
    use etherparse::PacketHeaders;

    use super::*;
    use crate::model::{CloseCode, Opcode};
    use crate::synth::Rng;

    fn chat() -> Vec<Step> {
        let mut steps = vec![Step::Connect(Ends::default())];
        steps.extend(Step::handshake(Request::default(), Response::default()));
        steps.push(Step::message(Dir::Client, Message::new(Opcode::TEXT, "hello")));
        steps.push(Step::message(Dir::Server, Message::new(Opcode::TEXT, "hi")));
        let bye = Message::close(CloseCode(1000), b"");
        steps.push(Step::message(Dir::Client, bye.clone()));
        steps.push(Step::message(Dir::Server, bye));
        steps
    }

    fn packets(steps: &[Step], seed: u64) -> Vec<(Time, Vec<u8>)> {
        let mut rng = Rng::new(seed);
        let mut packets = Vec::new();
        play(steps, Time(7), &mut |b| rng.fill(b), &mut |time, packet| {
            packets.push((time, packet.to_vec()));
        });
        packets
    }

    fn payloads(packets: &[(Time, Vec<u8>)]) -> Vec<Vec<u8>> {
        let payload =
            |packet: &[u8]| PacketHeaders::from_ethernet_slice(packet).unwrap().payload.slice().to_vec();
        packets.iter().map(|(_, p)| payload(p)).filter(|p| !p.is_empty()).collect()
    }

    #[test]
    fn a_seed_decides_every_byte() {
        assert_eq!(packets(&chat(), 1), packets(&chat(), 1));
        assert_ne!(packets(&chat(), 1), packets(&chat(), 2));
    }

    #[test]
    fn a_chat_has_all_its_parts() {
        let payloads = payloads(&packets(&chat(), 1));
        assert!(payloads[0].starts_with(b"GET / HTTP/1.1\r\n"));
        assert!(payloads[1].starts_with(b"HTTP/1.1 101 "));
        assert_eq!((payloads[2][0], payloads[2].len()), (0x81, 11));
        assert_eq!(payloads[3], b"\x81\x02hi");
        assert_eq!((payloads[4][0], payloads[4].len()), (0x88, 8));
        assert_eq!(payloads[5], b"\x88\x02\x03\xE8");
    }

    #[test]
    fn bytes_kept_back_go_with_the_next_of_the_same_sender() {
        let send = |text: &str, more| {
            let content = Content::Raw(text.into());
            Step::Send(Send { from: Dir::Server, content, delivery: Delivery::default(), more, data: None })
        };
        let steps = [send("a", true), send("b", true), send("c", false), send("d", true), send("e", true)];
        assert_eq!(payloads(&packets(&steps, 1)), [&b"abc"[..], b"de"]);
        let steps = [send("a", true), Step::send(Dir::Client, Content::Raw(b"x".to_vec())), send("b", false)];
        assert_eq!(payloads(&packets(&steps, 1)), [b"a", b"x", b"b"]);
    }

    #[test]
    fn a_connection_left_open_has_no_fin() {
        let mut steps = chat();
        let closed = packets(&steps, 1).len();
        steps.push(Step::Leave);
        assert_eq!(packets(&steps, 1).len(), closed - 4);
        steps.extend(chat());
        assert_eq!(packets(&steps, 1).len(), closed - 4 + closed);
    }

    #[test]
    fn pieces_are_the_frames_without_their_carriage() {
        let mut rng = Rng::new(1);
        let mut seen = Vec::new();
        pieces(&chat(), &mut |b| rng.fill(b), &mut |dir, piece| {
            let Piece::Frame(frame) = piece else { panic!("no raw bytes here") };
            seen.push((dir, frame.header.opcode, frame.header.masking_key.is_some()));
        });
        let expected = [
            (Dir::Client, Opcode::TEXT, true),
            (Dir::Server, Opcode::TEXT, false),
            (Dir::Client, Opcode::CLOSE, true),
            (Dir::Server, Opcode::CLOSE, false),
        ];
        assert_eq!(seen, expected);
    }
}
