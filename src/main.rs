//! The `wstool` binary: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    wstool::cli::main()
}
