//! The data is complete, the same in both languages, and right as far as a program can tell.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::data::{self, Words};
use super::{Answer, Example, Group, advice, look_up, terms, topic, topics};
use crate::lang::Lang;

/// Lessons of the course.
const LESSONS: u8 = 15;

fn keys(words: &Words) -> BTreeSet<String> {
    let groups = words.groups.keys().map(|group| format!("{group:?}"));
    let topics =
        words.topic.iter().map(|(id, said)| format!("topic {id}, a term: {}", !said.words.is_empty()));
    let rules = words.rule.iter().map(|(id, said)| format!("rule {id}, a fix: {}", !said.fix.is_empty()));
    groups.chain(topics).chain(rules).collect()
}

#[test]
fn both_languages_have_the_same_keys() {
    let [en, zh] = Lang::ALL.map(|lang| keys(data::words(lang)));
    let differ: Vec<_> = en.symmetric_difference(&zh).collect();
    assert!(differ.is_empty(), "{differ:#?}");
    let facts: BTreeSet<&str> = data::facts().topic.iter().map(|fact| fact.id.as_str()).collect();
    let said: BTreeSet<&str> = data::words(Lang::En).topic.keys().map(String::as_str).collect();
    assert_eq!(facts, said);
}

#[test]
fn nothing_is_empty_and_every_link_leads_somewhere() {
    let mut wrong = String::new();
    let mut seen = BTreeSet::new();
    for it in topics() {
        if !seen.insert(it.id) {
            let _ = writeln!(wrong, "{}: twice", it.id);
        }
        for lang in Lang::ALL {
            if it.title(lang).is_empty() || it.group.title(lang).is_empty() {
                let _ = writeln!(wrong, "{}: no title or group in {lang:?}", it.id);
            }
            if it.rule.is_none() && it.text(lang).is_empty() {
                let _ = writeln!(wrong, "{}: no text in {lang:?}", it.id);
            }
            if it.words(lang).iter().any(|word| word.trim().is_empty()) {
                let _ = writeln!(wrong, "{}: an empty word in {lang:?}", it.id);
            }
        }
        for id in it.see {
            if id == it.id || topic(id).is_none() {
                let _ = writeln!(wrong, "{}: see {id}", it.id);
            }
        }
        if it.group != Group::Part && (it.lesson.is_none_or(|lesson| lesson >= LESSONS) || it.see.is_empty())
        {
            let _ = writeln!(wrong, "{}: no lesson, or nothing to read next", it.id);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn texts_have_two_to_six_sentences() {
    for it in topics().iter().filter(|it| !matches!(it.group, Group::Rule | Group::Part)) {
        for (lang, ends) in [(Lang::En, &[". ", "? "][..]), (Lang::Zh, &["。", "？"])] {
            let text = format!("{} ", it.text(lang));
            let sentences: usize = ends.iter().map(|end| text.matches(end).count()).sum();
            assert!((2..=7).contains(&sentences), "{}: {sentences} sentences in {lang:?}", it.id);
        }
    }
}

#[test]
fn every_rule_says_why_in_both_languages() {
    for lang in Lang::ALL {
        let table = advice(lang);
        let missing: Vec<_> =
            crate::rules().map(|rule| rule.id).filter(|id| !table.contains_key(id)).collect();
        assert!(missing.is_empty(), "{lang:?}: {missing:?}");
        assert!(table.values().all(|advice| !advice.why.is_empty()));
        let known: BTreeSet<_> = crate::rules().map(|rule| rule.id).collect();
        let stray: Vec<_> = data::words(lang).rule.keys().filter(|id| !known.contains(id.as_str())).collect();
        assert!(stray.is_empty(), "{lang:?}: no such rules: {stray:?}");
    }
    assert!(data::facts().rule.keys().all(|id| crate::rules().any(|rule| rule.id == id)));
    // What to change is written once: with what is usually behind it, or here.
    for rule in crate::rules() {
        for lang in Lang::ALL {
            let said = &data::words(lang).rule[rule.id];
            assert!(rule.usually.is_none() || said.fix.is_empty(), "{}: fixed twice in {lang:?}", rule.id);
        }
    }
    // What is no mistake needs no fix.
    let unfixed: Vec<_> =
        advice(Lang::En).iter().filter(|(_, it)| it.fix.is_empty()).map(|(id, _)| *id).collect();
    assert_eq!(unfixed, ["unsolicited-pong"]);
}

#[test]
fn every_number_is_treated_once() {
    let of = |group, number| {
        let has = |it: &&super::Topic| it.codes.is_some_and(|(first, last)| (first..=last).contains(&number));
        topics().iter().filter(|it| it.group == group).filter(has).map(|it| it.id).collect::<Vec<_>>()
    };
    for opcode in 0..16 {
        assert_eq!(of(Group::Opcode, opcode).len(), 1, "opcode {opcode}");
    }
    for code in 0..5000 {
        assert_eq!(of(Group::Close, code).len(), 1, "close code {code}");
    }
    for status in [101, 200, 301, 302, 307, 308, 400, 401, 403, 404, 407, 426, 503] {
        assert_eq!(of(Group::Status, status).len(), 1, "status {status}");
    }
}

#[test]
fn every_field_of_the_spec_sheets_is_a_topic() {
    for def in crate::fields() {
        let treated: Vec<_> = topics().iter().filter(|it| it.fields.contains(&def)).map(|it| it.id).collect();
        assert_eq!(treated.len(), 1, "{}: {treated:?}", def.id);
    }
    for fact in &data::facts().topic {
        for id in &fact.fields {
            assert!(crate::fields().any(|def| def.id == id), "{}: no field {id}", fact.id);
        }
    }
    // Those of a frame and of the handshake itself have a page of their own.
    let pages = |prefix: &str| {
        topics().iter().filter(|it| it.group == Group::Part && it.id.starts_with(prefix)).count()
    };
    assert_eq!(pages("ws."), 0);
    for name in ["Host", "Upgrade", "Connection", "Origin", "Cookie", "Authorization", "Location"] {
        assert_eq!(found(name).map(|(id, _)| id), Some(name.to_lowercase().as_str()));
    }
    for name in ["Key", "Accept", "Version", "Protocol", "Extensions"] {
        let name = format!("Sec-WebSocket-{name}");
        assert_eq!(found(&name).map(|(id, _)| id), Some(name.to_lowercase().as_str()));
    }
}

/// The id that is found, and the ids of the alternatives.
fn found(question: &str) -> Option<(&'static str, Vec<&'static str>)> {
    match look_up(question) {
        Answer::Topic { topic, others } => Some((topic.id, others.iter().map(|it| it.id).collect())),
        _ => None,
    }
}

#[test]
fn questions_find_their_topic_however_they_are_typed() {
    for (question, id) in [
        ("0x9", "ping"),
        ("9", "ping"),
        ("opcode 9", "ping"),
        ("opcode 0x9", "ping"),
        ("opcode A", "pong"),
        ("操作码 9", "ping"),
        ("ping", "ping"),
        ("PING", "ping"),
        ("ping frame", "ping"),
        ("0xB", "reserved-control"),
        ("b", "reserved-control"),
        ("1006", "1006"),
        ("close 1006", "1006"),
        ("close code 1006", "1006"),
        ("关闭码 1006", "1006"),
        ("１００６", "1006"),
        ("2500", "1016-2999"),
        ("3001", "3000-3999"),
        ("4001", "4000-4999"),
        ("5000", "close-code-out-of-range"),
        ("close 9", "0-999"),
        ("101", "101"),
        ("status 404", "404"),
        ("302", "3xx"),
        ("Sec-WebSocket-Accept", "sec-websocket-accept"),
        ("sec-websocket-accept", "sec-websocket-accept"),
        ("sec websocket accept", "sec-websocket-accept"),
        ("掩码", "masking"),
        ("mask", "masking"),
        ("masking key", "masking-key"),
        ("掩码键", "masking-key"),
        ("帧", "frame"),
        ("unmasked-client-frame", "unmasked-client-frame"),
        ("FIN", "fin"),
        ("ws.fin", "fin"),
        ("rsv2", "rsv"),
        ("http.via", "http.via"),
        ("Via", "http.via"),
        ("socket.io 2", "socketio-event"),
        ("eio 2", "engineio-ping"),
        ("big endian", "network-byte-order"),
        ("258EAFA5-E914-47DA-95CA-C5AB0DC85B11", "guid"),
        ("server_no_context_takeover", "server_no_context_takeover"),
        ("masking-hides", "masking-hides"),
        ("wss://", "wss"),
        ("WebSocket", "websocket"),
        ("handshake", "opening-handshake"),
        ("  Base64 ", "base64"),
        ("a client frame is not masked", "unmasked-client-frame"),
    ] {
        assert_eq!(found(question).map(|(id, _)| id), Some(id), "{question}");
    }
}

#[test]
fn what_else_a_word_could_mean_is_said() {
    for (question, others) in [
        ("9", &["0-999"][..]),
        ("101", &["0-999"]),
        ("ping", &["engineio-ping"]),
        ("mask", &["mask-bit"]),
        ("opcode 9", &[]),
        ("reserved opcode", &["reserved-data", "reserved-control"]),
        ("1006", &[]),
    ] {
        assert_eq!(found(question).map(|(_, others)| others), Some(others.to_vec()), "{question}");
    }
}

#[test]
fn sections_list_what_they_are_about() {
    for question in ["§5.3", "5.3", "rfc 6455 5.3", "RFC 6455 §5.3", "6455 §5.3", "RFC6455 §5.3"] {
        let Answer::Section { cite, topics } = look_up(question) else { panic!("{question} is a section") };
        assert_eq!(cite.to_string(), "RFC 6455 §5.3");
        let ids: Vec<_> = topics.iter().map(|it| it.id).collect();
        assert!(ids.contains(&"masking") && ids.contains(&"repeated-masking-key"), "{question}: {ids:?}");
    }
    let Answer::Section { cite, topics } = look_up("RFC 7692 §7.1") else { panic!("a section") };
    assert_eq!(cite.to_string(), "RFC 7692 §7.1");
    assert!(topics.iter().any(|it| it.id == "server_max_window_bits"));
    let Answer::Section { cite, topics } = look_up("RFC 7692") else { panic!("a document") };
    assert!(cite.to_string() == "RFC 7692" && topics.len() > 20);
    assert!(matches!(look_up("§5"), Answer::Section { topics, .. } if topics.len() > 50));
    assert!(!matches!(look_up("5"), Answer::Section { .. }), "a number alone is an opcode");
    assert!(matches!(look_up("§99"), Answer::Unknown { .. }));
    assert!(matches!(look_up("7.99"), Answer::Unknown { .. }));
}

#[test]
fn slips_are_corrected() {
    for (question, id) in [
        ("permesage-deflate", "permessage-deflate"),
        ("unmaskd-client-frame", "unmasked-client-frame"),
        ("Sec-WebSocket-Acept", "sec-websocket-accept"),
        ("heartbeet", "heartbeat"),
        ("掩码的键", "masking-key"),
    ] {
        let Answer::Unknown { nearest } = look_up(question) else { panic!("{question} is misspelt") };
        let nearest: Vec<&str> = nearest.iter().map(|topic| topic.id).collect();
        assert_eq!(nearest.first(), Some(&id), "{question}: {nearest:?}");
    }
    let long = "x".repeat(10_000);
    for nonsense in ["", "   ", "---", "-1", "\u{1b}[31m", "qqqqqqqqqqqqqqqq", &long, "99999999999999999999"]
    {
        assert!(
            matches!(look_up(nonsense), Answer::Unknown { nearest } if nearest.is_empty()),
            "{nonsense:.20}"
        );
    }
}

/// Words that people type, in either language, are found; a number of an RFC is no close code.
#[test]
fn everyday_words_lead_to_their_topics() {
    for (question, id) in [
        ("粘包", "read-is-frame"),
        ("加密", "tls"),
        ("密钥", "masking-key"),
        ("跨域", "same-origin-policy"),
        ("有效载荷", "payload"),
        ("负载", "payload"),
        ("状态码", "close-code"),
        ("异常关闭", "1006"),
        ("协议升级", "upgrade"),
        ("断线重连", "backoff"),
        ("服务器推送", "sse"),
        ("中间件", "middlebox"),
        ("短轮询", "polling"),
        ("双工", "full-duplex"),
        ("三次握手", "tcp"),
        ("框架", "frame"),
        ("nginx", "nginx"),
        ("hex", "hexadecimal"),
        ("nibble", "hexadecimal"),
        ("port", "uri"),
        ("onopen", "opening-handshake"),
        ("onclose", "closing-handshake"),
        ("time_wait", "time-wait"),
        ("http/2", "http-2"),
        ("h2c", "http-2"),
        ("sticky", "sticky-session"),
        ("why mask", "masking"),
        ("graphql", "graphql-ws"),
        ("stomp", "stomp"),
        ("mqtt", "mqtt"),
        ("crossbar", "wamp"),
    ] {
        let Answer::Topic { topic, .. } = look_up(question) else { panic!("{question} is unknown") };
        assert_eq!(topic.id, id, "{question}");
    }
    assert!(matches!(look_up("8441"), Answer::Section { cite, .. } if cite.doc == "RFC 8441"));
    assert!(matches!(look_up("4000"), Answer::Topic { topic, .. } if topic.id == "4000-4999"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn anything_may_be_asked(question in "\\PC{0,40}", codes in "[§x0-9. a-fA-F关闭码opcdeRFC]{0,12}") {
        for question in [question, codes] {
            if let Answer::Unknown { nearest } = look_up(&question) {
                proptest::prop_assert!(nearest.iter().all(|near| topic(near.id).is_some()));
            }
        }
    }
}

/// Masking is no encryption, SHA-1 no encoding, a frame no framework.
#[test]
fn chinese_follows_the_glossary() {
    // These pages say that something is not encrypted, or that TLS is.
    const ABOUT_ENCRYPTION: &[&str] = &["tls", "hash", "accept-is-encryption", "key-is-encrypted"];
    let zh = data::words(Lang::Zh);
    let topics = zh
        .topic
        .iter()
        .map(|(id, said)| (id, format!("{} {} {}", said.title, said.text, said.words.join(" "))));
    let rules = zh.rule.iter().map(|(id, said)| (id, format!("{} {}", said.why, said.fix)));
    for (id, words) in topics.chain(rules) {
        // A frame is no framework; who registers close codes does write frameworks (§7.4.2).
        let frames = words.replace("库和框架", "");
        assert!(!frames.contains("框架") && !words.contains("解密"), "{id}: {words}");
        assert!(!words.contains("加密") || ABOUT_ENCRYPTION.contains(&id.as_str()), "{id}: {words}");
        let encodes =
            words.split(['。', '；', '，']).any(|part| part.contains("SHA-1") && part.contains("编码"));
        assert!(!encodes, "{id}: {words}");
        // Chinese and Latin are parted by a space, Chinese punctuation is full-width.
        let chars: Vec<char> = words.chars().collect();
        for pair in chars.windows(2) {
            let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
            let close = han(pair[0]) && pair[1].is_ascii_alphanumeric()
                || pair[0].is_ascii_alphanumeric() && han(pair[1]);
            let narrow = han(pair[0]) && ",;:!?".contains(pair[1]);
            assert!(!close && !narrow, "{id}: {}{} in {words}", pair[0], pair[1]);
        }
    }
}

#[test]
fn terms_can_be_told_apart() {
    for lang in Lang::ALL {
        let mut seen = BTreeSet::new();
        for term in terms() {
            assert!(!term.words(lang).is_empty() && term.lesson.is_some(), "{}", term.id);
            for word in term.words(lang) {
                assert!(seen.insert(word), "{word} stands for two terms");
            }
        }
    }
    assert!(terms().count() > 80);
    for (id, lesson) in [("frame", 0), ("fin", 3), ("masking", 5), ("heartbeat", 8), ("namespace", 13)] {
        assert_eq!(topic(id).and_then(|it| it.lesson), Some(lesson), "{id}");
    }
}

/// The beliefs that exercises name (one a row of the course's table), in its order.
#[test]
fn every_wrong_belief_has_a_page() {
    let ids: Vec<_> = topics().iter().filter(|it| it.group == Group::Belief).map(|it| it.id).collect();
    assert_eq!(
        ids,
        [
            "accept-is-encryption",
            "key-is-encrypted",
            "websocket-is-http",
            "server-masking-optional",
            "masking-hides",
            "rsv-ignored",
            "fin-is-last-message",
            "read-is-frame",
            "utf8-per-frame",
            "bad-utf8-closing-handshake",
            "json-ping-is-ping",
            "peer-sent-1006",
            "cors-protects",
            "compressed-alone",
            "socketio-is-websocket",
            "any-length-form",
            "http-always-closes",
        ]
    );
}

#[test]
fn examples_are_whole() {
    let count = topics().iter().filter(|it| it.example.is_some()).count();
    assert!(count > 70, "{count}");
    for it in topics() {
        match &it.example {
            Some(Example::Head(head)) => {
                let ends = head.ends_with("\r\n\r\n") && !head.ends_with("\r\n\r\n\r\n");
                assert!(ends && !head.contains("\n\n"), "{}", it.id);
            }
            Some(Example::Frames(hex)) => assert!(crate::input::from_argument(hex).is_some(), "{}", it.id),
            _ => {}
        }
    }
}
