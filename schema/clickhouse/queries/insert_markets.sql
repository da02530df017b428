INSERT INTO markets (
    id, condition_id, question, slug, outcomes, token_ids, position_ids, neg_risk, event_id, event_slug, event_title,
    tags, created_at, end_at, closed_at, active, closed, volume, liquidity, raw, version, lasting_hash, ingested_at
) FORMAT RowBinary
