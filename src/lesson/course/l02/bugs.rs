//! What servers do wrong with a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use super::key;
use crate::http::accept::{GUID, hex};
use crate::http::{Steps, accept_value, diagnose};
use crate::lesson::{Answer, Instance};
use crate::synth::Rng;

/// The RFC's sample key (RFC 6455 §1.3).
const SAMPLE: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The mistakes of [`name_the_bug`], by the ids that the tool's diagnosis gives them.
const BUGS: [&str; 11] = [
    "key-decoded",
    "guid-lower-case",
    "guid-without-hyphens",
    "guid-first",
    "no-guid",
    "key-with-crlf",
    "key-with-leading-space",
    "line-end-after-guid",
    "key-case-changed",
    "hex-digest-encoded",
    "rfc-sample-answer",
];

/// What somebody computes who makes a mistake. The right way is the tool's;
/// only the wrong ones are made here.
fn botched(key: &str, bug: &str) -> String {
    let steps = Steps::of(key.as_bytes());
    let decoded = steps.decoded.clone().unwrap_or_default();
    let of = |parts: &[&[u8]]| STANDARD.encode(Sha1::digest(parts.concat()));
    let (text, guid) = (key.as_bytes(), GUID.as_bytes());
    match bug {
        "key-decoded" => of(&[&decoded, guid]),
        "guid-lower-case" => of(&[text, GUID.to_ascii_lowercase().as_bytes()]),
        "guid-without-hyphens" => of(&[text, GUID.replace('-', "").as_bytes()]),
        "guid-first" => of(&[guid, text]),
        "no-guid" => of(&[text]),
        "key-with-crlf" => of(&[text, b"\r\n", guid]),
        "key-with-lf" => of(&[text, b"\n", guid]),
        "key-with-leading-space" => of(&[b" ", text, guid]),
        "line-end-after-guid" => of(&[text, guid, b"\n"]),
        "key-case-changed" => of(&[key.to_ascii_lowercase().as_bytes(), guid]),
        "hex-digest" => hex(&steps.digest),
        "hex-digest-encoded" => STANDARD.encode(hex(&steps.digest)),
        "rfc-sample-answer" => accept_value(SAMPLE.as_bytes()),
        "missing-padding" => steps.accept.trim_end_matches('=').to_owned(),
        "key-echoed" => key.to_owned(),
        _ => steps.accept,
    }
}

/// The answer to a key, computed by the learner.
pub(super) fn compute_accept(rng: &mut Rng) -> Instance {
    const MADE: [&str; 15] = [
        "key-decoded",
        "key-echoed",
        "guid-lower-case",
        "guid-without-hyphens",
        "no-guid",
        "guid-first",
        "line-end-after-guid",
        "key-with-lf",
        "key-with-crlf",
        "key-with-leading-space",
        "key-case-changed",
        "rfc-sample-answer",
        "hex-digest",
        "hex-digest-encoded",
        "missing-padding",
    ];
    let key = key(rng);
    let steps = Steps::of(key.as_bytes());
    let asked = key.clone();
    let mut instance = Instance::new(Answer::exact(&steps.accept))
        .told_by(move |typed| diagnose(asked.as_bytes(), typed.as_bytes(), &[]))
        .hole("joined", &steps.joined)
        .hole("digest", hex(&steps.digest))
        .command(["accept", "--explain", &key]);
    for bug in MADE {
        instance = instance.mistake(bug, Answer::exact(botched(&key, bug)));
    }
    instance.hole("key", key)
}

/// A wrong answer, and five bugs that may be behind it.
pub(super) fn name_the_bug(rng: &mut Rng) -> Instance {
    let key = key(rng);
    let mut bugs = BUGS;
    rng.shuffle(&mut bugs);
    let bugs = &bugs[..5];
    let wrong = botched(&key, bugs[0]);
    let found = diagnose(key.as_bytes(), wrong.as_bytes(), &[]).map_or("right", |diagnosis| diagnosis.id);
    let row = |bug: &&str| {
        let value = botched(&key, bug);
        let shown = if value.len() > 28 { format!("{}…", &value[..27]) } else { value };
        format!("    {bug:<22}  {shown}")
    };
    let table = bugs.iter().map(row);
    let mut instance = Instance::new(Answer::choice(found))
        .hole("wrong", &wrong)
        .hole("table", table.collect::<Vec<_>>().join("\n"))
        .choices(bugs.iter().copied())
        .command(["accept", &key, "--verify", &wrong]);
    for bug in &bugs[1..] {
        instance = instance.mistake_with(bug, Answer::choice(*bug), &[("value", &botched(&key, bug))]);
    }
    instance.hole("key", key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tool_names_each_bug() {
        let key = "x3JJHMbDL1EzLkh9GBhXDw==";
        for bug in BUGS.into_iter().chain(["key-with-lf", "hex-digest", "missing-padding", "key-echoed"]) {
            let found = diagnose(key.as_bytes(), botched(key, bug).as_bytes(), &[]);
            assert_eq!(found.map(|diagnosis| diagnosis.id), Some(bug));
        }
    }
}
