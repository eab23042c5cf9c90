//! What the programs themselves have packed, whole, cut and damaged.

use std::fmt::Write as _;
use std::io::{Cursor, ErrorKind};

use super::*;

/// Each packing that this build reads, with a file of lines and one of a capture.
const PACKED: &[(Packing, &[u8], &[u8])] = &[
    #[cfg(feature = "zstd")]
    (
        Packing::Zstd,
        include_bytes!("../../../tests/compressed/lines.txt.zst"),
        include_bytes!("../../../tests/compressed/chat.pcap.zst"),
    ),
    #[cfg(feature = "xz")]
    (
        Packing::Xz,
        include_bytes!("../../../tests/compressed/lines.txt.xz"),
        include_bytes!("../../../tests/compressed/chat.pcap.xz"),
    ),
    #[cfg(feature = "bz2")]
    (
        Packing::Bzip2,
        include_bytes!("../../../tests/compressed/lines.txt.bz2"),
        include_bytes!("../../../tests/compressed/chat.pcap.bz2"),
    ),
];

const CHAT: &[u8] = include_bytes!("../../../samples/chat.pcap");

/// Several blocks of zstd.
fn lines() -> Vec<u8> {
    let mut lines = String::new();
    for line in 0..15_000 {
        let _ = writeln!(lines, "{} bottles of beer on the wall", line / 25);
    }
    lines.into_bytes()
}

/// What is in it, and why there is not more.
fn unpack(packing: Packing, packed: Vec<u8>) -> (Vec<u8>, Option<(ErrorKind, String)>) {
    let mut reader = packing.unpack(Cursor::new(packed)).expect("it is read");
    let (mut all, mut piece) = (Vec::new(), [0; 7000]);
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return (all, None),
            Ok(count) => all.extend_from_slice(&piece[..count]),
            Err(error) => {
                let again = reader.read(&mut piece).map_err(|error| error.kind());
                assert!(!matches!(again, Ok(1..)), "{packing:?}: nothing comes behind an error");
                return (all, Some((error.kind(), error.to_string())));
            }
        }
    }
}

#[test]
fn what_was_packed_is_unpacked_part_after_part() {
    let lines = lines();
    for (packing, packed, capture) in PACKED {
        assert!(unpack(*packing, packed.to_vec()) == (lines.clone(), None), "{packing:?}");
        assert!(unpack(*packing, capture.to_vec()) == (CHAT.to_vec(), None), "{packing:?}");
        let both = unpack(*packing, [*capture, *packed, *capture].concat());
        assert!(both == ([CHAT, &lines, CHAT].concat(), None), "{packing:?}");
    }
}

#[cfg(feature = "zstd")]
#[test]
fn frames_of_zstd_to_be_skipped_are() {
    let parallel = include_bytes!("../../../tests/compressed/lines.pzstd.zst");
    assert_eq!(parallel[..4], [0x50, 0x2A, 0x4D, 0x18]);
    assert!(unpack(Packing::Zstd, parallel.to_vec()) == (lines(), None));
    let (_, error) = unpack(Packing::Zstd, [0x5F, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2].to_vec());
    assert_eq!(error.map(|(kind, _)| kind), Some(ErrorKind::UnexpectedEof));
    let (all, error) = unpack(Packing::Zstd, [parallel, &b"more"[..]].concat());
    assert!(all == lines() && error.is_some_and(|(_, said)| said.contains("behind the last")));
}

#[test]
fn of_what_is_cut_all_that_is_there_is_unpacked() {
    let lines = lines();
    for (packing, packed, _) in PACKED {
        let mut most = 0;
        for cut in (1..packed.len()).step_by(packed.len() / 40).chain([packed.len() - 1]) {
            let (all, error) = unpack(*packing, packed[..cut].to_vec());
            assert_eq!(error.map(|(kind, _)| kind), Some(ErrorKind::UnexpectedEof), "{packing:?}: {cut}");
            assert!(lines.starts_with(&all), "{packing:?}: {cut}");
            most = most.max(all.len());
        }
        assert_eq!(most, lines.len(), "{packing:?}: of the last cut only the checksum is missing");
        // Blocks of bzip2 are as long as these are.
        let (all, _) = unpack(*packing, packed[..packed.len() * 4 / 5].to_vec());
        assert!(*packing == Packing::Bzip2 || all.len() > lines.len() / 2, "{packing:?}: {}", all.len());
    }
}

#[test]
fn what_is_damaged_is_said_to_be() {
    let lines = lines();
    for (packing, packed, _) in PACKED {
        for at in (8..packed.len()).step_by(packed.len() / 50) {
            let mut damaged = packed.to_vec();
            damaged[at] ^= 0x20;
            let (all, error) = unpack(*packing, damaged);
            assert!(error.is_some() || all == lines, "{packing:?}: {at}");
        }
    }
}

/// One that asks for half a gigabyte and more, as it would be with `--long=29`.
#[cfg(feature = "zstd")]
#[test]
fn a_window_of_zstd_that_is_too_large_is_refused() {
    let packed = b"\x28\xB5\x2F\xFD\x04\x98\x29\x00\x00hello\xA3\x6D\x9F\x88";
    let (all, error) = unpack(Packing::Zstd, packed.to_vec());
    let (kind, said) = error.expect("it is too large");
    assert!(all.is_empty() && kind == ErrorKind::InvalidData && said.contains("536870912"), "{said}");
}

/// The same of `xz --lzma2=dict=1536MiB`.
#[cfg(feature = "xz")]
#[test]
fn a_dictionary_of_xz_that_is_too_large_is_refused() {
    let packed =
        b"\xFD7zXZ\0\0\x04\xE6\xD6\xB4\x46\x02\x00\x21\x01\x25\0\0\0\x3B\x78\x7B\x41\x01\0\x04hello\0\
                   \0\0\0\xB1\x37\xB9\xDB\xE5\xDA\x1E\x9B\0\x01\x1D\x05\xB8\x2D\x80\xAF\x1F\xB6\xF3\x7D\x01\0\
                   \0\0\0\x04YZ";
    let (all, error) = unpack(Packing::Xz, packed.to_vec());
    let (kind, said) = error.expect("it is too large");
    assert!(all.is_empty() && kind == ErrorKind::InvalidData && said.contains("memory"), "{said}");
}
