//! A connector that passes everything on, for the fakes of any test: `C` is the configuration they share.

use std::marker::PhantomData;
use std::sync::Arc;

use deferd_component::{
    Batch, BuildContext, BuildError, Connector, ConnectorFactory, Metadata, Out, Refused, Signal, Stability, Validate,
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

pub(crate) struct Forward<C>(PhantomData<C>);

impl<C: DeserializeOwned + Default + Clone + JsonSchema + Validate + Send + Sync + 'static> ConnectorFactory for Forward<C> {
    type Config = C;
    type State = ();
    type Connector = Self;
    const METADATA: Metadata =
        Metadata { component_type: "forward", summary: "fake", signals: &[Signal::Logs], stability: Stability::Development };

    fn connects(from: Signal, to: Signal) -> bool {
        from == to
    }

    fn build(_: C, _: Arc<()>, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self(PhantomData))
    }
}

impl<C: Send + Sync + 'static> Connector for Forward<C> {
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), Box<Refused>> {
        out.emit(batch);
        Ok(())
    }
}
