//! A recorded answer beside a live one.

use crate::model::Text;
use crate::model::Verdict;
use crate::model::film::{Comparison, Film, Row, Speech};

/// Puts the answers of two films side by side.
pub fn compare(recorded: &Film, live: &Film) -> Comparison {
    let mut rows = Vec::new();
    let start = |speech: &Option<Speech>| speech.as_ref().map(|s| (s.start_line.clone(), s.start_verdict));
    rows.push(row(String::new(), start(&recorded.response), start(&live.response)));
    let mut left: Vec<Cell> = cells(live.response.as_ref());
    for cell in cells(recorded.response.as_ref()) {
        let found = left.iter().position(|other| other.name.eq_ignore_ascii_case(&cell.name));
        let other = found.map(|at| left.remove(at));
        let live = other.map(|other| (other.value, other.verdict));
        rows.push(row(cell.name, Some((cell.value, cell.verdict)), live));
    }
    rows.extend(left.into_iter().map(|cell| row(cell.name, None, Some((cell.value, cell.verdict)))));
    Comparison { rows, recorded: recorded.ruling.state, live: live.ruling.state }
}

struct Cell {
    name: String,
    value: String,
    verdict: Verdict,
}

fn cells(speech: Option<&Speech>) -> Vec<Cell> {
    let lines = speech.map_or(&[][..], |speech| &speech.lines);
    lines
        .iter()
        .map(|line| Cell {
            name: line.header.name.to_string(),
            value: line.header.value.to_string(),
            verdict: line.header.verdict,
        })
        .collect()
}

fn row(name: String, recorded: Option<(String, Verdict)>, live: Option<(String, Verdict)>) -> Row {
    let note = match (&recorded, &live) {
        (None, None) => Text::default(),
        (Some(_), None) => Text::new("recorded only"),
        (None, Some(_)) => Text::new("live only"),
        (Some((then, _)), Some((now, _))) if then == now => Text::default(),
        (Some((_, Verdict::Ok)), Some((_, Verdict::Ok)))
            if name.eq_ignore_ascii_case("Sec-WebSocket-Accept") =>
        {
            Text::new("each answers its own key")
        }
        (Some((then, _)), Some((now, _))) if then.eq_ignore_ascii_case(now) => {
            Text::new("differs in upper and lower case only")
        }
        (Some((_, then)), Some((_, now))) if is_bad(*then) != is_bad(*now) => {
            Text::new("differs, and so does the verdict")
        }
        _ => Text::new("differs"),
    };
    Row { name, recorded, live, note }
}

fn is_bad(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Broken | Verdict::Warning)
}
