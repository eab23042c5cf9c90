//! Functions take values with a meaning, not trains of parameters.

use std::fmt::Write as _;

use crate::layering::sources;

/// Parameters from which a function has a train of them, `self` counted.
const TRAIN: usize = 6;

/// Functions that still have one. The number may only fall; when a few are gone it has to.
const TRAINS: usize = 80;

/// How many may go before the number is lowered.
const FEW: usize = 8;

/// The names of functions in `code`, each with its line and how many parameters it has.
fn functions(code: &str) -> Vec<(usize, &str, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let is_word = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = &code[at + 3..];
        let name = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).map_or("", |end| &rest[..end]);
        if !is_word || name.is_empty() {
            continue;
        }
        let Some(parameters) = parameters(&rest[name.len()..]) else { continue };
        let line = code[..at].matches('\n').count() + 1;
        found.push((line, name, parameters));
    }
    found
}

/// How many parameters stand in the first parentheses of `rest`, behind what is generic.
fn parameters(rest: &str) -> Option<usize> {
    let (mut depth, mut angles, mut count, mut is_begun) = (0_usize, 0_usize, 0, false);
    let mut before = ' ';
    for c in rest.chars() {
        match c {
            // An arrow closes nothing.
            '>' if before == '-' || before == '=' => {}
            '<' => angles += 1,
            '>' => angles = angles.saturating_sub(1),
            '(' if depth == 0 && angles > 0 => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {}
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(count + usize::from(is_begun));
                }
            }
            ',' if depth == 1 && angles == 0 => {
                count += usize::from(is_begun);
                is_begun = false;
            }
            _ if depth > 0 && !c.is_whitespace() => is_begun = true,
            _ => {}
        }
        before = c;
    }
    None
}

#[test]
fn parameters_are_values_not_trains() {
    let mut trains = String::new();
    let mut count = 0;
    for file in sources().iter().filter(|file| file.is_shipped()) {
        for (line, name, parameters) in functions(file.code_before_tests()) {
            if parameters >= TRAIN {
                count += 1;
                let _ = writeln!(trains, "src/{}:{line}: {name} has {parameters}", file.path);
            }
        }
    }
    assert!(count <= TRAINS, "{count} functions have {TRAIN} parameters and more, not {TRAINS}:\n{trains}");
    assert!(count + FEW > TRAINS, "{count} are left: lower TRAINS, so that it stays so");
}

#[test]
fn parameters_are_counted() {
    let code = "fn none() {}\nfn two(&self, it: impl Fn(u8, u8) -> Vec<(u8, u8)>) -> u8 {}\n\
                pub fn three<'a, T: Into<Vec<u8>>>(a: HashMap<u8, u8>, (b, c): (u8, u8), d: [T; 2],) {}\n\
                const F: fn(u8) -> u8 = f;";
    let found = functions(code);
    assert_eq!(found, [(1, "none", 0), (2, "two", 2), (3, "three", 3)]);
}
