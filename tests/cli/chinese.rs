//! What people see in Chinese: whole outputs to read, and every other one searched
//! for English and for lines that are too long.
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use unicode_width::UnicodeWidthStr;
use wstool::coding::Codings;
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
    latency: false,
    advice: None,
    head: false,
};

/// What `wstool` prints in Chinese: standard output, then standard error.
fn wstool(args: &[&str]) -> String {
    wstool_in("zh", args)
}

fn wstool_in(lang: &str, args: &[&str]) -> String {
    let output = run_in(lang, args);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    text(output.stdout) + &text(output.stderr)
}

fn run_in(lang: &str, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wstool"))
        .args(["--lang", lang])
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary runs")
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

/// Manual pages and the descriptions in completions have the words of the help.
#[test]
fn manuals_and_completions_are_chinese() {
    let words = Lang::Zh.catalogue().expect("Chinese has one");
    let help = wstool::cli::help::paragraphs(wstool::cli::command());
    let is_prose = |text: &&String| text.split(' ').filter(|word| is_english(word)).count() >= 3;
    let english: Vec<&String> = help.iter().filter(is_prose).collect();
    let check = |args: &[&str], at_least: usize| {
        let text = wstool(args);
        for english in &english {
            assert!(!text.contains(english.as_str()), "{args:?}: {english}");
        }
        let theirs = english.iter().filter_map(|text| words.get(text));
        let found = theirs.filter(|theirs| text.contains(*theirs)).count();
        assert!(found >= at_least, "{args:?}: {found} of the help's texts");
        text
    };
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        check(&["completions", shell], 100);
    }
    assert_eq!(wstool(&["completions", "bash"]), wstool_in("en", &["completions", "bash"]));
    for command in wstool::cli::command().get_subcommands().map(clap::Command::get_name) {
        let page = check(&["man", command], 1);
        for english in [".SH NAME", ".SH SYN", ".SH OPTIONS", ".SH DESC", "[default", "Possible values"] {
            assert!(!page.contains(english), "{command}: {english}");
        }
    }
    let whole = check(&["man"], 10);
    assert!(whole.contains(".SH 名称\nwstool \\- ") && whole.contains(".SH 命令\n"), "{whole}");
    assert!(wstool_in("en", &["man"]).contains(".SH NAME\nwstool \\- Shows"));
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
        (&["decode", "--width", "20", "81"], "错误：20 不能作为 --width <N> 的值；要 40 到 1000 之间的数"),
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

/// Whatever is wrong with the value of an option, the reason is in Chinese, too.
#[test]
fn values_are_refused_in_chinese() {
    for (args, said) in [
        (&["decode", "--stream", "x", "81"][..], "连接写成编号"),
        (&["decode", "--stream", "0", "81"], "连接从 1 开始编号"),
        (&["decode", "--stream", "5-3", "81"], "范围写反了：3 在 5 前面"),
        (&["decode", "--opcode", "x", "81"], "操作码写成 text、"),
        (&["decode", "--grep", "(", "81"], "这不是正则表达式：unclosed group"),
        (&["decode", "--payload-limit", "x", "81"], "或带单位的数，如 4k、64KiB、1M，或 all"),
        (&["decode", "--width", "x", "81"], "这里要一个数"),
        (&["replay", "rfc6455", "--to", "ws://a", "--timeout", "x"], "要一个秒数"),
        (&["replay", "rfc6455", "--to", "ws://a", "--header", "x"], "头字段写成 NAME: VALUE"),
        (&["replay", "rfc6455", "--to", "ws://a", "--header", "a b: c"], "头字段写成一行的"),
        (&["replay", "rfc6455", "--to", "ws://a", "--expect", "x"], "要写 open、refused"),
        (&["replay", "rfc6455", "--to", "ws://a", "--break", "x"], "可选：accept, version"),
        (&["replay", "rfc6455", "--to", "ws://a", "--break", "status=1"], "200 到 599"),
        (&["replay", "rfc6455", "--to", "ws://a", "--break", "split=0"], "1 到 65536 字节"),
        (&["encode", "--length", "x"], "不是 200 或 0xc8 这样的数"),
        (&["encode", "--opcode", "16"], "操作码是 0 到 15"),
        (&["encode", "--length-form", "8"], "长度占 7、16 或 64 位"),
        (&["compare", "--mtu", "x"], "要一个字节数"),
        (&["compare", "--tls-record", "999"], "要 0 到 255 之间的数"),
        (&["compare", "--interval", "x"], "要一个数，或带单位的数"),
        (&["decode", "--lang", "fr", "81"], "要写 en 或 zh"),
    ] {
        refused(args, said);
    }
}

/// Refusals of `compare`: what is asked of the formulas, of captures and of a live run.
#[test]
fn what_compare_refuses_is_said_in_chinese() {
    let head = |name: &str, text: &str| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("head-{name}"));
        std::fs::write(&path, text).expect("it is written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let empty = head("empty", "\n");
    let no_colon = head("no-colon", "GET / HTTP/1.1\nnonsense");
    let no_request = head("no-request", "Host: a");
    let no_status = head("no-status", "GET / HTTP/1.1\nHost: a\n\nbody");
    let bad_name = head("bad-name", "GET / HTTP/1.1\nna me: a\n");
    let bad_value = head("bad-value", "GET / HTTP/1.1\nname: \u{1}\n");
    for (args, said) in [
        (&["--rate", "0"][..], "--rate 必须大于 0，最大 100000"),
        (&["--interval", "0"], "--interval 必须大于 0，最大 1000000000 ms"),
        (&["--delay", "-1"], "--delay 不能是负数"),
        (&["--delay", "4000000"], "--delay 的 4000000 ms 不短于"),
        (&["--payload", "1G"], "--payload 最多"),
        (&["--rate", "100000", "--interval", "60s"], "一百万条"),
        (&["--heartbeat", "-1"], "0 表示没有心跳"),
        (&["--keep-alive", "-1"], "不能是负数"),
        (&["--ack-delay", "600"], "§3.8.6.3"),
        (&["--mtu", "100"], "65535 字节之间"),
        (&["--cookies", "2M"], "1048576 字节"),
        (&["--simulate", "--loss", "60"], "百分数"),
        (&["--simulate", "--jitter", "-1"], "--jitter 不能是负数"),
        (&["--sweep", "colour", "1..2"], "要 rate、"),
        (&["--sweep", "rate", "1-2"], "要一个范围"),
        (&["--sweep", "rate", "5..2"], "0 < FROM < TO"),
        (&["--sweep", "rate", "x..2"], "`x` 不行：要一个数"),
        (&["--sweep", "delay", "1ms..2x"], "`2x` 不行：要一个数，或带单位"),
        (&["--sweep", "rate", "1..1000000"], "--sweep：--rate 必须大于 0"),
        (&["--chart", "picture.bmp"], ".svg 或 .png 结尾"),
        (&["--chart", "/no/such/folder/x.svg"], "没有这个文件或文件夹"),
        (&["--request-headers", "/no/such/file"], "没有这个文件或文件夹"),
        (&["--request-headers", &empty], "要一个请求行和头字段"),
        (&["--request-headers", &no_colon], "第 2 行：头字段要有冒号"),
        (&["--request-headers", &no_request], "第 1 行：要一个请求行"),
        (&["--request-headers", &no_status], "空行之后要一个状态行"),
        (&["--live", "--request-headers", &bad_name], "这不是头字段的名称"),
        (&["--live", "--request-headers", &bad_value], "不能有控制字符"),
        (&["--live", "--duration", "0.1"], "分给 3 次测量"),
        (&["--live", "--interval", "5000"], "会看不到短轮询"),
        (&["--live", "--interval", "1"], "至少 5 ms"),
        (&["--live", "--clients", "20000"], "--clients 最多 10000"),
        (&["--live", "--payload", "0"], "字节之间"),
        (&["--live", "--clients", "10000", "--rate", "1000"], "100000 条消息"),
        (&["--live", "--clients", "1000", "--rate", "50", "--payload", "10000"], "一亿字节"),
        (&["/no/such/file"], "没有这个文件或文件夹"),
        (&["samples"], "请写出其中的抓包文件"),
        (&["samples/rfc6455/5.7-ping.hex"], "这不是抓包文件"),
        (&["samples/chromium.pcap"], "没有轮询"),
    ] {
        refused(&[&["compare"], args].concat(), said);
    }
}

/// The reference of the script language is the same in both languages: what is typed stands in both, in
/// the same order, and nothing else of it in one of them.
#[test]
fn the_script_language_is_explained_in_chinese() {
    let (zh, en) = (wstool(&["encode", "--script-help"]), wstool_in("en", &["encode", "--script-help"]));
    assert!(zh.starts_with("# 对话脚本\n"), "{zh}");
    for line in zh.lines().filter(|line| !line.starts_with("    ")) {
        assert!(line.width() <= 80 && sentences(line).is_empty(), "{line}");
    }
    let typed = |page: &str| -> Vec<String> {
        let code = page.lines().filter_map(|line| line.strip_prefix("    "));
        // What is said of it stands behind two spaces, or is a comment.
        let code = code.filter(|line| !line.starts_with([' ', '#']));
        code.map(|line| match line.split_once("   ") {
            Some((typed, said)) if !said.contains("PAYLOAD") => typed.to_owned(),
            _ => line.to_owned(),
        })
        .collect()
    };
    assert_eq!(typed(&zh), typed(&en));
}

/// Errors of scripts, each in a file of one line.
#[test]
fn what_is_wrong_with_a_script_is_said_in_chinese() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wrong.script");
    let path = path.to_str().expect("UTF-8");
    for (script, said) in [
        ("sing", "1:1：一行以 connection"),
        ("client sing", "1:8：端点发送的是 text、binary"),
        ("client", "1:1：这一行没写完；后面要写 text"),
        ("fin", "后面要写 client 或 server"),
        ("fin both", "1:5：要写 client 或 server"),
        ("wait", "后面要写时间"),
        ("wait 5", "1:6：时间写成数加单位"),
        ("connection client=here", "这里要写地址和端口"),
        ("connection client=[::1]:5 server=10.0.0.1:80", "同为 IPv4"),
        ("client text \"a", "没有配对"),
        ("client text \"a\\q\"", "不认识的转义"),
        ("client text \"a\\x4\"", "两位十六进制数字"),
        ("client text a\"b\"", "要有一个空格"),
        ("client text \"a\" mask=red", "8 位十六进制数字的掩码键"),
        ("client text \"a\" fragment=0", "至少要 1"),
        ("client text \"a\" opcode=16", "要在 0 到 15 之间"),
        ("client text \"a\" opcode=x", "这不是数"),
        ("client text \"a\" length-form=8", "length-form 是 7、16 或 64"),
        ("client text \"a\" colour=red", "不认识 `colour=`"),
        ("request path=\"\\xff\"", "这里必须是 UTF-8"),
        ("fin client\nclient text \"a\"", "2:1：客户端不能再发送了：见第 1 行"),
    ] {
        std::fs::write(path, script).expect("it is written");
        refused(&["encode", "--script", path], said);
    }
}

/// One line that says so, without English sentences, and exit code 2.
fn refused(args: &[&str], said: &str) {
    let output = run_in("zh", args);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(text.starts_with("错误：") && text.contains(said), "{args:?}: {text}");
    assert_eq!((output.status.code(), text.lines().count()), (Some(2), 1), "{args:?}: {text}");
    assert_eq!(sentences(text.trim_end()), Vec::<String>::new(), "{args:?}: {text}");
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
            let is_name = NAMES.contains(&english.as_str());
            assert!(is_name || wire.contains(&english), "{what}: `{english}` in\n{line}");
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
        Wants { fields: true, payload: u64::MAX, app: true, causes: false, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        // What a browser gives as its reason.
        for finding in unit.findings.iter().filter(|it| it.rule.id == "browser-reports-failure") {
            self.heard(finding.got.to_string().as_bytes());
        }
        match unit.body {
            Body::Meta(meta) => {
                let by = meta.account.as_ref().map(|account| account.by.as_str());
                self.heard(by.unwrap_or_default().as_bytes());
            }
            Body::Http(head) => {
                self.heard(head.bytes);
                self.heard(head.body);
                self.heard(&Codings::of_head(head).plain(head.body, 1 << 20).bytes);
            }
            Body::Frame(frame) => self.heard(frame.payload),
            Body::Message(message) => self.heard(message.payload),
            Body::Packet(packet) => self.heard(packet.payload),
            Body::Opening(opening) => self.heard(opening.bytes),
            _ => {}
        }
        ON
    }
}

/// What stands in Chinese lines as it is, or begins so: products, settings and commands, and names that
/// protocols give to what is not text on the wire.
const NAMES: &[&str] = &[
    // What Chromium says, over two lines.
    "before receiving handshake response",
    "closed before receiving handshake response",
    "AWS API",
    "Action Cable",
    "Apache httpd",
    "CALL com",
    "HELLO realm",
    "Home Assistant API",
    "INVOCATION com",
    "Pusher Channels",
    "Switching Protocols",
    "WebSocket URI",
    "disconnect unauthorized",
    "error room",
    "ff ff",
    "header Connection",
    "Google Cloud",
    "header Upgrade",
    "message chat body",
    "new WebSocket",
    "not authorized",
    "open xmlns",
    "query hello",
    "subscription AdminChannel",
    "subscription ChatChannel",
    "subscription price",
    "timeout tunnel",
    "typing news",
    "unmatched topic",
    "user socket",
    "wstool accept",
    "wstool explain",
    "wstool proxy",
    "TLS hello",
    // The reason phrase of 407, with which a proxy answers.
    "Authentication Required",
];

/// Runs of two words and more of a line, but for what stands in quotation marks.
fn phrases(text: &str) -> Vec<String> {
    let mut is_quoted = false;
    let said = text.chars().map(|c| {
        is_quoted = c == '“' || is_quoted && c != '”';
        if is_quoted { '”' } else { c }
    });
    let said: String = said.collect();
    let is_other = |c: char| !c.is_ascii_alphabetic() && c != ' ';
    let runs = said.split(is_other).map(|run| run.split(' ').filter(|word| word.len() > 1));
    runs.filter(|words| words.clone().count() > 1).map(|words| words.collect::<Vec<_>>().join(" ")).collect()
}

/// All that is told of causes and of how connections ended, in Chinese: no two words of it are English,
/// unless they are names, or what a peer said.
#[test]
fn causes_and_ends_are_told_in_chinese() {
    assert_eq!(phrases("被 one client 用 1011“db pool”关闭，wait for it：x"), ["one client", "wait for it"]);
    let causes = VIEWS.iter().find(|view| view.name == "causes").expect("there is such a view");
    let mut wrong = BTreeSet::new();
    for sample in samples().into_iter().chain(shelf::incidents()) {
        let mut wire = Wire::default();
        sample.play(&mut wire);
        let Shown { what, text } = shown(causes, &sample);
        // The first line is the sample's name.
        for phrase in phrases(text.split_once('\n').map_or("", |(_, rest)| rest)) {
            let is_name = NAMES.iter().any(|name| phrase.starts_with(name));
            if !is_name && !wire.0.contains(&phrase) {
                wrong.insert(format!("`{phrase}` in {what}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
