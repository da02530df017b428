//! The JSON-RPC envelope: which answer belongs to which request.

use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::elements::{self, Unreadable};
use crate::secrets::excerpt;

/// An error as a node words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RpcError {
    pub(super) code: Option<i64>,
    pub(super) message: String,
}

/// The result of one request, as JSON.
pub(super) type Outcome = Result<Bytes, RpcError>;

/// A node's answer to one HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// One outcome for each request, in the order of the requests.
    Each(Vec<Outcome>),
    /// One error for all of them.
    Whole(RpcError),
}

/// Why an answer is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It breaks off.
    Off(String),
    /// It cannot be trusted.
    Wrong(String),
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Item<'a> {
    id: Option<&'a RawValue>,
    /// `null` is a result, too: it means that there is no such block.
    #[serde(default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

fn present<'de, D: Deserializer<'de>>(json: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(json).map(Some)
}

/// Reads the answer to the `asked` requests with the ids from `first_id` on.
///
/// The results are slices of `body`, not copies. An error says why the answer cannot be trusted.
pub(super) fn read(body: &Bytes, first_id: u64, asked: usize) -> Result<Reply, Broken> {
    let no_json = |text: &str| Broken::Wrong(format!("not JSON: {}", excerpt(beginning(text), 60)));
    let text =
        std::str::from_utf8(body).map_err(|_| no_json(&String::from_utf8_lossy(&body[..body.len().min(200)])))?;
    match text.trim_start().as_bytes().first() {
        Some(b'[') if asked > 1 => several(body, text, first_id, asked),
        Some(b'[') => Err(Broken::Wrong("a list of answers to one request".to_owned())),
        Some(b'{') => one(body, text, first_id, asked),
        _ => Err(no_json(text)),
    }
}

/// As much of a text as an excerpt can need, so that no copy of megabytes is made for one.
fn beginning(text: &str) -> &str {
    text.char_indices().nth(400).map_or(text, |(end, _)| &text[..end])
}

impl From<serde_json::Error> for Broken {
    fn from(cause: serde_json::Error) -> Self {
        let words = format!("broken JSON: {cause}");
        if cause.is_eof() { Self::Off(words) } else { Self::Wrong(words) }
    }
}

impl From<String> for Broken {
    fn from(cause: String) -> Self {
        Self::Wrong(cause)
    }
}

impl From<&str> for Broken {
    fn from(cause: &str) -> Self {
        Self::Wrong(cause.to_owned())
    }
}

fn one(body: &Bytes, text: &str, first_id: u64, asked: usize) -> Result<Reply, Broken> {
    let item: Item<'_> = serde_json::from_str(text)?;
    if let Some(error) = item.error {
        return Ok(Reply::Whole(RpcError::read(error)));
    }
    if asked > 1 {
        return Err(format!("one answer to {asked} requests").into());
    }
    if id_of(&item) != Some(first_id) {
        return Err("an answer to another request".into());
    }
    Ok(Reply::Each(vec![outcome(body, &item)?]))
}

fn several(body: &Bytes, text: &str, first_id: u64, asked: usize) -> Result<Reply, Broken> {
    let mut outcomes: Vec<Option<Outcome>> = vec![None; asked];
    let (mut answered, mut whole) = (0, None);
    let list = elements::each(text, |item: Item<'_>| {
        // An error that names no request is about the batch.
        if let (None, Some(error)) = (item.id, item.error) {
            whole = Some(RpcError::read(error));
            return Err(String::new());
        }
        let place = id_of(&item).and_then(|id| usize::try_from(id.checked_sub(first_id)?).ok());
        let slot = place.and_then(|place| outcomes.get_mut(place)).ok_or("an answer to another request")?;
        if slot.is_some() {
            return Err("two answers to one request".to_owned());
        }
        *slot = Some(outcome(body, &item)?);
        answered += 1;
        Ok(())
    });
    match (whole, list) {
        (Some(error), _) => return Ok(Reply::Whole(error)),
        (_, Err(Unreadable::Refused(cause))) => return Err(Broken::Wrong(cause)),
        (_, Err(Unreadable::BreaksOff(cause))) => return Err(Broken::Off(format!("broken JSON: {cause}"))),
        (_, Err(Unreadable::NoList(cause))) => return Err(Broken::Wrong(format!("broken JSON: {cause}"))),
        (_, Ok(())) => {}
    }
    let outcomes: Option<Vec<Outcome>> = outcomes.into_iter().collect();
    outcomes.map(Reply::Each).ok_or_else(|| format!("{answered} answers to {asked} requests").into())
}

fn id_of(item: &Item<'_>) -> Option<u64> {
    item.id?.get().parse().ok()
}

fn outcome(body: &Bytes, item: &Item<'_>) -> Result<Outcome, String> {
    match (item.result, item.error) {
        (_, Some(error)) => Ok(Err(RpcError::read(error))),
        (Some(result), None) => Ok(Ok(body.slice_ref(result.get().as_bytes()))),
        (None, None) => Err("an answer with neither result nor error".to_owned()),
    }
}

impl RpcError {
    /// Reads an error object; whatever else it is becomes its message.
    pub(super) fn read(json: &RawValue) -> Self {
        #[derive(Deserialize)]
        struct Fields<'a> {
            code: Option<i64>,
            message: Option<String>,
            #[serde(borrow)]
            data: Option<&'a RawValue>,
        }
        match serde_json::from_str(json.get()) {
            Ok(Fields { code, message: Some(message), data }) => {
                // Some put the words that matter into the data.
                let data = data.and_then(|data| serde_json::from_str::<String>(data.get()).ok());
                let message = data.map_or(message.clone(), |data| format!("{message}: {data}"));
                Self { code, message }
            }
            _ => Self { code: None, message: json.get().to_owned() },
        }
    }

    /// Reads the error out of a body that came with an HTTP error; the body itself where there is none in it.
    pub(super) fn in_body(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let item = serde_json::from_str::<Item<'_>>(&text);
        // A list of at most 64 kB, as much as is read of such a body.
        let list = serde_json::from_str::<Vec<Item<'_>>>(&text);
        let error = item.ok().and_then(|item| item.error).or_else(|| list.ok()?.first()?.error);
        error.map_or_else(|| Self { code: None, message: text.clone().into_owned() }, Self::read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_text(text: &str, asked: usize) -> Result<Reply, Broken> {
        read(&Bytes::copy_from_slice(text.as_bytes()), 5, asked)
    }

    #[test]
    fn matches_answers_by_id() {
        let reply = read_text(r#" [{"id":6,"result":null},{"jsonrpc":"2.0","id":5,"result":[1]}]"#, 2);
        assert_eq!(reply, Ok(Reply::Each(vec![Ok("[1]".into()), Ok("null".into())])));
        let reply = read_text(r#"{"id":5,"result":"0x89"}"#, 1);
        assert_eq!(reply, Ok(Reply::Each(vec![Ok("\"0x89\"".into())])));
    }

    #[test]
    fn an_error_may_be_one_or_all() {
        let error = RpcError { code: Some(-1), message: "no".into() };
        let json = r#"{"code":-1,"message":"no"}"#;
        let reply = read_text(&format!(r#"[{{"id":5,"result":7}},{{"id":6,"error":{json}}}]"#), 2);
        assert_eq!(reply, Ok(Reply::Each(vec![Ok("7".into()), Err(error.clone())])));
        for whole in [format!(r#"{{"id":null,"error":{json}}}"#), format!(r#"[{{"error":{json}}}]"#)] {
            assert_eq!(read_text(&whole, 2), Ok(Reply::Whole(error.clone())), "{whole}");
        }
        let reply = read_text(r#"{"id":5,"error":"just words"}"#, 1);
        assert_eq!(reply, Ok(Reply::Whole(RpcError { code: None, message: "\"just words\"".into() })));
    }

    #[test]
    fn what_cannot_be_trusted() {
        let table = [
            ("<html>\n<b>Bad gateway</b>", 1, "not JSON: <html><b>Bad gateway</b>"),
            ("", 1, "not JSON: "),
            (r#"{"id":5,"result":[1,"#, 1, "broken JSON"),
            (r#"{"id":5}"#, 1, "neither result nor error"),
            (r#"{"id":"5","result":1}"#, 1, "another request"),
            (r#"{"id":6,"result":1}"#, 1, "another request"),
            (r#"[{"id":5,"result":1}]"#, 1, "a list of answers to one request"),
            (r#"{"id":5,"result":1}"#, 2, "one answer to 2 requests"),
            (r#"[{"id":5,"result":1}]"#, 2, "1 answers to 2 requests"),
            (r#"[{"id":5,"result":1},{"id":5,"result":1}]"#, 2, "two answers to one request"),
            (r#"[{"id":5,"result":1},{"id":7,"result":1}]"#, 2, "another request"),
            (r#"[{"id":5,"result":1},{"id":4,"result":1}]"#, 2, "another request"),
            ("[]", 2, "0 answers to 2 requests"),
        ];
        for (text, asked, expected) in table {
            let (Broken::Wrong(cause) | Broken::Off(cause)) = read_text(text, asked).unwrap_err();
            assert!(cause.contains(expected), "{text}: {cause}");
        }
        for text in [r#"{"id":5,"result":[1,"#, r#"[{"id":5,"result":[1,"#, r#"[{"id":5,"result":1},"#] {
            assert!(matches!(read_text(text, 1 + usize::from(text.starts_with('['))), Err(Broken::Off(_))), "{text}");
        }
        assert_eq!(excerpt(&"é".repeat(100), 60), format!("{}…", "é".repeat(60)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>, asked in 1usize..4) {
            let _ = read(&Bytes::from(body.clone()), 0, asked);
            let _ = RpcError::in_body(&body);
        }
    }
}
