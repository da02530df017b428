//! Who asks: this process, or another one.

use std::fs;

use crate::control::Caller;

/// Whoever sits at the terminal of this process.
pub(crate) fn here() -> Caller {
    Caller { user: user(rustix::process::geteuid().as_raw()), pid: None, tty: tty() }
}

/// The terminal of this process, if it has one.
pub(crate) fn tty() -> Option<String> {
    let name = rustix::termios::ttyname(rustix::stdio::stdin(), Vec::new()).ok()?;
    Some(name.to_string_lossy().into_owned())
}

/// The name of a user, or its number.
pub(crate) fn user(uid: u32) -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("uid {uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_name_or_a_number() {
        assert_eq!([user(0), user(4_294_967_000)], ["root", "uid 4294967000"]);
    }
}
