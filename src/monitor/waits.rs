//! What stages wait for, as one cause: who waits for another stage waits for what that one waits for.

use crate::{flow::StageId, streams::WaitCause};

/// Those that wait, by what they wait for, in the order in which that comes.
pub(crate) fn by_cause<'a, T>(waits: impl IntoIterator<Item = (&'a WaitCause, T)>) -> Vec<(&'a WaitCause, Vec<T>)> {
    let mut causes: Vec<(&WaitCause, Vec<T>)> = Vec::new();
    for (cause, who) in waits {
        match causes.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, all)) => all.push(who),
            None => causes.push((cause, vec![who])),
        }
    }
    causes
}

/// What most of the stages wait for that wait, in words. Nothing where none of them knows yet.
pub(crate) fn most_wait_for(waits: &[(StageId, &WaitCause)]) -> Option<String> {
    let known = waits.iter().filter(|(_, cause)| **cause != WaitCause::Starting);
    let mut causes = by_cause(known.map(|&(stage, cause)| (cause, stage)));
    // That the first stage has not begun is a consequence, where anything else is known.
    if causes.len() > 1 {
        causes.retain(|(cause, _)| **cause != WaitCause::NotBegun);
    }
    // Of equals the one that is first in the flow.
    let (cause, stages) = causes.iter().rev().max_by_key(|(_, stages)| stages.len())?;
    Some(match stages.as_slice() {
        [one] => format!("{one} waits: {cause}"),
        few @ ([_, _] | [_, _, _]) => {
            let names: Vec<String> = few.iter().map(StageId::to_string).collect();
            format!("{} wait: {cause}", names.join(", "))
        }
        more => format!("{} stages wait: {cause}", more.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use StageId::{IngestFills, IngestMarkets, ProcessTrades, WriteTrades};

    #[test]
    fn one_cause_is_said_and_not_what_follows_from_it() {
        let (starting, not_begun) = (&WaitCause::Starting, &WaitCause::NotBegun);
        let right = &WaitCause::Other("ClickHouse at h: user u lacks rights".into());
        let node = &WaitCause::Other("node".into());
        for (waits, said) in [
            (vec![], None),
            (vec![(IngestFills, starting)], None),
            (vec![(IngestFills, not_begun)], Some("ingest-fills waits: ingest-fills has not begun yet".to_owned())),
            (
                vec![(IngestFills, right), (ProcessTrades, not_begun), (WriteTrades, not_begun)],
                Some(format!("ingest-fills waits: {right}")),
            ),
            (
                vec![(IngestFills, node), (IngestMarkets, right), (WriteTrades, right)],
                Some(format!("ingest-markets, write-trades wait: {right}")),
            ),
            (vec![(IngestFills, node), (IngestMarkets, right)], Some("ingest-fills waits: node".to_owned())),
        ] {
            assert_eq!(most_wait_for(&waits), said);
        }
    }
}
