//! What `CONTRIBUTING.md` and `docs/architecture.md` name is there: files, tests, functions.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// What stands in backticks on one line.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Whether it is meant as a path of the repository; one with a placeholder in capitals is not.
fn is_path(word: &str) -> bool {
    let begins = ["src/", "tests/", "docs/", "samples/", "lessons/", "fuzz/", ".ci/"];
    begins.iter().any(|begin| word.starts_with(begin)) && !word.contains([' ', '*']) && !word.contains("/ID.")
}

/// All Rust files of a folder, or the one file.
fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    entries.flatten().flat_map(|entry| sources(&entry.path())).filter(|path| is_rust(path)).collect()
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "rs")
}

/// Whether a function of this name is declared in a file, or in one of a folder.
fn declares(path: &str, name: &str) -> bool {
    let begins = [format!("fn {name}("), format!("fn {name}<")];
    sources(&root().join(path)).iter().any(|file| {
        let code = fs::read_to_string(file).expect("a source is text");
        begins.iter().any(|begin| code.contains(begin))
    })
}

#[test]
fn named_files_are_there() {
    for page in ["CONTRIBUTING.md", "docs/architecture.md"] {
        let text = read(page);
        let paths: Vec<&str> = quoted(&text).filter(|word| is_path(word)).collect();
        assert!(paths.len() > 15, "{page} names files in backticks: {paths:?}");
        for path in paths {
            assert!(root().join(path).exists(), "{page}: {path} is not there");
        }
    }
}

/// `cargo test --test PROGRAM FILTER`: there is such a program, and something in it that is chosen.
#[test]
fn named_tests_run_something() {
    let text = read("CONTRIBUTING.md");
    let commands: Vec<Vec<&str>> = text
        .lines()
        .flat_map(|line| line.split('`').map(str::trim))
        .filter_map(|line| line.split_once("cargo test ").map(|(_, rest)| rest))
        .map(|rest| rest.split_whitespace().take_while(|word| *word != "#" && *word != "--").collect())
        .collect();
    assert!(commands.len() > 12, "{commands:?}");
    for words in commands {
        let programs: Vec<&str> =
            words.windows(2).filter(|pair| pair[0] == "--test").map(|pair| pair[1]).collect();
        for program in &programs {
            assert!(read(&format!("tests/{program}/main.rs")).contains("mod "), "{program}");
        }
        if let ([program], Some(filter)) = (&programs[..], words.get(2)) {
            let files = sources(&root().join("tests").join(program));
            let is_module = files.iter().any(|file| file.ends_with(format!("{filter}.rs")));
            let is_named = declares(&format!("tests/{program}"), filter);
            assert!(is_module || is_named, "no test of {program} is chosen by `{filter}`");
        }
    }
}

/// The tables of `docs/architecture.md`, and what its text says to be `in` a file.
#[test]
fn the_way_of_a_byte_is_true() {
    let text = read("docs/architecture.md");
    let mut count = 0;
    for row in text.lines().filter(|line| line.starts_with("| `")) {
        let [_, functions, file, ..] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let file = quoted(file).next().unwrap_or_else(|| panic!("which file? {row}"));
        for name in quoted(functions) {
            count += 1;
            assert!(declares(file, name), "there is no function `{name}` in {file}");
        }
    }
    assert!(count > 20, "{count} functions");
    let prose = text.replace('\n', " ");
    for (before, after) in prose.match_indices("` in `src/").map(|(at, _)| prose.split_at(at)) {
        let name = before.rsplit('`').next().expect("a name in backticks");
        let file = after.split('`').nth(2).expect("a file in backticks");
        assert!(declares(file, name), "there is no function `{name}` in {file}");
    }
}
