//! Questions about many ids, in batches that cost only their worst member.
//!
//! A service that fails on one id fails on every batch with it. So a batch that fails is halved, down to the id that fails
//! alone; from then on that one is asked about by itself, so that it takes nobody along a second time. Who asks decides when.

use std::{future::Future, hash::Hash};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use quick_cache::sync::Cache;

use crate::source::{error::SourceError, markets::Lookup};

/// Batches that are under way at once.
const AT_ONCE: usize = 4;

/// After so many failures in a row within one batch it is not its members: halving 50 takes 7 for one of them, and one or two
/// for each neighbour that fails, too.
const MOST_IN_A_ROW: u32 = 12;

/// Ids that failed alone and are remembered: about 200 bytes each. One that is forgotten costs its next batch a few requests.
const SUSPECTS: usize = 10_000;

/// How ids are asked about.
pub(in crate::source) struct Batches<I> {
    size: usize,
    suspects: Cache<I, ()>,
}

impl<I: Clone + Eq + Hash> Batches<I> {
    /// With at most so many ids in a request.
    pub(in crate::source) fn of(size: usize) -> Self {
        Self { size, suspects: Cache::new(SUSPECTS) }
    }

    /// Asks about all of `ids`. An error is one of the source, whatever it is asked about.
    pub(in crate::source) async fn ask<T, F>(
        &self,
        ids: &[I],
        ask: impl Fn(Vec<I>) -> F,
    ) -> Result<Lookup<T, I>, SourceError>
    where
        F: Future<Output = Result<Vec<T>, SourceError>>,
    {
        let (suspects, rest): (Vec<I>, Vec<I>) = ids.iter().cloned().partition(|id| self.suspects.peek(id).is_some());
        let alone = suspects.iter().map(|id| vec![id.clone()]);
        let batches: Vec<Vec<I>> = alone.chain(rest.chunks(self.size).map(<[I]>::to_vec)).collect();
        let answers = stream::iter(batches).map(|batch| halved(batch, &ask)).buffered(AT_ONCE);
        let mut whole = Lookup::default();
        for answer in answers.try_collect::<Vec<_>>().await? {
            whole.join(answer);
        }
        for id in suspects {
            self.suspects.remove(&id);
        }
        for id in &whole.failed {
            self.suspects.insert(id.clone(), ());
        }
        Ok(whole)
    }
}

/// Asks about a batch, and about its halves where that fails.
async fn halved<I: Clone, T, F>(batch: Vec<I>, ask: &impl Fn(Vec<I>) -> F) -> Result<Lookup<T, I>, SourceError>
where
    F: Future<Output = Result<Vec<T>, SourceError>>,
{
    let (mut whole, mut parts, mut in_a_row) = (Lookup::default(), vec![batch], 0);
    while let Some(mut part) = parts.pop() {
        match ask(part.clone()).await {
            Ok(found) => {
                whole.found.extend(found);
                whole.answers += 1;
                in_a_row = 0;
            }
            Err(error) => {
                in_a_row += 1;
                if !error.may_be_of_a_part() || in_a_row > MOST_IN_A_ROW {
                    return Err(error);
                }
                if part.len() > 1 {
                    let behind = part.split_off(part.len() / 2);
                    parts.extend([behind, part]);
                } else {
                    whole.failed.extend(part);
                    whole.cause = Some(error);
                }
            }
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;

    fn broken() -> SourceError {
        SourceError::Failed { endpoint: "x".into(), cause: "HTTP 500".into() }
    }

    /// Asks a service that fails on some ids, and tells how often it was asked.
    async fn asked(
        batches: &Batches<u32>,
        ids: &[u32],
        poison: &[u32],
    ) -> (Result<Lookup<u32, u32>, SourceError>, usize) {
        let asked = Mutex::new(0);
        let answer = batches
            .ask(ids, async |ids: Vec<u32>| {
                *asked.lock() += 1;
                if ids.iter().any(|id| poison.contains(id)) { Err(broken()) } else { Ok(ids) }
            })
            .await;
        (answer, asked.into_inner())
    }

    #[tokio::test]
    async fn a_batch_costs_only_its_worst_member() {
        let ids: Vec<u32> = (0..100).collect();
        for poison in [&[0][..], &[39], &[40, 41, 99], &[0, 1, 2, 3], &[20, 60, 80]] {
            let batches = Batches::of(40);
            let (answer, requests) = asked(&batches, &ids, poison).await;
            let answer = answer.unwrap();
            let mut found = answer.found;
            found.sort_unstable();
            let rest: Vec<u32> = ids.iter().copied().filter(|id| !poison.contains(id)).collect();
            assert_eq!((found, answer.failed.as_slice()), (rest.clone(), poison));
            assert!(requests <= 3 + 12 * poison.len(), "{requests} requests for {poison:?}");
            let (answer, requests) = asked(&batches, &ids, poison).await;
            assert_eq!(answer.unwrap().found.len(), rest.len());
            assert!(requests <= 3 + poison.len(), "the second time it takes nobody along: {requests} requests");
            let (answer, _) = asked(&batches, &ids, &[]).await;
            assert_eq!(answer.unwrap().found.len(), 100);
            let (_, requests) = asked(&batches, &ids, &[]).await;
            assert_eq!(requests, 3, "what is healed is asked about with the others");
        }
    }

    #[tokio::test]
    async fn a_source_that_fails_on_everything_is_left_alone_soon() {
        let ids: Vec<u32> = (0..40).collect();
        let (answer, requests) = asked(&Batches::of(40), &ids, &ids).await;
        assert_eq!(answer.unwrap_err(), broken());
        assert!(requests <= 13, "{requests} requests");
        let batches = Batches::<u32>::of(40);
        let requests = Mutex::new(0);
        let away = SourceError::unreachable("x", "connection refused");
        let answer = batches
            .ask(&ids, async |_| {
                *requests.lock() += 1;
                Err::<Vec<u32>, _>(away.clone())
            })
            .await;
        assert_eq!((answer.unwrap_err(), requests.into_inner()), (away.clone(), 1));
    }
}
