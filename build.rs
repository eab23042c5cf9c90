//! Puts `samples/` into the binary, so that its commands can be tried from any folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=samples");
    if env::var_os("CARGO_FEATURE_CLI").is_none() {
        return Ok(());
    }
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it"));
    let mut files = Vec::new();
    walk(&root, "samples", &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for name in files {
        // As strings of Rust, which may hold what needs to be escaped. Where the package lies is asked
        // of the compiler: what is built here serves a checkout that has moved, too.
        let below = format!("/{name}");
        writeln!(list, r#"    ({name:?}, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), {below:?}))),"#)
            .expect("a string takes it");
    }
    list += "]\n";
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets it"));
    fs::write(out.join("samples.rs"), list)
}

/// The files below a folder, their names from the root on, with slashes. How the captures were recorded
/// stays in the repository.
fn walk(root: &Path, folder: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name =
            entry.file_name().into_string().map_err(|_| io::Error::other("a name that is not UTF-8"))?;
        let name = format!("{folder}/{name}");
        match entry.file_type()?.is_dir() {
            true if name == "samples/record" => {}
            true => walk(root, &name, files)?,
            false => files.push(name),
        }
    }
    Ok(())
}
