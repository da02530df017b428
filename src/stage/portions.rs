//! What stages share of how entries are read and handed on.

use crate::broker::{AckAndForward, Delivery, EntryId, MAX_BYTES, MAX_ENTRIES};

/// Of what was read that which belongs to a replay that ends at `up_to`.
pub(crate) fn within(mut read: Vec<Delivery>, up_to: Option<EntryId>) -> Vec<Delivery> {
    if let Some(up_to) = up_to {
        read.retain(|delivery| delivery.id <= up_to);
    }
    read
}

/// Hand-overs in as few portions as a forward carries: what is handed on together goes in one step.
pub(crate) fn portions(forwards: Vec<AckAndForward>) -> Vec<Vec<AckAndForward>> {
    let (mut portions, mut entries, mut bytes) = (Vec::<Vec<AckAndForward>>::new(), 0, 0);
    for forward in forwards {
        let more = forward.outputs.len();
        let size: usize = forward.outputs.iter().map(|output| output.body.len()).sum();
        match portions.last_mut() {
            Some(portion)
                if portion.len() < MAX_ENTRIES && entries + more <= MAX_ENTRIES && bytes + size <= MAX_BYTES =>
            {
                (entries, bytes) = (entries + more, bytes + size);
                portion.push(forward);
            }
            _ => {
                (entries, bytes) = (more, size);
                portions.push(vec![forward]);
            }
        }
    }
    portions
}
