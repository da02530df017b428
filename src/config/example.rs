//! The example: a configuration file in which every key stands with its default and what it is for.

/// `config.example.toml`.
pub const EXAMPLE: &str = include_str!("../../config.example.toml");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use toml::{Table, Value};

    /// `section.key` of every value.
    fn keys(table: &Table, above: &str, into: &mut Vec<String>) {
        for (key, value) in table {
            let path = format!("{above}{key}");
            match value {
                Value::Table(table) => keys(table, &format!("{path}."), into),
                _ => into.push(path),
            }
        }
    }

    fn sorted_keys(table: &Table) -> Vec<String> {
        let mut found = Vec::new();
        keys(table, "", &mut found);
        found.sort();
        found
    }

    #[test]
    fn every_key_stands_there_with_its_default() {
        assert_eq!(toml::from_str::<Config>(EXAMPLE).unwrap(), Config::default());
        let all = sorted_keys(&Table::try_from(Config::default()).unwrap());
        assert_eq!(sorted_keys(&EXAMPLE.parse().unwrap()), all);
        assert!(all.len() > 20, "{all:?}");
    }

    #[test]
    fn every_key_is_explained() {
        for (at, line) in EXAMPLE.lines().enumerate().filter(|(_, line)| line.contains(" = ") && !line.starts_with('#'))
        {
            let before = at.checked_sub(1).and_then(|at| EXAMPLE.lines().nth(at)).unwrap_or_default();
            assert!(before.starts_with('#'), "no word on {line}");
        }
    }
}
