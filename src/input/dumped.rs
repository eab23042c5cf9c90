//! Packets printed as text: `tcpdump -X`, `-XX` and `-x`, `tshark -x`, Wireshark's copied bytes.
//!
//! A dump is one of packets if what it holds are packets: an IP header, behind a link layer's or not,
//! whose length is that of the dump. Anything else is a dump of a stream's bytes, for [`hex`](super::hex).

use super::capture::PcapWriter;
use super::hex::{hex_run, nibble};
use crate::model::Time;
use crate::model::time::{date, nanoseconds, of_day};

/// Bytes of a row at most, as all these tools print them.
const ROW: usize = 16;

/// Dumped packets as a pcap file; `None` when the text holds something else.
pub(super) fn pcap(text: &str) -> Option<Vec<u8>> {
    let packets = packets(text)?;
    let link = link(&packets)?;
    let mut writer = PcapWriter::new(Vec::new(), link).ok()?;
    for (time, packet) in &packets {
        writer.packet(*time, packet).ok()?;
    }
    writer.finish().ok()
}

/// Every dump in a text with the time in the lines before it; `None` where rows do not follow one another.
fn packets(text: &str) -> Option<Vec<(Time, Vec<u8>)>> {
    let mut packets: Vec<(Time, Vec<u8>)> = Vec::new();
    let mut now = Time(0);
    for line in text.lines() {
        let Some((offset, bytes)) = row(line) else {
            now = time(line).unwrap_or(now);
            continue;
        };
        if offset == 0 {
            packets.push((now, bytes));
            continue;
        }
        let (_, packet) = packets.last_mut()?;
        // What tshark put together from several packets comes as a further dump, and is none.
        (packet.len() == offset).then_some(())?;
        packet.extend(bytes);
    }
    Some(packets)
}

/// The offset and the bytes of a row: `0x0010:  4500 0034` or `0010  45 00 00 34   E..4`.
fn row(line: &str) -> Option<(usize, Vec<u8>)> {
    let body = line.trim_start();
    let (body, words) = body.strip_prefix("0x").map_or((body, false), |body| (body, true));
    let digits = hex_run(body);
    let (offset, rest) = (&body[..digits], &body[digits..]);
    let rest = if words { rest.strip_prefix(':')? } else { rest };
    if !(4..=8).contains(&digits) || !rest.starts_with("  ") && !rest.starts_with('\t') {
        return None;
    }
    let longest = if words { 4 } else { 2 };
    let mut rest = rest.trim_start();
    let mut bytes = Vec::with_capacity(ROW);
    loop {
        let run = hex_run(rest);
        let ends = rest.len() == run || rest[run..].starts_with(char::is_whitespace);
        if run == 0 || run > longest || run % 2 == 1 || !ends || bytes.len() + run / 2 > ROW {
            break;
        }
        let pairs = rest.as_bytes()[..run].chunks_exact(2);
        bytes.extend(pairs.map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])));
        let next = rest[run..].trim_start();
        let gap = rest.len() - run - next.len();
        // Two spaces: the text column of tcpdump, or the middle of a row of the others.
        if gap > 2 || gap == 2 && (words || bytes.len() != ROW / 2) {
            break;
        }
        rest = next;
    }
    (!bytes.is_empty()).then_some((usize::from_str_radix(offset, 16).ok()?, bytes))
}

/// The link type that most of the packets fit: half of them at least.
fn link(packets: &[(Time, Vec<u8>)]) -> Option<u32> {
    const ETHERNET: u32 = 1;
    let fits = |link: u32, packet: &[u8]| {
        let kind = |at: usize| matches!(packet.get(at..at + 2), Some([8 | 0x81, 0] | [0x86, 0xDD]));
        match link {
            101 => is_ip(packet, 0),
            0 => packet.starts_with(&[2, 0, 0, 0]) && is_ip(packet, 4),
            ETHERNET => kind(12) && (is_ip(packet, 14) || is_ip(packet, 18)),
            113 => kind(14) && is_ip(packet, 16),
            _ => kind(0) && is_ip(packet, 20),
        }
    };
    let count = |link: u32| packets.iter().filter(|(_, packet)| fits(link, packet)).count();
    let (most, link) = [276, 113, 0, 101, ETHERNET].map(|link| (count(link), link)).into_iter().max()?;
    (most > 0 && most * 2 >= packets.len()).then_some(link)
}

/// Whether all of this is an IP packet, perhaps with padding up to the least that Ethernet sends.
fn is_ip(packet: &[u8], at: usize) -> bool {
    const LEAST: usize = 60;
    let Some(ip) = packet.get(at..) else { return false };
    let length = match ip {
        [0x45..=0x4F, _, high, low, ..] if ip.len() >= 20 => usize::from(u16::from_be_bytes([*high, *low])),
        [0x60..=0x6F, _, _, _, high, low, ..] if ip.len() >= 40 => {
            40 + usize::from(u16::from_be_bytes([*high, *low]))
        }
        _ => return false,
    };
    length == ip.len() || (20..ip.len()).contains(&length) && packet.len() <= LEAST
}

/// The time in a line of a summary: `12:00:01.5 IP …`, a date before it or not, `  7 0.25 127.0.0.1 → …`.
fn time(line: &str) -> Option<Time> {
    let mut words = line.split_whitespace();
    let (first, second) = (words.next()?, words.next().unwrap_or_default());
    if let Some(time) = of_day(first) {
        return Some(Time(time));
    }
    match (date(first), of_day(second)) {
        (Some(day), Some(time)) => Some(Time(day * 86_400_000_000_000 + time)),
        _ if first.parse::<u64>().is_ok() && second.contains('.') => nanoseconds(second).map(Time),
        // tcpdump -tt
        _ if first.contains('.') && second.starts_with("IP") => nanoseconds(first).map(Time),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IP packet of 24 bytes.
    const IP: [u8; 24] =
        [0x45, 0, 0, 24, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, b'a', b'b', b'c', b'd'];

    const TCPDUMP: &str = "\
12:00:01.250000 IP 10.0.0.1.5000 > 10.0.0.2.80: Flags [P.], seq 1:5, length 4
\t0x0000:  4500 0018 0001 0000 4006 0000 0a00 0001  E.......@.......
\t0x0010:  0a00 0002 6162 6364                      ....abcd
12:00:02 IP 10.0.0.1.5000 > 10.0.0.2.80: Flags [P.], seq 5:9, length 4
\t0x0000:  4500 0018 0001 0000 4006 0000 0a00 0001  E.......@.......
\t0x0010:  0a00 0002 6162 6364                      ....abcd
";

    const TSHARK: &str = "\
    1 0.500000000     10.0.0.1 → 10.0.0.2     TCP 38 5000 → 80
0000  02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00   ..............E.
0010  00 18 00 01 00 00 40 06 00 00 0a 00 00 01 0a 00   ......@.........
0020  00 02 61 62 63 64                                 ..abcd

";

    #[test]
    fn tools_print_packets() {
        assert_eq!(
            packets(TCPDUMP).unwrap(),
            [(Time(43_201_250_000_000), IP.to_vec()), (Time(43_202_000_000_000), IP.to_vec())]
        );
        assert_eq!(link(&packets(TCPDUMP).unwrap()), Some(101));
        let found = packets(TSHARK).unwrap();
        assert_eq!((found[0].0, &found[0].1[14..]), (Time(500_000_000), &IP[..]));
        assert_eq!(link(&found), Some(1));
    }

    #[test]
    fn other_dumps_are_none() {
        for text in [
            "",
            "81 05 48 65 6c 6c 6f",
            "0000   81 05 48 65 6c 6c 6f   ..Hello",
            "00000000  81 05 48 65 6c 6c 6f  |..Hello|",
            "\t0x0000:  8105 4865 6c6c 6f  ..Hello",
            // A row is missing.
            &TCPDUMP.replace("0x0010", "0x0020"),
            // The last byte is.
            &TSHARK.replace("63 64   ", "63      "),
        ] {
            assert_eq!(pcap(text), None, "{text}");
        }
    }

    #[test]
    fn times_of_day_and_dates() {
        assert_eq!(time("2024-01-01 00:00:00.000001 IP"), Some(Time(1_704_067_200_000_001_000)));
        assert_eq!(time("1704067200.5 IP a"), Some(Time(1_704_067_200_500_000_000)));
        assert_eq!(date("1970-01-01"), Some(0));
        assert_eq!(date("2000-03-01"), Some(11_017));
        assert_eq!(time("Frame (66 bytes):"), None);
    }
}
