//! A market: a question, its outcomes and the tokens that stand for them. One row of the `markets` table.

use alloy_primitives::keccak256;

use super::{ConditionId, NonUsdcSide, PositionId, RawJson, Resolution, TokenId};

/// A market as its source described it at one moment. What was not said is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// Gamma's id, which never changes: `3047949`. A market's identity.
    pub id: String,
    /// Its condition; `None` until it has one.
    pub condition_id: Option<ConditionId>,
    /// The question.
    pub question: String,
    /// Its name in addresses.
    pub slug: String,
    /// What may come out, in the order of its tokens.
    pub outcomes: Vec<String>,
    /// The tokens of V1 and V2, in the order of the outcomes.
    pub token_ids: Vec<TokenId>,
    /// The positions of protocol v2, in the order of the outcomes.
    pub position_ids: Vec<TokenId>,
    /// Whether it is one of several exclusive questions.
    pub neg_risk: bool,
    /// The event that it belongs to.
    pub event: Event,
    /// Labels of its event and its own, each once, in their order.
    pub tags: Vec<String>,
    /// When it was made, in unix seconds.
    pub created_at: Option<i64>,
    /// When it is to end.
    pub end_at: Option<i64>,
    /// When it was closed.
    pub closed_at: Option<i64>,
    /// Whether it has begun.
    pub active: bool,
    /// Whether it has ended.
    pub closed: bool,
    /// Dollars traded, as the source counts them, in its digits. Changes all the time.
    pub volume: String,
    /// Dollars on offer, likewise.
    pub liquidity: String,
    /// All that the source said.
    pub raw: RawJson,
    /// Which of two descriptions is the later one: see [`Market::version_of`].
    pub version: u64,
}

/// The event that a market belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Gamma's id.
    pub id: String,
    /// Its name in addresses.
    pub slug: String,
    /// Its title.
    pub title: String,
}

/// The largest second that a version has room for.
const LAST_SECOND: u64 = i32::MAX as u64;

impl Market {
    /// The version of a description: when the source last changed it, and among equals when it was asked for, both in
    /// unix seconds. Never when it arrived. A change of the future is one of when it was asked for: it must not hide those
    /// that come after it.
    pub fn version_of(updated_at: Option<i64>, asked_at: u64) -> u64 {
        let updated_at = u64::try_from(updated_at.unwrap_or(0)).unwrap_or(0).min(asked_at).min(LAST_SECOND);
        (updated_at << 32) | asked_at.min(u64::from(u32::MAX))
    }

    /// The version of a description that does not say when it was changed, where an earlier one did.
    pub const fn version_behind(written: u64, version: u64) -> u64 {
        (Self::updated_at(written) << 32) | Self::asked_at(version)
    }

    /// When the source last changed it, as its version says.
    pub const fn updated_at(version: u64) -> u64 {
        version >> 32
    }

    /// When the source was asked, as its version says.
    pub const fn asked_at(version: u64) -> u64 {
        version & 0xffff_ffff
    }

    /// Every token that it lists.
    pub fn tokens(&self) -> impl Iterator<Item = TokenId> {
        self.token_ids.iter().chain(&self.position_ids).copied()
    }

    /// What it tells of a token, if it lists it.
    pub fn resolution(&self, token: TokenId) -> Option<Resolution> {
        let Self { id, condition_id, outcomes, token_ids, position_ids, .. } = self;
        resolve(token, id, *condition_id, outcomes, token_ids, position_ids)
    }

    /// A hash of what lasts. While it stays the same the market need not be written again, except now and then for
    /// its volume.
    pub fn lasting_hash(&self) -> u64 {
        let Self {
            id,
            condition_id,
            question,
            slug,
            outcomes,
            token_ids,
            position_ids,
            neg_risk,
            event,
            tags,
            created_at,
            end_at,
            closed_at,
            active,
            closed,
            volume: _,
            liquidity: _,
            raw: _,
            version: _,
        } = self;
        let mut bytes = Vec::with_capacity(512);
        let text = |bytes: &mut Vec<u8>, text: &str| {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        };
        let list = |bytes: &mut Vec<u8>, list: &[String]| {
            bytes.extend_from_slice(&(list.len() as u64).to_le_bytes());
            list.iter().for_each(|item| text(bytes, item));
        };
        let condition_id = condition_id.map(|id| id.to_string()).unwrap_or_default();
        for part in [id, &condition_id, question, slug, &event.id, &event.slug, &event.title] {
            text(&mut bytes, part);
        }
        list(&mut bytes, outcomes);
        list(&mut bytes, tags);
        for tokens in [token_ids, position_ids] {
            bytes.extend_from_slice(&(tokens.len() as u64).to_le_bytes());
            tokens.iter().for_each(|token| bytes.extend_from_slice(&token.0.to_be_bytes::<32>()));
        }
        for time in [created_at, end_at, closed_at] {
            bytes.push(u8::from(time.is_some()));
            bytes.extend_from_slice(&time.unwrap_or_default().to_le_bytes());
        }
        bytes.extend([neg_risk, active, closed].map(|flag| u8::from(*flag)));
        let hash = keccak256(bytes);
        hash[..8].iter().fold(0, |value, byte| (value << 8) | u64::from(*byte))
    }
}

#[cfg(test)]
impl Market {
    /// A market of which nothing is known but its id.
    pub(crate) fn blank(id: impl ToString) -> Self {
        Self {
            id: id.to_string(),
            condition_id: None,
            question: String::new(),
            slug: String::new(),
            outcomes: vec![],
            token_ids: vec![],
            position_ids: vec![],
            neg_risk: false,
            event: Event::default(),
            tags: vec![],
            created_at: None,
            end_at: None,
            closed_at: None,
            active: false,
            closed: false,
            volume: String::new(),
            liquidity: String::new(),
            raw: RawJson::pack("{}"),
            version: 0,
        }
    }
}

/// What of a market tells of its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPlaces {
    /// [`Market::id`].
    pub market_id: String,
    /// [`Market::condition_id`].
    pub condition_id: Option<ConditionId>,
    /// [`Market::outcomes`].
    pub outcomes: Vec<String>,
    /// [`Market::token_ids`].
    pub token_ids: Vec<TokenId>,
    /// [`Market::position_ids`].
    pub position_ids: Vec<TokenId>,
}

impl TokenPlaces {
    /// What the market tells of a token, if it lists it.
    pub fn resolution(&self, token: TokenId) -> Option<Resolution> {
        let Self { market_id, condition_id, outcomes, token_ids, position_ids } = self;
        resolve(token, market_id, *condition_id, outcomes, token_ids, position_ids)
    }
}

/// A token's place in the lists of its market. A position has the condition that its id names: a market that trades on
/// both protocols has two. A market that has no condition tells nothing yet. One that does not say what its outcome is called
/// tells all but that: it may come later, and until then the row is looked at again.
fn resolve(
    token: TokenId,
    market_id: &str,
    condition_id: Option<ConditionId>,
    outcomes: &[String],
    token_ids: &[TokenId],
    position_ids: &[TokenId],
) -> Option<Resolution> {
    let place = |list: &[TokenId]| list.iter().position(|listed| *listed == token);
    let place = place(token_ids).or_else(|| place(position_ids))?;
    let condition_id = PositionId::of(token).map(|position| position.condition).or(condition_id)?;
    Some(Resolution::Market {
        condition_id: condition_id.to_string().into(),
        outcome: outcomes.get(place).map_or("", String::as_str).into(),
        market_id: market_id.into(),
        side: NonUsdcSide(u8::try_from(place + 1).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::U256;

    fn market() -> Market {
        let text = str::to_owned;
        Market {
            id: text("3047949"),
            condition_id: Some(ConditionId::Ctf([7; 32].into())),
            question: text("Up or down?"),
            slug: text("up-or-down"),
            outcomes: vec![text("Up"), text("Down")],
            token_ids: vec![TokenId(U256::MAX), TokenId(U256::MAX - U256::ONE)],
            position_ids: vec![],
            neg_risk: false,
            event: Event { id: text("9"), slug: text("btc"), title: text("Bitcoin") },
            tags: vec![text("Crypto")],
            created_at: Some(1),
            end_at: None,
            closed_at: None,
            active: true,
            closed: false,
            volume: text("79945.98005599984"),
            liquidity: text("0"),
            raw: RawJson::pack("{}"),
            version: 5,
        }
    }

    #[test]
    fn only_what_lasts_is_in_the_hash() {
        let hash = market().lasting_hash();
        let passing =
            Market { volume: "1".into(), liquidity: "2".into(), raw: RawJson::pack("[]"), version: 6, ..market() };
        assert_eq!(passing.lasting_hash(), hash);
        let changed = [
            Market { id: "1".into(), ..market() },
            Market { condition_id: None, ..market() },
            Market { question: "x".into(), ..market() },
            Market { slug: "x".into(), ..market() },
            Market { outcomes: vec!["UpDown".into()], ..market() },
            Market { token_ids: vec![], ..market() },
            Market { position_ids: vec![TokenId(U256::ZERO)], ..market() },
            Market { neg_risk: true, ..market() },
            Market { event: Event::default(), ..market() },
            Market { tags: vec![], ..market() },
            Market { created_at: None, ..market() },
            Market { end_at: Some(0), ..market() },
            Market { closed_at: Some(0), ..market() },
            Market { active: false, ..market() },
            Market { closed: true, ..market() },
        ];
        let hashes: std::collections::BTreeSet<u64> = changed.iter().map(Market::lasting_hash).collect();
        assert!(!hashes.contains(&hash));
        assert_eq!(hashes.len(), changed.len());
    }

    #[test]
    fn a_later_change_makes_a_higher_version() {
        let version = Market::version_of;
        assert!(version(Some(100), 900) < version(Some(101), 200), "what the source changed later is later");
        assert!(version(Some(100), 200) < version(Some(100), 201), "then what was asked for later");
        assert!(version(None, 900) < version(Some(0), 901));
        assert!(version(Some(i64::MAX), u64::MAX) <= i64::MAX as u64, "fits every table");
        assert_eq!(version(Some(-5), 7), 7);
        assert_eq!(version(Some(900), 7), version(Some(7), 7), "nothing changes later than it is told");
        let some = version(Some(1_784_850_900), 1_784_851_000);
        assert_eq!((Market::updated_at(some), Market::asked_at(some)), (1_784_850_900, 1_784_851_000));
    }

    #[test]
    fn tells_of_its_tokens() {
        let resolution = market().resolution(TokenId(U256::MAX - U256::ONE)).unwrap();
        assert_eq!(resolution.version(), 3);
        assert_eq!((resolution.outcome(), resolution.market_id()), ("Down", "3047949"));
        assert_eq!(resolution.nonusdc_side(), "token2");
        assert_eq!(resolution.condition_id(), format!("0x{}", "07".repeat(32)));
        assert_eq!(market().resolution(TokenId(U256::ZERO)), None);

        let condition: ConditionId = format!("0x01{}0002{}0007", "ab".repeat(16), "00".repeat(10)).parse().unwrap();
        let both = Market { position_ids: [0, 1].map(|i| condition.position(i).unwrap()).to_vec(), ..market() };
        let resolution = both.resolution(both.position_ids[0]).unwrap();
        assert_eq!((resolution.outcome(), resolution.condition_id()), ("Up", condition.to_string().as_str()));
        let unnamed = Market { outcomes: vec![], ..market() };
        let resolution = unnamed.resolution(TokenId(U256::MAX)).unwrap();
        assert_eq!((resolution.version(), resolution.market_id(), resolution.outcome()), (2, "3047949", ""));
        assert_eq!(resolution.nonusdc_side(), "token1", "which outcome it is shows all the same");
        let unconditional = Market { condition_id: None, ..market() };
        assert_eq!(unconditional.resolution(TokenId(U256::MAX)), None);
    }
}
