use super::*;
use crate::lab::deflate::Deflater;
use crate::model::{FrameHeader, LengthForm};

const DEFLATE: Deflate = Deflate {
    server_no_context_takeover: false,
    client_no_context_takeover: false,
    server_max_window_bits: 15,
    client_max_window_bits: 15,
};

/// A frame of a client as it is described.
fn with(fin: bool, rsv1: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let header =
        FrameHeader { fin, rsv1, ..FrameHeader::of(opcode, Some([1, 2, 3, 4]), payload.len() as u64) };
    let mut out = Vec::new();
    encode::frame(&header, payload, &mut out);
    out
}

/// How many bytes were taken until it was certain that something is wrong, and the code for it.
fn certain(bytes: &[u8], deflate: Option<Deflate>, most: usize) -> Option<(usize, u16)> {
    let mut frames = Reader::taking(most).open(Dir::Client, deflate);
    bytes.iter().enumerate().find_map(|(at, byte)| {
        let pushed = frames.push(std::slice::from_ref(byte));
        pushed.violation.map(|violation| (at + 1, violation.code.0))
    })
}

#[test]
fn what_is_written_is_read_again_in_any_pieces() {
    for from in [Dir::Client, Dir::Server] {
        let long = "x".repeat(70_000);
        let bytes = [
            frame(from, Opcode::TEXT, b"hello"),
            frame(from, Opcode::PING, b"?"),
            frame(from, Opcode::TEXT, long.as_bytes()),
        ]
        .concat();
        for size in [1, 7, 4096, bytes.len()] {
            let mut frames = Frames::from(from);
            let mut received = Vec::new();
            for piece in bytes.chunks(size) {
                let pushed = frames.push(piece);
                assert_eq!(pushed.violation, None);
                received.extend(pushed.received);
            }
            let shown: Vec<_> = received.iter().map(|r| (r.kind, r.payload.len())).collect();
            assert_eq!(shown, [(Opcode::TEXT, 5), (Opcode::PING, 1), (Opcode::TEXT, 70_000)]);
        }
    }
}

#[test]
fn a_client_masks_with_a_key_of_its_own_each_time() {
    let frames: Vec<_> = (0..4).map(|_| frame(Dir::Client, Opcode::TEXT, b"hello")).collect();
    assert!(frames.iter().all(|frame| frame[1] == 0x85 && frame.len() == 11));
    assert!(frames.windows(2).any(|pair| pair[0][2..6] != pair[1][2..6]));
}

#[test]
fn violations_name_their_close_code() {
    let of = |bytes: &[u8]| Frames::from(Dir::Client).push(bytes).violation.unwrap().code.0;
    assert_eq!(of(&frame(Dir::Server, Opcode::TEXT, b"unmasked")), 1002);
    assert_eq!(of(&frame(Dir::Client, Opcode::TEXT, b"\xff")), 1007);
    assert_eq!(of(&frame(Dir::Client, Opcode::BINARY, &vec![0; limits::LAB_MESSAGE + 1])), 1009);
}

#[test]
fn what_was_right_before_a_violation_or_a_close_is_given() {
    let good = frame(Dir::Client, Opcode::TEXT, b"good");
    let pushed = Frames::from(Dir::Client).push(&[&good[..], b"\x83\x80\0\0\0\0", &good].concat());
    assert_eq!((pushed.received.len(), pushed.violation.unwrap().code.0), (1, 1002));
    let close = frame(Dir::Client, Opcode::CLOSE, &[]);
    let mut frames = Frames::from(Dir::Client);
    let pushed = frames.push(&[&good[..], &close, &good].concat());
    assert_eq!((pushed.received.len(), pushed.violation), (2, None));
    assert_eq!(frames.push(&good), Pushed::default(), "nothing comes behind a Close");
}

/// RFC 3629 §4: as soon as no continuation could make it UTF-8, in the middle of a frame, of a fragment, of
/// what is compressed.
#[test]
fn text_that_is_none_is_told_within_the_frame() {
    let bad = b"abc \xF4\x90 and a lot that is not there yet";
    let whole = with(true, false, Opcode::TEXT, bad);
    assert_eq!(certain(&whole, None, 1000), Some((6 + 6, 1007)));
    let first = with(false, false, Opcode::TEXT, b"abc \xF4");
    let ping = with(true, false, Opcode::PING, b"\xFF");
    let then = with(false, false, Opcode::CONTINUATION, b"\x90abc");
    let bytes = [&first[..], &ping, &then].concat();
    assert_eq!(certain(&bytes, None, 1000), Some((first.len() + ping.len() + 7, 1007)));
    // A surrogate half, and an overlong slash: wrong with their second byte.
    for wrong in [b"\xED\xA0\x80xxxx", b"\xC0\xAF\x80xxxx"] {
        let at = if wrong[0] == 0xC0 { 1 } else { 2 };
        assert_eq!(certain(&with(true, false, Opcode::TEXT, wrong), None, 1000), Some((6 + at, 1007)));
    }
    // Binary may be anything, and a character may be cut by a fragment.
    assert_eq!(certain(&with(true, false, Opcode::BINARY, bad), None, 1000), None);
    let cut = [
        with(false, false, Opcode::TEXT, "é".as_bytes().split_at(1).0),
        with(true, false, Opcode::CONTINUATION, "é".as_bytes().split_at(1).1),
    ];
    assert_eq!(certain(&cut.concat(), None, 1000), None);
    let mut deflated = Vec::new();
    // Incompressible, so that it is not all in the last block.
    let noise: Vec<u8> = (0..3000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    Deflater::new(15, true).message(&noise, &mut deflated);
    let (at, code) = certain(&with(true, true, Opcode::TEXT, &deflated), Some(DEFLATE), 10_000).unwrap();
    assert!(at < deflated.len() / 2 && code == 1007, "{at} of {}", deflated.len());
}

#[test]
fn what_is_too_long_is_told_by_its_header() {
    let frame = with(true, false, Opcode::BINARY, &[0; 200]);
    assert_eq!(certain(&frame, None, 100), Some((8, 1009)));
    let fragments =
        [with(false, false, Opcode::BINARY, &[0; 60]), with(true, false, Opcode::CONTINUATION, &[0; 60])];
    assert_eq!(certain(&fragments.concat(), None, 100), Some((66 + 6, 1009)));
    assert_eq!(certain(&fragments.concat(), None, 120), None);
    // A bomb: more comes out of it than goes in.
    let mut bomb = Vec::new();
    Deflater::new(15, true).message(&vec![0; 100_000], &mut bomb);
    let bytes = with(true, true, Opcode::BINARY, &bomb);
    let (at, code) = certain(&bytes, Some(DEFLATE), 10_000).unwrap();
    assert!(at < bytes.len() && code == 1009, "{at}");
    assert_eq!(certain(&bytes, Some(DEFLATE), 100_000), None);
}

#[test]
fn headers_are_refused_before_their_payload() {
    let long_ping = with(true, false, Opcode::PING, &[0; 126]);
    assert_eq!(certain(&long_ping, None, 1000), Some((2, 1002)));
    assert_eq!(certain(&with(true, true, Opcode::TEXT, b"abc"), None, 1000), Some((1, 1002)));
    assert_eq!(certain(&with(true, false, Opcode(3), b"abc"), None, 1000), Some((1, 1002)));
    assert_eq!(certain(&with(false, false, Opcode::PING, b"abc"), None, 1000), Some((1, 1002)));
    assert_eq!(certain(&with(true, false, Opcode::CONTINUATION, b"abc"), None, 1000), Some((1, 1002)));
    let header =
        FrameHeader { length_form: LengthForm::Bits64, ..FrameHeader::of(Opcode::BINARY, Some([0; 4]), 5) };
    let mut longer = Vec::new();
    encode::frame(&header, b"abcde", &mut longer);
    assert_eq!(certain(&longer, None, 1000).map(|(_, code)| code), Some(1002));
}

#[test]
fn numbers_are_used_again_and_nothing_is_left() {
    let reader = Reader::taking(1000);
    for _ in 0..100 {
        let mut one = reader.open(Dir::Client, Some(DEFLATE));
        let mut two = reader.open(Dir::Server, None);
        let mut deflated = Vec::new();
        Deflater::new(15, true).message(b"hello", &mut deflated);
        let pushed = one.push(&with(true, true, Opcode::TEXT, &deflated));
        assert_eq!(pushed.received[0].payload, b"hello");
        assert_eq!(two.push(&frame(Dir::Server, Opcode::TEXT, b"hey")).received.len(), 1);
        // Half a message.
        one.push(&with(false, false, Opcode::TEXT, b"abc"));
    }
    let mut shared = held(&reader.0);
    assert_eq!((shared.next, shared.free.len()), (2, 2));
    assert_eq!(shared.decoder.held(), 0);
    assert_eq!(shared.decoder.sink().take_out(), Pushed::default());
}
