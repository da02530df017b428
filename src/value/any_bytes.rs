//! A size, also none: `0B`, `32MiB`.

use bytesize::ByteSize;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

use super::given::Given;

/// How a size is written.
const SIZE: &str = "write it as \"32MiB\", \"5GB\" or as a number of bytes";

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ByteSize, D::Error> {
    let given = Given::deserialize(deserializer)?;
    let size = match &given {
        Given::Text(text) => text.trim().parse().ok(),
        Given::Whole(bytes) => u64::try_from(*bytes).ok().map(ByteSize::b),
        Given::Other(_) => None,
    };
    size.ok_or_else(|| D::Error::custom(format!("{given} is no size: {SIZE}")))
}

pub(crate) fn serialize<S: Serializer>(size: &ByteSize, serializer: S) -> Result<S::Ok, S::Error> {
    let bytes = size.as_u64();
    let whole = [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        .into_iter()
        .find(|(_, bits)| bytes > 0 && bytes.trailing_zeros() >= *bits);
    let (unit, bits) = whole.unwrap_or(("B", 0));
    serializer.collect_str(&format_args!("{}{unit}", bytes >> bits))
}
