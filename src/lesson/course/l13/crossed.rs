//! Two programs that do not fit together: a plain WebSocket at one end, Socket.IO at the other.

use super::super::kit::capture;
use super::{answer, get, open_packet, place, quoted, session_id};
use crate::lesson::{Answer, Bilingual, Instance};
use crate::synth::Rng;

/// Two programs that do not fit together.
struct Scene {
    /// What happens, by the option's id.
    right: &'static str,
    /// What is asked about.
    told: Bilingual,
    why: Bilingual,
    /// What goes over the wire.
    script: String,
}

const OUTCOMES: [&str; 4] = ["it-works", "refused-query", "refused-poll", "thrown-out"];

/// A plain WebSocket on one side, Socket.IO on the other.
pub(super) fn wrong_number(rng: &mut Rng) -> Instance {
    let (port, place) = (1024 + rng.below(60_000), place(rng));
    let Scene { right, told, why, script } = match rng.below(4) {
        0 => query_missing(port, &place),
        1 => let_in_and_thrown_out(port, &place, &session_id(rng)),
        2 => poll_at_a_plain_server(port, &place),
        _ => greeting_is_no_packet(port, &place),
    };
    let wrong = OUTCOMES.into_iter().filter(|id| *id != right);
    wrong
        .fold(Instance::new(Answer::choice(right)), |instance, id| instance.mistake(id, Answer::choice(id)))
        .hole_in("scene", told.en, told.zh)
        .hole_in("why", why.en, why.zh)
        .choices(OUTCOMES)
        .file("wire.pcap", capture(&script, rng))
        .command(["decode", "--view", "session", "{file:wire.pcap}"])
}

fn query_missing(port: u64, place: &str) -> Scene {
    let target = format!("/socket.io/?room={place}");
    let refusal = answer("400 Bad Request", "Transport unknown");
    Scene {
        right: "refused-query",
        told: Bilingual::new(
            format!(
                "A page calls new WebSocket(\"ws://localhost:{port}{target}\"). At that port a Socket.IO 4 server listens."
            ),
            format!(
                "网页执行 new WebSocket(\"ws://localhost:{port}{target}\")。监听这个端口的是 Socket.IO 4 服务器。"
            ),
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
        told: Bilingual::new(
            format!(
                "A page calls new WebSocket(\"ws://localhost:{port}{target}\"), and when it is open, send(\"hello from {place}\"). At that port a Socket.IO 4 server listens."
            ),
            format!(
                "网页执行 new WebSocket(\"ws://localhost:{port}{target}\")，打开以后执行 send(\"hello from {place}\")。监听这个端口的是 Socket.IO 4 服务器。"
            ),
        ),
        why: Bilingual::new(
            "The query has what the server wants, so it answers 101 and sends its open packet. Then “hello…” comes. An Engine.IO packet begins with a digit, so the server takes it for a parse error and closes.",
            "查询串里有服务器要的东西，所以它回答 101，并发来 open 包。接着来了“hello…”：Engine.IO 包以数字开头，服务器认为解析出错，就关闭了连接。",
        ),
        script: format!(
            "handshake path=\"{target}\"\nserver text \"{open}\"\nclient text \"hello from {place}\"\nserver close\nclient close\n"
        ),
    }
}

fn poll_at_a_plain_server(port: u64, place: &str) -> Scene {
    let refusal = answer("426 Upgrade Required", "Upgrade Required");
    Scene {
        right: "refused-poll",
        told: Bilingual::new(
            format!(
                "A page calls io(\"http://localhost:{port}\") of Socket.IO's client 4, with its default settings. At that port listens {place}, a plain WebSocket server. It knows nothing but WebSocket."
            ),
            format!(
                "网页用 Socket.IO 4 客户端执行 io(\"http://localhost:{port}\")，设置都是默认的。监听这个端口的是普通 WebSocket 服务器 {place}，它只会 WebSocket。"
            ),
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
        told: Bilingual::new(
            format!(
                "A page calls io(\"http://localhost:{port}\", {{ transports: [\"websocket\"] }}) of Socket.IO's client 4. At that port listens a plain WebSocket server. It takes clients on any path and greets them with the message “welcome to {place}”."
            ),
            format!(
                "网页用 Socket.IO 4 客户端执行 io(\"http://localhost:{port}\", {{ transports: [\"websocket\"] }})。监听这个端口的是普通 WebSocket 服务器：什么路径都接受，并用消息“welcome to {place}”打招呼。"
            ),
        ),
        why: Bilingual::new(
            "With transports set the client asks for a WebSocket at once, and gets it. But it waits for Engine.IO's open packet, 0{…}. “welcome…” is no packet, and the client closes with an error of the transport.",
            "设置了 transports，客户端一上来就请求 WebSocket，也得到了。可它等的是 Engine.IO 的 open 包 0{…}。“welcome…”不是包，客户端报告传输出错，关闭连接。",
        ),
        script: format!(
            "handshake path=\"/socket.io/?EIO=4&transport=websocket\"\nserver text \"welcome to {place}\"\nclient close\nserver close\n"
        ),
    }
}
