//! **Comparison**: what an endpoint delivered is now and then held against what others say.
//!
//! A match or a direct fill that is left out as a whole shows nowhere in the answer. So one range in twenty is read a second
//! time, beside the reading and without holding it: from a node of another operator, or, where there is none, out of the
//! receipts of the same one. Where the two differ, receipts decide; without them the one that has more, since nodes leave
//! logs out and do not make them up. Who left something out is distrusted: whatever it says is read a second time from then
//! on, and what rested on it alone is to be read again.

use std::hash::{Hash, Hasher};
use std::{collections::BTreeSet, collections::hash_map::DefaultHasher, time::Instant};

use super::receipts::{self, Receipts};
use super::samples::{Place, Sample};
use super::single::{logs_of, read_block};
use super::{
    doubt::Doubt, endpoint::Endpoint, failure::Failure, failure::Result, header::Header, log::ReadLog, nodes::Polygon,
    reading::Read,
};
use crate::source::state::InDoubt;

/// One range in so many is compared.
const ONE_IN: u64 = 20;

/// Of a range at most so many blocks are compared.
const BLOCKS: u64 = 8;

impl Polygon {
    /// Notes what an endpoint delivered on its word alone, and takes a sample of it now and then.
    pub(super) fn note_delivered(&self, endpoint: &Endpoint, from: u64, read: &Read) {
        let Some(index) = self.endpoints.iter().position(|other| std::ptr::eq(other, endpoint)) else { return };
        let is_first = {
            let mut trail = endpoint.trail().lock();
            let is_first = trail.is_new();
            trail.add(from, read.to);
            is_first
        };
        let mark = mark(from, read.to);
        // Of one that is new the first range is compared.
        if !is_first && !mark.is_multiple_of(ONE_IN) {
            return;
        }
        let length = read.to.saturating_sub(from) + 1;
        let begin = from + (mark / ONE_IN) % length.saturating_sub(BLOCKS).max(1);
        let blocks = (begin..=read.to.min(begin + BLOCKS - 1)).map(|number| {
            let block = read.blocks.iter().find(|block| block.header.number == number);
            (number, block.map_or_else(BTreeSet::new, |block| places(&block.logs)))
        });
        let sample = Sample { endpoint: index, blocks: blocks.collect() };
        self.samples.lock().add(sample);
    }

    /// Draws the consequence where a second look has shown that logs were left out. Says what is in doubt since then; `None`
    /// where no endpoint was caught.
    pub(super) fn distrust_caught(&self) -> Option<Vec<InDoubt>> {
        let caught: Vec<&Endpoint> = self.endpoints.iter().filter(|endpoint| endpoint.is_caught()).collect();
        (!caught.is_empty()).then(|| caught.into_iter().filter_map(|liar| self.distrust(liar)).collect())
    }

    /// Compares the sample that waits longest; `None` where none does. Says what is in doubt, if anything is.
    pub(super) async fn compare_next(&self) -> Option<Vec<InDoubt>> {
        let sample = self.samples.lock().take()?;
        let endpoint = self.endpoints.get(sample.endpoint)?;
        match self.compare_sample(endpoint, &sample).await {
            Ok(omitted) => Some(omitted.into_iter().filter_map(|liar| self.distrust(liar)).collect()),
            Err(failure) => {
                tracing::debug!(endpoint = endpoint.name(), ?failure, "not compared");
                Some(Vec::new())
            }
        }
    }

    /// The endpoints that were found to leave logs out.
    async fn compare_sample<'a>(&'a self, endpoint: &'a Endpoint, sample: &Sample) -> Result<Vec<&'a Endpoint>> {
        let numbers: Vec<u64> = sample.blocks.iter().map(|(number, _)| *number).collect();
        let headers = self.headers.of(endpoint, &numbers).await?;
        let now = Instant::now();
        let mut liars: Vec<&Endpoint> = Vec::new();
        let mut others = self.others(endpoint).filter(|other| other.operator() != endpoint.operator());
        let other = others.find(|other| other.may_ask(now));
        let seconds: Vec<Option<BTreeSet<Place>>> = match other {
            Some(other) => {
                self.check_chain(other).await?;
                let answers = logs_of(other, &headers).await?;
                let read = headers.iter().zip(answers);
                read.map(|(header, json)| Some(places(&read_block(*header, &json.ok()?).ok()?.logs))).collect()
            }
            None => {
                let mut seconds = Vec::with_capacity(headers.len());
                for header in &headers {
                    seconds.push(self.in_receipts(endpoint, header).await);
                }
                seconds
            }
        };
        let mut compared = false;
        for ((header, (_, first)), second) in headers.iter().zip(&sample.blocks).zip(seconds) {
            let Some(second) = second else { continue };
            compared = true;
            if *first == second {
                continue;
            }
            let truth = match self.receipts_of_anybody(endpoint, header).await {
                Some(truth) => truth,
                None => first.union(&second).copied().collect(),
            };
            for (who, said) in [(Some(endpoint), first), (other, &second)] {
                let missing = truth.difference(said).count();
                if let Some(who) = who.filter(|_| missing > 0) {
                    tracing::warn!(endpoint = who.name(), block = header.number, missing, "logs were left out");
                    who.note(Doubt::Missing);
                    if !liars.iter().any(|liar| std::ptr::eq(*liar, who)) {
                        liars.push(who);
                    }
                }
            }
        }
        if compared && !liars.iter().any(|liar| std::ptr::eq(*liar, endpoint)) {
            endpoint.trail().lock().pass();
        }
        Ok(liars)
    }

    async fn receipts_of_anybody(&self, first: &Endpoint, header: &Header) -> Option<BTreeSet<Place>> {
        for endpoint in std::iter::once(first).chain(self.others(first)) {
            if let Some(found) = self.in_receipts(endpoint, header).await {
                return Some(found);
            }
        }
        None
    }

    /// The logs of a block in an endpoint's receipts, where they are whole.
    async fn in_receipts(&self, endpoint: &Endpoint, header: &Header) -> Option<BTreeSet<Place>> {
        if endpoint.lacks_receipts() || !endpoint.may_ask(Instant::now()) {
            return None;
        }
        match endpoint.one(receipts::call(header.hash)).await {
            Ok(json) => {
                let receipts = Receipts::read(&json, header).ok()??;
                receipts.is_whole(header).then(|| places(&receipts.logs))
            }
            Err(Failure::NoMethod(_)) => {
                endpoint.set_lacks_receipts();
                None
            }
            Err(_) => None,
        }
    }

    /// Believes nothing of an endpoint alone any more; what rested on it is in doubt.
    fn distrust(&self, endpoint: &Endpoint) -> Option<InDoubt> {
        endpoint.set_distrusted();
        let cursor = self.shared.lock().cursor;
        let (from, to) = endpoint.trail().lock().fail(cursor)?;
        tracing::warn!(
            endpoint = endpoint.name(),
            from,
            to,
            "it omits logs: blocks that it alone delivered are in doubt and are read again"
        );
        Some(InDoubt { endpoint: endpoint.name().to_owned(), from, to })
    }
}

/// Decides whether a range is compared, and which part: the same for the same range.
fn mark(from: u64, to: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (from, to).hash(&mut hasher);
    hasher.finish()
}

fn places(logs: &[ReadLog]) -> BTreeSet<Place> {
    logs.iter().filter_map(|log| Some((log.transaction?, log.index?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_in_twenty_is_compared() {
        let chosen = (0..20_000).filter(|from| mark(*from, from + 7).is_multiple_of(ONE_IN)).count();
        assert!((900..1_100).contains(&chosen), "{chosen}");
    }
}
