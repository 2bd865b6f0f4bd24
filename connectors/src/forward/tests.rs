use bytes::Bytes;
use deferd_component::{Ack, Outcome, Registry, testing};

use super::*;

#[test]
fn a_batch_goes_on_as_it_is_with_whoever_waits_for_it() {
    let (ack, _waiter) = Ack::tracked();
    let mut batch = Batch::new(Signal::Logs, Bytes::from_static(b"x"), 3);
    batch.replace_ack(ack);
    let mut out = Out::new();
    Forward.process(batch, &mut out).unwrap();
    let emitted = out.take_emitted();
    let [only] = emitted.as_slice() else { panic!("{emitted:?}") };
    assert!(only.to.is_none() && only.batch.items() == 3 && only.batch.ack().is_tracked());
    emitted.into_iter().for_each(|emitted| emitted.batch.resolve(Outcome::Accepted));
}

#[test]
fn signals_are_not_changed() {
    assert!(Factory::connects(Signal::Metrics, Signal::Metrics));
    assert!(!Factory::connects(Signal::Traces, Signal::Metrics));
}

#[tokio::test]
async fn every_connector_keeps_the_contract() {
    let mut registry = Registry::default();
    crate::register(&mut registry);
    assert_eq!(testing::contract(&registry, &[]), [""; 0]);
}
