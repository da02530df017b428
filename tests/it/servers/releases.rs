//! The program on ClickHouse of other years: checked, with a probe sent through, and run to the end of a world that it is compared
//! with.

use super::{Setting, assert_none};
use crate::support::clickhouse::Database;
use crate::support::redis::Redis;
use crate::support::release::Release;

/// The test of a release. `scripts/engines` runs those that are ignored.
macro_rules! on {
    ($release:literal $run:ident $(#[$by_hand:meta])?) => {
        $(#[$by_hand])?
        #[tokio::test(flavor = "multi_thread")]
        async fn $run() {
            runs_on(Release::named($release)).await;
        }
    };
}

on!("23.10" a_run_on_23_10 #[ignore = "takes minutes"]);
on!("24.8" a_run_on_24_8 #[ignore = "takes minutes"]);
on!("25.8" a_run_on_25_8);
on!("26.1" a_run_on_26_1 #[ignore = "by hand"]);
on!("26.3" a_run_on_26_3 #[ignore = "by hand"]);
on!("26.5" a_run_on_26_5 #[ignore = "by hand"]);
on!("26.7" a_run_on_26_7 #[ignore = "by hand"]);
on!("26.9" a_run_on_26_9 #[ignore = "as other tests do"]);

async fn runs_on(release: &Release) {
    let Some(database) = Database::empty_on(release) else { return };
    let setting = Setting::on(41, 250.0, Redis::new(), database, "").await;
    let found = setting.run(&["check", "--flow"]);
    assert_eq!(found.code, Some(0), "{}", found.stdout);
    let line = |of: &str| found.stdout.lines().find(|line| line.contains(of)).unwrap_or_else(|| panic!("{found:?}"));
    let clickhouse = line(" clickhouse ");
    assert!(clickhouse.starts_with("ok ") && clickhouse.contains(&format!("version {}", release.name)), "{clickhouse}");
    let flow = line(" flow ");
    assert!(flow.starts_with("ok ") && flow.ends_with("; removed"), "{flow}");
    // Behind its front an old engine takes its time.
    assert_none(&setting.difference_within("110s"));
}
