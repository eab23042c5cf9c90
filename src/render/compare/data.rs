//! A report for programs: CSV of its tables, or all of it as JSON.

use std::fmt::Write as _;

use crate::model::Text;
use crate::model::report::{Cell, Chart, Report, Table};

/// Names the form of the JSON records.
const SCHEMA: &str = "wstool-compare/1";

/// Every table with its header, an empty line between two. Values are in full, in their base unit.
pub(super) fn csv(report: &Report) -> String {
    let table = |table: &Table| {
        let keys: Vec<&str> = table.columns.iter().map(|column| column.key).collect();
        let mut text = keys.join(",") + "\n";
        for row in &table.rows {
            let cells: Vec<String> = row.iter().map(field).collect();
            text += &(cells.join(",") + "\n");
        }
        text
    };
    report.tables.iter().map(table).collect::<Vec<_>>().join("\n")
}

fn field(cell: &Cell) -> String {
    match cell {
        Cell::Nothing => String::new(),
        // RFC 4180 §2.
        Cell::Text(text) => {
            let text = text.to_string();
            if text.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text
            }
        }
        _ => json(cell),
    }
}

/// One object.
pub(super) fn object(report: &Report) -> String {
    let mut text = format!("{{\"schema\":{},\"kind\":{}", string(SCHEMA), string(report.kind));
    let _ = write!(text, ",\"headline\":{}", strings(&report.headline));
    let tables: Vec<String> = report.tables.iter().map(table).collect();
    let _ = write!(text, ",\"tables\":[{}]", tables.join(","));
    if let Some(chart) = &report.chart {
        let _ = write!(text, ",\"marks\":{}", marks(chart));
    }
    let _ = write!(text, ",\"verdict\":{}", strings(&report.verdict));
    let assumptions: Vec<String> = report
        .assumptions
        .iter()
        .map(|a| format!("{{\"option\":{},\"text\":{}}}", string(a.option), string(&a.text.to_string())))
        .collect();
    let _ = write!(text, ",\"assumptions\":[{}]", assumptions.join(","));
    let _ = writeln!(text, ",\"limits\":{}}}", strings(&report.limits));
    text
}

/// One object a line: `meta`, a `row` for each of every table, then `verdict` and `assumption`.
pub(super) fn lines(report: &Report) -> String {
    let mut text = format!(
        "{{\"type\":\"meta\",\"schema\":{},\"kind\":{},\"headline\":{}}}\n",
        string(SCHEMA),
        string(report.kind),
        strings(&report.headline)
    );
    for table in &report.tables {
        for row in &table.rows {
            let _ =
                writeln!(text, "{{\"type\":\"row\",\"table\":{},{}}}", string(table.id), members(table, row));
        }
    }
    for verdict in &report.verdict {
        let _ = writeln!(text, "{{\"type\":\"verdict\",\"text\":{}}}", string(&verdict.to_string()));
    }
    for a in &report.assumptions {
        let (option, words) = (string(a.option), string(&a.text.to_string()));
        let _ = writeln!(text, "{{\"type\":\"assumption\",\"option\":{option},\"text\":{words}}}");
    }
    text
}

fn table(table: &Table) -> String {
    let rows: Vec<String> = table.rows.iter().map(|row| format!("{{{}}}", members(table, row))).collect();
    format!(
        "{{\"id\":{},\"title\":{},\"rows\":[{}]}}",
        string(table.id),
        string(&table.title.to_string()),
        rows.join(",")
    )
}

fn members(table: &Table, row: &[Cell]) -> String {
    let members: Vec<String> = table
        .columns
        .iter()
        .zip(row)
        .map(|(column, cell)| format!("{}:{}", string(column.key), json(cell)))
        .collect();
    members.join(",")
}

fn marks(chart: &Chart) -> String {
    let marks: Vec<String> = chart
        .marks
        .iter()
        .map(|mark| format!("{{\"x\":{},\"text\":{}}}", mark.x, string(&mark.text.to_string())))
        .collect();
    format!("[{}]", marks.join(","))
}

fn json(cell: &Cell) -> String {
    match cell {
        Cell::Nothing => "null".to_owned(),
        Cell::Text(text) => string(&text.to_string()),
        Cell::Count(value) | Cell::Exact(value) => value.to_string(),
        _ => match cell.number() {
            // Twelve digits: no more are meant, and 0.1 + 0.2 stays 0.3.
            Some(value) if value.is_finite() => {
                let text = format!("{value:.12e}").parse::<f64>().unwrap_or(value);
                text.to_string()
            }
            _ => "null".to_owned(),
        },
    }
}

/// Records are English in every language.
fn strings(texts: &[Text]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| string(&text.to_string())).collect();
    format!("[{}]", texts.join(","))
}

fn string(text: &str) -> String {
    // A string always serialises.
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::Column;

    fn report() -> Report {
        let columns = vec![Column::new("way", ""), Column::new("total_bytes", "total")];
        let rows = vec![vec![Cell::Text("a, \"b\"".into()), Cell::Bytes(0.1 + 0.2)]];
        Report {
            kind: "model",
            tables: vec![Table { id: "ways", title: "t".into(), columns, rows, blocks: Vec::new() }],
            ..Report::default()
        }
    }

    #[test]
    fn csv_quotes_and_keeps_full_values() {
        assert_eq!(csv(&report()), "way,total_bytes\n\"a, \"\"b\"\"\",0.3\n");
    }

    #[test]
    fn json_is_json() {
        let value: serde_json::Value = serde_json::from_str(&object(&report())).unwrap();
        assert_eq!(value["tables"][0]["rows"][0]["total_bytes"], 0.3);
        for line in lines(&report()).lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(record["type"].is_string());
        }
    }
}
