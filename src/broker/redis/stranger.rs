//! Who is there in the place of a Redis, in words.

use crate::peer::Peer;

/// What to say of somebody who answers, where the URL says whether TLS is spoken. Nothing where it is who was meant.
pub(super) fn words(peer: Peer, over_tls: bool) -> Option<String> {
    let words = match (peer, over_tls) {
        (Peer::Redis, false) | (Peer::Tls, true) => return None,
        (Peer::Redis, true) => {
            "it speaks no TLS, so its URL has to begin with redis:// and not with rediss://".to_owned()
        }
        (Peer::Tls, false) => "it speaks TLS, so its URL has to begin with rediss:// and not with redis://".to_owned(),
        (Peer::Http, _) => "an HTTP server answers there and no Redis, check host and port in its URL".to_owned(),
        (Peer::ClickhouseNative, _) => {
            "the native port of ClickHouse is there and no Redis, check host and port in its URL".to_owned()
        }
        (Peer::Silent, _) => {
            "no answer in time; it lets connections in and says nothing, so it hangs or is no Redis".to_owned()
        }
        (Peer::Closes, _) => {
            "it closes every connection before it says anything, so it is no Redis, or a proxy that cannot reach one"
                .to_owned()
        }
        (Peer::Other(said), _) => {
            let said = if said.is_empty() { String::new() } else { format!(" ({said:?})") };
            format!("something that is no Redis answers there{said}, check host and port in its URL")
        }
    };
    Some(words)
}
