//! The commands of the README and of `docs/` do what they are said to do.
//!
//! A `console` block has commands after `$ `, each followed by what it prints. A
//! line `...` stands for any lines, `…` for anything within a line, or nothing.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shown;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// In a folder that is not the clone: samples are in the tool.
#[test]
fn commands_print_what_the_page_says() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("a place to work in");
    // A learner who has not begun.
    let _ = fs::remove_dir_all(learner());
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("pages are UTF-8");
        for Example { line, command, expected } in examples(&text) {
            let at = format!("{}:{line}: {command}", page.display());
            // The tests do not run themselves.
            let Some(command) = runnable(&command) else { continue };
            let got = run(&command, &place);
            assert!(matches(&expected, &got.lines().collect::<Vec<_>>()), "{at}\nprints\n{got}");
            count += 1;
        }
    }
    assert!(count >= 9, "only {count} commands found");
}

/// The first two commands are for a fresh clone.
#[test]
fn the_readme_begins_with_the_two_commands() {
    let text = fs::read_to_string(Path::new(ROOT).join("README.md")).expect("a README");
    let commands: Vec<_> = examples(&text).into_iter().map(|example| example.command).take(2).collect();
    assert_eq!(commands, ["cargo run --release -- decode samples/chat.pcap", "cargo test"]);
}

/// The Rust that the README asks for is the one that Cargo.toml asks for.
#[test]
fn the_oldest_rust_is_told() {
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).expect("a manifest");
    let wanted = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).expect("a version");
    let text = fs::read_to_string(Path::new(ROOT).join("README.md")).expect("a README");
    let told = format!("(Rust {} or later)", wanted.trim_matches('"'));
    assert!(text.contains(&told), "the README does not say {told}");
}

/// Every option that a page names is one that the command has.
#[test]
fn options_named_on_pages_exist() {
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("pages are UTF-8");
        for (number, line) in text.lines().enumerate() {
            let Some(command) =
                line.split_once("wstool ").filter(|(before, _)| is_prompt(before)).map(|(_, rest)| rest)
            else {
                continue;
            };
            // In a sentence the command ends with its quotes.
            let quoted = line.split_once("wstool ").is_some_and(|(before, _)| before.ends_with('`'));
            let command = if quoted { command.split('`').next().unwrap_or(command) } else { command };
            let mut words =
                command.split_whitespace().take_while(|word| !matches!(*word, "|" | ">" | "&&")).peekable();
            let is_name = |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase());
            let Some(name) = words.next().filter(is_name) else { continue };
            // `wstool lesson answer` has options of its own.
            let second = words.next_if(is_name).unwrap_or_default();
            let help = run(&format!("wstool {name} {second} --help"), Path::new(ROOT));
            let options = words.filter(|word| word.starts_with("--") && word.len() > 2);
            for option in
                options.map(|option| option.split(['=', '`', ',', ')', ';']).next().unwrap_or(option))
            {
                let at = format!("{}:{}: {name} {option}", page.display(), number + 1);
                assert!(help.contains(option), "{at} does not exist:\n{help}");
                count += 1;
            }
        }
    }
    assert!(count >= 20, "only {count} options found");
}

/// What carries bytes is the tool: netcat is called otherwise on each system, and knows other options.
#[test]
fn no_command_needs_netcat() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("pages are UTF-8");
        let words = text.split(|c: char| c.is_whitespace() || c == '`');
        let named = words.filter(|word| matches!(*word, "nc" | "ncat" | "netcat" | "socat")).count();
        assert_eq!(named, 0, "{}", page.display());
    }
}

/// Links between the pages lead somewhere.
#[test]
fn links_lead_to_files() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("pages are UTF-8");
        let folder = page.parent().expect("pages are in a folder");
        // `a[0](b)` in code is no link.
        let is_code = |at: usize| {
            let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
            !text[line..at].matches('`').count().is_multiple_of(2)
        };
        for (at, _) in text.match_indices("](").filter(|(at, _)| !is_code(*at)) {
            let target = text[at + 2..].split([')', '#']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") {
                assert!(folder.join(target).exists(), "{}: {target} does not exist", page.display());
            }
        }
    }
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    let docs = fs::read_dir(root.join("docs")).expect("docs/ can be listed").flatten().map(|e| e.path());
    let mut pages: Vec<_> = docs.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    pages.extend([root.join("README.md"), root.join("samples/README.md"), root.join("lessons/README.md")]);
    let lessons = fs::read_dir(root.join("lessons")).expect("lessons/ can be listed").flatten();
    pages.extend(lessons.flat_map(|lesson| ["en.md", "zh.md"].map(|page| lesson.path().join(page))));
    pages.retain(|page| page.exists());
    pages.sort();
    pages
}

/// A command and what it prints.
struct Example {
    line: usize,
    command: String,
    expected: Vec<String>,
}

fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for (number, line) in page.lines().enumerate() {
        match line.strip_prefix("$ ") {
            _ if line.starts_with("```") => inside = line == "```console",
            Some(command) if inside => {
                let (line, command) = (number + 1, command.to_owned());
                examples.push(Example { line, command, expected: Vec::new() });
            }
            _ if inside => {
                let example = examples.last_mut().expect("a console block begins with a command");
                example.expected.push(line.to_owned());
            }
            _ => {}
        }
    }
    examples
}

/// The command as it can be run here: with the binary under test.
fn runnable(command: &str) -> Option<String> {
    match command.strip_prefix("cargo run --release -- ") {
        Some(arguments) => Some(format!("wstool {arguments}")),
        None => (!command.starts_with("cargo ")).then(|| command.to_owned()),
    }
}

/// What a command prints, on either stream.
fn run(command: &str, place: &Path) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_wstool"));
    let folder = binary.parent().expect("it is in a folder").display();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", &format!("{{ {command}\n}} 2>&1")])
        .current_dir(place)
        .env("PATH", format!("{folder}:{path}"))
        .env("LC_ALL", "C.UTF-8")
        .env("WSTOOL_DATA", learner())
        .output()
        .expect("there is a shell");
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

fn learner() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme-learner")
}

/// Whether what stands before a command is only its prompt or indentation.
fn is_prompt(before: &str) -> bool {
    before.trim().trim_start_matches(['`', '$']).trim().is_empty()
        || before.ends_with("| ")
        || before.ends_with('`')
}

fn matches(expected: &[String], got: &[&str]) -> bool {
    match expected {
        [] => got.is_empty(),
        [any, rest @ ..] if any == "..." => (0..=got.len()).any(|skip| matches(rest, &got[skip..])),
        [line, rest @ ..] => {
            got.split_first().is_some_and(|(first, others)| shown::fits(line, first) && matches(rest, others))
        }
    }
}
