use std::io::Cursor;

use super::*;

const KEYED: &str = r#"{"name":"Host","value":"a"},{"name":"Upgrade","value":"websocket"},
    {"name":"Connection","value":"Upgrade"},{"name":"Sec-WebSocket-Version","value":"13"},
    {"name":"Sec-WebSocket-Key","value":"dGhlIHNhbXBsZSBub25jZQ=="}"#;

fn read(text: &[u8]) -> Story {
    let mut source = Source::new(Box::new(Cursor::new(text.to_vec())));
    // As it is looked at to tell what it is.
    source.look(16).unwrap();
    let wanted = Wanted { target: &|target| target.contains("EIO="), payload: 1 << 20, memory: 1 << 24 };
    Archive::new(source, "test").read(wanted, &mut |_| {})
}

fn archive(entries: &str) -> String {
    format!(r#"{{"log":{{"creator":{{"name":"WebInspector","version":"537.36"}},"entries":[{entries}]}}}}"#)
}

fn socket(messages: &str) -> String {
    format!(
        r#"{{"_resourceType":"websocket","_webSocketMessages":[{messages}],
        "startedDateTime":"2024-01-31T12:00:00.000Z","time":1000,"timings":{{"wait":5,"dns":-1}},
        "request":{{"method":"GET","url":"wss://a:8443/chat?x=1#y","httpVersion":"http/1.1",
        "headers":[{KEYED}]}},
        "response":{{"status":101,"statusText":"Switching Protocols","headers":[]}},
        "serverIPAddress":"[::1]"}}"#
    )
}

#[test]
fn messages_as_programs_write_them() {
    let story = read(
        archive(&socket(
            r#"{"type":"send","time":1706702401.5,"opcode":1,"data":"é"},
            {"type":"receive","time":"2024-01-31T12:00:02.000Z","opcode":"2","data":"/wA="},
            {"type":"receive","time":1706702403000,"opcode":2,"data":"not base64!"},
            {"type":"error","time":1706702404,"opcode":-1,"data":"Invalid frame header"},
            {"type":"receive","time":null,"data":"x"}, null"#,
        ))
        .as_bytes(),
    );
    assert!(story.error.is_none(), "{:?}", story.error);
    assert_eq!((story.by.as_str(), story.is_whole, story.entries), ("WebInspector 537.36", false, 1));
    let [exchange] = &story.exchanges[..] else { panic!("{story:?}") };
    let told: Vec<_> = exchange.messages.iter().map(|it| (it.dir, it.kind, it.content.clone())).collect();
    let text = |dir, text: &str| (dir, Opcode::TEXT, text.as_bytes().to_vec());
    assert_eq!(
        told,
        [
            text(Dir::Client, "é"),
            (Dir::Server, Opcode::BINARY, vec![0xFF, 0]),
            (Dir::Server, Opcode::BINARY, b"not base64!".to_vec()),
            text(Dir::Server, "x"),
            text(Dir::Server, ""),
        ]
    );
    assert_eq!(exchange.messages[0].time, Some(Time(1_706_702_401_500_000_000)));
    assert_eq!(exchange.messages[2].time, Some(Time(1_706_702_403_000_000_000)));
    assert_eq!(
        exchange.failures,
        [("Invalid frame header".to_owned(), Some(Time(1_706_702_404_000_000_000)))]
    );
    let is_listed = exchange.request().is_listed();
    assert_eq!((exchange.target.as_str(), exchange.secure, is_listed), ("/chat?x=1", true, true));
    assert_eq!(exchange.server, Some("[::1]:8443".parse().unwrap()));
    assert_eq!(exchange.version, "HTTP/1.1");
    let answer = exchange.answer.as_ref().unwrap();
    assert_eq!((answer.status, exchange.response().unwrap().is_listed()), (101, false));
    assert_eq!(answer.at.unwrap().since(exchange.asked.unwrap()), 5_000_000);
}

#[test]
fn without_a_key_a_200_opens_over_http2_and_nothing_else_does() {
    let version = r#"{"name":"Sec-WebSocket-Version","value":"13"}"#;
    for (fields, status, expected) in [
        (version, 200, ("CONNECT", "HTTP/2")),
        (version, 403, ("GET", "HTTP/1.1")),
        (KEYED, 200, ("GET", "HTTP/1.1")),
        ("", 200, ("GET", "HTTP/1.1")),
    ] {
        let entry =
            socket("").replace(KEYED, fields).replace("\"status\":101", &format!("\"status\":{status}"));
        let story = read(archive(&entry).as_bytes());
        let [exchange] = &story.exchanges[..] else { panic!("{story:?}") };
        assert_eq!((exchange.method.as_str(), exchange.version.as_str()), expected, "{fields} {status}");
    }
    // What messages went over is open, whatever is listed of its handshake; with a key it would be a fault.
    let message = r#"{"type":"send","time":1,"opcode":1,"data":"a"}"#;
    for (fields, expected) in [("", ("CONNECT", "HTTP/2")), (KEYED, ("GET", "HTTP/1.1"))] {
        let entry = socket(message).replace(KEYED, fields).replace("\"status\":101", "\"status\":200");
        let story = read(archive(&entry).as_bytes());
        let [exchange] = &story.exchanges[..] else { panic!("{story:?}") };
        assert_eq!((exchange.method.as_str(), exchange.version.as_str()), expected, "{fields}");
    }
}

#[test]
fn what_is_not_wanted_is_passed_over() {
    let other = r#"{"request":{"method":"GET","url":"http://a/","headers":null},"response":null}"#;
    let poll = r#"{"request":{"method":"POST","url":"https://a/socket.io/?EIO=4","httpVersion":"h2",
        "headers":[{"name":":authority","value":"a"}],"postData":{"text":"40"}},
        "response":{"status":200,"httpVersion":"h2","headers":[{"name":"set-cookie","value":"a=b\nc=d"}],
        "content":{"text":"b2s=","encoding":"base64"}}}"#;
    // It went over no network, whatever its page says.
    let page =
        r#"{"request":{"method":"GET","url":"data:text/html,<script>new WebSocket('ws://a/?EIO=4')"}}"#;
    let story = read(archive(&[other, poll, page].join(",")).as_bytes());
    assert!(story.error.is_none(), "{:?}", story.error);
    let [exchange] = &story.exchanges[..] else { panic!("{story:?}") };
    assert_eq!((story.entries, exchange.opens, &*exchange.body.0), (3, false, &b"40"[..]));
    let answer = exchange.answer.as_ref().unwrap();
    assert_eq!((answer.headers.len(), &*answer.body.0, answer.version.as_str()), (2, &b"ok"[..], "HTTP/2"));
}

#[test]
fn what_there_is_of_a_broken_archive_is_told_and_where_it_breaks() {
    let whole =
        archive(&socket(r#"{"type":"send","opcode":1,"data":"a"},{"type":"send","opcode":1,"data":"b"}"#));
    let cut = whole.find(r#""b""#).unwrap() + 1;
    let story = read(&whole.as_bytes()[..cut]);
    assert_eq!(story.exchanges[0].messages.len(), 1);
    let said = story.error.unwrap().to_string();
    assert_eq!(said, format!("line 1, column {cut}: the file ends in the middle; all before it was read"));
    let story = read(whole.replace(r#"{"type":"send","opcode":1,"data":"b"}"#, "oops").as_bytes());
    assert_eq!(story.exchanges[0].messages.len(), 1);
    let said = story.error.unwrap().to_string();
    assert!(
        said.starts_with("line 1, column ") && said.contains("this is no JSON: expected value"),
        "{said}"
    );
}

#[test]
fn other_json_is_no_archive() {
    for text in ["{}", "{\"a\":[1,{}]}", "{\"log\":3}", "{\"log\":{\"version\":\"1.2\"}}"] {
        let said = read(text.as_bytes()).error.expect(text).to_string();
        assert!(said.contains("without log.entries"), "{said}");
    }
    let mut marked = b"\xEF\xBB\xBF".to_vec();
    marked.extend_from_slice(archive("").as_bytes());
    assert!(read(&marked).error.is_none());
}

#[test]
fn no_more_is_held_than_asked_for() {
    let long = "x".repeat(1000);
    let message = format!(r#"{{"type":"send","opcode":1,"data":"{long}"}}"#);
    let text = archive(&socket(&vec![message; 50].join(",")));
    let source = Source::new(Box::new(Cursor::new(text.into_bytes())));
    let wanted = Wanted { target: &|_| false, payload: 100, memory: 2000 };
    let story = Archive::new(source, "test").read(wanted, &mut |_| {});
    assert!(story.is_full);
    let messages = &story.exchanges[0].messages;
    assert_eq!((messages.len(), messages[0].content.len(), messages[0].length), (50, 100, 1000));
    assert!(messages.iter().map(|it| it.content.len()).sum::<usize>() < 2000);
}
