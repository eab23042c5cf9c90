//! Lesson 13: packets of Engine.IO and Socket.IO, the upgrade, and who cannot talk to whom.

use super::kit::{capture, pick, text_frame};
use crate::app::socketio;
use crate::lesson::{Answer, Bilingual, Instance, Make, hex};
use crate::model::Dir;
use crate::synth::Rng;

pub static EXERCISES: &[Make] = &[
    Make { id: "peel-the-packet", make: peel_the_packet },
    Make { id: "acknowledge-it", make: acknowledge_it },
    Make { id: "order-the-upgrade", make: order_the_upgrade },
    Make { id: "wrong-number", make: wrong_number },
    Make { id: "old-log", make: old_log },
];

const EVENTS: [&str; 12] =
    ["join", "typing", "move", "draw", "score", "vote", "bid", "alert", "seen", "invite", "cursor", "ready"];

const NAMESPACES: [&str; 8] = ["/admin", "/chat", "/game", "/news", "/shop", "/staff", "/live", "/music"];

const PLACES: [&str; 10] =
    ["lobby", "garden", "kitchen", "harbour", "library", "market", "station", "theatre", "attic", "cellar"];

const ANSWERS: [&str; 8] = ["ok", "welcome", "done", "saved", "too late", "room full", "thanks", "accepted"];

/// An argument that hardly anybody else has.
fn place(rng: &mut Rng) -> String {
    format!("{}-{}", pick(rng, &PLACES), 1000 + rng.below(9000))
}

/// From the frame through all layers to the name of the event.
fn peel_the_packet(rng: &mut Rng) -> Instance {
    let (event, namespace, place) = (pick(rng, &EVENTS), pick(rng, &NAMESPACES), place(rng));
    let packet = format!("42{namespace},[\"{event}\",\"{place}\"]");
    let bytes = text_frame(Dir::Server, &packet, rng);
    let read = socketio::read(&packet[1..]).expect("a packet was written");
    let (name, _) = read.event().expect("an event was written");
    let text = |text: &str| Answer::word(text);
    Instance::new(text(&name))
        .hole("bytes", hex(&bytes))
        .hole("packet", &packet)
        .hole("namespace", read.namespace)
        .hole("json", read.data)
        .hole("argument", &place)
        .mistake("engineio-left", text(&packet))
        .mistake("socketio-left", text(&packet[1..]))
        .mistake("socketio-left", text(&packet[2..]))
        .mistake("whole-array", text(read.data))
        .mistake("argument", text(&place))
        .mistake("namespace", text(namespace))
        .mistake("namespace", text(&namespace[1..]))
        .command(["decode", &hex(&bytes)])
}

/// The answer has the event's namespace and id, and a type of its own.
fn acknowledge_it(rng: &mut Rng) -> Instance {
    let (event, namespace, place) = (pick(rng, &EVENTS), pick(rng, &NAMESPACES), place(rng));
    let value = format!("\"{}\"", pick(rng, &ANSWERS));
    let packet = format!("42{namespace},{}[\"{event}\",\"{place}\"]", 10 + rng.below(88));
    let read = socketio::read(&packet[1..]).expect("a packet was written");
    let (namespace, id) = (read.namespace, read.ack.expect("an id was written"));
    let answer = format!("43{namespace},{id}[{value}]");
    let text = |text: String| Answer::exact(text);
    Instance::new(text(answer.clone()))
        .hole("packet", &packet)
        .hole("value", &value)
        .hole("namespace", namespace)
        .hole("id", id)
        .mistake("event-again", text(format!("42{namespace},{id}[{value}]")))
        .mistake("event-again", text(format!("42{namespace},{id}[\"{event}\",{value}]")))
        .mistake("engineio-missing", text(answer[1..].to_owned()))
        .mistake("id-missing", text(format!("43{namespace},[{value}]")))
        .mistake("namespace-missing", text(format!("43{id}[{value}]")))
        .mistake("id-first", text(format!("43{id}{namespace},[{value}]")))
        .mistake("no-array", text(format!("43{namespace},{id}{value}")))
        .mistake("next-id", text(format!("43{namespace},{}[{value}]", id + 1)))
        .command(["decode", "--as", "socketio", &answer])
}

/// A session id as Socket.IO makes them: 15 random bytes in the Base64 of URLs, and a counter.
fn session_id(rng: &mut Rng) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let random: String = (0..16).map(|_| char::from(pick(rng, LETTERS))).collect();
    format!("{random}AAAA")
}

/// `text` between the quotes of a script.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The session is first, then the road is opened, tested, and taken.
fn order_the_upgrade(rng: &mut Rng) -> Instance {
    let session = session_id(rng);
    let event = format!("42[\"{}\",\"{}\"]", pick(rng, &EVENTS), place(rng));
    let order = |steps: [&'static str; 6]| Answer::order(steps);
    Instance::new(order(["open", "switch", "probe", "probe-answer", "upgrade", "event"]))
        .hole("session", &session)
        .hole("event", &event)
        .mistake("upgrade-first", order(["open", "switch", "upgrade", "probe", "probe-answer", "event"]))
        .mistake("upgrade-first", order(["open", "switch", "probe", "upgrade", "probe-answer", "event"]))
        .mistake("server-probes", order(["open", "switch", "probe-answer", "probe", "upgrade", "event"]))
        .mistake("websocket-first", order(["switch", "probe", "probe-answer", "upgrade", "open", "event"]))
        .mistake("websocket-first", order(["switch", "open", "probe", "probe-answer", "upgrade", "event"]))
        .mistake("event-early", order(["open", "switch", "probe", "probe-answer", "event", "upgrade"]))
        .mistake("event-early", order(["open", "switch", "event", "probe", "probe-answer", "upgrade"]))
        .mistake("probe-before-101", order(["open", "probe", "probe-answer", "switch", "upgrade", "event"]))
        .mistake("probe-before-101", order(["open", "probe", "switch", "probe-answer", "upgrade", "event"]))
        .choices(["open", "switch", "probe", "probe-answer", "upgrade", "event"])
        .file("upgrade.pcap", capture(&upgrade(&session, &event), rng))
        .command(["decode", "--view", "session", "{file:upgrade.pcap}"])
}

/// A session that is opened by polling and goes on over WebSocket.
fn upgrade(session: &str, event: &str) -> String {
    let open = open_packet(session, "[\"websocket\"]");
    let connected = "40{\"sid\":\"n1\"}";
    let query = format!("/socket.io/?EIO=4&transport=polling&sid={session}");
    let event = quoted(event);
    [
        "no-handshake\n".to_owned(),
        get("/socket.io/?EIO=4&transport=polling"),
        ok(&open),
        post(&query, "40"),
        ok("ok"),
        get(&query),
        ok(connected),
        format!("connection\nhandshake path=\"/socket.io/?EIO=4&transport=websocket&sid={session}\"\n"),
        "client text \"2probe\"\nserver text \"3probe\"\nclient text \"5\"\nwait 20ms\n".to_owned(),
        format!("client text \"{event}\"\nclient close 1000\nserver close 1000\n"),
    ]
    .concat()
}

fn open_packet(session: &str, upgrades: &str) -> String {
    format!(
        "0{{\"sid\":\"{session}\",\"upgrades\":{upgrades},\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}}"
    )
}

fn get(target: &str) -> String {
    format!("client raw \"GET {target} HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n\"\n")
}

fn post(target: &str, body: &str) -> String {
    let head = format!("POST {target} HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: {}", body.len());
    format!("client raw \"{head}\\r\\n\\r\\n{}\"\n", quoted(body))
}

fn ok(body: &str) -> String {
    answer("200 OK", body)
}

fn answer(status: &str, body: &str) -> String {
    let head = format!("HTTP/1.1 {status}\\r\\nContent-Type: text/plain\\r\\nContent-Length: {}", body.len());
    format!("server raw \"{head}\\r\\n\\r\\n{}\"\n", quoted(body))
}

/// Two programs that do not fit together.
struct Scene {
    /// What happens, by the option's id.
    right: &'static str,
    scene: Bilingual,
    why: Bilingual,
    /// What goes over the wire.
    script: String,
}

const OUTCOMES: [&str; 4] = ["it-works", "refused-query", "refused-poll", "thrown-out"];

/// A plain WebSocket on one side, Socket.IO on the other.
fn wrong_number(rng: &mut Rng) -> Instance {
    let (port, place) = (1024 + rng.below(60_000), place(rng));
    let Scene { right, scene, why, script } = match rng.below(4) {
        0 => query_missing(port, &place),
        1 => let_in_and_thrown_out(port, &place, &session_id(rng)),
        2 => poll_at_a_plain_server(port, &place),
        _ => greeting_is_no_packet(port, &place),
    };
    let wrong = OUTCOMES.into_iter().filter(|id| *id != right);
    wrong
        .fold(Instance::new(Answer::choice(right)), |instance, id| instance.mistake(id, Answer::choice(id)))
        .hole_in("scene", scene.en, scene.zh)
        .hole_in("why", why.en, why.zh)
        .choices(OUTCOMES)
        .file("wire.pcap", capture(&script, rng))
        .command(["decode", "--view", "session", "{file:wire.pcap}"])
}

fn query_missing(port: u64, place: &str) -> Scene {
    let target = format!("/socket.io/?room={place}");
    let refusal = answer("400 Bad Request", "{\"code\":0,\"message\":\"Transport unknown\"}");
    Scene {
        right: "refused-query",
        scene: Bilingual::new(
            format!("A page calls new WebSocket(\"ws://localhost:{port}{target}\"). At that port a Socket.IO 4 server listens."),
            format!("网页执行 new WebSocket(\"ws://localhost:{port}{target}\")。监听这个端口的是 Socket.IO 4 服务器。"),
        ),
        why: Bilingual::new(
            "The server looks for EIO and transport in the query, finds neither, and answers 400, “Transport unknown”. No WebSocket is opened.",
            "服务器在查询串里找 EIO 和 transport，一个也没有，于是回答 400“Transport unknown”，WebSocket 没有打开。",
        ),
        script: format!("request path=\"{target}\"\n{refusal}"),
    }
}

fn let_in_and_thrown_out(port: u64, place: &str, session: &str) -> Scene {
    let target = "/socket.io/?EIO=4&transport=websocket";
    let open = quoted(&open_packet(session, "[]"));
    Scene {
        right: "thrown-out",
        scene: Bilingual::new(
            format!("A page calls new WebSocket(\"ws://localhost:{port}{target}\"), and when it is open, send(\"hello from the {place}\"). At that port a Socket.IO 4 server listens."),
            format!("网页执行 new WebSocket(\"ws://localhost:{port}{target}\")，打开以后执行 send(\"hello from the {place}\")。监听这个端口的是 Socket.IO 4 服务器。"),
        ),
        why: Bilingual::new(
            "The query has what the server wants, so it answers 101 and sends its open packet. Then “hello…” comes. An Engine.IO packet begins with a digit, so the server takes it for a parse error and closes.",
            "查询串里有服务器要的东西，所以它回答 101，并发来 open 数据包。接着来了“hello…”：Engine.IO 数据包以数字开头，服务器认为解析出错，就关闭了连接。",
        ),
        script: format!(
            "handshake path=\"{target}\"\nserver text \"{open}\"\nclient text \"hello from the {place}\"\nserver close\nclient close\n"
        ),
    }
}

fn poll_at_a_plain_server(port: u64, place: &str) -> Scene {
    let refusal = answer("426 Upgrade Required", "Upgrade Required");
    Scene {
        right: "refused-poll",
        scene: Bilingual::new(
            format!("A page calls io(\"http://localhost:{port}\") of Socket.IO's client 4, with its default settings. At that port listens the plain WebSocket server of the {place}. It knows nothing but WebSocket."),
            format!("网页用 Socket.IO 4 客户端执行 io(\"http://localhost:{port}\")，设置都是默认的。监听这个端口的是 {place} 的普通 WebSocket 服务器，它只会 WebSocket。"),
        ),
        why: Bilingual::new(
            "By default a Socket.IO client begins with a poll, a GET without Upgrade. A plain WebSocket server has nothing for it and answers with an error such as 426.",
            "Socket.IO 客户端默认先发轮询，也就是不带 Upgrade 的 GET。普通 WebSocket 服务器没有东西可给，就回一个错误，例如 426。",
        ),
        script: format!("no-handshake\n{}{refusal}", get("/socket.io/?EIO=4&transport=polling")),
    }
}

fn greeting_is_no_packet(port: u64, place: &str) -> Scene {
    Scene {
        right: "thrown-out",
        scene: Bilingual::new(
            format!("A page calls io(\"http://localhost:{port}\", {{ transports: [\"websocket\"] }}) of Socket.IO's client 4. At that port listens a plain WebSocket server. It takes clients on any path and greets them with the message “welcome to the {place}”."),
            format!("网页用 Socket.IO 4 客户端执行 io(\"http://localhost:{port}\", {{ transports: [\"websocket\"] }})。监听这个端口的是普通 WebSocket 服务器：什么路径都接受，并用消息“welcome to the {place}”打招呼。"),
        ),
        why: Bilingual::new(
            "With transports set the client asks for a WebSocket at once, and gets it. But it waits for Engine.IO's open packet, 0{…}. “welcome…” is no packet, and the client closes with an error of the transport.",
            "设置了 transports，客户端一上来就请求 WebSocket，也得到了。可它等的是 Engine.IO 的 open 数据包 0{…}。“welcome…”不是数据包，客户端报告传输出错，关闭连接。",
        ),
        script: format!(
            "handshake path=\"/socket.io/?EIO=4&transport=websocket\"\nserver text \"welcome to the {place}\"\nclient close\nserver close\n"
        ),
    }
}

/// A transport of Socket.IO 0.9 and older, by its traces.
fn old_log(rng: &mut Rng) -> Instance {
    let number = 100_000 + rng.below(900_000);
    let message = format!("5:::{{\"name\":\"{}\",\"args\":[\"{}\"]}}", pick(rng, &EVENTS), place(rng));
    let literal = format!("\"{}\"", message.replace('"', "\\\""));
    let index = rng.below(4);
    let transports = [
        (
            "flash-socket",
            vec![
                "C: <policy-file-request/>".to_owned(),
                format!("S: <cross-domain-policy><allow-access-from domain=\"*\" to-ports=\"{}\"/></cross-domain-policy>", 1024 + rng.below(60_000)),
                format!("C: GET /socket.io/1/…/{number} HTTP/1.1, Upgrade: websocket"),
                format!("S: 101, then frames: {message}"),
            ],
            "The first thing on the wire is a question for permission, as Flash films ask it.",
            "线路上最先出现的是请求许可，Flash 影片才这样问。",
        ),
        (
            "jsonp-polling",
            vec![
                format!("C: GET /socket.io/1/…/{number}?i={index}"),
                "S: 200, Content-Type: text/javascript".to_owned(),
                format!("S: io.j[{index}]({literal});   (end of the response)"),
                format!("C: GET /socket.io/1/…/{number}?i={index}"),
            ],
            "Each response is a script that calls a function, and then the browser asks again.",
            "每个响应都是一段调用函数的脚本，然后浏览器再问一次。",
        ),
        (
            "multipart-streaming",
            vec![
                format!("C: GET /socket.io/1/…/{number}"),
                "S: 200, Content-Type: multipart/x-mixed-replace;boundary=\"socketio\"".to_owned(),
                format!("S: {message}"),
                "S: --socketio   (the response goes on)".to_owned(),
            ],
            "One response of many parts, with a boundary between them, and it does not end.",
            "一个响应分成许多部分，部分之间有分界线，而且一直不结束。",
        ),
        (
            "forever-iframe",
            vec![
                format!("C: GET /socket.io/1/…/{number}"),
                "S: 200, Content-Type: text/html, Transfer-Encoding: chunked".to_owned(),
                format!("S: <script>_({literal});</script>   (the response goes on)"),
            ],
            "The response is a web page that never ends, and each message is a script element in it.",
            "响应是一张永不结束的网页，每条消息是其中的一个 script 元素。",
        ),
    ];
    let (right, log, en, zh) = pick(rng, &[0, 1, 2, 3].map(|at: usize| &transports[at]));
    let lines: Vec<String> = log.iter().map(|line| format!("    {line}")).collect();
    let wrong = transports.iter().map(|(id, ..)| *id).filter(|id| id != right);
    wrong
        .fold(Instance::new(Answer::choice(*right)), |instance, id| instance.mistake(id, Answer::choice(id)))
        .hole("log", lines.join("\n"))
        .hole_in("sign", *en, *zh)
        .choices(transports.iter().map(|(id, ..)| *id))
}
