//! A pipeline that runs, and who watches it.

use std::{sync::Arc, time::Duration};

use futures::FutureExt;

use crate::app::service;
use crate::control::{Parts, Pipeline, PipelineFailed, Watchdog};
use crate::monitor::{About, Collector, LogCounts, Publisher};
use crate::warehouse::Warehouse;

/// How long a drain may take before it is cut off, which is safe.
const DRAIN: Duration = Duration::from_secs(10);

/// A pipeline, and who watches it.
pub struct Running {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// Sees it as it is.
    pub collector: Collector,
    /// Publishes what it sees.
    pub publisher: Publisher,
    /// Where rows land.
    pub warehouse: Arc<dyn Warehouse>,
}

impl Running {
    /// Starts a pipeline, and what watches it.
    pub(crate) fn start(parts: Parts, about: About, log: LogCounts, watchdog: Option<Watchdog>) -> Self {
        let (broker, warehouse) = (Arc::clone(&parts.broker), Arc::clone(&parts.warehouse));
        let pipeline = Pipeline::start_watched(parts, watchdog);
        let collector = Collector::new(pipeline.observer(), broker, warehouse.clone());
        let publisher = Publisher::start(collector.clone(), about, log);
        Self { pipeline, collector, publisher, warehouse }
    }

    /// Whether a stage has failed for good.
    pub fn has_failed(&self) -> Option<PipelineFailed> {
        self.pipeline.failed().now_or_never()
    }

    /// Finishes what is in hand, for a while.
    pub async fn drain(self) {
        tracing::info!("draining");
        service::stopping();
        if !self.pipeline.drain(DRAIN).await {
            tracing::warn!("not drained within {DRAIN:?}: unfinished work is delivered again next time");
        }
    }
}
