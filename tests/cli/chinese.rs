//! What people see in Chinese: whole outputs to read, and every other one searched
//! for English and for lines that are too long.
use std::process::Command;

use unicode_width::UnicodeWidthStr;
use wstool::lang::Lang;
use wstool::model::{Body, Flow, ON, Sink, Unit, Wants};
use wstool::render::film::Projector;
use wstool::render::views::{Choice, Form, Kept};
use wstool::render::{Options, TimeStyle, Tree, VIEWS};
use wstool::select::{Select, Selection};

use crate::shelf::{self, Sample, samples};

const CHINESE: Options = Options {
    width: 80,
    color: false,
    lang: Lang::Zh,
    ascii: false,
    time: TimeStyle::Relative,
    payload: None,
    advice: None,
};

/// What `wstool` prints in Chinese: standard output, then standard error.
fn wstool(args: &[&str]) -> String {
    wstool_in("zh", args)
}

fn wstool_in(lang: &str, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wstool"))
        .args(["--lang", lang])
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    text(output.stdout) + &text(output.stderr)
}

#[test]
fn the_frames_of_rfc_6455_5_7() {
    let frames = ["text-unmasked", "text-masked", "text-fragmented", "ping", "256-bytes"];
    let paths = frames.map(|name| format!("samples/rfc6455/5.7-{name}.hex"));
    let paths = paths.iter().map(String::as_str);
    let args: Vec<&str> = ["decode"].into_iter().chain(paths).collect();
    insta::assert_snapshot!("frames", wstool(&args));
    insta::assert_snapshot!("bits", wstool(&["decode", "--view", "bits", "818537fa213d7f9f4d5158"]));
}

#[test]
fn findings_and_what_is_behind_them() {
    let broken = |name: &str| shelf::root().join("broken").join(name);
    for name in ["accept-mismatch", "no-sticky-session", "predictable-masking-key"] {
        let sample = Sample::at(&broken(&format!("{name}.script")));
        let selection = Selection { findings: true, ..Selection::default() };
        let mut select = Select::new(selection, Tree::new(Vec::new(), CHINESE));
        sample.play(&mut select);
        let shown = select.into_inner().finish().expect("memory takes it");
        insta::assert_snapshot!(name, String::from_utf8(shown).expect("UTF-8"));
    }
}

#[test]
fn a_film() {
    insta::assert_snapshot!("film", wstool(&["replay", "--explain", "accept-mismatch"]));
}

#[test]
fn an_answer_step_by_step() {
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let wrong = "BXhwxM0SZasKmCD9S4BfpPmCnEw=";
    insta::assert_snapshot!("accept", wstool(&["accept", key, "--explain", "--verify", wrong]));
    insta::assert_snapshot!("no-key", wstool(&["accept", "dGhl!HNhbXBsZSBub25jZQ=="]));
}

#[test]
fn a_browser_in_numbers_and_line_by_line() {
    insta::assert_snapshot!("stats", wstool(&["decode", "--view", "stats", "samples/chromium.pcap"]));
    insta::assert_snapshot!("table", wstool(&["decode", "--view", "table", "samples/chromium.pcap"]));
}

/// Ids are the contract with programs: records are the same in every language.
#[test]
fn records_are_english_in_every_language() {
    for args in [
        &["decode", "--format", "ndjson", "samples/one-direction.pcap"][..],
        &["decode", "--view", "stats", "--format", "json", "samples/chromium.pcap"],
        &["replay", "--format", "json", "accept-mismatch"],
        &["accept", "dGhlIHNhbXBsZSBub25jZQ==", "--format", "json", "--verify", "x"],
    ] {
        assert_eq!(wstool(args), wstool_in("en", args), "{args:?}");
    }
}

/// Every page of help, found by its names, is in Chinese and fits 80 columns.
#[test]
fn help_is_chinese_on_80_columns() {
    let mut pages = vec![Vec::new()];
    gather(&wstool::cli::command(), &mut Vec::new(), &mut pages);
    assert!(pages.len() > 18, "only {pages:?}");
    for page in pages {
        for help in ["--help", "-h"] {
            let mut args: Vec<&str> = page.iter().map(String::as_str).collect();
            args.push(help);
            let text = wstool(&args);
            assert!(text.contains("用法：wstool") && text.contains("选项"), "{args:?}: {text}");
            for line in text.lines().filter(|line| {
                !["  wstool", "用法", "      wstool"].iter().any(|start| line.starts_with(start))
                    && !line.contains(" | wstool")
            }) {
                let words = line.split_whitespace().filter(|word| is_english(word)).count();
                assert!(words < 4, "{args:?}: {line}");
                assert!(line.width() <= 80, "{args:?}: {} columns: {line}", line.width());
            }
            for english in
                ["Usage", "Options", "Commands", "Arguments", "[default", "Possible", "possible", "Print"]
            {
                assert!(!text.contains(english), "{args:?}: {english} in {text}");
            }
        }
    }
}

fn gather(command: &clap::Command, path: &mut Vec<String>, pages: &mut Vec<Vec<String>>) {
    for command in command.get_subcommands() {
        path.push(command.get_name().to_owned());
        pages.push(path.clone());
        gather(command, path, pages);
        path.pop();
    }
}

/// A word of letters only, and no name of an option's value.
fn is_english(word: &str) -> bool {
    word.len() > 1 && word != "ms" && word.chars().all(|c| c.is_ascii_lowercase())
}

#[test]
fn wrong_usage_is_told_in_chinese_in_a_line() {
    for (args, said) in [
        (&["decode", "--vew", "hex"][..], "错误：这里没有参数 --vew；是不是想写 --view？"),
        (&["decod"], "错误：没有命令 decod；是不是想写 decode？"),
        (&["decode", "--view", "tre"], "错误：tre 不能作为 --view <VIEW> 的值；可选：tree，"),
        (&["decode", "--width", "20", "81"], "错误：20 不能作为 --width <N> 的值；要 80 到 1000 之间的数"),
        (&["decode", "--limit", "x", "81"], "错误：x 不能作为 --limit <N> 的值；这里要一个数"),
        (&["decode", "--view"], "错误：--view <VIEW> 需要一个值；可选：tree，"),
        (&["replay"], "错误：缺少这个参数：<RECORDING>"),
        (
            &["encode", "--mask", "red"],
            "错误：red 不能作为 --mask <KEY|random|none> 的值；掩码键是 8 位十六进制数字",
        ),
        (&["encode", "--raw", "--c-array"], "错误：--raw 和 --c-array 不能一起用"),
        (&["compare", "--delay", "x"], "错误：x 不能作为 --delay <MS> 的值；"),
        (
            &["encode", "--close", "1005"],
            "错误：关闭码 1005 从不在 Close 帧里发送（RFC 6455 §7.4.1）；--force 照样发送",
        ),
        (&["encode", "--binary", "xyz"], "错误：xyz：既不是文件，也不是 00ff 这样的十六进制"),
    ] {
        let text = wstool(args);
        assert!(text.starts_with(said) && text.lines().count() == 1, "{args:?}: {text}");
    }
    let frames = wstool(&["encode", "--text", "Hi", "--mask", "37fa213d", "--no-fin", "--ping"]);
    assert!(frames.starts_with("# 文本，FIN 0，掩码键 37fa213d，2 字节: \"Hi\"\n"), "{frames}");
}

/// Every page of `compare` is in Chinese and fits 80 columns; its records are English.
#[test]
fn comparisons_are_chinese_on_80_columns() {
    for args in [
        &["compare"][..],
        &["compare", "--direction", "up", "--rate", "3"],
        &["compare", "--tls", "--http2", "--heartbeat", "0", "--cookies", "40"],
        &["compare", "--sweep", "interval", "100ms..60s"],
        &["compare", "--sweep", "rate", "0.1..50"],
        &["compare", "--simulate", "--messages", "50", "--jitter", "5", "--loss", "1", "--burst", "2"],
        &["compare", "--preset", "quantum-leap"],
        &["compare", "--preset", "fair"],
    ] {
        let text = wstool(args);
        assert!(text.contains("由此可知") && text.contains("假设"), "{args:?}: {text}");
        for line in text.lines() {
            let words = line.split_whitespace().filter(|word| is_english(word)).count();
            // The name of an article stays.
            assert!(words < 4 || line.contains("Quantum"), "{args:?}: {line}");
            assert!(line.width() <= 80, "{args:?}: {} columns: {line}", line.width());
        }
        let records = |lang| wstool_in(lang, &[args, &["--format", "json"]].concat());
        assert_eq!(records("zh"), records("en"), "{args:?}");
    }
}

/// An output in Chinese.
struct Shown {
    what: String,
    text: String,
}

fn shown(view: &Choice, sample: &Sample) -> Shown {
    let kept = Kept::default();
    let mut shown = view.over(kept.clone(), Form::Text, &CHINESE);
    sample.play(shown.as_mut());
    shown.end().expect("memory takes it");
    let text = String::from_utf8(kept.take()).expect("UTF-8");
    Shown { what: format!("{} in {}", sample.name, view.name), text }
}

#[test]
fn every_view_of_every_sample_is_chinese_on_80_columns() {
    for sample in samples() {
        let mut wire = Wire::default();
        sample.play(&mut wire);
        for shown in VIEWS.map(|view| shown(view, &sample)) {
            check(&shown, &wire.0);
        }
    }
}

#[test]
fn every_film_is_chinese_on_80_columns() {
    for (name, film) in shelf::films() {
        let mut wire = String::new();
        for speech in [&film.request, &film.response].into_iter().flatten() {
            wire.push_str(&speech.start_line);
            wire.push_str(&String::from_utf8_lossy(&speech.body));
            for line in &speech.lines {
                wire.push_str(&line.header.value);
            }
        }
        for explain in [false, true] {
            let text = Projector::new(&CHINESE, explain).show(&film).concat();
            check(&Shown { what: format!("the film of {name}"), text }, &wire);
        }
    }
}

/// Fails on lines that are too long and on English sentences that did not come from the wire.
fn check(shown: &Shown, wire: &str) {
    let Shown { what, text } = shown;
    for line in text.lines() {
        let width = line.width();
        assert!(width <= 80, "{what}: {width} columns in\n{line}");
        for english in sentences(line) {
            assert!(wire.contains(&english), "{what}: `{english}` in\n{line}");
        }
    }
}

/// Runs of three words and more in lower case.
fn sentences(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    for word in line.split(' ').chain([""]) {
        let is_hex = word.bytes().all(|b| b.is_ascii_hexdigit());
        if word.len() >= 2 && !is_hex && word.bytes().all(|b| b.is_ascii_lowercase()) {
            run.push(word);
            continue;
        }
        if run.len() >= 3 {
            found.push(run.join(" "));
        }
        run.clear();
    }
    found
}

/// All that peers said, so that it is not taken for the tool's own words.
#[derive(Default)]
struct Wire(String);

impl Wire {
    fn heard(&mut self, bytes: &[u8]) {
        self.0.push_str(&String::from_utf8_lossy(bytes));
        self.0.push('\n');
    }
}

impl Sink for Wire {
    fn wants(&self) -> Wants {
        Wants { fields: true, payload: u64::MAX, app: true }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        match unit.body {
            Body::Http(head) => {
                self.heard(head.bytes);
                self.heard(head.body);
            }
            Body::Frame(frame) => self.heard(frame.payload),
            Body::Message(message) => self.heard(message.payload),
            Body::Packet(packet) => self.heard(packet.payload),
            _ => {}
        }
        ON
    }
}
