//! Pages for a browser, in one: Chromium shows them, and a mouse, keys, a finger and paper do what they do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use wstool::model::Opcode;
use wstool::ws::encode;

use crate::peers::seen;
use wstool::render::html::{SCRIPT, STYLE};

/// The first frame is that of RFC 6455 §5.7.
const BROKEN: &str = r#"
handshake path=/chat
client text "Hello" mask=37fa213d
client text "oops" mask=none
server close 1002 "unmasked frame"
client close 1002
"#;

/// What would run, load or hide something if it were taken for more than text.
const HARMFUL: &str = "</script><script>window.ran=1</script><img src=x onerror='window.ran=2'>\
                       <svg onload=window.ran=3>\u{2028}\u{202e}\u{1b}[2J\"><a href=javascript:window.ran=4>";

fn wstool(args: &[&str]) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_wstool")).args(args).output().expect("the binary was built");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() < Some(2), "{args:?}: {told}");
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("UTF-8").to_owned()
}

/// A masked text message in one frame.
fn text(words: &str, wire: &mut Vec<u8>) {
    wire.extend(encode::whole(Opcode::TEXT, Some([0x37, 0xfa, 0x21, 0x3d]), words.as_bytes()));
}

/// Makes the pages that `tests/peers/page.mjs` looks at.
fn pages(folder: &Path) -> Vec<String> {
    let file = |name: &str| path(folder, name);
    fs::write(file("broken.script"), BROKEN).expect("there is room");
    wstool(&["encode", "--script", &file("broken.script"), "--pcap", &file("broken.pcap")]);
    let mut wire = Vec::new();
    text(HARMFUL, &mut wire);
    fs::write(file("harmful.bin"), &wire).expect("there is room");
    wire.clear();
    (0..10_000)
        .for_each(|number| text(&format!("{{\"id\":{number},\"text\":\"of ten thousand\"}}"), &mut wire));
    fs::write(file("large.bin"), &wire).expect("there is room");
    let inputs = [
        ("broken", "broken.pcap", "en"),
        ("harmful", "harmful.bin", "en"),
        ("large", "large.bin", "en"),
        ("chinese", "broken.pcap", "zh"),
    ];
    let page = |(name, input, lang): (&str, &str, &str)| {
        let to = file(&format!("{name}.html"));
        wstool(&["--lang", lang, "decode", "--format", "html", "--output", &to, &file(input)]);
        to
    };
    let mut pages = inputs.map(page).to_vec();
    // Of the library alone: a panel as others put it into their pages.
    let panel = format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><style>{STYLE}</style>\
         <div id=\"wire\" style=\"height: 400px; overflow: auto\"></div>\
         <script type=\"module\">{SCRIPT}; window.Panel = Panel;</script>"
    );
    fs::write(file("panel.html"), panel).expect("there is room");
    pages.push(file("panel.html"));
    pages
}

#[test]
fn a_browser_shows_every_byte_and_runs_nothing_of_the_wire() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&folder).expect("there is room");
    let mut args = pages(&folder);
    args.push(folder.to_str().expect("UTF-8").to_owned());
    let Some(seen) = seen("page.mjs", args) else { return };
    let has = |key: &str, words: &[&str]| {
        let shown = seen[key].as_str().unwrap_or_else(|| panic!("no {key} in {seen:#}"));
        for words in words {
            assert!(shown.contains(words), "{key} has no `{words}`: {shown}");
        }
    };
    // The answer first.
    has("title", &["broken.pcap"]);
    has("verdict", &["what went wrong", "unmasked-client-frame", "how the connection ended"]);
    assert_eq!(seen["bars"], 1);
    // The unmasked frame, and a Close frame of either side.
    assert!(seen["marks"].as_u64() >= Some(3), "{seen:#}");
    assert_ne!(seen["light"], seen["dark"]);
    has("found", &["close-1002"]);
    // Bytes, fields and bits point at each other.
    has("byte", &["byte 1 · 0x85 · 1000 0101", "MASK", "payload length", "RFC 6455 §5.2"]);
    assert_eq!(seen["byteLights"], serde_json::json!(["MASK", "payload length"]));
    has("payloadByte", &["7f XOR 37 = 48 H"]);
    has("field", &["bytes 2–5", "masking key", "37 fa 21 3d", "RFC 6455 §5.3"]);
    assert_eq!(seen["fieldLights"], "37 fa 21 3d");
    has("bit", &["byte 0, bit 0", "FIN", "a message in one frame"]);
    has("bits", &["FIN 1 RSV1 0 RSV2 0 RSV3 0 opcode (4) 0 0 0 1 MASK 1 Payload len (7) 0 0 0 0 1 0 1"]);
    // Keys do what the mouse does.
    has("keyFinding", &["frame 2"]);
    has("keyNext", &["frame 3"]);
    has("keyByte", &["byte 3 · 0xfa", "masking key"]);
    // Paper has all of it, a phone fits it.
    assert_eq!(seen["printed"], seen["records"]);
    assert_eq!(seen["phoneWidth"], 400);
    has("tapped", &["byte 1", "MASK"]);
    // A page asks for nothing but itself, and nothing went wrong in it.
    for (key, own) in [("behind", "broken.html"), ("harmBehind", "harmful.html")] {
        let behind = &seen[key];
        let asked = behind["asked"].as_array().expect("a list");
        assert!(asked.iter().all(|it| it == own || it == "blank" || it == "about:blank"), "{key}: {behind}");
        assert_eq!((&behind["logged"], &behind["thrown"]), (&Value::Array(vec![]), &Value::Array(vec![])));
        assert_eq!(behind["dialogs"], 0);
    }
    // What the wire says is text.
    let harm = &seen["harm"];
    assert_eq!((&harm["ran"], &harm["images"], &harm["scripts"]), (&Value::Null, &0.into(), &3.into()));
    let shown = harm["shown"].as_str().expect("text");
    assert!(shown.starts_with("</script><script>window.ran=1</script><img src=x onerror="), "{shown}");
    assert!(shown.contains("\\u{2028}\\u{202e}\\u{1b}[2J"), "{shown}");
    assert_eq!((&seen["refused"], &seen["ran"]), (&"script-src-elem".into(), &Value::Null));
    // Of 10,000 frames only those on the screen are there.
    has("many", &["10,003"]);
    has("middle", &["frame "]);
    has("last", &["summary"]);
    for key in ["drawn", "drawnThere"] {
        assert!(seen[key].as_u64() < Some(200), "{key}: {}", seen[key]);
    }
    assert!(seen["elements"].as_u64() < Some(10_000), "{}", seen["elements"]);
    // What arrives is followed, and what is too much forgotten.
    assert_eq!(seen["follows"], serde_json::json!([true, true, true, true]));
    assert!(seen["kept"].as_u64() <= Some(20), "{}", seen["kept"]);
    assert_eq!(seen["anew"], serde_json::json!([1, 1, 0]));
    assert_eq!(seen["panelBehind"]["thrown"], Value::Array(vec![]));
    assert_eq!(seen["language"], "zh");
    has("chinese", &["时间线", "全部展开"]);
}
