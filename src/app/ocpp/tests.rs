use super::session::Ocpp;
use crate::app::dialect::{Decoder as _, Said};
use crate::app::heard;
use crate::model::{Dir, Finding, Time};

const BOOT: &str = r#"[2,"19223201","BootNotification",{"reason":"PowerUp"}]"#;

fn ids(found: &[Finding]) -> Vec<&'static str> {
    found.iter().map(|finding| finding.rule.id).collect()
}

/// The rules that a conversation breaks, a second between its messages.
fn broken(subprotocol: Option<&'static str>, messages: &[(Dir, &str)]) -> Vec<&'static str> {
    let (agreed, bare) = (subprotocol.is_some(), subprotocol.is_none());
    let broken = heard::apps(&mut Ocpp::default(), messages, |i, said| {
        let time = Some(Time(i as u64 * 1_000_000_000));
        Said { time, agreed, subprotocol, bare, ..said }
    });
    broken.1
}

use Dir::{Client, Server};

#[test]
fn calls_and_their_answers() {
    let mut ocpp = Ocpp::default();
    let mut found = Vec::new();
    let mut read = |dir, wire: &str| {
        let app = ocpp.read(&Said::sample(dir, 1, true, wire.as_bytes()), &mut found).unwrap();
        let answer = app.answers.map(|it| (it.what, it.failure.and_then(|it| it.code)));
        (app.summary.to_string(), answer)
    };
    assert_eq!(read(Client, BOOT), ("CALL BootNotification, 19223201".into(), None));
    let ok = r#"[3,"19223201",{"status":"Accepted"}]"#;
    let answer = Some(("BootNotification".to_owned(), None));
    assert_eq!(read(Server, ok), ("CALLRESULT 19223201".into(), answer));
    read(Server, r#"[2, "a", "Reset", {}]"#);
    let (summary, answer) = read(Client, r#"[4,"a","NotSupported","no",{}]"#);
    assert_eq!(summary, "CALLERROR NotSupported, a");
    assert_eq!(answer, Some(("Reset".to_owned(), Some("NotSupported".to_owned()))));
    assert!(found.is_empty());
}

#[test]
fn what_is_none() {
    for wire in ["{}", "[2]", "[2,\"a\",\"B\"]", "[9,\"a\",{}]", "[2,1,\"B\",{}]", "x", "[3,\"a\",[]]"] {
        let mut found = Vec::new();
        let said = Said::sample(Client, 1, true, wire.as_bytes());
        assert_eq!(Ocpp::default().read(&said, &mut found), None, "{wire}");
        assert_eq!(ids(&found), ["ocpp-bad-message"], "{wire}");
    }
    // Where nothing was agreed on, only what cannot be anything else.
    let said = Said::sample(Client, 1, true, br#"[2,"a","lower",{}]"#);
    assert!(Ocpp::default().read(&said, &mut Vec::new()).is_some());
    assert!(Ocpp::default().read(&Said { known: false, ..said }, &mut Vec::new()).is_none());
    let said = Said { known: false, ..Said::sample(Client, 1, true, br#"[2,"7","Move",{"x":1}]"#) };
    assert!(Ocpp::default().read(&said, &mut Vec::new()).is_none());
    let said = Said { known: false, ..Said::sample(Client, 1, true, BOOT.as_bytes()) };
    assert!(Ocpp::default().read(&said, &mut Vec::new()).is_some());
}

/// What a conversation of which nothing was agreed on is taken for, and what it breaks.
fn unagreed(expected: bool, messages: &[(Dir, &str)]) -> (Vec<String>, Vec<&'static str>) {
    let mut known = false;
    let mut found = Vec::new();
    let mut ocpp = Ocpp::default();
    let mut read = |(dir, wire): &(Dir, &str)| {
        let said = Said::sample(*dir, 1, true, wire.as_bytes());
        let before = found.len();
        let app = ocpp.read(&Said { agreed: false, known, bare: true, expected, ..said }, &mut found);
        // As `Talk` does it.
        if app.is_none() {
            found.truncate(before);
        }
        known |= app.is_some() || ocpp.is_undecided();
        if !known {
            ocpp = Ocpp::default();
        }
        heard::line(app.as_ref())
    };
    let lines = messages.iter().map(&mut read).collect();
    (lines, ids(&found))
}

#[test]
fn a_name_that_others_have_is_no_evidence() {
    let beat = (Client, r#"[2,"x","Heartbeat",{"seq":1}]"#);
    let reset = (Server, r#"[2,"y","Reset",{"type":"all"}]"#);
    let others = [
        &[beat, (Server, r#"[3,"x",{"seq":1}]"#), beat][..],
        &[beat, reset, (Server, r#"[3,"x",{}]"#), (Client, r#"[4,"y","oops","",{}]"#)],
        &[beat, (Client, r#"[3,"x",{"currentTime":"2013-02-01T20:53:33Z"}]"#), (Client, "{}")],
        &[beat, (Server, r#"[3,"z",{"currentTime":"2013-02-01T20:53:33Z"}]"#)],
        &[(Client, r#"[2,"1","StatusNotification",{"status":"new"}]"#), (Server, r#"[3,"1",{}]"#)],
    ];
    for messages in others {
        let (lines, found) = unagreed(false, messages);
        assert_eq!((lines, found), (vec!["-".to_owned(); messages.len()], vec![]), "{messages:?}");
    }
    // Where it stands says more, and so does the answer.
    let there = (vec!["CALL Heartbeat, x".to_owned()], vec!["ocpp-without-subprotocol"]);
    assert_eq!(unagreed(true, &[beat]), there);
    let time = (Server, r#"[3,"x",{"currentTime":"2013-02-01T20:53:33Z"}]"#);
    let (lines, found) = unagreed(false, &[beat, time, reset]);
    assert_eq!(lines, ["-", "CALLRESULT x < Heartbeat", "CALL Reset, y"]);
    assert_eq!(found, ["ocpp-without-subprotocol"]);
    let code = (Client, r#"[4,"y","NotSupported","",{}]"#);
    assert_eq!(unagreed(false, &[reset, code]).0, ["-", "CALLERROR NotSupported, y < Reset"]);
}

#[test]
fn targets() {
    let is = |path| (crate::app::ocpp::DIALECT.target.unwrap())(path, "");
    let ours = ["/ocpp/CP-7", "/OCPP16/CP-7", "/a/ocpp1.6j/b", "/ocpp"];
    assert!(ours.into_iter().all(is));
    assert!(!["/", "/ocpp-log", "/oc", "/monitor?ocpp", "/größe/ocppé"].into_iter().any(is));
}

#[test]
fn one_call_at_a_time_and_each_with_an_id_of_its_own() {
    let beat = |id: u32| format!(r#"[2,"{id}","Heartbeat",{{}}]"#);
    let done = |id: u32| format!(r#"[3,"{id}",{{}}]"#);
    let healthy = [
        (Client, &*beat(1)),
        // Each side may have a call open, and ids of its own.
        (Server, r#"[2,"1","Reset",{"type":"Soft"}]"#),
        (Client, &*done(1)),
        (Server, &*done(1)),
        (Client, &*beat(2)),
        (Server, &*done(2)),
    ];
    assert_eq!(broken(Some("ocpp1.6"), &healthy), [""; 0]);
    let second = [(Client, &*beat(1)), (Client, &*beat(2)), (Server, &*done(1)), (Server, &*done(2))];
    assert_eq!(broken(Some("ocpp1.6"), &second), ["ocpp-call-before-answer"]);
    let again = [(Client, &*beat(1)), (Server, &*done(1)), (Client, &*beat(1)), (Server, &*done(1))];
    assert_eq!(broken(Some("ocpp1.6"), &again), ["ocpp-id-reused"]);
    assert_eq!(broken(Some("ocpp1.6"), &[(Server, &*done(7))]), ["ocpp-unexpected-answer"]);
    assert_eq!(broken(None, &[(Client, BOOT), (Server, &*done(19_223_201))]), ["ocpp-without-subprotocol"]);
}

#[test]
fn each_version_has_its_own_words() {
    let send = r#"[6,"1","NotifyPeriodicEventStream",{}]"#;
    assert_eq!(broken(Some("ocpp2.1"), &[(Client, send)]), [""; 0]);
    assert_eq!(broken(Some("ocpp2.0.1"), &[(Client, send)]), ["ocpp-type-of-later-version"]);
    let old = r#"[2,"1","StartTransaction",{}]"#;
    assert_eq!(broken(Some("ocpp1.6"), &[(Client, old)]), [""; 0]);
    assert_eq!(broken(Some("ocpp2.0.1"), &[(Client, old)]), ["ocpp-unknown-action"]);
    assert_eq!(broken(Some("ocpp1.5"), &[(Client, old)]), [""; 0], "nothing is known of that version");
    let error = [(Client, BOOT), (Server, r#"[4,"19223201","Oops","",{}]"#)];
    assert_eq!(broken(Some("ocpp2.0.1"), &error), ["ocpp-unknown-error-code"]);
}
