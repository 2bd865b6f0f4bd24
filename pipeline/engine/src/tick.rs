//! Giving processors their ticks.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use deferd_component::{Out, Stop};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::core::{Core, Stages};
use crate::graph::{ProcessorKey, Run};

/// Ticks are not finer than this: a processor that asks for less gets this.
const RESOLUTION: Duration = Duration::from_millis(10);

/// Ticks every processor that wants it, through whatever snapshot is current, until `stop`. `changed` wakes it after a reload.
pub(crate) async fn run(core: Arc<Core>, changed: Arc<Notify>, stop: Stop) {
    let mut last: BTreeMap<ProcessorKey, Instant> = BTreeMap::new();
    loop {
        let next = tick_due(&core, &mut last, Instant::now());
        let pause = async {
            match next {
                Some(next) => tokio::time::sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.wait() => return,
            () = changed.notified() => {}
            () = pause => {}
        }
    }
}

/// Ticks what is due and says when the next tick is.
fn tick_due(core: &Arc<Core>, last: &mut BTreeMap<ProcessorKey, Instant>, now: Instant) -> Option<Instant> {
    let stages = core.stages.load_full();
    let graph = &stages.graph;
    let mut ticking = BTreeMap::new();
    let mut next: Option<Instant> = None;
    for (index, pipeline) in graph.pipelines() {
        for (position, stage) in pipeline.stages.iter().enumerate() {
            // A component that panics here is not ticked; the others are.
            let interval = std::panic::catch_unwind(AssertUnwindSafe(|| stage.processor.tick_interval()));
            let Ok(Some(interval)) = interval else { continue };
            let interval = interval.max(RESOLUTION);
            let key = (pipeline.id.clone(), stage.id.clone());
            let mut ticked = last.get(&key).copied().unwrap_or(now);
            if now.duration_since(ticked) >= interval {
                ticked = now;
                // While accepted data waits for room, emitting more would only make it wait too.
                if !pipeline.is_waiting() {
                    tick(core, &stages, index, position, now);
                }
            }
            let due = ticked + interval;
            next = Some(next.map_or(due, |next| next.min(due)));
            ticking.insert(key, ticked);
        }
    }
    *last = ticking;
    next
}

fn tick(core: &Arc<Core>, stages: &Arc<Stages>, pipeline: usize, position: usize, now: Instant) {
    let Some(stage) = stages.graph.pipeline(pipeline).and_then(|pipeline| pipeline.stages.get(position)) else { return };
    let out = emitted(&stage.path, |out| stage.processor.tick(now.into_std(), out));
    follow(core, stages, pipeline, position, out);
}

/// What a component emits by itself. A panic ends neither the engine nor what was emitted before it.
pub(crate) fn emitted(path: &str, call: impl FnOnce(&mut Out)) -> Out {
    let mut out = Out::new();
    if std::panic::catch_unwind(AssertUnwindSafe(|| call(&mut out))).is_err() {
        tracing::error!(component = path, "the component panicked while it emitted what it held");
    }
    out
}

/// Carries what a stage emitted by itself (tick or drain) through the rest of its pipeline.
pub(crate) fn follow(core: &Arc<Core>, stages: &Arc<Stages>, pipeline: usize, position: usize, mut out: Out) {
    let graph = &stages.graph;
    let Some(pipe) = graph.pipeline(pipeline) else { return };
    let Some(stage) = pipe.stages.get(position) else { return };
    stage.counters.outgoing.add(out.emitted_items());
    graph.count_drops(&stage.path, &out, pipe.id.signal());
    let mut run = Run::bound();
    // A bound run settles every refusal itself.
    let _ = run.follow(graph, pipeline, position, &mut out);
    core.carry(stages, run);
}
