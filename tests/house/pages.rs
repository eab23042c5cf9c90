//! Pages in `docs/` that are written from the code.
use std::path::Path;
use std::{env, fs};

/// Asserts that a page, here `docs/rules.md`, is `wanted`; with `UPDATE_DOCS=1` it is written. The tests that
/// hold it are those with `filter` in their names.
pub fn hold(page: &str, wanted: &str, filter: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, wanted).expect("docs/ is writable");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == wanted,
        "{page} is not what the code says; write it with UPDATE_DOCS=1 cargo test --test house {filter}"
    );
}
