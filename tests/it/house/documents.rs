//! What the documents name is there.

use std::fs;
use std::path::Path;

/// Paths in backticks: below `src/` or from the root of the project.
#[test]
fn the_files_that_are_named_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let named: Vec<&str> = text.split('`').skip(1).step_by(2).filter(|name| is_file(name)).collect();
        assert!(named.len() > 10, "{document} names {} files", named.len());
        for name in named {
            let is_there = root.join(name).exists() || root.join("src").join(name).exists();
            assert!(is_there, "{document} names {name}, which is not there");
        }
    }
}

fn is_file(name: &str) -> bool {
    let is_path = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '.' | '-'));
    let has_end = [".rs", ".toml", ".sql", ".md", "/"].iter().any(|end| name.ends_with(end));
    is_path && has_end && name.contains('/') && !name.starts_with(['.', '/'])
}
