use super::*;
use crate::app::path::Path;

const PING: &[u8] = b"\x82\xa4type\xa4ping\xa2id\x07";
const NESTED: &[u8] =
    b"\x83\xa2op\xa3add\xa4args\x92\x01\xcb\x3f\xf8\0\0\0\0\0\0\xa3b c\x81\xa1d\xc4\x02\xff\0";
/// `{"op": "add", "args": [1, 1.5], "n": h'ff00'}`, the second as a list without a count.
const CBOR: &[u8] = b"\xa3\x62op\x63add\x64args\x9f\x01\xf9\x3e\x00\xff\x61n\x42\xff\0";

fn json_of(notation: Notation, bytes: &[u8]) -> Option<String> {
    whole(notation, bytes)?.first().and_then(|value| to_json(notation, value, Blob::Object))
}

#[test]
fn paths_lead_through_all_notations_alike() {
    let json = r#"{"op":"add","args":[1,1.5]}"#;
    for (path, found) in
        [("$.op", "\"add\""), ("$.args[1]", "1.5"), ("$.args[0]", "1"), ("$.args", "[1,1.5]")]
    {
        let path = Path::parse(path).unwrap();
        for node in [
            Node::Json(json),
            Node::Binary(Notation::MessagePack, NESTED),
            Node::Binary(Notation::Cbor, CBOR),
        ] {
            let there = path.find_in(node).unwrap();
            assert_eq!(there.json().as_deref(), Some(found), "{path} in {node:?}");
        }
    }
    let none = Path::parse("$.args[2]").unwrap();
    assert_eq!(none.find_in(Node::Binary(Notation::Cbor, CBOR)), None);
}

#[test]
fn values_as_json() {
    assert_eq!(json_of(Notation::MessagePack, PING).unwrap(), r#"{"type":"ping","id":7}"#);
    assert_eq!(
        json_of(Notation::MessagePack, NESTED).unwrap(),
        r#"{"op":"add","args":[1,1.5],"b c":{"d":{"base64":"/wA="}}}"#
    );
    assert_eq!(
        json_of(Notation::Cbor, CBOR).unwrap(),
        r#"{"op":"add","args":[1,1.5],"n":{"base64":"/wA="}}"#
    );
    // RFC 8949 Appendix A.
    for (hex, json) in [
        ("80", "[]"),
        ("83010203", "[1,2,3]"),
        ("9f018202039f0405ffff", "[1,[2,3],[4,5]]"),
        ("bf61610161629f0203ffff", r#"{"a":1,"b":[2,3]}"#),
        ("bf6346756ef563416d7421ff", r#"{"Fun":true,"Amt":-2}"#),
        ("a201020304", r#"{"1":2,"3":4}"#),
        ("823bfffffffffffffffff6", "[-18446744073709551616,null]"),
        ("81f93c00", "[1.0]"),
        ("81fa47c35000", "[100000.0]"),
        ("81c11a514b67b0", r#"[{"tag":1,"value":1363896240}]"#),
        ("d9d9f7a1616101", r#"{"a":1}"#),
        ("817f657374726561646d696e67ff", r#"["streaming"]"#),
        ("815f42010243030405ff", r#"[{"base64":"AQIDBAU="}]"#),
        ("81f8ff", r#"[{"simple":255}]"#),
    ] {
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
        assert_eq!(json_of(Notation::Cbor, &bytes).as_deref(), Some(json), "{hex}");
    }
}

#[test]
fn leaves_have_paths_that_lead_to_them() {
    let node = Node::Binary(Notation::MessagePack, NESTED);
    let leaves = node.leaves(64).unwrap();
    let paths: Vec<&str> = leaves.iter().map(|leaf| leaf.path.as_str()).collect();
    assert_eq!(paths, ["$.op", "$.args[0]", "$.args[1]", "$['b c'].d"]);
    for leaf in &leaves {
        assert_eq!(Path::parse(&leaf.path).unwrap().find_in(node), Some(leaf.node), "{}", leaf.path);
    }
    assert_eq!(node.leaves(3), None);
}

/// Whatever keys are, and whether somebody else has the same.
#[test]
fn every_key_is_asked_for_as_it_is_shown() {
    let pack = b"\x88\xff\0\xcb\x3f\xf8\0\0\0\0\0\0\x01\xc4\x02\xff\0\x02\
        \xd4\x05\x07\x03\x92\x01\xa1a\x04\xc0\x05\xc3\x06\x07\x07";
    let cbor = b"\xa8\x20\0\xf9\x3e\0\x01\x42\xff\0\x02\xc1\x05\x03\x82\x01\x61a\x04\xf6\x05\xf5\x06\x07\x07";
    for (notation, bytes, fourth) in [
        (Notation::MessagePack, &pack[..], r#"$['{"ext":5,"base64":"Bw=="}']"#),
        (Notation::Cbor, &cbor[..], r#"$['{"tag":1,"value":5}']"#),
    ] {
        let node = Node::Binary(notation, whole(notation, bytes).unwrap()[0]);
        let leaves = node.leaves(64).unwrap();
        let paths: Vec<&str> = leaves.iter().map(|leaf| leaf.path.as_str()).collect();
        let (bytes, list) = (r#"$['{"base64":"/wA="}']"#, r#"$['[1,"a"]']"#);
        assert_eq!(paths, ["$.-1", "$['1.5']", bytes, fourth, list, "$.null", "$.true", "$.7"]);
        for (number, leaf) in (0..).zip(&leaves) {
            assert_eq!(Path::parse(&leaf.path).unwrap().find_in(node), Some(leaf.node), "{}", leaf.path);
            assert_eq!((leaf.node.shape(), leaf.is_hidden), (Shape::Whole(number), false), "{}", leaf.path);
        }
        assert_eq!(node.member("+7"), None);
    }
    let names = ["'", r#"""#, r#"'"]["#, r"\", r"a\'", "'\"\n", "\n", ""];
    for name in names {
        let bytes = [&[0x81, 0xA0 | name.len() as u8], name.as_bytes(), &[1]].concat();
        let node = Node::Binary(Notation::MessagePack, &bytes);
        let leaves = node.leaves(64).unwrap();
        let [leaf] = &leaves[..] else { panic!("{leaves:?}") };
        assert_eq!(Path::parse(&leaf.path).unwrap().find_in(node), Some(leaf.node), "{}", leaf.path);
    }
}

/// A path leads to the first of them; 5 and "5" are asked for alike, and so are bytes and their text.
#[test]
fn members_whose_name_was_there_before_are_hidden() {
    let ones: &[(&[u8], [bool; 2])] = &[
        (b"\x82\xff\x01\xff\x02", [false, true]),
        (b"\x82\xa1a\x01\xa1a\x81\xa1b\x02", [false, true]),
        (b"\x82\x05\x01\xa15\x02", [false, true]),
        (b"\x82\xc4\x01a\x01\xa1a\x02", [false, true]),
        (b"\x82\xa1a\x01\xa1b\x81\xa1a\x02", [false, false]),
        (b"\x92\x81\xa1a\x01\x81\xa1a\x02", [false, false]),
    ];
    for (bytes, hidden) in ones {
        let node = Node::Binary(Notation::MessagePack, bytes);
        let leaves = node.leaves(64).unwrap();
        assert!(leaves.iter().map(|leaf| leaf.is_hidden).eq(hidden.iter().copied()), "{leaves:?}");
        for leaf in &leaves {
            let found = Path::parse(&leaf.path).unwrap().find_in(node);
            assert_eq!(found != Some(leaf.node), leaf.is_hidden, "{leaf:?}");
        }
    }
}

#[test]
fn what_is_cut_deep_or_followed_by_more_is_no_value() {
    for (notation, bytes) in [(Notation::MessagePack, NESTED), (Notation::Cbor, CBOR)] {
        assert!(whole(notation, bytes).is_some() && is_evident(notation, bytes));
        for end in 0..bytes.len() {
            assert_eq!(whole(notation, &bytes[..end]), None, "{notation:?} {end}");
        }
        let more = [bytes, b"\x01"].concat();
        assert!(whole(notation, &more).is_none() && !is_evident(notation, &more));
        // One behind the other are two.
        assert_eq!(whole(notation, &bytes.repeat(2)).unwrap().len(), 2);
        for bomb in [&[0x9F; 4096][..], &[0x91; 4096], b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff\x01"] {
            assert_eq!(whole(notation, bomb), None);
        }
    }
    let deep = [vec![0x81_u8; crate::limits::JSON_DEPTH + 1], vec![1]].concat();
    assert_eq!(whole(Notation::Cbor, &deep), None);
}

/// Of a million messages of random bytes, half of which begin as values do, none may be taken for values; nor
/// may texts behind a byte that stands for something else.
#[test]
fn chance_makes_no_values() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let words = ["the ", "quick ", "ping", "d", "f", "name", " and ", "{\"a\":1}", "data"];
    let mut taken = Vec::new();
    for round in 0..200_000_u32 {
        let length = 1 + next() as usize % 40;
        let mut bytes: Vec<u8> = if round % 4 == 0 {
            (0..length / 3).flat_map(|_| words[next() as usize % words.len()].bytes()).collect()
        } else {
            (0..length).map(|_| next() as u8).collect()
        };
        bytes.insert(0, if round % 2 == 0 { 0x80 | next() as u8 & 0x3F } else { next() as u8 });
        for notation in [Notation::MessagePack, Notation::Cbor] {
            if is_evident(notation, &bytes) {
                taken.push((notation, bytes.clone()));
            }
        }
    }
    assert!(taken.is_empty(), "{taken:?}");
    // Pictures, sound, compressed data.
    for bytes in [
        &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0\x08\x06\0\0\0"[..],
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01",
        b"RIFF\x24\x08\0\0WAVEfmt ",
        b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01",
        b"\x93NUMPY\x01\0v\0{'descr': '<f8'}",
        b"\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94\x8c\x04name\x94\x8c\x01x\x94s.",
    ] {
        assert!([Notation::MessagePack, Notation::Cbor].iter().all(|n| !is_evident(*n, bytes)), "{bytes:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_may_be_read(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
        for notation in [Notation::MessagePack, Notation::Cbor] {
            let _ = to_json(notation, &bytes, Blob::Object);
            if let Ok(elements) = elements(notation, &bytes) {
                for (at, _) in elements {
                    assert!(at.start < at.end && at.end <= bytes.len());
                }
            }
            for value in whole(notation, &bytes).into_iter().flatten() {
                let node = Node::Binary(notation, value);
                let _ = (node.value(), node.leaves(64), node.number());
            }
        }
    }
}
