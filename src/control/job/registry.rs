//! The replays that this process knows of: those that go on, and the last ones that have ended.

use std::sync::Arc;

use parking_lot::Mutex;

use super::replay::{Job, JobStatus};

/// The replays of the stages that this process runs.
#[derive(Default)]
pub(crate) struct JobRegistry(Mutex<Vec<Arc<Job>>>);

impl JobRegistry {
    /// So many that have ended are remembered.
    pub(crate) const ENDED: usize = 5;

    /// Adds one, and forgets the oldest that have ended. False where it is there already.
    pub(crate) fn add(&self, job: &Arc<Job>) -> bool {
        let mut jobs = self.0.lock();
        if jobs.iter().any(|known| known.id() == job.id()) {
            return false;
        }
        jobs.push(Arc::clone(job));
        let ended = jobs.iter().filter(|job| job.has_ended()).count();
        for _ in Self::ENDED..ended {
            if let Some(oldest) = jobs.iter().position(|job| job.has_ended()) {
                jobs.remove(oldest);
            }
        }
        true
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Job>> {
        self.0.lock().iter().find(|job| job.id() == id).map(Arc::clone)
    }

    /// Those that go on.
    pub(crate) fn going_on(&self) -> Vec<Arc<Job>> {
        self.0.lock().iter().filter(|job| !job.has_ended()).map(Arc::clone).collect()
    }

    pub(crate) fn statuses(&self) -> Vec<JobStatus> {
        self.0.lock().iter().map(|job| job.status()).collect()
    }
}
