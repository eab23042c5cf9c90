//! Tests that measure their process: they run again in a process of their own, where no other test takes
//! memory, and none that was given back hides what is taken next.

use std::fs;
use std::process::{Child, Command, Stdio};

/// Set in the process that measures; says what.
const WHICH: &str = "WSTOOL_TEST_ALONE";

/// What is to be measured, if this is the process for it.
pub fn which() -> Option<String> {
    std::env::var(WHICH).ok()
}

/// Runs a test, which goes by its path, once more and alone; there [`which`] is what is given.
///
/// # Panics
/// When the test cannot be started.
pub fn start(test: &str, which: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("the test itself"));
    command.args([test, "--exact", "--nocapture"]).env(WHICH, which);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the test runs")
}

/// What a test in a process of its own says.
///
/// # Panics
/// When it fails, or did not run.
pub fn said(child: Child, name: &str) -> String {
    let output = child.wait_with_output().expect("the test ends");
    let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}: {said}");
    assert!(out.contains("1 passed"), "{name} did not run: {out}");
    said.into_owned()
}

/// Peak resident set of this process, in bytes.
///
/// # Panics
/// Where there is no `/proc`.
pub fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux has it");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<usize>().ok()).expect("a number") * 1024
}

/// Sets the peak back to what is resident now.
pub fn forget_peak() {
    // Where this is not allowed the peak only ever grows, and the test is the stricter for it.
    let _ = fs::write("/proc/self/clear_refs", "5");
}
