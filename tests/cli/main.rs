//! The commands, run as people and scripts run them: what they print, and with which code they end.

#[path = "../peers/mod.rs"]
mod peers;
#[path = "../run/mod.rs"]
mod run;
#[path = "../schema/mod.rs"]
mod schema;
#[path = "../shelf/mod.rs"]
mod shelf;
#[path = "../shown/mod.rs"]
mod shown;

mod chinese;
mod commands;
mod compare;
mod compare_model;
mod completions;
mod compressed;
mod follow;
mod habits;
mod keylog;
mod readme;
mod replay;
mod requests;
mod several;
mod tables;
