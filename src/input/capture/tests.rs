//! Captures built byte by byte, in both byte orders.

use std::io::{self, Read, Write};

use super::*;
use crate::input::{Input, open};
use crate::model::Time;

/// Writes numbers in one byte order.
#[derive(Clone, Default)]
struct Bytes {
    big: bool,
    bytes: Vec<u8>,
}

impl Bytes {
    fn new(big: bool) -> Self {
        Self { big, bytes: Vec::new() }
    }

    fn u16(mut self, value: u16) -> Self {
        self.bytes.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn u32(mut self, value: u32) -> Self {
        self.bytes.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    /// A pcap file header.
    fn pcap(self, magic: u32, snaplen: u32, link: u32) -> Self {
        self.u32(magic).u16(2).u16(4).u32(0).u32(0).u32(snaplen).u32(link)
    }

    /// A pcap record.
    fn record(self, secs: u32, frac: u32, wire: u32, data: &[u8]) -> Self {
        self.u32(secs).u32(frac).u32(data.len() as u32).u32(wire).raw(data)
    }

    /// A pcapng block with this body, padded.
    fn block(self, kind: u32, body: &Self) -> Self {
        let padding = body.bytes.len().next_multiple_of(4) - body.bytes.len();
        let len = (12 + body.bytes.len() + padding) as u32;
        self.u32(kind).u32(len).raw(&body.bytes).raw(&[0; 4][..padding]).u32(len)
    }

    fn section(self) -> Self {
        let body = Self::new(self.big).u32(0x1A2B_3C4D).u16(1).u16(0).u32(!0).u32(!0);
        self.block(0x0A0D_0D0A, &body)
    }

    fn interface(self, link: u16, snaplen: u32, options: &[(u16, &[u8])]) -> Self {
        let mut body = Self::new(self.big).u16(link).u16(0).u32(snaplen);
        for (code, value) in options {
            let padding = value.len().next_multiple_of(4) - value.len();
            body = body.u16(*code).u16(value.len() as u16).raw(value).raw(&[0; 4][..padding]);
        }
        self.block(1, &body)
    }

    fn enhanced(self, interface: u32, ticks: u64, wire: u32, data: &[u8]) -> Self {
        let body = Self::new(self.big).u32(interface).u32((ticks >> 32) as u32).u32(ticks as u32);
        let body = body.u32(data.len() as u32).u32(wire).raw(data);
        self.block(6, &body)
    }
}

/// Gives what it holds so many bytes at a time, as a slow pipe does.
struct Drip(io::Cursor<Vec<u8>>, usize);

impl Read for Drip {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = into.len().min(self.1);
        self.0.read(&mut into[..len])
    }
}

type Seen = (u64, u64, u32, Vec<u8>, u32);

fn start(bytes: &[u8], at_a_time: usize) -> Capture {
    let reader = Box::new(Drip(io::Cursor::new(bytes.to_vec()), at_a_time));
    match open(reader, "test") {
        Ok(Input::Capture(capture)) => capture,
        Ok(Input::Bytes(_) | Input::Har(_)) => panic!("not a capture"),
        Err(error) => panic!("{error}"),
    }
}

fn read_from(mut capture: Capture) -> (Vec<Seen>, Option<InputError>) {
    let mut seen: Vec<Seen> = Vec::new();
    let seen_of = |p: Packet<'_>| (p.number, p.time.0, p.link, p.data.to_vec(), p.wire_len);
    loop {
        // What is at hand is what comes next.
        if !seen.len().is_multiple_of(3)
            && let Some(packet) = capture.at_hand()
        {
            seen.push(seen_of(packet));
            continue;
        }
        let Some(packet) = capture.next() else { break };
        match packet {
            Ok(packet) => seen.push(seen_of(packet)),
            Err(error) => {
                assert!(capture.at_hand().is_none() && capture.next().is_none(), "nothing follows an error");
                return (seen, Some(error));
            }
        }
    }
    assert!(capture.at_hand().is_none() && capture.next().is_none());
    (seen, None)
}

fn read(bytes: &[u8]) -> (Vec<Seen>, Option<InputError>) {
    read_from(start(bytes, usize::MAX))
}

fn small_pcap(big: bool) -> Vec<u8> {
    let bytes = Bytes::new(big).pcap(0xA1B2_C3D4, 65535, 1);
    bytes.record(10, 5, 3, b"abc").record(11, 0, 0, b"").record(12, 999_999, 70, b"defgh").bytes
}

fn small_pcapng(big: bool) -> Vec<u8> {
    let bytes = Bytes::new(big).section().interface(1, 0, &[]);
    bytes
        .enhanced(0, 10_000_005, 3, b"abc")
        .enhanced(0, 11_000_000, 0, b"")
        .enhanced(0, 12_999_999, 70, b"defgh")
        .bytes
}

fn small_packets() -> Vec<Seen> {
    vec![
        (1, 10_000_005_000, 1, b"abc".to_vec(), 3),
        (2, 11_000_000_000, 1, Vec::new(), 0),
        (3, 12_999_999_000, 1, b"defgh".to_vec(), 70),
    ]
}

#[test]
fn both_formats_are_read_in_both_byte_orders_and_from_slow_pipes() {
    for big in [false, true] {
        for file in [small_pcap(big), small_pcapng(big)] {
            for at_a_time in [1, 2, 7, usize::MAX] {
                let (seen, error) = read_from(start(&file, at_a_time));
                assert_eq!(seen, small_packets());
                assert!(error.is_none());
            }
        }
    }
}

#[test]
fn a_capture_cut_anywhere_gives_what_precedes_the_cut() {
    for big in [false, true] {
        for file in [small_pcap(big), small_pcapng(big)] {
            let pcapng = file.starts_with(&[0x0A]);
            // Where records and blocks end, and how many packets there are by then.
            let ends: &[(usize, usize)] = if pcapng {
                &[(0, 0), (28, 0), (48, 0), (84, 1), (116, 2), (156, 3)]
            } else {
                &[(0, 0), (24, 0), (43, 1), (59, 2), (80, 3)]
            };
            assert_eq!(file.len(), ends.last().unwrap().0);
            for cut in 4..file.len() {
                let (seen, error) = read(&file[..cut]);
                let (end, packets) = *ends.iter().rev().find(|(end, _)| *end <= cut).unwrap();
                assert_eq!(seen, small_packets()[..packets]);
                match error {
                    None => assert_eq!(end, cut),
                    Some(InputError::Truncated { offset, packet, needed, have, .. }) => {
                        assert_ne!(end, cut);
                        assert_eq!(
                            (offset, packet, have),
                            (end as u64, packets as u64 + 1, (cut - end) as u64)
                        );
                        assert!(needed > have);
                    }
                    Some(error) => panic!("{error}"),
                }
            }
        }
    }
}

#[test]
fn a_changed_byte_never_panics() {
    for file in [small_pcap(false), small_pcap(true), small_pcapng(false), small_pcapng(true)] {
        for at in 4..file.len() {
            for value in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut changed = file.clone();
                changed[at] = value;
                let (seen, _) = read(&changed);
                assert!(seen.len() <= 3);
            }
        }
    }
}

#[test]
fn what_a_pcap_says_is_taken_leniently() {
    let file = Bytes::new(true).pcap(0xA1B2_3C4D, 2, 0xF400_0071);
    // Nanoseconds beyond a second, more than the snap length, less on the wire than captured.
    let file = file.record(1, 1_500_000_000, 1, b"abc").bytes;
    let capture = start(&file, usize::MAX);
    assert_eq!(capture.format(), "pcap");
    let (seen, error) = read_from(capture);
    assert_eq!(seen, [(1, 2_500_000_000, 113, b"abc".to_vec(), 3)]);
    assert!(error.is_none());
}

#[test]
fn a_capture_says_its_snap_length_and_the_least_of_several() {
    let pcap = |most| Bytes::new(true).pcap(0xA1B2_3C4D, most, 1).record(1, 0, 3, b"abc");
    let pcapng =
        Bytes::new(false).section().interface(1, 0, &[]).interface(1, 300, &[]).interface(1, 96, &[]);
    for (file, told) in [(pcap(96), Some(96)), (pcap(0), None), (pcapng, Some(96))] {
        let mut capture = start(&file.bytes, usize::MAX);
        let _ = capture.next();
        assert_eq!(capture.snaplen(), told);
    }
}

#[test]
fn an_absurd_length_is_refused_where_it_stands() {
    let file = Bytes::new(false).pcap(0xA1B2_C3D4, 65535, 1).record(1, 0, 3, b"abc");
    for length in [u32::MAX, 0x0A00_0001, 1024 * 1024 + 1] {
        let (seen, error) = read(&file.clone().u32(2).u32(0).u32(length).u32(length).bytes);
        assert_eq!(seen.len(), 1);
        let said = error.unwrap().to_string();
        let words = format!("damaged at byte 43, where packet 2 is due: the record declares {length} bytes");
        assert!(said.contains(&words), "{said}");
    }
    let file = Bytes::new(false).section().interface(1, 0, &[]).u32(6).u32(0x7FFF_FFFC).u32(0).bytes;
    let said = read(&file).1.unwrap().to_string();
    assert!(said.contains("at byte 48, where packet 1 is due: an enhanced packet block declares"), "{said}");
}

#[test]
fn packets_longer_than_the_buffer_are_read() {
    let long = vec![7; 3 * limits::READ_BUFFER + 1];
    let len = long.len() as u32;
    let file = Bytes::new(false).pcap(0xA1B2_C3D4, len, 1).record(1, 0, len, &long).record(2, 0, 1, b"x");
    let other =
        Bytes::new(true).section().interface(1, 0, &[]).enhanced(0, 0, len, &long).enhanced(0, 0, 1, b"x");
    for file in [file.bytes, other.bytes] {
        let (seen, error) = read_from(start(&file, 100_000));
        assert!(error.is_none());
        assert_eq!(seen.iter().map(|p| p.3.len()).collect::<Vec<_>>(), [long.len(), 1]);
    }
}

#[test]
fn sections_interfaces_and_every_kind_of_packet_block() {
    let spb = |big| Bytes::new(big).u32(9).raw(b"abcd");
    let old = |big| Bytes::new(big).u16(1).u16(0).u32(0).u32(3_000).u32(2).u32(2).raw(b"ob");
    let first = Bytes::new(true)
        .section()
        .interface(1, 4, &[(2, b"not \xFF UTF-8"), (9, &[9])])
        .interface(276, 0, &[(9, &[3]), (14, &[0, 0, 0, 0, 0, 0, 0, 5]), (0, &[])])
        .enhanced(0, 1_000_000_007, 3, b"abc")
        .block(3, &spb(true))
        .block(2, &old(true))
        .block(0xBAD, &Bytes::new(true).raw(b"custom"))
        .block(5, &Bytes::new(true).u32(0).u32(0).u32(0))
        .enhanced(1, 10, 2, b"hi");
    let second = Bytes::new(false).section().interface(101, 0, &[(9, &[0x8A])]).enhanced(0, 1536, 1, b"z");
    let file = [first.bytes, second.bytes].concat();
    let mut capture = start(&file, usize::MAX);
    assert_eq!(capture.format(), "pcapng");
    assert!(capture.next().is_some());
    assert_eq!(capture.link_types(), ["ETHERNET", "LINUX_SLL2"]);
    while capture.next().is_some() {}
    assert_eq!(capture.link_types(), ["ETHERNET", "LINUX_SLL2", "RAW"]);
    let (seen, error) = read(&file);
    assert!(error.is_none());
    assert_eq!(
        seen,
        [
            (1, 1_000_000_007, 1, b"abc".to_vec(), 3),
            (2, 1_000_000_007, 1, b"abcd".to_vec(), 9),
            (3, 8_000_000_000, 276, b"ob".to_vec(), 2),
            (4, 5_010_000_000, 276, b"hi".to_vec(), 2),
            (5, 1_500_000_000, 101, b"z".to_vec(), 1),
        ]
    );
}

#[test]
fn every_resolution_becomes_nanoseconds() {
    let offset = (-2_i64).to_be_bytes();
    for (options, ticks, nanos) in [
        (&[][..], 7, 7_000),
        (&[(9_u16, &[0_u8][..])], 7, 7_000_000_000),
        (&[(9, &[9])], u64::MAX, u64::MAX),
        (&[(9, &[6])], u64::MAX, u64::MAX),
        (&[(9, &[12])], 7_999, 7),
        (&[(9, &[28])], u64::MAX, 1),
        (&[(9, &[29])], u64::MAX, 0),
        (&[(9, &[0x7F])], u64::MAX, 0),
        (&[(9, &[0x80])], 3, 3_000_000_000),
        (&[(9, &[0xA0])], 0x1_8000_0000, 1_500_000_000),
        (&[(9, &[0xFF])], u64::MAX, 0),
        (&[(14, &offset[..])], 5_000_000, 3_000_000_000),
        (&[(14, &offset[..])], 5, 0),
        (&[(14, &[0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])], 5, u64::MAX),
        (&[(9, &[9, 9]), (14, &[1])], 7, 7_000),
    ] {
        let file = Bytes::new(true).section().interface(1, 0, options).enhanced(0, ticks, 0, b"").bytes;
        let (seen, error) = read(&file);
        assert!(error.is_none());
        assert_eq!(seen[0].1, nanos, "{options:?} {ticks}");
    }
}

#[test]
fn a_malformed_block_is_named_with_its_place() {
    let start = Bytes::new(false).section().interface(1, 0, &[]).enhanced(0, 0, 3, b"abc");
    let at = start.bytes.len();
    let bad_length = Bytes::new(false).u32(0).u32(0).u32(0).u32(99).u32(99).raw(b"abc");
    let mut unequal = start.clone().enhanced(0, 0, 3, b"abc");
    *unequal.bytes.last_mut().unwrap() = 1;
    let mut magic = start.clone().section();
    magic.bytes[at + 8] = 0;
    for (file, words) in [
        (start.clone().enhanced(4, 0, 1, b"x"), "belongs to interface 4, but 1 are described"),
        (start.clone().block(6, &bad_length), "declares 99 captured bytes and has room for 4"),
        (
            start.clone().block(6, &Bytes::new(false).u32(0)),
            "the body of an enhanced packet block has 4 bytes",
        ),
        (start.clone().block(3, &Bytes::new(false)), "the body of a simple packet block has 0 bytes"),
        (start.clone().u32(6).u32(33).raw(&[0; 40]), "declares 33 bytes, expected a multiple of 4"),
        (
            start.clone().u32(6).u32(8).raw(&[0; 40]),
            "declares 8 bytes, expected a multiple of 4, at least 12",
        ),
        (unequal, "begins with length 36 and ends with length"),
        (magic, "byte-order magic is 003c2b1a"),
        (start.clone().section().enhanced(0, 0, 1, b"x"), "belongs to interface 0, but 0 are described"),
    ] {
        let (seen, error) = read(&file.bytes);
        let said = error.unwrap().to_string();
        assert_eq!(seen.len(), 1, "{said}");
        assert!(said.contains(words), "{said}");
        let place = if said.contains("but 0") { at + 28 } else { at };
        assert!(said.contains(&format!("at byte {place}, where packet 2 is due")), "{said}");
    }
    let old = Bytes::new(false).u32(0xA1B2_C3D4).u16(1).u16(0).raw(&[0; 16]);
    assert!(read(&old.bytes).1.unwrap().to_string().contains("version is 1.0, expected 2.4"));
}

#[test]
fn compressed_captures_are_unpacked_as_they_come() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&small_pcap(false)).unwrap();
    let packed = encoder.finish().unwrap();
    let mut capture = start(&packed, 1);
    while let Some(packet) = capture.next() {
        packet.unwrap();
    }
    assert_eq!(capture.bytes_read(), packed.len() as u64);
    for cut in 30..packed.len() {
        let Ok(Input::Capture(capture)) = open(Box::new(io::Cursor::new(packed[..cut].to_vec())), "") else {
            continue;
        };
        let (seen, error) = read_from(capture);
        assert_eq!(seen, small_packets()[..seen.len()]);
        assert!(matches!(error, Some(InputError::Truncated { .. })), "{cut}: {error:?}");
    }
    let mut changed = packed.clone();
    let crc = packed.len() - 8;
    changed[crc] ^= 1;
    let (seen, error) = read(&changed);
    assert_eq!(seen, small_packets());
    assert!(matches!(error, Some(InputError::Packed { .. })), "{error:?}");
}

#[test]
fn what_is_written_is_read() {
    let mut writer = PcapWriter::new(Vec::new(), ETHERNET).unwrap();
    writer.packet(Time(1_699_595_771_123_456_789), b"abc").unwrap();
    writer.packet(Time(0), b"").unwrap();
    assert!(writer.packet(Time(u64::MAX), b"").is_err());
    let file = writer.finish().unwrap();
    assert_eq!(file[..4], [0xD4, 0xC3, 0xB2, 0xA1]);
    let (seen, error) = read(&file);
    assert!(error.is_none());
    assert_eq!(seen, [(1, 1_699_595_771_123_456_000, 1, b"abc".to_vec(), 3), (2, 0, 1, Vec::new(), 0)]);
}

#[test]
fn link_types_have_names() {
    assert_eq!(link_name(1), "ETHERNET");
    assert_eq!(link_name(113), "LINUX_SLL");
    assert_eq!(link_name(60_000), "LINKTYPE 60000");
}
