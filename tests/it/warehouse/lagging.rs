//! What polytape keeps for itself does not go backwards where reads are answered by a replica that lags.

use polytape::failure::FailureClass;
use polytape::model::{Resolution, Trade};
use polytape::warehouse::{
    Checkpoint, ClickhouseConfig, ClickhouseWarehouse, Control, JobRecord, JobState, TokenIndex, WriteRows,
};

use super::conformance::trade;
use crate::support::clickhouse::Database;
use crate::support::lagging::Lagging;

/// The tables of which a row counts its changes.
const TABLES: [&str; 4] = ["checkpoints", "desired_states", "jobs", "unresolved_scans"];

/// A database, two replicas of it behind one address, and a process that knows that address.
struct Behind {
    database: Database,
    replicas: Lagging,
    process: ClickhouseWarehouse,
}

impl Behind {
    async fn new() -> Self {
        let database = Database::new();
        let replicas = Lagging::of(&database.config().url, &TABLES).await;
        let process = process(&database, &replicas);
        Self { database, replicas, process }
    }

    /// Another process.
    fn another(&self) -> ClickhouseWarehouse {
        process(&self.database, &self.replicas)
    }

    /// What is written down now is all that is read from now on.
    fn lag(&self) {
        self.replicas.copy(&self.database);
        self.replicas.lag(true);
    }

    /// What a reader of the replica that knows all sees: the rows of a table in one line.
    fn rows(&self, columns: &str, table: &str) -> String {
        self.database.execute(&format!("SELECT {columns} FROM {table} FINAL ORDER BY ALL")).trim().replace('\n', " ")
    }
}

fn process(database: &Database, replicas: &Lagging) -> ClickhouseWarehouse {
    ClickhouseWarehouse::new(ClickhouseConfig { url: replicas.url(), ..database.config() })
}

fn checkpoint(watermark: &str) -> Checkpoint {
    Checkpoint { world: "chain:137".into(), start: "0".into(), watermark: watermark.into() }
}

fn job(state: JobState, done: u64) -> JobRecord {
    JobRecord {
        id: "a".into(),
        stage: "write-trades".into(),
        begin: String::new(),
        until: String::new(),
        cursor: String::new(),
        total: 9,
        done,
        moved: 0,
        state,
        reason: String::new(),
        started_at: 7,
        ended_at: (state != JobState::Running).then_some(8),
    }
}

async fn set_watermark(process: &ClickhouseWarehouse, watermark: &str) {
    process.set_checkpoint("main", "polygon", &checkpoint(watermark)).await.unwrap();
}

async fn watermark(process: &ClickhouseWarehouse) -> String {
    process.checkpoint("main", "polygon").await.unwrap().unwrap().watermark
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_behind_an_older_read_is_not_hidden() {
    let behind = Behind::new().await;
    let other = behind.another();
    for process in [&behind.process, &other] {
        set_watermark(process, "1").await;
        process.set_desired_state("main", "resolver", "run").await.unwrap();
        process.set_job("main", &job(JobState::Running, 1)).await.unwrap();
    }
    behind.replicas.copy(&behind.database);
    // Another process goes on, and its changes count up.
    for watermark in ["2", "3", "4"] {
        set_watermark(&other, watermark).await;
        other.set_desired_state("main", "resolver", "stop").await.unwrap();
        other.set_job("main", &job(JobState::Running, 2)).await.unwrap();
    }
    behind.replicas.lag(true);
    set_watermark(&behind.process, "5").await;
    behind.process.set_desired_state("main", "resolver", "pause").await.unwrap();
    behind.process.set_job("main", &job(JobState::Cancelled, 3)).await.unwrap();
    for table in ["checkpoints", "desired_states", "jobs"] {
        assert!(behind.replicas.misled(table) > 0, "{table}: nothing old was read");
    }
    assert_eq!(behind.rows("watermark", "checkpoints"), "5");
    assert_eq!(behind.rows("state", "desired_states"), "pause");
    assert_eq!(behind.rows("state, done", "jobs"), "cancelled\t3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_ahead_and_an_older_read_hide_nothing_either() {
    let behind = Behind::new().await;
    set_watermark(&behind.process, "1").await;
    behind.process.set_desired_state("main", "resolver", "run").await.unwrap();
    behind.process.set_job("main", &job(JobState::Running, 1)).await.unwrap();
    behind.replicas.copy(&behind.database);
    // A century ahead.
    for table in ["checkpoints", "desired_states", "jobs"] {
        behind.database.execute(&format!(
            "INSERT INTO {table} SELECT * REPLACE (toUInt64(4000000000000) AS version) FROM {table} FINAL"
        ));
    }
    assert_eq!(watermark(&behind.process).await, "1");
    behind.process.desired_states("main").await.unwrap();
    behind.process.jobs("main", 5).await.unwrap();
    behind.replicas.lag(true);
    for n in ["2", "3"] {
        set_watermark(&behind.process, n).await;
        behind.process.set_desired_state("main", "resolver", n).await.unwrap();
        behind.process.set_job("main", &job(JobState::Running, n.parse().unwrap())).await.unwrap();
        assert_eq!(behind.rows("watermark", "checkpoints"), n);
        assert_eq!(behind.rows("state", "desired_states"), n);
        assert_eq!(behind.rows("done", "jobs"), n);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_knows_is_not_taken_back_by_an_older_read() {
    let behind = Behind::new().await;
    let process = &behind.process;
    set_watermark(process, "1").await;
    process.set_desired_state("main", "resolver", "run").await.unwrap();
    process.set_job("main", &job(JobState::Running, 1)).await.unwrap();
    behind.lag();
    // Written by itself.
    set_watermark(process, "2").await;
    for stage in ["resolver", "write-trades"] {
        process.set_desired_state("main", stage, "pause").await.unwrap();
    }
    process.set_job("main", &job(JobState::Cancelled, 3)).await.unwrap();
    let known = async || {
        let states = process.desired_states("main").await.unwrap();
        let states = ["resolver", "write-trades"].map(|stage| states[stage].clone());
        (watermark(process).await, states, process.jobs("main", 5).await.unwrap())
    };
    let paused = ["pause", "pause"].map(String::from);
    assert_eq!(known().await, ("2".into(), paused.clone(), vec![job(JobState::Cancelled, 3)]));
    // Read while the answers came from where all is known.
    behind.replicas.lag(false);
    let other = behind.another();
    assert_eq!(watermark(&other).await, "2");
    set_watermark(&other, "4").await;
    other.set_desired_state("main", "resolver", "stop").await.unwrap();
    let stopped = ["stop", "pause"].map(String::from);
    let newest = ("4".into(), stopped, vec![job(JobState::Cancelled, 3)]);
    assert_eq!(known().await, newest);
    behind.replicas.lag(true);
    assert_eq!(known().await, newest);
    // A process that has just begun believes what it reads.
    assert_eq!(watermark(&behind.another()).await, "1");
}

/// It may not have been seen, since the replica that answers is a new one.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_begun_before_does_not_begin_anew() {
    let behind = Behind::new().await;
    behind.lag();
    let other = behind.database.warehouse();
    set_watermark(&other, "7").await;
    set_watermark(&other, "8").await;
    assert_eq!(behind.process.checkpoint("main", "polygon").await.unwrap(), None);
    set_watermark(&behind.process, "0").await;
    assert_eq!(behind.rows("watermark", "checkpoints"), "8");
    behind.replicas.lag(false);
    assert_eq!(watermark(&behind.process).await, "8");
}

/// Were the watermark written again there, all rows before it would be taken for written.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_is_gone_is_told_and_not_made_again() {
    let behind = Behind::new().await;
    set_watermark(&behind.process, "1").await;
    behind.database.execute("TRUNCATE TABLE checkpoints");
    let error = behind.process.checkpoint("main", "polygon").await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Retry);
    let said = "shows no checkpoint where it had one: a replica that lags answered, or the tables were emptied";
    assert!(error.to_string().ends_with(said), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_of_the_list_that_was_noted_stays_noted() {
    let behind = Behind::new().await;
    let rows: Vec<Trade> = (0..3).map(|log_index| trade(1, log_index, Resolution::Unknown)).collect();
    behind.process.write_rows(&rows).await.unwrap();
    let due = async || behind.database.warehouse().list_state().await.unwrap().due;
    let partitions = due().await;
    assert_eq!(partitions.len(), 1);
    let partition = Some(partitions[0].as_str());
    behind.process.note_scan(partition, 0).await.unwrap();
    assert!(due().await.is_empty());
    behind.replicas.copy(&behind.database);
    // Days later it was noted twice more, and that is long ago, too.
    for _ in 0..2 {
        behind.process.note_scan(partition, 0).await.unwrap();
    }
    behind.database.execute(
        "INSERT INTO unresolved_scans SELECT * REPLACE (now() - 200000 AS scanned_at) FROM unresolved_scans FINAL",
    );
    assert_eq!(due().await, partitions);
    behind.replicas.lag(true);
    behind.process.note_scan(partition, 0).await.unwrap();
    assert!(due().await.is_empty(), "it was noted just now");
}
