//! A message that came in a single frame, both in one.

use std::cell::{Ref, RefCell};
use std::ops::Deref;

use super::app::App;
use super::span::SourceId;
use super::stream::At;
use super::unit::{Body, Frame, FrameHeader, Message, Unit, Utf8};
use super::wire::{Dir, Opcode};

/// A frame that breaks no rule, and carries a text or binary message as a whole, uncompressed: what most of
/// all traffic is. It says as much as its two units do, in little; who only counts needs no more.
#[derive(Clone, Copy, Debug)]
pub struct Single<'a> {
    /// What was sent, which is not copied when it is read.
    pub sent: &'a Sent<'a>,
    /// [`Message::app`], once it has been read, and if it means anything.
    pub app: Option<Meant<'a>>,
    /// It has been read, and is a text of no protocol, all of which is there: as it stands between the quotes
    /// of a string of JSON. It is JSON itself if `app` says so, which says nothing else then.
    pub quoted: Option<&'a [u8]>,
}

/// The frame and the message themselves.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// Number of the connection.
    pub conn: u32,
    /// Who sent it.
    pub dir: Dir,
    /// The packet that carried it.
    pub at: At,
    /// [`Frame::n`].
    pub n: u64,
    /// [`Message::m`].
    pub m: u64,
    /// [`Frame::offset`].
    pub offset: u64,
    /// Text or binary.
    pub opcode: Opcode,
    /// Bytes of the payload.
    pub length: u64,
    /// The frame's header as it stands on the wire: FIN, no RSV, and the length in its shortest form.
    pub head: &'a [u8],
    /// The unmasked payload, as far as it is [wanted](super::Wants::payload).
    pub payload: &'a [u8],
    /// [`Message::text`].
    pub text: Option<&'a str>,
    /// [`Frame::inferred`].
    pub inferred: bool,
}

impl<'a> Deref for Single<'a> {
    type Target = Sent<'a>;

    #[inline]
    fn deref(&self) -> &Sent<'a> {
        self.sent
    }
}

/// What a message means: told when somebody looks at it, in room that is lent to all such messages.
#[derive(Clone, Copy, Debug)]
pub struct Meant<'a> {
    /// The room.
    pub room: &'a RefCell<App>,
    /// Tells there what a text means, which is the content of a source.
    pub tell: fn(&str, SourceId, &mut App),
}

impl<'a> Meant<'a> {
    fn of(self, text: &str, source: SourceId) -> Ref<'a, App> {
        // Somebody looks at it already: then it has been told.
        if let Ok(mut room) = self.room.try_borrow_mut() {
            (self.tell)(text, source, &mut room);
        }
        self.room.borrow()
    }
}

impl Single<'_> {
    /// What the frame's header says.
    pub fn header(&self) -> FrameHeader {
        let is_masked = self.head.get(1).is_some_and(|second| second & 0x80 != 0);
        let key = self.head.last_chunk().copied().filter(|_| is_masked);
        FrameHeader::of(self.opcode, key, self.length)
    }

    /// Lends the unit of the frame, and the message, whose unit differs from that only in its body.
    pub fn lend<T>(&self, take: impl FnOnce(&Unit<'_>, &Message<'_>) -> T) -> T {
        let Self {
            app, sent: &Sent { conn, dir, at, n, m, offset, head, payload, text, inferred, .. }, ..
        } = *self;
        let header = self.header();
        let app = app.map(|app| app.of(text.unwrap_or_default(), SourceId::Message { conn, m }));
        let frame = Frame {
            n,
            offset,
            header,
            head,
            of: header.opcode,
            compressed: false,
            captured: header.length,
            missing: 0,
            truncated: false,
            inferred,
            payload,
            holes: &[],
        };
        let unit = Unit { dir: Some(dir), ..Unit::of(conn, Body::Frame(&frame)).at(at) };
        let message = Message {
            m,
            kind: header.opcode,
            frames: &[n],
            frame_count: 1,
            length: header.length,
            compressed: false,
            inflated_length: None,
            from_earlier: None,
            complete: true,
            in_doubt: false,
            payload,
            holes: &[],
            text,
            payload_cut: (payload.len() as u64) < header.length,
            utf8: if header.opcode == Opcode::TEXT { Utf8::Valid } else { Utf8::Unchecked },
            close: None,
            app: app.as_deref(),
        };
        take(&unit, &message)
    }
}
