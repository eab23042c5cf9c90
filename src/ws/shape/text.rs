//! What payloads say for bytes being frames: text that is text, Close codes that exist.

use crate::ws::utf8::Utf8Check;

/// The text of a message, as far as it has arrived.
#[derive(Clone, Debug, Default)]
pub(super) struct Clear {
    utf8: Utf8Check,
    /// Bytes of this frame that text has, and other bytes only by chance.
    fitting: i32,
    /// What is odd in it, in bits.
    odd: i32,
    /// The first byte of the message that is no digit, and its last.
    first: Option<u8>,
    last: u8,
}

impl Clear {
    /// Takes unmasked bytes; `false` if they are no text.
    pub fn take(&mut self, bytes: &[u8]) -> bool {
        if self.utf8.push(bytes).is_some() {
            return false;
        }
        for &byte in bytes {
            // The NUL that ends a STOMP frame, and the separator of SignalR, end messages:
            // they are odd as soon as something follows.
            self.odd += match self.last {
                0 if self.first.is_some() && byte != b'\n' => 8,
                _ => 0,
            };
            match byte {
                0 if self.first.is_none() => self.odd += 12,
                b'\t' | b'\n' | b'\r' | 0 | 0x1E => {}
                0x01..0x20 | 0x7F => self.odd += 3,
                _ => self.fitting = self.fitting.saturating_add(1),
            }
            if self.first.is_none() && !byte.is_ascii_digit() {
                self.first = Some(byte);
            }
            self.last = byte;
        }
        true
    }

    /// Whether it is no more odd than a message may be.
    pub fn is_likely(&self) -> bool {
        self.odd <= self.fitting.min(20) + 8
    }

    /// What speaks for it in this frame, in bits. Another protocol's text is as likely to stand
    /// behind bytes that look like a header, but not to be text once it was unmasked.
    pub fn bits(&self, masked: bool) -> i32 {
        let fitting = self.fitting.min(100);
        let bits = if masked { fitting.min(24) } else { fitting.min(6) + (fitting - 6).clamp(0, 8) / 2 };
        bits - self.odd
    }

    /// What its first and last byte say, if they belong together: that it is whole.
    pub fn closing_bits(&self) -> i32 {
        let belongs = matches!(
            (self.first, self.last),
            (Some(b'{'), b'}' | 0x1E) | (Some(b'['), b']') | (Some(b'"'), b'"') | (Some(b'<'), b'>')
        );
        if belongs && self.odd == 0 { 8 } else { 0 }
    }

    /// Whether it ends with a character, and not inside one.
    pub fn is_whole(&self) -> bool {
        self.utf8.finish().is_none()
    }

    /// The next fragment is counted anew.
    pub fn next_frame(&mut self) {
        (self.fitting, self.odd) = (0, 0);
    }
}

/// What speaks for the body of a Close frame, in bits; `None` if it is none.
pub(super) fn close_bits(body: &[u8]) -> Option<i32> {
    let [high, low, reason @ ..] = body else { return body.is_empty().then_some(0) };
    let mut text = Clear::default();
    if !text.take(reason) || !text.is_whole() {
        return None;
    }
    let code = match u16::from_be_bytes([*high, *low]) {
        // Of 65,536 numbers these are the ones that are sent.
        1000..=1003 | 1007..=1014 => 11,
        3000..=4999 => 5,
        // Nobody should send them, and somebody does.
        1004..=2999 => 1,
        _ => return None,
    };
    Some(code + text.bits(true))
}
