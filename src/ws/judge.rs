//! The rules a single frame header can break, and those the masking keys break together.

use super::agreed::Extensions;
use super::repeats::Found;
use super::{
    CONTROL_FRAME_TOO_LONG, EXPECTED_CONTINUATION, FRAGMENTED_CONTROL_FRAME, FRAME_TOO_LARGE,
    LENGTH_HIGH_BIT_SET, MASKED_SERVER_FRAME, NON_MINIMAL_LENGTH, PMD_RSV1_ON_CONTINUATION,
    PMD_RSV1_ON_CONTROL, PREDICTABLE_MASKING_KEY, REPEATED_MASKING_KEY, RESERVED_BIT_SET, RESERVED_OPCODE,
    UNEXPECTED_CONTINUATION, UNMASKED_CLIENT_FRAME, ZERO_MASKING_KEY,
};
use crate::limits;
use crate::model::{Dir, Finding, FrameHeader, LengthForm, Opcode, Rule, SourceId, Span, Text};

/// What a header is judged against.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Who sent it.
    pub dir: Dir,
    /// The sender's stream and the offset of the header's first byte in it.
    pub source: SourceId,
    /// Offset of the header's first byte in `source`.
    pub offset: u64,
    /// What was agreed on.
    pub extensions: Extensions,
    /// Whether a fragmented message is open.
    pub in_message: bool,
    /// After a gap a continuation frame may belong to a message whose start was lost.
    pub lenient: bool,
}

impl Context {
    /// Where bit `at` of the header stands in the stream.
    pub fn bit(&self, at: u64) -> u64 {
        self.offset.saturating_mul(8).saturating_add(at)
    }
}

/// Whether anything about the header needs a closer look: the cheap question asked for every frame.
#[inline]
pub fn is_suspect(header: &FrameHeader, context: &Context) -> bool {
    let reserved = header.rsv1 || header.rsv2 || header.rsv3 || header.opcode.is_reserved();
    let wrong_mask = header.masking_key.is_some() != (context.dir == Dir::Client);
    let control = header.opcode.is_control() && (!header.fin || header.length > 125);
    let order = !header.opcode.is_control() && context.in_message != (header.opcode == Opcode::CONTINUATION);
    reserved
        || wrong_mask
        || control
        || order
        || header.length_form != LengthForm::minimal(header.length)
        || header.length > limits::FRAME_LARGE
}

/// Holds one header against RFC 6455 §5.1 to §5.5.
pub fn judge(header: &FrameHeader, context: &Context, found: &mut Found<'_>) {
    let base = context.offset.saturating_mul(8);
    let bits = |from: u64, to: u64| Span::bits(context.source, base + from, base + to);

    match (context.dir, header.masking_key) {
        //= RFC 6455 §5.1
        //# a client MUST mask all frames that it
        //# sends to the server
        (Dir::Client, None) => {
            let say = || ("MASK = 1 from a client".into(), "MASK = 0".into());
            found.add(&UNMASKED_CLIENT_FRAME, bits(8, 9), say);
        }
        //= RFC 6455 §5.1
        //# A server MUST NOT mask any frames that it sends to
        //# the client.
        (Dir::Server, Some(_)) => {
            let say = || ("MASK = 0 from a server".into(), "MASK = 1".into());
            found.add(&MASKED_SERVER_FRAME, bits(8, 9), say);
        }
        _ => {}
    }

    //= RFC 6455 §5.2
    //# MUST be 0 unless an extension is negotiated that defines meanings
    //# for non-zero values.
    let rsv1_may_be_set = context.extensions.rsv1_has_meaning();
    let rsv_may_be_set = context.extensions.other;
    let first_only = header.rsv1 && context.extensions.deflate.is_some() && !context.extensions.other;
    if first_only && header.opcode.is_control() {
        //= RFC 7692 §6.1
        //# An endpoint MUST NOT set the "Per-Message Compressed" bit of control
        //# frames and non-first fragments of a data message.
        let say = || ("RSV1 = 0 on control frames".into(), "RSV1 = 1".into());
        found.add(&PMD_RSV1_ON_CONTROL, bits(1, 2), say);
    } else if first_only && header.opcode == Opcode::CONTINUATION {
        let say = || ("RSV1 = 0 but on the first fragment".into(), "RSV1 = 1".into());
        found.add(&PMD_RSV1_ON_CONTINUATION, bits(1, 2), say);
    }
    for (name, set, bit, allowed) in [
        ("RSV1", header.rsv1, 1, rsv1_may_be_set),
        ("RSV2", header.rsv2, 2, rsv_may_be_set),
        ("RSV3", header.rsv3, 3, rsv_may_be_set),
    ] {
        if set && !allowed {
            found.add(&RESERVED_BIT_SET, bits(bit, bit + 1), || {
                let expected = Text::with("{} = 0, no agreed extension defines it", name);
                (expected, Text::with("{} = 1", name))
            });
        }
    }

    if header.opcode.is_reserved() {
        //= RFC 6455 §5.2
        //# If an unknown
        //# opcode is received, the receiving endpoint MUST _Fail the
        //# WebSocket Connection_.
        found.add(&RESERVED_OPCODE, bits(4, 8), || {
            let got = Text::with("opcode 0x{}", format_args!("{:X}", header.opcode.0));
            ("opcode 0x0–0x2 or 0x8–0xA".into(), got)
        });
    }

    judge_length(header, &bits, found);
    judge_order(header, context, &bits, found);
}

fn judge_length(header: &FrameHeader, bits: &impl Fn(u64, u64) -> Span, found: &mut Found<'_>) {
    let length_at = match header.length_form {
        LengthForm::Bits7 => bits(9, 16),
        LengthForm::Bits16 => bits(9, 32),
        LengthForm::Bits64 => bits(9, 80),
    };
    if header.length >> 63 == 1 {
        //= RFC 6455 §5.2
        //# the
        //# most significant bit MUST be 0
        found.add(&LENGTH_HIGH_BIT_SET, bits(16, 17), || {
            let got = Text::with("length 0x{}", format_args!("{:016X}", header.length));
            ("a top bit of 0".into(), got)
        });
    }
    let minimal = LengthForm::minimal(header.length);
    if header.length_form != minimal {
        //= RFC 6455 §5.2
        //# the minimal number of bytes MUST be used to encode
        //# the length
        found.add(&NON_MINIMAL_LENGTH, length_at, || {
            let expected = Text::with("{} in the {}-bit form", header.length).and(minimal.bits());
            (expected, Text::with("the {}-bit form", header.length_form.bits()))
        });
    }
    if header.opcode.is_control() && header.length > 125 {
        //= RFC 6455 §5.5
        //# All control frames MUST have a payload length of 125 bytes or less
        let say = || ("at most 125 bytes".into(), Text::with("{} bytes", header.length));
        found.add(&CONTROL_FRAME_TOO_LONG, length_at, say);
    }
    if header.length > limits::FRAME_LARGE {
        found.add(&FRAME_TOO_LARGE, length_at, || {
            let expected = Text::with("at most {} bytes to be safe", limits::FRAME_LARGE);
            (expected, Text::with("{} bytes", header.length))
        });
    }
}

fn judge_order(
    header: &FrameHeader,
    context: &Context,
    bits: &impl Fn(u64, u64) -> Span,
    found: &mut Found<'_>,
) {
    if header.opcode.is_control() {
        if !header.fin {
            //= RFC 6455 §5.5
            //# MUST NOT be fragmented.
            let say = || ("FIN = 1".into(), "FIN = 0".into());
            found.add(&FRAGMENTED_CONTROL_FRAME, bits(0, 1), say);
        }
        return;
    }
    match (header.opcode == Opcode::CONTINUATION, context.in_message) {
        (true, false) if !context.lenient => {
            let say = || ("text or binary: no message is open".into(), "opcode 0x0, continuation".into());
            found.add(&UNEXPECTED_CONTINUATION, bits(4, 8), say);
        }
        //= RFC 6455 §5.4
        //# The fragments of one message MUST NOT be interleaved between the
        //# fragments of another message
        (false, true) => found.add(&EXPECTED_CONTINUATION, bits(4, 8), || {
            let got = Text::with("opcode 0x{}, {}", format_args!("{:X}", header.opcode.0));
            ("opcode 0x0: a message is unfinished".into(), got.word(header.opcode.name()))
        }),
        _ => {}
    }
}

/// Watches the masking keys of one direction. Each pattern is told once.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyWatch {
    last: u32,
    /// What the last key is ahead of the one before.
    step: u32,
    /// How many times in a row the same step was seen.
    run: u8,
    /// What has happened, one bit each: kept small for being one of thousands.
    flags: u8,
}

impl KeyWatch {
    const BEGUN: u8 = 1;
    const ZERO: u8 = 2;
    const REPEATED: u8 = 4;
    const PREDICTABLE: u8 = 8;

    /// Looks at the next key; `Some` with the rule it breaks, the first time it does.
    #[allow(clippy::inline_always)] // or the watch goes through memory
    #[inline(always)]
    pub fn next(&mut self, key: [u8; 4]) -> Option<&'static Rule> {
        let value = u32::from_be_bytes(key);
        let step = value.wrapping_sub(self.last);
        self.last = value;
        let is_first = self.first(Self::BEGUN);
        if value == 0 {
            return self.first(Self::ZERO).then_some(&ZERO_MASKING_KEY);
        }
        if is_first {
            return None;
        }
        if step == 0 {
            return self.first(Self::REPEATED).then_some(&REPEATED_MASKING_KEY);
        }
        if step != self.step {
            (self.step, self.run) = (step, 0);
            return None;
        }
        self.run = self.run.saturating_add(1);
        // Four keys in arithmetic progression: by chance once in 2^64.
        (self.run == 2 && self.first(Self::PREDICTABLE)).then_some(&PREDICTABLE_MASKING_KEY)
    }

    /// Whether this happens for the first time.
    #[inline]
    fn first(&mut self, flag: u8) -> bool {
        let before = self.flags;
        self.flags |= flag;
        before & flag == 0
    }
}

/// The finding for a rule [`KeyWatch`] named.
pub fn key_finding(rule: &'static Rule, key: [u8; 4], header: &FrameHeader, context: &Context) -> Finding {
    let at = context.offset.saturating_add(u64::from(header.header_length()) - 4);
    let [a, b, c, d] = key;
    //= RFC 6455 §5.3
    //# The masking key needs to be
    //# unpredictable
    Finding::new(
        rule,
        context.dir,
        "a fresh key from a strong source of entropy".into(),
        Text::with("{}, from this frame on", format_args!("{a:02x} {b:02x} {c:02x} {d:02x}")),
    )
    .at(Span::bytes(context.source, at, 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ws::header;
    use crate::ws::repeats::Repeats;

    fn ids(bytes: &[u8], dir: Dir, in_message: bool) -> Vec<&'static str> {
        let header = header::decode(bytes).unwrap();
        let context = Context {
            dir,
            source: SourceId::Input,
            offset: 0,
            extensions: Extensions::NONE,
            in_message,
            lenient: false,
        };
        let (repeats, mut findings, mut counted) = (Repeats::default(), Vec::new(), Vec::new());
        judge(&header, &context, &mut Found::new(dir, &repeats, &mut findings, &mut counted));
        assert_eq!(is_suspect(&header, &context), !findings.is_empty(), "{bytes:02x?}");
        findings.iter().map(|f| f.rule.id).collect()
    }

    #[test]
    fn each_rule_of_a_header() {
        let clean: &[&[u8]] = &[&[0x81, 5], &[0x82, 0x7E, 0, 126], &[0x89, 125], &[0x01, 3]];
        for bytes in clean {
            assert_eq!(ids(bytes, Dir::Server, false), [""; 0], "{bytes:02x?}");
        }
        let broken: &[(&[u8], &[&str])] = &[
            (&[0x81, 0x80, 1, 2, 3, 4], &["masked-server-frame"]),
            (&[0xC1, 0], &["reserved-bit-set"]),
            (&[0xF1, 0], &["reserved-bit-set", "reserved-bit-set", "reserved-bit-set"]),
            (&[0x83, 0], &["reserved-opcode"]),
            (&[0x8B, 0], &["reserved-opcode"]),
            // CVE-2020-13935: a ping whose 64-bit length has its top bit set.
            (
                &[0x89, 127, 0x80, 0, 0, 0, 0, 0, 0, 0],
                &["length-high-bit-set", "control-frame-too-long", "frame-too-large"],
            ),
            (&[0x82, 0x7E, 0, 124], &["non-minimal-length"]),
            (&[0x82, 0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], &["non-minimal-length"]),
            (&[0x89, 0x7E, 0, 126], &["control-frame-too-long"]),
            (&[0x09, 0], &["fragmented-control-frame"]),
            (&[0x80, 0], &["unexpected-continuation"]),
        ];
        for (bytes, expected) in broken {
            assert_eq!(ids(bytes, Dir::Server, false), *expected, "{bytes:02x?}");
        }
        assert_eq!(ids(&[0x81, 0], Dir::Client, false), ["unmasked-client-frame"]);
        assert_eq!(ids(&[0x81, 0], Dir::Server, true), ["expected-continuation"]);
        assert_eq!(ids(&[0x89, 0], Dir::Server, true), [""; 0]);
    }

    #[test]
    fn keys_are_told_once_each() {
        let told = |keys: &[u32]| -> Vec<Option<&'static str>> {
            let mut watch = KeyWatch::default();
            keys.iter().map(|k| watch.next(k.to_be_bytes()).map(|r| r.id)).collect()
        };
        assert_eq!(told(&[0, 0]), [Some("zero-masking-key"), None]);
        assert_eq!(told(&[7, 7, 7, 9]), [None, Some("repeated-masking-key"), None, None]);
        assert_eq!(told(&[10, 20, 30, 40, 50]), [None, None, None, Some("predictable-masking-key"), None]);
        assert_eq!(told(&[0x37fa_213d, 0x9921_0011, 0x0102_0304]), [None, None, None]);
    }
}
