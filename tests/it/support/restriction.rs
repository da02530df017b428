//! What production puts on a user of ClickHouse: rights, a profile, constraints. The engine enforces them.

use std::fmt::Write;
use std::path::Path;

/// What the engine's one user may do and has in its profile.
#[derive(Clone, Debug, Default)]
pub struct Restriction {
    /// `SELECT, INSERT ON polymarket.*`; all where there is none.
    grants: Vec<String>,
    profile: Vec<(String, String)>,
    constraints: Vec<(String, &'static str)>,
}

impl Restriction {
    /// Only these rights.
    pub fn to(grants: &[&str]) -> Self {
        Self { grants: grants.iter().map(|&grant| grant.to_owned()).collect(), ..Self::default() }
    }

    /// These settings in the profile.
    pub fn profile(settings: &[(&str, &str)]) -> Self {
        let profile = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { profile, ..Self::default() }
    }

    /// The same, and they may not be changed.
    pub fn fixed(settings: &[(&str, &str)]) -> Self {
        let constraints = settings.iter().map(|(name, _)| ((*name).to_owned(), "<const/>")).collect();
        Self { constraints, ..Self::profile(settings) }
    }

    /// As the engine reads it from this file: a configuration that names itself as that of users.
    pub fn users(&self, file: &Path) -> String {
        let element = |text: &mut String, name: &str, inside: &str| {
            writeln!(text, "<{name}>{inside}</{name}>").unwrap();
        };
        let (mut profile, mut constraints, mut grants) = (String::new(), String::new(), String::new());
        self.profile.iter().for_each(|(name, value)| element(&mut profile, name, value));
        self.constraints.iter().for_each(|(name, kind)| element(&mut constraints, name, kind));
        element(&mut profile, "constraints", &constraints);
        self.grants.iter().for_each(|grant| element(&mut grants, "query", &format!("GRANT {grant}")));
        let grants = if grants.is_empty() { grants } else { format!("<grants>{grants}</grants>") };
        format!(
            "<clickhouse>\n<users_config>{}</users_config>\n<profiles><default>\n{profile}</default></profiles>\n\
             <users><default><password></password><networks><ip>::/0</ip></networks><profile>default</profile>\
             <quota>default</quota>{grants}</default></users>\n<quotas><default/></quotas>\n</clickhouse>\n",
            file.display()
        )
    }
}
