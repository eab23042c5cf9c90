//! `wstool wstest`: the old command line of the Autobahn testsuite, as far as it grades.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Parser as _;

use super::{autobahn, note};
use crate::cli::Look;
use crate::cli::trouble::of_file;
use crate::grade::autobahn::Config;
use crate::grade::load::suite;
use crate::model::Text;

/// Grade as the Autobahn testsuite's wstest does
#[derive(clap::Args)]
pub struct Args {
    /// What to do: fuzzingserver grades clients, fuzzingclient servers
    #[arg(short, long)]
    mode: String,

    /// The configuration file; by default fuzzingserver.json or fuzzingclient.json, made if it is not there
    #[arg(short, long, value_name = "FILE")]
    spec: Option<PathBuf>,

    /// The server that is graded, where the file names none
    #[arg(short, long, value_name = "URL")]
    wsuri: Option<String>,

    /// Where the testsuite shows a page; here it is where clients come to
    #[arg(short = 'u', long = "webport", value_name = "PORT")]
    _webport: Option<u16>,

    /// The certificate for wss, in PEM
    #[arg(short, long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// Its key, in PEM
    #[arg(short, long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// The server may be tested although it is not on this machine
    #[arg(long)]
    i_may: bool,

    /// Is taken, and does nothing
    #[arg(short = 'd', long = "debug")]
    _debug: bool,
}

/// The arguments of `wstool grade`, as they are by default.
#[derive(clap::Parser)]
struct Defaults {
    #[command(flatten)]
    args: super::Args,
}

/// Grades, and gives the exit code.
///
/// # Errors
/// When the output cannot be written; a broken pipe among them.
pub fn run(args: &Args, look: Look) -> io::Result<u8> {
    super::told(start(args, look), look)
}

fn start(args: &Args, look: Look) -> Result<io::Result<u8>, Text> {
    let (servers, file, otherwise) = match args.mode.as_str() {
        "fuzzingserver" => (false, "fuzzingserver.json", Config::SERVER),
        "fuzzingclient" => (true, "fuzzingclient.json", Config::CLIENT),
        "echoserver" | "testeeserver" | "broadcastserver" => {
            return Err("for an echo or a chat use wstool serve ws".into());
        }
        "echoclient" | "testeeclient" => {
            return Err("for a client that echoes use wstool connect --echo".into());
        }
        mode => {
            return Err(Text::with("there is no mode {}: there are fuzzingserver and fuzzingclient", mode));
        }
    };
    let path = args.spec.clone().unwrap_or_else(|| file.into());
    if args.spec.is_none() && !path.exists() {
        fs::write(&path, otherwise).map_err(|error| of_file(&path, &error))?;
        note(look, &Text::with("{} was made, with what is the default", file));
    }
    let config = autobahn::read(&path, Some(servers), args.wsuri.as_deref().filter(|_| servers))?;
    let mut grade = Defaults::parse_from(["grade"]).args;
    grade.clients.cert.clone_from(&args.cert);
    grade.clients.key.clone_from(&args.key);
    grade.i_may = args.i_may;
    autobahn::grade(&grade, config, suite(), look)
}
