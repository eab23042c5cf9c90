//! What a configuration file of the Autobahn testsuite asks for: servers that are graded one behind the
//! other, or clients that come.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::args::Kind;
use super::{Args, listen, note, server};
use crate::cli::Look;
use crate::cli::dial::Url;
use crate::cli::trouble::of_file;
use crate::grade::Case;
use crate::grade::autobahn::{Config, Peers, Server};
use crate::model::{Dir, Text};

/// Reads such a file; see [`Config::read`].
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(path: &Path, servers: Option<bool>, url: Option<&str>) -> Result<Config, Text> {
    let text = fs::read_to_string(path).map_err(|error| of_file(path, &error))?;
    Config::read(&text, servers, url).map_err(|why| Text::with("{}: {}", path.display()).word(why))
}

/// Does what it asks for, and gives the exit code.
///
/// # Errors
/// What is wrong with it, and who cannot be reached.
pub(super) fn grade(
    args: &Args,
    config: Config,
    all: &'static [Case],
    look: Look,
) -> Result<io::Result<u8>, Text> {
    for name in &config.ignored {
        note(look, &Text::with("the option {} changes nothing here", name));
    }
    let mut cases = config.choose(all)?;
    let role = if matches!(config.peers, Peers::Servers(_)) { Dir::Server } else { Dir::Client };
    cases.retain(|case| case.of[role.index()]);
    if cases.is_empty() {
        return Err("the file asks for no case".into());
    }
    let mut args = args.clone();
    args.report.folder(PathBuf::from(&config.outdir));
    match config.peers {
        Peers::Servers(servers) => {
            let ways: Vec<Args> = servers.iter().map(|server| of(&args, server)).collect();
            server::several(&args, &ways, &cases, &config.exclusions, look)
        }
        Peers::Clients { url, tls } => {
            let clients = &mut args.clients;
            let (address, secure) = address(&url)?;
            if secure && clients.cert.is_none() {
                match tls {
                    Some([cert, key]) => (clients.cert, clients.key) = (Some(cert.into()), Some(key.into())),
                    None => clients.tls = true,
                }
            }
            let address = clients.listen.clone().unwrap_or(address);
            listen::grade(&args, &address, cases, config.exclusions, look)
        }
    }
}

/// The arguments with which a server of the file is graded.
fn of(args: &Args, server: &Server) -> Args {
    let mut args = args.clone();
    args.url = Some(server.url.clone());
    // Whether it does is for the cases to say.
    args.endpoint = Some(Kind::Echo);
    args.agent.clone_from(&server.agent);
    args.dial.tls_name.clone_from(&server.hostname);
    if let Some(timeout) = server.timeout {
        args.dial.timeout = timeout;
    }
    if server.origin.is_some() {
        args.dial.origin.clone_from(&server.origin);
    }
    if !server.protocols.is_empty() {
        args.dial.subprotocol = Some(server.protocols.join(", "));
    }
    args
}

/// Where clients come to by a URL, and whether by TLS.
fn address(url: &str) -> Result<(String, bool), Text> {
    let url = Url::parse(url)?;
    // Both of its addresses are meant, and IPv4 is the one that everybody tries.
    let host = if url.host == "localhost" { "127.0.0.1" } else { &url.host };
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    Ok((format!("{host}:{}", url.port), url.secure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_come_to_the_url() {
        for (url, at) in [
            ("ws://127.0.0.1:9001", ("127.0.0.1:9001", false)),
            ("ws://localhost:9001/", ("127.0.0.1:9001", false)),
            ("wss://0.0.0.0", ("0.0.0.0:443", true)),
            ("ws://[::1]:1", ("[::1]:1", false)),
        ] {
            let (address, secure) = address(url).unwrap();
            assert_eq!((&*address, secure), at, "{url}");
        }
    }
}
