INSERT INTO markets VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23
)
ON CONFLICT (id) DO UPDATE SET
    condition_id = ?2,
    question = ?3,
    slug = ?4,
    outcomes = ?5,
    token_ids = ?6,
    position_ids = ?7,
    neg_risk = ?8,
    event_id = ?9,
    event_slug = ?10,
    event_title = ?11,
    tags = ?12,
    created_at = ?13,
    end_at = ?14,
    closed_at = ?15,
    active = ?16,
    closed = ?17,
    volume = ?18,
    liquidity = ?19,
    raw = ?20,
    version = ?21,
    lasting_hash = ?22,
    ingested_at = ?23
