//! How the sources are set: lines that rustfmt can keep, and tests in few programs.

use std::fs;
use std::path::{Path, PathBuf};

/// As in `rustfmt.toml`.
const COLUMNS: usize = 110;

/// Every Rust file of the project, from its root.
fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![PathBuf::from("build.rs")];
    let mut folders: Vec<PathBuf> =
        ["src", "tests", "benches", "examples", "fuzz"].into_iter().map(PathBuf::from).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).into_iter().flatten().flatten() {
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a source is text")
}

/// rustfmt says nothing when a literal or a comment is too long for it: it leaves the expression as it is.
#[test]
fn no_line_is_too_long_for_rustfmt() {
    assert!(read(Path::new("rustfmt.toml")).contains(&format!("max_width = {COLUMNS}")));
    let mut long = Vec::new();
    for path in sources() {
        for (line, number) in read(&path).lines().zip(1..) {
            let columns = line.chars().count();
            if columns > COLUMNS {
                long.push(format!("{}:{number}: {columns} columns", path.display()));
            }
        }
    }
    let advice = "break the literal with `\\`, or the comment";
    assert!(long.is_empty(), "at most {COLUMNS} columns a line: {advice}:\n{}", long.join("\n"));
}

/// Each file right in `tests/` would be one more program to link after every change.
#[test]
fn tests_are_modules_of_few_programs() {
    let programs: Vec<PathBuf> = sources().into_iter().filter(|path| path.starts_with("tests")).collect();
    let stray: Vec<_> = programs.iter().filter(|path| path.components().count() == 2).collect();
    assert!(stray.is_empty(), "{stray:?}: make it a module of one of tests/*/main.rs");
    let programs = programs.iter().filter(|path| path.ends_with("main.rs")).count();
    assert!(programs <= 6, "{programs} programs of tests: six are enough");
}

/// Every file beside a `main.rs` is one of its modules: what is not named there never runs.
#[test]
fn no_test_is_left_out() {
    for program in sources().iter().filter(|path| path.starts_with("tests") && path.ends_with("main.rs")) {
        let main = read(program);
        for path in sources().iter().filter(|path| path.parent() == program.parent() && *path != program) {
            let module = path.file_stem().expect("a file has a name").to_string_lossy();
            assert!(main.contains(&format!("mod {module};")), "{} does not name {module}", program.display());
        }
    }
}
