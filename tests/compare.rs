//! `wstool compare`: the known figures, the page as a whole, and what it refuses.

use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wstool")).arg("compare").args(args).output().expect("the tool starts")
}

fn text(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn presets_print_the_known_figures() {
    insta::assert_snapshot!("quantum-leap", text(&["--preset", "quantum-leap"]));
    insta::assert_snapshot!("fair", text(&["--preset", "fair"]));
}

#[test]
fn the_page_a_reader_sees_first() {
    insta::assert_snapshot!("default", text(&[]));
    insta::assert_snapshot!(
        "both-http2",
        text(&["--direction", "both", "--http2", "--cookies", "500", "--rate", "5"])
    );
    insta::assert_snapshot!("markdown", text(&["--format", "markdown"]));
    insta::assert_snapshot!("csv", text(&["--format", "csv"]));
}

#[test]
fn long_poll_means() {
    for (rate, mean) in [("1", "54.98 ms"), ("5", "72.59 ms")] {
        let page = text(&["--delay", "50", "--rate", rate]);
        let row = page.lines().filter(|line| line.starts_with("  long polling")).nth(2).expect("latency");
        assert!(row.split("  ").any(|cell| cell.trim() == mean), "{row}");
    }
}

#[test]
fn no_page_is_wider_than_80_columns() {
    for args in [
        &[][..],
        &["--direction", "both", "--tls", "--rate", "1000", "--clients", "1000000", "--payload", "100000"],
        &["--direction", "up", "--http2"],
        &["--rate", "0.001", "--interval", "1h"],
        &["--preset", "quantum-leap"],
        &["--preset", "fair"],
    ] {
        for line in text(args).lines() {
            assert!(line.chars().count() <= 80, "{args:?}: {line}");
        }
    }
}

#[test]
fn json_and_csv_hold_the_same_numbers() {
    let json: serde_json::Value = serde_json::from_str(&text(&["--format", "json"])).expect("JSON");
    let csv = text(&["--format", "csv"]);
    let mut lines = csv.lines();
    let keys: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let rows = json["tables"][0]["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 6);
    for (row, line) in rows.iter().zip(lines) {
        // Names are quoted where they have a comma.
        let numbers = line.rsplit(',').take(keys.len() - 1);
        for (key, number) in keys.iter().rev().zip(numbers) {
            assert_eq!(row[key].as_f64(), number.parse().ok(), "{key}");
        }
    }
    for line in text(&["--format", "ndjson"]).lines() {
        let record: serde_json::Value = serde_json::from_str(line).expect("a record a line");
        assert!(record["type"].is_string());
    }
}

#[test]
fn what_cannot_be_is_refused_in_one_line() {
    for args in [
        &["--rate", "-1"][..],
        &["--rate", "0"],
        &["--interval", "0"],
        &["--delay", "-5"],
        &["--delay", "2s", "--duration", "1s"],
        &["--clients", "0"],
        &["--heartbeat", "-1"],
        &["--mtu", "10"],
        &["--request-headers", "/nonexistent/heads"],
    ] {
        let output = run(args);
        let error = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(error.starts_with("error: ") && error.lines().count() == 1, "{args:?}: {error}");
        assert!(output.stdout.is_empty());
    }
}
