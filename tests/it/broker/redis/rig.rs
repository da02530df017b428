//! A server in the conformance suite.

use std::sync::Arc;

use async_trait::async_trait;
use polytape::broker::Broker;

use super::Redis;
use crate::broker::conformance::{Loss, Rig};

/// One whose processes come again under the same name.
pub struct RedisRig {
    pub redis: Redis,
    consumer: String,
}

impl RedisRig {
    /// In this server.
    pub fn of(redis: Redis) -> Self {
        Self { redis, consumer: "process".into() }
    }
}

#[async_trait]
impl Rig for RedisRig {
    async fn new() -> Self {
        Self::of(Redis::new())
    }

    fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(self.redis.broker(&self.consumer))
    }

    async fn restart(&mut self) {}

    async fn lose(&self, loss: Loss<'_>) {
        let redis = &self.redis;
        match loss {
            Loss::Everything => redis.flush(),
            Loss::Stream(stream) => {
                redis.run(&["DEL", &redis.key(stream.as_str())]);
            }
            Loss::Group(group) => {
                redis.run(&["XGROUP", "DESTROY", &redis.key(group.stream.as_str()), &group.name]);
            }
            Loss::Cursor(key) => {
                redis.run(&["DEL", &redis.key(key)]);
            }
        }
    }
}

/// One whose processes die for good, and are followed by others with other names.
pub struct Successors {
    rig: RedisRig,
    dead: u32,
}

#[async_trait]
impl Rig for Successors {
    async fn new() -> Self {
        Self { rig: RedisRig::new().await, dead: 0 }
    }

    fn broker(&self) -> Arc<dyn Broker> {
        self.rig.broker()
    }

    /// As if the time had passed after which a process without a sign of life is dead.
    async fn restart(&mut self) {
        let redis = &self.rig.redis;
        redis.run(&["DEL", &redis.key(&format!("proc:{}", self.rig.consumer))]);
        self.dead += 1;
        self.rig.consumer = format!("process-{}", self.dead);
    }

    async fn lose(&self, loss: Loss<'_>) {
        self.rig.lose(loss).await;
    }
}
