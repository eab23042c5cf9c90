//! How servers pushed before WebSocket was everywhere: the traces of four transports.

use super::super::kit::pick;
use super::{EVENTS, place};
use crate::lesson::{Answer, Bilingual, Instance};
use crate::synth::Rng;

/// A transport of the time before WebSocket was everywhere, by its traces.
struct Trace {
    id: &'static str,
    /// What was said. `(on)` and `(end)` stand for words about the response.
    log: Vec<String>,
    sign: Bilingual,
}

/// The log of one of them.
pub(super) fn old_log(rng: &mut Rng) -> Instance {
    let traces = traces(rng);
    let right = pick(rng, &[0, 1, 2, 3].map(|at: usize| &traces[at]));
    let in_words = |goes_on: &str, ends: &str| {
        let line = |line: &String| format!("    {}", line.replace("(on)", goes_on).replace("(end)", ends));
        right.log.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let wrong = traces.iter().map(|trace| trace.id).filter(|id| *id != right.id);
    wrong
        .fold(Instance::new(Answer::choice(right.id)), |instance, id| {
            instance.mistake(id, Answer::choice(id))
        })
        .hole_in(
            "log",
            in_words("(the response goes on)", "(end of the response)"),
            in_words("（响应还在继续）", "（响应到此结束）"),
        )
        .hole_in("sign", &right.sign.en, &right.sign.zh)
        .choices(traces.iter().map(|trace| trace.id))
        .command(["explain", right.id])
}

fn traces(rng: &mut Rng) -> [Trace; 4] {
    let message = format!("5:::{{\"name\":\"{}\",\"args\":[\"{}\"]}}", pick(rng, &EVENTS), place(rng));
    let literal = format!("\"{}\"", message.replace('"', "\\\""));
    let (index, port) = (rng.below(4), 1024 + rng.below(60_000));
    let target = format!("/socket.io/1/…/{}", 100_000 + rng.below(900_000));
    let policy = format!("<cross-domain-policy><allow-access-from domain=\"*\" to-ports=\"{port}\"/>");
    [
        Trace {
            id: "flash-socket",
            log: vec![
                "C: <policy-file-request/>".to_owned(),
                format!("S: {policy}</cross-domain-policy>"),
                format!("C: GET {target} HTTP/1.1, Upgrade: websocket"),
                "S: HTTP/1.1 101".to_owned(),
                format!("S: {message}"),
            ],
            sign: Bilingual::new(
                "The first thing on the wire is a question for permission, as Flash films ask it.",
                "线路上最先出现的是请求许可，Flash 影片才这样问。",
            ),
        },
        Trace {
            id: "jsonp-polling",
            log: vec![
                format!("C: GET {target}?i={index}"),
                "S: 200, Content-Type: text/javascript".to_owned(),
                format!("S: io.j[{index}]({literal}); (end)"),
                format!("C: GET {target}?i={index}"),
            ],
            sign: Bilingual::new(
                "Each response is a script that calls a function, and then the browser asks again.",
                "每个响应都是一段调用函数的脚本，然后浏览器再问一次。",
            ),
        },
        Trace {
            id: "multipart-streaming",
            log: vec![
                format!("C: GET {target}"),
                "S: 200, Content-Type: multipart/x-mixed-replace;boundary=\"socketio\"".to_owned(),
                format!("S: {message}"),
                "S: --socketio (on)".to_owned(),
            ],
            sign: Bilingual::new(
                "One response of many parts, with a boundary between them, and it does not end.",
                "一个响应分成许多部分，部分之间有分界线，而且一直不结束。",
            ),
        },
        Trace {
            id: "forever-iframe",
            log: vec![
                format!("C: GET {target}"),
                "S: 200, Content-Type: text/html, Transfer-Encoding: chunked".to_owned(),
                format!("S: <script>_({literal});</script> (on)"),
            ],
            sign: Bilingual::new(
                "The response is a web page that never ends, and each message is a script element in it.",
                "响应是一张永不结束的网页，每条消息是其中的一个 script 元素。",
            ),
        },
    ]
}
