use std::sync::Arc;

use super::{Interpreter, load};
use crate::app::dialect::{Decoder, Said};
use crate::model::{App, Connection, Dir, Finding, Nth, Value};

const TASKS: &str = include_str!("../../../samples/dialects/tasks.toml");
const GAME: &str = include_str!("../../../samples/dialects/game.toml");

fn interpreter(file: &str) -> Interpreter {
    Interpreter::new(Arc::new(load(file).unwrap_or_else(|wrong| panic!("{}", wrong.what))))
}

fn read(of: &mut Interpreter, dir: Dir, text: bool, bytes: &[u8]) -> (Option<App>, Vec<Finding>) {
    let mut found = Vec::new();
    let app = of.read(&Said::sample(dir, 1, text, bytes), &mut found);
    (app, found)
}

fn rows(app: &App) -> Vec<(String, String, u64, u64)> {
    let value = |value: &Value| match value {
        Value::Bit(bit) => u8::from(*bit).to_string(),
        Value::Number(number) | Value::Code(number) => number.to_string(),
        Value::Text(text) | Value::Json(text) => text.clone(),
        Value::Bytes(bytes) => format!("{bytes:x?}"),
    };
    let row = |it: &crate::model::Field| {
        let said = if it.meaning.is_empty() { value(&it.value) } else { it.meaning.to_string() };
        (it.def.label.to_owned(), said, it.span.start, it.span.len())
    };
    app.fields.iter().map(row).collect()
}

fn row(label: &str, said: &str, start: u64, bits: u64) -> (String, String, u64, u64) {
    (label.to_owned(), said.to_owned(), start, bits)
}

use Dir::{Client, Server};

#[test]
fn json_by_paths() {
    let mut tasks = interpreter(TASKS);
    let wire = br#"{"op":"create","id":1,"at":{"board":7},"task":{"title":"Buy milk","priority":2}}"#;
    let (app, found) = read(&mut tasks, Client, true, wire);
    let app = app.unwrap();
    assert!(found.is_empty(), "{found:?}");
    assert_eq!((app.protocol, app.name), ("tasks", "Task board"));
    assert_eq!(app.summary.to_string(), "creates “Buy milk” on board 7, request 1");
    assert_eq!(
        rows(&app),
        [
            row("op", "create", 6 * 8, 64),
            row("id", "1", 20 * 8, 8),
            row("board", "7", 36 * 8, 8),
            row("title", "Buy milk", 55 * 8, 80),
            row("priority", "normal", 77 * 8, 8),
        ]
    );
    let (app, _) = read(&mut tasks, Server, true, br#"{"op":"done","re":1,"task":{"id":41}}"#);
    let answer = app.unwrap().answers.unwrap();
    assert_eq!((answer.what.as_str(), answer.nth, answer.failure), ("create", Nth::First, None));
    let (_, found) = read(&mut tasks, Client, true, br#"{"op":"create","id":2,"task":{"priority":9}}"#);
    let ids: Vec<_> = found.iter().map(|it| (it.rule.id, it.got.to_string())).collect();
    assert_eq!(
        ids,
        [
            ("tasks-task-without-board", "there is none".to_owned()),
            ("tasks-priority-unknown", "9".to_owned())
        ]
    );
    let failed = br#"{"op":"failed","re":2,"error":{"code":"no-board","message":"which?"}}"#;
    let answer = read(&mut tasks, Server, true, failed).0.unwrap().answers.unwrap();
    let failure = answer.failure.unwrap();
    assert_eq!((failure.code.as_deref(), failure.message.as_deref()), (Some("no-board"), Some("which?")));
    // What does not say what it is, is something else.
    assert!(read(&mut tasks, Client, true, br#"{"id":1}"#).0.is_none());
    assert!(read(&mut tasks, Client, true, b"ping").0.is_none());
    assert!(read(&mut tasks, Client, false, b"\x00\x01").0.is_none());
}

#[test]
fn the_same_in_message_pack() {
    let mut tasks = interpreter(TASKS);
    let wire = b"\x83\xa2op\xa5moved\xa4task\x29\xa6column\xa5doing";
    let (app, _) = read(&mut tasks, Server, false, wire);
    let app = app.unwrap();
    assert_eq!(app.summary.to_string(), "task 41 is now doing");
    assert_eq!(rows(&app).last(), Some(&row("column", "doing", 23 * 8, 48)));
}

#[test]
fn bytes_by_their_layout() {
    let mut game = interpreter(GAME);
    let wire = b"RV\x02\x02\0\x13\0\0\xc0\x3f\0\0\x20\xc1";
    let (app, found) = read(&mut game, Client, false, wire);
    let app = app.unwrap();
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(app.summary.to_string(), "moves to 1.5, -10");
    assert_eq!(
        rows(&app)[1..],
        [
            row("kind", "move", 16, 8),
            row("sequence", "2", 24, 16),
            row("keys", "19", 40, 8),
            row("jump", "1", 47, 1),
            row("run", "1", 46, 1),
            row("weapon", "1", 40, 4),
            row("x", "1.5", 48, 32),
            row("y", "-10", 80, 32),
        ]
    );
    let (app, _) = read(&mut game, Server, false, b"RV\x04\x02\0\x02\0\x02");
    let app = app.unwrap();
    assert_eq!(app.summary.to_string(), "no such place for 2");
    let failure = app.answers.unwrap().failure.unwrap();
    assert_eq!((failure.code.as_deref(), failure.message.as_deref()), (Some("2"), Some("no such place")));
}

#[test]
fn lists_and_switches() {
    let mut game = interpreter(GAME);
    let wire = b"RV\x03\x03\0\x02\x07\0\x64\x01\x0a\x08\0\xff\x02\x00\xff\0\0zz";
    let (app, _) = read(&mut game, Server, false, wire);
    let said: Vec<_> = rows(&app.unwrap()).into_iter().map(|it| format!("{} {}", it.0, it.1)).collect();
    assert_eq!(
        said[3..],
        [
            "players 2",
            "player 7",
            "health 100",
            "item sword",
            "sharpness 10",
            "player 8",
            "health -1",
            "item potion",
            "colour 16711680",
            "rest [7a, 7a]",
        ]
    );
    // As many as there could be are not made room for.
    let (app, found) = read(&mut game, Server, false, b"RV\x03\x03\0\xff\x07\0");
    assert!(app.unwrap().fields.len() < 8 && found[0].rule.id == "rover-message-cut");
}

#[test]
fn a_message_that_is_cut_short_says_where() {
    let mut game = interpreter(GAME);
    for (length, at) in [(14, None), (13, Some(10)), (9, Some(6)), (6, Some(6)), (5, Some(5)), (4, Some(3))] {
        let wire = &b"RV\x02\x04\0\x01\0\0\0\0\0\0\0\0"[..length];
        let (app, found) = read(&mut game, Client, false, wire);
        assert_eq!(found.first().map(|it| it.spans[0].start / 8), at, "{length}");
        assert!(app.is_some());
    }
}

#[test]
fn a_handshake_decides_who_is_asked() {
    let tasks = load(TASKS).unwrap();
    let connection = |path: &str, subprotocol: Option<&str>| Connection {
        target: Some(path.to_owned()),
        subprotocol: subprotocol.map(str::to_owned),
        ..crate::model::sample::connection()
    };
    assert!(tasks.fits(Some(&connection("/boards/7?x=1", Some("tasks.v2")))));
    assert!(tasks.fits(Some(&connection("/boards/", Some("tasks.v2.msgpack")))));
    assert!(!tasks.fits(Some(&connection("/boards/7", None))));
    assert!(!tasks.fits(Some(&connection("/other", Some("tasks.v2")))));
    assert!(!tasks.fits(None));
}

#[test]
fn what_is_wrong_with_a_file_says_where_and_what_to_try() {
    let with = |from: &str, to: &str| {
        assert!(TASKS.contains(from), "{from}");
        TASKS.replacen(from, to, 1)
    };
    for (file, at, words) in [
        (with("[[field]]", "[[fields]]"), "fields", "did you mean `field`?"),
        (with("summary", "sumary"), "sumary", "did you mean `summary`?"),
        (with("{board}", "{bord}"), "\"creates", "did you mean `board`?"),
        (with("request = \"id\"", "request = \"idd\""), "\"idd\"", "did you mean `id`?"),
        (with("path = \"$.op\"", "path = \"op\""), "\"op\"", "character 1"),
        (with("of = \"create\"", "of = \"creat\""), "\"creat\"", "did you mean `create`?"),
        (with("from = \"client\"", "from = \"klient\""), "\"klient\"", "did you mean `client`?"),
        (with("id = \"tasks\"", "id = \"mqtt\""), "\"mqtt\"", "known already"),
        (with("name = \"board\"", "name = \"summary\""), "\"summary\"", "another name"),
        (with("required = true", "required = 1"), "1\n", "true or false"),
        (with("[match]", "[match"), "", ""),
        (with("path = \"$.id\"", "type = \"u61\""), "\"u61\"", "did you mean `u16`?"),
        (with("path = \"$.id\"", ""), "\nname = \"id\"", "a path"),
        ("name = \"x\"".to_owned(), "", "recognised"),
        ("[match]\npath = \"/\"".to_owned(), "", "needs a name"),
        ("name = \"x\"\n[match]\npath = \"/\"".to_owned(), "", "[[message]]"),
        ("name = \"x\"\n[match]\nfirst = \"5\"".to_owned(), "\"5\"", "hexadecimal"),
    ] {
        let wrong = load(&file).unwrap_err();
        let shown = wrong.what.to_string();
        assert!(shown.contains(words), "{words}: {shown}");
        let there = &file[wrong.at.start.min(file.len())..];
        assert!(at.starts_with('\n') || there.starts_with(at), "{at:?}: {shown} at {there:?}");
    }
}

proptest::proptest! {
    #[test]
    fn anything_may_be_sent(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40)) {
        let mut game = interpreter(GAME);
        let wire = [b"RV", &bytes[..]].concat();
        for dir in [Client, Server] {
            if let (Some(app), _) = read(&mut game, dir, false, &wire) {
                for field in &app.fields {
                    assert!(field.span.start <= field.span.end && field.span.end <= wire.len() as u64 * 8);
                }
            }
        }
    }
}
