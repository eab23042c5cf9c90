//! The decoder, given bytes that are made here: nothing is shown that is not there, nothing breaks it, and it
//! takes no more memory than it may.

#[path = "../midway/mod.rs"]
mod midway;
#[path = "../run/mod.rs"]
mod run;
#[path = "../schema/mod.rs"]
mod schema;
#[path = "../../fuzz/targets.rs"]
mod targets;

#[cfg(target_os = "linux")]
mod alone;
mod budget;
mod crowds;
mod deflate;
mod deflate_differential;
mod foreign;
mod fuzz_smoke;
mod har;
mod http2;
mod known_bugs;
mod memory;
mod midway_generated;
mod peer_vectors;
mod prefixes;
mod rejoined;
mod repeats;
mod splits;
mod statistics;
mod strangers;
mod threads;
mod tls;
mod wire;
