//! One look at a server before anything is wanted of it: who it is, and what its user may do there.
//!
//! A run looks when it joins the streams, and `polytape check` in its stead, so that both say the same.

use std::sync::atomic::Ordering;

use super::server::{RedisServer, memory};
use super::{broker::RedisBroker, denied::refused, failure::RedisFailure, reply::whole, rights::Rights, script};
use crate::broker::{error::BrokerError, error::Result, memory::Memory, stream::Stream};
use crate::{failure::FailureClass, flow::StreamId};

/// What was found of a server.
#[derive(Clone, Debug)]
pub struct RedisLook {
    /// What it says of itself; `None` where its user may not ask.
    pub server: Option<RedisServer>,
    /// Why it is of no use.
    pub fault: Option<RedisFailure>,
    /// What is not known of it, or not as it should be, though it works.
    pub warnings: Vec<String>,
}

impl RedisBroker {
    /// Looks at the server. Nothing is changed there.
    pub async fn look(&self) -> Result<RedisLook> {
        let mut look = RedisLook { server: None, fault: None, warnings: Vec::new() };
        match self.inner.link.info(None).await {
            Ok(info) => {
                let server = RedisServer::read(&info);
                self.inner.link.call_it(server.product);
                look.warnings.extend(server.warning());
                look.fault = server.fault(&self.inner.keys).map(|(class, fault)| self.fault(fault, class));
                look.server = Some(server);
            }
            // Who made such a user knows the server.
            Err(error) if is_denied(&error) => {
                self.inner.may_not_ask.store(true, Ordering::Relaxed);
                let info = refused(&["INFO"], None);
                look.warnings
                    .push(format!("{info}: its version, eviction policy, persistence, memory and role are unknown"));
            }
            Err(error) => return Err(error),
        }
        if look.fault.is_none() {
            let rights = self.rights().await?;
            if !rights.has_time {
                let time = refused(&["TIME"], None);
                look.warnings
                    .push(format!("{time}: its clock is unknown, entries are trimmed by the one of this process"));
            }
            look.fault = rights.fault.map(|fault| self.fault(fault, FailureClass::Deterministic));
        }
        Ok(look)
    }

    /// Finds out whether it takes writes now: by one that changes nothing.
    pub async fn try_write(&self) -> Result<()> {
        let nobodys = Stream::of(StreamId::OrderEvents);
        let call = script::TRY.call().key(self.inner.keys.named(&format!("{nobodys}:check")));
        self.ask(call, "a word", whole).await.map(|_| ())
    }

    /// Refuses a server with which streams are not safe, and says once what is not known of it.
    pub(super) async fn check_server(&self) -> Result<()> {
        let check = async {
            let look = self.look().await?;
            if let Some(fault) = look.fault {
                return Err(BrokerError::from(fault));
            }
            for warning in look.warnings {
                tracing::warn!("{}: {warning}", self.inner.link.place());
            }
            Ok(())
        };
        self.inner.checked.get_or_try_init(|| check).await.copied()
    }

    /// How much of its memory the server uses; `None` if it may not be asked.
    pub(super) async fn server_memory(&self) -> Result<Option<Memory>> {
        let Self { inner } = self;
        if inner.may_not_ask.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match inner.link.info(Some("memory")).await {
            Ok(info) => memory(&info, inner.link.product()).map(Some).ok_or_else(|| inner.link.garbled("its memory")),
            // Asked once: the server keeps a log of everything that is denied.
            Err(error) if is_denied(&error) => {
                inner.may_not_ask.store(true, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn rights(&self) -> Result<Rights> {
        let Self { inner } = self;
        let prefix = inner.keys.prefix().to_owned();
        let call = script::RIGHTS.call().argument(prefix.clone()).argument(inner.consumer.clone());
        self.ask(call, "the rights of a user", |value| Rights::read(value, &prefix)).await
    }

    fn fault(&self, what: String, class: FailureClass) -> RedisFailure {
        RedisFailure::new(self.inner.link.place(), what, class)
    }
}

fn is_denied(error: &BrokerError) -> bool {
    matches!(error, BrokerError::Redis(failure) if failure.is_denied())
}
