//! What a case would send, byte by byte, and what may come: nothing is played.

use std::fmt::Write as _;

use crate::model::Text;
use crate::model::grade::Plan;
use crate::render::{Options, columns};

/// Bytes of a line.
const BYTES: usize = 16;

/// Lines of bytes before the rest is left out.
const LINES: usize = 4;

/// Columns of text.
const WIDTH: usize = 80;

/// A case as it would be played. With `whole` the opening handshake is shown where it is as usual, too.
pub fn planned(plan: &Plan, whole: bool, options: &Options) -> String {
    let lang = options.lang;
    let facts = &plan.case;
    let mut out = String::new();
    let number = facts.autobahn.as_ref().map(|number| format!("  Autobahn {number}")).unwrap_or_default();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}{number}  {}  {}", facts.id, facts.level.name(), facts.cites.join(", "));
    for line in columns::lines(facts.title.in_(lang), WIDTH) {
        let _ = writeln!(out, "{line}");
    }
    if plan.is_usual && !whole {
        let _ = writeln!(out, "  → {}", lang.words("the opening handshake, as usual"));
    } else {
        let head = String::from_utf8_lossy(&plan.head);
        for (at, line) in head.trim_end().lines().enumerate() {
            let _ = writeln!(out, "  {} {}", if at == 0 { "→" } else { " " }, columns::escaped(line));
        }
    }
    for step in &plan.steps {
        let _ = writeln!(out, "  → {}", columns::escaped(&step.said));
        for (at, line) in step.bytes.chunks(BYTES).take(LINES).enumerate() {
            let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
            let is_last = at + 1 == step.bytes.chunks(BYTES).len().min(LINES);
            let more = step.length > (BYTES * LINES) as u64;
            let count = match (is_last, more) {
                (true, true) => lang.say(&Text::with("… {} bytes", step.length)).into_owned(),
                (true, false) => lang.say(&Text::with("{} bytes", step.length)).into_owned(),
                _ => String::new(),
            };
            let hex = hex.join(" ");
            let _ =
                writeln!(out, "{}", format!("      {}  {count}", columns::left(&hex, 3 * BYTES)).trim_end());
        }
    }
    for (sign, sequences) in [("←", &plan.expected), ("(←)", &plan.lenient)] {
        for (nth, sequence) in sequences.iter().enumerate() {
            let lines = sequence.lines().map(str::trim).filter(|line| !line.is_empty());
            for (at, line) in lines.enumerate() {
                let or = if nth > 0 && at == 0 { lang.words("or") } else { "" };
                let _ = writeln!(out, "  {sign} {}{}{line}", or, if or.is_empty() { "" } else { " " });
            }
        }
    }
    let _ = writeln!(out, "  {}\n", lang.say(&plan.ends));
    super::plain(out, options)
}
