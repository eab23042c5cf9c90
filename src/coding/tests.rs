use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

/// What encoders of others made: `samples/record/codings/encode.py` wrote it.
const ENCODED: &str = include_str!("encoded.tsv");

/// A content in codings.
struct Encoded {
    named: &'static str,
    page: Vec<u8>,
    /// Events, each of them flushed.
    events: Vec<Vec<u8>>,
}

/// All of them that this build reads; the first is in none.
fn encoded() -> Vec<Encoded> {
    let bytes = |hex: &str| -> Vec<u8> {
        let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    };
    let row = |line: &'static str| {
        let (named, rest) = line.split_once('\t').unwrap();
        let mut rest = rest.split('\t').map(bytes);
        Encoded { named, page: rest.next().unwrap(), events: rest.collect() }
    };
    let rows = ENCODED.lines().map(row).filter(|row| Codings::of([row.named]).are_read());
    rows.collect()
}

/// What these pieces say, and why not more.
fn decoded(codings: Codings, pieces: &[&[u8]]) -> (Vec<u8>, Option<Stop>, bool) {
    let (mut decoder, mut out) = (Decoder::new(codings), Vec::new());
    for piece in pieces {
        let _ = decoder.push(piece, &mut |plain| {
            out.extend_from_slice(plain);
            true
        });
    }
    (out, decoder.stopped(), decoder.is_over())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn codings_are_told_by_their_names() {
    for (values, shown, is_read) in [
        (&[""][..], "", true),
        (&["identity"], "", true),
        (&["X-GZIP"], "gzip", true),
        (&["identity, gzip", "Deflate"], "gzip, deflate", true),
        (&["br"], "br", cfg!(feature = "brotli")),
        (&["zstd"], "zstd", cfg!(feature = "zstd")),
        (&["dcb"], "?", false),
        (&["gzip, compress"], "gzip, ?", false),
        (&["gzip,gzip,gzip,gzip,gzip"], "gzip, gzip, gzip, gzip, gzip", true),
        (&["gzip,gzip,gzip,gzip,gzip,gzip"], "?", false),
    ] {
        let codings = Codings::of(values.iter().copied());
        assert_eq!((&*codings.to_string(), codings.are_read()), (shown, is_read), "{values:?}");
        assert_eq!(codings.is_none(), shown.is_empty());
    }
    let unknown = Codings::from(Coding::Unknown).plain(b"abc", 9);
    assert_eq!((&*unknown.bytes, unknown.stop), (&b""[..], Some(Stop::Unread)));
}

#[test]
fn what_others_encode_is_decoded() {
    let rows = encoded();
    for row in &rows {
        let codings = Codings::of([row.named]);
        let plain = codings.plain(&row.page, 1 << 20);
        assert_eq!(plain, Plain { bytes: Cow::Borrowed(&rows[0].page), is_cut: false, stop: None });
        let first = codings.plain(&row.page, 100);
        assert_eq!((&*first.bytes, first.is_cut, first.stop), (&rows[0].page[..100], true, None));
        let (told, stop, is_over) = decoded(codings, &[&row.page]);
        assert_eq!((told, stop, is_over), (rows[0].page.clone(), None, true), "{}", row.named);
    }
    assert!(rows.len() >= 4);
}

/// Whoever follows a stream needs each event when it was sent, and not when the next one is.
#[test]
fn what_is_flushed_comes_out_at_once() {
    let rows = encoded();
    for row in &rows {
        let mut decoder = Decoder::new(Codings::of([row.named]));
        for (coded, event) in row.events.iter().zip(&rows[0].events) {
            let mut out = Vec::new();
            let mut put = |plain: &[u8]| {
                out.extend_from_slice(plain);
                true
            };
            for few in coded.chunks(3) {
                assert_eq!(decoder.push(few, &mut put), Ok(()));
            }
            assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(event), "{}", row.named);
        }
        assert!(decoder.is_over() && decoder.cost() < 1 << 20, "{}", row.named);
    }
}

#[test]
fn what_breaks_off_says_what_it_can() {
    let rows = encoded();
    for row in &rows[1..] {
        let codings = Codings::of([row.named]);
        for end in 0..row.page.len() {
            let plain = codings.plain(&row.page[..end], 1 << 20);
            assert!(plain.is_cut && plain.stop.is_none(), "{} of {} of {}", end, row.page.len(), row.named);
            assert!(rows[0].page.starts_with(&plain.bytes));
        }
    }
    let cut = &rows[1].page[..60];
    assert!(Codings::from(Coding::Gzip).plain(cut, 1 << 20).bytes.starts_with(b"<html><head>"));
}

#[test]
fn what_is_in_another_coding_is_broken() {
    let rows = encoded();
    for (row, other) in rows[1..].iter().flat_map(|row| rows.iter().map(move |other| (row, other))) {
        let outermost = |row: &Encoded| Codings::of([row.named]).list().next_back();
        // Zlib's head passes for bare DEFLATE's, and whatever Brotli begins with may be of that.
        let is_loose = matches!(outermost(row), Some(Coding::Deflate | Coding::Brotli));
        if outermost(row) == outermost(other) || is_loose && outermost(other).is_some() {
            continue;
        }
        let (told, stop, _) = decoded(Codings::of([row.named]), &[&other.page]);
        assert_eq!(stop, Some(Stop::Broken), "{} named {}: {told:?}", other.named, row.named);
    }
}

#[test]
fn behind_the_end_there_is_no_content() {
    let rows = encoded();
    for row in rows[1..].iter().filter(|row| !row.named.contains("zstd")) {
        let padded = [&row.page[..], &[0; 9][..]].concat();
        let plain = Codings::of([row.named]).plain(&padded, 1 << 20);
        assert_eq!(
            (&*plain.bytes, plain.is_cut, plain.stop),
            (&rows[0].page[..], false, None),
            "{}",
            row.named
        );
    }
}

#[test]
fn members_and_frames_follow_one_another() {
    let rows = encoded();
    for row in rows[1..].iter().filter(|row| ["gzip", "zstd"].contains(&row.named)) {
        // A skippable frame is none of gzip.
        let skipped: &[u8] = if row.named == "zstd" { b"\x50\x2A\x4D\x18\x03\0\0\0abc" } else { &[] };
        let coded = [&row.page[..], skipped, &row.page].concat();
        let bytewise: Vec<&[u8]> = coded.chunks(1).collect();
        let (told, stop, is_over) = decoded(Codings::of([row.named]), &bytewise);
        assert_eq!((told, stop, is_over), (rows[0].page.repeat(2), None, true), "{}", row.named);
    }
}

/// A bomb within a bomb, and what grows by millions.
#[test]
fn a_bomb_is_given_up() {
    let zeros = vec![0; 1 << 24];
    let bomb = gzip(&gzip(&zeros));
    assert!(bomb.len() < 2000);
    let (mut most, mut all) = (0, 0);
    let mut decoder = Decoder::new(Codings::of(["gzip, gzip"]));
    let mut took = 0;
    // As often as it takes: members follow one another.
    let told = loop {
        took += bomb.len();
        let told = decoder.push(&bomb, &mut |piece| {
            (most, all) = (most.max(piece.len()), all + piece.len() as u64);
            true
        });
        if told.is_err() || took > 1 << 20 {
            break told;
        }
    };
    assert_eq!((told, decoder.stopped()), (Err(Stop::TooLarge), Some(Stop::TooLarge)));
    assert!(all <= DECODED_FREELY + took as u64 * DECODED_TIMES && most <= PIECE);
    // It stays so.
    assert_eq!(decoder.push(&bomb, &mut |_| panic!("nothing more comes")), Err(Stop::TooLarge));
    // Who wants less gets less.
    let zipped = gzip(&zeros);
    let plain = Codings::from(Coding::Gzip).plain(&zipped, 1000);
    assert_eq!((plain.bytes.len(), plain.is_cut, plain.stop), (1000, true, None));
}

#[cfg(feature = "zstd")]
#[test]
fn a_run_of_zstd_is_a_bomb_too() {
    // A frame with a window of 8 MiB, and runs of 128 KiB.
    let frame = [0x28, 0xB5, 0x2F, 0xFD, 0, 13 << 3];
    let run = [2, 0, 16, b'x'];
    let mut decoder = Decoder::new(Codings::from(Coding::Zstd));
    let mut all = 0;
    let mut put = |piece: &[u8]| {
        assert!(piece.len() <= 128 * 1024 && piece.iter().all(|byte| *byte == b'x'));
        all += piece.len() as u64;
        true
    };
    assert_eq!(decoder.push(&frame, &mut put), Ok(()));
    let told = (0..1000).map(|_| decoder.push(&run, &mut put)).find(Result::is_err);
    assert_eq!(told, Some(Err(Stop::TooLarge)));
    assert!(all > DECODED_FREELY - (1 << 20) && all < DECODED_FREELY + (8 << 20), "{all}");
}

proptest! {
    #[test]
    fn any_pieces_come_to_the_same(
        row in 0..encoded().len(), cuts in prop::collection::vec(any::<u16>(), 0..8),
    ) {
        let rows = encoded();
        let row = &rows[row];
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut) % (row.page.len() + 1)).collect();
        cuts.extend([0, row.page.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &row.page[cut[0]..cut[1]]).collect();
        let (told, stop, is_over) = decoded(Codings::of([row.named]), &pieces);
        prop_assert_eq!((told, stop, is_over), (rows[0].page.clone(), None, true));
    }

    /// Damage is found or not, and comes to the same in any pieces.
    #[test]
    fn damage_does_no_harm(
        row in 1..encoded().len(), at in any::<u16>(), byte in any::<u8>(), size in 1_usize..40,
    ) {
        let rows = encoded();
        let row = &rows[row];
        let mut page = row.page.clone();
        let at = usize::from(at) % page.len();
        page[at] = byte;
        let codings = Codings::of([row.named]);
        let pieces: Vec<&[u8]> = page.chunks(size).collect();
        let (some, stop, is_over) = decoded(codings, &pieces);
        let (all, stop_at_once, is_over_at_once) = decoded(codings, &[&page]);
        prop_assert_eq!((stop, is_over), (stop_at_once, is_over_at_once));
        // What comes just before the damage may be told or not.
        prop_assert!(some.starts_with(&all) || all.starts_with(&some));
    }

    #[test]
    fn whatever_comes_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..300), named in 0..4) {
        let coding = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd][named as usize];
        let plain = Codings::from(coding).plain(&bytes, 1 << 20);
        prop_assert!(plain.bytes.len() <= 1 << 20);
    }
}
