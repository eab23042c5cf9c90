//! Pages that hold anything, and do nothing but show it.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;
use crate::lang::Lang;
use crate::model::sample::{Talk, finding};
use crate::model::{Body, Dir, EndKind, Meta, ON, Sink, Summary, Unit};
use crate::render::views::Kept;
use crate::render::{Options, View};

/// A page of what `talk` tells, written with these options.
fn page(options: Options, talk: impl FnOnce(&mut Talk<'_, Html<Kept>>)) -> String {
    let kept = Kept::default();
    let mut view = Html::new(kept.clone(), options);
    talk(&mut Talk::new(&mut view));
    Box::new(view).end().unwrap();
    String::from_utf8(kept.take()).unwrap()
}

/// What stands between two marks.
fn between<'a>(text: &'a str, before: &str, behind: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before}"));
    rest.split_once(behind).unwrap_or_else(|| panic!("no {behind}")).0
}

fn records(page: &str) -> Vec<Value> {
    let lines = between(page, "id=\"records\">\n", "</script>");
    lines.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect()
}

/// A text frame of a server.
fn text(words: &str) -> Vec<u8> {
    let mut wire = vec![0x81, 126];
    wire.extend((words.len() as u16).to_be_bytes());
    wire.extend(words.as_bytes());
    wire
}

const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u{2028}\u{202e}\
                       \u{1b}[2J ' onmouseover=alert(3) \" javascript:alert(4) ]]> <!-- {{7*7}} \u{feff}";

#[test]
fn nothing_from_the_wire_is_markup() {
    let meta = Meta { input: HOSTILE.into(), format: "pcap".into(), ..Meta::default() };
    let page = page(Options { head: true, ..Options::default() }, |talk| {
        talk.tell(None, Body::Meta(&meta), &[]);
        talk.connect(1).handshake().frame_bytes(Dir::Server, &text(HOSTILE));
        talk.end(EndKind::Fin, None).summary(&Summary::default());
    });
    // Those of its own, and no more.
    assert_eq!(page.matches("<script").count(), 3);
    assert_eq!(page.matches("</script").count(), 3);
    assert!(!page.contains("<img") && !page.contains("<!--"));
    let own = page.replace(SCRIPT, "").replace(STYLE, "");
    assert!(!own.contains(|c: char| c.is_control() && c != '\n'), "{own}");
    assert!(!own.contains(['\u{2028}', '\u{202e}', '\u{feff}']));
    // What is shown is what was sent, with what nobody sees written out.
    let records = records(&page);
    let shown = records.iter().find(|it| it["type"] == "frame").expect("there is a frame");
    let parts = shown["blocks"].as_array().unwrap().iter().find_map(|it| it["payload"]["parts"].as_array());
    let shown = parts.expect("it has a payload")[0]["text"].as_str().unwrap();
    assert!(
        shown.starts_with("</script><script>alert(1)</script><img src=x onerror=alert(2)>\\u{2028}\\u{202e}")
    );
    assert_eq!(
        records[0]["blocks"][0]["what"].as_str().unwrap().split_once("\\u{2028}").unwrap().0.len(),
        62
    );
}

#[test]
fn a_page_runs_its_own_script_and_loads_nothing() {
    let page = page(Options::default(), |_| {});
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src &#39;none&#39;; script-src &#39;sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    let hash = |text: &str| format!("&#39;sha256-{}&#39;", STANDARD.encode(Sha256::digest(text)));
    assert!(policy.contains(&hash(between(&page, "<script type=\"module\">", "</script>"))));
    assert!(policy.contains(&hash(between(&page, "<style>", "</style>"))));
    // The one address is a name: that of SVG's elements.
    let page = page.replace("\"http://www.w3.org/2000/svg\"", "");
    for outside in ["http://", "https://", " src=", " href=", "url(", "@import", "import(", "fetch(", "//cdn"]
    {
        assert!(!page.contains(outside), "{outside}");
    }
    // Nothing makes markup or code of text.
    for way in
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "DOMParser"]
    {
        assert!(!SCRIPT.contains(way), "{way}");
    }
    assert!(!SCRIPT.contains("</") && !STYLE.contains("</"));
}

#[test]
fn a_frame_has_its_bytes_and_where_each_field_stands() {
    let page = page(Options::default(), |talk| {
        // RFC 6455 §5.7: a single-frame masked text message, "Hello".
        talk.connect(1).frame(Dir::Client, "818537fa213d7f9f4d5158");
    });
    let records = records(&page);
    let frame = records.iter().find(|it| it["type"] == "frame").unwrap();
    assert_eq!(frame["bytes"], "818537fa213d7f9f4d5158");
    assert_eq!(
        (&frame["key"], &frame["header"], &frame["length"]),
        (&"37fa213d".into(), &6.into(), &11.into())
    );
    let cells = &frame["shapes"][0][1];
    let bits: Vec<_> =
        cells.as_array().unwrap().iter().map(|it| (it[0].as_str().unwrap(), it[2].as_u64())).collect();
    assert_eq!((bits[0], bits[5]), (("FIN", Some(1)), ("MASK", Some(9))));
    assert_eq!(bits.last().unwrap().1, Some(48));
}

#[test]
fn what_fields_are_is_said_once_and_again_to_who_joins() {
    let mut told = Vec::new();
    let mut records = Told::new(Records::new(&Options::default()), |record: &str| {
        told.push(serde_json::from_str::<Value>(record).expect("JSON"));
        ON
    });
    Talk::new(&mut records).connect(1).handshake();
    let mut talk = Talk::new(&mut records);
    talk.frame(Dir::Server, "810548656c6c6f").frame(Dir::Server, "8900").frame(Dir::Server, "8900");
    let known: Value = serde_json::from_str(records.records().known()).unwrap();
    let shapes: usize = told.iter().filter_map(|it| it["shapes"].as_array()).map(Vec::len).sum();
    assert_eq!((shapes, known["shapes"].as_array().map(Vec::len)), (1, Some(1)));
    assert_eq!(known["type"], "known");
}

#[test]
fn a_page_holds_so_much_and_says_what_it_leaves_out() {
    let kept = Kept::default();
    let mut view = Html::new(kept.clone(), Options::default()).holding(40, 1 << 20);
    let mut talk = Talk::new(&mut view);
    talk.connect(1);
    for _ in 0..100 {
        talk.frame(Dir::Server, "8900");
    }
    // What is wrong has a place even then.
    let wrong = finding();
    talk.tell(Some(Dir::Client), Body::Note, &[wrong]);
    talk.end(EndKind::Fin, None).summary(&Summary::default());
    Box::new(view).end().unwrap();
    let page = String::from_utf8(kept.take()).unwrap();
    let records = records(&page);
    let count = |kind: &str| records.iter().filter(|it| it["type"] == kind).count();
    assert!(records.len() <= 41, "{}", records.len());
    assert_eq!((count("note"), count("summary")), (1, 1));
    let left = records.iter().find(|it| it["type"] == "left").expect("it says so");
    // Each ping is a frame and a message that says nothing more.
    assert!(left["units"].as_u64().unwrap() >= 100 - 40);
}

#[test]
fn a_page_that_is_cut_off_has_whole_records_before_the_cut() {
    let kept = Kept::default();
    let mut view = Html::new(kept.clone(), Options::default());
    Talk::new(&mut view).connect(1).frame(Dir::Server, "810548656c6c6f");
    let begun = String::from_utf8(kept.take()).unwrap();
    assert!(begun.contains(SCRIPT) && begun.ends_with("}\n"));
}

#[test]
fn an_error_of_writing_is_told_at_the_end() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut view = Html::new(Full, Options::default());
    let meta = Meta::default();
    assert!(view.take(&Unit::about_input(Body::Meta(&meta))).is_break());
    assert_eq!(Box::new(view).end().unwrap_err().kind(), std::io::ErrorKind::StorageFull);
}

#[test]
fn words_are_in_the_readers_language() {
    let page = page(Options { lang: Lang::Zh, ..Options::default() }, |talk| {
        talk.connect(1).frame(Dir::Server, "810548656c6c6f");
    });
    assert!(page.contains("<html lang=\"zh\">") && page.contains("\"open all\":\"全部展开\""));
    let records = records(&page);
    let frame = records.iter().find(|it| it["type"] == "frame").unwrap();
    assert_eq!(frame["blocks"][0]["what"], "帧 1");
}
