//! `where`: which rows are asked for.

use std::cmp::Ordering;

use super::refusal::Refusal;
use super::row::{FIELDS, Row};
use super::values::{Given, Values};

const KIND: &str = "OrderFilledEvent_filter";

/// How a value stands to the one that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Relation {
    Is,
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// A condition on rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Filter {
    All(Vec<Self>),
    Any(Vec<Self>),
    Timestamp(Relation, i64),
    Id(Relation, String),
    /// A field of [`FIELDS`] is this.
    Field(usize, String),
}

impl Filter {
    /// Reads a filter object.
    pub(in crate::demo) fn read<'q>(values: &Values<'q>, given: Given<'q>) -> Result<Self, Refusal> {
        let fields = values.object(given, KIND)?.unwrap_or_default();
        let is_column = |name: &str| name != "or" && name != "and";
        let columns: Vec<_> = fields.iter().map(|(name, _)| *name).filter(|name| is_column(name)).collect();
        if !columns.is_empty() && fields.iter().any(|(name, _)| *name == "or") {
            let columns = columns.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
            return Err(Refusal::new(format!(
                "Cannot mix column filters with 'or' operator at the same level. Found column filter(s) {columns} \
                 alongside 'or' operator."
            )));
        }
        let all = fields.into_iter().map(|(name, value)| match name {
            "or" => many(values, name, value).map(Self::Any),
            "and" => many(values, name, value).map(Self::All),
            _ => Self::column(values, name, value),
        });
        all.collect::<Result<_, _>>().map(Self::All)
    }

    fn column<'q>(values: &Values<'q>, name: &'q str, value: Given<'q>) -> Result<Self, Refusal> {
        let (field, relation) = match name.rsplit_once('_') {
            Some((field, "gt")) => (field, Relation::Above),
            Some((field, "gte")) => (field, Relation::AtLeast),
            Some((field, "lt")) => (field, Relation::Below),
            Some((field, "lte")) => (field, Relation::AtMost),
            _ => (name, Relation::Is),
        };
        let text = |kind| values.text(value, kind).map(|text| text.map(str::to_owned));
        let filter = match (field, relation) {
            ("timestamp", relation) => values.big_int(value)?.map(|second| Self::Timestamp(relation, second)),
            ("id", relation) => text("ID")?.map(|id| Self::Id(relation, id)),
            ("transactionHash", Relation::Is) => {
                text("Bytes")?.map(|hash| Self::Field(place("transactionHash"), hash.to_ascii_lowercase()))
            }
            ("maker" | "taker", Relation::Is) => text("String")?.map(|address| Self::Field(place(field), address)),
            _ => return Err(Refusal::new(format!("Field \"{name}\" is not defined by type \"{KIND}\"."))),
        };
        filter.ok_or_else(|| Refusal::new(format!("Filter not supported by value `null`: `{name}`")))
    }

    pub(in crate::demo) fn takes(&self, row: &Row) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.takes(row)),
            Self::Any(filters) => filters.iter().any(|filter| filter.takes(row)),
            Self::Timestamp(relation, second) => relation.holds(row.timestamp().cast_signed().cmp(second)),
            Self::Id(relation, id) => relation.holds(row.id().cmp(id)),
            Self::Field(field, value) => row.value(*field) == value,
        }
    }

    /// The seconds outside which it takes nothing: the first and the last. The last is before the first where it takes nothing
    /// at all.
    pub(in crate::demo) fn seconds(&self) -> (i64, i64) {
        const EVER: (i64, i64) = (i64::MIN, i64::MAX);
        match self {
            Self::All(filters) => filters.iter().map(Self::seconds).fold(EVER, |(a, b), (c, d)| (a.max(c), b.min(d))),
            Self::Any(filters) => {
                let never = (i64::MAX, i64::MIN);
                filters.iter().map(Self::seconds).fold(never, |(a, b), (c, d)| (a.min(c), b.max(d)))
            }
            Self::Timestamp(relation, second) => match relation {
                Relation::Is => (*second, *second),
                Relation::Above => (second.saturating_add(1), i64::MAX),
                Relation::AtLeast => (*second, i64::MAX),
                Relation::Below => (i64::MIN, second.saturating_sub(1)),
                Relation::AtMost => (i64::MIN, *second),
            },
            Self::Id(..) | Self::Field(..) => EVER,
        }
    }
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Is => order.is_eq(),
            Self::Above => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Below => order.is_lt(),
            Self::AtMost => order.is_le(),
        }
    }
}

fn many<'q>(values: &Values<'q>, name: &str, given: Given<'q>) -> Result<Vec<Filter>, Refusal> {
    let items = values.list(given, &format!("[{KIND}]"))?;
    let items = items.ok_or_else(|| Refusal::new(format!("Filter not supported by value `null`: `{name}`")))?;
    items.into_iter().map(|item| Filter::read(values, item)).collect()
}

fn place(name: &str) -> usize {
    FIELDS.iter().position(|field| *field == name).unwrap_or_default()
}
