//! Packages of Python, in environments of their own in the cache. Whoever comes first makes one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python of an environment with these packages; or why it cannot be had.
pub fn python(environment: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let cache = cache();
    fs::create_dir_all(&cache).unwrap();
    let lock = File::create(cache.join(format!("{environment}.lock"))).unwrap();
    lock.lock().unwrap();
    let dir = cache.join(environment);
    let (python, ready, wanted) = (dir.join("bin/python"), dir.join("ready"), packages.join("\n"));
    if fs::read_to_string(&ready).ok().as_ref() != Some(&wanted) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&dir))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
        fs::write(&ready, wanted).unwrap();
    }
    Ok(python)
}

/// `POLYTAPE_CACHE`, or polytape's place among the caches of this user.
fn cache() -> PathBuf {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = || of("HOME").unwrap_or_else(|| "/tmp".into()).join(".cache");
    of("POLYTAPE_CACHE").unwrap_or_else(|| of("XDG_CACHE_HOME").unwrap_or_else(home).join("polytape"))
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = Path::new(command.get_program()).display().to_string();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    // What pip gives up with is its last line.
    let last = said.lines().rfind(|line| line.starts_with("ERROR")).unwrap_or(said.trim_end());
    if output.status.success() { Ok(()) } else { Err(format!("{program}: {}: {last}", output.status)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_nobody_has_is_told() {
        let error =
            run(Command::new("python3").args(["-c", "raise SystemExit('ERROR: no such package')"])).unwrap_err();
        assert!(error.starts_with("python3: ") && error.ends_with(": ERROR: no such package"), "{error}");
        let error = run(&mut Command::new("/nowhere/python3")).unwrap_err();
        assert!(error.starts_with("/nowhere/python3: "), "{error}");
    }
}
