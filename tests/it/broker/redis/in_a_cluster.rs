//! One node of a cluster that holds all slots: with a hash tag in the prefix of its keys it is as good as any server, and
//! without one it is refused in words.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use polytape::broker::{Broker, RedisMode};
use polytape::failure::FailureClass;

use super::RedisRig;
use crate::broker::conformance::{KEY, Loss, Rig, conformance, layout};
use crate::support::process::until;
use crate::support::redis::{Redis, free_port};
use crate::support::redis_release::Kind;

/// The node that all rigs share: a node takes two seconds to begin.
static NODE: Mutex<String> = Mutex::new(String::new());

/// A prefix in the node.
struct InCluster(RedisRig);

#[async_trait]
impl Rig for InCluster {
    async fn new() -> Self {
        Self(RedisRig::of(Redis::tagged_at(&NODE.lock().unwrap())))
    }

    fn broker(&self) -> Arc<dyn Broker> {
        self.0.broker()
    }

    async fn restart(&mut self) {
        self.0.restart().await;
    }

    async fn lose(&self, loss: Loss<'_>) {
        self.0.lose(loss).await;
    }
}

conformance!(in turn InCluster);

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_all_slots_does_everything() {
    let node = Redis::of(Kind::of_tests().clustered(), &[]);
    node.url().clone_into(&mut NODE.lock().unwrap());
    all_in_turn().await;
    let look = node.broker("one").look().await.unwrap();
    assert!(look.fault.is_none(), "{look:?}");
    assert_eq!(look.server.unwrap().mode, RedisMode::Cluster);
}

#[tokio::test]
async fn without_a_hash_tag_it_is_refused_in_words() {
    let node = Redis::of(Kind::of_tests().clustered(), &[]).with_prefix("tape:");
    let words = "key_prefix needs a hash tag such as \"{tape}:\"";
    let error = node.broker("one").join(&layout()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Deterministic);
    assert!(error.to_string().contains(words), "{error}");
    // The same where a user may not ask what it is.
    node.run(&["ACL", "SETUSER", "blind", "on", ">s3cret-word", "~*", "+@all", "-info"]);
    let at = node.url().replace("redis://", "redis://blind:s3cret-word@");
    let error = node.broker_at(&at, "two").begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Deterministic);
    assert!(error.to_string().contains(words), "{error}");
}

/// Databases by number are of a server by itself. (Valkey 9 has them in a cluster, too.)
#[tokio::test]
async fn another_database_is_refused_in_words() {
    let node = Redis::of(Kind::named("redis-7.0-cluster"), &[]);
    let at = format!("{}1", node.url());
    let error = node.broker_at(&at, "one").join(&layout()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Deterministic);
    assert!(error.to_string().contains("database 0 only"), "{error}");
}

/// Of two nodes the one that has the keys does, and the other says who it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_the_keys_names_the_one_that_has_them() {
    let ports = [free_port(), free_port()].map(|port| port.to_string());
    let cluster = |port: &str| Redis::own(&["--cluster-enabled", "yes", "--cluster-port", port]).with_prefix("{tape}:");
    let nodes = ports.each_ref().map(|port| cluster(port));
    // Nobody has any slot yet.
    let error = nodes[0].broker("one").join(&layout()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Retry);
    assert!(error.to_string().contains("does not serve every slot"), "{error}");
    nodes[0].run(&["CLUSTER", "ADDSLOTSRANGE", "0", "8191"]);
    nodes[1].run(&["CLUSTER", "ADDSLOTSRANGE", "8192", "16383"]);
    let other = nodes[1].port().to_string();
    nodes[0].run(&["CLUSTER", "MEET", "127.0.0.1", &other, &ports[1]]);
    let is_up = |node: &Redis| format!("{:?}", node.run(&["CLUSTER", "INFO"])).contains("cluster_state:ok");
    until(Duration::from_secs(30), "both are up", || nodes.iter().all(is_up));
    let slot: u64 = redis::cmd("CLUSTER").arg(&["KEYSLOT", "{tape}:"]).query(&mut nodes[0].client()).unwrap();
    let (owner, stranger) = if slot < 8_192 { (&nodes[0], &nodes[1]) } else { (&nodes[1], &nodes[0]) };
    let broker = stranger.broker("one");
    assert!(broker.look().await.unwrap().fault.is_none(), "it does not know which keys are asked for");
    for error in [broker.try_write().await.unwrap_err(), broker.join(&layout()).await.unwrap_err()] {
        assert_eq!(error.class(), FailureClass::Deterministic);
        let told = error.to_string();
        assert!(told.contains("one node that holds all slots") && told.contains(&owner.port().to_string()), "{told}");
    }
    let broker = owner.broker("one");
    broker.begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap();
    broker.try_write().await.unwrap();
}
