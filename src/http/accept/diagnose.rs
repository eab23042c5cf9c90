//! What was done wrong, told from a wrong `Sec-WebSocket-Accept` value.
//!
//! Every usual mistake leaves a fingerprint: compute what each would have
//! given, and compare.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::model::{Diagnosis, Text};

use super::{GUID, LENIENT, accept_value, digest, hex};

const HASH_AS_SENT: &str =
    "hash the key's characters as they stand in the header field, followed by the GUID";
const ENCODE_RAW: &str = "encode the 20 raw bytes of the SHA-1 digest in Base64, once";
const TRIM: &str = "take the key without white space and line ends around it";

/// Tells what made `wrong` out of `key`. `others` are further keys of the same
/// capture, one of which it may answer. White space around `wrong` is ignored.
///
/// `None` when the value is right.
pub fn diagnose(key: &[u8], wrong: &[u8], others: &[&[u8]]) -> Option<Diagnosis> {
    //= RFC 6455 §4.1
    //# ignoring any leading and trailing whitespace
    let wrong = wrong.trim_ascii();
    let right = accept_value(key);
    if wrong == right.as_bytes() {
        return None;
    }
    Some(
        misspelt(right.as_bytes(), wrong)
            .or_else(|| not_hashed(key, wrong))
            .or_else(|| misencoded(key, wrong))
            .or_else(|| hashed_otherwise(key, wrong))
            .or_else(|| of_another_key(wrong, others))
            .unwrap_or_else(|| by_shape(wrong)),
    )
}

/// The right value, badly written.
fn misspelt(right: &[u8], wrong: &[u8]) -> Option<Diagnosis> {
    let url_safe: Vec<u8> = right
        .iter()
        .map(|b| match b {
            b'+' => b'-',
            b'/' => b'_',
            b => *b,
        })
        .collect();
    let bare = |text: &[u8]| text.strip_suffix(b"=").unwrap_or(text).to_vec();
    Some(if wrong.is_empty() {
        Diagnosis::new("empty", "the value is empty", HASH_AS_SENT)
    } else if wrong == bare(right) {
        Diagnosis::new("missing-padding", "the right value without its padding", "keep the final =")
    } else if wrong == url_safe || wrong == bare(&url_safe) {
        Diagnosis::new(
            "url-safe-alphabet",
            "the right digest in the URL-safe alphabet (- and _)",
            "use the standard Base64 alphabet (+ and /) with padding",
        )
    } else if wrong.eq_ignore_ascii_case(right) {
        Diagnosis::new(
            "case-changed",
            "the right value in other upper and lower case",
            "leave the value's case alone",
        )
    } else if right.starts_with(wrong) {
        Diagnosis::new(
            "truncated",
            Text::with("the right value cut after {} characters", wrong.len()),
            "send all 28 characters",
        )
    } else if wrong.windows(right.len()).any(|w| w == right) {
        Diagnosis::new(
            "right-with-more",
            "the right value with something before or behind it",
            "send the 28 characters alone, without quotes or a label",
        )
    } else {
        return None;
    })
}

/// What went into the header field without hashing.
fn not_hashed(key: &[u8], wrong: &[u8]) -> Option<Diagnosis> {
    let joined = [key, GUID.as_bytes()].concat();
    let found = [
        (key.to_vec(), "key-echoed", "the key itself was sent back"),
        (STANDARD.encode(key).into_bytes(), "key-encoded", "the key was Base64-encoded again, not hashed"),
        (joined.clone(), "not-hashed", "key and GUID were joined, but not hashed"),
        (
            STANDARD.encode(&joined).into_bytes(),
            "not-hashed",
            "key and GUID were joined and encoded, but not hashed",
        ),
    ];
    let fix = "SHA-1 of key and GUID, then Base64 of the 20-byte digest";
    found.into_iter().find(|(value, ..)| value == wrong).map(|(_, id, what)| Diagnosis::new(id, what, fix))
}

/// The right digest, written down wrongly.
fn misencoded(key: &[u8], wrong: &[u8]) -> Option<Diagnosis> {
    let digest = digest(&[key, GUID.as_bytes()]);
    let lower = hex(&digest);
    let upper = lower.to_ascii_uppercase();
    let mut words = digest;
    words.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    let mut reversed = digest;
    reversed.reverse();
    let is = |value: &[u8]| {
        wrong == STANDARD.encode(value).as_bytes() || wrong == STANDARD_NO_PAD.encode(value).as_bytes()
    };
    let say = |id, what: &'static str| Some(Diagnosis::new(id, what, ENCODE_RAW));
    // What sha1sum prints, which may have hashed a line feed of echo's as well.
    for (end, id, what) in [
        (&b""[..], "sha1sum-encoded", "the output of sha1sum, hex digits and dash, was Base64-encoded"),
        (
            b"\n",
            "sha1sum-encoded",
            "the output of sha1sum was Base64-encoded, and a line feed was hashed too (echo without -n?)",
        ),
    ] {
        let digits = hex(&super::digest(&[key, GUID.as_bytes(), end]));
        if is(format!("{digits}  -\n").as_bytes()) || is(format!("{digits}  -").as_bytes()) {
            return say(id, what);
        }
        if wrong.strip_prefix(digits.as_bytes()).is_some_and(|rest| rest.trim_ascii() == b"-") {
            return say("hex-digest", "what sha1sum prints was sent, hexadecimal digits and a dash");
        }
        if !end.is_empty() && wrong.eq_ignore_ascii_case(digits.as_bytes()) {
            return say("hex-digest", "a line feed was hashed too, and the digest sent in hexadecimal");
        }
    }
    if is(lower.as_bytes()) || is(upper.as_bytes()) {
        say("hex-digest-encoded", "the digest was written in hexadecimal, and that text Base64-encoded")
    } else if wrong == lower.as_bytes() || wrong == upper.as_bytes() {
        say("hex-digest", "the digest was sent in hexadecimal, not in Base64")
    } else if is(STANDARD.encode(digest).as_bytes()) {
        say("double-base64", "the digest was Base64-encoded twice")
    } else if is(&words) {
        say("digest-words-swapped", "the five 32-bit words of the digest are in little-endian order")
    } else if is(&reversed) {
        say("digest-reversed", "the bytes of the digest are in reverse order")
    } else {
        None
    }
}

/// SHA-1 and Base64, but over something else.
fn hashed_otherwise(key: &[u8], wrong: &[u8]) -> Option<Diagnosis> {
    let guid = GUID.as_bytes();
    let lower = GUID.to_ascii_lowercase();
    let compact = GUID.replace('-', "");
    let braced = format!("{{{GUID}}}");
    let decoded = LENIENT.decode(key).unwrap_or_default();
    let bare: &[u8] = key.trim_ascii_end();
    let bare = &bare[..bare.iter().rposition(|b| *b != b'=').map_or(0, |at| at + 1)];
    let (small, large) = (key.to_ascii_lowercase(), key.to_ascii_uppercase());
    let wide: Vec<u8> = [key, guid].concat().iter().flat_map(|&b| [b, 0]).collect();
    let canonical = STANDARD.encode(&decoded);
    let guid_fix = "the GUID is 258EAFA5-E914-47DA-95CA-C5AB0DC85B11, in upper case, with its hyphens";
    let alone = "hash nothing but the key and the GUID: no line end, no terminating zero";
    let order = "the key comes first, then the GUID";

    let tries: &[(&[&[u8]], &'static str, &'static str, &'static str)] = &[
        (&[&decoded, guid], "key-decoded", "the key was Base64-decoded before it was hashed", HASH_AS_SENT),
        (&[key, lower.as_bytes()], "guid-lower-case", "the GUID was written in lower case", guid_fix),
        (
            &[key, compact.as_bytes()],
            "guid-without-hyphens",
            "the GUID was written without its hyphens",
            guid_fix,
        ),
        (&[key, braced.as_bytes()], "guid-in-braces", "the GUID was written in braces", guid_fix),
        (&[guid, key], "guid-first", "the GUID was put before the key", order),
        (&[guid, &decoded], "guid-first-key-decoded", "the GUID was put before the decoded key", order),
        (
            &[key],
            "no-guid",
            "the key was hashed alone, without the GUID",
            "append the GUID to the key before hashing",
        ),
        (
            &[&decoded],
            "no-guid-key-decoded",
            "the decoded key was hashed alone, without the GUID",
            HASH_AS_SENT,
        ),
        (&[guid], "no-key", "the GUID was hashed alone: the key was read as empty", HASH_AS_SENT),
        (&[key, b"\r\n", guid], "key-with-crlf", "the key was hashed with its CR LF", TRIM),
        (&[key, b"\n", guid], "key-with-lf", "the key was hashed with a line feed behind it", TRIM),
        (&[key, b"\r", guid], "key-with-cr", "the key was hashed with a carriage return behind it", TRIM),
        (&[key, b" ", guid], "key-with-trailing-space", "the key was hashed with a space behind it", TRIM),
        (&[b" ", key, guid], "key-with-leading-space", "the key was hashed with the space before it", TRIM),
        (
            &[b" ", key, b"\r\n", guid],
            "key-with-crlf",
            "the key was hashed with the space before it and its CR LF",
            TRIM,
        ),
        (
            &[key, guid, b"\n"],
            "line-end-after-guid",
            "a line feed behind the GUID was hashed too (echo without -n?)",
            alone,
        ),
        (&[key, guid, b"\r\n"], "line-end-after-guid", "a CR LF behind the GUID was hashed too", alone),
        (&[key, guid, b"\0"], "terminating-zero", "a C string's terminating zero was hashed too", alone),
        (&[key, b"\0", guid], "terminating-zero", "a zero byte between key and GUID was hashed too", alone),
        (&[bare, guid], "key-without-padding", "the key was hashed without its padding", HASH_AS_SENT),
        (
            &[&small, guid],
            "key-case-changed",
            "the key was turned to lower case before it was hashed",
            HASH_AS_SENT,
        ),
        (
            &[&large, guid],
            "key-case-changed",
            "the key was turned to upper case before it was hashed",
            HASH_AS_SENT,
        ),
        (
            &[canonical.as_bytes(), guid],
            "key-re-encoded",
            "the key was decoded and encoded again, which changed it",
            HASH_AS_SENT,
        ),
        (&[b"\"", key, b"\"", guid], "key-quoted", "the key was hashed in quotes", HASH_AS_SENT),
        (&[key, b" ", guid, b" "], "key-with-trailing-space", "spaces were hashed too", alone),
        (
            &[&wide],
            "utf-16",
            "key and GUID were hashed as UTF-16, two bytes a character",
            "hash the ASCII characters, one byte each",
        ),
    ];
    let is = |parts: &[&[u8]]| {
        let value = STANDARD.encode(digest(parts));
        wrong == value.as_bytes() || Some(wrong) == value.as_bytes().strip_suffix(b"=")
    };
    tries.iter().find(|(parts, ..)| is(parts)).map(|(_, id, what, fix)| Diagnosis::new(id, *what, *fix))
}

fn of_another_key(wrong: &[u8], others: &[&[u8]]) -> Option<Diagnosis> {
    const SAMPLE: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";
    let fix = "compute the answer afresh from the key of each request";
    let answers = |key: &&&[u8]| accept_value(key).as_bytes() == wrong;
    if let Some(key) = others.iter().find(answers) {
        let what = Text::with("the answer to another key of this capture: {}", String::from_utf8_lossy(key));
        return Some(Diagnosis::new("answer-to-another-key", what, fix));
    }
    let what = "the answer to the RFC's sample key: copied from RFC 6455 §1.3";
    answers(&&SAMPLE).then(|| Diagnosis::new("rfc-sample-answer", what, fix))
}

/// When no mistake is known that gives this value: what can be said from its looks.
fn by_shape(wrong: &[u8]) -> Diagnosis {
    let digits = wrong.trim_ascii_end().strip_suffix(b"-").map_or(wrong, <[u8]>::trim_ascii_end);
    if digits.iter().all(u8::is_ascii_hexdigit) {
        let sha1 = "use SHA-1, and encode its 20 raw bytes in Base64";
        match digits.len() {
            32 => {
                return Diagnosis::new("looks-like-md5", "32 hexadecimal digits, as of an MD5 digest", sha1);
            }
            40 => {
                let what = "40 hexadecimal digits, as of a SHA-1 digest, but of other bytes";
                return Diagnosis::new("looks-like-hex", what, HASH_AS_SENT);
            }
            64 => {
                let what = "64 hexadecimal digits, as of a SHA-256 digest";
                return Diagnosis::new("looks-like-sha256", what, sha1);
            }
            128 => {
                let what = "128 hexadecimal digits, as of a SHA-512 digest";
                return Diagnosis::new("looks-like-sha512", what, sha1);
            }
            _ => {}
        }
    }
    let Ok(bytes) = LENIENT.decode(wrong) else {
        return Diagnosis::new("not-base64", "the value is not Base64", ENCODE_RAW);
    };
    let sha1 = "use SHA-1, whose digest is 20 bytes long";
    match bytes.len() {
        20 => Diagnosis::new(
            "unknown-hash",
            "20 bytes, as SHA-1 gives them, but of none of the usual mistakes: perhaps of another key, or \
             of another GUID",
            HASH_AS_SENT,
        ),
        16 => Diagnosis::new("looks-like-md5", "16 bytes, as MD5 gives them (or the key echoed)", sha1),
        32 => Diagnosis::new("looks-like-sha256", "32 bytes, as SHA-256 gives them", sha1),
        40 => {
            Diagnosis::new("looks-like-hex", "40 bytes, as a SHA-1 digest has hexadecimal digits", ENCODE_RAW)
        }
        64 => Diagnosis::new("looks-like-sha512", "64 bytes, as SHA-512 gives them", sha1),
        n => Diagnosis::new("wrong-length", Text::with("{} bytes instead of 20", n), ENCODE_RAW),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";

    fn id(wrong: &str) -> &'static str {
        diagnose(KEY, wrong.as_bytes(), &[]).map_or("right", |d| d.id)
    }

    /// Values computed elsewhere, so that they do not lean on the code they test.
    #[test]
    fn known_fingerprints() {
        let cases = [
            ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "right"),
            (" s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\t", "right"),
            ("BXhwxM0SZasKmCD9S4BfpPmCnEw=", "key-decoded"),
            ("WJfwerbIozKsJXHxxI0JTO1SQgU=", "guid-lower-case"),
            ("kex8Ji4w0ek1Mc3Dwcf4mOpf5b4=", "key-with-crlf"),
            ("2OZf2Seed9yzIpkj+zvC9KS9Mjw=", "guid-first"),
            ("hHLtf2V1k8aDQZfNjw3Ia1hCwt0=", "no-guid"),
            ("b37a4f2cc0624f1690f64606cf385945b2bec4ea", "hex-digest"),
            ("YjM3YTRmMmNjMDYyNGYxNjkwZjY0NjA2Y2YzODU5NDViMmJlYzRlYQ==", "hex-digest-encoded"),
            ("QjM3QTRGMkNDMDYyNEYxNjkwRjY0NjA2Q0YzODU5NDVCMkJFQzRFQQ==", "hex-digest-encoded"),
            ("s3pPLMBiTxaQ9kYGzzhZRbK-xOo=", "url-safe-alphabet"),
            ("s3pPLMBiTxaQ9kYGzzhZRbK-xOo", "url-safe-alphabet"),
            ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo", "missing-padding"),
            ("S3PPLMBITXAQ9KYGZZHZRBK+XOO=", "case-changed"),
            ("s3pPLMBiTxaQ9kYG", "truncated"),
            ("\"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\"", "right-with-more"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "key-echoed"),
            ("czNwUExNQmlUeGFROWtZR3p6aFpSYksreE9vPQ==", "double-base64"),
            ("", "empty"),
            ("!", "not-base64"),
            ("AAAAAAAAAAAAAAAAAAAAAA==", "looks-like-md5"),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "looks-like-sha256"),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "unknown-hash"),
            ("AAAA", "wrong-length"),
            ("b37a4f2cc0624f1690f64606cf385945b2bec4ea  -", "hex-digest"),
            // printf %s KEY GUID | sha1sum | base64; the same with echo; and other sums.
            ("YjM3YTRmMmNjMDYyNGYxNjkwZjY0NjA2Y2YzODU5NDViMmJlYzRlYSAgLQo=", "sha1sum-encoded"),
            ("MDUwODI4OThhYjc4ZjZkYTljMWFkMjU4N2I4MDEyY2QwY2Y1MjE3MiAgLQo=", "sha1sum-encoded"),
            ("5d41402abc4b2a76b9719d911017c592", "looks-like-md5"),
            ("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824  -", "looks-like-sha256"),
        ];
        for (wrong, expected) in cases {
            assert_eq!(id(wrong), expected, "{wrong}");
        }
    }

    /// The other mistakes, made here.
    #[test]
    fn mistakes_are_recognised() {
        let guid = GUID.as_bytes();
        let cases: &[(&[&[u8]], &str)] = &[
            (&[KEY, b"\n", guid], "key-with-lf"),
            (&[KEY, b" ", guid], "key-with-trailing-space"),
            (&[b" ", KEY, guid], "key-with-leading-space"),
            (&[KEY, guid, b"\n"], "line-end-after-guid"),
            (&[KEY, guid, b"\0"], "terminating-zero"),
            (&[b"dGhlIHNhbXBsZSBub25jZQ", guid], "key-without-padding"),
            (&[b"dghlihnhbxbszsbub25jzq==", guid], "key-case-changed"),
            (&[KEY, b"258EAFA5E91447DA95CAC5AB0DC85B11"], "guid-without-hyphens"),
            (&[guid], "no-key"),
            (&[b"the sample nonce"], "no-guid-key-decoded"),
        ];
        for (parts, expected) in cases {
            assert_eq!(id(&STANDARD.encode(digest(parts))), *expected);
        }
    }

    #[test]
    fn the_answer_to_another_key_names_it() {
        let other: &[u8] = b"x3JJHMbDL1EzLkh9GBhXDw==";
        let found = diagnose(KEY, b"HSmrc0sMlYUkAGmm5OPpG2HaGWk=", &[KEY, other]).expect("wrong");
        assert_eq!(found.id, "answer-to-another-key");
        assert!(found.what.to_string().ends_with("x3JJHMbDL1EzLkh9GBhXDw=="));
        let found = diagnose(other, b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", &[]).expect("wrong");
        assert_eq!(found.id, "rfc-sample-answer");
    }
}
