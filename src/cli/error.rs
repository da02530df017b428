//! Why the program fails, and with which status.

use std::path::PathBuf;

use crate::sqlite::{DataDirError, StorageError};
use crate::{
    app::AppError, app::socket::ClientError, config::ConfigError, headless::HeadlessError, io_words::why,
    tui::KeymapError, warehouse::WarehouseError,
};

/// Why the program fails. One line for stderr: what, on what, why, what to do next.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    App(#[from] AppError),
    #[error("{} is there already: --force replaces it", .0.display())]
    ConfigExists(PathBuf),
    #[error("cannot write {}: {}", .path.display(), why(.cause))]
    ConfigUnwritable { path: PathBuf, cause: std::io::Error },
    #[error("{failed} of {all} checks failed")]
    Checks { failed: usize, all: usize },
    #[error("there is no log in {}: run polytape first, or name its --data-dir", .0.display())]
    NoLog(PathBuf),
    #[error("cannot read the log in {}: {}", .path.display(), why(.cause))]
    LogUnreadable { path: PathBuf, cause: std::io::Error },
    #[error("cannot print: {0}")]
    Output(std::io::Error),
    #[error("no ClickHouse is configured: name it in [clickhouse], and Redis in [redis]")]
    NoClickhouse,
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    #[error(transparent)]
    Keymap(#[from] KeymapError),
    #[error("there is no home directory: name the place with --data-dir or --config")]
    NoHome,
    #[error("--demo leaves {} alone, which holds {holds}: choose another --data-dir, or none", .path.display())]
    NoDemoStore { path: PathBuf, holds: String },
    #[error("{} holds a demo's store: go on with --demo, or choose another --data-dir", .0.display())]
    DemoStore(PathBuf),
    #[error("the demo world cannot be served on 127.0.0.1: {0}")]
    Demo(std::io::Error),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Usage(String),
    #[error(
        "attach shows a screen, and this is no terminal that can show one: polytape status says how the pipeline is"
    )]
    NoTerminal,
    #[error(transparent)]
    Headless(#[from] HeadlessError),
    #[error("the pipeline does not go on without a screen: it ended at once ({0}); `polytape --no-tui` says why")]
    Detach(String),
}

impl From<DataDirError> for CliError {
    fn from(error: DataDirError) -> Self {
        Self::App(error.into())
    }
}

impl From<StorageError> for CliError {
    fn from(error: StorageError) -> Self {
        Self::App(error.into())
    }
}

impl CliError {
    /// 1 failed, 2 usage or config, 3 not running.
    pub(super) const fn code(&self) -> u8 {
        match self {
            Self::Client(error) if error.is_not_running() => 3,
            Self::Usage(_) | Self::NoTerminal => 2,
            Self::Config(_)
            | Self::NoClickhouse
            | Self::Keymap(_)
            | Self::App(AppError::Setting(..))
            | Self::NoHome => 2,
            _ => 1,
        }
    }
}
