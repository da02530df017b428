//! A kind of entry: what it is, and its shapes. Those of a kind may stand with it in a file of its own.

/// Writes and reads one kind of entry, version by version.
macro_rules! entry {
    ($kind:ty, $v1:ty $(, $batched:ident)?) => {
        impl $crate::model::entry::Entry for $kind {
            fn encode(&self) -> Vec<u8> {
                $crate::model::entry::v1::write(&<$v1>::from(self))
            }

            fn decode(bytes: &[u8]) -> Result<Self, $crate::model::entry::EntryError> {
                use $crate::model::entry::{EntryError, v1};
                match bytes.split_first() {
                    None => Err(EntryError::Empty),
                    Some((&v1::VERSION, body)) => v1::read::<$v1>(body)?.try_into(),
                    Some((&other, _)) => Err(EntryError::UnknownVersion(other)),
                }
            }

            $($crate::model::entry::kind::$batched!();)?
        }
    };
}
pub(in crate::model) use entry;

/// Reads batches as well.
macro_rules! batched {
    () => {
        fn decode_all(bytes: &[u8]) -> Result<Vec<Result<Self, RefusedEvent>>, EntryError> {
            match bytes.first() {
                Some(&v2::VERSION) => v2::read(bytes),
                _ => Self::decode(bytes).map(|event| vec![Ok(event)]),
            }
        }
    };
}
pub(in crate::model) use batched;
