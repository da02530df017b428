#!/usr/bin/env bash
# sd-notify 0.5.0: a NOTIFY_SOCKET with an abstract name, written with a leading `@` as sd_notify(3) has it, is connected to as if it
# were a path. The message is not sent, and the error is ENOENT. A socket with a path gets it.
#
# Seen: `path: Ok(()), abstract: Err(NotFound)`.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "look"
version = "0.0.0"
edition = "2021"
[dependencies]
sd-notify = "=0.5.0"
TOML
cat > src/main.rs <<'RUST'
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

fn main() {
    let told = |name: &str| {
        std::env::set_var("NOTIFY_SOCKET", name);
        sd_notify::notify(&[sd_notify::NotifyState::Ready]).map_err(|error| error.kind())
    };
    let name = format!("look-{}", std::process::id());
    let path = std::env::current_dir().unwrap().join("socket");
    let _by_path = UnixDatagram::bind(&path).unwrap();
    let _by_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let (by_path, by_name) = (told(path.to_str().unwrap()), told(&format!("@{name}")));
    println!("path: {by_path:?}, abstract: {by_name:?}");
    assert!(by_path.is_ok() && by_name == Err(std::io::ErrorKind::NotFound));
}
RUST
CARGO_TARGET_DIR="$dir/target" cargo run --quiet
