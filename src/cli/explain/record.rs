//! Topics for programs.

use serde_json::{Value, json};

use crate::explain::{Example, Topic};
use crate::lang::Lang;
use crate::model::Cite;

/// A topic for programs. Keys that do not apply are left out.
pub fn record(topic: &Topic, lang: Lang) -> Value {
    let cites: Vec<String> = topic.cites.iter().map(Cite::to_string).collect();
    let mut object = json!({
        "id": topic.id,
        "group": topic.group,
        "title": topic.title(lang),
        "sections": cites,
        "see": topic.see,
    });
    let mut add = |key: &str, value: Value| {
        if !matches!(&value, Value::Null) && value != "" && value != json!([]) {
            object[key] = value;
        }
    };
    add("text", json!(topic.text(lang)));
    add("lesson", json!(topic.lesson));
    add("words", json!(topic.words(lang)));
    add("fields", json!(topic.fields.iter().map(|def| def.id).collect::<Vec<_>>()));
    if let Some(rule) = topic.rule {
        add("severity", json!(rule.severity.name()));
        add("consequence", json!(lang.words(rule.consequence)));
    }
    if let Some(advice) = topic.advice(lang) {
        add("why", json!(advice.why));
        add(
            "likely",
            json!(topic.rule.and_then(|rule| rule.usually).map(|usually| lang.words(usually.what))),
        );
        add("fix", json!(advice.fix));
    }
    add("example", topic.example.as_ref().map_or(Value::Null, bytes));
    object
}

/// An example for programs: the bytes in hex, or the text.
fn bytes(example: &Example) -> Value {
    match example {
        Example::Frames(hex) => json!({ "hex": hex.split_whitespace().collect::<String>() }),
        Example::Head(head) => json!({ "head": head }),
        Example::EngineIo(packet) => json!({ "engineio4": packet }),
        Example::SocketIo(packet) => json!({ "socketio": packet }),
    }
}
