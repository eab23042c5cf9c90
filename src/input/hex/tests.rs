use super::*;
use crate::model::Dir::{Client, Server};

/// 81 05 "Hello" 89 00 " abc de {"a":1} face 00 11 22\n": its text column is full of hex.
const LONG: &[u8] = b"\x81\x05Hello\x89\x00 abc de {\"a\":1} face 00 11 22\n";
const HELLO: &[u8] = b"\x81\x05Hello";

fn bytes(text: &str) -> Vec<u8> {
    let chunks = parse(text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    assert_eq!(chunks.len(), 1, "{text}");
    chunks.into_iter().next().unwrap().bytes
}

fn message(text: &str) -> String {
    parse(text).expect_err(text).to_string()
}

#[test]
fn every_loose_form() {
    for text in [
        "81 05 48 65 6c 6c 6f",
        "8105 4865 6c6c 6f",
        "810548656C6C6F",
        "8105 48656c\n6c6f\n",
        "0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F",
        "0x81 0x5 0x48 0x65 0x6c 0x6c 0x6f",
        "0x810548656c6c6f",
        "0X8105 0x48656c6c6f",
        "81:05:48:65:6c:6c:6f",
        "81-05-48-65-6C-6C-6F",
        "81,05,48,65,6c,6c,6f",
        r"\x81\x05\x48\x65\x6c\x6c\x6f",
        r"\x81\x05 \x48\x65\x6c\x6c\x6f",
        "\t81 05 48\r\n 65 6c 6c 6f\r\n",
        "# a text frame\n81 05 # header\n48 65 6c 6c 6f // Hello\n",
        "81 05 /* header,\n two bytes */ 48 65 6c 6c 6f",
        "```\n81 05 48 65 6c 6c 6f\n```",
        "<Buffer 81 05 48 65 6c 6c 6f>",
        "\u{A0}81 05 48 65 6c 6c 6f",
    ] {
        assert_eq!(bytes(text), HELLO, "{text}");
    }
}

#[test]
fn every_form_in_code() {
    for text in [
        r#""\x81\x05\x48\x65\x6c\x6c\x6f""#,
        r#""\x81\x05Hello""#,
        r#"b"\x81\x05Hello""#,
        r"b'\x81\x05Hello'",
        r#"let hello = b"\x81\x05Hello";"#,
        r#"printf "\x81\x05Hello""#,
        r"echo -ne '\x81\x05Hello'",
        "\"\\x81\\x05\\x48\" \\\n\"\\x65\\x6c\\x6c\\x6f\" \\\n",
        r#""\x81\x05" "Hello""#,
        r#""\201\5Hello""#,
        r#""\x81\x05\u0048\u{65}llo""#,
        r#"bytes.fromhex("81054865 6c6c6f")"#,
        r#"Buffer.from("810548656c6c6f", "hex")"#,
        "'81 05 48 65 6c 6c 6f'",
        "const uint8_t a[] = {0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f};",
        "unsigned char a[7] = { /* header */ 0x81, 0x05, // and\n 'H', 'e', 0x6c, 0x6c, 0x6f, };",
        "unsigned char hello_bin[] = {\n  0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f\n};\n\
         unsigned int hello_bin_len = 7;\n",
        "{0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}",
        "[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]",
        "let a: [u8; 7] = [0x81u8, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];",
        "vec![0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]",
        "new Uint8Array([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])",
        "byte[][] a = {{0x81, 0x05}, {0x48, 0x65, 0x6c, 0x6c, 0x6f}};",
        "static const char *p =\n  \"\\x81\\x05\"\n  \"Hello\";",
    ] {
        assert_eq!(bytes(text), HELLO, "{text}");
    }
    assert!(message("\"Hello\"").contains("line 1, column 2: found `Hello`"));
}

#[test]
fn every_dump() {
    for text in [
        // xxd
        "00000000: 8105 4865 6c6c 6f89 0020 6162 6320 6465  ..Hello.. abc de
00000010: 207b 2261 223a 317d 2066 6163 6520 3030   {\"a\":1} face 00
00000020: 2031 3120 3232 0a                         11 22.
",
        // xxd -g1, xxd -c 8, xxd -d
        "00000000: 81 05 48 65 6c 6c 6f 89 00 20 61 62 63 20 64 65  ..Hello.. abc de
00000010: 20 7b 22 61 22 3a 31 7d 20 66 61 63 65 20 30 30   {\"a\":1} face 00
00000020: 20 31 31 20 32 32 0a                              11 22.",
        "00000000: 8105 4865 6c6c 6f89  ..Hello.
00000008: 0020 6162 6320 6465  . abc de
00000010: 207b 2261 223a 317d   {\"a\":1}
00000018: 2066 6163 6520 3030   face 00
00000020: 2031 3120 3232 0a     11 22.
",
        "00000000: 8105 4865 6c6c 6f89 0020 6162 6320 6465  ..Hello.. abc de
00000016: 207b 2261 223a 317d 2066 6163 6520 3030   {\"a\":1} face 00
00000032: 2031 3120 3232 0a                         11 22.
",
        // hexdump -C
        "00000000  81 05 48 65 6c 6c 6f 89  00 20 61 62 63 20 64 65  |..Hello.. abc de|
00000010  20 7b 22 61 22 3a 31 7d  20 66 61 63 65 20 30 30  | {\"a\":1} face 00|
00000020  20 31 31 20 32 32 0a                              | 11 22.|
00000027
",
        // od: hex, octal, decimal and no offsets, and the text column of z
        "000000 81 05 48 65 6c 6c 6f 89 00 20 61 62 63 20 64 65
000010 20 7b 22 61 22 3a 31 7d 20 66 61 63 65 20 30 30
000020 20 31 31 20 32 32 0a
000027
",
        "0000000 81 05 48 65 6c 6c 6f 89 00 20 61 62 63 20 64 65  >..Hello.. abc de<
0000020 20 7b 22 61 22 3a 31 7d 20 66 61 63 65 20 30 30  > {\"a\":1} face 00<
0000040 20 31 31 20 32 32 0a                             > 11 22.<
0000047
",
        "0000000 81 05 48 65 6c 6c 6f 89 00 20 61 62 63 20 64 65
0000016 20 7b 22 61 22 3a 31 7d 20 66 61 63 65 20 30 30
0000032 20 31 31 20 32 32 0a
0000039
",
        " 81 05 48 65 6c 6c 6f 89 00 20 61 62 63 20 64 65
 20 7b 22 61 22 3a 31 7d 20 66 61 63 65 20 30 30
 20 31 31 20 32 32 0a
",
        // xxd -p
        "810548656c6c6f890020616263206465207b2261223a317d206661636520\n30302031312032320a\n",
        // Wireshark with text and without, tshark -x
        "0000   81 05 48 65 6c 6c 6f 89 00 20 61 62 63 20 64 65   ..Hello.. abc de
0010   20 7b 22 61 22 3a 31 7d 20 66 61 63 65 20 30 30    {\"a\":1} face 00
0020   20 31 31 20 32 32 0a                               11 22.
",
        "0000   81 05 48 65 6c 6c 6f 89 00 20 61 62 63 20 64 65
0010   20 7b 22 61 22 3a 31 7d 20 66 61 63 65 20 30 30
0020   20 31 31 20 32 32 0a",
        "> 0000  81 05 48 65 6c 6c 6f 89 00 20 61 62 63 20 64 65   ..Hello.. abc de\r
0010  20 7b 22 61 22 3a 31 7d 20 66 61 63 65 20 30 30    {\"a\":1} face 00\r
0020  20 31 31 20 32 32 0a                               11 22.\r
",
    ] {
        assert_eq!(bytes(text).escape_ascii().to_string(), LONG.escape_ascii().to_string(), "{text}");
    }
}

#[test]
fn the_text_column_is_never_taken_for_hex() {
    // Eight bytes a row, text that is hex throughout, no difference in the gaps.
    let rows = "0000  30 31 20 32 33 20 34 35  01 23 45\n0008  36 37 20 38 39 20 61 62  67 89 ab\n";
    assert_eq!(bytes(rows), b"01 23 4567 89 ab");
    // The last row goes by where the column began before, although its gap is that in the middle of a row.
    let rows = "00000000  30 31 20 32 33 20 34 35  36 37 20 38 39 20 61 62  01 23 45 67 89 ab
00000010  30 31 20 32 33 20 34 35                           01 23 45\n";
    assert_eq!(bytes(rows), b"01 23 4567 89 ab01 23 45");
    assert_eq!(bytes("00000000: 6162 20 ab 20\n"), b"ab \xAB ");
    assert_eq!(bytes("00000000: 6162 20  ab 20\n"), b"ab ");
    assert_eq!(bytes("0000   61 62 20 64 65   ab de"), b"ab de");
    assert_eq!(bytes("00000000  61 62 20 64 65  |ab de|"), b"ab de");
}

#[test]
fn repeated_rows_are_repeated() {
    let rows = "00000000  82 7e 00 40 00 00 00 00  00 00 00 00 00 00 00 00  |.~.@............|
00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
*
00000040  00 00 00 00                                       |....|
00000044
";
    let mut expected = b"\x82\x7E\x00\x40".to_vec();
    expected.resize(0x44, 0);
    assert_eq!(bytes(rows), expected);
    let endless = "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n\
         fffffffffffffff0\n";
    assert!(message(endless).contains("longer than"));
    assert!(message("0000   00 00 00 00\n*\n").contains("line 1, column 1: found rows left out"));
    let endless = "0000000000000000  00 00 00 00 00 00 00 00\n*\n7ffffffffffffff8\n";
    assert!(message(endless).contains("longer than"));
}

#[test]
fn directions_are_marked() {
    let chunk = |dir, bytes: &[u8], line| Chunk { dir, bytes: bytes.to_vec(), line };
    assert_eq!(
        parse("> 81 85 37 fa\n  21 3d\n# pong\n< 8a 00\n< 88 00\n> 88 80 00 00 00 00").unwrap(),
        [
            chunk(Some(Client), b"\x81\x85\x37\xFA\x21\x3D", 1),
            chunk(Some(Server), b"\x8A\x00\x88\x00", 4),
            chunk(Some(Client), b"\x88\x80\0\0\0\0", 6)
        ]
    );
    assert_eq!(
        parse("> \"\\x81\\x80\"\n< {0x8a, 0x00}").unwrap(),
        [chunk(Some(Client), b"\x81\x80", 1), chunk(Some(Server), b"\x8A\x00", 2)]
    );
    assert_eq!(
        parse(
            "char peer0_0[] = { /* Packet 4 */\n0x89, 0x00 };\nchar peer1_0[] = { /* Packet 6 */\n\
               0x8a, 0x00 };\n"
        )
        .unwrap(),
        [chunk(Some(Client), b"\x89\x00", 2), chunk(Some(Server), b"\x8A\x00", 4)]
    );
}

#[test]
fn a_followed_stream_has_both_directions() {
    for indent in ["    ", "\t"] {
        let text = format!(
            "===================================================================
Follow: tcp,hex
Filter: tcp.stream eq 0
Node 0: 127.0.0.1:55371
Node 1: 127.0.0.1:10301
00000000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  GET / HT TP/1.1..
00000010  0d 0a                                             ..
{indent}00000000  48 54 54 50 2f 31 2e 31  20 31 30 31 20 53 77 69  HTTP/1.1  101 Swi
{indent}00000010  0a                                                .
00000012  89 00                                             ..
{indent}00000011  81 05 22 77 68 6f 22                              ..\"who\"
{indent}00000018  8a 00                                             ..
==================================================================="
        );
        let chunks = parse(&text).unwrap();
        let seen: Vec<_> = chunks.iter().map(|c| (c.dir, c.bytes.as_slice(), c.line)).collect();
        assert_eq!(
            seen,
            [
                (Some(Client), &b"GET / HTTP/1.1\r\n\r\n"[..], 6),
                (Some(Server), b"HTTP/1.1 101 Swi\n", 8),
                (Some(Client), b"\x89\x00", 10),
                (Some(Server), b"\x81\x05\"who\"\x8A\x00", 11),
            ]
        );
        let error = message(&text.replace("00000012  89", "00000014  89"));
        assert!(
            error.contains("line 10, column 1: found offset 00000014, expected offset 00000012"),
            "{error}"
        );
    }
}

#[test]
fn a_dump_that_begins_anew_is_a_new_chunk() {
    let rows = "0000   89 00   ..\n0000   8a 00   ..\n0000   88 00   ..\n";
    let chunks = parse(rows).unwrap();
    assert_eq!(chunks.iter().map(|c| c.line).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(chunks.iter().all(|c| c.bytes.len() == 2));
}

#[test]
fn errors_say_where_and_what() {
    for (text, words) in [
        ("81 05 4", "line 1, column 7: found `4`, 1 hex digit, expected an even number"),
        ("81 05\n48 6g", "line 2, column 5: found `g`, expected hex digits"),
        (
            "Dear all,\n81 05",
            "line 1, column 4: found `r`, expected hex digits (this is text, but neither hex",
        ),
        ("It's a \"test\"", "line 1, column 1: found `It`"),
        ("0x81, 0xyz", "line 1, column 9: found `yz`"),
        (r"\x81\x5", "two hex digits after \\x"),
        ("{129, 5}", "write 0x81 for 129"),
        ("{0x81, 0x05", "line 1, column 1: found `{`, expected a closing bracket"),
        ("x = \"\\x81", "line 1, column 5: found `\"`, expected a closing quote"),
        ("2024-01-02", "found `-`"),
        ("# nothing\n", "found the end, expected bytes in hex"),
        ("0000000 0581 6548 6c6c 006f", "a dump of words"),
        ("0000000 002601 062510 066154", "a dump of words"),
        ("0000000    0581    6548", "a dump of words"),
        ("00000000: 10000001 00000101 01001000 01100101  ..He", "a dump of bits"),
        ("00000000: 10000001 00000101  ..\n00000002: 01001000 01100101  He\n", "a dump of bits"),
        ("00000000: 65480581 896f6c6c 62612000 65642063  ..Hello.. abc de", "little-endian groups"),
        ("0000   81 05 zz", "line 1, column 14: found `zz`, expected two hex digits"),
        (
            "00000000: 8105 4865\n00000010: 6c6c 6f\n",
            "line 2, column 1: found offset 00000010, expected offset 00000004, as line 1 has 4 bytes from \
             00000000 on",
        ),
        ("00000000  81 05 48  |..H|\n00000004\n", "a line or a byte is missing"),
    ] {
        let said = message(text);
        assert!(said.contains(words), "{text}\n{said}");
        assert!(!said.contains('\n'));
    }
}

#[test]
fn a_dump_cut_or_changed_anywhere_never_panics() {
    let whole = "> 00000000  81 05 48 65 6c 6c 6f 89  00 20 61 62 63 20 64 65  |..Hello.. abc de|
< 00000000: 207b 2261 223a 317d 2066 6163 6520 3030   {\"a\":1} face 00
*
00000020: 2031  \\x81 \"\\u{41}\" [0x81, 'a'] /* b\"\\201\" <Buffer 81>
";
    for at in 0..whole.len() {
        let _ = parse(&whole[..at]);
        let _ = parse(&whole[at..]);
        for other in ["\u{20AC}", "\"", "\\", "{", ":", "\t", "*", "  ", "0"] {
            let _ = parse(&format!("{}{other}{}", &whole[..at], &whole[at + 1..]));
        }
    }
}
