//! What markets and events are called.

/// The event of a market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::demo) struct EventWords {
    pub(in crate::demo) id: u64,
    pub(in crate::demo) slug: String,
    pub(in crate::demo) title: String,
    pub(in crate::demo) tags: Vec<String>,
}

const QUESTIONS: [&str; 13] = [
    "Will the committee cut rates at its next meeting?",
    "Will \"Oppenheimer\" win — yes or no?",
    "C:\\temp\\new: will the path \\u0041 survive?",
    "First line\nsecond line\twith a tab?",
    "Wird Zoë Müller Kanzlerin? 🇩🇪🎉",
    "日本の次の首相は誰ですか？",
    "Will €/$ close above 1.10 ('quoted' & <escaped>)?",
    "null",
    "Will the home team win by 3+ goals? ⚽️",
    "Кто победит на выборах?",
    "Will it rain in Zürich on the first?",
    "هل سيفوز الفريق؟",
    "Will A/B split before the \u{7f}\u{2028}end of the year?",
];

const TAGS: [&str; 9] =
    ["Politics", "Élections", "Crypto", "NBA 🏀", "Sports", "Science & Tech", "\"Quoted\"", "Weather", "World"];

/// The question of a market.
pub(in crate::demo) fn question(id: u64) -> String {
    let question = QUESTIONS[(id % QUESTIONS.len() as u64) as usize];
    // Now and then one is called exactly like another.
    if id % 11 == 4 { question.into() } else { format!("{question} (#{id})") }
}

pub(in crate::demo) fn slug(id: u64) -> String {
    format!("demo-market-{id}")
}

/// The labels of a market itself; some of them are those of its event, too.
pub(in crate::demo) fn tags(id: u64) -> Vec<String> {
    (0..id % 3).map(|place| tag(id + place * 4)).collect()
}

/// An event with one market.
pub(in crate::demo) fn event(id: u64) -> EventWords {
    EventWords {
        id: 10_000 + id * 3,
        slug: format!("demo-event-{id}"),
        title: format!("What about it? \u{201c}{id}\u{201d}"),
        tags: (0..1 + id % 4).map(|place| tag(id + place)).chain(["All".into()]).collect(),
    }
}

/// An event that several exclusive questions share.
pub(in crate::demo) fn shared_event(number: u64) -> EventWords {
    let title = ["Presidential Election Winner 2028 🗳️", "Next \"Person of the Year\""][(number % 2) as usize];
    EventWords {
        id: 30_829 + number,
        slug: format!("shared-event-{number}"),
        title: title.into(),
        tags: vec!["Politics".into(), "Élections".into(), "All".into()],
    }
}

/// The event of a market of the series.
pub(in crate::demo) fn series_event(number: u64) -> EventWords {
    EventWords {
        id: 9_000_000 + number,
        slug: format!("btc-updown-{number}"),
        title: format!("Bitcoin Up or Down - window {number}"),
        tags: vec!["Crypto".into(), "Recurring".into(), "Up or Down".into()],
    }
}

fn tag(number: u64) -> String {
    TAGS[(number % TAGS.len() as u64) as usize].into()
}

/// What a market's page says below its question: some hundred characters.
pub(in crate::demo) fn description(id: u64) -> String {
    format!(
        "This market will resolve to the first outcome if what its question #{id} describes happens before the end \
         date, as reported by a consensus of credible sources. Otherwise, this market will resolve to the last \
         outcome.\n\nIf the event is postponed, this market remains open until it has been completed. If it is cancelled \
         entirely, with no make-up date, this market will resolve 50-50.\n\nThe primary resolution source for this \
         market is official information from the organiser; however, a “consensus of credible reporting” may also be \
         used. Ambiguities are resolved at the sole discretion of nobody."
    )
}
